"""Whether a workbook is small enough to be read, looked at before anything reads it. Plain Python.

A workbook is a zip of XML. What hurts is not its size but what it becomes: entries that unpack to gigabytes,
a cell in the last corner of a sheet, which makes readers set up seventeen thousand million cells, one long
text that a million cells share. All of that is counted here, by unpacking in small pieces and keeping none;
what an entry says of its own size is not believed. Not here: reading the cells (`sheets`).
"""

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
MOST_ROWS, MOST_COLUMNS = 50_000, 200
# Headings and a few lines above them.
ROWS_ABOVE = 20
_CHUNK = 256 * 1024
_LONGEST_TAG = 4_096
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")

# A cell with something in it; calamine leaves those out that are nothing but a format.
_CELL = re.compile(rb"<(?:\w+:)?c((?:\s[^<>]*?)?)(/?)>(?:<(?:\w+:)?v>(\d{1,9})</(?:\w+:)?v>)?")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_DECLARED = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_STRING_END = re.compile(rb"</(?:\w+:)?si>")


@dataclass(slots=True)
class _Extent:
    """The rectangle of a sheet that holds something, and the text that its cells will take."""

    first_row: int = 0
    last_row: int = 0
    first_column: int = 0
    last_column: int = 0
    shared_cells: int = 0
    shared_text: int = 0

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
                _check_contents(raw, entries)
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
        limit = {"limit": MOST_UNPACKED // 1024 // 1024, "ratio": MOST_RATIO}
        raise Unreadable(
            N_("解压后过大（最多 %(limit)s MB、压缩比 %(ratio)s 倍），请删去多余内容或分成几个文件"), limit
        )


def _check_contents(file: BinaryIO, entries: list[zipfile.ZipInfo]) -> None:
    size = file.seek(0, 2)
    lengths: list[int] = []
    unpacked = 0
    # The shared texts first: the cells are weighed by them.
    for entry in sorted(entries, key=lambda e: not e.filename.lower().endswith("sharedstrings.xml")):
        name = entry.filename.lower()
        sheet = _Extent() if name.startswith("xl/worksheets/") and name.endswith(".xml") else None
        tail, since = b"", 0
        for piece in _unpack(file, entry):
            unpacked += len(piece)
            _check_total(unpacked, size)
            window = tail + piece
            if _DECLARED.search(window):
                raise Unreadable(N_("工作簿含有不允许的 XML 声明"))
            if name.endswith("sharedstrings.xml"):
                tail, since = _weigh_strings(window, lengths, since)
            elif sheet is not None:
                tail = _walk_cells(window, sheet, lengths)
            else:
                tail = window[-16:]
        if sheet is not None:
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
    start = 0
    for end in _STRING_END.finditer(window):
        lengths.append(since + end.end() - start)
        since, start = 0, end.end()
    rest = window[start:]
    # Only what may be the beginning of an end tag is looked at again.
    keep = min(len(rest), 16)
    return rest[len(rest) - keep :], since + len(rest) - keep


def _walk_cells(window: bytes, sheet: _Extent, lengths: list[int]) -> bytes:
    end = 0
    # A tag cut by the end of the window is met whole in the next one.
    safe = len(window) - _LONGEST_TAG
    for found in _CELL.finditer(window):
        if found.start() > safe and safe > 0:
            break
        end = found.end()
        attributes, empty, number = found.groups()
        if empty:
            continue
        place = _PLACE.search(attributes)
        if place:
            sheet.add(int(place[2]), _column_number(place[1]))
            if sheet.last_row > MOST_ROWS * 4 or sheet.last_column > 16_384:
                _check_extent(sheet)
        if b't="s"' in attributes:
            sheet.shared_cells += 1
            index = int(number) if number else -1
            longest = lengths[index] if 0 <= index < len(lengths) else max(lengths, default=0)
            sheet.shared_text += longest
            if sheet.shared_text > MOST_TEXT:
                raise Unreadable(N_("单元格文字合计超过 %(limit)s MB"), {"limit": MOST_TEXT // 1024 // 1024})
    return window[max(end, safe, 0) :]


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
