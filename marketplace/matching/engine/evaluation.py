"""How well the text agreement of the shipped configuration orders a judged set: nDCG@10, Recall@20, MRR@10.

A judged set is a folder with `queries.jsonl` and `docs.jsonl` ({"id", "text"} a line), `qrels.tsv` (query,
document and grade, with tabs between) and, if one likes, `meta.json`. Nothing here knows a set by name or
tunes anything to one. Not here: other systems to compare with (`benchmarks.quality`) and the score's other
parts, which need facts that a plain text does not have.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marketplace.language import DEFAULT_DICTIONARY, Dictionary
from marketplace.matching.engine import scoring
from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.index import Index
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.weights import DEFAULT_TEXT_WEIGHTS, TextWeights

GAINS_AT, RECALL_AT, FIRST_AT = 10, 20, 10
_RESAMPLES = 5000
_DAMAGED_SHOWN = 40
# What the column of grades is headed by where a file begins with names of columns.
_HEADINGS = frozenset({"grade", "score", "rel", "relevance", "label"})

#: Indexes documents, and answers any query with one number for each of them, in their order.
System = Callable[[Sequence[str]], Callable[[str], Array]]


class BadSetError(ValueError):
    """The folder holds no judged set; the message says which file and line."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Texts and judgements. `grades` holds, for each query, the grade of each judged document by its row."""

    document_ids: tuple[str, ...]
    documents: tuple[str, ...]
    query_ids: tuple[str, ...]
    queries: tuple[str, ...]
    grades: tuple[Mapping[int, float], ...]
    #: Relevant documents that the set judges and does not hold: nobody can find them, and they count.
    absent: tuple[tuple[float, ...], ...]
    judged_only: bool = False

    @property
    def judged(self) -> tuple[int, ...]:
        """The places of the queries that have something to be found; the others are not measured."""
        return tuple(
            place
            for place, grades in enumerate(self.grades)
            if self.absent[place] or any(grade > 0 for grade in grades.values())
        )


@dataclass(frozen=True, slots=True)
class Measures:
    """One number for each judged query, in the order of the queries; `skipped` had nothing to be found."""

    ndcg10: Array
    recall20: Array
    mrr10: Array
    ms_per_query: float
    skipped: int = 0

    def to_dict(self) -> dict[str, float]:
        """The means, as `flask match evaluate --format json` prints them."""
        return {
            "ndcg10": float(self.ndcg10.mean()),
            "recall20": float(self.recall20.mean()),
            "mrr10": float(self.mrr10.mean()),
            "ms_per_query": self.ms_per_query,
        }


