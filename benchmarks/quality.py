"""Ranking quality of the text part on judged sets, beside plain peers.

    python -m benchmarks.quality FOLDER [--sets NAME,NAME] [--peers]

FOLDER holds judged sets as NAME/{queries.jsonl,docs.jsonl,qrels.tsv}. nDCG@10 with linear gain, Recall@20,
MRR@10, ties by document order; the shipped configuration, nothing tuned by set.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.index import Index
from marketplace.matching.engine.scoring import agreements, weigh

Scores = np.ndarray
System = Callable[[Sequence[str], Sequence[str]], Iterable[Scores]]


def ours(documents: Sequence[str], queries: Sequence[str]) -> Iterable[Scores]:
    """The engine's text agreement."""
    index = Index().fit(
        Matchable(Kind.CAPABILITY, number, sections=(("body", text),))
        for number, text in enumerate(documents)
    )
    for text in queries:
        sums, _ = agreements(weigh(Matchable(Kind.NEED, 1, sections=(("body", text),)), index), index)
        yield sums.astype(np.float64)


def tfidf_characters(documents: Sequence[str], queries: Sequence[str]) -> Iterable[Scores]:
    """scikit-learn TF-IDF over characters, 2–3."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 3))
    matrix = vectorizer.fit_transform(documents)
    for row in vectorizer.transform(queries):
        yield np.asarray((matrix @ row.T).todense()).ravel()


def bm25s_bigrams(documents: Sequence[str], queries: Sequence[str]) -> Iterable[Scores]:
    """bm25s over character bigrams (words where the text is Latin)."""
    import bm25s

    def cut(text: str) -> list[str]:
        if text.isascii():
            return text.lower().split()
        return [text[place : place + 2] for place in range(len(text) - 1)]

    retriever = bm25s.BM25()
    retriever.index([cut(text) for text in documents], show_progress=False)
    for text in queries:
        yield np.asarray(retriever.get_scores(cut(text)), dtype=np.float64)


PEERS: Mapping[str, System] = {"tfidf char 2-3": tfidf_characters, "bm25s bigram": bm25s_bigrams}


def read_texts(path: Path) -> tuple[list[str], list[str]]:
    """Ids and texts of a .jsonl file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [row["id"] for row in rows], [row["text"] for row in rows]


def read_grades(path: Path) -> dict[str, dict[str, float]]:
    """query → document → grade."""
    grades: dict[str, dict[str, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        query, document, grade = line.split("\t")
        grades.setdefault(query, {})[document] = float(grade)
    return grades


def measure(
    scores: Scores, document_ids: Sequence[str], grades: Mapping[str, float]
) -> tuple[float, float, float]:
    """nDCG@10, Recall@20 and MRR@10 of one query."""
    order = np.argsort(-scores, kind="stable")[:20]
    gains = [max(0.0, grades.get(document_ids[row], 0.0)) for row in order]
    ideal = sorted((grade for grade in grades.values() if grade > 0), reverse=True)
    best = sum(grade / math.log2(place + 2) for place, grade in enumerate(ideal[:10]))
    got = sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))
    first = next((place for place, gain in enumerate(gains[:10], start=1) if gain > 0), None)
    return got / best, sum(gain > 0 for gain in gains) / len(ideal), 1 / first if first else 0.0


def evaluate(system: System, folder: Path) -> tuple[float, float, float, float]:
    """The three means and milliseconds a query, indexing included."""
    document_ids, documents = read_texts(folder / "docs.jsonl")
    query_ids, queries = read_texts(folder / "queries.jsonl")
    grades = read_grades(folder / "qrels.tsv")
    chosen = [
        place for place, query in enumerate(query_ids) if any(g > 0 for g in grades.get(query, {}).values())
    ]
    started = time.perf_counter()
    values = [
        measure(scores, document_ids, grades[query_ids[place]])
        for place, scores in zip(chosen, system(documents, [queries[place] for place in chosen]), strict=True)
    ]
    spent = (time.perf_counter() - started) / len(values) * 1000
    ndcg, recall, mrr = (sum(column) / len(values) for column in zip(*values, strict=True))
    return ndcg, recall, mrr, spent


def main() -> None:
    """Print one line for each set and system."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", default="")
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    names = (
        options.sets.split(",") if options.sets else sorted(path.name for path in options.folder.iterdir())
    )
    systems = {"ours": ours, **(PEERS if options.peers else {})}
    print(f"{'set':<20}{'system':<18}{'nDCG@10':>8}{'R@20':>8}{'MRR@10':>8}{'ms/query':>10}")
    for name in names:
        for label, system in systems.items():
            ndcg, recall, mrr, spent = evaluate(system, options.folder / name)
            print(f"{name:<20}{label:<18}{ndcg:8.3f}{recall:8.3f}{mrr:8.3f}{spent:10.1f}", flush=True)


if __name__ == "__main__":
    main()
