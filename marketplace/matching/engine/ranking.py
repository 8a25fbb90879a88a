"""Ranking: hard eligibility first, then one score that is the exact sum of named parts.

score = text + support × (title + indicators + taxonomy + TRL + region + cooperation + designations), in whole
millionths of a point out of 100. A pair of seeker and capability has one score, from whichever side it
is asked. Ties are broken by id. Not here: where documents come from and where results are kept.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any, Self

import numpy as np
from rapidfuzz import fuzz, process

from marketplace.indicators.model import Comparator, Indicator
from marketplace.language import DEFAULT_DICTIONARY, Dictionary
from marketplace.matching.engine import kernels, scoring
from marketplace.matching.engine import parts as shares
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.eligibility import CONDITIONS, Condition, Exclusion, exclusion, is_open
from marketplace.matching.engine.facts import CODED_PARTS, NAMES
from marketplace.matching.engine.index import Index, Piece, Progress
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.parts import Comparison, Share, indicator_weights
from marketplace.matching.engine.scoring import Query
from marketplace.matching.engine.segments import Segment, microseconds
from marketplace.matching.engine.statements import possible_statements
from marketplace.matching.engine.terms import MODELS, key_of
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, PART_NAMES, Weights

#: How many places a shortlist keeps.
SHORTLIST_SIZE = 50

# A document's marks have 64 bits, of which one is for model numbers.
_MOST_INDICATORS_MARKED = 63


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


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a ranking in numbers: the capability's id and the points of each part, millionths."""

    id: int
    score: int
    points: tuple[int, ...]  # in the order of PART_NAMES


@dataclass(slots=True)
class _Candidate:
    """A document that may still stand among the best."""

    piece: Piece
    row: int
    id: int
    sum: int
    total: int  # millionths so far
    most: int  # what the total can become
    marks: int
    title: int = 0
    indicators: int = 0


class Ranker:
    """Rank capabilities for a seeker, and seekers for a capability.

    After `fit` or `load`: `index_`, the corpus epoch. `rank`, `rank_seekers` and `score` change nothing.
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

    def fit(self, documents: Iterable[Matchable], *, progress: Progress | None = None) -> Self:
        """Learn an epoch from the capabilities among `documents`."""
        capabilities = [document for document in documents if document.kind is Kind.CAPABILITY]
        index = Index(self.weights.text, self.dictionary)
        self.index_ = index.fit(capabilities, progress=progress) if progress else index.fit(capabilities)
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

    def with_changes(self, changed: Iterable[Matchable], removed: Iterable[tuple[str, int]] = ()) -> Ranker:
        """The same epoch's statistics over other capabilities."""
        return self.over(self.index_.with_changes(changed, removed))

    def rank(self, seeker: Matchable, *, now: datetime, size: int | None = None) -> Ranking:
        """The best `size` capabilities for `seeker` at `now`, best first, ties by id.

        Exact: nobody is passed over who could still enter.
        """
        search = _Search(self, seeker, now)
        best = search.best(size or self.size)
        matches = tuple(
            self._match(seeker, one.piece.segment, one.row, one.sum, search.query) for one in best
        )
        excluded, unrelated = search.count_others()
        return Ranking(matches, len(self.index_), excluded, unrelated)

    def places(self, seeker: Matchable, *, now: datetime, size: int | None = None) -> list[Place]:
        """The same ranking in numbers only."""
        search = _Search(self, seeker, now)
        return [search.place(candidate) for candidate in search.best(size or self.size)]

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
                match = alone.score_at(seeker, 0)
                if match.agreement >= self.weights.least_agreement:
                    matches.append(match)
        return sorted(matches, key=lambda match: (-match.score, match.seeker.key))

    def score(self, seeker: Matchable, capability: Matchable) -> Match:
        """The score of one pair, whether or not the capability belongs to the epoch or is eligible."""
        return self.alone(capability).score_at(seeker, 0)

    def alone(self, *capabilities: Matchable) -> Ranker:
        """The epoch over nothing but these."""
        index = self.index_.emptied()
        delta = self.index_.delta(capabilities)
        return self.over(index.with_delta(delta) if delta is not None else index)

    def score_at(self, seeker: Matchable, row: int) -> Match:
        """The score of `seeker` with the document at `row` of the first segment."""
        query = self.index_.weigh(seeker)
        piece = self.index_.pieces_[0]
        products = scoring.term_products(query, piece.segment, row)
        return self._match(seeker, piece.segment, row, sum(products.values()), query)

    # --- points ---

    def support(self, agreement: float) -> float:
        """How much of the parts beside the text counts."""
        return min(1.0, agreement / self.weights.full_support)

    def worth(self, name: str, value: float, support: float) -> int:
        """A share of a part beside the text, in millionths: it counts as far as the text supports it."""
        return round(self.weights.maximum(name) * value * support)

    def text_points(self, agreement: float) -> int:
        """The text's part."""
        return round(self.weights.maximum("text") * sqrt(agreement))

    def _match(self, seeker: Matchable, segment: Segment, row: int, total: int, query: Query) -> Match:
        capability = segment.document(row)
        agreement = min(total / query.full, 1.0) if query.full else 0.0
        support = self.support(agreement)
        earned = {
            "title": shares.title_share(seeker, capability),
            "taxonomy": shares.taxonomy_share(seeker, capability),
            "trl": shares.trl_share(seeker, capability),
            "region": shares.region_share(seeker, capability),
            "cooperation": shares.cooperation_share(seeker, capability),
            "designations": shares.designations_share(capability),
        }
        comparisons: tuple[Comparison, ...] = ()
        if seeker.indicators and agreement > 0.0:
            comparisons = shares.compare_indicators(seeker, segment.offer(row), self.weights.marks)
        earned["indicators"] = Share(sum(comparison.share for comparison in comparisons))
        parts = tuple(
            Part(
                name,
                self.text_points(agreement)
                if name == "text"
                else self.worth(name, earned[name].value, support),
                self.weights.maximum(name),
                {"agreement": round(agreement, 6)} if name == "text" else earned[name].facts,
            )
            for name in PART_NAMES
        )
        score = sum(part.points for part in parts)
        return Match(seeker, capability, score, agreement, support, parts, comparisons)


