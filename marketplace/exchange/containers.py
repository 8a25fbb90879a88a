"""Whether a workbook is small enough to be read, looked at before anything reads it. Plain Python.

A workbook is a zip of XML. What hurts is not its size but what it becomes: entries that unpack to gigabytes,
a cell in the last corner of a sheet, which makes readers set up seventeen thousand million cells, one long
text that a million cells share. All of that is counted here, by unpacking in small pieces and keeping none;
what an entry says of its own size is not believed. What could be read in two ways is refused: the reader of
workbooks must never meet a cell that was not counted. Not here: reading the cells (`sheets`).
"""

import html
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from marketplace.exchange.faults import Unreadable
from marketplace.kernel.texts import N_

MOST_ENTRIES = 1_000
MOST_UNPACKED = 256 * 1024 * 1024
MOST_RATIO = 200
# Below this nothing that is packed well is suspicious.
SMALL_UNPACKED = 16 * 1024 * 1024
MOST_CELLS = 3_000_000
MOST_TEXT = 192 * 1024 * 1024
MOST_MERGED = 50_000
# The workbook's own part, which names its sheets.
LARGEST_OUTLINE = 4 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS = 50_000, 200
# Headings and a few lines above them.
ROWS_ABOVE = 20
_CHUNK = 256 * 1024
_LONGEST_TAG = 4_096
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")

_OUTLINE, _TARGETS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_TARGET = re.compile(rb"\bTarget\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_PREFIX = rb"(?:[^\s<>/!?:]{1,40}:)?"
# A row or a cell, with its attributes where they are well-formed, and the number in a cell. Calamine leaves
# those out that are nothing but a format.
_CELL = re.compile(
    rb"<" + _PREFIX + rb"(row|c)(?=[\s/>])"
    rb"(?:((?:\s+[^\s=<>\"'/]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))*)\s*(/?)>"
    rb"(?:<" + _PREFIX + rb"v>(\d{1,9})</" + _PREFIX + rb"v>)?)?"
)
_ATTRIBUTE = re.compile(rb"([^\s=<>\"'/]+)\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')")
_PLACE = re.compile(rb"([A-Z]{1,3})(\d{1,7})")
_DECLARED = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MERGED = re.compile(rb"<" + _PREFIX + rb"mergeCell[\s/>]")
# A shared text has no attributes; an empty one may be but one tag.
_STRING_END = re.compile(rb"</" + _PREFIX + rb"si\s*>|<" + _PREFIX + rb"si\s*/>")
_STRANGE_STRING = re.compile(rb"<" + _PREFIX + rb"si\s+[^\s/>]")
# No tag of a workbook has such a name; it would reach beyond what is looked at again.
_LONG_NAME = re.compile(rb"</?[^\s<>/!?=\"']{64}")
_LONGEST_END = 128


@dataclass(slots=True)
class _Extent:
    """The rectangle of a sheet that holds something, and the text that its cells will take."""

    first_row: int = 0
    last_row: int = 0
    first_column: int = 0
    last_column: int = 0
    shared_cells: int = 0
    shared_text: int = 0
    merged: int = 0
    # Where the last row and cell stood: one that does not say where it stands follows them.
    row: int = 0
    column: int = 0

    def add(self, row: int, column: int) -> None:
        self.first_row = min(self.first_row or row, row)
        self.last_row = max(self.last_row, row)
        self.first_column = min(self.first_column or column, column)
        self.last_column = max(self.last_column, column)

    @property
    def cells(self) -> int:
        rows = self.last_row - self.first_row + 1 if self.last_row else 0
        return rows * (self.last_column - self.first_column + 1)


def check_workbook(path: Path) -> None:
    """Raises Unreadable, with the limit in its words, for a file that is no harmless workbook."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_directory(entries, path.stat().st_size)
            with path.open("rb") as raw:
                _check_contents(raw, entries, _sheets(raw, entries))
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError, OSError) as error:
        raise Unreadable(N_("不是有效的 XLSX 工作簿，或文件已损坏")) from error


def _check_directory(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > MOST_ENTRIES:
        raise Unreadable(N_("压缩包内文件超过 %(limit)s 个"), {"limit": MOST_ENTRIES})
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable(N_("工作簿已加密，请去除密码后再上传"))
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names and "[Content_Types].xml" not in names:
        raise Unreadable(N_("不是 XLSX 工作簿；旧版 XLS 请另存为 XLSX"))
    _check_total(sum(entry.file_size for entry in entries), size)


def _check_total(unpacked: int, size: int) -> None:
    if unpacked > MOST_UNPACKED or (unpacked > SMALL_UNPACKED and unpacked > size * MOST_RATIO):
        raise _too_large(MOST_UNPACKED)


def _too_large(most: int) -> Unreadable:
    return Unreadable(
        N_("解压后过大（最多 %(limit)s MB、压缩比 %(ratio)s 倍），请删去多余内容或分成几个文件"),
        {"limit": most // 1024 // 1024, "ratio": MOST_RATIO},
    )


def _damaged() -> Unreadable:
    return Unreadable(N_("不是有效的 XLSX 工作簿，或文件已损坏"))


def _sheets(file: BinaryIO, entries: list[zipfile.ZipInfo]) -> set[str]:
    """The last parts of the names of what may be a sheet: what the workbook leads to, wherever it lies."""
    found = set()
    for entry in entries:
        if entry.filename.lower() == _TARGETS:
            content = b""
            for piece in _unpack(file, entry):
                content += piece
                if len(content) > LARGEST_OUTLINE:
                    raise _too_large(LARGEST_OUTLINE)
            for pair in _TARGET.findall(content):
                target = html.unescape(b"".join(pair).decode("utf-8", "replace"))
                found.add(target.replace("\\", "/").rpartition("/")[2].lower())
    return found


def _check_contents(file: BinaryIO, entries: list[zipfile.ZipInfo], sheets: set[str]) -> None:
    size = file.seek(0, 2)
    lengths: list[int] = []
    unpacked = 0
    # The shared texts first: the cells are weighed by them.
    for entry in sorted(entries, key=lambda e: not e.filename.lower().endswith("sharedstrings.xml")):
        name = entry.filename.lower()
        is_sheet = name.rpartition("/")[2] in sheets or name.startswith("xl/worksheets/")
        sheet = _Extent() if is_sheet else None
        longest = max(lengths, default=0)
        tail, since, before = b"", 0, unpacked
        for piece in _unpack(file, entry):
            unpacked += len(piece)
            _check_total(unpacked, size)
            if name == _OUTLINE and unpacked - before > LARGEST_OUTLINE:
                raise _too_large(LARGEST_OUTLINE)
            window = tail + piece
            if _DECLARED.search(window):
                raise Unreadable(N_("工作簿含有不允许的 XML 声明"))
            if name.endswith("sharedstrings.xml"):
                tail, since = _weigh_strings(window, lengths, since)
            elif sheet is not None:
                tail = _walk_cells(window, sheet, lengths, longest)
            else:
                tail = window[-16:]
        if sheet is not None:
            _walk_cells(tail, sheet, lengths, longest, last=True)
            _check_extent(sheet)


def _unpack(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry really unpacks to, whatever its header says."""
    file.seek(entry.header_offset)
    header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    file.seek(header[9] + header[10], 1)
    left = entry.compress_size
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(N_("工作簿使用了不支持的压缩方式，请用 Excel 或 WPS 另存"))
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := file.read(min(_CHUNK, left))):
        left -= len(packed)
        while packed:
            piece = inflate.decompress(packed, _CHUNK) if inflate else packed
            packed = inflate.unconsumed_tail if inflate else b""
            if piece:
                yield piece
            elif not packed:
                break


