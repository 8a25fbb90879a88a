"""What a layman is shown of two texts."""

import pytest

from marketplace.postings.differences import Change, compare, differences

BEFORE = "轴承外圈跳动不超过 0.05 mm。供货前须经第三方检测。包装防潮。"
AFTER = "轴承外圈跳动不超过 0.03 mm。供货前须经第三方检测。每箱附合格证。"


def put_together(spans: object, *kinds: Change) -> str:
    return "".join(span.text for span in spans if span.change in kinds)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "after"),
    [(BEFORE, AFTER), ("", AFTER), (BEFORE, ""), ("一\n二\n三", "一\n三\n四"), ("同", "同"), ("a b", "a  b")],
)
def test_both_texts_can_be_read_from_the_difference(before: str, after: str) -> None:
    spans = differences(before, after)
    assert put_together(spans, Change.SAME, Change.GONE) == before
    assert put_together(spans, Change.SAME, Change.COME) == after


def test_only_the_number_that_changed_is_marked_and_an_unlike_sentence_as_a_whole() -> None:
    spans = differences(BEFORE, AFTER)
    assert [s.text for s in spans if s.change is Change.GONE] == ["0.05", "包装防潮。"]
    assert [s.text for s in spans if s.change is Change.COME] == ["0.03", "每箱附合格证。"]


def test_fields_are_compared_in_their_order_and_what_one_has_stands_against_nothing() -> None:
    found = compare(
        [("名称", "轴"), ("旧栏", "旧"), ("空栏", "")], [("名称", "轴"), ("新栏", "新"), ("空栏", "")]
    )
    assert [(f.label, f.changed) for f in found] == [("名称", False), ("新栏", True), ("旧栏", True)]


def test_long_texts_are_compared_in_bounded_work() -> None:
    before = "".join(f"第{n}项要求长度不小于{n}毫米，" for n in range(400)) + "完"
    after = "".join(f"第{n}项要求长度不大于{n}毫米，" for n in range(400)) + "毕"
    spans = differences(before, after)
    assert put_together(spans, Change.SAME, Change.COME) == after
    # One sentence of thousands of pieces is not compared piece by piece.
    assert [s.change for s in spans] == [Change.GONE, Change.COME]
    # Thousands that are all alike would take hours if every way of matching them were tried.
    before, after = ";" * 8000, "a;;" * 2600
    assert put_together(differences(before, after), Change.SAME, Change.COME) == after
    before, after = "1 " * 1500, "2 1 " * 800
    assert put_together(differences(before, after), Change.SAME, Change.GONE) == before
