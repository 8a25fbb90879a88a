"""Whether what somebody offers meets an indicator: met, unmet, partial, or not stated.

Structured parameters come first, then quantities in text beside the indicator's name. Nothing is guessed:
another name, another dimension, a goal, somebody else's product or a bound on the wrong side is 未说明.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from marketplace.indicators.attribution import is_not_theirs, is_only_named, quantity_of
from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.names import Name, may_stand_in, places, spellings, understand
from marketplace.indicators.offers import Offered, Statement
from marketplace.indicators.reader import Quantity, grade_kind, grade_text
from marketplace.indicators.units import conversion_text, convert, same_dimension
from marketplace.indicators.verdicts import Verdict, decide, decide_grade

_STATEMENTS_AT_MOST = 40
_RISE = re.compile("温升|温差|升温|降温|temperature rise")  # 25 ℃ of these are 25 K, not 298 K


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its evidence; all texts are empty when nothing comparable is stated."""

    verdict: Verdict
    quote: str  # the sentence as written, or the parameter's name and value
    conversion: str  # "3.2 tf × 9.80665 = 31.4 kN"; empty if the units are the same
    offered_text: str  # the offered value as written: "200公斤"


NOTHING = Finding(Verdict.UNSTATED, "", "", "")


def compare(required: Indicator, offer: Offered) -> Finding:
    """How an offer stands to `required`: its structured parameters first, then its text.

    The quote is a piece of the offer's text as written. A draft requirement without value gives UNSTATED.
    Never raises; linear in the length of the text at worst, and a few microseconds where the name does not
    stand in it at all.
    """
    if required.value is None and not required.text_value:
        return NOTHING
    name = understand(required.name)
    for parameter in offer.parameters_of(name):
        finding = _structured(required, parameter)
        if finding.verdict is not Verdict.UNSTATED:
            return finding
    if required.text_value:
        return _grade_in_text(required, name, offer)
    return _together(_in_text(required, name, offer))


def _structured(required: Indicator, parameter: Indicator) -> Finding:
    stated = parameter.requirement_text()
    quote = f"{parameter.name} {stated}"
    if required.text_value:
        verdict = decide_grade(required.text_value, parameter.text_value)
        return Finding(verdict, quote, "", stated) if verdict is not Verdict.UNSTATED else NOTHING
    quantity = Quantity(
        parameter.comparator,
        parameter.value,
        parameter.value_to,
        parameter.nominal,
        "",
        parameter.unit,
        False,
        0,
        0,
    )
    return _judged(required, quantity, quote, stated)


def _judged(required: Indicator, quantity: Quantity, quote: str, stated: str) -> Finding:
    if quantity.value is None or not same_dimension(quantity.unit, required.unit):
        return NOTHING
    unit, is_difference = quantity.unit, quantity.comparator is Comparator.PM
    is_rise = _RISE.search(required.name) is not None
    conversions: list[str] = []

    def converted(value: Decimal | None, *, difference: bool) -> Decimal | None:
        if value is None:
            return None
        conversions.append(conversion_text(value, unit, required.unit, difference=difference))
        return convert(value, unit, required.unit, difference=difference)

    # 优于 is a bound on the side that the requirement asks about
    as_required = quantity.better and required.comparator in (Comparator.GE, Comparator.LE)
    in_unit = replace(
        quantity,
        comparator=required.comparator if as_required else quantity.comparator,
        nominal=converted(quantity.nominal, difference=is_rise),
        value=converted(quantity.value, difference=is_difference or is_rise),
        value_to=converted(quantity.value_to, difference=is_rise),
        unit=required.unit,
    )
    verdict = decide(required, in_unit)
    if verdict is Verdict.UNSTATED:
        return NOTHING
    return Finding(verdict, quote, "; ".join(filter(None, conversions)), stated)


def _grade_in_text(required: Indicator, name: Name, offer: Offered) -> Finding:
    """A grade of a known kind names itself (IP67); any other must stand beside the indicator's name."""
    wanted = grade_text(required.text_value)
    kind = grade_kind(wanted)
    found: list[Finding] = []
    if kind:
        for statement in offer.saying((kind.lower(),)):
            found.extend(_grades_stated(statement, wanted, kind))
    elif may_stand_in(name, offer.lower):
        found.extend(
            Finding(Verdict.MET, statement.quote(named[0].start), "", required.text_value)
            for statement in offer.statements
            if (named := places(name, statement.lower)) and _stands_in(wanted, statement.plain.upper())
        )
    return _together(found)


def _grades_stated(statement: Statement, wanted: str, kind: str) -> Iterable[Finding]:
    for quantity in statement.quantities:
        place = quantity.start, quantity.end
        is_theirs = not is_only_named(statement, *place) and not is_not_theirs(statement, *place)
        if quantity.text_value.startswith(kind) and is_theirs:
            verdict = decide_grade(wanted, quantity.text_value)
            if verdict is not Verdict.UNSTATED:
                stated = statement.written(quantity.start, quantity.end)
                yield Finding(verdict, statement.quote(quantity.start), "", stated)


def _stands_in(grade: str, sentence: str) -> bool:
    return re.search(rf"(?<![A-Z0-9]){re.escape(grade)}(?![A-Z0-9])", sentence) is not None


def _in_text(required: Indicator, name: Name, offer: Offered) -> list[Finding]:
    found: list[Finding] = []
    called = spellings(name.core)
    for statement in offer.saying((*called.whole, *called.heads)):
        for place in places(name, statement.lower):
            quantity = quantity_of(statement, place.start, place.end, required.unit)
            if quantity is not None:
                stated = statement.written(quantity.start, quantity.end)
                finding = _judged(required, quantity, statement.quote(place.start), stated)
                if finding.verdict is not Verdict.UNSTATED:
                    found.append(finding)
        if len(found) >= _STATEMENTS_AT_MOST:
            break
    return found


def _together(findings: Iterable[Finding]) -> Finding:
    """One finding of several statements: they agree, or only a part of them meets the requirement."""
    findings = list(findings)
    by_verdict = {finding.verdict: finding for finding in reversed(findings)}
    if len(by_verdict) == 1:
        return findings[0]
    if not by_verdict:
        return NOTHING
    best = by_verdict.get(Verdict.MET) or by_verdict[Verdict.PARTIAL]
    return replace(best, verdict=Verdict.PARTIAL)
