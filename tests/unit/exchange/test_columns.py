"""What stands in cells, read and written: each codec reads back what it wrote, and refuses in plain words."""

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.exchange import mapping
from marketplace.exchange.cells import day_from_serial, harmless, text_of, without_guard
from marketplace.exchange.columns import (
    Choice,
    Code,
    Codes,
    Column,
    Day,
    Flag,
    Integer,
    Money,
    Number,
    Text,
    Words,
)
from marketplace.exchange.faults import WrongCell
from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.kernel import typed
from marketplace.postings.importing import Indicators


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


COLOURS = Choice(Colour, {Colour.RED: "红（暖）", Colour.BLUE: "蓝"})
PLACES = [("500112", "重庆市渝北区"), ("500107", "重庆市九龙坡区"), ("1", "同名"), ("2", "同名")]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("  甲 ", "甲"),
        (12.0, "12"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e-7, "0.0000001"),
        (True, "是"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22), "2026-11-22"),  # noqa: DTZ001 - as readers of workbooks give it
        (datetime(2026, 11, 22, 8, 30), "2026-11-22 08:30"),  # noqa: DTZ001
        (time(3, 4), "03:04:00"),
        (float("nan"), "nan"),
        (["甲", 2.0], "甲、2"),
        (Decimal("28.500"), "28.5"),
    ],
)
def test_a_cell_is_read_as_a_person_sees_it(cell: Any, text: str) -> None:
    assert text_of(cell) == text


@pytest.mark.parametrize(
    ("codec", "text", "unit", "value"),
    [
        (Money("wan"), "80", "", 80 * 10**6),
        (Money("wan"), "８０．５", "", 805 * 10**5),
        (Money("wan"), "80", "yuan", 8_000),
        (Money("wan"), "800,000元", "", 8 * 10**7),
        (Money("yuan"), "80万元", "", 8 * 10**7),
        (Money("yuan"), "￥1,234.56", "", 123_456),
        (Money("yuan"), "3万", "yuan", 3 * 10**6),
        (Money("yuan"), "12.5元/件", "", 1_250),
        (Number(), "１２", "", Decimal(12)),
        (Number(), "1,200.5", "", Decimal("1200.5")),
        (Integer(1, 9), "７", "", 7),
        (Day(), "46348", "", date(2026, 11, 22)),
        (Day(), "20261122", "", date(2026, 11, 22)),
        (Day(), "2026年11月22日", "", date(2026, 11, 22)),
        (Day(), "2026/11/22 00:00:00", "", date(2026, 11, 22)),
        (Flag(), "ＹＥＳ", "", True),
        (Flag(), "否", "", False),
        (COLOURS, "红 暖", "", Colour.RED),
        (COLOURS, "blue", "", Colour.BLUE),
        (Code(lambda: PLACES, "地区"), "重庆市渝北区", "", "500112"),
        (Code(lambda: PLACES, "地区"), "500112 重庆市渝北区", "", "500112"),
        (Codes(lambda: PLACES, "地区", 3), "500112、重庆市九龙坡区", "", ("500107", "500112")),
        (Words(3, 10), "旋锻，主轴管;旋锻", "", ("旋锻", "主轴管")),
        (Text(10), "两\r\n行", "", "两 行"),
    ],
)
def test_what_offices_write_is_understood(codec: Any, text: str, unit: str, value: Any) -> None:
    assert codec.read(text, unit) == value


