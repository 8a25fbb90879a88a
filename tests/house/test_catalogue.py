"""The English catalogue says every text of the code, whole, and with the same places."""

import re

import polib
import pytest

from tools import messages

HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
PLACE = re.compile(r"%\(\w+\)[a-z]|%%|%")
# What is written by the reader in Chinese, or is named so nowhere else.
WORDS_OF_CHINESE = ("万元", "元")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return messages.read()


def test_the_catalogue_holds_the_texts_of_the_code_and_no_others(catalogue: polib.POFile) -> None:
    said, written = {entry.msgid for entry in catalogue}, set(messages.extract())
    assert sorted(written - said) == [], "run `make messages` and translate these"
    assert sorted(said - written) == [], "run `make messages`: these are no longer said"


def test_no_entry_is_empty_fuzzy_or_obsolete(catalogue: polib.POFile) -> None:
    assert [entry.msgid for entry in catalogue if not entry.msgstr.strip()] == []
    assert [entry.msgid for entry in catalogue if entry.fuzzy or entry.obsolete] == []


def test_both_sides_have_the_same_places(catalogue: polib.POFile) -> None:
    assert [
        (entry.msgid, entry.msgstr)
        for entry in catalogue
        if sorted(PLACE.findall(entry.msgid)) != sorted(PLACE.findall(entry.msgstr))
    ] == []


def foreign(text: str) -> bool:
    for word in WORDS_OF_CHINESE:
        text = text.replace(word, "")
    return bool(HAN.search(text))


def test_english_is_english(catalogue: polib.POFile) -> None:
    assert [entry.msgstr for entry in catalogue if foreign(entry.msgstr)] == []
    assert foreign("Acting for 单位")
    assert foreign("Reason：none")
