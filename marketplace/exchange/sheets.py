"""Reading a file row by row: XLSX, CSV in the encodings that offices use, JSONL. Plain Python.

A `Source` knows its sheets and gives numbered rows of raw cells; the numbers are those that the person sees
in the program that wrote the file. Nothing here knows what the columns mean (`columns`, `mapping`).
"""

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from marketplace.exchange.cells import is_blank, text_of
from marketplace.exchange.containers import MOST_COLUMNS, MOST_ROWS, ROWS_ABOVE, check_workbook
from marketplace.exchange.faults import Unreadable
from marketplace.kernel.texts import N_

LARGEST_FILE = 20 * 1024 * 1024
FORMATS = ("xlsx", "csv", "jsonl")
LONGEST_RECORD = 512 * 1024
MOST_SHEETS = 50
# Headings are looked for among these.
FIRST_ROWS = 15
Row = tuple[int, list[object]]

csv.field_size_limit(LONGEST_RECORD)


class Source(Protocol):
    # The sheets that a person sees; one without a name for a file that has none.
    sheets: list[str]

    def rows(self, sheet: str) -> Iterator[Row]:
        """The rows that hold something, with their numbers from 1. Raises Unreadable on the way."""


def format_of(file_name: str) -> str:
    """Raises Unreadable for a file that none of us reads."""
    suffix = file_name.rpartition(".")[2].lower()
    if suffix in ("json", "ndjson"):
        suffix = "jsonl"
    if suffix in ("xls", "et", "xlsm", "xlsb", "ods"):
        raise Unreadable(N_("不支持 .%(suffix)s 文件，请另存为 XLSX 或 CSV"), {"suffix": suffix})
    if suffix not in FORMATS:
        raise Unreadable(N_("只支持 XLSX、CSV 和 JSONL 文件"))
    return suffix


