"""What counts as evidence that a capability covers an indicator, and what does not."""

from decimal import Decimal

import pytest

from marketplace.indicators.model import Comparator, Indicator, Mark
from marketplace.matching.assembly_evidence import MOST_TOPICS, Finding, Listed, gather
from marketplace.matching.engine.consortia import Grade
from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS

SILENT = Finding("unstated")


def indicator(name, *, weight=0, mark=Mark.PLAIN):
    return Indicator(name, Comparator.GE, Decimal(10), unit="kN", weight=weight, mark=mark)


def seeker(*indicators, title="轮端电动卡钳", body="需要滚珠丝杠与减速器一体的电动卡钳。"):
    return Matchable(
        Kind.CHALLENGE, 1, title=title, sections=(("problem", body),), indicators=tuple(indicators)
    )


def listed(number, body, *findings, agreement=0.3, **facts):
    document = Matchable(
        Kind.CAPABILITY, number, title=f"能力{number}", sections=(("summary", body),), **facts
    )
    return Listed(document, agreement, findings)


def gathered(asker, *several):
    return gather(asker, several, DEFAULT_WEIGHTS.marks)


THREE = (indicator("额定推力"), indicator("夹紧响应时间"), indicator("平均无故障时间"))
NOISE = tuple(listed(90 + n, "柑橘分选设备，平均每小时处理十吨。", agreement=0.3) for n in range(6))


@pytest.mark.parametrize(
    ("verdict", "grade"), [("met", Grade.MET), ("partial", Grade.PARTIAL), ("unmet", Grade.NONE)]
)
def test_a_comparison_counts_by_its_verdict_and_keeps_its_quote(verdict, grade):
    found = Finding(verdict, "额定推力 32 kN", "32 kN", "")
    _, (proofs,) = gathered(seeker(*THREE), listed(1, "额定推力 32 kN。", found, SILENT, SILENT))
    assert (proofs["i0"].grade, proofs["i0"].verdict, proofs["i0"].quote) == (
        grade,
        verdict,
        "额定推力 32 kN",
    )


def test_a_text_that_speaks_of_an_indicator_counts_as_a_mention_with_its_sentence():
    body = "生产电动卡钳。夹紧力的响应时间很短。可供样。"
    _, (proofs, *_) = gathered(seeker(*THREE), listed(1, body, SILENT, SILENT, SILENT), *NOISE)
    assert {key: proof.grade for key, proof in proofs.items()} == {"i1": Grade.TEXT}
    assert "响应时间很短" in proofs["i1"].quote


def test_a_stated_value_that_misses_is_no_mention():
    body = "夹紧力的响应时间很短，为 5 kN。"
    missed = Finding("unmet", body, "5 kN", "")
    _, (proofs, *_) = gathered(seeker(*THREE), listed(1, body, SILENT, missed, SILENT), *NOISE)
    assert proofs["i1"].grade is Grade.NONE


def test_common_words_of_a_name_are_no_mention_of_it():
    _, (proofs, *_) = gathered(seeker(*THREE), listed(1, "平均处理时间短。", SILENT, SILENT, SILENT), *NOISE)
    assert "i2" not in proofs


def test_words_of_a_name_scattered_over_a_text_are_no_mention():
    body = "夹紧机构可靠。响应客户要求。时间充裕。"
    _, (proofs, *_) = gathered(seeker(*THREE), listed(1, body, SILENT, SILENT, SILENT), *NOISE)
    assert proofs == {}


def test_a_mention_in_a_text_about_something_else_does_not_count():
    near = listed(1, "夹紧响应时间很短。", SILENT, SILENT, SILENT, agreement=0.4)
    far = listed(2, "夹紧响应时间很短。", SILENT, SILENT, SILENT, agreement=0.19)
    _, (first, second, *_) = gathered(seeker(*THREE), near, far, *NOISE)
    assert "i1" in first
    assert second == {}


def test_another_name_and_the_other_script_are_understood():
    body = "夾緊響應時間很短。"
    _, (proofs, *_) = gathered(seeker(*THREE), listed(1, body, SILENT, SILENT, SILENT), *NOISE)
    assert proofs["i1"].quote == "夾緊響應時間很短。"


def test_the_seekers_percentages_weigh_and_else_the_marks():
    asked, _ = gathered(
        seeker(indicator("a", weight=70), indicator("b", weight=20), indicator("c", weight=10))
    )
    assert [one.weight for one in asked] == [700, 200, 100]
    asked, _ = gathered(seeker(indicator("a", mark=Mark.MUST), indicator("b", mark=Mark.KEY), indicator("c")))
    assert [(one.must, one.weight) for one in asked] == [(True, 556), (False, 333), (False, 111)]


def test_a_challenge_without_indicators_is_asked_by_its_weightiest_words():
    answer = listed(1, "滚珠丝杠与减速器一体的执行机构。")
    asked, (proofs, *_) = gathered(seeker(), answer, *NOISE)
    names = [one.name for one in asked]
    assert 2 <= len(names) <= MOST_TOPICS
    assert all(one.is_topic and not one.must for one in asked)
    assert not [name for name in names if any(name in other for other in names if other != name)]
    assert {one.name for one in asked if one.key in proofs} >= {"减速器"}
    assert {proof.grade for proof in proofs.values()} == {Grade.TEXT}


def test_beside_few_indicators_words_weigh_little():
    asked, _ = gathered(seeker(indicator("额定推力", weight=100)), listed(1, "滚珠丝杠。", SILENT), *NOISE)
    assert asked[0].weight == 1000
    assert sum(one.weight for one in asked if one.is_topic) <= 260


def test_words_are_shown_as_the_challenge_writes_them():
    asked, (proofs, *_) = gathered(
        seeker(title="Carbon capturing membranes", body=""),
        listed(1, "We captured carbon with a membrane."),
        *NOISE,
    )
    assert {"Carbon", "capturing", "membranes"} == {one.name for one in asked}
    assert len(proofs) == 3


def test_words_that_are_always_said_together_are_one_thing():
    body = "混合动力总成。混合动力控制。混合动力试验。"
    near = listed(1, "做混合动力总成。")
    apart = listed(2, "混合气体的动力学。")
    asked, (first, second, *_) = gathered(seeker(title="混合动力", body=body), near, apart, *NOISE)
    (whole,) = [one for one in asked if one.name == "混合动力"]
    assert "混合" not in {one.name for one in asked}
    assert whole.key in first
    assert whole.key not in second
