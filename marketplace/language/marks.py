"""Where terms stand in a text as its author wrote it, for marking them on a page."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.language.dictionary import DEFAULT_DICTIONARY, Dictionary
from marketplace.language.normal import normalise, normalise_with_offsets
from marketplace.language.terms import occurrences, stem


def spans(
    text: str, terms: Iterable[str], dictionary: Dictionary = DEFAULT_DICTIONARY
) -> list[tuple[int, int, str]]:
    """(start, end, term) for each place of `text`, as written, where one of `terms` stands.

    Terms are those of `analyse` (any field); a word as a person writes it (數據庫, Bearings) is understood
    too, and so is another name that `dictionary` knows for it. The spans are sorted and do not overlap: a
    longer term goes first, what it leaves uncovered of a shorter one is marked as that one. Linear; never
    raises.
    """
    wanted: dict[str, str] = {}
    for term in terms:
        plain = normalise(term).strip().lower()
        for form in (stem(plain), plain, term):
            wanted[form] = term
    if not wanted or not text:
        return []
    normalised = normalise_with_offsets(text)
    found = [one for one in occurrences(normalised.text, dictionary) if one.term in wanted]
    found.sort(key=lambda one: (one.start - one.end, one.start))
    owner: list[str | None] = [None] * len(text)
    owned_by: list[int] = [0] * len(text)
    for number, one in enumerate(found, 1):
        first, last = normalised.original_span(one.start, one.end)
        for place in range(first, last):
            if owner[place] is None:
                owner[place], owned_by[place] = wanted[one.term], number
    return _stretches(owner, owned_by)


def _stretches(owner: list[str | None], owned_by: list[int]) -> list[tuple[int, int, str]]:
    marked: list[tuple[int, int, str]] = []
    start = 0
    for place in range(1, len(owner) + 1):
        if place == len(owner) or owned_by[place] != owned_by[start]:
            term = owner[start]
            if term is not None:
                marked.append((start, place, term))
            start = place
    return marked
