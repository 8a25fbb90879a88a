"""The lists of capabilities as files."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext

from marketplace.capabilities import presenters, queries
from marketplace.capabilities.importing import CapabilityTarget, Certificates
from marketplace.capabilities.kinds import IP_LABELS, KIND_LABELS, MATURITY_LABELS
from marketplace.capabilities.lifecycle import LIFECYCLE
from marketplace.capabilities.models import Capability
from marketplace.exchange.exports import ExportColumn, ExportedList, Rows, own_list
from marketplace.exchange.targets import Scope
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.postings.exporting import closing_columns, hall_rows, indicators_cell, opening_columns
from marketplace.taxonomy import queries as taxonomy


def _hall_columns(_actor: Actor) -> list[ExportColumn]:
    return [
        *opening_columns(LIFECYCLE, N_("名称")),
        ExportColumn(N_("类别"), lambda c: gettext(KIND_LABELS[c.kind])),
        ExportColumn(N_("简介"), lambda c: c.summary),
        ExportColumn(N_("技术成熟度"), lambda c: c.trl),
        ExportColumn(
            N_("产业化程度"), lambda c: gettext(MATURITY_LABELS[c.maturity]) if c.maturity else None
        ),
        ExportColumn(N_("知识产权状态"), lambda c: gettext(IP_LABELS[c.ip_status]) if c.ip_status else None),
        ExportColumn(N_("合作方式"), lambda c: "、".join(map(taxonomy.cooperation_name, c.cooperation))),
        ExportColumn(N_("参数"), lambda c: indicators_cell(c.parameters)),
        ExportColumn(N_("资质证书"), lambda c: Certificates().write(c.certificates)),
        *closing_columns(),
    ]


def _hall_rows(args: Mapping[str, str], _actor: Actor, _now: datetime) -> Rows:
    return hall_rows(
        Capability,
        args,
        visible=queries.select_public(),
        facets=presenters.facets(),
        orders=presenters.orders(),
        loads=("parameters", "certificates"),
    )


def lists() -> list[ExportedList]:
    return [
        ExportedList("capabilities.hall", N_("能力成果"), SIGNED_IN, _hall_columns, _hall_rows),
        own_list(
            CapabilityTarget(),
            name="capabilities.own",
            title=N_("我的能力成果"),
            scope=lambda _args, actor: Scope(actor.organisation_id or 0),
        ),
    ]
