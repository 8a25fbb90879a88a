"""Weights: what they refuse, and that they read back to themselves."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, PART_NAMES, Weights, text_limits

PARTS = dict(DEFAULT_WEIGHTS.parts)
TEXT = asdict(DEFAULT_WEIGHTS.text)


def test_weights_read_back_to_themselves_whatever_order_a_database_kept() -> None:
    kept = json.loads(json.dumps(DEFAULT_WEIGHTS.to_dict(), sort_keys=True))
    again = Weights.from_dict(kept)
    assert again.digest() == DEFAULT_WEIGHTS.digest()
    assert tuple(again.parts) == PART_NAMES
    assert again.to_dict() == DEFAULT_WEIGHTS.to_dict()


def test_a_number_that_did_not_exist_yet_is_taken_as_shipped() -> None:
    older = {name: value for name, value in TEXT.items() if name != "concepts"}
    assert Weights.from_dict(DEFAULT_WEIGHTS.to_dict() | {"text": older}).text == DEFAULT_WEIGHTS.text


def test_one_is_one_point_zero_to_the_digest() -> None:
    whole = Weights.from_dict(DEFAULT_WEIGHTS.to_dict() | {"text": TEXT | {"words": 1}})
    assert whole.digest() == DEFAULT_WEIGHTS.digest()


def test_the_shipped_numbers_lie_within_their_limits() -> None:
    assert all(text_limits(name)[0] <= value <= text_limits(name)[1] for name, value in TEXT.items())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parts": PARTS | {"text": 41}}, "add up to 100"),
        ({"parts": PARTS | {"text": -40, "title": 88}}, "add up to 100"),
        ({"parts": PARTS | {"text": 40.0}}, "whole"),
        ({"parts": PARTS | {"text": True}}, "whole"),
        ({"parts": PARTS | {"luck": 0}}, "parts must be"),
        ({"parts": [40]}, "parts must be"),
        ({"marks": {"must": 0, "key": 0, "plain": 0}}, "one mark"),
        ({"marks": {"must": -1, "key": 0, "plain": 0}}, "weigh from"),
        ({"marks": {"must": 5}}, "marks must be"),
        ({"text": TEXT | {"k1": 0.0}}, "k1"),
        ({"text": TEXT | {"b": 1.5}}, "b lies"),
        ({"text": TEXT | {"words": float("nan")}}, "words"),
        ({"text": TEXT | {"words": "1"}}, "words"),
        ({"text": TEXT | {"terms_asked": 1.5}}, "whole"),
        ({"text": TEXT | {"stars": 1.0}}, "no stars"),
        ({"text": None}, "mapping"),
        ({"full_support": 0.01}, "full_support"),
        ({"full_support": float("inf")}, "full_support"),
        ({"version": ""}, "version"),
        ({"version": 1}, "version"),
        ({"more": 1}, "no more"),
    ],
)
def test_what_are_no_weights_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Weights.from_dict(DEFAULT_WEIGHTS.to_dict() | change)


def test_what_leaves_a_section_out_is_refused() -> None:
    with pytest.raises(ValueError, match="have a version"):
        Weights.from_dict({"version": "P"})
