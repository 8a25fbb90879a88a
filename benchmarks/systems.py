"""The engine and its peers behind one interface, each in a process of its own.

A process tells how long it built, what it holds in memory, and answers rounds of needs when asked to, so
that rounds of different systems can take turns. The peers do one sum over words and nothing else; the
engine reads four term fields, applies conditions, and gives the score with all its parts.

Not here: who is asked when, and what is printed (`speed`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psutil
from scipy import sparse

from benchmarks.corpora import (
    GENERATOR_VERSION,
    REGION_OF_A_HUNDREDTH,
    REGION_OF_A_TENTH,
    ROOT,
    Corpus,
    filtered,
    unconditional,
)
from benchmarks.tokens import KEPT, read_need_words, read_words
from marketplace.matching.engine.documents import Matchable

PLACES = 50
REMATCH_PLACES = 50
NOW = datetime(2026, 11, 22, tzinfo=UTC)
_MEGABYTE = 1 << 20


class System(Protocol):
    """One way to find the best documents for a need."""

    #: What can be asked: name of the variant → what it is.
    variants: Mapping[str, str]

    def build(self, corpus: Corpus, count: int) -> dict[str, Any]:
        """Make the index; seconds and bytes of what was made."""

    def prepare(self, needs: Sequence[Matchable]) -> None:
        """Have the needs ready, outside of what is measured."""

    def ask(self, variant: str, place: int) -> Sequence[int]:
        """The rows of the best documents for the need at `place`, best first."""

    def rematch(self, places: Sequence[int], threads: int) -> None:
        """Rank for several needs at once, as the system does that best."""

    def touched(self, place: int) -> tuple[int, int]:
        """How many postings the need at `place` has, and in how many bytes they lie."""


# --- the peers --------------------------------------------------------------------------------------------


class _OfWords:
    """What the peers share: words as sublinear TF-IDF, rows of length 1 (scikit-learn's TfidfTransformer)."""

    variants = {"text": "words only"}  # noqa: RUF012 - a constant of the interface

    def build(self, corpus: Corpus, count: int) -> dict[str, Any]:
        self._corpus, self._words = corpus, read_words(corpus, count)
        began = time.perf_counter()
        facts = self._index()
        return {
            "text_seconds": self._words.seconds,
            "postings_seconds": time.perf_counter() - began,
            **facts,
        }

    def prepare(self, needs: Sequence[Matchable]) -> None:
        self._asked = self._words.numbered(read_need_words(self._corpus, len(needs)))
        self._frequency = np.bincount(self._words.counts().indices, minlength=len(self._words.vocabulary))
        self._prepare()

    def touched(self, place: int) -> tuple[int, int]:
        postings = int(self._frequency[list(set(self._asked[place]))].sum())
        return postings, postings * 8

    def _index(self) -> dict[str, Any]:
        from sklearn.feature_extraction.text import TfidfTransformer

        self._transformer = TfidfTransformer(sublinear_tf=True)
        self._matrix = self._transformer.fit_transform(self._words.counts()).astype(np.float32)
        return {"index_bytes": _bytes_of(self._matrix)}

    def _prepare(self) -> None:
        rows = np.repeat(np.arange(len(self._asked)), [len(one) for one in self._asked])
        columns = np.concatenate([np.array(one, dtype=np.int64) for one in self._asked])
        shape = (len(self._asked), len(self._words.vocabulary))
        counts = sparse.coo_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape).tocsr()
        self._queries = self._transformer.transform(counts).astype(np.float32).tocsr()
        self._query = [self._queries[place] for place in range(len(self._asked))]


class Anchor(_OfWords):
    """A plain posting-list scorer in numba: float32 weights, weighted query, exact best places."""

    def _index(self) -> dict[str, Any]:
        from benchmarks.anchor import best, best_of_all

        super()._index()
        postings = self._matrix.tocsc()
        self._indptr = postings.indptr.astype(np.int64)
        self._rows, self._values = postings.indices.astype(np.int32), postings.data.astype(np.float32)
        self._best, self._best_of_all = best, best_of_all
        self._scores = np.zeros(len(self._words), np.float32)
        del self._matrix
        return {"index_bytes": self._indptr.nbytes + self._rows.nbytes + self._values.nbytes}

    def ask(self, variant: str, place: int) -> Sequence[int]:
        query = self._query[place]
        self._scores[:] = 0.0
        return self._best(
            self._indptr, self._rows, self._values, query.indices, query.data, self._scores, PLACES
        )

    def rematch(self, places: Sequence[int], threads: int) -> None:
        import numba

        numba.set_num_threads(threads)
        asked = self._queries[list(places)]
        self._best_of_all(
            self._indptr, self._rows, self._values, asked.indptr, asked.indices, asked.data,
            len(self._words), REMATCH_PLACES, threads,
        )  # fmt: skip


