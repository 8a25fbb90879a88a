"""Where a question's words stand in a text as its author wrote it, and the stretch of a text worth showing.

Plain Python. A traditional text stays traditional: words are found in its normalised form and marked in the
original. Not here: HTML.
"""

from __future__ import annotations

from marketplace.language import Dictionary
from marketplace.language.normal import normalise_with_offsets
from marketplace.search.question import Question
from marketplace.search.tokens import is_han, places_of

EXCERPT_LENGTH = 120
_LEAD = 24
# A text is read for marks up to here; what is said further down is found all the same.
MARKED_AT_MOST = 6000

Spans = list[tuple[int, int]]
Pieces = list[tuple[str, bool]]


def find_spans(text: str, question: Question, dictionary: Dictionary) -> Spans:
    """(start, end) of every hit in the original, sorted, none touching another."""
    if not question.askable or not text:
        return []
    read = normalise_with_offsets(text[:MARKED_AT_MOST])
    lower = read.text.lower()
    if len(lower) != len(read.text):
        lower = read.text
    found: Spans = []
    wanted: set[str] = set()
    for literal in question.phrases:
        found += _all_places(lower, literal)
    for unit, _sure in question.units:
        literal_places = _all_places(lower, unit.spelling) if is_han(unit.spelling[0]) else []
        found += literal_places
        for alternative in unit.alternatives:
            # The pairs of a Han word mean something only where the word itself stands nowhere.
            if literal_places and (len(alternative) > 1 or alternative[0] == unit.spelling):
                continue
            wanted.update(alternative)
    found += [(place.start, place.end) for place in places_of(wanted, read.text, dictionary)]
    return _merged([read.original_span(start, end) for start, end in found])


def _all_places(text: str, literal: str) -> Spans:
    found: Spans = []
    place = text.find(literal) if literal else -1
    while place >= 0:
        found.append((place, place + len(literal)))
        place = text.find(literal, place + 1)
    return found


def _merged(spans: Spans) -> Spans:
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def mark(text: str, spans: Spans) -> Pieces:
    """The whole text in pieces, each with whether it is a hit."""
    pieces: Pieces = []
    place = 0
    for start, end in spans:
        pieces += [(text[place:start], False), (text[start:end], True)]
        place = end
    pieces.append((text[place:], False))
    return [piece for piece in pieces if piece[0]]


def excerpt(text: str, spans: Spans) -> Pieces:
    """The stretch that shows most of the hits, in pieces; the beginning where there are none."""
    start = _best_start(spans)
    end = min(len(text), start + EXCERPT_LENGTH)
    inside = [(max(a, start), min(b, end)) for a, b in spans if a < end and b > start]
    shifted = [(a - start, b - start) for a, b in inside]
    pieces = [(" ".join(piece.split("\n")), hit) for piece, hit in mark(text[start:end], shifted)]
    if start > 0:
        pieces.insert(0, ("…", False))
    if end < len(text):
        pieces.append(("…", False))
    return pieces


def _best_start(spans: Spans) -> int:
    best, most, first = 0, 0, 0
    for last, (_start, end) in enumerate(spans):
        while end - spans[first][0] > EXCERPT_LENGTH - _LEAD:
            first += 1
            if first > last:
                break
        if last - first + 1 > most and first <= last:
            most, best = last - first + 1, spans[first][0]
    return max(0, best - _LEAD) if best > EXCERPT_LENGTH - _LEAD else 0
