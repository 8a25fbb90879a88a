"""Reading a file into the staging tables: row by row judged, compared with what stands, and laid out.

Rows are read in chunks; each is judged with no transaction open and written in a short one of its own, so
that the site stays writable however long the file is. Whoever holds the import's fence writes; a run that was
overtaken finds out at its next chunk. Not here: taking the rows over (`applying`).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any, cast

from flask import current_app
from sqlalchemy import CursorResult, delete, insert, select, update

from marketplace.exchange.cells import printable, text_of
from marketplace.exchange.columns import Column
from marketplace.exchange.faults import Unreadable, WrongCell
from marketplace.exchange.mapping import (
    digest_of,
    find_header_row,
    guess_mapping,
    heading_texts,
    is_valid,
)
from marketplace.exchange.models import (
    ColumnMapping,
    ExternalNumber,
    ImportStatus,
    StagedError,
    StagedImport,
    StagedRow,
    Verdict,
)
from marketplace.exchange.sheets import Row, first_rows, open_source
from marketplace.exchange.targets import EXTERNAL, Scope, Standing, Target, Values, target_for
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.texts import N_

CHUNK = 250
# More faults than this help nobody; reading stops there.
MOST_ERRORS = 20_000
# Each of these is revised by its own act inside the one transaction that takes everything over.
MOST_REVISED = 200
MOST_SAMPLED = 5
LONGEST_SAMPLE = 80
# A published thing is revised from what its preview shows: nothing of a cell may be cut off there.
LONGEST_SHOWN = 32_767
DELETED_AT_ONCE = 2_000
EXAMPLE = "#"


class Overtaken(RuntimeError):
    """Another run, or a cancellation, has the import by now."""


def folder() -> Path:
    """Where files wait, outside of everything that is served."""
    path = Path(current_app.config["INSTANCE_DIR"]) / "imports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def scope_of(staged: StagedImport) -> Scope:
    return Scope(staged.organisation_id, staged.scope_id)


def take_fence(import_id: int, status: ImportStatus, fence: str) -> StagedImport | None:
    """Be the one run that works on an import in this status; None where there is nothing to do any more."""
    with transaction():
        held = _update(import_id, StagedImport.status == status, fence=fence)
    return db.session.get(StagedImport, import_id) if held else None


def hold(import_id: int, fence: str, /, **values: Any) -> None:
    """Inside `transaction()`: write to the import, if it is still ours. Raises Overtaken."""
    if not _update(import_id, StagedImport.fence == fence, updated_at=clock.now(), **values):
        raise Overtaken(f"import {import_id}")


def _update(import_id: int, /, *where: Any, **values: Any) -> int:
    statement = update(StagedImport).where(StagedImport.id == import_id, *where).values(**values)
    result = db.session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def forget_rows(import_id: int) -> None:
    """Delete what was staged, a little at a time."""
    for table in (StagedRow, StagedError):
        while True:
            some = select(table.id).where(table.import_id == import_id).limit(DELETED_AT_ONCE)
            with transaction():
                result = db.session.execute(
                    delete(table).where(table.id.in_(some)), execution_options={"synchronize_session": False}
                )
            if cast("CursorResult[Any]", result).rowcount < DELETED_AT_ONCE:
                break


# --- the first look ---------------------------------------------------------------------------------------


def inspect(staged: StagedImport, fence: str) -> bool:
    """Find sheet, headings and columns; whether everything was found, so that nobody need be asked."""
    target = target_for(staged.kind)
    source = open_source(folder() / staged.stored_name, staged.format)
    sheet = staged.sheet if staged.sheet in source.sheets else _fullest(source, target)
    rows = first_rows(source, sheet)
    if not rows:
        raise Unreadable(N_("表里没有内容"))
    chosen = staged.header_row if any(number == staged.header_row for number, _ in rows) else None
    header_row = find_header_row(rows, target.columns) if chosen is None else chosen
    headings = heading_texts(next(cells for number, cells in rows if number == header_row))
    below = [cells for number, cells in rows if number > header_row][:MOST_SAMPLED]
    width = max([len(headings), *(len(cells) for cells in below)])
    headings += [""] * (width - len(headings))
    remembered = _remembered(staged, headings)
    mapping = remembered or guess_mapping(headings, target.columns)
    total = sum(1 for number, _cells in source.rows(sheet) if number > header_row)
    if total > target.most_rows:
        raise Unreadable(N_("最多 %(limit)s 行，请分成几个文件"), {"limit": f"{target.most_rows:,}"})
    with transaction():
        hold(
            staged.id,
            fence,
            sheets=source.sheets,
            sheet=sheet,
            header_row=header_row,
            headings=headings,
            mapping=mapping,
            sample=[[_sampled(cell) for cell in cells] for cells in below],
            rows=total,
            done=0,
            status=ImportStatus.UPLOADED,
        )
    required = {column.name for column in target.columns if column.required}
    found = {name.partition(":")[0] for name in mapping}
    known = all(name or not heading for name, heading in zip(mapping, headings, strict=True))
    others = [one for one in source.sheets if one != sheet and not _explains(source, one, target)]
    return required <= found and (known or bool(remembered)) and not others


def _fullest(source: Any, target: Target) -> str:
    """The sheet whose headings are most like ours; the first of equals."""

    return str(max(source.sheets, key=lambda sheet: _likeness(source, sheet, target)))


def _likeness(source: Any, sheet: str, target: Target) -> int:
    """How many of our columns the sheet's best row of headings names."""
    rows = first_rows(source, sheet)
    if not rows:
        return -1
    header = find_header_row(rows, target.columns)
    return _count_known(next(cells for number, cells in rows if number == header), target)


