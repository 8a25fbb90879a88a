"""The exact search for the best documents: bounds over everything, then the open parts where they can decide.

Sums and coded facts of every document are cheap. Titles and indicators have to be read, so each document
gets a bound of what they could add, and is read only while it could still reach the best. Points come from
the same functions as those of a single pair (`ranking`), in the same arithmetic.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process

from marketplace.indicators.compare import NOTHING, Finding, compare
from marketplace.matching.engine import kernels, scoring
from marketplace.matching.engine import parts as shares
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.eligibility import CONDITIONS, Condition, Exclusion
from marketplace.matching.engine.facts import CODED_PARTS, NAMES
from marketplace.matching.engine.index import Index, Piece
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.parts import Comparison
from marketplace.matching.engine.segments import microseconds
from marketplace.matching.engine.statements import possible_statements
from marketplace.matching.engine.terms import MODELS, key_of
from marketplace.matching.engine.weights import PART_NAMES, Weights

# A document's marks have 64 bits, of which one is for model numbers.
_MOST_INDICATORS_MARKED = 63
# So many times the places asked for are looked at to learn beforehand what will be reached.
_PROBED = 4


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a ranking in numbers: the capability's id and the points of each part, millionths."""

    id: int
    score: int
    points: tuple[int, ...]  # in the order of PART_NAMES


@dataclass(slots=True)
class _Candidates:
    """Documents that may still stand among the best: parallel arrays, int64."""

    piece: Array  # as a number in the index
    row: Array
    id: Array
    sum: Array  # of worth × impact
    total: Array  # millionths of a point so far
    most: Array  # what the total can become
    marks: Array  # what could be said by what has not been read (uint64)
    title: Array  # millionths
    indicators: Array

    def of(self, chosen: Array) -> _Candidates:
        """Those at `chosen`, places or a mask."""
        return _Candidates(*(getattr(self, field.name)[chosen] for field in fields(self)))


class Best:
    """What a search found, in order."""

    def __init__(self, search: Search, candidates: _Candidates) -> None:
        self._search, self._candidates = search, candidates

    def found(self) -> Iterator[tuple[Piece, int, int, tuple[Comparison, ...]]]:
        """Piece, row and sum of each, and what it says to the seeker's indicators."""
        one, search = self._candidates, self._search
        for piece, row, total in zip(one.piece.tolist(), one.row.tolist(), one.sum.tolist(), strict=True):
            yield search.index.pieces_[piece], row, total, search.comparisons(piece, row)

    def places(self) -> list[Place]:
        """Each in numbers."""
        one = self._candidates
        points = self._search.points(one)
        return [
            Place(id, score, tuple(parts))
            for id, score, parts in zip(one.id.tolist(), one.total.tolist(), points.tolist(), strict=True)
        ]