@pytest.mark.parametrize(
    ("codec", "text", "named"),
    [
        (Money("wan"), "八十", "金额"),
        (Money("wan"), "-3", "金额"),
        (Money("yuan"), "0.001", "精确到分"),
        (Money("wan"), "9999999999", "万元"),
        (Number(), "1e5", "数字"),
        (Number(), "NaN", "数字"),
        (Integer(1, 9), "10", "9"),
        (Integer(1, 9), "7.5", "整数"),
        (Day(), "明天", "日期"),
        (Day(), "2026-02-30", "日期"),
        (Flag(), "也许", "是"),
        (COLOURS, "绿", "红（暖）"),
        (Code(lambda: PLACES, "地区"), "同名", "1、2"),
        (Code(lambda: PLACES, "地区"), "火星", "火星"),
        (Codes(lambda: PLACES, "地区", 1), "500112、500107", "1"),
        (Words(1, 10), "甲、乙", "1"),
        (Words(3, 2), "三个字", "2"),
        (Text(3), "一二三四", "3"),
        (Text(10), "控制\x07符", "控制字符"),
        (Text(10), "\ud800", "控制字符"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_limit(codec: Any, text: str, named: str) -> None:
    with pytest.raises(WrongCell) as refused:
        codec.read(text)
    message, params = refused.value.message, refused.value.params
    assert named in (message % params if params else message)


@given(st.text(max_size=60))
def test_nothing_that_is_written_starts_a_formula_and_all_of_it_reads_back(text: str) -> None:
    guarded = harmless(text)
    assert isinstance(guarded, str)
    assert not guarded.lstrip(" \u3000\u00a0\ufeff").startswith(
        ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
    )
    if not text.startswith("'"):
        assert without_guard(guarded) == text


names = st.text(
    st.characters(blacklist_categories=["C", "Z"], blacklist_characters="\\"), min_size=1, max_size=12
)
numbers = st.decimals(-10_000, 10_000, places=3).map(lambda d: d + Decimal(0))


@st.composite
def indicators(draw: st.DrawFn) -> Indicator:
    comparator = draw(st.sampled_from(Comparator))
    value = draw(numbers)
    return Indicator(
        name=draw(names),
        comparator=comparator,
        value=value.normalize() if value else Decimal(0),
        value_to=draw(numbers.map(lambda d: d.normalize() if d else Decimal(0)))
        if comparator is Comparator.RANGE
        else None,
        unit=draw(st.sampled_from(["", "mm", "MPa", "万次", "m|s"])),
        condition=draw(st.sampled_from(["", "室温", "甲|乙"])),
        method=draw(st.sampled_from(["", "GB/T 228.1"])),
        verifier=draw(st.sampled_from([None, *Verifier])),
        weight=draw(st.integers(0, 100)),
        mark=draw(st.sampled_from(Mark)),
    )


@given(st.lists(indicators(), max_size=5))
def test_indicators_read_back_as_they_were_written(rows: list[Indicator]) -> None:
    cell = Column("indicators", "考核指标", Indicators())
    assert cell.read(cell.write(tuple(rows))) == tuple(rows)


def test_an_indicator_may_be_written_in_short() -> None:
    assert Indicators().read("★抗拉强度≥1200 MPa\n径向跳动 <= 0.02mm") == (
        Indicator("抗拉强度", Comparator.GE, value=Decimal(1200), unit="MPa", mark=Mark.MUST),
        Indicator("径向跳动", Comparator.LE, value=Decimal("0.02"), unit="mm"),
    )
    # The last one would take hours if the blanks could be divided in many ways.
    blanks = "★" + " " * 30_000 + "x"
    for wrong in ("性能要好", "a|b|c|d|e|f|g|h|i|j|k", "★|名称|≈|5", "★|名称|≥|很大", blanks):
        with pytest.raises(WrongCell):
            Indicators().read(wrong)


@given(
    st.one_of(
        st.tuples(st.just(Day()), st.dates(date(1900, 1, 1), date(2200, 1, 1))),
        st.tuples(st.just(Money("yuan")), st.integers(0, typed.LARGEST_FEN)),
        st.tuples(st.just(Money("wan")), st.integers(0, typed.LARGEST_FEN)),
        st.tuples(st.just(Number()), st.decimals(-(10**14), 10**14, places=6)),
        st.tuples(st.just(Integer(0, 10**6)), st.integers(0, 10**6)),
        st.tuples(st.just(Flag()), st.booleans()),
        st.tuples(st.just(COLOURS), st.sampled_from(Colour)),
        st.tuples(
            st.just(Codes(lambda: PLACES, "地区", 4)),
            st.sets(st.sampled_from([c for c, _ in PLACES])).map(sorted).map(tuple),
        ),
    )
)
def test_every_codec_reads_back_what_it_wrote(pair: tuple[Any, Any]) -> None:
    codec, value = pair
    column = Column("any", "任意", codec)
    assert column.read(column.write(value)) == value


def test_serials_of_days_are_days_only_where_they_can_be() -> None:
    assert day_from_serial("46348") == date(2026, 11, 22)
    assert [day_from_serial(text) for text in ("0", "999999", "４", "-1", "")] == [None] * 5


COLUMNS = (
    Column("title", "标的名称", Text(200), ("品名",), required=True),
    Column("price", "最高限价", Money("yuan"), ("限价",)),
    Column("unit", "计量单位", Text(20), ("单位",)),
)


@pytest.mark.parametrize(
    ("headings", "found"),
    [
        (["标的名称", "最高限价（元）", "单位"], ["title", "price:yuan", "unit"]),
        (["品 名*", "限价(万元)", "备注"], ["title", "price:wan", ""]),
        (["Title", "标的名称", "单位（件/套）"], ["title", "", "unit"]),
        (["", "２", "计量单位"], ["", "", "unit"]),
    ],
)
def test_columns_are_found_by_their_headings(headings: list[str], found: list[str]) -> None:
    assert mapping.guess_mapping(headings, COLUMNS) == found
    assert mapping.is_valid(found, COLUMNS, len(headings))


def test_a_mapping_is_refused_that_names_one_thing_twice_or_none_of_ours() -> None:
    assert not mapping.is_valid(["price:wan", "price:yuan"], COLUMNS, 2)
    assert not mapping.is_valid(["nobody"], COLUMNS, 1)
    assert not mapping.is_valid(["title"], COLUMNS, 2)


def test_headings_may_stand_below_a_title() -> None:
    rows: list[Any] = [(1, ["某某公司 2026 年清单"]), (3, ["品名", "限价", "单位"]), (4, ["轴承", 3, "套"])]
    assert mapping.find_header_row(rows, COLUMNS) == 3
    assert mapping.find_header_row([(2, ["甲"]), (3, ["乙"])], COLUMNS) == 2
