"""What one epoch knows of its corpus: how many documents hold a term, and how long sections usually are.

Learned once and then left alone: a document that comes later is weighed by it and changes nobody else's
score. Not here: what a term is worth by it (`scoring`) and the postings (`segments`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.matching.engine.counts import Counts
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.terms import FIELD_SHIFT, FIELDS


@dataclass(frozen=True, slots=True)
class Statistics:
    """`keys` (uint64, ascending) with `frequency` (int64): documents that hold the term.

    `size` documents were counted; `lengths` gives for each section the usual number of terms of each field.
    """

    size: int
    keys: Array
    frequency: Array
    lengths: Mapping[str, tuple[float, ...]]

    def frequency_of(self, keys: Array) -> Array:
        """In how many documents each of `keys` (uint64, any order) stands."""
        if not self.keys.size:
            return np.zeros(keys.size, dtype=np.int64)
        places = np.searchsorted(self.keys, keys)
        places[places == self.keys.size] = 0
        found: Array = np.where(self.keys[places] == keys, self.frequency[places], 0)
        return found

    def usual_length(self, section: str) -> Array:
        """Of a section that the epoch never saw: that of the longest it did see."""
        known = self.lengths.get(section)
        if known is not None:
            return np.array(known, dtype=np.float64)
        longest: Array = np.max(
            np.array([[1.0] * len(FIELDS), *self.lengths.values()], dtype=np.float64), axis=0
        )
        return longest


def learn(several: Sequence[Counts], *, go_on: Callable[[], None] | None = None) -> Statistics:
    """The statistics of documents that were counted in any number of sets: the same for any division.

    `go_on` is called after each set.
    """
    found = []
    for counts in several:
        found.append(counts.document_frequency())
        if go_on is not None:
            go_on()
    every = np.concatenate([keys for keys, _ in found]) if found else np.zeros(0, dtype=np.uint64)
    keys, place = np.unique(every, return_inverse=True)
    frequency = np.zeros(keys.size, dtype=np.int64)
    np.add.at(frequency, place, np.concatenate([one for _, one in found]) if found else [])
    return Statistics(sum(counts.size for counts in several), keys, frequency, _usual_lengths(several))


def _usual_lengths(several: Sequence[Counts]) -> dict[str, tuple[float, ...]]:
    """The mean over documents that have the field in the section; 1 where nobody does, so nothing divides
    by 0. Sums and counts are whole numbers, so that no order of adding changes them.
    """
    total: dict[str, Array] = {}
    users: dict[str, Array] = {}
    for counts in several:
        lengths = section_lengths(counts)
        for place, name in enumerate(counts.sections):
            total[name] = total.get(name, 0) + lengths[:, place].sum(axis=0)
            users[name] = users.get(name, 0) + np.count_nonzero(lengths[:, place], axis=0)
    return {
        name: tuple(
            int(terms) / int(documents) if documents else 1.0
            for terms, documents in zip(total[name], users[name], strict=True)
        )
        for name in sorted(total)
    }


def section_lengths(counts: Counts) -> Array:
    """Terms of each weighed field in each section of each document: documents × sections × fields, int64."""
    fields = (counts.key >> np.uint64(FIELD_SHIFT)).astype(np.int64)
    weighed = fields < len(FIELDS)
    shape = (counts.size, len(counts.sections), len(FIELDS))
    place = (counts.document[weighed].astype(np.int64) * shape[1] + counts.section[weighed]) * shape[
        2
    ] + fields[weighed]
    flat = np.zeros(counts.size * shape[1] * shape[2], dtype=np.int64)
    np.add.at(flat, place, counts.count[weighed].astype(np.int64))
    return flat.reshape(shape)
