"""Quoting a text with the matched terms marked in it, as its author wrote it.

Light enough for the web process: it needs neither the index nor the numbers. Which terms: see `reasons`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from marketplace.language import sentence_spans, spans


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a quoted text; `number` is that of the term it shows, 0 for plain text."""

    text: str
    number: int = 0


def excerpt(text: str, terms: Sequence[str], *, length: int = 160) -> tuple[Piece, ...]:
    """The sentences of `text` that hold the most of `terms`, in their order, with every term marked.

    Terms are numbered from 1 as given. Never longer than about `length` characters plus one sentence.
    """
    numbers = {term: number for number, term in enumerate(terms, start=1)}
    marks = [(start, end, numbers[term]) for start, end, term in spans(text, terms)]
    chosen: list[tuple[int, int]] = []
    taken = 0
    seen: set[int] = set()
    stretches = _with_numbers(sentence_spans(text), marks)
    while stretches and taken < length:
        values = [len(numbers_in - seen) for _, numbers_in in stretches]
        best = max(range(len(stretches)), key=lambda i: (values[i], -i))
        if values[best] == 0 and chosen:
            break
        stretch, numbers_in = stretches.pop(best)
        chosen.append(stretch)
        seen |= numbers_in
        taken += stretch[1] - stretch[0]
    return tuple(_pieces(text, sorted(chosen), marks))


def _with_numbers(
    stretches: Sequence[tuple[int, int]], marks: Sequence[tuple[int, int, int]]
) -> list[tuple[tuple[int, int], set[int]]]:
    """Each stretch with the numbers of the terms within it; both are in order, so one pass finds them all."""
    found = []
    place = 0
    for begin, finish in stretches:
        numbers: set[int] = set()
        while place < len(marks) and marks[place][0] < finish:
            start, end, number = marks[place]
            if begin <= start and end <= finish:
                numbers.add(number)
            place += 1
        found.append(((begin, finish), numbers))
    return found


def _pieces(
    text: str, stretches: Sequence[tuple[int, int]], marks: Sequence[tuple[int, int, int]]
) -> Iterator[Piece]:
    """Plain and marked pieces of the chosen stretches, with …… where something is left out."""
    end_of_last = 0
    for begin, finish in stretches:
        if begin > end_of_last:
            yield Piece("……")
        place = begin
        for start, end, number in marks:
            if start < begin or end > finish:
                continue
            if start > place:
                yield Piece(text[place:start])
            yield Piece(text[start:end], number)
            place = end
        if place < finish:
            yield Piece(text[place:finish])
        end_of_last = finish
    if stretches and end_of_last < len(text.rstrip()):
        yield Piece("……")
