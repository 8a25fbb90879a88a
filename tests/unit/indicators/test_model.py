"""An indicator as data: its wording, its JSON form, numbers as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier, decimal_text, parse_decimal

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(
    ("indicator", "text"),
    [
        (Indicator("拉力", Comparator.GE, Decimal(28), unit="kN"), "≥ 28 kN"),
        (Indicator("质量", Comparator.LE, Decimal("0.50"), unit="kg"), "≤ 0.50 kg"),
        (Indicator("轴数", Comparator.EQ, Decimal(5), unit="轴"), "= 5 轴"),
        (Indicator("温度", Comparator.RANGE, Decimal(-40), Decimal(125), unit="℃"), "−40 ～ 125 ℃"),
        (Indicator("精度", Comparator.PM, Decimal("0.02"), unit="mm"), "± 0.02 mm"),
        (Indicator("直径", Comparator.PM, Decimal("0.5"), nominal=Decimal(50), unit="mm"), "50 ± 0.5 mm"),
        (Indicator("功能安全", Comparator.EQ, text_value="ASIL D"), "ASIL D"),
        (Indicator("倍率", Comparator.GE, Decimal("1E+3"), unit=""), "≥ 1000"),
        (Indicator("未填", Comparator.GE), ""),
        (Indicator("半填", Comparator.RANGE, Decimal(1)), ""),
    ],
)
def test_a_requirement_reads_as_in_a_specification(indicator: Indicator, text: str) -> None:
    assert indicator.requirement_text() == text


@given(
    st.builds(
        Indicator,
        name=st.text(max_size=8),
        comparator=st.sampled_from(Comparator),
        value=st.none() | NUMBERS,
        value_to=st.none() | NUMBERS,
        nominal=st.none() | NUMBERS,
        text_value=st.text(max_size=5),
        unit=st.text(max_size=5),
        verifier=st.none() | st.sampled_from(Verifier),
        weight=st.integers(0, 100),
        mark=st.sampled_from(Mark),
    )
)
def test_what_is_stored_is_what_is_read(indicator: Indicator) -> None:
    assert Indicator.from_dict(indicator.to_dict()) == indicator


def test_a_short_form_is_enough_to_be_read() -> None:
    assert Indicator.from_dict({"name": "n", "comparator": "ge", "value": 3}).value == Decimal(3)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "n"},
        {"name": "n", "comparator": "about"},
        {"name": "n", "comparator": "ge", "value": "NaN"},
        {"name": "n", "comparator": "ge", "value": "Infinity"},
        {"name": "n", "comparator": "ge", "value": "1e999999"},
        {"name": "n", "comparator": "ge", "value": True},
        {"name": "n", "comparator": "ge", "value": "9" * 60},
        {"name": "n", "comparator": "ge", "unit": 3},
        {"name": "n", "comparator": "ge", "weight": "many"},
        {"name": "n", "comparator": "ge", "mark": "gold"},
    ],
)
def test_what_is_no_indicator_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Indicator.from_dict(data)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("１２．５", "12.5"),
        ("1,200.5", "1200.5"),
        ("−40", "-40"),
        ("－0.5", "-0.5"),
        ("1.2e6", "1200000"),
        (" 7 ", "7"),
    ],
)
def test_numbers_are_read_as_people_type_them(typed: str, number: str) -> None:
    assert parse_decimal(typed) == Decimal(number)


@pytest.mark.parametrize("typed", ["", "约5", "5kg", "1,2", "--5", "5 6", "inf", "1e99", "٣٤x"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        parse_decimal(typed)


def test_a_minus_is_a_minus_and_no_exponent_is_shown() -> None:
    assert decimal_text(Decimal("-1E+2")) == "−100"


def test_signs_and_marks_are_those_of_specifications() -> None:
    assert [one.symbol for one in Comparator] == ["≥", "≤", "=", "区间", "±"]
    assert [one.symbol for one in Mark] == ["★", "▲", "·"]