class _Search:
    """One seeker against one index: bounds over everything, then the open parts where they can decide.

    Sums and coded facts of every document are cheap. Titles and indicators have to be read, so each document
    gets a bound of what they could add, and is read only while it could still reach the best.
    """

    def __init__(self, ranker: Ranker, seeker: Matchable, now: datetime) -> None:
        self.ranker, self.seeker, self.weights = ranker, seeker, ranker.weights
        self.query = ranker.index_.weigh(seeker)
        self.now = now
        self.maxima = np.array([self.weights.maximum(name) for name in CODED_PARTS], dtype=np.float64)
        self.conditions = tuple(self._conditions_that_bind())
        self.coded = ranker.index_.facts_
        self.asked = indicator_weights(seeker, self.weights.marks)
        self.possible = possible_statements(
            seeker.indicators[:_MOST_INDICATORS_MARKED],
            sorted(key_of(MODELS, model) for model in shares.models_of(seeker.body())),
        )
        self.most_beside = sum(
            self.weights.maximum(name)
            for name in PART_NAMES
            if name not in ("text", "indicators") or (name == "indicators" and self.asked)
        )

    def _conditions_that_bind(self) -> Iterator[Condition]:
        asked = self.seeker.conditions
        binds = {
            Exclusion.UNVERIFIED: True,
            Exclusion.KIND: bool(asked.kinds),
            Exclusion.SIZE: bool(asked.sizes),
            Exclusion.DESIGNATION: bool(asked.designations),
            Exclusion.REGION: bool(asked.regions),
        }
        return (condition for condition in CONDITIONS if binds[condition.reason])

    def place(self, candidate: _Candidate) -> Place:
        """A candidate in numbers."""
        support = self._support(candidate)
        points = {
            "text": self.ranker.text_points(self._agreement(candidate)),
            "title": candidate.title,
            "indicators": candidate.indicators,
        }
        for column, name in enumerate(CODED_PARTS):
            code = candidate.piece.segment.codes[column, candidate.row]
            value = float(self.coded.shares(name, self.seeker)[candidate.piece.numbers[name][code]])
            points[name] = self.ranker.worth(name, value, support)
        return Place(candidate.id, candidate.total, tuple(points[name] for name in PART_NAMES))

    def best(self, size: int) -> list[_Candidate]:
        """The best `size`, in order."""
        if not self.query.full or size < 1:
            return []
        candidates = self._with_indicators(self._with_titles(self._gathered(size), size), size)
        candidates.sort(key=_in_order)
        return candidates[:size]

    def count_others(self) -> tuple[dict[str, int], int]:
        """Why documents are not listed: exclusions by reason, and how many agree too little."""
        excluded: Counter[str] = Counter()
        unrelated = 0
        for piece in self.ranker.index_.pieces_:
            left = piece.alive > 0
            for reason, fails in self._reasons(piece):
                failing = left & fails
                excluded[reason.value] += int(np.count_nonzero(failing))
                left &= ~fails
            if self.query.full:
                left &= scoring.sums(self.query, piece.segment) < self._least_sum(0)
            unrelated += int(np.count_nonzero(left))
        return {reason: excluded[reason] for reason in sorted(excluded) if excluded[reason]}, unrelated

    def _reasons(self, piece: Piece) -> Iterator[tuple[Exclusion, Array]]:
        segment = piece.segment
        if self.seeker.organisation_id is not None:
            yield Exclusion.OWN, segment.organisations == self.seeker.organisation_id
        yield Exclusion.INACTIVE, segment.active == 0
        yield Exclusion.EXPIRED, segment.until <= microseconds(self.now)
        for condition in self.conditions:
            table = self.coded.admitted(condition, self.seeker)[piece.numbers[condition.column]]
            yield condition.reason, table[segment.codes[NAMES.index(condition.column)]] == 0

    def _agreement(self, candidate: _Candidate) -> float:
        return min(candidate.sum / self.query.full, 1.0)

    def _support(self, candidate: _Candidate) -> float:
        return self.ranker.support(self._agreement(candidate))

    # --- first: sums and coded facts of everything ---

    def _gathered(self, size: int) -> list[_Candidate]:
        best = np.zeros(0, dtype=np.int64)  # the highest totals so far, at most `size`
        found: list[tuple[Piece, Array, Array, Array, Array, Array]] = []
        for piece in self.ranker.index_.pieces_:
            threshold = int(best.min()) if best.size == size else 0
            gathered = self._gather(piece, threshold)
            if gathered is None:
                continue
            found.append((piece, *gathered))
            best = np.concatenate([best, gathered[2]])
            if best.size > size:
                best = np.partition(best, best.size - size)[-size:]
        threshold = int(best.min()) if best.size == size else 0
        return [
            _Candidate(piece, row, int(piece.segment.ids[row]), total, lower, upper, mark)
            for piece, rows, totals, lowers, uppers, marks in found
            for kept in [uppers >= threshold]
            for row, total, lower, upper, mark in zip(
                rows[kept].tolist(),
                totals[kept].tolist(),
                lowers[kept].tolist(),
                uppers[kept].tolist(),
                marks[kept].tolist(),
                strict=True,
            )
        ]

    def _gather(self, piece: Piece, threshold: int) -> tuple[Array, Array, Array, Array, Array] | None:
        """Rows that may reach `threshold`, with their sums, their points so far and at most, and marks."""
        segment = piece.segment
        columns = np.array([NAMES.index(one.column) for one in self.conditions], dtype=np.int64)
        admitted = [
            self.coded.admitted(condition, self.seeker)[piece.numbers[condition.column]]
            for condition in self.conditions
        ]
        if not all(table.any() for table in admitted):
            return None
        totals = scoring.sums(self.query, segment)
        room = np.empty(len(segment), dtype=np.int64)
        own = self.seeker.organisation_id
        count = kernels.gather(
            totals,
            self._least_sum(threshold),
            piece.standing,
            segment.organisations,
            -1 if own is None else own,
            segment.until,
            microseconds(self.now),
            _stacked(admitted, np.uint8),
            columns,
            segment.codes,
            room,
        )
        if not count:
            return None
        rows = room[:count].copy()
        marks = self._marks(piece, rows)
        lower, upper = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        coded = [self.coded.shares(name, self.seeker)[piece.numbers[name]] for name in CODED_PARTS]
        kernels.bound(
            rows,
            totals,
            self.query.full,
            self.weights.maximum("text"),
            self.weights.full_support,
            _stacked(coded, np.float64),
            self.maxima,
            segment.codes,
            self._open_maxima(marks),
            lower,
            upper,
        )
        kept = upper >= threshold
        return rows[kept], totals[rows[kept]], lower[kept], upper[kept], marks[kept]

    def _least_sum(self, threshold: int) -> int:
        """The least sum with which a document is listed at all and could still reach `threshold`."""

        def suffices(total: int) -> bool:
            agreement = min(total / self.query.full, 1.0)
            if agreement < self.weights.least_agreement:
                return False
            beside = self.most_beside * self.ranker.support(agreement) + len(PART_NAMES)
            return self.ranker.text_points(agreement) + beside >= threshold

        low, high = 1, self.query.full
        while low < high:
            middle = (low + high) // 2
            if suffices(middle):
                high = middle
            else:
                low = middle + 1
        return low

    # --- what could be said by what has not been read ---

    def _marks(self, piece: Piece, rows: Array) -> Array:
        """For each of `rows`: which of the open parts could earn anything (see `statements`)."""
        possible, segment = self.possible, piece.segment
        marks = np.zeros(len(segment), dtype=np.uint64)
        if possible.keys.size:
            places = np.empty(possible.keys.size, dtype=np.int64)
            kernels.find(segment.keys, possible.keys, places)
            kernels.mark(
                places,
                possible.sizes,
                possible.bits,
                segment.indptr,
                segment.rows,
                segment.dense_of,
                segment.dense,
                np.empty(len(segment), dtype=np.uint8),
                marks,
            )
        return marks[rows]

    def _open_maxima(self, marks: Array) -> Array:
        """The most that title and indicators can add at full support, for each document's marks."""
        most = np.full(marks.size, float(self.weights.maximum("title")))
        maximum = self.weights.maximum("indicators")
        for place, weight in enumerate(self.asked):
            if self._is_always_open(place):
                most += weight * maximum
            else:
                most += weight * maximum * ((marks >> np.uint64(place + 1)) & np.uint64(1))
        # For the rounding of sums of shares.
        return most + 1.0

    def _is_always_open(self, place: int) -> bool:
        return place >= _MOST_INDICATORS_MARKED or place in self.possible.always

    def _may_state_any(self, one: _Candidate) -> bool:
        return any(
            self._is_always_open(place) or one.marks >> (place + 1) & 1 for place in range(len(self.asked))
        )

    # --- then: titles, and indicators where they can still decide ---

    def _with_titles(self, found: list[_Candidate], size: int) -> list[_Candidate]:
        title, maximum = shares.plain_title(self.seeker.title), self.weights.maximum("title")
        titles = [one.piece.segment.title(one.row) for one in found] if title else []
        likenesses = (
            process.cdist([title], titles, scorer=fuzz.ratio, dtype=np.float64)[0].tolist() if titles else []
        )
        for place, one in enumerate(found):
            value = 0.0
            if one.marks & 1:
                value = 1.0
            elif titles and titles[place]:
                value = shares.title_value(likenesses[place] / 100.0)
            support = self._support(one)
            one.title = self.ranker.worth("title", value, support)
            # What the title did not earn can no more be reached.
            one.most += one.title - int(maximum * support)
            one.total += one.title
        return _within_reach(found, size)

    def _with_indicators(self, found: list[_Candidate], size: int) -> list[_Candidate]:
        """Indicators cost most, so they are read in the order of what could be reached with all of them
        met, and no further than somebody could still enter.
        """
        if not self.asked:
            return found
        found.sort(key=lambda one: (-one.most, one.id))
        read: list[_Candidate] = []
        reached: list[int] = []  # the best totals read, a heap
        for one in found:
            if len(reached) == size and one.most < reached[0]:
                break
            if any(
                self._is_always_open(place) or one.marks >> place + 1 & 1 for place in range(len(self.asked))
            ):
                comparisons = shares.compare_indicators(
                    self.seeker, one.piece.segment.offer(one.row), self.weights.marks
                )
                share = sum(comparison.share for comparison in comparisons)
                one.indicators = self.ranker.worth("indicators", share, self._support(one))
                one.total += one.indicators
            read.append(one)
            if len(reached) < size:
                heapq.heappush(reached, one.total)
            else:
                heapq.heappushpop(reached, one.total)
        return read


def _in_order(candidate: _Candidate) -> tuple[int, int]:
    return -candidate.total, candidate.id


def _within_reach(found: list[_Candidate], size: int) -> list[_Candidate]:
    if len(found) <= size:
        return found
    threshold = heapq.nlargest(size, (one.total for one in found))[-1]
    return [one for one in found if one.most >= threshold]


def _stacked(tables: Sequence[Array], kind: type[np.generic]) -> Array:
    """Tables of different lengths as the rows of one."""
    stacked = np.zeros((len(tables), max((table.size for table in tables), default=1)), dtype=kind)
    for row, table in enumerate(tables):
        stacked[row, : table.size] = table
    return stacked


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