class Scipy(_OfWords):
    """scipy's sparse product of query and postings, then argpartition."""

    def _index(self) -> dict[str, Any]:
        super()._index()
        self._postings = self._matrix.T.tocsr()
        del self._matrix
        return {"index_bytes": _bytes_of(self._postings)}

    def ask(self, variant: str, place: int) -> Sequence[int]:
        scores = self._query[place] @ self._postings
        return scores.indices[_best_places(scores.data)]

    def rematch(self, places: Sequence[int], threads: int) -> None:
        for place in places:
            self.ask("text", place)


class ScikitLearn(_OfWords):
    """scikit-learn's cosine_similarity, as its tutorials use it."""

    def ask(self, variant: str, place: int) -> Sequence[int]:
        from sklearn.metrics.pairwise import cosine_similarity

        return _best_places(cosine_similarity(self._query[place], self._matrix).ravel())

    def rematch(self, places: Sequence[int], threads: int) -> None:
        from sklearn.metrics.pairwise import cosine_similarity

        # As many at once as fit into 400 MB of dense scores.
        step = max(1, 100_000_000 // max(1, len(self._words)))
        for start in range(0, len(places), step):
            for row in cosine_similarity(self._queries[list(places[start : start + step])], self._matrix):
                _best_places(row)


class SparseDotTopn(_OfWords):
    """sparse_dot_topn (ING): product and best places in one."""

    def _index(self) -> dict[str, Any]:
        super()._index()
        self._postings = self._matrix.T.tocsr()
        del self._matrix
        return {"index_bytes": _bytes_of(self._postings)}

    def ask(self, variant: str, place: int) -> Sequence[int]:
        from sparse_dot_topn import sp_matmul_topn

        return sp_matmul_topn(self._query[place], self._postings, PLACES, sort=True).indices

    def rematch(self, places: Sequence[int], threads: int) -> None:
        from sparse_dot_topn import sp_matmul_topn

        asked = self._queries[list(places)]
        sp_matmul_topn(asked, self._postings, REMATCH_PLACES, sort=True, n_threads=threads)


class Bm25s(_OfWords):
    """bm25s with its numba backend; it ignores the weights of a query."""

    def _index(self) -> dict[str, Any]:
        import bm25s

        # The parallel numba index builder is the fastest of its own.
        self._retriever = bm25s.BM25(backend="numba")
        vocabulary = {str(number): number for number in range(len(self._words.vocabulary))}
        self._retriever.index((list(self._words.lists()), vocabulary), show_progress=False)
        return {
            "index_bytes": sum(
                array.nbytes for array in self._retriever.scores.values() if hasattr(array, "nbytes")
            )
        }

    def _prepare(self) -> None:
        self._lists = [[int(number) for number in one] for one in self._asked]

    def ask(self, variant: str, place: int) -> Sequence[int]:
        found, _ = self._retriever.retrieve([self._lists[place]], k=PLACES, show_progress=False, n_threads=1)
        return found[0]

    def rematch(self, places: Sequence[int], threads: int) -> None:
        asked = [self._lists[place] for place in places]
        self._retriever.retrieve(asked, k=REMATCH_PLACES, show_progress=False, n_threads=threads)


class Tantivy(_OfWords):
    """tantivy (Rust, Lucene's manner): another ranking (BM25), pruned, its index on disk."""

    def _index(self) -> dict[str, Any]:
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_unsigned_field("row", stored=True)
        builder.add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
        self._schema = builder.build()
        self._folder = tempfile.mkdtemp(prefix="tantivy-")
        index = tantivy.Index(self._schema, path=self._folder)
        writer = index.writer(512 * _MEGABYTE, 1)
        for row, found in enumerate(self._words.lists()):
            text = " ".join(f"w{number}" for number in found)
            writer.add_document(tantivy.Document(row=row, body=text))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()
        return {"index_bytes": sum(path.stat().st_size for path in Path(self._folder).iterdir())}

    def _prepare(self) -> None:
        import tantivy

        self._trees = [
            tantivy.Query.boolean_query(
                [
                    (
                        tantivy.Occur.Should,
                        tantivy.Query.term_query(self._schema, "body", f"w{number}", "freq"),
                    )
                    for number in sorted(set(asked))
                ]
            )
            for asked in self._asked
        ]

    def ask(self, variant: str, place: int) -> Sequence[int]:
        hits = self._searcher.search(self._trees[place], PLACES, count=False).hits
        return [self._searcher.doc(address)["row"][0] for _, address in hits]

    def rematch(self, places: Sequence[int], threads: int) -> None:
        for place in places:
            self._searcher.search(self._trees[place], REMATCH_PLACES, count=False)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _best_places(scores: np.ndarray) -> np.ndarray:
    """The places of the highest scores, best first, ties in order."""
    best = np.argpartition(scores, -PLACES)[-PLACES:] if len(scores) > PLACES else np.arange(len(scores))
    return best[np.lexsort((best, -scores[best]))]


def _bytes_of(matrix: sparse.csr_matrix) -> int:
    return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)


