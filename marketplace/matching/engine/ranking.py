"""Ranking: hard eligibility first, then one score that is the exact sum of named parts.

score = text + support × (title + indicators + taxonomy + TRL + region + cooperation + designations), in whole
millionths of a point out of 100. A pair of seeker and capability has one score, from whichever side it
is asked. Ties are broken by id. Not here: where documents come from and where results are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from marketplace.indicators.model import Comparator, Indicator
from marketplace.language import DEFAULT_DICTIONARY, Dictionary
from marketplace.matching.engine import parts as shares
from marketplace.matching.engine import scoring
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.eligibility import exclusion, is_open
from marketplace.matching.engine.index import Index, Progress, untold
from marketplace.matching.engine.parts import Comparison, Share
from marketplace.matching.engine.scoring import Query
from marketplace.matching.engine.search import Place, Search
from marketplace.matching.engine.segments import Segment
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


class Ranker(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """Rank capabilities for a seeker, and seekers for a capability.

    A scikit-learn estimator: `get_params`, `set_params` and `clone` work, and asking before `fit` or `load`
    raises NotFittedError. After `fit` or `load`: `index_`, the corpus epoch. `rank`, `rank_seekers` and
    `score` change nothing.
    """

    index_: Index

    def __init__(
        self,
        weights: Weights = DEFAULT_WEIGHTS,
        size: int = SHORTLIST_SIZE,
        dictionary: Dictionary = DEFAULT_DICTIONARY,
    ) -> None:
        self.weights = weights
        self.size = size
        self.dictionary = dictionary

    def fit(self, documents: Iterable[Matchable], *, progress: Progress = untold, processes: int = 1) -> Self:
        """Learn an epoch from the capabilities among `documents`; `processes` read their texts."""
        capabilities = [document for document in documents if document.kind is Kind.CAPABILITY]
        self.index_ = Index(self.weights.text, self.dictionary).fit(
            capabilities, progress=progress, processes=processes
        )
        return self

    def load(self, folder: Path) -> Self:
        """Open a saved epoch; raises ForeignIndexError if it is damaged or was made otherwise."""
        self.index_ = Index.load(folder, self.weights.text, self.dictionary)
        return self

    def load_statistics(self, folder: Path) -> Self:
        """Open a saved epoch without its documents: for `score` and `rank_seekers`."""
        self.index_ = Index.load_statistics(folder, self.weights.text, self.dictionary)
        return self

    def save(self, folder: Path) -> None:
        """Write the epoch for `load`."""
        self.index_.save(folder)

    def over(self, index: Index) -> Ranker:
        """The same ranking over another index of the same epoch."""
        other = Ranker(self.weights, self.size, self.dictionary)
        other.index_ = index
        return other

    def refitted(self, *, progress: Progress = untold) -> Ranker:
        """A new epoch of what is in the index; no text is read again."""
        return self.over(self.index_.refit(progress=progress))

    def with_changes(self, changed: Iterable[Matchable], removed: Iterable[tuple[str, int]] = ()) -> Ranker:
        """The same epoch's statistics over other capabilities."""
        return self.over(self.index_.with_changes(changed, removed))

    def rank(self, seeker: Matchable, *, now: datetime, size: int | None = None) -> Ranking:
        """The best `size` capabilities for `seeker` at `now`, best first, ties by id.

        Exact: nobody is passed over who could still enter.
        """
        check_is_fitted(self, "index_")
        search = Search(self.index_, self.weights, seeker, now)
        matches = tuple(
            self._match(seeker, piece.segment, row, total, search.query, comparisons)
            for piece, row, total, comparisons in search.best(size or self.size).found()
        )
        excluded, unrelated = search.count_others()
        return Ranking(matches, len(self.index_), excluded, unrelated)

    def places(self, seeker: Matchable, *, now: datetime, size: int | None = None) -> list[Place]:
        """The same ranking in numbers only."""
        check_is_fitted(self, "index_")
        return Search(self.index_, self.weights, seeker, now).best(size or self.size).places()

    def match(self, seeker: Matchable, id: int) -> Match:
        """The score of `seeker` with a capability of the index; raises KeyError if it is not in there."""
        found = self.index_.find(id)
        if found is None:
            raise KeyError(id)
        piece, row = found
        query = self.index_.weigh(seeker)
        total = sum(scoring.term_products(query, piece.segment, row).values())
        comparisons = shares.compare_indicators(seeker, piece.segment.offer(row), self.weights.marks)
        return self._match(seeker, piece.segment, row, total, query, comparisons)

    def rank_many(
        self, seekers: Sequence[Matchable], *, now: datetime, size: int | None = None, threads: int = 1
    ) -> Iterator[list[Place]]:
        """`places` of each seeker, in order; the same for any number of threads."""
        if threads == 1:
            yield from (self.places(seeker, now=now, size=size) for seeker in seekers)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(lambda seeker: self.places(seeker, now=now, size=size), seekers)

    def rank_seekers(
        self, capability: Matchable, seekers: Iterable[Matchable], *, now: datetime
    ) -> list[Match]:
        """Every open seeker that `capability` may answer and agrees with, best first, ties by id."""
        alone = self.alone(capability)
        matches = []
        for seeker in seekers:
            if is_open(seeker, now) and exclusion(seeker, capability, now=now) is None:
                match = alone.match(seeker, capability.id)
                if match.agreement >= self.weights.least_agreement:
                    matches.append(match)
        return sorted(matches, key=lambda match: (-match.score, match.seeker.key))

    def score(self, seeker: Matchable, capability: Matchable) -> Match:
        """The score of one pair, whether or not the capability belongs to the epoch or is eligible."""
        return self.alone(capability).match(seeker, capability.id)

    def alone(self, *capabilities: Matchable) -> Ranker:
        """The epoch over nothing but these."""
        check_is_fitted(self, "index_")
        return self.over(self.index_.emptied().with_changes(capabilities))

    def _match(
        self,
        seeker: Matchable,
        segment: Segment,
        row: int,
        total: int,
        query: Query,
        comparisons: tuple[Comparison, ...],
    ) -> Match:
        capability = segment.document(row)
        agreement = min(total / query.full, 1.0) if query.full else 0.0
        support = self.weights.support(agreement)
        earned = {
            "title": shares.title_share(seeker, capability),
            "taxonomy": shares.taxonomy_share(seeker, capability),
            "trl": shares.trl_share(seeker, capability),
            "region": shares.region_share(seeker, capability),
            "cooperation": shares.cooperation_share(seeker, capability),
            "designations": shares.designations_share(capability),
        }
        if not agreement:
            comparisons = ()
        earned["indicators"] = Share(sum(comparison.share for comparison in comparisons))
        parts = tuple(
            Part(
                name,
                self.weights.text_points(agreement)
                if name == "text"
                else self.weights.worth(name, earned[name].value, support),
                self.weights.maximum(name),
                {"agreement": round(agreement, 6)} if name == "text" else earned[name].facts,
            )
            for name in PART_NAMES
        )
        score = sum(part.points for part in parts)
        return Match(seeker, capability, score, agreement, support, parts, comparisons)


def warm_up() -> None:
    """Compile every loop, or read it from its cache: for processes that fork others to do the work."""
    capability = Matchable(
        Kind.CAPABILITY,
        1,
        title="热身 AB-12",
        sections=(("body", "额定负载 20 kg"),),
        standing=Standing.VERIFIED,
    )
    indicator = Indicator("额定负载", Comparator.GE, value=Decimal(10), unit="kg")
    seeker = Matchable(
        Kind.NEED, 1, title="热身 AB-12", sections=(("body", "额定负载"),), indicators=(indicator,)
    )
    ranker = Ranker().fit([capability])
    ranker.rank(seeker, now=datetime(2000, 1, 1, tzinfo=UTC))
    ranker.score(seeker, capability)