class Search:
    """One seeker against one index at one moment; `query` is what the seeker's terms are worth."""

    def __init__(self, index: Index, weights: Weights, seeker: Matchable, now: datetime) -> None:
        self.index, self.weights, self.seeker, self.now = index, weights, seeker, microseconds(now)
        self.query = index.weigh(seeker)
        self.conditions = tuple(self._conditions_that_bind())
        self.asked = shares.indicator_weights(seeker, weights.marks)
        self.possible = possible_statements(
            seeker.indicators[:_MOST_INDICATORS_MARKED],
            sorted(key_of(MODELS, model) for model in shares.models_of(seeker.body())),
        )
        self._sums: dict[int, Array] = {}  # by segment, what has been added up
        self._findings: dict[tuple[int, int], dict[int, Finding]] = {}  # by segment and row, what was read
        self._maxima = np.array([weights.maximum(name) for name in CODED_PARTS], dtype=np.float64)
        self._shares = [index.facts_.shares(name, seeker) for name in CODED_PARTS]
        self._admitted = [index.facts_.admitted(condition, seeker) for condition in self.conditions]
        self._columns = np.array([NAMES.index(one.column) for one in self.conditions], dtype=np.int64)
        self._most_beside = sum(
            weights.maximum(name)
            for name in PART_NAMES
            if name not in ("text", "indicators") or (name == "indicators" and self.asked)
        )

    def best(self, size: int) -> Best:
        """The best `size`, ties by id."""
        found = self._gathered(size if self.query.full else 0)
        found = self._with_indicators(self._with_titles(found, size), size)
        order = np.lexsort((found.id, -found.total))[:size]
        return Best(self, found.of(order))

    def count_others(self) -> tuple[dict[str, int], int]:
        """Why documents are not listed: exclusions by reason, and how many agree too little."""
        excluded: Counter[str] = Counter()
        unrelated = 0
        for number, piece in enumerate(self.index.pieces_):
            left = piece.alive > 0
            for reason, fails in self._reasons(piece):
                excluded[reason.value] += int(np.count_nonzero(left & fails))
                left &= ~fails
            if self.query.full:
                left &= self._summed(number) < self._least_sum(0)
            unrelated += int(np.count_nonzero(left))
        return {reason: excluded[reason] for reason in sorted(excluded) if excluded[reason]}, unrelated

    def points(self, found: _Candidates) -> Array:
        """The points of each part of each candidate, millionths: candidates × PART_NAMES."""
        support = self._support(found)
        points = {
            "text": self._text_points(found),
            "title": found.title,
            "indicators": found.indicators,
        }
        for column, name in enumerate(CODED_PARTS):
            values = np.zeros(found.id.size)
            for number, piece in enumerate(self.index.pieces_):
                here = found.piece == number
                codes = piece.segment.codes[column, found.row[here]]
                values[here] = self._shares[column][piece.numbers[name][codes]]
            points[name] = _whole(self._maxima[column] * values * support)
        return np.stack([points[name] for name in PART_NAMES], axis=1)

    def _reasons(self, piece: Piece) -> Iterator[tuple[Exclusion, Array]]:
        segment = piece.segment
        if self.seeker.organisation_id is not None:
            yield Exclusion.OWN, segment.organisations == self.seeker.organisation_id
        yield Exclusion.INACTIVE, segment.active == 0
        yield Exclusion.EXPIRED, segment.until <= self.now
        for condition, admitted, column in zip(self.conditions, self._admitted, self._columns, strict=True):
            yield condition.reason, admitted[piece.numbers[condition.column]][segment.codes[column]] == 0

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

    def _agreement(self, found: _Candidates) -> Array:
        agreement: Array = np.minimum(found.sum / max(self.query.full, 1), 1.0)
        return agreement

    def _support(self, found: _Candidates) -> Array:
        support: Array = np.minimum(1.0, self._agreement(found) / self.weights.full_support)
        return support

    def _text_points(self, found: _Candidates) -> Array:
        return _whole(self.weights.maximum("text") * np.sqrt(self._agreement(found)))

    # --- first: sums and coded facts of everything ---

    def _gathered(self, size: int) -> _Candidates:
        best = np.zeros(0, dtype=np.int64)  # the highest totals so far, at most `size`
        found = []
        for number, piece in enumerate(self.index.pieces_ if size else ()):
            threshold = int(best.min()) if best.size == size else self._reached_by(number, piece, size)
            gathered = self._gather(number, piece, threshold)
            if gathered is None:
                continue
            found.append(gathered)
            best = np.concatenate([best, gathered.total])
            if best.size > size:
                best = np.partition(best, best.size - size)[-size:]
        joined = _Candidates(
            *(
                np.concatenate([np.zeros(0, dtype=kind), *(getattr(one, name) for one in found)])
                for name, kind in _KINDS.items()
            )
        )
        return joined.of(joined.most >= best.min()) if size and best.size == size else joined

    def _reached_by(self, number: int, piece: Piece, size: int) -> int:
        """What `size` documents of a segment, of the highest sums, reach for sure: nobody below enters."""
        if not all(table.any() for table in self._admitted_in(piece)):
            return 0
        sums, few = self._summed(number), _PROBED * size
        # Without the many that are 0 in a search of one region, among which numpy looks for very long.
        listed = sums[sums >= self._least_sum(0)]
        if listed.size <= few:
            return 0
        rows = self._eligible(number, piece, int(np.partition(listed, listed.size - few)[-few]))
        if rows.size < size:
            return 0
        lower, _ = self._bounds(piece, rows, sums, np.zeros(rows.size))
        return int(np.partition(lower, rows.size - size)[rows.size - size])

    def _gather(self, number: int, piece: Piece, threshold: int) -> _Candidates | None:
        """What may reach `threshold`, with its points so far and at most."""
        if not all(table.any() for table in self._admitted_in(piece)):
            return None
        segment, sums = piece.segment, self._summed(number)
        rows = self._eligible(number, piece, self._least_sum(threshold))
        if not rows.size:
            return None
        marks = self._marks(piece, rows)
        lower, upper = self._bounds(piece, rows, sums, self._open_maxima(marks))
        kept = np.flatnonzero(upper >= threshold)
        rows = rows[kept]
        nothing = np.zeros(rows.size, dtype=np.int64)
        return _Candidates(
            np.full(rows.size, number, dtype=np.int64),
            rows,
            segment.ids[rows],
            sums[rows].astype(np.int64),
            lower[kept],
            upper[kept],
            marks[kept],
            nothing,
            nothing,
        )

    def _admitted_in(self, piece: Piece) -> list[Array]:
        """By condition, whether each of a segment's values is admitted."""
        return [
            table[piece.numbers[condition.column]]
            for table, condition in zip(self._admitted, self.conditions, strict=True)
        ]

    def _eligible(self, number: int, piece: Piece, least_sum: int) -> Array:
        """The rows of those who may stand on the list and whose sum reaches `least_sum`."""
        segment = piece.segment
        room = np.empty(len(segment), dtype=np.int64)
        own = self.seeker.organisation_id
        count = kernels.gather(
            self._summed(number),
            least_sum,
            piece.standing,
            segment.organisations,
            -1 if own is None else own,
            segment.until,
            self.now,
            _stacked(self._admitted_in(piece), np.uint8),
            self._columns,
            segment.codes,
            room,
        )
        return room[:count].copy()

    def _bounds(self, piece: Piece, rows: Array, sums: Array, open_maxima: Array) -> tuple[Array, Array]:
        """The points of the documents at `rows` so far, and at most."""
        lower, upper = np.empty(rows.size, dtype=np.int64), np.empty(rows.size, dtype=np.int64)
        kernels.bound(
            rows,
            sums,
            self.query.full,
            self.weights.maximum("text"),
            self.weights.full_support,
            _stacked(
                [table[piece.numbers[name]] for table, name in zip(self._shares, CODED_PARTS, strict=True)],
                np.float64,
            ),
            self._maxima,
            piece.segment.codes,
            open_maxima,
            lower,
            upper,
        )
        return lower, upper

    def _summed(self, number: int) -> Array:
        """The sums of a segment's documents; of those in other regions than are asked for, 0."""
        if number not in self._sums:
            piece = self.index.pieces_[number]
            self._sums[number] = scoring.sums(self.query, piece.segment, self._rows_asked(piece))
        return self._sums[number]

    def _rows_asked(self, piece: Piece) -> tuple[int, int] | None:
        """The stretch of rows in which everybody of the regions asked for stands: segments lie by region."""
        for condition, admitted in zip(self.conditions, self._admitted, strict=True):
            if condition.reason is Exclusion.REGION:
                codes = piece.segment.codes[NAMES.index(condition.column)]
                rows = np.flatnonzero(admitted[piece.numbers[condition.column]][codes])
                return (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
        return None

    def _least_sum(self, threshold: int) -> int:
        """The least sum with which a document is listed at all and could still reach `threshold`."""

        def suffices(total: int) -> bool:
            agreement = min(total / self.query.full, 1.0)
            if agreement < self.weights.least_agreement:
                return False
            beside = self._most_beside * self.weights.support(agreement) + len(PART_NAMES)
            return self.weights.text_points(agreement) + beside >= threshold

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
        if not possible.keys.size:
            return np.zeros(rows.size, dtype=np.uint64)
        marks = np.zeros(len(segment), dtype=np.uint64)
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
            most += weight * maximum * self._is_open(marks, place)
        # For the rounding of sums of shares.
        return most + 1.0

    def _is_open(self, marks: Array, place: int) -> Array:
        """Whether documents with these marks may say anything on an indicator."""
        if place >= _MOST_INDICATORS_MARKED or place in self.possible.always:
            return np.ones(marks.size, dtype=bool)
        return (marks >> np.uint64(place + 1) & np.uint64(1)).astype(bool)

    # --- then: titles, and indicators where they can still decide ---

    def _with_titles(self, found: _Candidates, size: int) -> _Candidates:
        title, maximum = shares.plain_title(self.seeker.title), self.weights.maximum("title")
        values = np.zeros(found.id.size)
        if title and values.size:
            pieces = self.index.pieces_
            titles = [
                pieces[piece].segment.title(row)
                for piece, row in zip(found.piece.tolist(), found.row.tolist(), strict=True)
            ]
            likenesses = process.cdist([title], titles, scorer=fuzz.ratio, dtype=np.float64)[0].tolist()
            values[:] = [
                shares.title_value(likeness / 100.0) if other else 0.0
                for likeness, other in zip(likenesses, titles, strict=True)
            ]
        values[(found.marks & np.uint64(1)) > 0] = 1.0
        support = self._support(found)
        found.title = _whole(maximum * values * support)
        found.total = found.total + found.title
        # What the title did not earn can no more be reached.
        found.most = found.most + found.title - np.floor(maximum * support).astype(np.int64)
        if found.id.size > size:
            threshold = np.partition(found.total, found.id.size - size)[-size:].min()
            return found.of(found.most >= threshold)
        return found

    def _with_indicators(self, found: _Candidates, size: int) -> _Candidates:
        """Indicators cost most, so they are read in the order of what could be reached with all of them
        met, and no further than somebody could still enter.
        """
        if not self.asked or not found.id.size:
            return found
        found = found.of(np.lexsort((found.id, -found.most)))
        open_places = [self._is_open(found.marks, place).tolist() for place in range(len(self.asked))]
        is_open = [[place for place, may in enumerate(row) if may] for row in zip(*open_places, strict=True)]
        support = self._support(found).tolist()
        reached: list[int] = []  # the best totals read, a heap
        read = 0
        for most, total in zip(found.most.tolist(), found.total.tolist(), strict=True):
            if len(reached) == size and most < reached[0]:
                break
            if is_open[read]:
                share = self._compared(int(found.piece[read]), int(found.row[read]), is_open[read])
                found.indicators[read] = points = self.weights.worth("indicators", share, support[read])
                found.total[read] = total = total + points
            read += 1
            if len(reached) < size:
                heapq.heappush(reached, total)
            else:
                heapq.heappushpop(reached, total)
        return found.of(np.arange(read))

    def _compared(self, piece: int, row: int, places: Sequence[int]) -> float:
        """The share that a document earns of the indicators at `places`; it states nothing on the others."""
        offer = self.index.pieces_[piece].segment.offer(row)
        indicators = self.seeker.indicators
        findings = {place: compare(indicators[place], offer) for place in places}
        self._findings[piece, row] = findings
        return sum(
            Comparison(indicators[place], self.asked[place], finding).share
            for place, finding in findings.items()
        )

    def comparisons(self, piece: int, row: int) -> tuple[Comparison, ...]:
        """What a document that was found says to each of the seeker's indicators."""
        findings = self._findings.get((piece, row), {})
        return tuple(
            Comparison(indicator, weight, findings.get(place, NOTHING))
            for place, (indicator, weight) in enumerate(zip(self.seeker.indicators, self.asked, strict=True))
        )


_KINDS: dict[str, Any] = {
    field.name: np.uint64 if field.name == "marks" else np.int64 for field in fields(_Candidates)
}


def _whole(points: Array) -> Array:
    return np.rint(points).astype(np.int64)


def _stacked(tables: Sequence[Array], kind: type[np.generic]) -> Array:
    """Tables of different lengths as the rows of one."""
    stacked = np.zeros((len(tables), max((table.size for table in tables), default=1)), dtype=kind)
    for row, table in enumerate(tables):
        stacked[row, : table.size] = table
    return stacked
