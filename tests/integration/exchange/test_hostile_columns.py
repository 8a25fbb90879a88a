"""Whatever stands in a cell of any column of any import: refused at its line and column, or kept as it is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.exchange import columns
from marketplace.exchange.columns import Column
from marketplace.exchange.models import ImportStatus, StagedError, StagedRow
from marketplace.exchange.targets import Target, all_targets
from marketplace.kernel import typed
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from tests.corpus.hostile import CHOICES, DATES, EITHER, KEPT, NUMBERS, RAW, REFUSED, TEXTS, Fate, Hostile
from tests.integration.exchange.test_staged import Importing
from tests.integration.support import a_code, a_leader, a_list, an_editor, an_operator, footprint

STAGING = {"staged_import", "staged_row", "staged_error", "outbox", "import_column_mapping", "audit_event"}
# What an application for files reads that forms do not: what a spreadsheet makes of a number or a day.
READ_OF_FILES = {"\u200b", "1.0", "46800.5", "true", "20260101", "NONE", "80元", "¥80", "-", "1 000"}


@dataclass(frozen=True)
class Cell:
    column: Column
    value: str
    fate: Fate


def values_for(column: Column) -> Iterator[Cell]:
    codec = column.codec
    table: dict[Fate, tuple[str, ...]] | None = None
    if isinstance(codec, columns.Text):
        for one in (one for one in TEXTS if len(one.text) < 1000):
            yield Cell(column, one.text, _fate(one, codec))
        yield Cell(column, "x" * codec.limit, EITHER)
        yield Cell(column, "x" * (codec.limit + 1), REFUSED)
        return
    if isinstance(codec, (columns.Integer, columns.Number, columns.Money)):
        table = NUMBERS
    elif isinstance(codec, columns.Day):
        table = DATES
    elif isinstance(codec, (columns.Choice, columns.Code, columns.Flag)):
        table = CHOICES
    if table is None:
        # Cells that hold several things: each is held to what its parts are.
        table = {REFUSED: (), EITHER: tuple(one.text for one in TEXTS if len(one.text) < 1000)}
    for fate, texts in table.items():
        for text in texts:
            yield Cell(column, text, EITHER if text in READ_OF_FILES else fate)


def _fate(one: Hostile, codec: columns.Text) -> Fate:
    if one.name == "lone surrogate":
        return REFUSED  # JSON can carry half a character
    if len(one.text.strip()) > codec.limit:
        return REFUSED
    if one.name in ("line end", "old line end", "tab") and not codec.multiline:
        return EITHER  # a line break in a cell is how a spreadsheet wraps
    return one.prose if codec.multiline else one.line


def is_of_databases(text: str) -> bool:
    """Whether only PostgreSQL refuses it, or knows how long it may be."""
    return text in OF_DATABASES or "\x00" in text or set(text) == {"x"}


def actor_for(target: Target) -> tuple[Actor, int | None]:
    for actor in (an_editor(), a_leader(), an_operator()):
        if target.may_start(actor):
            return actor, a_list(actor).id if target.kind == "need" else None
    raise AssertionError(target.kind)


ROWS_AT_ONCE = 500
# PostgreSQL gets what it may treat otherwise, and of the rest every fourth.
OF_DATABASES = {one.text for one in TEXTS if one.database}
PART = 4
KINDS = ("capability", "challenge", "collected", "need", "organisation")


def written(target: Target, cells: list[Cell]) -> str:
    """One row for each cell, whole but for it; the first row names every column."""
    columns_by_name = {column.name: column for column in target.columns}
    lines = []
    for number, cell in enumerate(cells):
        row = {c.label: c.example if c.required else "" for c in target.columns if c.required or not number}
        row[columns_by_name[target.title].label] = f"第{number}号条目"
        if columns_by_name[target.number].required:
            own = a_code(900_000 + number) if target.kind == "organisation" else f"T-{number}"
            row[columns_by_name[target.number].label] = own
        lines.append(json.dumps({**row, cell.column.label: cell.value}))
    return "\n".join(lines)


def faults_in(target: Target, cells: list[Cell], import_id: int) -> Iterator[str]:
    errors: dict[int, list[str]] = {}
    for error in db.session.scalars(select(StagedError).where(StagedError.import_id == import_id)):
        errors.setdefault(error.line, []).append(error.column)
    found = db.session.scalars(select(StagedRow).where(StagedRow.import_id == import_id))
    rows = {row.line: row for row in found}
    for line, cell in enumerate(cells, start=1):
        told = errors.get(line, [])
        named = f"{cell.column.name}: {cell.value[:40]!r}"
        if cell.fate is REFUSED and cell.column.label not in told:
            yield f"{named} was taken"
        if told and cell.column.label not in told and cell.column.name != target.number:
            yield f"{named} is told at {told}"
        # A row with nothing in it is no row.
        if not told and line not in rows and not typed.is_blank(cell.value):
            yield f"{named}: neither told nor kept"
        if cell.fate is KEPT and not told and not cell.column.private:
            kept = json.dumps([rows[line].stored, rows[line].external_no], ensure_ascii=False)
            wanted = typed.with_plain_newlines(cell.value).strip(" \u3000")
            if json.dumps(wanted, ensure_ascii=False)[1:-1] not in kept:
                yield f"{named} is not kept as it was"


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_refuses_or_keeps(app: Flask, kind: str) -> None:
    assert set(all_targets()) == set(KINDS)
    target = all_targets()[kind]
    actor, scope = actor_for(target)
    cells = [cell for column in target.columns for cell in values_for(column)]
    if db.engine.dialect.name != "sqlite":
        cells = [cell for n, cell in enumerate(cells) if n % PART == 0 or is_of_databases(cell.value)]
    importing = Importing(app, actor, kind, scope)
    faults = []
    for start in range(0, len(cells), ROWS_AT_ONCE):
        part = cells[start : start + ROWS_AT_ONCE]
        before = footprint()
        staged = importing.send(written(target, part), name=f"清单{start}.jsonl")
        assert staged.status is ImportStatus.FAULTY, (staged.status, staged.message)
        after = footprint()
        assert {name for name in after if after[name] != before[name]} <= STAGING
        faults += faults_in(target, part, importing.id)
        page = importing.page("?show=wrong")
        assert not [mark for mark in RAW if mark in page]
    assert not faults, "\n".join(faults)
