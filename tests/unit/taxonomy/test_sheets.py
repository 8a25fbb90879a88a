"""A scheme as CSV, read with any header and encoding that offices write, and never a formula."""

import pytest

from marketplace.taxonomy import sheets

HEADER = "code,parent,name,stage,confirmed,source,successor\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_encodings_and_the_byte_order_mark_are_read(encoding: str) -> None:
    text = sheets.decode("代码,上级代码,名称,已确认,来源\nA,,主导产业,是,试验\n".encode(encoding))
    sheet = sheets.read(text)
    assert not sheet.faults
    assert sheet.lines[0].node.name == "主导产业"
    assert sheet.lines[0].node.confirmed


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        sheets.decode(b"\xff\xfe\x00\x81")


def test_a_line_with_a_successor_has_ended() -> None:
    sheet = sheets.read(HEADER + "H1,H,链,,1,试验,\nH2,H,链,上游,0,试验,H1\n")
    assert [(line.ended, line.successor, line.node.stage) for line in sheet.lines] == [
        (False, None, None),
        (True, "H1", "upstream"),
    ]


@pytest.mark.parametrize(
    ("text", "row", "column"),
    [
        ("", 0, ""),
        ("code,name\nA,甲\n", 1, "parent"),
        (HEADER + "A,,甲,中间,1,试验,\n", 2, "stage"),
        (HEADER + "A,,甲,,也许,试验,\n", 2, "confirmed"),
        (HEADER + "A,,甲,,1,试验,,多,余\n", 2, ""),
        (HEADER + 'A,,"甲\n', 0, ""),
        (HEADER + "A,,甲,,1,试验,\n" * (sheets.MOST_LINES + 1), 0, ""),
    ],
)
def test_what_cannot_be_read_is_named_by_row_and_column(text: str, row: int, column: str) -> None:
    fault = sheets.read(text).faults[0]
    assert (fault.row, fault.column) == (row, column)


def test_what_is_written_is_read_back_and_holds_no_formula() -> None:
    rows = [("=A1", None, "-名称", "upstream", 1, "@来源", "2026-01-01", None, None, "2026")]
    text = sheets.write(rows)
    assert all(not cell.startswith(("=", "-", "@")) for cell in text.splitlines()[1].split(","))
    node = sheets.read(text).lines[0].node
    assert (node.code, node.name, node.source, node.stage) == ("=A1", "-名称", "@来源", "upstream")
