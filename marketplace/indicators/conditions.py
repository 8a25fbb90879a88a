"""What an offer must hold before `compare` can say anything: cheap, necessary, never sufficient.

For bounding a score exactly without reading any text: where the condition does not hold, the finding is
UNSTATED for sure. Not here: the comparison itself (`compare`).
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from operator import add

from marketplace.indicators.model import Indicator
from marketplace.indicators.names import Spellings, spellings, understand
from marketplace.indicators.reader import grade_kind, grade_text
from marketplace.language import analyse
from marketplace.language.terms import HAN
from marketplace.language.vocabulary import HAN_UNITS, LATIN_UNITS

_HAN_RUN = re.compile(f"[{HAN}]+")
_PLAIN_WORDS = re.compile("[a-z]+(?: [a-z]+)*")
# What a number can take with it: of 2023年产量 only 产量 is left, of 5毫米波 only 波.
_ENDINGS = {unit[place:] for unit in HAN_UNITS for place in range(len(unit))}
_TAKEN_AWAY = re.compile(f"[万亿千百]?(?:{'|'.join(sorted(_ENDINGS, key=len, reverse=True))})")
_LONGEST_UNIT = max(map(len, HAN_UNITS)) + 1
_LATIN_UNITS = frozenset(unit.lower() for unit in LATIN_UNITS)
_SHORTEST_WORD = 5  # shorter ones may belong to a standard's number: SAE, ASTM


@dataclass(frozen=True, slots=True)
class Trace:
    """What one spelling of a name surely leaves among the terms of a text that holds it."""

    bigrams: frozenset[str]  # Han bigrams, as in `Analysis.bigrams`
    words: frozenset[str]  # English stems, as in `Analysis.words`


@dataclass(frozen=True, slots=True)
class Condition:
    """When an offer may state something to a requirement.

    A text may if it holds all of at least one of `traces`. `traces` is None where no such condition is known
    (every text may) and empty where no text can. With `letters` ("ip", "asil") the lower-case text must
    contain these, and `traces` is None. A structured parameter may if `understand(its name).core` is `core`;
    no parameter can where `core` is empty.
    """

    traces: tuple[Trace, ...] | None
    letters: str
    core: str

    def may_be_in_terms(self, bigrams: Container[str], words: Container[str]) -> bool:
        """Whether a text with these Han bigrams and words (see `analyse`) may state something."""
        if self.traces is None:
            return True
        return any(
            all(one in bigrams for one in trace.bigrams) and all(one in words for one in trace.words)
            for trace in self.traces
        )


IMPOSSIBLE = Condition((), "", "")


@lru_cache(maxsize=4096)
def may_state(required: Indicator) -> Condition:
    """The condition without which `compare(required, offer)` is UNSTATED. Never raises."""
    if required.value is None and not required.text_value:
        return IMPOSSIBLE
    core = understand(required.name).core
    if required.text_value and (kind := grade_kind(grade_text(required.text_value))):
        return Condition(None, kind.lower(), core)
    return Condition(_traces(spellings(core)), "", core)


def _traces(called: Spellings) -> tuple[Trace, ...] | None:
    found = [_trace(spelling) for spelling in (*called.whole, *called.heads)]
    if any(not trace.bigrams and not trace.words for trace in found):
        return None
    # what holds all of a smaller trace is covered by it
    smallest = [
        trace
        for trace in found
        if not any(
            other != trace and other.bigrams <= trace.bigrams and other.words <= trace.words
            for other in found
        )
    ]
    return tuple(dict.fromkeys(smallest))


def _trace(spelling: str) -> Trace:
    bigrams: set[str] = set()
    for match in _HAN_RUN.finditer(spelling):
        run = match[0]
        run = run[_most_taken_away(run) :]
        bigrams.update(map(add, run, run[1:]))
    words: frozenset[str] = frozenset()
    if _PLAIN_WORDS.fullmatch(spelling):
        kept = (word for word in spelling.split() if len(word) >= _SHORTEST_WORD and word not in _LATIN_UNITS)
        words = frozenset(analyse(" ".join(kept)).words)
    return Trace(frozenset(bigrams), words)


def _most_taken_away(run: str) -> int:
    """How much of the beginning of a run of Han a number before it could take away as its unit."""
    sizes = range(min(len(run), _LONGEST_UNIT), 0, -1)
    return next((size for size in sizes if _TAKEN_AWAY.fullmatch(run[:size])), 0)
