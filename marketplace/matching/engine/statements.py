"""Which documents may say anything on a seeker's indicators or name its models, asked of the postings.

A document that holds none of the traces of an indicator's names states nothing on it for sure, so its score
is bounded without its text being read (`marketplace.indicators.conditions` gives and proves the condition).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketplace.indicators.conditions import may_state
from marketplace.indicators.model import Indicator
from marketplace.matching.engine.kernels import Array
from marketplace.matching.engine.terms import BIGRAMS, LETTERS, PARAMETERS, WORDS, key_of

#: Letters of grades that a document is marked with, because they may stand in its text in many spellings.
GRADE_LETTERS = ("ip", "asil")
_MODEL_BIT = 1
#: So many keys of a group are looked for; they are counted in 8 bits.
_MOST_KEYS = 255


@dataclass(frozen=True, slots=True)
class Possible:
    """Groups of keys, as `kernels.mark` takes them: a document that holds a whole group may say something on
    what its bit stands for. Bit 0 is a model number, bit i + 1 the i-th indicator. Of the indicators in
    `always` nothing can be told beforehand.
    """

    keys: Array
    sizes: Array
    bits: Array
    always: frozenset[int]


def possible_statements(indicators: Sequence[Indicator], models: Sequence[int]) -> Possible:
    """What to look for: at most 63 indicators, and the keys of the seeker's models."""
    groups: list[tuple[int, frozenset[int]]] = [(_MODEL_BIT, frozenset([model])) for model in models]
    always = set()
    for place, indicator in enumerate(indicators):
        condition = may_state(indicator)
        bit = 1 << (place + 1)
        if condition.core:
            groups.append((bit, frozenset([key_of(PARAMETERS, condition.core)])))
        if condition.letters:
            groups.append((bit, frozenset([key_of(LETTERS, condition.letters)])))
        elif condition.traces is None:
            always.add(place)
        else:
            groups += [
                (
                    bit,
                    frozenset(
                        [
                            *(key_of(BIGRAMS, bigram) for bigram in trace.bigrams),
                            *(key_of(WORDS, word) for word in trace.words),
                        ]
                    ),
                )
                for trace in condition.traces
            ]
    # Who holds all of a long name holds its first keys.
    wanted = [sorted(keys)[:_MOST_KEYS] for _, keys in groups]
    return Possible(
        keys=np.array([key for keys in wanted for key in keys], dtype=np.uint64),
        sizes=np.array([len(keys) for keys in wanted], dtype=np.uint8),
        bits=np.array([bit for bit, _ in groups], dtype=np.uint64),
        always=frozenset(always),
    )
