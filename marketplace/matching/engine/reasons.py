"""Why a match stands where it stands: terms, indicators, what was lost, and what would help.

Everything here is data: codes, names and points that add up, to be put into words where they are shown.
All points are whole millionths; the terms' add up to the text part, the losses' to 100 minus the score.
Not here: the score itself (`ranking`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.indicators.compare import Verdict
from marketplace.indicators.model import Mark
from marketplace.matching.engine.index import Index
from marketplace.matching.engine.parts import Comparison
from marketplace.matching.engine.ranking import Match, Part
from marketplace.matching.engine.scoring import Query, term_products, weigh
from marketplace.matching.engine.terms import BIGRAMS, CHARACTERS, WORDS, field_of, plain

_TERMS_SHOWN = 12
_MISSING_SHOWN = 5
_WORD_LENGTH_SHOWN = 2  # a single Han character explains nothing to a reader


@dataclass(frozen=True, slots=True)
class TermPoints:
    """A shared term and what it adds; characters and bigrams are counted with the word they lie in."""

    term: str
    points: int


@dataclass(frozen=True, slots=True)
class IndicatorPoints:
    """One indicator's line: verdict, evidence, and points earned out of what it could earn."""

    name: str
    requirement: str
    mark: str
    verdict: str
    offered: str
    quote: str
    conversion: str
    points: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Points that were not earned, why (a code), and the facts for the sentence."""

    code: str
    points: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advice:
    """What would raise the score or close a gap: a code and the facts for the sentence."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reasons:
    """The whole explanation of one match."""

    terms: tuple[TermPoints, ...]
    other_terms: TermPoints  # `term` is empty: everything too small to be named
    indicators: tuple[IndicatorPoints, ...]
    losses: tuple[Loss, ...]
    advice: tuple[Advice, ...]


def explain(match: Match, index: Index, others: Sequence[Match] = ()) -> Reasons:
    """Reasons of `match`, whose capability must be in `index`; `others` are asked to fill its gaps."""
    return explain_all([match], index, others)[0]


def explain_all(matches: Sequence[Match], index: Index, others: Sequence[Match] = ()) -> list[Reasons]:
    """Reasons of several matches of one seeker, whose terms are weighed once."""
    if not matches:
        return []
    query = weigh(matches[0].seeker, index)
    rows = {document.key: row for row, document in enumerate(index.documents_)}
    shared = term_products(query, index, [rows[match.capability.key] for match in matches])
    return [_explain(match, query, products, others) for match, products in zip(matches, shared, strict=True)]


def _explain(match: Match, query: Query, products: Mapping[str, int], others: Sequence[Match]) -> Reasons:
    shown, rest = _terms(products, match.part("text").points)
    indicators = _indicators(match)
    return Reasons(
        terms=shown,
        other_terms=rest,
        indicators=indicators,
        losses=tuple(_losses(match, indicators, _missing(query, products))),
        advice=tuple(_advice(match, others)),
    )


def spread(points: int, shares: Sequence[float]) -> list[int]:
    """Cut whole `points` in proportion to `shares` so that the pieces add up exactly.

    Largest remainder; equal remainders go to the earlier one. Without any share all pieces are 0.
    """
    total = sum(shares)
    if total <= 0:
        return [0] * len(shares)
    exact = [points * share / total for share in shares]
    pieces = [int(piece) for piece in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (pieces[i] - exact[i], i))
    for i in by_remainder[: points - sum(pieces)]:
        pieces[i] += 1
    return pieces


def _terms(products: Mapping[str, int], points: int) -> tuple[tuple[TermPoints, ...], TermPoints]:
    folded = _folded(products)
    names = sorted(folded, key=lambda term: (-folded[term], term))
    pieces = dict(zip(names, spread(points, [folded[name] for name in names]), strict=True))
    shown = [name for name in names if len(name) >= _WORD_LENGTH_SHOWN][:_TERMS_SHOWN]
    rest = sum(pieces[name] for name in names if name not in shown)
    return tuple(TermPoints(name, pieces[name]) for name in shown), TermPoints("", rest)


def _folded(products: Mapping[str, int]) -> dict[str, int]:
    """Products by the term a reader knows: each n-gram goes to the weightiest shared word around it."""
    words = {plain(term): value for term, value in products.items() if field_of(term) == WORDS}
    folded = dict(words)
    for level in (BIGRAMS, CHARACTERS):
        wholes = sorted(folded, key=lambda term: (-folded[term], term))
        for term, value in products.items():
            if field_of(term) == level:
                gram = plain(term)
                whole = next((word for word in wholes if gram in word), gram)
                folded[whole] = folded.get(whole, 0) + value
    for term, value in products.items():
        if field_of(term) not in (WORDS, BIGRAMS, CHARACTERS):
            folded[plain(term)] = folded.get(plain(term), 0) + value
    return folded


