"""How far capabilities' texts answer a seeker's text: an absolute number between 0 and 1 for each.

Agreement 1 means: as good as a text of average length that says each of the seeker's weightiest terms once
(nobody repeats all of a long text, so only so many are asked for). It depends on the pair and on the
epoch's statistics only, never on which other candidates there are. Terms' worths and impacts are whole
numbers, so sums are the same in any order.
Not here: what else counts (`ranking`) and how terms are shown (`reasons`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from marketplace.language import DEFAULT_DICTIONARY, Dictionary
from marketplace.matching.engine import kernels
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.segments import Segment
from marketplace.matching.engine.statistics import Statistics
from marketplace.matching.engine.terms import CHARACTERS, FIELDS, WORDS, field_of, key_of_term, term_counts
from marketplace.matching.engine.weights import TextWeights

#: The finest impact is one 255th; see `segments`.
_FINEST = 255
#: All worths together, so that the sum of a document that says everything fits 32 bits.
_ALL_WORTHS = (1 << 31) // (_FINEST + 1)


@dataclass(frozen=True, slots=True)
class Query:
    """What a seeker's terms are worth in one epoch: `keys` (uint64) with `worths` (int32), both in the
    order of `terms`; `full` is the sum of worth × impact that counts as agreement 1, 0 for an empty text.
    """

    terms: tuple[str, ...]
    keys: Array
    worths: Array
    full: int

    @property
    def worth_of(self) -> Mapping[str, int]:
        """The worth of each term."""
        return dict(zip(self.terms, self.worths.tolist(), strict=True))


def weigh(
    seeker: Matchable,
    statistics: Statistics,
    weights: TextWeights,
    dictionary: Dictionary = DEFAULT_DICTIONARY,
) -> Query:
    """Weigh a seeker's terms by rarity: idf = ln(1 + (N − df + ½) / (df + ½)), repetition saturating.

    N counts some background documents that hold none of the terms, or a corpus of two would take what both
    say for common. Single characters that too many documents hold say nothing. The longer the seeker's
    text, the more its rare terms count compared with its common ones: a long text says many common things.
    """
    counts: Counter[str] = Counter()
    for _, text in seeker.text_sections():
        counts.update(term_counts(text, dictionary))
    field_weight = [getattr(weights, name) for name in FIELDS]
    in_field = {term: field_of(term) for term in sorted(counts)}
    weighed = [term for term, field in in_field.items() if field_weight[field] > 0]
    keys = np.array([key_of_term(term) for term in weighed], dtype=np.uint64)
    size = statistics.size + weights.background
    words = sum(counts[term] for term, field in in_field.items() if field == WORDS)
    saturation = 2.0 * max(1.0, words / 100.0)
    longness = min(1.0, max(0.0, math.log(max(words, 1.0) / 10.0) / math.log(10.0)))
    highest = math.log(1.0 + (size + 0.5) / 0.5)
    named = term_counts("\n".join((seeker.title, *seeker.keywords)), dictionary)
    worths: dict[str, float] = {}
    for term, frequency in zip(weighed, statistics.frequency_of(keys).tolist(), strict=True):
        field = in_field[term]
        if field == CHARACTERS and frequency > weights.common * size:
            continue
        idf = math.log(1.0 + (size - frequency + 0.5) / (frequency + 0.5))
        rarity = (idf / highest) ** (weights.rarity * longness)
        repeated = (saturation + 1.0) * counts[term] / (saturation + counts[term])
        stressed = weights.asked_in_title if term in named else 1.0
        worths[term] = field_weight[field] * idf * rarity * repeated * stressed
    return _in_whole_numbers(worths, weights)


def _in_whole_numbers(worths: Mapping[str, float], weights: TextWeights) -> Query:
    together = math.fsum(worths.values())
    if not together:
        return Query((), np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int32), 0)
    scale = (_ALL_WORTHS - len(worths)) / together
    whole = np.array([round(worth * scale) for worth in worths.values()], dtype=np.int32)
    said_once = _FINEST / (weights.k1 + 1.0)
    heaviest = sorted(whole.tolist(), reverse=True)[: weights.terms_asked]
    keys = np.array([key_of_term(term) for term in worths], dtype=np.uint64)
    return Query(tuple(worths), keys, whole, max(1, round(sum(heaviest) * said_once)))


def sums(query: Query, segment: Segment, within: tuple[int, int] | None = None) -> Array:
    """For every document of a segment: the sum of worth × impact of the terms it shares, int32.

    With `within` only for the rows from the one up to the other; the rest get 0.
    """
    from_row, to_row = within or (0, len(segment))
    places = np.empty(query.keys.size, dtype=np.int64)
    kernels.find(segment.keys, query.keys, places)
    total = np.empty(len(segment), dtype=np.int32)
    kernels.accumulate(
        places,
        query.worths,
        segment.indptr,
        segment.rows,
        segment.impacts,
        segment.dense_of,
        segment.dense,
        from_row,
        to_row,
        total,
    )
    return total


def term_products(query: Query, segment: Segment, row: int) -> dict[str, int]:
    """worth × impact of every term that the document at `row` shares; they add up to its sum."""
    places = np.empty(query.keys.size, dtype=np.int64)
    kernels.find(segment.keys, query.keys, places)
    impacts = np.empty(query.keys.size, dtype=np.int32)
    kernels.impacts_of(
        places,
        segment.indptr,
        segment.rows,
        segment.impacts,
        segment.dense_of,
        segment.dense,
        row,
        impacts,
    )
    products = (query.worths * impacts).tolist()
    return {term: product for term, product in zip(query.terms, products, strict=True) if product}