def _explains(source: Any, sheet: str, target: Target) -> bool:
    """Whether a sheet names our columns downwards, as the guide in our own template does."""
    downwards = [cells[0] for _number, cells in first_rows(source, sheet) if cells]
    return _count_known(downwards, target) > max(0, _likeness(source, sheet, target))


def _count_known(cells: Sequence[object], target: Target) -> int:
    return sum(bool(name) for name in guess_mapping(heading_texts(cells), target.columns))


def _sampled(cell: object) -> str:
    return printable(text_of(cell), LONGEST_SAMPLE)


def _remembered(staged: StagedImport, headings: list[str]) -> list[str]:
    """What this person chose for the same headings before, as far as it still can be."""
    kept = db.session.scalar(
        select(ColumnMapping.mapping).where(
            ColumnMapping.user_id == staged.user_id,
            ColumnMapping.kind == staged.kind,
            ColumnMapping.headings_digest == digest_of(headings),
        )
    )
    return kept if kept and is_valid(kept, target_for(staged.kind).columns, len(headings)) else []


# --- judging ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Judged:
    """A row on its way into the staging tables."""

    line: int
    values: Values
    errors: list[dict[str, Any]] = field(default_factory=list)
    verdict: Verdict = Verdict.SAME
    standing: Standing | None = None
    stored: dict[str, Any] = field(default_factory=dict)
    changes: list[list[str]] = field(default_factory=list)
    note: str = ""

    def object(self, column: str, value: str, message: str, params: Any = None) -> None:
        self.errors.append(
            {
                "line": self.line,
                "column": column[:120],
                "value": printable(value, 200),
                "cause": message,
                "params": {name: _saying(v) for name, v in dict(params or {}).items()},
            }
        )


def _saying(value: Any) -> Any:
    return value if isinstance(value, (int, float)) else printable(str(value), 200)