# --- ours -------------------------------------------------------------------------------------------------


class Ours:
    """The engine: full score with conditions and parts; the text alone for comparison."""

    variants = {  # noqa: RUF012 - a constant of the interface
        "full": "score with parts and facts, and why others are not listed; no condition",
        "cold": "the same, the need's text read and weighed anew each time",
        "places": "score with the points of every part",
        "places 10 %": "the same, admitting one region with a tenth of all",
        "places 1 %": "the same, admitting one region with a hundredth",
        "text": "text agreement only",
    }

    def build(self, corpus: Corpus, count: int) -> dict[str, Any]:
        from marketplace.matching.engine.ranking import Ranker

        folder = KEPT / f"engine-{corpus.name}-{corpus.seed}-{GENERATOR_VERSION}-{count}-{_engine_digest()}"
        if not (folder / "bench.json").exists():
            _build_apart(corpus, count, folder)
        facts = json.loads((folder / "bench.json").read_text())
        began = time.perf_counter()
        self._ranker = Ranker().load(folder)
        size = sum(piece.segment.nbytes for piece in self._ranker.index_.pieces_)
        disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return {
            **facts,
            "open_seconds": time.perf_counter() - began,
            "index_bytes": size,
            "disk_bytes": disk,
            "segments": len(self._ranker.index_.pieces_),
        }

    def prepare(self, needs: Sequence[Matchable]) -> None:
        everybody = unconditional(needs)
        self._needs = {
            "full": everybody,
            "cold": everybody,
            "places": everybody,
            "places 10 %": filtered(needs, REGION_OF_A_TENTH),
            "places 1 %": filtered(needs, REGION_OF_A_HUNDREDTH),
            "text": everybody,
        }

    def ask(self, variant: str, place: int) -> Sequence[int]:
        from marketplace.matching.engine.weighed import Weighed

        ranker, need = self._ranker, self._needs[variant][place]
        if variant == "text":
            return self._text_only(need)
        if variant.startswith("places"):
            return [one.id - 1 for one in ranker.places(need, now=NOW, size=PLACES)]
        if variant == "cold":
            # As if the index had never been asked this.
            remembered, ranker.index_.weighed = ranker.index_.weighed, Weighed()
            ranker.rank(need, now=NOW, size=PLACES)
            ranker.index_.weighed = remembered
            return []
        return [match.capability.id - 1 for match in ranker.rank(need, now=NOW, size=PLACES).matches]

    def ready(self, places: Sequence[int]) -> None:
        """Have needs weighed before a rematch, as the peers' queries are; the platform keeps them."""
        for place in places:
            self._ranker.index_.weigh(self._needs["places"][place])

    def rematch(self, places: Sequence[int], threads: int) -> None:
        needs = [self._needs["places"][place] for place in places]
        for _ in self._ranker.rank_many(needs, now=NOW, size=REMATCH_PLACES, threads=threads):
            pass

    def touched(self, place: int) -> tuple[int, int]:
        index = self._ranker.index_
        keys = index.weigh(self._needs["full"][place]).keys
        read = 0
        for piece in index.pieces_:
            segment = piece.segment
            terms = np.searchsorted(segment.keys, keys)
            terms = terms[(terms < segment.keys.size) & (segment.keys[terms % segment.keys.size] == keys)]
            columns = int(np.count_nonzero(segment.dense_of[terms] >= 0))
            listed = int((segment.indptr[terms + 1] - segment.indptr[terms]).sum())
            # A column has a byte for each row, a list three for each posting.
            read += columns * len(segment) + listed * 3
        return int(index.statistics_.frequency_of(keys).sum()), read

    def _text_only(self, need: Matchable) -> Sequence[int]:
        from marketplace.matching.engine import scoring

        query = self._ranker.index_.weigh(need)
        sums = [
            (piece.segment.ids, scoring.sums(query, piece.segment)) for piece in self._ranker.index_.pieces_
        ]
        ids, totals = (np.concatenate(arrays) for arrays in zip(*sums, strict=True))
        return ids[_best_places(totals)] - 1


