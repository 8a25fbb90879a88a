"""What stands in a cell, whatever program wrote it, as the text that a person sees there. Plain Python.

Here: numbers that are dates, numbers that were typed as text, truth values, and what must not start a
formula in a file of ours. Not here: what a column makes of it (`columns`).
"""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal

Cell = str | int | float | bool | Decimal | datetime | date | time | timedelta | None

LONGEST_CELL = 32_767
# Excel's first day; its 29 February 1900, which never was, makes every later number one too large.
_DAY_ZERO = date(1899, 12, 30)
_EARLIEST_SERIAL, _LATEST_SERIAL = 1, 110_000
# What a spreadsheet takes for the beginning of a formula, and what it passes over before one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_of(cell: object) -> str:
    """The cell as a person reads it; 12.0 is 12, midnight is a day, nothing is ""."""
    match cell:
        case None:
            return ""
        case bool():
            return "是" if cell else "否"
        case str():
            return cell.strip()
        case float() if not math.isfinite(cell):
            return str(cell)
        case float() | Decimal():
            return _number(cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
        case list() | tuple():
            return "、".join(text_of(one) for one in cell)
        case _:
            return str(cell)


def _number(value: float | Decimal) -> str:
    # A float's shortest spelling, so that 0.1 does not become seventeen digits; never an exponent.
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    plain = f"{exact:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def day_from_serial(text: str) -> date | None:
    """The day behind a number such as 46348, as a date looks in a cell that was not formatted as one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        return None
    serial = int(text)
    if not _EARLIEST_SERIAL <= serial <= _LATEST_SERIAL:
        return None
    return _DAY_ZERO + timedelta(days=serial)


def harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(cell, str) and cell.lstrip(" \u3000\u00a0\ufeff").startswith(_FORMULA):
        return "'" + cell
    return cell


def without_guard(text: str) -> str:
    """The text of a cell of ours, read back: the apostrophe that `harmless` put there is no part of it."""
    rest = text[1:]
    return rest if text.startswith("'") and harmless(rest) != rest else text


def is_blank(row: list[object]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row)


def printable(text: str, limit: int) -> str:
    """A text from a stranger's file as any database and any page can hold it, cut at `limit`."""
    return (
        "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text[:limit])
        .encode("utf-8", "replace")
        .decode("utf-8")
    )
