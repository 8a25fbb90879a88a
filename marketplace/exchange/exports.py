"""Lists as files: which lists there are, and how their rows are written as XLSX and CSV.

A feature registers its list: who may have it, its columns for that reader, and the rows for the filters of
the page. Everything is written row by row into a temporary file, bounded, and nothing in it starts a formula.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import IO, Any

import xlsxwriter
from sqlalchemy import Select, select

from marketplace.exchange.cells import LONGEST_CELL, Cell, harmless, text_of
from marketplace.exchange.columns import Column
from marketplace.exchange.staging import external_numbers
from marketplace.exchange.targets import EXTERNAL, Scope, Target
from marketplace.kernel.access import Audience
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import SHANGHAI
from marketplace.kernel.db import db

MOST_ROWS = 20_000
CHUNK = 500
FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
_EXACT_DIGITS = 15


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """`label` is a gettext source; `value` takes a row of the list."""

    label: str
    value: Callable[[Any], Cell]


@dataclass(frozen=True, slots=True)
class Rows:
    """How many there are, and each of them in order, read in chunks."""

    count: int
    each: Iterable[Any]


@dataclass(frozen=True, slots=True)
class ExportedList:
    """`rows` raises NotFound where the reader may not see what the filters ask for."""

    name: str
    title: str
    audience: Audience
    columns: Callable[[Actor], Sequence[ExportColumn]]
    rows: Callable[[Mapping[str, str], Actor, datetime], Rows]


_lists: dict[str, ExportedList] = {}


def register(exported: ExportedList) -> None:
    _lists[exported.name] = exported


def find_list(name: str, actor: Actor) -> ExportedList | None:
    """None for a list that does not exist or is not for this reader: the two cannot be told apart."""
    found = _lists.get(name)
    return found if found is not None and found.audience.admits(actor) else None


def all_lists() -> Mapping[str, ExportedList]:
    return _lists


def in_chunks(statement: Select[Any], entity: Any) -> Rows:
    """The rows of an ordered statement of one entity: their ids first, then the things, some at a time."""
    ids = db.session.scalars(
        statement.with_only_columns(entity.id, maintain_column_froms=True).limit(MOST_ROWS + 1)
    ).all()

    def each() -> Iterator[Any]:
        for start in range(0, min(len(ids), MOST_ROWS), CHUNK):
            some = ids[start : start + CHUNK]
            found = {
                thing.id: thing
                for thing in db.session.scalars(
                    statement.order_by(None)
                    .where(entity.id.in_(some))
                    .execution_options(populate_existing=True)
                ).unique()
            }
            yield from (found[id] for id in some if id in found)
            db.session.expunge_all()

    return Rows(len(ids), each())


def own_list(
    target: Target, *, name: str, title: str, scope: Callable[[Mapping[str, str], Actor], Scope]
) -> ExportedList:
    """An own list in the columns of its import, so that the file may be changed and brought in again."""

    def rows(args: Mapping[str, str], actor: Actor, _now: datetime) -> Rows:
        chosen = scope(args, actor)
        model = target.model
        ids = db.session.scalars(
            select(model.id).where(target.scope_of(chosen)).order_by(model.id).limit(MOST_ROWS + 1)
        ).all()

        def each() -> Iterator[Any]:
            for start in range(0, min(len(ids), MOST_ROWS), CHUNK):
                found = target.find(chosen, numbers=(), ids=ids[start : start + CHUNK], titles=())
                numbers = external_numbers(target, [one.id for one in found])
                for one in found:
                    yield {**one.values, EXTERNAL: numbers.get(one.id, "")}
                db.session.expunge_all()

        return Rows(len(ids), each())

    def columns(_actor: Actor) -> list[ExportColumn]:
        return [ExportColumn(column.label, partial(_written, column)) for column in target.columns]

    return ExportedList(name, title, target.audience, columns, rows)


def _written(column: Column, values: Mapping[str, Any]) -> Cell:
    return column.write(values.get(column.name))


# --- writing ----------------------------------------------------------------------------------------------


def write(
    format: str, file: IO[bytes], title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> int:
    """Write a list to a file; how many rows it has."""
    return {"csv": _write_csv, "xlsx": _write_xlsx}[format](file, title, headings, rows)


def _write_csv(file: IO[bytes], _title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """With the mark by which spreadsheets know UTF-8, and the line ends that they write."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="replace", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([harmless(heading) for heading in headings])
    count = 0
    for row in rows:
        writer.writerow([_csv_cell(cell) for cell in row])
        count += 1
    text.flush()
    text.detach()
    return count


def _csv_cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return harmless(cell)
    return text_of(_local(cell))


def _local(cell: Cell) -> Cell:
    """Instants as clocks here show them."""
    if isinstance(cell, datetime):
        return cell.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0) if cell.tzinfo else cell
    return cell


def _write_xlsx(file: IO[bytes], title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet(sheet_name(title))
    bold = book.add_format({"bold": True, "bg_color": "#EAF2FD", "border": 1, "border_color": "#9FBFE8"})
    formats: dict[type, Any] = {
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    sheet.freeze_panes(1, 0)
    for place, heading in enumerate(headings):
        sheet.set_column(place, place, min(40, max(12, 2 * len(heading) + 2)))
        sheet.write_string(0, place, heading, bold)
    count = 0
    for count, row in enumerate(rows, start=1):
        for place, cell in enumerate(row):
            _write_cell(sheet, count, place, _local(cell), formats)
    book.close()
    return count


def _write_cell(sheet: Any, line: int, place: int, cell: Cell, formats: Mapping[type, Any]) -> None:
    match cell:
        case None | "":
            return
        case str():
            sheet.write_string(line, place, str(harmless(cell))[:LONGEST_CELL])
        case bool():
            sheet.write_string(line, place, text_of(cell))
        case datetime():
            sheet.write_datetime(line, place, cell, formats[datetime])
        case date():
            sheet.write_datetime(line, place, cell, formats[date])
        case time() | timedelta():
            sheet.write_string(line, place, text_of(cell))
        case Decimal() if len(cell.normalize().as_tuple().digits) > _EXACT_DIGITS:
            sheet.write_string(line, place, text_of(cell))
        case _:
            sheet.write_number(line, place, float(cell))


def sheet_name(title: str) -> str:
    """At most 31 characters, without those that no sheet may have in its name."""
    return "".join(" " if c in "[]:*?/\\" else c for c in title).strip("' ")[:31] or "Sheet1"