def _missing(query: Query, products: Mapping[str, int]) -> list[str]:
    """The seeker's weightiest words that the capability does not say."""
    absent = {
        plain(term): weight
        for term, weight in query.weights.items()
        if field_of(term) == WORDS and term not in products and len(plain(term)) >= _WORD_LENGTH_SHOWN
    }
    return sorted(absent, key=lambda word: (-absent[word], word))[:_MISSING_SHOWN]


def _indicators(match: Match) -> tuple[IndicatorPoints, ...]:
    part = match.part("indicators")
    earned = spread(part.points, [comparison.share for comparison in match.comparisons])
    possible = spread(part.maximum, [comparison.weight for comparison in match.comparisons])
    return tuple(
        _indicator_line(comparison, points, maximum)
        for comparison, points, maximum in zip(match.comparisons, earned, possible, strict=True)
    )


def _indicator_line(comparison: Comparison, points: int, maximum: int) -> IndicatorPoints:
    required, finding = comparison.indicator, comparison.finding
    return IndicatorPoints(
        name=required.name,
        requirement=required.requirement_text(),
        mark=required.mark.value,
        verdict=finding.verdict.value,
        offered=finding.offered_text,
        quote=finding.quote,
        conversion=finding.conversion,
        points=points,
        maximum=maximum,
    )


def _losses(match: Match, indicators: Sequence[IndicatorPoints], missing: Sequence[str]) -> Iterator[Loss]:
    """What each part did not earn, biggest first; together exactly 100 minus the score."""
    losses = []
    for part in match.parts:
        if part.name == "indicators" and indicators:
            losses += [
                Loss(
                    f"indicator.{line.verdict}",
                    line.maximum - line.points,
                    {
                        "name": line.name,
                        "requirement": line.requirement,
                        "mark": line.mark,
                        "offered": line.offered,
                    },
                )
                for line in indicators
            ]
        elif part.name == "text":
            losses.append(Loss("text", part.maximum - part.points, {"missing": list(missing)}))
        else:
            losses.append(_part_loss(match, part))
    yield from sorted((loss for loss in losses if loss.points), key=lambda loss: (-loss.points, loss.code))


def _part_loss(match: Match, part: Part) -> Loss:
    lost = part.maximum - part.points
    facts: dict[str, Any] = dict(part.facts)
    if match.support < 1.0:
        facts["support"] = round(match.support, 4)
    asked, stated = _sides(match, part.name)
    if not asked:
        return Loss(f"{part.name}.not_asked", lost, facts)
    if not stated:
        return Loss(f"{part.name}.unstated", lost, facts)
    return Loss(f"{part.name}.short", lost, facts)


def _sides(match: Match, name: str) -> tuple[bool, bool]:
    """Whether the seeker asks for this part at all, and whether the capability says anything on it."""
    seeker, capability = match.seeker, match.capability
    sides = {
        "title": (bool(seeker.title), bool(capability.title)),
        "indicators": (bool(seeker.indicators), True),
        "taxonomy": (
            bool(seeker.clusters or seeker.industry),
            bool(capability.clusters or capability.industry),
        ),
        "trl": (seeker.trl_target is not None, capability.trl is not None),
        "region": (bool(seeker.region), bool(capability.region)),
        "cooperation": (bool(seeker.cooperation), bool(capability.cooperation)),
        "designations": (True, bool(capability.designations)),
    }
    return sides[name]


def _advice(match: Match, others: Sequence[Match]) -> Iterator[Advice]:
    """For each indicator not met: who else on the list meets it, or that the organisation may be asked."""
    order = {Mark.MUST: 0, Mark.KEY: 1, Mark.PLAIN: 2}
    gaps = sorted(
        (
            (order[comparison.indicator.mark], place)
            for place, comparison in enumerate(match.comparisons)
            if comparison.finding.verdict is not Verdict.MET
        ),
    )
    for _, place in gaps:
        comparison = match.comparisons[place]
        facts = {"name": comparison.indicator.name, "mark": comparison.indicator.mark.value}
        if comparison.finding.verdict is Verdict.UNSTATED:
            yield Advice("ask", facts)
        helper = next((other for other in others if _meets(other, place) and other is not match), None)
        if helper is not None:
            yield Advice(
                "complement", facts | {"capability": helper.capability.id, "title": helper.capability.title}
            )


def _meets(match: Match, place: int) -> bool:
    return len(match.comparisons) > place and match.comparisons[place].finding.verdict is Verdict.MET


def strengths(reasons: Reasons) -> list[IndicatorPoints]:
    """Indicators met, ★ first."""
    return _by_mark(line for line in reasons.indicators if line.verdict == Verdict.MET)


def weaknesses(reasons: Reasons) -> list[IndicatorPoints]:
    """Indicators not met or not stated, ★ first."""
    return _by_mark(line for line in reasons.indicators if line.verdict != Verdict.MET)


def _by_mark(lines: Iterator[IndicatorPoints]) -> list[IndicatorPoints]:
    order = [mark.value for mark in Mark]
    return sorted(lines, key=lambda line: order.index(line.mark))
