"""A corpus epoch: the vocabulary, idf and average lengths of one set of capabilities, and its postings.

What is learned in `fit` stays as it is until the next `fit`: a document that comes later is weighed with the
epoch's statistics, so it changes nobody else's score. Not here: what a seeker's terms are worth and
how products become points (`scoring`); where files lie and when an epoch is due (the feature around).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from marketplace.language import LANGUAGE_VERSION
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.terms import FIELDS, field_of, section_terms
from marketplace.matching.engine.weights import TextWeights

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_FORMAT = 1
_ARRAYS = ("document_frequency", "indptr", "rows", "impacts")


class ForeignIndexError(ValueError):
    """The folder holds no index that this engine wrote whole; it has to be built again."""


class Index:
    """Postings of capabilities over all terms, with the statistics of the epoch they were fitted on.

    After `fit`: `documents_`, `vocabulary_` (term → column), `document_frequency_`, `size_` (documents the
    statistics stand for), `average_length_` (section → terms of each field), `weighed_` (seekers whose terms
    were weighed by these statistics, shared with every `with_changes`), and the postings of
    column t: `rows_[indptr_[t]:indptr_[t + 1]]` with `impacts_`, the saturated term frequencies in [0, 1).
    """

    def __init__(self, weights: TextWeights | None = None) -> None:
        self.weights = weights or TextWeights()

    def fit(self, documents: Iterable[Matchable]) -> Self:
        """Learn the statistics of `documents` and index them. An empty corpus is allowed."""
        self.documents_ = tuple(sorted(documents, key=lambda document: document.key))
        if len({document.key for document in self.documents_}) != len(self.documents_):
            raise ValueError("a document occurs twice in the corpus")
        analysed = [_analyse(document) for document in self.documents_]
        names = sorted({name for sections in analysed for name in sections})
        self.vocabulary_: dict[str, int] = {
            term: column
            for column, term in enumerate(
                sorted({term for sections in analysed for terms in sections.values() for term in terms})
            )
        }
        counts = self._counts(analysed, names)
        present = sum((matrix.sign() for matrix in counts.values()), start=self._no_counts(len(analysed)))
        self.document_frequency_: IntArray = np.asarray(present.sign().sum(axis=0), dtype=np.int64).ravel()
        self.size_ = len(analysed)
        fields = self._fields()
        self.average_length_ = {
            name: _average_length(_lengths(matrix, fields)) for name, matrix in counts.items()
        }
        self.weighed_: dict[Matchable, Any] = {}
        self._set_postings(self._impacts(counts, fields))
        return self

    def with_changes(self, changed: Iterable[Matchable], removed: Iterable[tuple[str, int]] = ()) -> Index:
        """This epoch's statistics over another set of documents: `changed` come in or replace, `removed` go.

        A term the epoch never saw gets a column of its own with document frequency 0.
        """
        fresh = {document.key: document for document in changed}
        gone = set(removed) | set(fresh)
        kept = [row for row, document in enumerate(self.documents_) if document.key not in gone]
        other = Index(self.weights)
        other.size_, other.average_length_, other.weighed_ = self.size_, self.average_length_, self.weighed_
        added = [fresh[key] for key in sorted(fresh)]
        analysed = [_analyse(document) for document in added]
        other.vocabulary_ = self._vocabulary_with(
            term for sections in analysed for terms in sections.values() for term in terms
        )
        grown = len(other.vocabulary_) - len(self.vocabulary_)
        other.document_frequency_ = np.concatenate(
            [self.document_frequency_, np.zeros(grown, dtype=np.int64)]
        )
        old = self._matrix()[kept]
        old.resize((len(kept), len(other.vocabulary_)))
        names = sorted({name for sections in analysed for name in sections})
        new = other._impacts(other._counts(analysed, names), other._fields(), len(added))
        documents = [self.documents_[row] for row in kept] + added
        order = sorted(range(len(documents)), key=lambda row: documents[row].key)
        other.documents_ = tuple(documents[row] for row in order)
        other._set_postings(sparse.vstack([old, new], format="csr")[order])
        return other

    def rows_of(self, columns: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """All postings of `columns`: (position in `columns`, document row, impact), column by column."""
        starts = self.indptr_[columns]
        lengths = self.indptr_[columns + 1] - starts
        positions = np.repeat(np.arange(len(columns)), lengths)
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = np.repeat(starts, lengths) + np.arange(int(lengths.sum())) - before
        return positions, self.rows_[places], self.impacts_[places]

    def save(self, folder: Path) -> None:
        """Write plain .npy and .json files, the manifest with their checksums last; all are synced."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            "document_frequency": self.document_frequency_,
            "indptr": self.indptr_,
            "rows": self.rows_,
            "impacts": self.impacts_,
        }
        for name in _ARRAYS:
            with (folder / f"{name}.npy").open("wb") as file:
                np.save(file, arrays[name], allow_pickle=False)
                _sync(file)
        _write_json(folder / "vocabulary.json", sorted(self.vocabulary_, key=self.vocabulary_.__getitem__))
        _write_json(folder / "documents.json", [document.to_dict() for document in self.documents_])
        files = [*(f"{name}.npy" for name in _ARRAYS), "vocabulary.json", "documents.json"]
        manifest = {
            "format": _FORMAT,
            "engine": ENGINE_VERSION,
            "language": LANGUAGE_VERSION,
            "text_weights": _text_weights_data(self.weights),
            "size": self.size_,
            "average_length": {name: lengths.tolist() for name, lengths in self.average_length_.items()},
            "sha256": {name: _checksum(folder / name) for name in files},
        }
        _write_json(folder / "manifest.json", manifest)

    @classmethod
    def load(cls, folder: Path, weights: TextWeights | None = None) -> Self:
        """Open what `save` wrote, its arrays memory-mapped.

        Raises ForeignIndexError if a file is missing or damaged, or if another engine, dictionary or
        text weighting wrote it.
        """
        index = cls(weights)
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            index._check(manifest, folder)
            for name in _ARRAYS:
                setattr(index, f"{name}_", np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            terms = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
            rows = json.loads((folder / "documents.json").read_text(encoding="utf-8"))
            index.vocabulary_ = {term: column for column, term in enumerate(terms)}
            index.documents_ = tuple(Matchable.from_dict(row) for row in rows)
            index.size_, index.weighed_ = manifest["size"], {}
            index.average_length_ = {
                name: np.asarray(lengths, dtype=np.float64)
                for name, lengths in manifest["average_length"].items()
            }
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ForeignIndexError(f"{folder.name}: {error}") from error
        return index

    def _check(self, manifest: dict[str, Any], folder: Path) -> None:
        written = (manifest["format"], manifest["engine"], manifest["language"], manifest["text_weights"])
        mine = (_FORMAT, ENGINE_VERSION, LANGUAGE_VERSION, _text_weights_data(self.weights))
        if written != mine:
            raise ForeignIndexError("written by another engine, dictionary or weighting")
        for name, expected in manifest["sha256"].items():
            if _checksum(folder / name) != expected:
                raise ForeignIndexError(f"{name} is damaged")

    def _vocabulary_with(self, terms: Iterable[str]) -> dict[str, int]:
        unseen = sorted({term for term in terms if term not in self.vocabulary_})
        return self.vocabulary_ | {
            term: column for column, term in enumerate(unseen, start=len(self.vocabulary_))
        }

    def _fields(self) -> IntArray:
        """The field of each column, as an index into FIELDS."""
        return np.fromiter(
            (field_of(term) for term in self.vocabulary_), dtype=np.int64, count=len(self.vocabulary_)
        )

    def _no_counts(self, documents: int) -> sparse.csr_matrix:
        return sparse.csr_matrix((documents, len(self.vocabulary_)), dtype=np.int64)

    def _counts(
        self, analysed: Sequence[dict[str, list[str]]], names: Sequence[str]
    ) -> dict[str, sparse.csr_matrix]:
        """Term counts of each section, documents × vocabulary."""
        if not self.vocabulary_ or not analysed:
            return {}
        vectorizer = CountVectorizer(
            analyzer=_already_terms, vocabulary=self.vocabulary_, lowercase=False, dtype=np.int64
        )
        return {
            name: vectorizer.transform([document.get(name, []) for document in analysed]) for name in names
        }

    def _impacts(
        self, counts: dict[str, sparse.csr_matrix], fields: IntArray, documents: int | None = None
    ) -> sparse.csr_matrix:
        """Saturated, length-normalised term frequencies in [0, 1): more of a term never counts less.

        Each section is discounted by its own length and then added, so leaving a section out can only
        lose; a document gains nothing from saying less.
        """
        rows = len(self.documents_) if documents is None else documents
        total = sparse.csr_matrix((rows, len(self.vocabulary_)), dtype=np.float64)
        for name in sorted(counts):
            matrix = counts[name].tocsr().astype(np.float64)
            relative = _lengths(matrix, fields) / self._usual_length(name)
            discount = 1.0 / (1.0 - self.weights.b + self.weights.b * relative)
            row_of_entry = np.repeat(np.arange(rows), np.diff(matrix.indptr))
            matrix.data *= self._section_weight(name) * discount[row_of_entry, fields[matrix.indices]]
            total = total + matrix
        total.data = total.data / (self.weights.k1 + total.data)
        return total

    def _usual_length(self, section: str) -> FloatArray:
        """The section's average length; of one that the epoch never saw, that of the longest it did see."""
        known = self.average_length_.get(section)
        if known is not None:
            return known
        longest: FloatArray = np.max([np.ones(len(FIELDS)), *self.average_length_.values()], axis=0)
        return longest

    def _section_weight(self, name: str) -> float:
        return {"title": self.weights.title, "keywords": self.weights.keywords}.get(name, self.weights.body)

    def _set_postings(self, matrix: sparse.csr_matrix) -> None:
        postings = matrix.tocsc()
        postings.sort_indices()
        self.indptr_: IntArray = postings.indptr.astype(np.int64)
        self.rows_: IntArray = postings.indices.astype(np.int64)
        self.impacts_: FloatArray = postings.data.astype(np.float64)

    def _matrix(self) -> sparse.csr_matrix:
        shape = (len(self.documents_), len(self.vocabulary_))
        return sparse.csc_matrix((self.impacts_, self.rows_, self.indptr_), shape=shape).tocsr()


def _analyse(document: Matchable) -> dict[str, list[str]]:
    return {name: section_terms(text) for name, text in document.text_sections()}


def _already_terms(terms: list[str]) -> list[str]:
    return terms


def _lengths(matrix: sparse.csr_matrix, fields: IntArray) -> FloatArray:
    """Terms of each field in each document: documents × fields."""
    member = sparse.csr_matrix(
        (np.ones(len(fields)), (np.arange(len(fields)), fields)), shape=(len(fields), len(FIELDS))
    )
    return np.asarray((matrix @ member).todense(), dtype=np.float64)


def _average_length(lengths: FloatArray) -> FloatArray:
    """The mean over documents that have the section; 1 for a field nobody uses, so nothing divides by 0."""
    used = np.count_nonzero(lengths, axis=0)
    return np.where(used > 0, lengths.sum(axis=0) / np.maximum(used, 1), 1.0)


def _text_weights_data(weights: TextWeights) -> list[float]:
    return [weights.k1, weights.b, weights.title, weights.keywords, weights.body]


def _write_json(path: Path, data: Any) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False)
        _sync(file)


def _sync(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
