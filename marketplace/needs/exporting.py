"""The lists of needs as files. A hidden maximum price stands in the owner's own list and nowhere else."""

from collections.abc import Mapping
from datetime import datetime

from marketplace.exchange.exports import ExportColumn, ExportedList, Rows, own_list
from marketplace.exchange.targets import Scope
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.texts import N_
from marketplace.needs import presenters, queries
from marketplace.needs.importing import NeedTarget
from marketplace.needs.lifecycle import LIFECYCLE
from marketplace.needs.models import Need
from marketplace.postings.exporting import closing_columns, hall_rows, indicators_cell, opening_columns


def _hall_columns(_actor: Actor) -> list[ExportColumn]:
    return [
        *opening_columns(LIFECYCLE, N_("标的名称")),
        ExportColumn(N_("技术规格"), lambda n: n.specification),
        ExportColumn(N_("数量"), lambda n: None if n.quantity is None else n.quantity.normalize()),
        ExportColumn(N_("计量单位"), lambda n: n.unit),
        ExportColumn(N_("交货日期"), lambda n: n.delivery_on),
        ExportColumn(N_("有效期至"), lambda n: last_business_day(n.expires_at) if n.expires_at else None),
        ExportColumn(N_("资格要求"), lambda n: n.qualification),
        # The public one: the model holds no other.
        ExportColumn(
            N_("最高限价（元）"), lambda n: None if n.max_price_fen is None else n.max_price_fen / 100
        ),
        ExportColumn(N_("规格指标"), lambda n: indicators_cell(n.indicators)),
        *closing_columns(),
    ]


def _hall_rows(args: Mapping[str, str], _actor: Actor, now: datetime) -> Rows:
    return hall_rows(
        Need,
        args,
        visible=queries.select_public(),
        facets=presenters.facets(now=now),
        orders=presenters.orders(),
        loads=("indicators",),
    )


def _own_list(args: Mapping[str, str], actor: Actor) -> Scope:
    need_list = queries.get_own_list(args.get("list", ""), actor=actor)
    return Scope(need_list.organisation_id, need_list.id)


def lists() -> list[ExportedList]:
    return [
        ExportedList("needs.hall", N_("供需清单"), SIGNED_IN, _hall_columns, _hall_rows),
        own_list(NeedTarget(), name="needs.own", title=N_("我的供需清单"), scope=_own_list),
    ]