class Checker:
    """Reads one file into the staging tables."""

    def __init__(self, staged: StagedImport, fence: str, *, now: datetime) -> None:
        self.id, self.fence, self.now = staged.id, fence, now
        self.target, self.scope = target_for(staged.kind), scope_of(staged)
        by_name = {column.name: column for column in self.target.columns}
        self.mapped: list[tuple[int, Column, str]] = []
        for place, name in enumerate(staged.mapping):
            column, _, unit = name.partition(":")
            if column:
                self.mapped.append((place, by_name[column], unit))
        self.columns_by_field = {
            name: column for column in self.target.columns for name in (column.name, *column.fields)
        }
        self.header_row, self.sheet = staged.header_row, staged.sheet
        self.path, self.format = folder() / staged.stored_name, staged.format
        self.seen: dict[tuple[str, str | int], int] = {}
        self.counts = dict.fromkeys([verdict.value for verdict in Verdict], 0)
        self.error_count = self.done = 0
        self.public_changes = 0
        self.manifest = hashlib.sha256()

    def run(self, beat: Callable[[], None]) -> None:
        rows = self._rows()
        while chunk := list(islice(rows, CHUNK)):
            judged = self._judge(chunk)
            self._write(judged)
            beat()
            if self.error_count >= MOST_ERRORS:
                break
        if self.target.is_whole_list and not self.error_count:
            self._note_missing(beat)

    def _rows(self) -> Iterator[Row]:
        source = open_source(self.path, self.format)
        for number, cells in source.rows(self.sheet):
            if number > self.header_row and not text_of(cells[0]).startswith(EXAMPLE):
                yield number, cells

    def _judge(self, chunk: Sequence[Row]) -> list[Judged]:
        judged = [self._read(number, cells) for number, cells in chunk]
        known = _Known(self.target, self.scope, judged)
        for row in judged:
            self._recognise(row, known)
            if not row.errors:
                self._compare(row)
            if row.errors:
                row.verdict = Verdict.WRONG
                row.stored, row.changes = {}, []
        return judged

    def _read(self, line: int, cells: list[object]) -> Judged:
        row = Judged(line, {})
        for place, column, unit in self.mapped:
            cell = cells[place] if place < len(cells) else None
            try:
                row.values[column.name] = column.read(cell, unit)
            except WrongCell as wrong:
                row.object(column.label, text_of(cell), wrong.message, wrong.params)
        return row

    def _recognise(self, row: Judged, known: "_Known") -> None:
        """Which thing the row is about, if any."""
        target, values = self.target, row.values
        number, external = values.get(target.number) or "", values.get(EXTERNAL) or ""
        title = values.get(target.title) or ""
        if title and not target.title_key(title):
            row.object(self._label(target.title), title, N_("名称里没有文字"))
            return
        found: Standing | None = None
        if number:
            found = known.by_number.get(number)
            if found is None and target.numbers_are_ours:
                row.object(self._label(target.number), number, N_("没有这个编号的条目，新条目请留空"))
                return
        if found is None and external:
            found = known.by_external.get(external)
        if found is None and title:
            alike = [
                one
                for one in known.by_title.get(target.title_key(title), [])
                # What has a number of its own is another thing with the same name.
                if not (external and one.values.get(EXTERNAL)) and ("id", one.id) not in self.seen
            ]
            if len(alike) > 1:
                row.object(
                    self._label(target.title),
                    title,
                    N_("同名的有 %(count)s 条，请写明编号"),
                    {"count": len(alike)},
                )
                return
            found = alike[0] if alike else None
        if (holder := known.holders.get(external)) and (found is None or found.id != holder[0]):
            row.object(
                self._label(EXTERNAL), external, N_("这个外部编号已用于 %(number)s"), {"number": holder[1]}
            )
            return
        row.standing = found
        self._claim(row, known)

    def _claim(self, row: Judged, known: "_Known") -> None:
        """Each thing is written about once: it is the row's, with the numbers and the name it is known by."""
        target, values, found = self.target, row.values, row.standing
        number, external = values.get(target.number) or "", values.get(EXTERNAL) or ""
        title = values.get(target.title) or ""
        marks: list[tuple[str, str | int]] = [("number", number), ("external", external)]
        if found is not None:
            marks.append(("id", found.id))
        elif title and not external:
            # What has this name is another row's already, and nothing says that one more is meant.
            marks += [("id", one.id) for one in known.by_title.get(target.title_key(title), [])[:1]]
            if not number:
                marks.append(("title", target.title_key(title)))
        for mark in marks:
            if not mark[1]:
                continue
            if (earlier := self.seen.setdefault(mark, row.line)) != row.line:
                column = {"number": target.number, "external": EXTERNAL}.get(mark[0], target.title)
                row.object(
                    self._label(column),
                    str(values.get(column) or ""),
                    N_("与第 %(line)s 行是同一条"),
                    {"line": earlier},
                )
                return

    def _compare(self, row: Judged) -> None:
        standing = row.standing
        if standing is not None and standing.left_alone:
            row.note = standing.left_alone
            return
        old = standing.values if standing else self.target.blank()
        given = {name: value for name, value in row.values.items() if self._counts(name, value)}
        new = {**old, **given}
        changed = [
            column
            for column in self.target.columns
            if column.name in given and not _alike(column, old.get(column.name), new[column.name])
        ]
        if standing is not None and not changed:
            return
        if standing is not None and standing.closed:
            row.object(self._label(self.target.title), standing.title, standing.closed)
            return
        self._require(row, new)
        published = standing is not None and standing.published
        for obstacle in self.target.obstacles(new, published=published, now=self.now):
            column = self.columns_by_field.get(obstacle.field.partition(".")[0].partition("-")[0])
            label = column.label if column else N_("整行")
            value = column.shown(new.get(column.name)) if column and not column.private else ""
            row.object(label, value, obstacle.message, obstacle.params)
        if published and self.public_changes >= MOST_REVISED:
            row.object(
                self._label(self.target.title),
                "",
                N_("一次最多修订 %(limit)s 条已发布的内容，请分成几个文件"),
                {"limit": MOST_REVISED},
            )
        if row.errors:
            return
        row.verdict = Verdict.NEW if standing is None else Verdict.CHANGED
        row.values = new
        if standing is not None:
            row.changes = [
                [
                    column.label,
                    printable(column.shown(old.get(column.name)), LONGEST_SHOWN),
                    printable(column.shown(new[column.name]), LONGEST_SHOWN),
                ]
                for column in changed
            ]
            self.public_changes += published
        stored = self.target.stored(new)
        row.stored = {
            "row": _plain(stored.row),
            **{name: _plain(rows) for name, rows in stored.children.items()},
        }

    def _counts(self, name: str, value: Any) -> bool:
        """The number that we give is not for a file to change; an own number is not taken away by none."""
        if name == self.target.number and self.target.numbers_are_ours:
            return False
        return name != EXTERNAL or bool(value)

    def _require(self, row: Judged, values: Values) -> None:
        for column in self.target.columns:
            if column.required and values.get(column.name) in ("", None, ()):
                row.object(column.label, "", N_("不能为空"))

    def _label(self, name: str) -> str:
        return self.columns_by_field[name].label if name in self.columns_by_field else name

    def _write(self, judged: Sequence[Judged]) -> None:
        rows, errors = [], []
        for row in judged:
            self.counts[row.verdict.value] += 1
            ordinal = None
            if row.verdict is Verdict.NEW:
                ordinal = self.counts[Verdict.NEW.value] - 1
            rows.append(self._staged(row, ordinal))
            errors += [{**error, "import_id": self.id} for error in row.errors]
            if row.verdict in (Verdict.NEW, Verdict.CHANGED):
                self.manifest.update(_canonical([row.verdict.value, rows[-1]["target_id"], row.stored]))
        self.error_count += len(errors)
        self.done += len(rows)
        with transaction():
            hold(self.id, self.fence, done=self.done, error_count=self.error_count)
            if rows:
                db.session.execute(insert(StagedRow), rows)
            if errors:
                db.session.execute(insert(StagedError), errors)
        # What was looked up for this chunk is not needed for the next.
        db.session.expunge_all()

    def _staged(self, row: Judged, ordinal: int | None) -> dict[str, Any]:
        title = str(row.values.get(self.target.title) or (row.standing.title if row.standing else ""))
        external = row.values.get(EXTERNAL) or ""
        return {
            "import_id": self.id,
            "line": row.line,
            "verdict": row.verdict,
            "ordinal": ordinal,
            "target_id": row.standing.id if row.standing else None,
            "target_version": row.standing.version if row.standing else None,
            "public": row.verdict is Verdict.CHANGED and row.standing is not None and row.standing.published,
            "external_no": external if isinstance(external, str) else "",
            # As it will be found again; what is refused may hold what no database takes.
            "title": printable(title, 240)
            if row.verdict is Verdict.WRONG
            else self.target.title_key(title)[:240],
            "stored": row.stored,
            "changes": row.changes,
            "note": row.note,
        }

    def _note_missing(self, beat: Callable[[], None]) -> None:
        """What stands in the list and was not in the file."""
        model = self.target.model
        met = {mark[1] for mark in self.seen if mark[0] == "id"}
        ids = [
            one
            for one in db.session.scalars(
                select(model.id).where(self.target.scope_of(self.scope)).order_by(model.id)
            )
            if one not in met
        ]
        for start in range(0, len(ids), CHUNK):
            found = self.target.find(self.scope, numbers=(), ids=ids[start : start + CHUNK], titles=())
            rows = [
                Judged(0, {}, verdict=Verdict.MISSING, standing=standing)
                for standing in found
                if not standing.closed and not standing.left_alone
            ]
            self._write(rows)
            beat()
        self.done -= self.counts[Verdict.MISSING.value]


