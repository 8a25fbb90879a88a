"""A segment: up to 32,768 capabilities as postings, coded facts and texts, written once and never changed.

Postings are term by term: a row number (uint16) and an impact (uint8) each, or for a term of many documents
one column with an impact for every document. An impact is the saturated, length-normalised frequency of a
term in 255ths. Files are plain .npy and .json, opened memory-mapped, refused unless their checksums hold.
Not here: which segments make up an index (`index`) and what a need is worth in them (`scoring`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from marketplace.indicators.readings import KeptOffer, written
from marketplace.matching.engine import facts
from marketplace.matching.engine.counts import Counts
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.parts import offer_of, plain_title
from marketplace.matching.engine.statistics import Statistics, section_lengths
from marketplace.matching.engine.terms import FIELD_SHIFT, FIELDS
from marketplace.matching.engine.weights import TextWeights

#: Row numbers are 16 bits wide; half of what they allow is built in some ten seconds, so that whoever builds
#: can say in time that it lives.
MOST_DOCUMENTS = 1 << 15
#: A term of more than one in so many documents is kept as a column. It is read twenty times as fast for
#: each document, and takes the room of a list of one in three.
_DENSE_FROM = 16
_FINEST = 255
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER = np.iinfo(np.int64).max
_ARRAYS = (
    "keys",
    "indptr",
    "rows",
    "impacts",
    "dense_of",
    "dense",
    "codes",
    "ids",
    "organisations",
    "until",
    "active",
    "titles",
    "title_ends",
    "documents",
    "document_ends",
    "readings",
    "reading_ends",
    "count_ends",
    "count_terms",
    "count_sections",
    "counts",
)
_MANIFEST, _VERIFIED = "manifest.json", "verified.json"


class ForeignIndexError(ValueError):
    """The folder holds nothing that this engine wrote whole; it has to be built again."""


@dataclass(frozen=True)
class Segment:
    """Documents in rows. `keys` (uint64, ascending) are its terms; term t has the postings
    `rows[indptr[t]:indptr[t + 1]]` (uint16, ascending) with `impacts` (uint8), or, where `dense_of[t]` is not
    −1, the column `dense[dense_of[t]]` (uint8, one for each row) and no list.

    By row: `codes` (uint16, columns × rows; values in `fact_values`), `ids`, `organisations` (−1 for none),
    `until` (microseconds), `active`; titles and documents as UTF-8 behind one another, with where each ends;
    what was read of each as an offer, likewise; and the counts that the postings were made of, by
    `count_ends`.
    """

    keys: Array
    indptr: Array
    rows: Array
    impacts: Array
    dense_of: Array
    dense: Array
    codes: Array
    ids: Array
    organisations: Array
    until: Array
    active: Array
    titles: Array
    title_ends: Array
    documents: Array
    document_ends: Array
    readings: Array
    reading_ends: Array
    count_ends: Array
    count_terms: Array
    count_sections: Array
    counts: Array
    fact_values: Mapping[str, list[list[Any]]]
    sections: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.ids.size)

    @cached_property
    def _by_id(self) -> Array:
        return np.argsort(self.ids, kind="stable")

    @cached_property
    def _title_pieces(self) -> _Pieces:
        return _Pieces(self.titles, self.title_ends)

    @cached_property
    def _document_pieces(self) -> _Pieces:
        return _Pieces(self.documents, self.document_ends)

    @cached_property
    def _reading_pieces(self) -> _Pieces:
        return _Pieces(self.readings, self.reading_ends)

    @cached_property
    def _read(self) -> dict[int, Matchable]:
        return {}

    @cached_property
    def _offers(self) -> dict[int, KeptOffer]:
        return {}

    @property
    def postings(self) -> int:
        """How many impacts there are that are not 0."""
        return int(self.rows.size + np.count_nonzero(self.dense))

    @property
    def nbytes(self) -> int:
        """What is read to answer: postings and coded facts, without texts and counts, in bytes."""
        return sum(getattr(self, name).nbytes for name in _ARRAYS[: _ARRAYS.index("titles")])

    def row_of(self, id: int) -> int | None:
        """Where a capability stands, None if it is not here."""
        place = int(np.searchsorted(self.ids, id, sorter=self._by_id))
        if place == len(self):
            return None
        row = int(self._by_id[place])
        return row if self.ids[row] == id else None

    def document(self, row: int) -> Matchable:
        """The capability at `row`."""
        known = self._read.get(row)
        if known is None:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            known = self._read[row] = Matchable.from_dict(json.loads(self._document_pieces[row]))
        return known

    def reading(self, row: int) -> bytes:
        """What was read of the capability at `row` as an offer."""
        return self._reading_pieces[row]

    def offer(self, row: int) -> KeptOffer:
        """What the capability at `row` states; its text is not read again."""
        known = self._offers.get(row)
        if known is None:
            if len(self._offers) >= _REMEMBERED:
                self._offers.clear()
            known = KeptOffer(self.reading(row), lambda: offer_of(self.document(row)))
            self._offers[row] = known
        return known

    def title(self, row: int) -> str:
        """The title at `row` as it is compared."""
        return self._title_pieces[row].decode("utf-8", "surrogatepass")

    def counted(self) -> Counts:
        """The counts that the postings were made of."""
        ends = self.count_ends
        lengths = np.diff(ends, prepend=0)
        return Counts(
            len(self),
            self.sections,
            np.repeat(np.arange(len(self), dtype=np.int32), lengths),
            self.keys[self.count_terms],
            np.asarray(self.count_sections),
            np.asarray(self.counts),
        )

    def save(self, folder: Path, made_by: Mapping[str, Any]) -> None:
        """Write and sync all files, the manifest with their checksums last. `made_by` says what a reader
        must be to understand them.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name in _ARRAYS:
            with (folder / f"{name}.npy").open("wb") as file:
                np.save(file, np.ascontiguousarray(getattr(self, name)), allow_pickle=False)
                sync(file)
        write_json(folder / "facts.json", {"values": self.fact_values, "sections": self.sections})
        write_manifest(folder, [*(f"{name}.npy" for name in _ARRAYS), "facts.json"], made_by)

    @classmethod
    def load(cls, folder: Path, made_by: Mapping[str, Any]) -> Segment:
        """Open what `save` wrote, its arrays memory-mapped.

        Raises ForeignIndexError if a file is missing or damaged, or if it was `made_by` something else.
        """
        check_manifest(folder, made_by)
        try:
            # "c": writable for the compiled loops, which would otherwise be compiled a second time; never
            # written back.
            arrays = {
                name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False))
                for name in _ARRAYS
            }
            known = json.loads((folder / "facts.json").read_text(encoding="utf-8", errors="surrogatepass"))
            return cls(**arrays, fact_values=known["values"], sections=tuple(known["sections"]))
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ForeignIndexError(f"{folder.name}: {error}") from error


