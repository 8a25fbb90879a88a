"""A corpus epoch: statistics, the segments of its capabilities, and what came and went since.

What is learned in `fit` stays as it is until the next `fit`: a document that comes later is weighed with the
epoch's statistics, so it changes nobody else's score. Later documents lie in small segments of their own
(deltas); whatever a later segment holds or a change removed is dead in the earlier ones. Segments are cut by
region, the commonest condition, so that a need for one region reads that region's segments only.
Not here: what a seeker's terms are worth (`scoring`); where files lie and when an epoch is due (the
feature around).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from marketplace.language import DEFAULT_DICTIONARY, LANGUAGE_VERSION, Dictionary
from marketplace.matching.engine import ENGINE_VERSION, counts, scoring, segments
from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.facts import Facts
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.scoring import Query
from marketplace.matching.engine.segments import ForeignIndexError, Segment
from marketplace.matching.engine.statistics import Statistics, learn
from marketplace.matching.engine.weighed import Weighed
from marketplace.matching.engine.weights import DEFAULT_TEXT_WEIGHTS, TextWeights

__all__ = ["ForeignIndexError", "Index", "Piece"]

_FORMAT = 3
#: Documents whose texts are read before progress is told and memory given back.
_READ_AT_ONCE = 2000
#: So many small segments behind the base are worth putting into one.
MOST_DELTAS = 6

Progress = Callable[[int, int], None]


def untold(done: int, total: int) -> None:
    """For whoever is not told of progress."""


@dataclass(frozen=True)
class Piece:
    """A segment within an index.

    `alive` (uint8, by row) is 0 for what was replaced or removed since; `numbers` are, for each fact column,
    the numbers of the segment's values among those of the index.
    """

    segment: Segment
    alive: Array
    numbers: dict[str, Array]

    @cached_property
    def standing(self) -> Array:
        """1 for what may stand on a list: alive, and not withdrawn or suspended."""
        standing: Array = self.alive & self.segment.active
        return standing


class Index(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """Postings of capabilities over all terms, with the statistics of the epoch they were fitted on.

    After `fit`: `statistics_`, `pieces_` (segments, base first), `base_` (how many of them are the base), and
    `facts_` (their coded facts); `weighed` are the seekers whose terms were weighed. `len(index)` is how
    many documents are in it.
    """

    def __init__(
        self, weights: TextWeights = DEFAULT_TEXT_WEIGHTS, dictionary: Dictionary = DEFAULT_DICTIONARY
    ) -> None:
        self.weights = weights
        self.dictionary = dictionary
        self.weighed = Weighed()

    def fit(self, documents: Iterable[Matchable], *, progress: Progress = untold, processes: int = 1) -> Self:
        """Learn the statistics of `documents` and index them. An empty corpus is allowed.

        So many `processes` read the texts, which takes most of the time; what is learned is the same for any
        number. Raises ValueError if a document occurs twice or is no capability.
        """
        by_region = _checked(documents)
        readings: list[bytes] = []
        several = []
        with _readers(processes) as read_each:
            for _, chunk in _chunks(by_region, segments.MOST_DOCUMENTS):
                parts = []
                batches = (batch for _, batch in _chunks(chunk, _READ_AT_ONCE))
                for counted, offers in read_each(partial(_read, self.dictionary), batches):
                    progress(len(readings), len(by_region))
                    parts.append(counted)
                    readings += offers
                several.append(counts.join(parts))
        self._learn(by_region, readings, several, progress)
        return self

    def refit(self, *, progress: Progress = untold) -> Index:
        """What `fit` would make of the documents in the index; no text is read again, as counts are kept."""
        documents, readings, counted = self._living(self.pieces_, progress)
        places = range(len(documents))
        several = [
            counted.of(np.array(chunk, dtype=np.int64))
            for _, chunk in _chunks(places, segments.MOST_DOCUMENTS)
        ]
        fresh = Index(self.weights, self.dictionary)
        fresh._learn(documents, readings, several, progress)
        return fresh

    def _living(
        self, pieces: Sequence[Piece], progress: Progress = untold
    ) -> tuple[list[Matchable], list[bytes], counts.Counts]:
        """What is in these pieces, in the order in which it is laid out, with its readings and counts."""
        documents, readings, counted = [], [], []
        for piece in pieces:
            rows = np.flatnonzero(self._present(piece))
            documents += [piece.segment.document(int(row)) for row in rows]
            readings += [piece.segment.reading(int(row)) for row in rows]
            counted.append(piece.segment.counted().of(rows))
            progress(len(documents), len(self))
        order = sorted(range(len(documents)), key=lambda place: _by_region(documents[place]))
        in_order = counts.join(counted).of(np.array(order, dtype=np.int64))
        return [documents[place] for place in order], [readings[place] for place in order], in_order

    def _learn(
        self,
        documents: Sequence[Matchable],
        readings: Sequence[bytes],
        several: Sequence[counts.Counts],
        progress: Progress,
    ) -> None:
        self.statistics_ = learn(several, go_on=lambda: progress(len(documents), len(documents)))
        self._start()
        for (done, chunk), counted in zip(_chunks(documents, segments.MOST_DOCUMENTS), several, strict=True):
            read = readings[done : done + len(chunk)]
            self._add(segments.build(chunk, read, counted, self.statistics_, self.weights))
            progress(len(documents), len(documents))
        self.base_ = len(self.pieces_)

    def with_changes(self, changed: Iterable[Matchable], removed: Iterable[tuple[str, int]] = ()) -> Index:
        """The same epoch over other capabilities: `changed` replace their earlier versions or are new."""
        documents = _checked(changed)
        other = self.without([id for _, id in removed])
        for _, chunk in _chunks(documents, segments.MOST_DOCUMENTS):
            delta = self.delta(chunk)
            other = other.with_delta(delta) if delta is not None else other
        return other

    def delta(self, changed: Iterable[Matchable]) -> Segment | None:
        """A segment of `changed` by this epoch's statistics; None if there are none.

        Raises ValueError if there are more than a segment holds.
        """
        documents = _checked(changed)
        if not documents:
            return None
        counted = counts.count_documents(documents, self.dictionary)
        return segments.build(
            documents, segments.readings_of(documents), counted, self.statistics_, self.weights
        )

    def with_delta(self, delta: Segment, removed: Iterable[int] = ()) -> Index:
        """The same epoch with a later segment, whose documents replace their earlier versions."""
        other = self.without({*removed, *delta.ids.tolist()})
        other._add(delta)
        return other

    def emptied(self) -> Index:
        """The same epoch without any document, and with none of its facts: those of few are judged faster."""
        other = self._like(())
        other.facts_ = Facts()
        return other

    def compacted(self) -> Index:
        """The same documents with all deltas in one, or the latest of them that fit one; no text is read
        again.
        """
        first, living = len(self.pieces_), 0
        while first > self.base_:
            living += int(np.count_nonzero(self._present(self.pieces_[first - 1])))
            if living > segments.MOST_DOCUMENTS:
                break
            first -= 1
        if len(self.pieces_) - first < 2:
            return self
        other = self._like(self.pieces_[:first])
        merged = self._merged(first)
        if merged is not None:
            other._add(merged)
        return other

    def merged_delta(self) -> Segment | None:
        """All living documents that came after the base as one segment; None if there are none.

        Raises ValueError if there are more than a segment holds.
        """
        return self._merged(self.base_)

    def _merged(self, first: int) -> Segment | None:
        """The living documents from the piece of that number on as one segment."""
        documents, readings, counted = self._living(self.pieces_[first:])
        if not documents:
            return None
        return segments.build(documents, readings, counted, self.statistics_, self.weights)

    def __len__(self) -> int:
        return sum(int(np.count_nonzero(self._present(piece))) for piece in self.pieces_)

    def documents(self) -> Iterator[Matchable]:
        """Every document in the index, in no order that means anything."""
        for piece in self.pieces_:
            for row in np.flatnonzero(self._present(piece)).tolist():
                yield piece.segment.document(row)

    def find(self, id: int) -> tuple[Piece, int] | None:
        """Where a capability stands: piece and row."""
        for piece in reversed(self.pieces_):
            row = piece.segment.row_of(id)
            if row is not None:
                return (piece, row) if self._present(piece)[row] else None
        return None

    def weigh(self, seeker: Matchable) -> Query:
        """What a seeker's terms are worth by the statistics of the epoch; remembered."""
        known = self.weighed.get(seeker)
        if known is None:
            known = scoring.weigh(seeker, self.statistics_, self.weights, self.dictionary)
            self.weighed.put(seeker, known)
        return known

    def products(self, query: Query, id: int) -> dict[str, int]:
        """worth × impact of every term that a capability shares with a seeker; they add up to its sum.

        Raises KeyError if the capability is not in the index.
        """
        found = self.find(id)
        if found is None:
            raise KeyError(id)
        piece, row = found
        return scoring.term_products(query, piece.segment, row)

    # --- files ---

    @property
    def made_by(self) -> dict[str, Any]:
        """What a reader has to be to understand the files."""
        weights = self.weights
        return {
            "format": _FORMAT,
            "engine": ENGINE_VERSION,
            "language": LANGUAGE_VERSION,
            "dictionary": self.dictionary.digest(),
            "text_weights": [weights.k1, weights.b, weights.title, weights.keywords, weights.body],
        }

    def save(self, folder: Path) -> None:
        """Write the whole index, deltas as they are; the folder's manifest last."""
        folder.mkdir(parents=True, exist_ok=True)
        names = [f"segment-{number:04}" for number in range(len(self.pieces_))]
        for name, piece in zip(names, self.pieces_, strict=True):
            piece.segment.save(folder / name, self.made_by)
            with (folder / f"{name}.alive.npy").open("wb") as file:
                np.save(file, self._present(piece).astype(np.uint8), allow_pickle=False)
                segments.sync(file)
        for name, array in (("keys", self.statistics_.keys), ("frequency", self.statistics_.frequency)):
            with (folder / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                segments.sync(file)
        lengths = {name: list(usual) for name, usual in self.statistics_.lengths.items()}
        segments.write_json(
            folder / "epoch.json",
            {"size": self.statistics_.size, "lengths": lengths, "segments": names, "base": self.base_},
        )
        files = [
            *("keys.npy", "frequency.npy", "epoch.json"),
            *(f"{name}.alive.npy" for name in names),
            *(f"{name}/manifest.json" for name in names),
        ]
        segments.write_manifest(folder, files, self.made_by)

    @classmethod
    def load(
        cls,
        folder: Path,
        weights: TextWeights = DEFAULT_TEXT_WEIGHTS,
        dictionary: Dictionary = DEFAULT_DICTIONARY,
    ) -> Self:
        """Open what `save` wrote, its arrays memory-mapped.

        Raises ForeignIndexError if a file is missing or damaged, or if another engine, dictionary or
        text weighting wrote it.
        """
        index = cls.load_statistics(folder, weights, dictionary)
        known = _read_epoch(folder)
        index._start()
        for name in known["segments"]:
            index.pieces_.append(index.open_piece(folder / name, folder / f"{name}.alive.npy"))
        index.base_ = known["base"]
        return index

    def open_piece(self, folder: Path, alive: Path) -> Piece:
        """A segment of this epoch from its files, without adding it.

        Raises ForeignIndexError as `load` does.
        """
        segment = Segment.load(folder, self.made_by)
        present = np.array(_load_array(alive), dtype=np.uint8)
        return Piece(segment, present, self.facts_.register(dict(segment.fact_values)))

    def of_pieces(self, pieces: Sequence[Piece]) -> Index:
        """The same epoch over nothing but these, which were opened by this index."""
        return self._like(pieces)

    @classmethod
    def load_statistics(
        cls,
        folder: Path,
        weights: TextWeights = DEFAULT_TEXT_WEIGHTS,
        dictionary: Dictionary = DEFAULT_DICTIONARY,
    ) -> Self:
        """Open an epoch without its documents: enough to weigh seekers and to score single pairs.

        Raises ForeignIndexError as `load` does.
        """
        index = cls(weights, dictionary)
        segments.check_manifest(folder, index.made_by)
        known = _read_epoch(folder)
        index.statistics_ = Statistics(
            known["size"],
            _load_array(folder / "keys.npy"),
            _load_array(folder / "frequency.npy"),
            {name: tuple(usual) for name, usual in known["lengths"].items()},
        )
        index._start()
        return index

    # --- inside ---

    def _start(self) -> None:
        self.facts_ = Facts()
        self.pieces_: list[Piece] = []
        self.base_ = 0

    def _add(self, segment: Segment) -> None:
        alive = np.ones(len(segment), dtype=np.uint8)
        self.pieces_.append(Piece(segment, alive, self.facts_.register(dict(segment.fact_values))))

    def _like(self, pieces: Sequence[Piece]) -> Index:
        other = Index(self.weights, self.dictionary)
        other.statistics_, other.facts_ = self.statistics_, self.facts_
        other.weighed = self.weighed
        other.pieces_, other.base_ = list(pieces), min(self.base_, len(pieces))
        return other

    def without(self, removed: Iterable[int]) -> Index:
        """The same epoch without these capabilities."""
        gone: dict[int, list[int]] = {}
        for id in removed:
            for number, piece in enumerate(self.pieces_):
                row = piece.segment.row_of(id)
                if row is not None and piece.alive[row]:
                    gone.setdefault(number, []).append(row)
        pieces = list(self.pieces_)
        for number, rows in gone.items():
            alive = pieces[number].alive.copy()
            alive[rows] = 0
            pieces[number] = Piece(pieces[number].segment, alive, pieces[number].numbers)
        return self._like(pieces)

    @staticmethod
    def _present(piece: Piece) -> Array:
        """What is in the index: not replaced and not removed."""
        present: Array = piece.alive > 0
        return present


def _checked(documents: Iterable[Matchable]) -> list[Matchable]:
    """In the order in which they are laid out."""
    in_order = sorted(documents, key=_by_region)
    if any(document.kind is not Kind.CAPABILITY for document in in_order):
        raise ValueError("only capabilities are indexed")
    if len({document.id for document in in_order}) != len(in_order):
        raise ValueError("a document occurs twice in the corpus")
    return in_order


def _read(dictionary: Dictionary, documents: Sequence[Matchable]) -> tuple[counts.Counts, list[bytes]]:
    """The counts of some documents, and what is read of them as offers."""
    return counts.count_documents(documents, dictionary), segments.readings_of(documents)


@contextmanager
def _readers(processes: int) -> Iterator[Callable[..., Iterator[tuple[counts.Counts, list[bytes]]]]]:
    """`map`, or the same in processes of their own; results come in order."""
    if processes == 1:
        yield map
        return
    # Not forked: whoever fits may have threads.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield pool.map


def _by_region(document: Matchable) -> tuple[str, int]:
    return document.region, document.id


def _chunks(items: Sequence[Any], size: int) -> Iterator[tuple[int, Sequence[Any]]]:
    for start in range(0, len(items), size):
        yield start, items[start : start + size]


def _read_epoch(folder: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads((folder / "epoch.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ForeignIndexError(f"{folder.name}: {error}") from error
    return known


def _load_array(path: Path) -> Array:
    try:
        return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise ForeignIndexError(f"{path.name}: {error}") from error
