"""Postings as an organisation's page, its claim and its objections know them; one keeper for each kind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, func, select, update

from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.organisations.holdings import MOST_SHOWN, Line, Shelf
from marketplace.postings.presenters import status_tag


@dataclass(frozen=True, slots=True)
class PostingKeeper:
    """`is_open(now)` is the SQL for what is still open; `ended` the statuses that stay readable after it.

    `takers` are further tables whose rows go along with what was collected, such as lists of needs.
    """

    kind: str
    label: str
    order: int
    entity: Any
    lifecycle: Lifecycle
    endpoint: str
    is_open: Callable[[datetime], ColumnElement[bool]]
    readable: tuple[Any, ...]
    collected: Any
    published: Any
    withdraw: Callable[..., None]
    until: str = ""
    closed_label: str = ""
    entry_endpoint: str = ""
    takers: tuple[Any, ...] = field(default=())

    def shelf(self, organisation_id: int, *, now: datetime) -> Shelf:
        entity, opened = self.entity, self.is_open(now)
        public = (entity.organisation_id == organisation_id, entity.status.in_(self.readable))
        counts: dict[bool, int] = {
            bool(row[0]): row[1]
            for row in db.session.execute(select(opened, func.count()).where(*public).group_by(opened))
        }
        return Shelf(
            kind=self.kind,
            label=self.label,
            open=self._lines((*public, opened), now=now),
            closed=self._lines((*public, ~opened), now=now) if counts.get(False) else (),
            open_count=counts.get(True, 0),
            closed_count=counts.get(False, 0),
        )

    def _lines(self, where: tuple[ColumnElement[bool], ...], *, now: datetime) -> list[Line]:
        statement = select(self.entity).where(*where)
        newest = statement.order_by(self.entity.published_at.desc(), self.entity.id.desc())
        return [self._line(row, now=now) for row in db.session.scalars(newest.limit(MOST_SHOWN))]

    def _line(self, row: Any, *, now: datetime | None = None) -> Line:
        until: datetime | None = getattr(row, self.until) if self.until else None
        closed = now is not None and until is not None and until <= now
        tag = status_tag(self.lifecycle, row.status, closed=closed, closed_label=self.closed_label)
        last_day: date | None = None if until is None else last_business_day(until)
        url = url_for(self.endpoint, public_no=row.public_no)
        return Line(row.title or row.public_no, url, tag.label, tag.kind, last_day)

    def count_collected(self, organisation_id: int) -> int:
        statement = select(func.count()).select_from(self.entity)
        return db.session.scalar(statement.where(*self._collected(organisation_id))) or 0

    def _collected(self, organisation_id: int) -> tuple[ColumnElement[bool], ...]:
        return self.entity.organisation_id == organisation_id, self.entity.status == self.collected

    def move_collected(self, source_id: int, target_id: int) -> list[str]:
        """Two statements a table, however many rows; their acts are recorded with the claim."""
        where = self._collected(source_id)
        numbers = list(
            db.session.scalars(select(self.entity.public_no).where(*where).order_by(self.entity.id))
        )
        for table in (self.entity, *self.takers) if numbers else ():
            there = where if table is self.entity else (table.organisation_id == source_id,)
            db.session.execute(
                update(table).where(*there).values(organisation_id=target_id),
                execution_options={"synchronize_session": False},
            )
        return numbers

    def line(self, subject_id: int) -> Line | None:
        row = db.session.get(self.entity, subject_id)
        return None if row is None else self._line(row)

    def end(self, subject_id: int, *, reason: str, by: Actor, now: datetime) -> None:
        row = db.session.get(self.entity, subject_id)
        if row is not None and row.status == self.published:
            self.withdraw(row, reason=reason, by=by, now=now)