def _weigh_strings(window: bytes, lengths: list[int], since: int) -> tuple[bytes, int]:
    """Note how many bytes each shared text takes with its tags; `since` are those of the unfinished one."""
    if _STRANGE_STRING.search(window) or _LONG_NAME.search(window):
        raise _damaged()
    start = 0
    for end in _STRING_END.finditer(window):
        lengths.append(since + end.end() - start)
        since, start = 0, end.end()
    rest = window[start:]
    # Only what may be the beginning of an end tag is looked at again.
    keep = min(len(rest), _LONGEST_END)
    return rest[len(rest) - keep :], since + len(rest) - keep


def _walk_cells(
    window: bytes, sheet: _Extent, lengths: list[int], longest: int, *, last: bool = False
) -> bytes:
    """Note where the cells stand; gives what is to be looked at again with the next piece."""
    if _LONG_NAME.search(window):
        raise _damaged()
    end = 0
    # A tag cut by the end of the window is met whole in the next one.
    safe = len(window) if last else max(0, len(window) - _LONGEST_TAG)
    for found in _CELL.finditer(window):
        if found.start() >= safe:
            break
        end = found.end()
        tag, written, empty, number = found.groups()
        if written is None:
            raise _damaged()
        pairs = _ATTRIBUTE.findall(written)
        attributes = {name: double or single for name, double, single in pairs}
        if len(attributes) < len(pairs) or b"&" in written:
            raise _damaged()
        _move(sheet, tag, attributes.get(b"r"))
        if tag == b"row" or empty:
            continue
        sheet.add(sheet.row, sheet.column)
        if sheet.last_row > MOST_ROWS * 4 or sheet.last_column > 16_384:
            _check_extent(sheet)
        if attributes.get(b"t") == b"s":
            sheet.shared_cells += 1
            index = int(number) if number else -1
            sheet.shared_text += lengths[index] if 0 <= index < len(lengths) else longest
            if sheet.shared_text > MOST_TEXT:
                raise Unreadable(N_("单元格文字合计超过 %(limit)s MB"), {"limit": MOST_TEXT // 1024 // 1024})
    start = max(end, safe)
    sheet.merged += len(_MERGED.findall(window, 0, start))
    if sheet.merged > MOST_MERGED:
        raise Unreadable(
            N_("合并的单元格超过 %(limit)s 处，请取消合并后再导入"), {"limit": f"{MOST_MERGED:,}"}
        )
    return window[start:]


def _move(sheet: _Extent, tag: bytes, place: bytes | None) -> None:
    """To the row or cell that a tag begins."""
    if tag == b"row":
        if place is not None and not (place.isdigit() and len(place) <= 7):
            raise _damaged()
        sheet.row, sheet.column = int(place) if place else sheet.row + 1, 0
    elif place is None:
        # A cell outside of any row stands in the first.
        sheet.row, sheet.column = max(sheet.row, 1), sheet.column + 1
    elif (found := _PLACE.fullmatch(place)) is not None:
        sheet.row, sheet.column = int(found[2]), _column_number(found[1])
    else:
        raise _damaged()


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_extent(sheet: _Extent) -> None:
    if sheet.last_row > MOST_ROWS + ROWS_ABOVE:
        raise Unreadable(N_("一张工作表最多 %(limit)s 行，请分成几个文件"), {"limit": f"{MOST_ROWS:,}"})
    if sheet.last_column > MOST_COLUMNS:
        raise Unreadable(
            N_("最多 %(limit)s 列，表中第 %(column)s 列还有内容，请删去多余的列"),
            {"limit": MOST_COLUMNS, "column": sheet.last_column},
        )
    if sheet.cells > MOST_CELLS:
        raise Unreadable(N_("单元格合计超过 %(limit)s 个，请分成几个文件"), {"limit": f"{MOST_CELLS:,}"})