def read_set(folder: Path) -> JudgedSet:
    """Read a judged set. Raises BadSetError if a file is missing or a line of it means nothing.

    Blank lines and a heading of the judgements are passed over. An id that occurs twice keeps its first
    text; of a pair that is judged twice the higher grade counts. A judgement of an unknown query is passed
    over; one of an unknown document counts as something that cannot be found.
    """
    documents = _read_texts(folder / "docs.jsonl")
    queries = _read_texts(folder / "queries.jsonl")
    judged = _read_grades(folder / "qrels.tsv")
    rows = {id: row for row, id in enumerate(documents)}
    return JudgedSet(
        document_ids=tuple(documents),
        documents=tuple(documents.values()),
        query_ids=tuple(queries),
        queries=tuple(queries.values()),
        grades=tuple(
            {rows[id]: grade for id, grade in judged.get(query, {}).items() if id in rows}
            for query in queries
        ),
        absent=tuple(
            tuple(grade for id, grade in judged.get(query, {}).items() if id not in rows and grade > 0)
            for query in queries
        ),
        judged_only=_read_judged_only(folder / "meta.json"),
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BadSetError(f"{path.name} is missing from {path.parent}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetError(f"{path.name} cannot be read: {error}") from error
    # Only line feeds end a line: a text may hold other separators.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def _read_texts(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            id, text = row["id"], row["text"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadSetError(
                f'{path.name}, line {number}: not {{"id", "text"}}: {line[:_DAMAGED_SHOWN]}'
            ) from error
        found.setdefault(str(id), "" if text is None else str(text))
    return found


def _read_grades(path: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for number, line in _lines(path):
        if number == 1 and line.split("\t")[2:] and line.split("\t")[-1].strip().lower() in _HEADINGS:
            continue
        try:
            query, document, grade = (cell.strip() for cell in line.split("\t"))
            value = float(grade)
        except ValueError as error:
            raise BadSetError(
                f"{path.name}, line {number}: not query, document, grade: {line[:_DAMAGED_SHOWN]}"
            ) from error
        if not math.isfinite(value):
            raise BadSetError(f"{path.name}, line {number}: the grade is no number: {grade}")
        grades = found.setdefault(query, {})
        grades[document] = max(value, grades.get(document, value))
    return found


def _read_judged_only(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        meta: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadSetError(f"{path.name} cannot be read: {error}") from error
    return isinstance(meta, dict) and meta.get("judged_only") is True


def shipped(
    documents: Sequence[str],
    weights: TextWeights = DEFAULT_TEXT_WEIGHTS,
    dictionary: Dictionary = DEFAULT_DICTIONARY,
) -> Callable[[str], Array]:
    """The engine's own text agreement, as a `System`: each text is the body of one capability."""
    return answering(indexed(documents, weights, dictionary))


def indexed(
    documents: Sequence[str],
    weights: TextWeights = DEFAULT_TEXT_WEIGHTS,
    dictionary: Dictionary = DEFAULT_DICTIONARY,
) -> Index:
    """An index of plain texts, numbered in their order from 0."""
    return Index(weights, dictionary).fit(
        Matchable(Kind.CAPABILITY, row, sections=(("body", text),)) for row, text in enumerate(documents)
    )


def answering(index: Index) -> Callable[[str], Array]:
    """What gives, for any query, the sum of each text of an index that `indexed` made."""
    size = len(index)

    def answer(text: str) -> Array:
        query = index.weigh(Matchable(Kind.NEED, 1, sections=(("body", text),)))
        scores = np.zeros(size, dtype=np.int64)
        for piece in index.pieces_:
            scores[piece.segment.ids] = scoring.sums(query, piece.segment)
        return scores

    return answer


def evaluate(judged_set: JudgedSet, system: System = shipped) -> Measures:
    """Order the documents of each judged query by a system's scores, ties by document order, and measure.

    `ms_per_query` is the time of answering, not of indexing. Raises BadSetError if no query has anything to
    be found.
    """
    places = judged_set.judged
    if not places:
        raise BadSetError("no query has a document with a grade above 0")
    answer = system(judged_set.documents)
    answer(judged_set.queries[places[0]])  # so that nothing is timed that is loaded or compiled once
    values = []
    spent = 0.0
    for place in places:
        began = time.perf_counter()
        scores = answer(judged_set.queries[place])
        spent += time.perf_counter() - began
        values.append(_measure(scores, judged_set, place))
    ndcg, recall, mrr = (np.array(column, dtype=np.float64) for column in zip(*values, strict=True))
    skipped = len(judged_set.queries) - len(places)
    return Measures(ndcg, recall, mrr, spent / len(places) * 1000, skipped)


def _measure(scores: Array, judged_set: JudgedSet, place: int) -> tuple[float, float, float]:
    """nDCG@10 with linear gain (Järvelin and Kekäläinen 2002), Recall@20 and reciprocal rank of one query."""
    grades, absent = judged_set.grades[place], judged_set.absent[place]
    if judged_set.judged_only:
        rows = np.array(sorted(grades), dtype=np.int64)
        order = rows[np.argsort(-scores[rows], kind="stable")[:RECALL_AT]]
    else:
        order = _best(scores)
    gains = [max(0.0, grades.get(int(row), 0.0)) for row in order]
    ideal = sorted((grade for grade in (*grades.values(), *absent) if grade > 0), reverse=True)
    first = next((rank for rank, gain in enumerate(gains[:FIRST_AT], start=1) if gain > 0), None)
    return (
        _discounted(gains) / _discounted(ideal),
        sum(gain > 0 for gain in gains) / len(ideal),
        1 / first if first else 0.0,
    )


def _best(scores: Array) -> Array:
    """The first `RECALL_AT` rows by falling score, equals by row."""
    if scores.size <= RECALL_AT:
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, scores.size - RECALL_AT)[scores.size - RECALL_AT]
    candidates = np.flatnonzero(scores >= least)
    best: Array = candidates[np.argsort(-scores[candidates], kind="stable")[:RECALL_AT]]
    return best


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:GAINS_AT], start=1))


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference or ratio with its 95 % interval."""

    value: float
    low: float
    high: float


def difference(one: Array, other: Array, *, resamples: int = _RESAMPLES, seed: int = 0) -> Interval:
    """Mean of `one` less mean of `other` over the same queries, with the interval of a paired bootstrap
    (Efron and Tibshirani 1993: queries are drawn with replacement, both systems on the same draw).
    """
    drawn = _drawn(one - other, resamples, seed)
    return Interval(float((one - other).mean()), *_limits(drawn))


def ratio_of_means(
    pairs: Sequence[tuple[Array, Array]], *, resamples: int = _RESAMPLES, seed: int = 0
) -> Interval:
    """Mean over sets of one system's means, divided by that of others; queries are drawn within each set.

    `pairs`: for each set, (ours, theirs) by query.
    """
    ours = np.mean([_drawn(one, resamples, seed + place) for place, (one, _) in enumerate(pairs)], axis=0)
    theirs = np.mean([_drawn(two, resamples, seed + place) for place, (_, two) in enumerate(pairs)], axis=0)
    value = sum(one.mean() for one, _ in pairs) / sum(two.mean() for _, two in pairs)
    return Interval(float(value), *_limits(ours / theirs))


def _drawn(values: Array, resamples: int, seed: int) -> Array:
    """The mean of each resample; the same draws for the same number of values and seed."""
    random = np.random.default_rng(seed)
    means: Array = np.array(
        [values[random.integers(0, values.size, values.size)].mean() for _ in range(resamples)]
    )
    return means


def _limits(drawn: Array) -> tuple[float, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