def _build_apart(corpus: Corpus, count: int, folder: Path) -> None:
    """Build in a process that ends, so that the peak of building is not the peak of serving."""
    import subprocess

    for old in KEPT.glob(f"engine-{corpus.name}-{corpus.seed}-*-{count}-*"):
        shutil.rmtree(old)
    command = [
        sys.executable,
        "-m",
        "benchmarks.systems",
        corpus.name,
        str(corpus.seed),
        str(count),
        str(folder),
    ]
    subprocess.run(command, check=True, cwd=ROOT)


#: Processes that read texts for ours; the peers' words are cut by one.
READERS = min(2, os.cpu_count() or 1)


def build_ours(corpus: Corpus, count: int, folder: Path) -> None:
    """Fit and save; what it took stands in bench.json beside the files."""
    from marketplace.matching.engine import counts
    from marketplace.matching.engine.ranking import Ranker, warm_up

    warm_up()
    sample = list(corpus.capabilities(min(count, 2000)))
    began = time.process_time()
    counts.count_documents(sample)
    text_seconds = (time.process_time() - began) / len(sample) * count
    began = time.process_time()
    list(corpus.capabilities(len(sample)))
    invented_seconds = (time.process_time() - began) / len(sample) * count
    del sample
    began = time.perf_counter()
    ranker = Ranker().fit(corpus.capabilities(count), processes=READERS)
    fitted = time.perf_counter()
    ranker.save(folder)
    facts = {
        "text_seconds": text_seconds,
        # The texts are invented by one process, and read by all.
        "postings_seconds": max(0.0, fitted - began - text_seconds / READERS - invented_seconds),
        "save_seconds": time.perf_counter() - fitted,
        "build_peak_bytes": _peak(),
    }
    (folder / "bench.json").write_text(json.dumps(facts))


def _engine_digest() -> str:
    """Of all that decides what an index holds: its own statement, and the modules that lay it out."""
    from marketplace.matching.engine.index import Index

    found = hashlib.sha256(json.dumps(Index().made_by, sort_keys=True).encode())
    engine, indicators = ROOT / "marketplace" / "matching" / "engine", ROOT / "marketplace" / "indicators"
    modules = [engine / f"{name}.py" for name in ("counts", "facts", "segments", "statistics", "terms")]
    modules += [indicators / f"{name}.py" for name in ("offers", "reader", "readings")]
    for module in modules:
        found.update(module.read_bytes())
    return found.hexdigest()[:12]


# --- processes --------------------------------------------------------------------------------------------

SYSTEMS: Mapping[str, tuple[Callable[[], Any], str]] = {
    "ours": (Ours, "numpy"),
    "anchor (numba postings)": (Anchor, "numba"),
    "bm25s (numba)": (Bm25s, "bm25s"),
    "sparse_dot_topn": (SparseDotTopn, "sparse_dot_topn"),
    "scipy": (Scipy, "scipy"),
    "scikit-learn": (ScikitLearn, "sklearn"),
    "tantivy": (Tantivy, "tantivy"),
}


def missing(name: str) -> bool:
    """Whether a system's library is not installed."""
    return importlib.util.find_spec(SYSTEMS[name][1]) is None


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is asked to do: ask (variant, places), rematch (places, threads), touched, or end."""

    action: str
    variant: str = ""
    places: tuple[int, ...] = ()
    threads: int = 1


def serve(name: str, corpus: Corpus, count: int, needs: int, connection: Connection) -> None:
    """Build, tell what it took, then obey orders until the end; an error is told as a text."""
    try:
        system = SYSTEMS[name][0]()
        before = psutil.Process().memory_info().rss
        facts = system.build(corpus, count)
        system.prepare(list(corpus.needs(needs)))
        facts |= {
            "peak_bytes": _peak(),
            "rss_bytes": psutil.Process().memory_info().rss,
            "start_bytes": before,
        }
        connection.send(facts)
        while (order := connection.recv()).action != "end":
            connection.send(_obey(system, order))
        if hasattr(system, "close"):
            system.close()
    except BaseException as error:
        # Whatever it is, the parent has to know.
        connection.send(f"{type(error).__name__}: {error}")
        raise


def _obey(system: Any, order: Order) -> Any:
    if order.action == "touched":
        return [system.touched(place) for place in order.places]
    if order.action == "memory":
        return {"peak_bytes": _peak(), "rss_bytes": psutil.Process().memory_info().rss}
    if order.action == "answers":
        return [[int(row) for row in system.ask(order.variant, place)] for place in order.places]
    if order.action == "rematch":
        if hasattr(system, "ready"):
            system.ready(order.places)
        cpu, wall = time.process_time(), time.perf_counter()
        system.rematch(order.places, order.threads)
        return time.process_time() - cpu, time.perf_counter() - wall
    times = []
    for place in order.places:
        cpu, wall = time.process_time(), time.perf_counter()
        system.ask(order.variant, place)
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return times


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    build_ours(Corpus(sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), Path(sys.argv[4]))
