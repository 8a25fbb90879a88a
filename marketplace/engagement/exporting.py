"""The boxes as files, for the members of the organisation. Neither contacts nor letters leave the page."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from marketplace.engagement import presenters, queries
from marketplace.engagement.models import Approach
from marketplace.engagement.presenters import Shown
from marketplace.engagement.queries import BoxFilter
from marketplace.exchange.exports import CHUNK, MOST_ROWS, ExportColumn, ExportedList, Rows
from marketplace.kernel.access import MEMBER
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.texts import N_


def _rows_of(box: str, args: Mapping[str, str], actor: Actor, now: datetime) -> Rows:
    statement = queries.select_box(box, actor, BoxFilter.from_args(args), now=now)
    ids = db.session.scalars(
        statement.with_only_columns(Approach.id, maintain_column_froms=True).limit(MOST_ROWS + 1)
    ).all()

    def each() -> Iterator[Shown]:
        for start in range(0, min(len(ids), MOST_ROWS), CHUNK):
            some = ids[start : start + CHUNK]
            found = {one.id: one for one in db.session.scalars(statement.where(Approach.id.in_(some)))}
            yield from presenters.shown_all(
                [found[one] for one in some if one in found], viewer=actor, now=now
            )

    return Rows(len(ids), each())


def _columns(_actor: Actor) -> list[ExportColumn]:
    return [
        ExportColumn(N_("编号"), lambda one: one.approach.public_no),
        ExportColumn(N_("方向"), lambda one: presenters.direction_of(one)),
        ExportColumn(N_("对象"), lambda one: one.posting_label),
        ExportColumn(N_("榜单或需求编号"), lambda one: one.posting.public_no),
        ExportColumn(N_("榜单或需求"), lambda one: one.posting.title),
        ExportColumn(N_("对方"), lambda one: one.other.name),
        ExportColumn(N_("能力"), lambda one: one.approach.capability.title),
        ExportColumn(N_("发出"), lambda one: one.approach.sent_at),
        ExportColumn(N_("答复期限"), lambda one: last_business_day(one.approach.expires_at)),
        ExportColumn(N_("状态"), lambda one: one.status_label),
        ExportColumn(N_("答复时间"), lambda one: one.approach.settled_at),
        ExportColumn(N_("理由"), lambda one: one.reason),
    ]


def lists() -> list[ExportedList]:
    return [
        ExportedList(
            f"engagement.{box}",
            presenters.BOX_TITLES[box],
            MEMBER,
            _columns,
            lambda args, actor, now, box=box: _rows_of(box, args, actor, now),  # type: ignore[misc]
        )
        for box in queries.BOXES
    ]
