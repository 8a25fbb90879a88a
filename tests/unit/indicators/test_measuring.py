"""Sentences that are not read for quantities are those that hold none, whatever is written in them."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.indicators import offers
from marketplace.indicators.offers import read_offer
from marketplace.language import normalise
from marketplace.language.taiwan import VOCABULARY

NUMERAL = offers._MAY_MEASURE


def is_passed_over(text: str) -> bool:
    return not any(map(str.isnumeric, text)) and not offers._OTHER_NUMERALS.search(text)


def test_no_character_that_is_passed_over_becomes_a_numeral():
    every = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    suspects = [one for one in every if is_passed_over(one) and not one.isascii()]
    composed = [one for one in suspects if NUMERAL.search(unicodedata.normalize("NFKC", one))]
    assert composed == []
    spelled = normalise("\u0001".join(suspects[:60_000])).lower()
    assert NUMERAL.search(spelled) is None


def test_no_word_of_taiwan_becomes_a_numeral():
    assert [word for word, becomes in VOCABULARY if is_passed_over(word) and NUMERAL.search(becomes)] == []


SAID = st.sampled_from(
    [
        "额定负载",
        "约",
        "二百",
        "200",
        "２００",
        "㎏",
        "公斤",
        "，",
        "。",
        "；",
        "半",
        "两年",
        "①",
        "以上",
        " ",
        "IP67",
        "Ⅳ级",
    ]
)


@settings(deadline=None)
@given(st.lists(SAID | st.text(max_size=4), max_size=25).map("".join))
def test_every_statement_with_a_quantity_is_read(text):
    offer = read_offer((), text)
    measured = {(one.text, one.plain) for one in offer.measuring}
    assert all((one.text, one.plain) in measured for one in offer.statements if one.quantities)
