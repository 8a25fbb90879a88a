"""The cheap condition without which nothing is stated: exact, whatever the text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.indicators.compare import compare
from marketplace.indicators.conditions import IMPOSSIBLE, may_state
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.names import understand
from marketplace.indicators.offers import read_offer
from marketplace.indicators.verdicts import Verdict
from marketplace.language import analyse


def listed(text: str) -> list[str]:
    return text.split()


NAMES = listed(
    """
    额定负载 重复定位精度 定位精度 密封圈疲劳寿命 年产量 次数 力学性能 毫米波雷达距离 导热系数 噪声 payload
    PCB尺寸 3点弯曲强度 表面粗糙度 load吨位 月产能 高 件重 台套数量 bar 寿命 最大turning_radius 電壓 ＬＯＡＤ
    """
)
UNITS = listed("kg 公斤 mm 件 % 次 年 μm dB(A) MPa")
PIECES = st.sampled_from(
    [
        *NAMES,
        *UNITS,
        *listed(
            "load capacity noise Payload 負載 疲勞壽命 疲劳寿命 载荷 产量 性能 ≥ ± 5 200 2023 5毫 3台 12公斤"
        ),
        *listed("达 为 : , ， 。 / - _ + . IP67 ASIL-D 约 以上 IP ASIL ( ) × ~ à EN SAE"),
        " ",
        "\n",
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@st.composite
def requirements(draw: st.DrawFn) -> Indicator:
    """A requirement for a number or a grade."""
    name = draw(st.sampled_from(NAMES))
    if draw(st.integers(0, 4)) == 0:
        return Indicator(
            name, Comparator.EQ, text_value=draw(st.sampled_from(["IP54", "ASIL B", "5", "Q235"]))
        )
    comparator = draw(st.sampled_from([Comparator.GE, Comparator.LE, Comparator.EQ, Comparator.PM]))
    return Indicator(name, comparator, Decimal(draw(st.integers(1, 300))), unit=draw(st.sampled_from(UNITS)))


@settings(deadline=None)
@given(requirements(), TEXTS | st.text(max_size=60))
def test_a_text_that_states_something_meets_the_condition(required: Indicator, text: str) -> None:
    if compare(required, read_offer((), text)).verdict is Verdict.UNSTATED:
        return
    condition, analysis = may_state(required), analyse(text)
    assert condition.may_be_in_terms(analysis.bigrams, analysis.words)
    assert condition.letters in text.lower()


@settings(deadline=None)
@given(requirements(), st.sampled_from(NAMES), TEXTS)
def test_each_name_with_its_value_meets_the_condition_wherever_it_stands(
    required: Indicator, name: str, before: str
) -> None:
    text = f"{before}{name}{required.requirement_text()}"
    if compare(required, read_offer((), text)).verdict is not Verdict.UNSTATED:
        analysis = analyse(text)
        assert may_state(required).may_be_in_terms(analysis.bigrams, analysis.words)


@settings(deadline=None)
@given(requirements(), st.sampled_from(NAMES), st.sampled_from(UNITS))
def test_a_parameter_that_states_something_has_the_same_core(
    required: Indicator, name: str, unit: str
) -> None:
    parameter = Indicator(name, Comparator.EQ, Decimal(9), unit=unit)
    if compare(required, read_offer((parameter,), "")).verdict is not Verdict.UNSTATED:
        assert may_state(required).core == understand(name).core


@pytest.mark.parametrize(
    ("name", "text", "may"),
    [
        ("额定负载", "机器人额定負載200公斤", True),
        ("额定负载", "payload of 200 kg", True),
        ("额定负载", "负责装载", False),
        ("密封圈疲劳寿命", "寿命长", True),
        ("密封圈疲劳寿命", "密封圈", False),
        ("年产量", "2023年产量大", True),
        ("年产量", "年生产能力", False),
    ],
)
def test_the_condition_holds_for_every_spelling_and_for_no_other_text(
    name: str, text: str, may: bool
) -> None:
    analysis = analyse(text)
    condition = may_state(Indicator(name, Comparator.GE, Decimal(1), unit="kg"))
    assert condition.may_be_in_terms(analysis.bigrams, analysis.words) is may


def test_a_draft_states_nothing() -> None:
    assert may_state(Indicator("额定负载", Comparator.GE, unit="kg")) == IMPOSSIBLE


def test_a_grade_needs_its_letters() -> None:
    condition = may_state(Indicator("防护等级", Comparator.EQ, text_value="ip 67"))
    assert condition.letters == "ip"
    assert condition.traces is None
