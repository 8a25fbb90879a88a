"""Unit names, dimensions, conversions written out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.indicators.units import conversion_text, convert, parse_unit, same_dimension, unit_names


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "text"),
    [
        ("3.2", "tf", "kN", "3.2 tf × 9.80665 = 31.4 kN"),
        ("200", "公斤", "kg", "200 公斤 = 200 kg"),
        ("24", "个月", "年", "24 个月 ÷ 12 = 2 年"),
        ("25", "℃", "K", "25 ℃ + 273.15 = 298.15 K"),
        ("323.15", "K", "℃", "323.15 K − 273.15 = 50 ℃"),
        ("25", "℃", "℉", "25 ℃ = 77 ℉"),
        ("1.2", "百万次", "万次", "1.2 百万次 × 100 = 120 万次"),
        ("1200000", "次", "万次", "1200000 次 ÷ 10000 = 120 万次"),
        ("20", "μm", "mm", "20 μm ÷ 1000 = 0.02 mm"),
        ("2", "丝", "μm", "2 丝 × 10 = 20 μm"),
        ("500", "ppm", "%", "500 ppm ÷ 10000 = 0.05 %"),
        ("500", "公斤/小时", "t/h", "500 公斤/小时 ÷ 1000 = 0.5 t/h"),
        ("3000", "r/min", "rpm", "3000 r/min = 3000 rpm"),
        ("35", "MPa", "bar", "35 MPa × 10 = 350 bar"),
        ("36", "km/h", "m/s", "36 km/h × 0.277778 = 10 m/s"),
        ("1.2", "亿元", "万元", "1.2 亿元 × 10000 = 12000 万元"),
        ("48", "小时", "天", "48 小时 ÷ 24 = 2 天"),
        ("2", "英寸", "mm", "2 英寸 × 25.4 = 50.8 mm"),
        ("500", "mPa·s", "Pa·s", "500 mPa·s ÷ 1000 = 0.5 Pa·s"),
        ("2", "W/(m·K)", "W/(m·℃)", "2 W/(m·K) = 2 W/(m·℃)"),
        ("250", "°F", "℃", "(250 °F − 32) ÷ 1.8 = 121 ℃"),
        ("45", "kgf/mm^2", "MPa", "45 kgf/mm² × 9.80665 = 441 MPa"),
        ("120", "马力", "kW", "120 马力 × 0.735499 = 88.3 kW"),
        ("170", "W/m·K", "W/(m·K)", "170 W/m·K = 170 W/(m·K)"),
        ("10", "kg", "㎏", ""),
    ],
)
def test_a_conversion_is_written_out(value: str, from_unit: str, to_unit: str, text: str) -> None:
    assert conversion_text(Decimal(value), from_unit, to_unit) == text


def test_a_difference_of_temperature_is_not_a_temperature() -> None:
    assert convert(Decimal(2), "℃", "K", difference=True) == 2
    assert convert(Decimal(2), "℃", "K") == Decimal("275.15")
    assert conversion_text(Decimal(2), "℃", "℉", difference=True) == "2 ℃ × 1.8 = 3.6 ℉"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("N·m", "牛米"), ("Nm", "N.m"), ("KN", "kn"), ("Mpa", "MPa"), ("MPA", "兆帕"),
        ("KW", "千瓦"), ("吨力", "tf"), ("dBA", "dB(A)"), ("µm", "微米"), ("Ω", "欧姆"),
        ("㎡", "平方米"), ("m³/h", "L/min"), ("台/套", "台套"), ("％", "%"), ("次/分钟", "次/小时"),
        ("千米每小时", "km/h"), ("万km", "公里"), ("mg/L", "克/升"), ("Wh/kg", "kWh/t"),
        ("马力", "kW"), ("W/mK", "W/(m·K)"), ("kJ/kg·K", "J/(kg·K)"), ("道", "μm"),
        ("ksi", "MPa"), ("%FS", "%"),
    ],
)  # fmt: skip
def test_these_can_be_compared(one: str, other: str) -> None:
    assert parse_unit(one) is not None
    assert same_dimension(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kg", "kN"), ("Hz", "r/min"), ("%", "个"), ("%", ""), ("dB", "dB(A)"), ("HRC", "HV"),
        ("次", "台"), ("元", "美元"), ("℃", "%"), ("nm", "N·m"), ("s", "S"), ("百分点", "%"),
        ("倍", "%"), ("°", "℃"), ("bit", "个"), ("%RH", "%"), ("T", "t"),
    ],
)  # fmt: skip
def test_these_cannot_be_compared(one: str, other: str) -> None:
    assert not same_dimension(one, other)
    with pytest.raises(ValueError):
        convert(Decimal(1), one, other)


@pytest.mark.parametrize(
    "text",
    [
        "度",
        "mw",
        "T",
        "foo",
        "m/",
        "(",
        "m)(m",
        "m**9",
        "__import__('os')",
        "9",
        "x_turn",
        "meter meter",
        "·",
        "k" * 99,
    ],
)
def test_what_has_no_sure_meaning_is_no_unit(text: str) -> None:
    assert parse_unit(text) is None


def test_an_unknown_name_goes_with_its_own_spelling_only() -> None:
    assert same_dimension("克拉", "克拉")
    assert convert(Decimal(3), "克拉", "克拉") == 3
    assert not same_dimension("克拉", "kg")


def test_every_single_name_is_understood() -> None:
    assert [name for name in sorted(unit_names()) if parse_unit(name) is None] == []


@given(st.text(max_size=30))
def test_no_text_is_refused_as_a_unit(text: str) -> None:
    parse_unit(text)


@given(
    st.decimals(-(10**9), 10**9, allow_nan=False, places=3), st.sampled_from(["kg", "t", "公斤", "磅", "mg"])
)
def test_there_and_back_is_the_same(value: Decimal, unit: str) -> None:
    back = convert(convert(value, "kg", unit), unit, "kg")
    assert abs(back - value) <= abs(value) * Decimal("1e-20")
