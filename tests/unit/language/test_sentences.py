"""Sentences and listed items are pieces of the text as written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.language import sentence_spans, sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("。；！", []),
        ("壳体减重10%。刚度不变。", ["壳体减重10%。", "刚度不变。"]),
        ("要求:1、负载200公斤;2、精度±0.02 mm", ["要求:", "1、负载200公斤;", "2、精度±0.02 mm"]),
        ("见图(1)和图(2)", ["见图(1)和图(2)"]),
        ("目标： (1)节油 (2)降噪", ["目标：", "(1)节油", "(2)降噪"]),
        ("①甲方案②乙方案", ["①甲方案", "②乙方案"]),
        ("一、材料 二、工艺", ["一、材料", "二、工艺"]),
        ("厚度3.5 mm. Weight 2.5 kg. Next", ["厚度3.5 mm.", "Weight 2.5 kg.", "Next"]),
        ("Fast, e.g. v2.0 of it.", ["Fast, e.g. v2.0 of it."]),
        ("甲\n乙\r\n丙", ["甲", "乙", "丙"]),
        ("他说：“可以。”随后验收", ["他说：“可以。”", "随后验收"]),
    ],
)
def test_a_text_is_cut_into_sentences_and_items(text: str, pieces: list[str]) -> None:
    assert sentences(text) == pieces


@given(st.text(st.characters(exclude_categories=[]) | st.sampled_from("。；1、.(2) ①\n"), max_size=200))
def test_sentences_lie_in_order_without_overlap_and_lose_no_word(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    kept = "".join(text[start:end] for start, end in spans)
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]