_REMEMBERED = 2000


def readings_of(documents: Iterable[Matchable]) -> list[bytes]:
    """What a segment keeps of each document as an offer; takes a third of a millisecond for each."""
    return [written(offer_of(document)) for document in documents]


def build(
    documents: Sequence[Matchable],
    readings: Sequence[bytes],
    counts: Counts,
    statistics: Statistics,
    weights: TextWeights,
) -> Segment:
    """Make a segment of `documents`, read as `readings`, whose terms are `counts`, all in that order.

    Raises ValueError if there are more than a segment holds.
    """
    if len(documents) > MOST_DOCUMENTS:
        raise ValueError(f"a segment holds {MOST_DOCUMENTS} documents, not {len(documents)}")
    if not len(documents) == len(readings) == counts.size:
        raise ValueError("documents, readings and counts differ in number")
    counts = counts.with_sections_used()
    keys, terms = np.unique(counts.key, return_inverse=True)
    term_of, row_of, impact = _impacts(counts, terms.astype(np.int64), statistics, weights)
    codes, values = facts.encode(documents)
    titles, title_ends = _joined(_bytes(plain_title(document.title)) for document in documents)
    texts, text_ends = _joined(
        _bytes(json.dumps(document.to_dict(), ensure_ascii=False, separators=(",", ":")))
        for document in documents
    )
    read, reading_ends = _joined(readings)
    return Segment(
        keys=keys,
        **_postings(keys.size, len(documents), term_of, row_of, impact),
        codes=codes,
        ids=np.array([document.id for document in documents], dtype=np.int64),
        organisations=np.array(
            [-1 if one.organisation_id is None else one.organisation_id for one in documents], dtype=np.int64
        ),
        until=np.array(
            [_FOREVER if one.valid_until is None else microseconds(one.valid_until) for one in documents],
            dtype=np.int64,
        ),
        active=np.array([document.active for document in documents], dtype=np.uint8),
        titles=titles,
        title_ends=title_ends,
        documents=texts,
        document_ends=text_ends,
        readings=read,
        reading_ends=reading_ends,
        count_ends=np.cumsum(np.bincount(counts.document, minlength=counts.size)).astype(np.int64),
        count_terms=terms.astype(np.int32),
        count_sections=counts.section,
        counts=counts.count,
        fact_values=values,
        sections=counts.sections,
    )


