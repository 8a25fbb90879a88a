"""Where words of a question are marked in a text."""

import pytest

from marketplace.language import DEFAULT_DICTIONARY
from marketplace.search.marks import find_spans, mark
from marketplace.search.question import read_question


@pytest.mark.parametrize(
    ("asked", "text", "marked"),
    [
        ("轴承", "高速轴承座与轴承", ["轴承", "轴承"]),
        ("天天", "天天天检测", ["天天天"]),
        ("减速机", "谐波减速器", ["减速器"]),
        ("减速机", "諧波減速機", ["減速機"]),
        ("6061", "6061-T6 棒材", ["6061-T6"]),
        ("bearings", "A bearing and its seat", ["bearing"]),
        ('"空心电机轴"', "批量供应空心电机轴", ["空心电机轴"]),
        ("轴承 OR 丝杠", "滚珠丝杠", ["丝杠"]),
        ("轴承 -丝杠", "滚珠丝杠与轴承", ["轴承"]),
    ],
)
def test_what_was_asked_for_is_marked(asked: str, text: str, marked: list[str]) -> None:
    spans = find_spans(text, read_question(asked, DEFAULT_DICTIONARY), DEFAULT_DICTIONARY)
    assert [piece for piece, hit in mark(text, spans) if hit] == marked
