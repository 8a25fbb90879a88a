"""Ranking: hard eligibility first, then one score that is the exact sum of named parts.

score = text + support × (title + indicators + taxonomy + TRL + region + cooperation + designations), in whole
millionths of a point out of 100. A pair of seeker and capability has one score, from whichever side it
is asked. Ties are broken by id. Not here: where documents come from and where results are kept.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from pathlib import Path
from typing import Any, Self

from marketplace.matching.engine import parts as shares
from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.eligibility import exclusion, is_open
from marketplace.matching.engine.index import Index
from marketplace.matching.engine.parts import Comparison, Share
from marketplace.matching.engine.scoring import Query, agreements, weigh
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, PART_NAMES, Weights

#: How many places a shortlist keeps.
SHORTLIST_SIZE = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One addend of a score, in millionths of a point, with the facts it rests on."""

    name: str
    points: int
    maximum: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """A pair with its score; `parts` add up to `score` exactly."""

    seeker: Matchable
    capability: Matchable
    score: int
    agreement: float  # how far the text answers, between 0 and 1
    support: float  # how much of every other part counts, between 0 and 1
    parts: tuple[Part, ...]
    comparisons: tuple[Comparison, ...]

    def part(self, name: str) -> Part:
        """The part of that name; raises KeyError if there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best matches in order, and what became of everything else that was looked at."""

    matches: tuple[Match, ...]
    considered: int
    excluded: Mapping[str, int]
    unrelated: int  # eligible, but the texts agree too little to be listed


