"""How often which terms stand in which section of a document: all that indexing needs of a text.

Counting is what takes time when an index is built, so counts are kept with each segment and a new epoch
is built from them without reading a text again. Not here: how a text is cut (`terms`, `language`) and what
a count is worth (`segments`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.indicators.names import lowered, understand
from marketplace.language import DEFAULT_DICTIONARY, Dictionary, normalise
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.parts import models_of
from marketplace.matching.engine.statements import GRADE_LETTERS
from marketplace.matching.engine.terms import LETTERS, MODELS, PARAMETERS, key_of, section_counts

#: Said more often than this counts as said this often.
_MOST_COUNTED = np.iinfo(np.uint16).max
_MOST_SECTIONS = np.iinfo(np.uint8).max + 1


@dataclass(frozen=True, slots=True)
class Counts:
    """Term counts of several documents, one entry for each (document, section, term).

    `document` int32 ascending, `key` uint64, `section` uint8 as an index into `sections` (sorted names),
    `count` uint16; `size` documents, of which some may have no entry.
    """

    size: int
    sections: tuple[str, ...]
    document: Array
    key: Array
    section: Array
    count: Array

    def of(self, rows: Array) -> Counts:
        """The counts of the documents at `rows` (each at most once), in that order."""
        place = np.full(self.size, -1, dtype=np.int32)
        place[rows] = np.arange(rows.size, dtype=np.int32)
        document = place[self.document]
        kept = np.flatnonzero(document >= 0)
        kept = kept[np.argsort(document[kept], kind="stable")]
        return Counts(
            int(rows.size),
            self.sections,
            document[kept],
            self.key[kept],
            self.section[kept],
            self.count[kept],
        )

    def with_sections_used(self) -> Counts:
        """The same without names of sections that no document has, so that equal counts look equal."""
        used = np.unique(self.section)
        number = np.zeros(len(self.sections), dtype=np.uint8)
        number[used] = np.arange(used.size, dtype=np.uint8)
        return Counts(
            self.size,
            tuple(self.sections[place] for place in used.tolist()),
            self.document,
            self.key,
            number[self.section] if self.sections else self.section,
            self.count,
        )

    def document_frequency(self) -> tuple[Array, Array]:
        """Every key, ascending, and in how many documents it stands."""
        order = np.lexsort((self.document, self.key))
        key, document = self.key[order], self.document[order]
        first = np.ones(key.size, dtype=bool)
        first[1:] = (key[1:] != key[:-1]) | (document[1:] != document[:-1])
        keys, frequency = np.unique(key[first], return_counts=True)
        return keys, frequency.astype(np.int64)


def count_documents(documents: Iterable[Matchable], dictionary: Dictionary = DEFAULT_DICTIONARY) -> Counts:
    """Read the texts of `documents` and count. Raises ValueError for more than 256 names of sections."""
    counted = [_sections_of(document, dictionary) for document in documents]
    names = sorted({name for sections in counted for name, _ in sections})
    number = _numbers(names)
    lengths: list[int] = []
    keys: list[int] = []
    counts: list[int] = []
    slots: list[int] = []
    for sections in counted:
        length = 0
        for name, terms in sections:
            keys.extend(terms)
            counts.extend(terms.values())
            slots.extend([number[name]] * len(terms))
            length += len(terms)
        lengths.append(length)
    return Counts(
        size=len(counted),
        sections=tuple(names),
        document=np.repeat(np.arange(len(counted), dtype=np.int32), lengths),
        key=np.array(keys, dtype=np.uint64),
        section=np.array(slots, dtype=np.uint8),
        count=np.minimum(np.array(counts, dtype=np.int64), _MOST_COUNTED).astype(np.uint16),
    )


def _numbers(names: Sequence[str]) -> dict[str, int]:
    if len(names) > _MOST_SECTIONS:
        raise ValueError(f"a corpus has at most {_MOST_SECTIONS} names of sections, not {len(names)}")
    return {name: place for place, name in enumerate(names)}


def _sections_of(document: Matchable, dictionary: Dictionary) -> list[tuple[str, dict[int, int]]]:
    sections = [(name, section_counts(text, dictionary)) for name, text in document.text_sections()]
    facts = {key_of(MODELS, model): 1 for model in models_of(document.body())}
    facts |= {key_of(PARAMETERS, understand(one.name).core): 1 for one in document.indicators}
    spelled = lowered(normalise(document.body()))
    facts |= {key_of(LETTERS, letters): 1 for letters in GRADE_LETTERS if letters in spelled}
    if facts:
        sections.append(("", facts))
    merged: dict[str, dict[int, int]] = {}
    for name, terms in sections:
        into = merged.setdefault(name, {})
        for key, count in terms.items():
            into[key] = into.get(key, 0) + count
    return [(name, terms) for name, terms in merged.items() if terms]


def join(several: Sequence[Counts]) -> Counts:
    """The counts of several sets of documents, one after the other."""
    names = sorted({name for counts in several for name in counts.sections})
    number = _numbers(names)
    document, slots, before = [], [], 0
    for counts in several:
        document.append(counts.document + np.int32(before))
        renamed = np.array([number[name] for name in counts.sections], dtype=np.uint8)
        slots.append(renamed[counts.section] if renamed.size else counts.section)
        before += counts.size
    empty = Counts(0, (), *(np.zeros(0, dtype=kind) for kind in (np.int32, np.uint64, np.uint8, np.uint16)))
    all_of = [*several, empty]
    return Counts(
        before,
        tuple(names),
        np.concatenate([*document, empty.document]).astype(np.int32),
        np.concatenate([counts.key for counts in all_of]),
        np.concatenate([*slots, empty.section]).astype(np.uint8),
        np.concatenate([counts.count for counts in all_of]),
    )
