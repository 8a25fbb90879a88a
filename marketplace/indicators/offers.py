"""An offer read once, to be compared with any number of requirements: its parameters and its text.

Here: the pieces of a text that may state something, in the one spelling in which names and quantities are
looked for, and the quantities in them. Not here: which quantity belongs to which name (`attribution`), what
it says to a requirement (`compare`), and how a reading is kept (`readings`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from marketplace.indicators.model import Indicator
from marketplace.indicators.names import Name, lowered, understand
from marketplace.indicators.reader import Quantity, read_spelled, spelled
from marketplace.language import normalise, normalise_with_offsets, sentences

_QUOTE_AT_MOST = 200
_QUOTED_BEFORE = 60
_HEADING_AT_MOST = 40
# A text without any stop is read in pieces, so that the work stays linear; rather cut where a clause ends.
_PIECE_AT_MOST = 600
_PIECE_AT_LEAST = 400
_CLAUSE_END = re.compile(r"[,，;；、。!！?？]")
# What is no number by itself and holds one when it is normalised: 两, 半, 1月 or mm2 in one character.
_OTHER_NUMERALS = re.compile(
    "[⼀⼆⼋⼗\u32c0-\u32cb\u3358-\u3370㍸㍹\u339f-\u33a6㎨㎯\u33e0-\u33fe两半韆\U0001f214\U0001f229\U0001f22a\U0001f241\U0001f242]"
)
# ASIL D is stated without any number.
_GRADE_WITHOUT_NUMERAL = "asil"
_MAY_MEASURE = re.compile("[0-9一二两三四五六七八九十百千万亿半]|asil")


# "研发目标:" is followed by what is not reached yet, item by item.
_GOALS_FOLLOW = re.compile(
    "(?:目标|计划|需求|要求|难题|拟解决|goals?|targets?)[^。;；]{0,10}[:：]\\s*$", re.IGNORECASE
)
_IS_ITEM = re.compile(
    r"\s*(?:[(（]?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3}|[a-zA-Z])[)）、.．]|[①-⑳❶-❿•●▪◆■※-])"
)


class Statement:
    """A sentence, or a piece of a very long one. Places are those in `plain`."""

    def __init__(
        self,
        text: str,
        plain: str,
        starts: Sequence[int],
        ends: Sequence[int],
        *,
        is_goal: bool = False,
        quantities: tuple[Quantity, ...] | None = None,
    ) -> None:
        self.text = text  # the sentence as written
        self.plain = (
            plain  # normalised, with Chinese commas as they were: they end a clause, "1,200" has none
        )
        self.lower = lowered(plain)
        self.is_goal = is_goal  # an item of a list of goals
        self.starts, self.ends = starts, ends  # where in `text` each character of `plain` comes from
        self._read = quantities  # None as long as nobody read them
        self._marks: dict[re.Pattern[str], tuple[tuple[int, int], ...]] = {}

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """What is measured here, in order; their places are those in `plain`."""
        if self._read is not None:
            return self._read
        if not _MAY_MEASURE.search(self.lower):
            return ()
        return tuple(read_spelled(self.plain))

    @cached_property
    def quantity_starts(self) -> tuple[int, ...]:
        """Where the quantities begin, for looking one up by its place."""
        return tuple(quantity.start for quantity in self.quantities)

    @cached_property
    def _clause_ends(self) -> tuple[int, ...]:
        """A comma inside a quantity (1,200) ends no clause."""
        within = {place for quantity in self.quantities for place in range(quantity.start, quantity.end)}
        return tuple(
            match.start() for match in _CLAUSE_END.finditer(self.plain) if match.start() not in within
        )

    def marks(self, pattern: re.Pattern[str]) -> tuple[tuple[int, int], ...]:
        """(start, end) of each place where `pattern` stands, found once."""
        if pattern not in self._marks:
            self._marks[pattern] = tuple(match.span() for match in pattern.finditer(self.plain))
        return self._marks[pattern]

    def clause(self, start: int, end: int) -> tuple[int, int]:
        """The clause around a place."""
        ends = self._clause_ends
        first = ends[place - 1] + 1 if (place := bisect_left(ends, start)) else 0
        last = ends[place] if (place := bisect_left(ends, end)) < len(ends) else len(self.plain)
        return first, last

    def written(self, start: int, end: int) -> str:
        """What stands at a place, as its author wrote it."""
        return self.text[self.starts[start] : max(self.ends[end - 1], self.starts[start])].strip()

    def quote(self, start: int) -> str:
        """The sentence as written, or at most 200 characters of it from a little before a place."""
        if len(self.text) <= _QUOTE_AT_MOST:
            return self.text
        first = max(0, self.starts[start] - _QUOTED_BEFORE)
        before = "…" if first else ""
        rest = self.text[first:]
        room = _QUOTE_AT_MOST - len(before)
        return before + (rest if len(rest) <= room else rest[: room - 1] + "…")


class Offered(Protocol):
    """What `compare` asks of an offer, read from its text or kept from an earlier reading."""

    @property
    def lower(self) -> str:
        """The whole text, normalised, in lower case: where a name does not stand in it, nothing is stated."""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The pieces of the text in order."""

    def parameters_of(self, name: Name) -> Iterator[Indicator]:
        """The structured parameters that mean the same thing, in order."""

    def saying(self, spellings: Sequence[str]) -> Iterator[Statement]:
        """The statements in which something may be measured or graded and one of `spellings` stands, in
        order; none where the text as a whole holds none of them.
        """


