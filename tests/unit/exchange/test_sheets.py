"""Files as offices and strangers write them: read cell by cell, or refused in words, and never a crash."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.exchange import containers, exports
from marketplace.exchange.cells import text_of, without_guard
from marketplace.exchange.containers import check_workbook
from marketplace.exchange.faults import Unreadable
from marketplace.exchange.sheets import first_rows, format_of, open_source

LINES = [["名称", "数量"], ["轴承，含税", "12"], ["=1+1", "两\n行"]]


def read(path: Path, format: str, sheet: str | None = None) -> list[tuple[int, list[str]]]:
    source = open_source(path, format)
    return [(n, [text_of(c) for c in cells]) for n, cells in source.rows(sheet or source.sheets[0])]


def a_csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


def a_workbook(folder: Path, fill: Callable[[Any], None]) -> Path:
    book = openpyxl.Workbook()
    fill(book)
    path = folder / "a.xlsx"
    book.save(path)
    return path


# --- CSV --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_a_table_is_read_whatever_wrote_it(
    tmp_path: Path, encoding: str, delimiter: str, ending: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ending).writerows(LINES)
    rows = read(a_csv(tmp_path, out.getvalue(), encoding), "csv")
    assert rows == [(n, line) for n, line in enumerate(LINES, start=1)]


def test_blank_lines_keep_the_numbers_that_people_see(tmp_path: Path) -> None:
    rows = read(a_csv(tmp_path, "名称,数量\n\n甲,1\n,,\n乙,2\n"), "csv")
    assert [n for n, _ in rows] == [1, 3, 5]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\x80\x81\xff\xff\xfe",
        b'a,"' + b"x" * 600_000,
        b"a," * 300 + b"a\n",
    ],
    ids=["empty", "half a character", "no encoding", "a cell without an end", "too wide"],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Unreadable) as refused:
        read(path, "csv")
    assert refused.value.message


@pytest.mark.parametrize("name", ["a.xls", "a.xlsm", "a.ods", "a.exe", "a", "报价.pdf.exe", ".csv.zip"])
def test_other_formats_are_refused_by_name(name: str) -> None:
    with pytest.raises(Unreadable):
        format_of(name)


def test_more_rows_than_allowed_are_refused_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.exchange.sheets.MOST_ROWS", 5)
    monkeypatch.setattr("marketplace.exchange.sheets.ROWS_ABOVE", 0)
    with pytest.raises(Unreadable) as refused:
        read(a_csv(tmp_path, "甲\n" * 6), "csv")
    assert refused.value.params == {"limit": "5"}


# --- JSONL ------------------------------------------------------------------------------------------------


def test_objects_become_rows_under_the_names_of_their_members(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        "\n".join(
            json.dumps(line, ensure_ascii=False)
            for line in ({"title": "甲", "keywords": ["一", "二"]}, {"title": "乙", "n": 2.0, "on": True})
        ),
        encoding="utf-8-sig",
    )
    assert read(path, "jsonl") == [
        (0, ["title", "keywords", "n", "on"]),
        (1, ["甲", "一、二"]),
        (2, ["乙", "", "2", "是"]),
    ]


@pytest.mark.parametrize(
    "content",
    [b"[1]", b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'"text"'],
    ids=["a list", "cut", "no number", "no UTF-8", "deep", "a long number", "a text"],
)
def test_a_line_that_is_no_object_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n' + content)
    with pytest.raises(Unreadable) as refused:
        read(path, "jsonl")
    assert refused.value.params["line"] == 2


# --- workbooks --------------------------------------------------------------------------------------------


def test_a_workbook_is_read_as_it_looks(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.title = "清单"
        sheet["B2"], sheet["C2"], sheet["D2"], sheet["E2"] = "名称", "日期", "数", "单位"
        sheet["B3"], sheet["C3"], sheet["D3"], sheet["E3"] = "甲", date(2026, 11, 22), 12.0, "件"
        sheet["B5"], sheet["C5"], sheet["D5"] = "乙", datetime(2026, 1, 2, 3, 4), "１２"  # noqa: DTZ001
        sheet.merge_cells("E3:E5")
        # Formats reach to the end of the sheet, and say nothing.
        sheet["XFD1"].font = openpyxl.styles.Font(bold=True)
        book.create_sheet("藏").sheet_state = "hidden"
        book.create_sheet("另一张")["A1"] = "x"

    path = a_workbook(tmp_path, fill)
    assert open_source(path, "xlsx").sheets == ["清单", "另一张"]
    assert read(path, "xlsx") == [
        (2, ["名称", "日期", "数", "单位"]),
        (3, ["甲", "2026-11-22", "12", "件"]),
        (4, ["", "", "", "件"]),
        (5, ["乙", "2026-01-02 03:04", "１２", "件"]),
    ]
    with pytest.raises(Unreadable):
        read(path, "xlsx", "藏")


def test_a_formula_counts_as_the_value_that_stands_in_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["数量", "单价"])
    sheet.write_formula(1, 0, "=3*4", None, 12)
    sheet.write_formula(1, 1, '="8"&"6"', None, "86")
    book.close()
    assert read(path, "xlsx")[1] == (2, ["12", "86"])


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The workbook with some of its parts changed."""
    with zipfile.ZipFile(path) as old:
        parts = [(info.filename, change(info.filename, old.read(info))) for info in old.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts:
            new.writestr(name, content)
    return path


def plain(folder: Path) -> Path:
    return a_workbook(folder, lambda book: book.active.append(["名称", "数量"]))


def far_corner(folder: Path) -> Path:
    return a_workbook(folder, lambda book: book.active.__setitem__("XFD1048576", 1))


def too_many_rows(folder: Path) -> Path:
    return a_workbook(folder, lambda book: book.active.__setitem__("A60000", 1))


def zip_bomb(folder: Path) -> Path:
    path = plain(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * (20 * 1024 * 1024))
    return path


def lying_bomb(folder: Path) -> Path:
    """An entry that says it is small, and is not."""
    path = zip_bomb(folder)
    content = bytearray(path.read_bytes())
    size = (20 * 1024 * 1024).to_bytes(4, "little")
    start = 0
    while (place := content.find(size, start)) >= 0:
        content[place : place + 4] = (10).to_bytes(4, "little")
        start = place + 4
    path.write_bytes(content)
    return path


def shared_text_bomb(folder: Path) -> Path:
    """One long text that many cells share."""
    path = folder / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for line in range(2_000):
        sheet.write_string(line, 0, "长" * 30_000)
    book.close()
    return path


def many_entries(folder: Path) -> Path:
    path = plain(folder)
    with zipfile.ZipFile(path, "a") as archive:
        for n in range(1_100):
            archive.writestr(f"xl/{n}.xml", b"")
    return path


def doctype(folder: Path) -> Path:
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return rewritten(plain(folder), lambda name, part: entity + part if name.endswith("sheet1.xml") else part)


def truncated(folder: Path) -> Path:
    path = plain(folder)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def flipped(folder: Path) -> Path:
    path = plain(folder)
    content = bytearray(path.read_bytes())
    for place in range(60, len(content), 97):
        content[place] ^= 0x55
    path.write_bytes(content)
    return path


def no_workbook(folder: Path) -> Path:
    path = folder / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    return path


def broken_sheet(folder: Path) -> Path:
    return rewritten(plain(folder), lambda name, part: part[:80] if name.endswith("sheet1.xml") else part)


def no_zip(folder: Path) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(b"PK\x03\x04" + b"x" * 500)
    return path


def with_rows(rows: bytes) -> Callable[[Path], Path]:
    """A sheet whose rows are written as no office program writes them, and read all the same."""

    def make(folder: Path) -> Path:
        def change(name: str, part: bytes) -> bytes:
            return re.sub(rb"<sheetData>.*</sheetData>", b"<sheetData>%s</sheetData>" % rows, part)

        return rewritten(
            plain(folder), lambda name, part: change(name, part) if "worksheets/" in name else part
        )

    return make


FIRST = b'<row r="1"><c r="A1"><v>1</v></c></row>'
FAR = {
    "single quotes": FIRST + b"<row r='60000'><c r='A60000'><v>1</v></c></row>",
    "blanks around the sign": FIRST + b'<row r="60000"><c r = "A60000"><v>1</v></c></row>',
    "a line end": FIRST + b'<row r="60000"><c\nr="A60000"><v>1</v></c></row>',
    "no places": FIRST + b'<row r="60000"><c><v>1</v></c></row>',
    "rows without places": FIRST + b'<row r="59999"/><row><c><v>1</v></c></row>',
    "a prefix": FIRST + b'<row r="60000"><x-y:c r="A60000"><v>1</v></x-y:c></row>',
    "at the end of much": FIRST + b"<row><c/></row>" * 1_000 + b'<c r="A60000"><v>1</v></c>',
    "many columns without places": b"<row>" + b"<c/>" * 300 + b"<c><v>1</v></c></row>",
}
STRANGE = {
    "a sign in an attribute": FIRST + b'<c x=">" r="A60000"><v>1</v></c>',
    "small letters": FIRST + b'<c r="a60000"><v>1</v></c>',
    "the same attribute twice": FIRST + b'<c r="A60000" r="A2"><v>1</v></c>',
    "a coded letter": FIRST + b'<c r="&#65;60000"><v>1</v></c>',
    "a long prefix": FIRST + b"<" + b"x" * 80 + b':c r="A60000"><v>1</v></c>',
}


@pytest.mark.parametrize("rows", FAR.values(), ids=FAR)
def test_a_far_cell_is_met_however_it_is_written(tmp_path: Path, rows: bytes) -> None:
    with pytest.raises(Unreadable, match=r"行|列"):
        check_workbook(with_rows(rows)(tmp_path))


@pytest.mark.parametrize("rows", STRANGE.values(), ids=STRANGE)
def test_what_could_be_read_in_two_ways_is_refused(tmp_path: Path, rows: bytes) -> None:
    with pytest.raises(Unreadable, match="损坏"):
        check_workbook(with_rows(rows)(tmp_path))


def test_a_sheet_is_weighed_wherever_it_lies(tmp_path: Path) -> None:
    path = rewritten(
        far_corner(tmp_path), lambda _name, part: part.replace(b"worksheets/sheet1", b"else/one")
    )
    with zipfile.ZipFile(path) as old:
        parts = {
            info.filename.replace("worksheets/sheet1", "else/one"): old.read(info) for info in old.infolist()
        }
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    with pytest.raises(Unreadable, match="行"):
        check_workbook(path)


def test_merged_cells_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(book: Any) -> None:
        for n in range(1, 12):
            book.active.merge_cells(f"A{n}:B{n}")

    path = a_workbook(tmp_path, fill)
    check_workbook(path)
    monkeypatch.setattr(containers, "MOST_MERGED", 10)
    with pytest.raises(Unreadable, match="合并的单元格超过"):
        check_workbook(path)


HOSTILE = {
    far_corner: "行",
    too_many_rows: "行",
    zip_bomb: "解压后过大",
    lying_bomb: "解压后过大",
    many_entries: "1000",
    doctype: "XML 声明",
    truncated: "损坏",
    flipped: "",
    no_workbook: "不是 XLSX",
    broken_sheet: "损坏",
    no_zip: "损坏",
}


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_a_hostile_workbook_is_refused_before_anything_is_set_up_for_it(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    with pytest.raises(Unreadable) as refused:
        read(path, "xlsx")
    assert HOSTILE[make] in said(refused.value)


def said(fault: Unreadable) -> str:
    return fault.message % fault.params if fault.params else fault.message


def test_texts_that_many_cells_share_are_weighed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_text_bomb(tmp_path)
    monkeypatch.setattr(containers, "MOST_TEXT", 100 * 1024 * 1024)
    with pytest.raises(Unreadable, match="文字合计"):
        check_workbook(path)
    monkeypatch.setattr(containers, "MOST_TEXT", 400 * 1024 * 1024)
    check_workbook(path)


def test_a_wide_field_of_cells_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(book: Any) -> None:
        book.active["A1"], book.active["CV200"] = 1, 1

    path = a_workbook(tmp_path, fill)
    check_workbook(path)
    monkeypatch.setattr(containers, "MOST_CELLS", 19_999)
    with pytest.raises(Unreadable, match="单元格合计"):
        check_workbook(path)


# --- there and back ---------------------------------------------------------------------------------------

cells = st.one_of(
    st.none(),
    st.integers(-(10**12), 10**12),
    st.dates(date(1901, 1, 1), date(2100, 1, 1)),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=20).filter(
        lambda text: "_x" not in text
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6), st.sampled_from(["csv", "xlsx"]))
def test_what_is_exported_is_read_back_cell_by_cell(
    tmp_path: Path, rows: list[list[Any]], format: str
) -> None:
    path = tmp_path / f"a.{format}"
    with path.open("wb") as file:
        assert exports.write(format, file, "清单", ["一", "二", "三"], rows) == len(rows)
    back = read(path, format)
    assert back[0] == (1, ["一", "二", "三"])
    kept = {n: [without_guard(text) for text in row] for n, row in back[1:]}
    for number, row in enumerate(rows, start=2):
        wanted = [text_of(cell) for cell in row]
        found = kept.get(number, [])
        assert found + [""] * (3 - len(found)) == [text.strip() for text in wanted]
    raw = read(path, format)
    assert not [t for _n, row in raw for t in row if t.startswith(("=", "+", "@", "＝"))]


def test_first_rows_are_no_more_than_asked(tmp_path: Path) -> None:
    source = open_source(a_csv(tmp_path, "甲\n" * 30), "csv")
    assert len(first_rows(source, "", 4)) == 4
