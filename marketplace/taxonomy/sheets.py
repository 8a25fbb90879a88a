"""A scheme as CSV: one line per node, the header in English codes or in Chinese words. Plain Python.

Written with a byte order mark, so that office programs read the characters; read as UTF-8 with or without
it, or as GB18030. A line with a last day or a successor is a node that has ended.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.texts import N_
from marketplace.taxonomy.rules import Fault, Line, NodeFacts

COLUMNS = (
    "code", "parent", "name", "stage", "confirmed", "source",
    "valid_from", "valid_to", "successor", "version",
)  # fmt: skip
REQUIRED = ("code", "parent", "name", "confirmed", "source")
IN_CHINESE = {
    "代码": "code",
    "上级代码": "parent",
    "名称": "name",
    "环节位置": "stage",
    "已确认": "confirmed",
    "来源": "source",
    "生效日期": "valid_from",
    "失效日期": "valid_to",
    "继任代码": "successor",
    "版本": "version",
}
MOST_BYTES = 512 * 1024
MOST_LINES = 5000
_STAGES = {"上游": "upstream", "中游": "midstream", "下游": "downstream"}
_YES, _NO = frozenset({"1", "是", "true", "yes", "y"}), frozenset({"", "0", "否", "false", "no", "n"})
# What an office program would take for a formula is written behind an apostrophe.
_FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as read: its lines, and what could not be read."""

    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


def decode(content: bytes) -> str:
    """Raises ValueError for what is neither UTF-8 nor GB18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor GB18030")


def read(text: str) -> Sheet:
    """The lines of a CSV; what cannot be read becomes a fault, and reading goes on."""
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
    except csv.Error as error:
        return Sheet((), (Fault(0, "", str(error)[:60], N_("不是有效的 CSV 文件")),))
    if not rows:
        return Sheet((), (Fault(0, "", "", N_("文件是空的")),))
    header = [IN_CHINESE.get(cell.strip(), cell.strip().lower()) for cell in rows[0]]
    if missing := [name for name in REQUIRED if name not in header]:
        return Sheet(
            (), (Fault(1, missing[0], "", N_("缺少列：%(columns)s"), {"columns": "、".join(missing)}),)
        )
    if len(rows) > MOST_LINES + 1:
        return Sheet((), (Fault(0, "", str(len(rows) - 1), N_("最多 %(limit)s 行"), {"limit": MOST_LINES}),))
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            faults.append(Fault(number, "", cells[len(header)][:60], N_("这一行的列比表头多")))
            continue
        lines.append(_line(number, dict(zip(header, map(_plain, cells), strict=False)), faults))
    return Sheet(tuple(lines), tuple(faults))


def _plain(cell: str) -> str:
    text = cell.strip(" \u3000")
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _line(number: int, cells: Mapping[str, str], faults: list[Fault]) -> Line:
    stage = cells.get("stage", "")
    known = _STAGES.get(stage, stage.lower())
    if known and known not in _STAGES.values():
        faults.append(Fault(number, "stage", stage[:60], N_("须为上游、中游或下游")))
        known = ""
    confirmed = cells.get("confirmed", "").lower()
    if confirmed not in _YES | _NO:
        faults.append(Fault(number, "confirmed", confirmed[:60], N_("须为 1 或 0（是或否）")))
    successor = cells.get("successor", "") or None
    node = NodeFacts(
        code=cells.get("code", ""),
        name=cells.get("name", ""),
        parent_code=cells.get("parent", "") or None,
        stage=known or None,
        confirmed=confirmed in _YES,
        source=cells.get("source", ""),
    )
    return Line(number, node, ended=bool(successor or cells.get("valid_to", "")), successor=successor)


def write(rows: Iterable[Sequence[Any]]) -> str:
    """The CSV of rows in the order of COLUMNS."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_safe("" if cell is None else str(cell)) for cell in row])
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