class _Known:
    """The things of the database that the rows of a chunk may be about: a fixed number of statements."""

    def __init__(self, target: Target, scope: Scope, rows: Iterable[Judged]) -> None:
        numbers, externals, titles = set(), set(), set()
        for row in rows:
            numbers.add(row.values.get(target.number) or "")
            externals.add(row.values.get(EXTERNAL) or "")
            titles.add(target.title_key(row.values.get(target.title) or ""))
        # Whose an own number is, be it in another list: it names one thing of the organisation.
        self.holders = self._holders_of(target, scope, externals - {""})
        ids = sorted({id for id, _number in self.holders.values()})
        found = target.find(scope, numbers=sorted(numbers - {""}), ids=ids, titles=sorted(titles - {""}))
        own_numbers = external_numbers(target, [one.id for one in found])
        for one in found:
            if any(column.name == EXTERNAL for column in target.columns):
                one.values[EXTERNAL] = own_numbers.get(one.id, "")
        by_id = {one.id: one for one in found}
        self.by_number = {one.public_no: one for one in found if one.public_no}
        self.by_external = {own: by_id[id] for own, (id, _number) in self.holders.items() if id in by_id}
        self.by_title: dict[str, list[Standing]] = {}
        for one in found:
            self.by_title.setdefault(target.title_key(one.title), []).append(one)

    @staticmethod
    def _holders_of(target: Target, scope: Scope, numbers: set[str]) -> dict[str, tuple[int, str]]:
        """Own number → id and public number of what has it."""
        if not numbers or scope.organisation_id is None:
            return {}
        rows = db.session.execute(
            select(ExternalNumber.number, ExternalNumber.subject_id, target.model.public_no)
            .join(target.model, target.model.id == ExternalNumber.subject_id)
            .where(
                ExternalNumber.kind == target.kind,
                ExternalNumber.organisation_id == scope.organisation_id,
                ExternalNumber.number.in_(sorted(numbers)),
            )
        )
        return {row.number: (row.subject_id, row.public_no) for row in rows}


def external_numbers(target: Target, ids: Sequence[int]) -> dict[int, str]:
    """The own number of each of these things, of those that have one."""
    if not ids:
        return {}
    rows = db.session.execute(
        select(ExternalNumber.subject_id, ExternalNumber.number).where(
            ExternalNumber.kind == target.kind, ExternalNumber.subject_id.in_(ids)
        )
    )
    return {row.subject_id: row.number for row in rows}


def _alike(column: Column, old: Any, new: Any) -> bool:
    """Whether a cell says what stands already; blanks around a text are no difference."""
    return bool(old == new) or column.shown(old) == column.shown(new)


def _plain(value: Any) -> Any:
    """A value as JSON holds it and both databases store it."""
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case Enum():
            return value.value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        case date():
            return value.isoformat()
        case _:
            return value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8", "replace"
    )
