"""What a stated quantity or grade says to a required one: the decision alone, both in one unit.

Not here: finding the quantity, converting it, quoting it (`compare`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum

from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.reader import Quantity, grade_text

_ABOUT = Decimal("0.1")  # 约200 may be 180 as well as 220: met only if both are

# Names whose range has to be covered (a machine for −40～125 ℃); for the others a value inside is enough.
_TO_BE_COVERED = re.compile("温度|范围|区间|量程|频段|频率|波段|行程|适应|适用|湿度|电压")
# Names for which a bare ±x is a bound on the deviation.
_DEVIATION = re.compile(
    "精度|误差|偏差|公差|跳动|同轴度|平面度|平行度|垂直度|圆度|重复性|一致性|波动|accuracy|error|deviation"
)
_LETTERS = "ABCD"


class Verdict(StrEnum):
    """How an offer stands to a requirement; PARTIAL if only a part of what is stated meets it."""

    MET = "met"
    UNMET = "unmet"
    PARTIAL = "partial"
    UNSTATED = "unstated"


def decide(required: Indicator, offered: Quantity) -> Verdict:
    """What `offered` says to `required`, which is in the same unit and has a value; unsure is UNSTATED."""
    if not offered.approximate or offered.value is None:
        return _decide(required, offered)
    verdicts = {
        _decide(required, _scaled(offered, factor)) for factor in (1 - _ABOUT, Decimal(1), 1 + _ABOUT)
    }
    return verdicts.pop() if len(verdicts) == 1 else Verdict.UNSTATED


def _scaled(quantity: Quantity, factor: Decimal) -> Quantity:
    value, value_to = quantity.value, quantity.value_to
    return replace(
        quantity,
        value=None if value is None else value * factor,
        value_to=None if value_to is None else value_to * factor,
    )


def _decide(required: Indicator, offered: Quantity) -> Verdict:
    """Both in the same unit."""
    low, high = _extent(offered)
    is_bare = offered.comparator is Comparator.PM and offered.nominal is None
    if required.comparator is Comparator.PM and required.nominal is None:
        return _decide_tolerance(required, offered)
    if is_bare:
        if required.comparator is Comparator.LE and _DEVIATION.search(required.name):
            return _met(
                offered.value is not None and required.value is not None and offered.value <= required.value
            )
        return Verdict.UNSTATED
    if required.comparator in (Comparator.GE, Comparator.LE):
        return _decide_bound(required, low, high)
    return _decide_interval(required, offered, low, high)


def _extent(offered: Quantity) -> tuple[Decimal | None, Decimal | None]:
    """What is stated as an interval; None is an open side."""
    value = offered.value
    assert value is not None
    match offered.comparator:
        case Comparator.GE:
            return value, None
        case Comparator.LE:
            return None, value
        case Comparator.RANGE:
            return value, offered.value_to
        case Comparator.PM if offered.nominal is not None:
            return offered.nominal - value, offered.nominal + value
    return value, value


def _met(is_met: bool) -> Verdict:
    return Verdict.MET if is_met else Verdict.UNMET


def _decide_bound(required: Indicator, low: Decimal | None, high: Decimal | None) -> Verdict:
    """Required ≥ bound (≤ is its mirror image).

    "≥150" offered for "≥180" promises too little: unmet. "≤200" says nothing on reaching 180, unless it
    lies below: then unmet.
    """
    bound = required.value
    assert bound is not None
    if required.comparator is Comparator.LE:
        bound, low, high = -bound, None if high is None else -high, None if low is None else -low
    if low is not None and low >= bound:
        return Verdict.MET
    if high is not None and high < bound:
        return Verdict.UNMET
    if low is None:
        return Verdict.UNSTATED
    return Verdict.UNMET if high is None else Verdict.PARTIAL


def _decide_interval(
    required: Indicator, offered: Quantity, low: Decimal | None, high: Decimal | None
) -> Verdict:
    """Required a range, a value with tolerance, or one exact value."""
    first, last = _required_extent(required)
    if (low is not None and low > last) or (high is not None and high < first):
        return Verdict.UNMET
    if low is None or high is None:
        return Verdict.UNSTATED
    inside, covers = first <= low and high <= last, low <= first and last <= high
    if inside and covers:
        return Verdict.MET
    if required.comparator is Comparator.RANGE:
        to_be_covered = _TO_BE_COVERED.search(required.name) is not None
        if to_be_covered:
            return Verdict.MET if covers else Verdict.PARTIAL
        # a single value inside is enough (60 HRC for 58～62); two ranges are compared by coverage
        return Verdict.MET if covers or (inside and low == high) else Verdict.PARTIAL
    if required.comparator is Comparator.PM:
        return Verdict.MET if inside else Verdict.PARTIAL
    if offered.comparator is Comparator.PM and offered.nominal == required.value:
        return Verdict.MET
    return Verdict.PARTIAL


def _required_extent(required: Indicator) -> tuple[Decimal, Decimal]:
    value = required.value
    assert value is not None
    if required.comparator is Comparator.RANGE and required.value_to is not None:
        return value, required.value_to
    if required.comparator is Comparator.PM and required.nominal is not None:
        return required.nominal - value, required.nominal + value
    return value, value


def _decide_tolerance(required: Indicator, offered: Quantity) -> Verdict:
    """Required a bare ±t. Between t and 2t a plain "0.08 mm" may mean ±0.04: not stated."""
    tolerance, value = required.value, offered.value
    assert tolerance is not None
    assert value is not None
    match offered.comparator:
        case Comparator.PM:
            return _met(value <= tolerance)
        case Comparator.EQ | Comparator.LE if value >= 0:
            if value <= tolerance:
                return Verdict.MET
            return (
                Verdict.UNMET
                if value > 2 * tolerance and offered.comparator is Comparator.EQ
                else Verdict.UNSTATED
            )
    return Verdict.UNSTATED


def decide_grade(required: str, offered: str) -> Verdict:
    """Grades with a known order (IP, ASIL) are compared; of others only equality is certain."""
    wanted, stated = grade_text(required), grade_text(offered)
    if not stated:
        return Verdict.UNSTATED
    if wanted == stated:
        return Verdict.MET
    if wanted.startswith("ASIL ") and stated.startswith("ASIL "):
        if wanted[5:6] in _LETTERS and stated[5:6] in _LETTERS and "(" not in wanted + stated:
            return _met(stated[5:6] >= wanted[5:6])
        return Verdict.UNSTATED
    ip_wanted, ip_stated = re.fullmatch(r"IP(\d)(\d)", wanted), re.fullmatch(r"IP(\d)(\d)", stated)
    if ip_wanted and ip_stated:
        return _met(ip_stated[1] >= ip_wanted[1] and ip_stated[2] >= ip_wanted[2])
    return Verdict.UNSTATED
