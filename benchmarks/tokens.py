"""The words of a corpus as numbers, kept under build/bench, so that every peer gets the same token lists.

Words of a larger corpus begin with those of a smaller one, so only the largest is kept. Not here: what the
documents are (`corpora`).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.corpora import BLOCK, GENERATOR_VERSION, ROOT, Corpus
from marketplace.language import LANGUAGE_VERSION, words
from marketplace.matching.engine.documents import Matchable

KEPT = ROOT / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Words:
    """Word ids of documents, repetitions kept: those of document d are ids[indptr[d]:indptr[d + 1]]."""

    ids: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int64]
    vocabulary: Sequence[str]
    seconds: float  # of cutting and numbering, of the processes together

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def head(self, count: int) -> Words:
        """The first `count` documents with the vocabulary that they use."""
        ids = self.ids[: self.indptr[count]]
        used = int(ids.max()) + 1 if len(ids) else 0
        return Words(ids, self.indptr[: count + 1], self.vocabulary[:used], self.seconds * count / len(self))

    def lists(self) -> Iterator[list[int]]:
        """One list of word ids for each document."""
        for first, last in zip(self.indptr[:-1].tolist(), self.indptr[1:].tolist(), strict=True):
            yield self.ids[first:last].tolist()

    def counts(self) -> sparse.csr_matrix:
        """How often each word stands in each document: documents × vocabulary, float32."""
        shape = (len(self), len(self.vocabulary))
        ones = np.ones(len(self.ids), dtype=np.float32)
        matrix = sparse.csr_matrix((ones, self.ids, self.indptr), shape=shape, copy=True)
        matrix.sum_duplicates()
        return matrix

    def numbered(self, several: Iterable[Sequence[str]]) -> list[list[int]]:
        """The known ones among the words of other documents."""
        number = {word: place for place, word in enumerate(self.vocabulary)}
        return [[number[word] for word in found if word in number] for found in several]


def words_of(document: Matchable) -> list[str]:
    """Every word of a document, as often as it stands there."""
    return [word for _, text in document.text_sections() for word in words(text)]


def read_need_words(corpus: Corpus, count: int) -> list[list[str]]:
    """The words of the first `count` needs, cut now where they were not cut before."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{_name(corpus, 'needs')}-{count}.json"
    if not path.exists():
        found = [words_of(need) for need in corpus.needs(count)]
        aside = path.with_suffix(f".{os.getpid()}")
        aside.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        aside.replace(path)
    kept: list[list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _name(corpus: Corpus, of: str) -> str:
    return f"{of}-{corpus.name}-{corpus.seed}-{GENERATOR_VERSION}-{LANGUAGE_VERSION}"


def read_words(corpus: Corpus, count: int) -> Words:
    """The words of the first `count` capabilities, cut now where they were not cut before."""
    folder = KEPT / _name(corpus, "words")
    if not folder.is_dir() or json.loads((folder / "about.json").read_text())["documents"] < count:
        _keep(_cut(corpus, count), folder)
    about = json.loads((folder / "about.json").read_text())
    kept = Words(
        np.load(folder / "ids.npy", mmap_mode="r"),
        np.load(folder / "indptr.npy"),
        (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n"),
        about["seconds"],
    )
    return kept.head(count)


def _keep(found: Words, folder: Path) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=KEPT))
    np.save(aside / "ids.npy", found.ids)
    np.save(aside / "indptr.npy", found.indptr)
    (aside / "vocabulary.txt").write_text("\n".join(found.vocabulary), encoding="utf-8")
    (aside / "about.json").write_text(json.dumps({"documents": len(found), "seconds": found.seconds}))
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _cut(corpus: Corpus, count: int) -> Words:
    starts = range(0, count, BLOCK)
    tasks = [(corpus, start, min(start + BLOCK, count)) for start in starts]
    number: dict[str, int] = {}
    pieces: list[npt.NDArray[np.int32]] = []
    lengths: list[int] = []
    seconds = 0.0
    for cut, spent in _in_order(tasks):
        began = time.process_time()
        lengths.extend(len(found) for found in cut)
        flat = [number.setdefault(word, len(number)) for found in cut for word in found]
        pieces.append(np.array(flat, dtype=np.int32))
        seconds += spent + time.process_time() - began
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return Words(np.concatenate([*pieces, np.empty(0, np.int32)]), indptr, list(number), seconds)


def _in_order(tasks: list[tuple[Corpus, int, int]]) -> Iterator[tuple[list[list[str]], float]]:
    """On two cores where one would take minutes."""
    if len(tasks) <= 50:
        yield from map(_cut_block, tasks)
        return
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_cut_block, tasks)


def _cut_block(task: tuple[Corpus, int, int]) -> tuple[list[list[str]], float]:
    corpus, start, end = task
    documents = list(corpus.capabilities(end, start=start))
    began = time.process_time()
    cut = [words_of(document) for document in documents]
    return cut, time.process_time() - began