def microseconds(instant: datetime) -> int:
    """An aware instant as whole microseconds since 1970, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _impacts(
    counts: Counts, terms: Array, statistics: Statistics, weights: TextWeights
) -> tuple[Array, Array, Array]:
    """(term, row, impact) of every posting, by term and row.

    BM25F: each section is discounted by its own length and then added, so that leaving a section out can
    only lose. More of a term never counts less.
    """
    fields = (counts.key >> np.uint64(FIELD_SHIFT)).astype(np.int64)
    weighed = fields < len(FIELDS)
    lengths = section_lengths(counts).astype(np.float64)
    section_weights = np.ones(max(1, len(counts.sections)))
    stated = {"title": weights.title, "keywords": weights.keywords}
    for place, name in enumerate(counts.sections):
        lengths[:, place] /= statistics.usual_length(name)
        section_weights[place] = stated.get(name, weights.body)
    # A section that lacks a field has length 0 there, and no entry that would be discounted by it.
    discounts = 1.0 / np.maximum(1.0 - weights.b + weights.b * lengths, np.finfo(np.float64).tiny)
    section = counts.section.astype(np.int64)
    row = counts.document.astype(np.int64)
    # What weighs nothing has no length that it could be discounted by.
    discount = np.where(weighed, discounts[row, section, np.where(weighed, fields, 0)], 1.0)
    value = section_weights[section] * counts.count * discount
    # Sections of one document in the order of their names, so that every layout adds them alike.
    order = np.argsort(terms << 32 | row << 8 | section, kind="stable")
    term, row, value, weighed = terms[order], row[order], value[order], weighed[order]
    first = np.ones(term.size, dtype=bool)
    first[1:] = (term[1:] != term[:-1]) | (row[1:] != row[:-1])
    starts = np.flatnonzero(first)
    total = np.add.reduceat(value, starts) if starts.size else np.zeros(0)
    saturated = np.rint(_FINEST * (total / (weights.k1 + total)))
    impact = np.where(weighed[starts], np.clip(saturated, 1, _FINEST), _FINEST)
    return term[starts], row[starts], impact.astype(np.uint8)


def _postings(terms: int, size: int, term_of: Array, row_of: Array, impact: Array) -> dict[str, Array]:
    frequency = np.bincount(term_of, minlength=terms)
    is_dense = frequency * _DENSE_FROM > size if size >= _DENSE_FROM else np.zeros(terms, dtype=bool)
    dense_of = np.full(terms, -1, dtype=np.int32)
    dense_of[is_dense] = np.arange(np.count_nonzero(is_dense), dtype=np.int32)
    dense = np.zeros((int(np.count_nonzero(is_dense)), size), dtype=np.uint8)
    in_column = is_dense[term_of]
    dense[dense_of[term_of[in_column]], row_of[in_column]] = impact[in_column]
    indptr = np.zeros(terms + 1, dtype=np.int64)
    np.cumsum(np.where(is_dense, 0, frequency), out=indptr[1:])
    return {
        "indptr": indptr,
        "rows": row_of[~in_column].astype(np.uint16),
        "impacts": impact[~in_column],
        "dense_of": dense_of,
        "dense": dense,
    }


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _joined(several: Iterable[bytes]) -> tuple[Array, Array]:
    pieces = list(several)
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    return np.frombuffer(bytearray(b"".join(pieces)), dtype=np.uint8), ends


class _Pieces:
    """Texts behind one another, and where each ends, looked up without making arrays."""

    def __init__(self, joined: Array, ends: Array) -> None:
        self._joined, self._ends = joined.data, ends.data

    def __getitem__(self, row: int) -> bytes:
        return self._joined[self._ends[row - 1] if row else 0 : self._ends[row]].tobytes()


# --- files ------------------------------------------------------------------------------------------------


def write_manifest(folder: Path, names: Sequence[str], made_by: Mapping[str, Any]) -> None:
    """Note what is in a folder; written last, so that a folder without one is not whole."""
    checksums = {name: _checksum(folder / name) for name in names}
    write_json(folder / _MANIFEST, {"made_by": dict(made_by), "sha256": checksums})


def check_manifest(folder: Path, made_by: Mapping[str, Any]) -> None:
    """Raises ForeignIndexError unless the folder is whole and `made_by` the same.

    Reading every byte is done once: what was found whole is remembered beside the files with their sizes
    and times, and read again when one of them has changed.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["made_by"] != json.loads(json.dumps(dict(made_by))):
            raise ForeignIndexError("written by another engine, dictionary or weighting")
        seen = {name: _signature(folder / name) for name in manifest["sha256"]}
        if _read_verified(folder) == seen:
            return
        for name, expected in manifest["sha256"].items():
            if _checksum(folder / name) != expected:
                raise ForeignIndexError(f"{name} is damaged")
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ForeignIndexError(f"{folder.name}: {error}") from error
    _note_verified(folder, seen)


def verify(folder: Path) -> list[str]:
    """Names of the files in `folder` that are not as they were written; every byte is read."""
    try:
        checksums = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))["sha256"]
    except (OSError, KeyError, TypeError, ValueError):
        return [_MANIFEST]
    return [
        name
        for name, expected in checksums.items()
        if not (folder / name).is_file() or _checksum(folder / name) != expected
    ]


def _signature(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino]


def _read_verified(folder: Path) -> Any:
    try:
        return json.loads((folder / _VERIFIED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _note_verified(folder: Path, seen: Mapping[str, list[int]]) -> None:
    try:
        aside = folder / f".{_VERIFIED}.{os.getpid()}"
        aside.write_text(json.dumps(seen), encoding="utf-8")
        aside.replace(folder / _VERIFIED)
    except OSError:
        # A read-only folder is read in full each time.
        return


def write_json(path: Path, data: Any) -> None:
    """Write and sync."""
    with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
        json.dump(data, file, ensure_ascii=False)
        sync(file)


def sync(file: Any) -> None:
    """Have a file's content on the disk before going on."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk before going on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
