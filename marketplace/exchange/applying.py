"""Taking staged rows over: one short transaction of a few statements, however many rows there are.

Everything that costs time was done while staging. Here rows go from the staging tables to their own by
INSERT … SELECT and UPDATE … FROM, inside the database: on SQLite, which has one writer at a time, others wait
for moments only. All or nothing: what changed since the preview makes the whole be compared anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    CursorResult,
    String,
    and_,
    column,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy import (
    cast as sql_cast,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from marketplace.audit.services import EVERYTHING, record
from marketplace.exchange.models import ExternalNumber, ImportStatus, StagedImport, StagedRow, Verdict
from marketplace.exchange.staging import hold, scope_of
from marketplace.exchange.targets import EXTERNAL, Target, target_for
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import UTCDateTime, db
from marketplace.kernel.errors import Obstacle, Obstructed
from marketplace.kernel.numbering import next_numbers
from marketplace.kernel.texts import N_

MOST_WITHDRAWN = 200


class Outdated(RuntimeError):
    """What the preview showed is not what stands now."""


def apply(staged: StagedImport, fence: str, *, by: Actor, now: datetime) -> dict[str, int]:
    """Inside `transaction()`: take over every row of a checked import. Raises Outdated."""
    act = _Applying(staged, by=by, now=now)
    hold(staged.id, fence, status=ImportStatus.APPLIED, applied_at=now, fence="")
    counts = act.run()
    record(
        "exchange.apply",
        "staged_import",
        staged.id,
        by=by,
        at=now,
        label=staged.file_name,
        organisation_id=staged.organisation_id,
        detail={"kind": staged.kind, "sha256": staged.sha256, "manifest": staged.manifest, "counts": counts},
        covers=EVERYTHING,
    )
    return counts


class _Applying:
    def __init__(self, staged: StagedImport, *, by: Actor, now: datetime) -> None:
        self.staged, self.by, self.now = staged, by, now
        self.target: Target = target_for(staged.kind)
        self.scope = scope_of(staged)
        self.on_postgresql = db.session.get_bind().dialect.name == "postgresql"
        self.table = self.target.model.__table__

    def run(self) -> dict[str, int]:
        counts = {v: int(self.staged.counts.get(v.value, 0)) for v in Verdict}
        new, changed = counts[Verdict.NEW], counts[Verdict.CHANGED]
        if (taken := self.target.take_over(self.staged, by=self.by, now=self.now)) is not None:
            return {"new": taken, "changed": 0, "withdrawn": 0}
        revised = self._revise()
        quiet = changed - len(revised)
        if new:
            self._refuse_doubles()
            self._insert(new)
        if quiet:
            self._update(quiet)
        if new or quiet:
            for child in self.target.children:
                self._replace_children(child, after_change=bool(quiet))
        if new or changed:
            self._keep_external_numbers()
        withdrawn = self._withdraw() if self.staged.withdraw_missing else 0
        self.target.asked_for(revised, import_id=self.staged.id, now=self.now)
        return {"new": new, "changed": changed, "withdrawn": withdrawn}

    def _revise(self) -> list[int]:
        """What everybody sees is changed as a person would change it, with all that hangs on that."""
        rows = db.session.execute(
            select(StagedRow.target_id, StagedRow.target_version, StagedRow.changes)
            .where(self._of(Verdict.CHANGED), StagedRow.public)
            .order_by(StagedRow.id)
        ).all()
        ids = [row.target_id for row in rows]
        model = self.target.model
        # Held in one order to the end, so that what was compared is what is changed.
        held = (
            select(model.id, model.version)
            .where(model.id.in_(ids), self.target.scope_of(self.scope), self.target.still(public=True))
            .order_by(model.id)
            .with_for_update(of=model)
        )
        versions = {row.id: row.version for row in db.session.execute(held)}
        external = next((c.label for c in self.target.columns if c.name == EXTERNAL), "")
        for row in rows:
            if versions.get(row.target_id) != row.target_version:
                raise Outdated
            if changes := [change for change in row.changes if change[0] != external]:
                self.target.revise(row.target_id, self.scope, changes, by=self.by, now=self.now)
        return ids

    def _of(self, *verdicts: Verdict) -> ColumnElement[bool]:
        return and_(StagedRow.import_id == self.staged.id, StagedRow.verdict.in_(verdicts))

    def _refuse_doubles(self) -> None:
        """A row that was new when it was compared must still be."""
        model = self.target.model
        alike = (
            select(StagedRow.id)
            .join(model, self.target.same_title(StagedRow.title))
            .where(self._of(Verdict.NEW), StagedRow.external_no == "", self.target.scope_of(self.scope))
        )
        numbered = (
            select(StagedRow.id)
            .join(ExternalNumber, ExternalNumber.number == StagedRow.external_no)
            .where(
                self._of(Verdict.NEW),
                ExternalNumber.kind == self.target.kind,
                ExternalNumber.organisation_id == self.scope.organisation_id,
            )
        )
        own = self._extracted(StagedRow.stored["row"], self.target.number, String())
        registered = (
            select(StagedRow.id)
            .join(model, self.target.same_number(own))
            .where(self._of(Verdict.NEW), self.target.scope_of(self.scope))
        )
        for doubled in (alike, numbered, registered):
            if db.session.scalar(doubled.limit(1)) is not None:
                raise Outdated

    def _insert(self, count: int) -> None:
        number = self._number(count) if self.target.prefix else null()
        fixed = self.target.fresh(self.scope, now=self.now)
        names, values = [], []
        for name in self._stored_names():
            value = self._extracted(StagedRow.stored["row"], name, self.table.c[name].type)
            if name == "search_text" and self.target.prefix:
                # Its own number, which it has only now, is part of what it is found by.
                value = func.lower(number) + "\n" + value
            names.append(name)
            values.append(value)
        for name, value in fixed.items():
            names.append(name)
            values.append(literal(value, self.table.c[name].type))
        if self.target.prefix:
            names.append("public_no")
            values.append(number)
        rows = select(*values).where(self._of(Verdict.NEW)).order_by(StagedRow.ordinal)
        db.session.execute(insert(self.table).from_select(names, rows))
        model = self.target.model
        found = (
            update(StagedRow)
            .values(target_id=model.id)
            .where(self._of(Verdict.NEW), self.target.just_inserted(StagedRow.title, number))
        )
        self._expect(found, count)

    def _update(self, count: int) -> None:
        model = self.target.model
        values: dict[str, Any] = {
            name: self._extracted(StagedRow.stored["row"], name, self.table.c[name].type)
            for name in self._stored_names()
        }
        values["version"] = model.version + 1
        if "updated_at" in self.table.c:
            values["updated_at"] = literal(self.now, self.table.c["updated_at"].type)
        self._expect(
            update(model)
            .values(values)
            .where(
                self._of(Verdict.CHANGED),
                ~StagedRow.public,
                model.id == StagedRow.target_id,
                model.version == StagedRow.target_version,
                self.target.scope_of(self.scope),
                # Handing in and publishing write no new version.
                self.target.still(public=False),
            ),
            count,
        )

    def _expect(self, statement: Any, count: int) -> None:
        result = db.session.execute(statement, execution_options={"synchronize_session": False})
        if cast("CursorResult[Any]", result).rowcount != count:
            raise Outdated

    def _stored_names(self) -> list[str]:
        """The columns that rows bring along: the same for every row of an import."""
        one = db.session.scalar(
            select(StagedRow.stored).where(self._of(Verdict.NEW, Verdict.CHANGED)).limit(1)
        )
        return sorted((one or {}).get("row", {}))

    def _replace_children(self, child: Any, *, after_change: bool) -> None:
        table = child.model.__table__
        if after_change:
            theirs = select(StagedRow.target_id).where(self._of(Verdict.CHANGED), ~StagedRow.public)
            db.session.execute(
                delete(table).where(table.c[child.parent].in_(theirs)),
                execution_options={"synchronize_session": False},
            )
        names = [c.name for c in table.c if c.name not in ("id", child.parent) and c.name in child.columns]
        each = self._each(child.name)
        values = [self._extracted(each.c.value, name, table.c[name].type, of_each=True) for name in names]
        place = (each.c.key,) if "key" in each.c else (each.c.ordinality,)
        rows = (
            select(StagedRow.target_id, *values)
            .select_from(StagedRow.__table__.join(each, literal(value=True)))
            .where(self._of(Verdict.NEW, Verdict.CHANGED), ~StagedRow.public)
            .order_by(StagedRow.id, *place)
        )
        db.session.execute(insert(table).from_select([child.parent, *names], rows))

    def _keep_external_numbers(self) -> None:
        if self.scope.organisation_id is None:
            return
        numbered = (self._of(Verdict.NEW, Verdict.CHANGED), StagedRow.external_no != "")
        db.session.execute(
            delete(ExternalNumber).where(
                ExternalNumber.kind == self.target.kind,
                ExternalNumber.subject_id.in_(select(StagedRow.target_id).where(*numbered)),
            ),
            execution_options={"synchronize_session": False},
        )
        rows = select(
            literal(self.target.kind),
            literal(self.scope.organisation_id),
            StagedRow.external_no,
            StagedRow.target_id,
        ).where(*numbered)
        db.session.execute(
            insert(ExternalNumber).from_select(["kind", "organisation_id", "number", "subject_id"], rows)
        )

    def _withdraw(self) -> int:
        ids: Sequence[int | None] = db.session.scalars(
            select(StagedRow.target_id).where(self._of(Verdict.MISSING)).order_by(StagedRow.target_id)
        ).all()
        if len(ids) > MOST_WITHDRAWN:
            raise Obstructed(
                [Obstacle("file", N_("一次最多撤回 %(limit)s 条，请到列表里办理"), {"limit": MOST_WITHDRAWN})]
            )
        return self.target.withdraw([id for id in ids if id is not None], by=self.by, now=self.now)

    def _number(self, count: int) -> ColumnElement[str]:
        """JB-2026-0117 and on, in the order of the file."""
        first = next_numbers(self.target.prefix, count, now=self.now, width=self.target.width)[0]
        stem, _, digits = first.rpartition("-")
        running = StagedRow.ordinal + int(digits)
        if not self.on_postgresql:
            return func.printf(f"{stem}-%0{self.target.width}d", running, type_=String)
        text = sql_cast(running, String)
        padded = func.lpad(text, func.greatest(self.target.width, func.length(text)), "0")
        return literal(f"{stem}-") + padded

    # --- JSON, as the two databases spell it --------------------------------------------------------------

    def _each(self, name: str) -> Any:
        if self.on_postgresql:
            return (
                func.jsonb_array_elements(StagedRow.stored[name])
                .table_valued(column("value", JSONB), with_ordinality="ordinality", name="each")
                .render_derived()
                .lateral()
            )
        path = literal(f'$."{name}"')
        return func.json_each(StagedRow.stored, path).table_valued("key", "value", name="each")

    def _extracted(
        self, held: Any, name: str, type_: TypeEngine[Any], *, of_each: bool = False
    ) -> ColumnElement[Any]:
        """The value of one member in a column's own type."""
        if not self.on_postgresql:
            path = f'$."{name}"' if of_each else f'$."row"."{name}"'
            whole = held if of_each else StagedRow.stored
            # A list comes out as the text of its JSON, which is how SQLite keeps it.
            return func.json_extract(whole, path, type_=type_)
        if isinstance(type_, JSON) or isinstance(type_.dialect_impl(db.session.get_bind().dialect), JSON):
            return cast("ColumnElement[Any]", held[name])
        text = held[name].astext if of_each else held[name].as_string()
        if isinstance(type_, UTCDateTime):
            text = text + "+00"
        return sql_cast(text, type_)
