"""How far capabilities' texts answer a seeker's text: an absolute number between 0 and 1 for each.

Agreement 1 means: as good as a text of average length that says each of the seeker's weightiest terms once
(nobody repeats all of a long text, so only so many are asked for). It depends on the pair and on the
epoch's statistics only, never on which other candidates there are. Every product of a term is rounded to
a whole number first, and whole numbers add up to the same in any order.
Not here: what else counts (`ranking`) and how terms are shown (`reasons`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.index import FloatArray, Index, IntArray
from marketplace.matching.engine.terms import FIELDS, field_of, section_terms

#: Fineness of a term's product. Sums stay exact in a float up to 2**53, that is for about 10**7 terms.
_QUANTA = 100_000_000

_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class Query:
    """What a seeker's terms are worth in one epoch."""

    weights: dict[str, float]  # term → worth, terms in alphabetical order
    full: int  # the sum that counts as agreement 1, in quanta


def weigh(seeker: Matchable, index: Index) -> Query:
    """What a seeker's terms are worth by the statistics of `index`; remembered there."""
    known = index.weighed_.get(seeker)
    if known is None:
        if len(index.weighed_) >= _REMEMBERED:
            index.weighed_.clear()
        known = index.weighed_[seeker] = _weigh(seeker, index)
    query: Query = known
    return query


def _weigh(seeker: Matchable, index: Index) -> Query:
    """Weigh a seeker's terms by rarity: idf = ln(1 + (N − df + ½) / (df + ½)), repetition saturating.

    N counts some background documents that hold none of the terms, or a corpus of two would take what both
    say for common. The longer the seeker's text, the more its rare terms count compared with its common
    ones: a long text says many common things.
    """
    settings = index.weights
    counts = _term_counts(seeker)
    size = index.size_ + settings.background
    words = sum(count for term, count in counts.items() if field_of(term) == 0)
    saturation = 2.0 * max(1.0, words / 100.0)
    longness = min(1.0, max(0.0, math.log(max(words, 1.0) / 10.0) / math.log(10.0)))
    highest = math.log(1.0 + (size + 0.5) / 0.5)
    field_weight = [getattr(settings, name) for name in FIELDS]
    named = set(section_terms("\n".join((seeker.title, *seeker.keywords))))
    weights: dict[str, float] = {}
    for term in sorted(counts):
        column = index.vocabulary_.get(term)
        frequency = int(index.document_frequency_[column]) if column is not None else 0
        idf = math.log(1.0 + (size - frequency + 0.5) / (frequency + 0.5))
        rarity = (idf / highest) ** (settings.rarity * longness)
        count = counts[term]
        repeated = (saturation + 1.0) * count / (saturation + count)
        stressed = settings.asked_in_title if term in named else 1.0
        weights[term] = field_weight[field_of(term)] * idf * rarity * repeated * stressed
    once = 1.0 / (settings.k1 + 1.0)
    heaviest = sorted(weights.values(), reverse=True)[: settings.terms_asked]
    full = sum(round(weight * once * _QUANTA) for weight in heaviest)
    return Query(weights, full)


def _term_counts(seeker: Matchable) -> Counter[str]:
    return Counter(term for _, text in seeker.text_sections() for term in section_terms(text))


def agreements(query: Query, index: Index) -> tuple[IntArray, FloatArray]:
    """For every document of the index: the sum of its terms' products in quanta, and its agreement."""
    columns, worths = _known(query, index)
    positions, rows, impacts = index.rows_of(columns)
    products = np.rint(worths[positions] * impacts * _QUANTA)
    sums = np.bincount(rows, weights=products, minlength=len(index.documents_))
    if not query.full:
        return sums.astype(np.int64), np.zeros(len(index.documents_))
    return sums.astype(np.int64), np.minimum(sums / query.full, 1.0)


def term_products(query: Query, index: Index, rows: Sequence[int]) -> list[dict[str, int]]:
    """For each document in `rows`: the product in quanta of every term that it shares with the seeker."""
    columns, worths = _known(query, index)
    positions, found_in, impacts = index.rows_of(columns)
    products = np.rint(worths[positions] * impacts * _QUANTA)
    known = [term for term in query.weights if term in index.vocabulary_]
    shared: dict[int, dict[str, int]] = {row: {} for row in rows}
    for place in np.flatnonzero(np.isin(found_in, rows) & (products > 0)):
        shared[int(found_in[place])][known[positions[place]]] = int(products[place])
    return [shared[row] for row in rows]


def _known(query: Query, index: Index) -> tuple[IntArray, FloatArray]:
    known = [
        (index.vocabulary_[term], worth) for term, worth in query.weights.items() if term in index.vocabulary_
    ]
    columns = np.fromiter((column for column, _ in known), dtype=np.int64, count=len(known))
    return columns, np.fromiter((worth for _, worth in known), dtype=np.float64, count=len(known))
