"""What keeps an indicator from being published, all at once, each at its field."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from marketplace.indicators.model import Comparator, Indicator, Verifier
from marketplace.indicators.rules import obstacles_in_indicator

SOUND = Indicator(
    "额定负载",
    Comparator.GE,
    Decimal(180),
    unit="kg",
    method="GB/T 12642",
    verifier=Verifier.THIRD_PARTY,
    weight=20,
)


def fields(indicator: Indicator) -> list[str]:
    return [field for field, _, _ in obstacles_in_indicator(indicator)]


@pytest.mark.parametrize(
    "indicator",
    [
        SOUND,
        replace(SOUND, comparator=Comparator.RANGE, value_to=Decimal(200)),
        replace(SOUND, comparator=Comparator.PM, nominal=Decimal(500)),
        replace(SOUND, comparator=Comparator.EQ, value=None, unit="", text_value="ASIL D"),
    ],
)
def test_a_sound_indicator_can_be_published(indicator: Indicator) -> None:
    assert fields(indicator) == []


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        (replace(SOUND, name=" "), ["name"]),
        (replace(SOUND, value=None), ["value"]),
        (replace(SOUND, unit=" "), ["unit"]),
        (replace(SOUND, method=""), ["method"]),
        (replace(SOUND, verifier=None), ["verifier"]),
        (replace(SOUND, weight=101), ["weight"]),
        (replace(SOUND, weight=-1), ["weight"]),
        (replace(SOUND, comparator=Comparator.RANGE), ["value_to"]),
        (replace(SOUND, comparator=Comparator.RANGE, value_to=Decimal(100)), ["value_to"]),
        (replace(SOUND, comparator=Comparator.RANGE, value_to=Decimal(180)), ["value_to"]),
        (replace(SOUND, comparator=Comparator.PM, value=Decimal(0)), ["value"]),
        (replace(SOUND, comparator=Comparator.EQ, text_value="IP67"), ["text_value"]),
        (replace(SOUND, comparator=Comparator.EQ, value=None), ["value"]),
        (Indicator("", Comparator.RANGE), ["name", "value", "unit", "value_to", "method", "verifier"]),
    ],
)
def test_every_obstacle_is_told_at_its_field(indicator: Indicator, expected: list[str]) -> None:
    assert fields(indicator) == expected


def test_messages_take_their_parameters() -> None:
    drafts = [Indicator("", comparator, value) for comparator in Comparator for value in (None, Decimal(-1))]
    drafts.append(replace(SOUND, comparator=Comparator.RANGE, value_to=Decimal(1)))
    told = [message % params for draft in drafts for _, message, params in obstacles_in_indicator(draft)]
    assert "区间上限应大于下限 180" in told
    assert "填写“≥”的指标值" in told
    assert not [text for text in told if "%(" in text]