def open_source(path: Path, format: str) -> Source:
    """Raises Unreadable for a file that cannot be read, or that it would be dangerous to read."""
    size = path.stat().st_size
    if size == 0:
        raise Unreadable(N_("文件是空的"))
    if size > LARGEST_FILE:
        raise Unreadable(N_("文件最大 %(limit)s MB"), {"limit": LARGEST_FILE // 1024 // 1024})
    kinds: dict[str, Callable[[Path], Source]] = {
        "xlsx": WorkbookSource,
        "csv": CsvSource,
        "jsonl": JsonLinesSource,
    }
    return kinds[format](path)


def first_rows(source: Source, sheet: str, count: int = FIRST_ROWS) -> list[Row]:
    return list(islice(source.rows(sheet), count))


def _bounded(rows: Iterator[tuple[int, list[object]]]) -> Iterator[Row]:
    """Rows with something in them; no more of them, and no wider, than is allowed."""
    held = 0
    for number, cells in rows:
        while cells and (cells[-1] is None or cells[-1] == ""):
            cells.pop()
        if not cells or is_blank(cells):
            continue
        held += 1
        if held > MOST_ROWS + ROWS_ABOVE:
            raise Unreadable(N_("最多 %(limit)s 行，请分成几个文件"), {"limit": f"{MOST_ROWS:,}"})
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(
                N_("最多 %(limit)s 列，第 %(line)s 行更多"), {"limit": MOST_COLUMNS, "line": number}
            )
        yield number, cells


class WorkbookSource:
    """An XLSX workbook. A formula counts as the value that was last computed for it."""

    def __init__(self, path: Path) -> None:
        check_workbook(path)
        with _calamine():
            self._book = CalamineWorkbook.from_path(str(path))
            self.sheets = [
                meta.name
                for meta in self._book.sheets_metadata
                if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
            ][:MOST_SHEETS]
        if not self.sheets:
            raise Unreadable(N_("工作簿里没有可见的工作表"))

    def rows(self, sheet: str) -> Iterator[Row]:
        if sheet not in self.sheets:
            raise Unreadable(N_("没有名为“%(sheet)s”的工作表"), {"sheet": sheet[:100]})
        with _calamine():
            found = self._book.get_sheet_by_name(sheet)
            merged = _Merged(found.merged_cell_ranges or [], (found.start or (0, 0))[1])
        yield from _bounded(
            (number, merged.fill(number - 1, list(cells)))
            for number, cells in enumerate(found.iter_rows(), start=1)
        )


class _Merged:
    """Cells merged downwards, as lists do for what several rows have in common: each row gets the value."""

    def __init__(self, ranges: list[tuple[tuple[int, int], tuple[int, int]]], first_column: int) -> None:
        self._last: dict[int, list[tuple[int, int]]] = {}
        for (top, left), (bottom, right) in ranges:
            if left == right and bottom > top:
                self._last.setdefault(left - first_column, []).append((top, bottom))
        for spans in self._last.values():
            spans.sort(reverse=True)
        self._values: dict[int, tuple[int, object]] = {}

    def fill(self, row: int, cells: list[object]) -> list[object]:
        for column, spans in self._last.items():
            if not 0 <= column < len(cells):
                continue
            while spans and spans[-1][1] < row:
                spans.pop()
            if spans and spans[-1][0] == row:
                self._values[column] = (spans[-1][1], cells[column])
            elif column in self._values and row <= self._values[column][0]:
                cells[column] = self._values[column][1]
        return cells


class _calamine:  # noqa: N801 - used as a block, not as a thing
    """Whatever goes wrong in the reader of workbooks is the file's fault, a panic of its own included."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if kind is None or error is None or isinstance(error, Unreadable):
            return
        if isinstance(error, (CalamineError, OSError, ValueError)) or kind.__name__ == "PanicException":
            raise Unreadable(N_("不是有效的 XLSX 工作簿，或文件已损坏")) from error


class CsvSource:
    """Comma, semicolon or tab; UTF-8 with or without BOM, UTF-16 with BOM, or GB18030 (and GBK within it)."""

    def __init__(self, path: Path) -> None:
        self.sheets = [""]
        self._path = path
        self.encoding = _encoding_of(path)
        with path.open(encoding=self.encoding, newline="") as file:
            first = file.readline(LONGEST_RECORD)
        self._delimiter = max((",", "\t", ";"), key=first.count)

    def rows(self, sheet: str = "") -> Iterator[Row]:
        return _bounded(self._records())

    def _records(self) -> Iterator[tuple[int, list[object]]]:
        with self._path.open(encoding=self.encoding, newline="") as file:
            # Strict would refuse `a"b` within a plain cell, which Excel writes and reads.
            records = csv.reader(file, delimiter=self._delimiter)
            number = 0
            while True:
                number += 1
                try:
                    record = next(records, None)
                except csv.Error as error:
                    raise Unreadable(
                        N_("第 %(line)s 行不是有效的 CSV（引号没有成对，或一格过长）"), {"line": number}
                    ) from error
                if record is None:
                    return
                yield number, list(record)


def _encoding_of(path: Path) -> str:
    """Which of the encodings the whole file is valid in; Chinese offices write all of these."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    else:
        candidates = ["utf-8-sig", "gb18030"]
    for encoding in candidates:
        if _decodes(path, encoding):
            return encoding
    raise Unreadable(N_("文字编码无法识别，请另存为 UTF-8 的 CSV 或 XLSX"))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while piece := file.read(256 * 1024):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


class JsonLinesSource:
    """One JSON object a line, in UTF-8; the names of its members are the headings, in the order first met."""

    _NAMES_AMONG = 200

    def __init__(self, path: Path) -> None:
        self.sheets = [""]
        self._path = path
        self._names: list[str] = []
        for _number, entry in islice(self._entries(), self._NAMES_AMONG):
            self._names += [name for name in entry if name not in self._names]
            if len(self._names) > MOST_COLUMNS:
                raise Unreadable(N_("最多 %(limit)s 列"), {"limit": MOST_COLUMNS})

    def rows(self, sheet: str = "") -> Iterator[Row]:
        return _bounded(self._records())

    def _records(self) -> Iterator[tuple[int, list[object]]]:
        # The headings stand where a table has them, and are no line of the file.
        yield 0, list(self._names)
        for number, entry in self._entries():
            if unknown := next((name for name in entry if name not in self._names), None):
                raise Unreadable(
                    N_("第 %(line)s 行有前面各行没有的字段“%(name)s”"), {"line": number, "name": unknown[:60]}
                )
            yield number, [_plain(entry.get(name)) for name in self._names]

    def _entries(self) -> Iterator[tuple[int, dict[str, object]]]:
        with self._path.open("rb") as file:
            number = 0
            while raw := file.readline(LONGEST_RECORD + 1):
                number += 1
                entry = _entry(raw, number)
                if entry is not None:
                    yield number, entry


def _entry(raw: bytes, number: int) -> dict[str, object] | None:
    if len(raw) > LONGEST_RECORD:
        raise Unreadable(
            N_("第 %(line)s 行超过 %(limit)s KB"), {"line": number, "limit": LONGEST_RECORD // 1024}
        )
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        value = json.loads(text, parse_constant=_refuse) if text else None
    except (ValueError, RecursionError) as error:
        raise Unreadable(N_("第 %(line)s 行不是 UTF-8 编码的有效 JSON"), {"line": number}) from error
    if value is not None and not isinstance(value, dict):
        raise Unreadable(N_("第 %(line)s 行应为一个 JSON 对象"), {"line": number})
    return value


def _refuse(name: str) -> object:
    raise ValueError(name)


def _plain(value: object) -> object:
    """A member as a cell; what has members of its own is shown as it stands and refused by its column."""
    if isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value)
    ):
        return json.dumps(value, ensure_ascii=False)[:LONGEST_RECORD]
    return text_of(value) if isinstance(value, list) else value
