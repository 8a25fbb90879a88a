"""What was read of an offer, kept as bytes, so that its text is read once for any number of comparisons.

A kept reading answers everything that `compare` asks but for grades that do not name themselves, exactly as
reading the text anew would. Here: the layout, writing it and looking things up in it. Not here: reading a
text (`offers`) and where the bytes lie.

The bytes are lines: the parameters with their names understood (JSON); all sentences in which something may
be measured, in the spelling in which names are looked for; then each of these sentences with its pieces and
quantities (JSON), which is understood only if a name stands in it. What stands in a sentence stands in the
whole text, so that this need not be kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.names import Name
from marketplace.indicators.offers import Offer, Statement
from marketplace.indicators.reader import Quantity

# Between sentences, between pieces of one, and for a line break in one: normalising leaves none of them in a
# text, and no name has a line break.
_SENTENCE, _PIECE, _BREAK = "\x1e", "\x1f", "\x1d"
_COMPARATORS = {one.value: one for one in Comparator}


def written(offer: Offer) -> bytes:
    """The reading of an offer; equal offers give the same bytes, an offer that states nothing gives none."""
    sentences = [pieces for pieces in offer.measuring_sentences() if pieces]
    if not sentences and not offer.parameters:
        return b""
    parameters = [
        [name.core, name.which, parameter.to_dict()]
        for name, parameter in zip(offer.names, offer.parameters, strict=True)
    ]
    said = _SENTENCE.join(_PIECE.join(piece.lower for piece in pieces) for pieces in sentences)
    said = said.replace("\n", _BREAK)
    lines = [_json(parameters), said, *(_json(_sentence(pieces)) for pieces in sentences)]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _sentence(pieces: Sequence[Statement]) -> list[Any]:
    text, is_goal = pieces[0].text, pieces[0].is_goal
    return [
        text,
        int(is_goal),
        [
            [
                0 if piece.plain == text else piece.plain,
                *_places(piece.starts, piece.ends),
                [_quantity(one) for one in piece.quantities],
            ]
            for piece in pieces
        ],
    ]


def _places(starts: Sequence[int], ends: Sequence[int]) -> tuple[int | list[int], int | list[int]]:
    """Characters that follow one another are told by the first."""
    first, size = starts[0], len(starts)
    if list(starts) == list(range(first, first + size)) and list(ends) == list(
        range(first + 1, first + size + 1)
    ):
        return first, 0
    return list(starts), list(ends)


def _quantity(one: Quantity) -> list[Any]:
    numbers = (one.value, one.value_to, one.nominal)
    return [
        one.comparator.value,
        *(None if number is None else str(number) for number in numbers),
        one.text_value,
        one.unit,
        int(one.approximate),
        one.start,
        one.end,
        int(one.better),
    ]


class KeptOffer:
    """An offer as `written`; `fresh` reads it anew, for what is not kept."""

    def __init__(self, reading: bytes, fresh: Callable[[], Offer]) -> None:
        self._lines = reading.split(b"\n") if reading else [b"[]", b""]
        self._fresh = fresh
        self._understood: dict[int, tuple[Statement, ...]] = {}

    @property
    def lower(self) -> str:
        """The whole text, normalised, in lower case."""
        return self._read_anew.lower

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The pieces of the text in order."""
        return self._read_anew.statements

    def parameters_of(self, name: Name) -> Iterator[Indicator]:
        """The structured parameters that mean the same thing, in order."""
        for its_name, parameter in self._parameters:
            if name.same_as(its_name):
                yield Indicator.from_dict(parameter)

    def saying(self, spellings: Sequence[str]) -> Iterator[Statement]:
        """The statements that measure or grade something and hold one of `spellings`, in order."""
        for number in sorted({number for one in spellings for number in self._sentences_with(one)}):
            for statement in self._sentence(number):
                if any(one in statement.lower for one in spellings):
                    yield statement

    def _sentences_with(self, spelling: str) -> Iterator[int]:
        said, number, before = self._said, 0, 0
        place = said.find(spelling)
        while place >= 0:
            number += said.count(_SENTENCE, before, place)
            yield number
            before = said.find(_SENTENCE, place)
            place = said.find(spelling, before) if before >= 0 else -1

    @cached_property
    def _read_anew(self) -> Offer:
        return self._fresh()

    @cached_property
    def _parameters(self) -> tuple[tuple[Name, dict[str, Any]], ...]:
        if self._lines[0] == b"[]":
            return ()
        return tuple((Name(core, which), data) for core, which, data in json.loads(_text(self._lines[0])))

    @cached_property
    def _said(self) -> str:
        return _text(self._lines[1])

    def _sentence(self, number: int) -> tuple[Statement, ...]:
        known = self._understood.get(number)
        if known is None:
            text, is_goal, pieces = json.loads(_text(self._lines[2 + number]))
            known = tuple(_piece(text, bool(is_goal), *piece) for piece in pieces)
            self._understood[number] = known
        return known


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogatepass")


def _piece(
    text: str,
    is_goal: bool,
    plain: str | int,
    starts: int | list[int],
    ends: int | list[int],
    quantities: list[list[Any]],
) -> Statement:
    spelled = plain if isinstance(plain, str) else text
    begins: Sequence[int] = range(starts, starts + len(spelled)) if isinstance(starts, int) else starts
    stops: Sequence[int] = (
        range(begins[0] + 1, begins[0] + 1 + len(spelled)) if isinstance(ends, int) else ends
    )
    return Statement(
        text,
        spelled,
        begins,
        stops,
        is_goal=is_goal,
        quantities=tuple(_understood(*one) for one in quantities),
    )


def _understood(
    comparator: str,
    value: str | None,
    value_to: str | None,
    nominal: str | None,
    text_value: str,
    unit: str,
    approximate: int,
    start: int,
    end: int,
    better: int,
) -> Quantity:
    return Quantity(
        _COMPARATORS[comparator],
        None if value is None else Decimal(value),
        None if value_to is None else Decimal(value_to),
        None if nominal is None else Decimal(nominal),
        text_value,
        unit,
        bool(approximate),
        start,
        end,
        bool(better),
    )
