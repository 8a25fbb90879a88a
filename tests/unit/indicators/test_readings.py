"""A kept reading answers as its text does when it is read anew: the same findings, whatever is written."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.indicators.compare import compare
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.offers import Offer, Statement, read_offer
from marketplace.indicators.readings import KeptOffer, written
from tests.unit.indicators.test_compare import required
from tests.unit.indicators.test_endurance import TEXTS, indicators
from tests.unit.indicators.test_phrasings import rows

NAMES = (
    "额定负载",
    "负载",
    "噪声",
    "payload",
    "load capacity",
    "疲劳寿命",
    "密封圈疲劳寿命",
    "工作温度",
    "防护等级",
    "硬度",
    "1,2轴精度",
)
ASKED = [
    *(
        Indicator(name, Comparator.GE, Decimal(12), unit=unit)
        for name in NAMES
        for unit in ("kg", "mm", "次")
    ),
    Indicator("防护等级", Comparator.EQ, text_value="IP67"),
    Indicator("功能安全等级", Comparator.EQ, text_value="ASIL C"),
    Indicator("材质", Comparator.EQ, text_value="40CR"),
]


def kept(offer: Offer) -> KeptOffer:
    return KeptOffer(written(offer), lambda: offer)


def assert_same(offer: Offer, asked: list[Indicator]) -> None:
    again = kept(offer)
    # Twice: the second time from what is remembered.
    for one in (*asked, *asked):
        assert compare(one, again) == compare(one, offer)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, st.lists(indicators(), max_size=3), st.lists(indicators(), max_size=3))
def test_any_text_and_parameters(text: str, parameters: list[Indicator], asked: list[Indicator]) -> None:
    offer = read_offer(parameters, text)
    assert_stands(offer)
    assert_same(offer, [*asked, *ASKED])


SAID = st.sampled_from(
    [
        *NAMES,
        *(
            "200公斤",
            "，",
            ",",
            "。",
            "；\n",
            "\n）",
            "\n",
            "　",
            "㎏",
            "3.2 mm",
            "５万次",
            "ＡＳＩＬ－Ｄ",
            "ip 67",
            "IP67测试",
        ),
        *(
            "目标:",
            "①",
            "国外",
            "不低于",
            "20~30",
            "(kg): 20",
            "載重",
            "軸承",
            "\ud800",
            "\x1d",
            "\x1e",
            "\x1f",
            "İ",
            "\u0301",
        ),
        "很长的一句话没有停顿" * 70,
    ]
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SAID, max_size=30).map("".join))
def test_statements_with_their_quantities_quotes_and_clauses(text: str) -> None:
    offer = read_offer((), text)
    again = kept(offer)
    assert_stands(offer)
    for name in (*NAMES, "ip", "asil"):
        said, anew = list(again.saying([name])), list(offer.saying([name]))
        assert [_all_of(one) for one in said] == [_all_of(one) for one in anew]
    assert_same(offer, ASKED)


def _all_of(statement: Statement) -> tuple[object, ...]:
    return (
        statement.text,
        statement.plain,
        statement.lower,
        statement.is_goal,
        statement.quantities,
        [statement.quote(place) for place in range(len(statement.plain))],
        [statement.written(place, len(statement.plain)) for place in range(len(statement.plain))],
        [statement.clause(place, place) for place in range(len(statement.plain))],
    )


def judged_texts(several: int) -> Iterator[tuple[str, list[Indicator]]]:
    judged = [row for row in rows() if not row.offer.startswith("@")]
    for start in range(0, len(judged), several):
        some = judged[start : start + several]
        yield "\n".join(row.offer for row in some), [required(row.requirement) for row in some]


@pytest.mark.parametrize("several", [1, 7])
def test_judged_phrasings(several: int) -> None:
    for text, asked in judged_texts(several):
        assert_same(read_offer((), text), asked)


def test_what_stands_in_a_sentence_stands_in_the_whole_text() -> None:
    for text in ("负载12kg。\n\u0301payload 13 kg", "ﾊ;ﾟ負載2kg", "x乾①隆 12 kg", "2;\u0338 3 kg，4 kg"):
        assert_stands(read_offer((), text))


def assert_stands(offer: Offer) -> None:
    # No name holds a Chinese comma; in the whole text it is one like any other.
    assert all(one.lower.replace("，", ",") in offer.lower for one in offer.measuring)


def test_an_offer_that_states_nothing_is_kept_as_nothing() -> None:
    assert written(read_offer((), "表面处理,交货快")) == b""
    assert written(read_offer((), "")) == b""


def test_a_long_text_of_many_sentences_takes_room_in_proportion() -> None:
    short, long = ("负载1kg" * times for times in (2_000, 20_000))
    assert len(written(read_offer((), long))) < 11 * len(written(read_offer((), short)))