class Ranker:
    """Rank capabilities for a seeker, and seekers for a capability.

    After `fit` or `load`: `index_`, the corpus epoch. `rank`, `rank_seekers` and `score` change nothing.
    """

    def __init__(self, weights: Weights = DEFAULT_WEIGHTS, size: int = SHORTLIST_SIZE) -> None:
        self.weights = weights
        self.size = size

    def fit(self, documents: Iterable[Matchable]) -> Self:
        """Learn an epoch from the capabilities among `documents`."""
        capabilities = (document for document in documents if document.kind is Kind.CAPABILITY)
        self.index_ = Index(self.weights.text).fit(capabilities)
        return self

    def load(self, folder: Path) -> Self:
        """Open a saved epoch; raises ForeignIndexError if it is damaged or was made otherwise."""
        self.index_ = Index.load(folder, self.weights.text)
        return self

    def save(self, folder: Path) -> None:
        """Write the epoch for `load`."""
        self.index_.save(folder)

    def with_changes(self, changed: Iterable[Matchable], removed: Iterable[tuple[str, int]] = ()) -> Ranker:
        """The same epoch's statistics over other capabilities."""
        other = Ranker(self.weights, self.size)
        other.index_ = self.index_.with_changes(changed, removed)
        return other

    def rank(self, seeker: Matchable, *, now: datetime, size: int | None = None) -> Ranking:
        """The best `size` capabilities for `seeker` at `now`, best first, ties by id.

        Exact: nobody is passed over who could still enter.
        """
        query = weigh(seeker, self.index_)
        _, agreement = agreements(query, self.index_)
        excluded: Counter[str] = Counter()
        related: list[tuple[int, float]] = []
        unrelated = 0
        for row, capability in enumerate(self.index_.documents_):
            if (reason := exclusion(seeker, capability, now=now)) is not None:
                excluded[reason.value] += 1
            elif agreement[row] < self.weights.least_agreement:
                unrelated += 1
            else:
                related.append((row, float(agreement[row])))
        matches = self._best(seeker, related, size or self.size)
        return Ranking(tuple(matches), len(self.index_.documents_), dict(sorted(excluded.items())), unrelated)

    def rank_seekers(
        self, capability: Matchable, seekers: Iterable[Matchable], *, now: datetime
    ) -> list[Match]:
        """Every open seeker that `capability` may answer and agrees with, best first, ties by id."""
        alone = self._alone(capability)
        matches = []
        for seeker in seekers:
            if is_open(seeker, now) and exclusion(seeker, capability, now=now) is None:
                match = alone.score_row(seeker, 0)
                if match.agreement >= self.weights.least_agreement:
                    matches.append(match)
        return sorted(matches, key=lambda match: (-match.score, match.seeker.key))

    def score(self, seeker: Matchable, capability: Matchable) -> Match:
        """The score of one pair, whether or not the capability belongs to the epoch or is eligible."""
        return self._alone(capability).score_row(seeker, 0)

    def score_row(self, seeker: Matchable, row: int, query: Query | None = None) -> Match:
        """The score of `seeker` with the indexed document in `row`."""
        _, agreement = agreements(query or weigh(seeker, self.index_), self.index_)
        capability, value = self.index_.documents_[row], float(agreement[row])
        return self._match(seeker, capability, value, self._plain_parts(seeker, capability, value))

    def _alone(self, capability: Matchable) -> Ranker:
        return self.with_changes([capability], [document.key for document in self.index_.documents_])

    def _best(self, seeker: Matchable, related: list[tuple[int, float]], size: int) -> list[Match]:
        """The head of the ranking. Indicators cost most, so they are read in the order of what could be
        reached with all of them met, and no further than somebody could still enter.
        """
        prepared = []
        for row, agreement in related:
            parts = self._plain_parts(seeker, self.index_.documents_[row], agreement)
            reachable = sum(part.points for part in parts.values())
            if seeker.indicators:
                reachable += self._worth("indicators", 1.0, agreement)
            prepared.append((-reachable, row, agreement, parts))
        prepared.sort(key=lambda item: item[:2])
        best: list[tuple[int, int, Match]] = []
        for bound, row, agreement, parts in prepared:
            if len(best) == size and -bound < best[0][0]:
                break
            match = self._match(seeker, self.index_.documents_[row], agreement, parts)
            entry = (match.score, -row, match)
            if len(best) < size:
                heapq.heappush(best, entry)
            else:
                heapq.heappushpop(best, entry)
        return [match for _, _, match in sorted(best, key=lambda entry: entry[:2], reverse=True)]

    def _support(self, agreement: float) -> float:
        return min(1.0, agreement / self.weights.full_support)

    def _worth(self, name: str, value: float, agreement: float) -> int:
        """A share in points; beside the text every part counts as far as the text supports it."""
        support = 1.0 if name == "text" else self._support(agreement)
        return round(self.weights.maximum(name) * value * support)

    def _plain_parts(self, seeker: Matchable, capability: Matchable, agreement: float) -> dict[str, Part]:
        """Every part but the indicators."""
        earned = {
            "text": Share(sqrt(agreement), {"agreement": round(agreement, 6)}),
            "title": shares.title_share(seeker, capability),
            "taxonomy": shares.taxonomy_share(seeker, capability),
            "trl": shares.trl_share(seeker, capability),
            "region": shares.region_share(seeker, capability),
            "cooperation": shares.cooperation_share(seeker, capability),
            "designations": shares.designations_share(capability),
        }
        return {
            name: Part(
                name, self._worth(name, share.value, agreement), self.weights.maximum(name), share.facts
            )
            for name, share in earned.items()
        }

    def _match(
        self, seeker: Matchable, capability: Matchable, agreement: float, parts: Mapping[str, Part]
    ) -> Match:
        comparisons: tuple[Comparison, ...] = ()
        if seeker.indicators and agreement > 0.0:
            comparisons = shares.compare_indicators(seeker, capability, self.weights.marks)
        met = self._worth("indicators", sum(comparison.share for comparison in comparisons), agreement)
        complete = {**parts, "indicators": Part("indicators", met, self.weights.maximum("indicators"))}
        in_order = tuple(complete[name] for name in PART_NAMES)
        score = sum(part.points for part in in_order)
        return Match(seeker, capability, score, agreement, self._support(agreement), in_order, comparisons)