@dataclass(frozen=True)
class Offer:
    """What somebody offers, read for comparing. Made by `read_offer`; what is costly is done at first need.

    Equal offers have equal parameters and texts.
    """

    parameters: tuple[Indicator, ...]
    text: str

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The parameters' names, understood, in their order."""
        return tuple(understand(parameter.name) for parameter in self.parameters)

    @cached_property
    def lower(self) -> str:
        """The whole text, normalised, in lower case: where a name does not stand in it, nothing is stated."""
        return lowered(normalise(self.text))

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The pieces of the text in order."""
        return tuple(
            piece for sentence, is_goal in self._sentences for piece in _pieces(sentence, is_goal=is_goal)
        )

    @cached_property
    def measuring(self) -> tuple[Statement, ...]:
        """Of `statements` those in whose sentence something may be measured or graded: the others are not
        even read.
        """
        return tuple(piece for pieces in self.measuring_sentences() for piece in pieces)

    def measuring_sentences(self) -> Iterator[tuple[Statement, ...]]:
        """The same, the pieces of a sentence together."""
        has_grade = _GRADE_WITHOUT_NUMERAL in self.lower
        for sentence, is_goal in self._sentences:
            if (
                any(map(str.isnumeric, sentence))
                or _OTHER_NUMERALS.search(sentence)
                or (has_grade and _GRADE_WITHOUT_NUMERAL in lowered(normalise(sentence)))
            ):
                yield tuple(_pieces(sentence, is_goal=is_goal))

    def parameters_of(self, name: Name) -> Iterator[Indicator]:
        """The structured parameters that mean the same thing, in order."""
        for parameter, its_name in zip(self.parameters, self.names, strict=True):
            if name.same_as(its_name):
                yield parameter

    def saying(self, spellings: Sequence[str]) -> Iterator[Statement]:
        """Those of `measuring` in which one of `spellings` stands; none where the whole text holds none."""
        if not any(one in self.lower for one in spellings):
            return
        for statement in self.measuring:
            if any(one in statement.lower for one in spellings):
                yield statement

    @cached_property
    def _sentences(self) -> tuple[tuple[str, bool], ...]:
        """The sentences as written, and whether each is an item of a list of goals."""
        found: list[tuple[str, bool]] = []
        heads_goals = is_goal = False
        for sentence in sentences(self.text):
            is_goal = (heads_goals or is_goal) and _IS_ITEM.match(sentence) is not None
            found.append((sentence, is_goal))
            heads_goals = _GOALS_FOLLOW.search(sentence[-_HEADING_AT_MOST:]) is not None
        return tuple(found)


def read_offer(parameters: Sequence[Indicator], text: str) -> Offer:
    """An offer with these structured parameters and this text as written.

    Never raises. All reading together is linear in the length of the text, and each sentence is read once,
    whatever the number of requirements compared with it.
    """
    return Offer(tuple(parameters), text)


def _pieces(sentence: str, *, is_goal: bool) -> Iterator[Statement]:
    normalised = normalise_with_offsets(sentence)
    plain = spelled(normalised, sentence)
    start = 0
    while start < len(plain):
        end = _end_of_piece(plain, start)
        yield Statement(
            sentence,
            plain[start:end],
            normalised.starts[start:end],
            normalised.ends[start:end],
            is_goal=is_goal,
        )
        start = end


def _end_of_piece(plain: str, start: int) -> int:
    if len(plain) - start <= _PIECE_AT_MOST:
        return len(plain)
    last = start + _PIECE_AT_MOST
    clause_ends = [match.end() for match in _CLAUSE_END.finditer(plain, start + _PIECE_AT_LEAST, last)]
    return clause_ends[-1] if clause_ends else last
