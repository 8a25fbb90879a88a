"""Ranking in blocks: some segments and some seekers at a time, in whatever process, and the same outcome.

A pair's score depends on the pair and the epoch only, so the best of the whole are the best of the blocks'
best, by (−score, id), and what was left out adds up. A block reads files alone: those of the epoch, and
beside them what came and went since with the weights and the dictionary (`publish`); whoever sees both
folders can rank any block any number of times. Not here: which processes do it (`cluster`).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np

from marketplace.language import Dictionary
from marketplace.matching.engine import segments
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.index import ForeignIndexError, Index, Piece
from marketplace.matching.engine.ranking import Ranker, Ranking, warm_up
from marketplace.matching.engine.search import Place, Search
from marketplace.matching.engine.weights import Weights

#: Rows that one block reads at most, unless one segment has more. Every block reads titles and indicators
#: for its own best, so that fewer and larger ones are less work together.
ROWS_AT_ONCE = 4 * segments.MOST_DOCUMENTS
_DESCRIPTION = "blocks.json"


class BlocksDisagree(RuntimeError):
    """Another process computed another score for the same pair: not the same engine or arithmetic."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A seeker that is to be ranked as of an instant."""

    seeker: Matchable
    now: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """A ranking in numbers: the best places in order, and what became of everything else."""

    places: tuple[Place, ...]
    considered: int
    excluded: Mapping[str, int]
    unrelated: int


def publish(ranker: Ranker, epoch: Path, folder: Path) -> list[int]:
    """Write beside the saved `epoch` what `rank_block` needs to rank as `ranker` does, into `folder`.

    `ranker` was loaded from `epoch` and may have changed since. Returns the rows of each of its segments.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = ranker.index_
    names = [f"segment-{number:04}" for number in range(len(index.pieces_))]
    for number, (name, piece) in enumerate(zip(names, index.pieces_, strict=True)):
        if number >= index.base_:
            piece.segment.save(folder / name, index.made_by)
        with (folder / f"{name}.alive.npy").open("wb") as file:
            np.save(file, piece.alive, allow_pickle=False)
            segments.sync(file)
    segments.write_json(
        folder / _DESCRIPTION,
        {
            "epoch": os.path.relpath(epoch, folder),
            "segments": names,
            "base": index.base_,
            "weights": ranker.weights.to_dict(),
            "dictionary": ranker.dictionary.to_dict(),
        },
    )
    files = [
        _DESCRIPTION,
        *(f"{name}.alive.npy" for name in names),
        *(f"{name}/manifest.json" for name in names[index.base_ :]),
    ]
    segments.write_manifest(folder, files, {})
    return [len(piece.segment) for piece in index.pieces_]


def divide(rows: Sequence[int], most: int = ROWS_AT_ONCE) -> list[tuple[int, ...]]:
    """Numbers of segments, in order, put together as long as they have no more than `most` rows."""
    blocks: list[tuple[int, ...]] = []
    room = 0
    for number, size in enumerate(rows):
        if blocks and size <= room:
            blocks[-1] += (number,)
        else:
            blocks.append((number,))
            room = most
        room -= size
    return blocks


def rank_block(folder: Path, numbers: Sequence[int], asked: Sequence[Asked], *, size: int) -> list[Tally]:
    """For each of `asked` the best `size` of the segments with these `numbers`, and the rest counted.

    Depends on the files and the arguments alone. Raises ForeignIndexError if what was published in `folder`
    is gone or damaged, or if another engine wrote it.
    """
    published = _open(folder)
    index = published.over(numbers)
    return [tally(index, published.weights, one, size=size) for one in asked]


def tally(index: Index, weights: Weights, asked: Asked, *, size: int) -> Tally:
    """The numbers of `Ranker.rank`."""
    search = Search(index, weights, asked.seeker, asked.now)
    places = search.best(size).places()
    excluded, unrelated = search.count_others()
    return Tally(tuple(places), len(index), excluded, unrelated)


def merge(tallies: Sequence[Tally], size: int) -> Tally:
    """What the whole says, from what each of its blocks says of the same seeker."""
    places = sorted((place for one in tallies for place in one.places), key=_in_order)
    excluded: Counter[str] = Counter()
    for one in tallies:
        excluded.update(one.excluded)
    return Tally(
        tuple(places[:size]),
        sum(one.considered for one in tallies),
        {reason: excluded[reason] for reason in sorted(excluded)},
        sum(one.unrelated for one in tallies),
    )


def in_full(ranker: Ranker, seeker: Matchable, tally: Tally) -> Ranking:
    """What `ranker.rank` gives, from its numbers: the parts' facts are read for the listed ones only.

    Raises BlocksDisagree if the numbers are not those of `ranker`.
    """
    matches = tuple(ranker.match(seeker, place.id) for place in tally.places)
    for place, match in zip(tally.places, matches, strict=True):
        if place.points != tuple(part.points for part in match.parts):
            raise BlocksDisagree(f"{seeker.key} and capability {place.id}: {place.score}, not {match.score}")
    return Ranking(matches, tally.considered, tally.excluded, tally.unrelated)


def _in_order(place: Place) -> tuple[int, int]:
    return -place.score, place.id


# --- what a process has open ------------------------------------------------------------------------------


class _Published:
    """What `publish` wrote, its segments opened as they are asked for."""

    def __init__(self, folder: Path) -> None:
        segments.check_manifest(folder, {})
        try:
            known = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ForeignIndexError(f"{folder.name}: {error}") from error
        self._folder, self._epoch = folder, folder / known["epoch"]
        self._names, self._base = known["segments"], known["base"]
        self.weights = Weights.from_dict(known["weights"])
        dictionary = Dictionary.from_dict(known["dictionary"])
        self._index = Index.load_statistics(self._epoch, self.weights.text, dictionary)
        self._pieces: dict[int, Piece] = {}
        self._lock = Lock()

    def over(self, numbers: Sequence[int]) -> Index:
        with self._lock:
            return self._index.of_pieces([self._piece(number) for number in numbers])

    def _piece(self, number: int) -> Piece:
        if number not in self._pieces:
            name = self._names[number]
            folder = self._epoch if number < self._base else self._folder
            self._pieces[number] = self._index.open_piece(folder / name, self._folder / f"{name}.alive.npy")
        return self._pieces[number]


#: The latest only: what a process needs to answer one rematch, however many it lives through.
_opened: dict[Path, _Published] = {}
_opening = Lock()
_warm_up = cache(warm_up)  # once in the life of a process


def _open(folder: Path) -> _Published:
    with _opening:
        if folder not in _opened:
            _opened.clear()
            _warm_up()
            _opened[folder] = _Published(folder)
        return _opened[folder]
