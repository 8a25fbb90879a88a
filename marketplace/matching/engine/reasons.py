"""Why a match stands where it stands: words, indicators, what was lost, and what would help.

Everything here is data: codes, names and points that add up, to be put into words where they are shown.
All points are whole millionths; the words' add up to the text part, the indicators' to their part, the
losses' to 100 minus the score. Not here: the score itself (`ranking`), which fragment belongs to which
word (`wording`), what would raise a score (`advice`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from marketplace.language import Dictionary, normalise
from marketplace.matching.engine.advice import Advice, advise, statable, titles
from marketplace.matching.engine.index import Index
from marketplace.matching.engine.parts import Comparison
from marketplace.matching.engine.ranking import Match, Part
from marketplace.matching.engine.rounding import in_units, spread
from marketplace.matching.engine.terms import WORDS, field_of, plain
from marketplace.matching.engine.weights import MICRO
from marketplace.matching.engine.wording import Wording

_TERMS_SHOWN = 12
_MISSING_SHOWN = 5
_KEY_WORDS = 30  # so many of the seeker's weightiest words say what it is about
_SHARES = 10**12  # shares of indicators as whole numbers, finer than a millionth of a point


@dataclass(frozen=True, slots=True)
class TermPoints:
    """A shared word and what it adds; characters and bigrams are counted with the word they lie in."""

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
class Coverage:
    """How many of the seeker's weightiest words the capability says."""

    asked: int
    said: int


@dataclass(frozen=True, slots=True)
class Reasons:
    """The whole explanation of one match."""

    terms: tuple[TermPoints, ...]
    other_terms: TermPoints  # `term` is empty: what is too small to be named, and fragments of no word
    coverage: Coverage
    indicators: tuple[IndicatorPoints, ...]
    losses: tuple[Loss, ...]
    advice: tuple[Advice, ...]
    titles: Mapping[str, int]  # see `advice.titles`


def explain(match: Match, index: Index) -> Reasons:
    """Reasons of `match`, whose capability must be in `index`."""
    return explain_all([match], index)[0]


def explain_all(matches: Sequence[Match], index: Index) -> list[Reasons]:
    """Reasons of several matches of one seeker, whose text is taken apart once."""
    if not matches:
        return []
    worth_of, shared = _shared(matches, index)
    asked = _Asked(matches[0], worth_of, index.dictionary)
    return [_explain(match, asked, products) for match, products in zip(matches, shared, strict=True)]


def _shared(matches: Sequence[Match], index: Index) -> tuple[Mapping[str, float], list[dict[str, int]]]:
    """What the seeker's terms are worth, and for each match the product of every term that both have."""
    query = index.weigh(matches[0].seeker)
    return query.worth_of, [index.products(query, match.capability.id) for match in matches]


class _Asked:
    """What is the same for every capability of one seeker."""

    def __init__(self, match: Match, worth_of: Mapping[str, float], dictionary: Dictionary) -> None:
        self.wording = Wording(match.seeker, dictionary)
        self.statable = statable(match.seeker)
        words = {plain(term): worth for term, worth in worth_of.items() if field_of(term) == WORDS}
        ordered = sorted(words, key=lambda word: (-words[word], word))
        self.key_words = ordered[:_KEY_WORDS]

    def missing(self, said: Collection[str]) -> list[str]:
        """The weightiest words that are not said, those left out that lie in another one of them."""
        unsaid = [word for word in self.key_words if word not in said]
        return [
            self.wording.shown.get(word, word)
            for word in unsaid
            if self.wording.whole_of(word, unsaid) == word
        ]


def _explain(match: Match, asked: _Asked, products: Mapping[str, int]) -> Reasons:
    text = _plain(match.capability.body())
    shown, rest = _terms(*asked.wording.fold(products, text), match.part("text").points, asked.wording)
    indicators = _indicators(match)
    said = {plain(term) for term in products if field_of(term) == WORDS}
    return Reasons(
        terms=shown,
        other_terms=rest,
        coverage=Coverage(len(asked.key_words), sum(word in said for word in asked.key_words)),
        indicators=indicators,
        losses=tuple(_losses(match, indicators, asked.missing(said)[:_MISSING_SHOWN])),
        advice=advise(match, asked.statable),
        titles=titles(match),
    )


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return normalise(text).lower()


def _terms(
    folded: Mapping[str, int], rest: int, points: int, wording: Wording
) -> tuple[tuple[TermPoints, ...], TermPoints]:
    names = sorted(folded, key=lambda term: (-folded[term], term))
    pieces = spread(points, [*(folded[name] for name in names), rest])
    shown = [
        TermPoints(wording.shown.get(name, name), piece)
        for name, piece in zip(names[:_TERMS_SHOWN], pieces, strict=False)
    ]
    return tuple(shown), TermPoints("", points - sum(term.points for term in shown))


def _indicators(match: Match) -> tuple[IndicatorPoints, ...]:
    """Lines whose points and maxima both add up to those of the part; none earns more than it could."""
    part = match.part("indicators")
    if not match.comparisons:
        return ()
    earned = spread(part.points, [round(one.share * _SHARES) for one in match.comparisons])
    whole = [
        one.share == one.weight and match.support >= 1.0 and part.points > 0 for one in match.comparisons
    ]
    possible = in_units(
        [part.maximum * round(one.weight * _SHARES) for one in match.comparisons],
        _SHARES,
        part.maximum,
        least=earned,
        most=[points if is_whole else None for points, is_whole in zip(earned, whole, strict=True)],
    )
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
                Loss(f"indicator.{line.verdict}", line.maximum - line.points, {"place": place})
                for place, line in enumerate(indicators)
            ]
        elif part.name == "text":
            losses.append(Loss("text", part.maximum - part.points, {"missing": list(missing)}))
        else:
            losses.append(_part_loss(match, part))
    yield from sorted((loss for loss in losses if loss.points), key=lambda loss: (-loss.points, loss.code))


def _part_loss(match: Match, part: Part) -> Loss:
    asked, stated = _sides(match, part.name)
    how = "not_asked" if not asked else "unstated" if not stated else "short"
    return Loss(f"{part.name}.{how}", part.maximum - part.points, dict(part.facts))


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


def stored(match: Match, reasons: Reasons) -> dict[str, Any]:
    """The JSON form, complete for a page that computes nothing; points as points, exact to the millionth."""
    return {
        "agreement": round(match.agreement, 6),
        "support": round(match.support, 6),
        "maxima": {part.name: part.maximum // MICRO for part in match.parts},
        "facts": {part.name: dict(part.facts) for part in match.parts if part.facts},
        "terms": [{"term": one.term, "points": one.points / MICRO} for one in reasons.terms],
        "other_terms": reasons.other_terms.points / MICRO,
        "coverage": asdict(reasons.coverage),
        "indicators": [
            asdict(line) | {"points": line.points / MICRO, "maximum": line.maximum / MICRO}
            for line in reasons.indicators
        ],
        "losses": [
            {"code": loss.code, "points": loss.points / MICRO, "facts": dict(loss.facts)}
            for loss in reasons.losses
        ],
        "advice": [
            {"code": one.code, "gain": one.gain / MICRO, "facts": dict(one.facts)} for one in reasons.advice
        ],
        "titles": {code: points / MICRO for code, points in reasons.titles.items()},
    }
