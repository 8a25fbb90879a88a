"""Every number of the weights has its words, and what is said of shares is what the engine gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from types import MappingProxyType

import pytest
from flask import Flask
from flask_babel import Babel

from marketplace.language import Dictionary
from marketplace.matching import setting_presenters as words
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, MARK_NAMES, PART_NAMES, TextWeights


@pytest.fixture(autouse=True)
def _in_an_application() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def test_every_number_has_its_words() -> None:
    assert {one.name for one in fields(TextWeights)} == set(words.TEXT_NUMBERS)
    assert set(words.further_numbers()) == set(words.LIMITS)
    assert set(MARK_NAMES) == set(words.MARKS)


def test_every_part_says_what_earns_it_in_numbers_of_the_engine() -> None:
    rules = {rule.name: rule for rule in words.part_rules(DEFAULT_WEIGHTS)}
    assert tuple(rules) == PART_NAMES
    assert sum(rule.points for rule in rules.values()) == 100
    assert "同市计 80%" in rules["region"].text
    assert "部分满足计 50%" in rules["indicators"].text
    assert "低两级计 50%" in rules["trl"].text
    assert "小巨人 100%" in rules["designations"].text
    assert not any("%(" in rule.text for rule in rules.values())


def test_the_words_follow_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from marketplace.matching.engine import parts

    words._shares.cache_clear()
    monkeypatch.setattr(parts, "_SAME_CITY", 0.7)
    assert "同市计 70%" in {r.name: r.text for r in words.part_rules(DEFAULT_WEIGHTS)}["region"]
    words._shares.cache_clear()


def test_only_what_differs_is_told() -> None:
    changed = replace(
        DEFAULT_WEIGHTS,
        parts=MappingProxyType(dict(DEFAULT_WEIGHTS.parts) | {"text": 30, "region": 14}),
        text=replace(DEFAULT_WEIGHTS.text, k1=1.5),
    )
    told = [(one.label, one.before, one.after) for one in words.weight_changes(DEFAULT_WEIGHTS, changed)]
    assert told == [("文本术语", "40", "30"), ("地区", "4", "14"), ("重复饱和 k1", "1.2", "1.5")]
    assert words.weight_changes(DEFAULT_WEIGHTS, DEFAULT_WEIGHTS) == []


def test_words_and_groups_that_come_and_go() -> None:
    before = Dictionary("A", ("轴承钢", "淬火"), (("轴承", "培林"),))
    after = Dictionary("B", ("淬火", "渗碳"), (("轴承", "培林"), ("焊接", "熔接")))
    found = words.dictionary_changes(before, after)
    assert (found.words_in, found.words_out) == (["渗碳"], ["轴承钢"])
    assert (found.groups_in, found.groups_out) == (["焊接、熔接"], [])
