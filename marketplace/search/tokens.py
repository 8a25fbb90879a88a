"""Text to the tokens of the index, and where each stands.

Plain Python. The terms are the matcher's own (`language.terms`): stems, model numbers and standards, pairs of
Han characters, single Han characters and concepts. Numbers, which the matcher keeps out of its terms, are
tokens here, because people look for "1500" and "6061". Index, question and highlight all read texts here.
Not here: what a question means (`question`), where a hit is marked (`marks`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from marketplace.language import Dictionary, normalise
from marketplace.language.terms import Field, Occurrence, plain_occurrences

# Raise it whenever the same text gives other tokens than before: every document is read anew.
TOKENS_VERSION = "1"

# Before a token that stands in the title, among the keywords, or often in the text.
TITLE, KEYWORD, OFTEN = "t:", "k:", "m:"
OFTEN_FROM = 3
_CONCEPT = "c:"
_LONGEST_TOKEN = 80
_NUMBER = re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d])|\d+(?:\.\d+)?")
_PARTS = re.compile(r"[-_./]")
# What neither index takes as a part of a token; the terms of texts have none, names of concepts may.
_FOREIGN = re.compile(r"[\x00-\x20\x7f]|(?![-_./+#:A-Za-z0-9])[\x21-\x7e]")


class Place(NamedTuple):
    """A token at one place of a normalised text."""

    token: str
    start: int
    end: int


def clean(token: str) -> str:
    return _FOREIGN.sub("_", token.lower())[:_LONGEST_TOKEN]


def concept_token(concept: str) -> str:
    return _CONCEPT + clean(concept)


def spelled(text: str) -> str:
    """The one spelling in which phrases are compared: normalised, lower case, single blanks."""
    return " ".join(normalise(text).lower().split())


def model_forms(word: str) -> list[str]:
    """The tokens of one Latin word: itself, and for a model number the ways in which it may be written."""
    word = clean(word)
    parts = [part for part in _PARTS.split(word) if part]
    if len(parts) < 2 or not any(map(str.isdigit, word)):
        return [word]
    return [word, "".join(parts)]


def numbers(text: str) -> Iterator[Place]:
    for match in _NUMBER.finditer(text):
        yield Place(match[0].replace(",", "")[:_LONGEST_TOKEN], match.start(), match.end())


def places(text: str, dictionary: Dictionary) -> Iterator[Place]:
    """Every token of a NORMALISED text with its place; the same place may give several."""
    for found in plain_occurrences(text, dictionary):
        yield from _tokens_of(found)
    yield from numbers(text)


def places_of(wanted: Set[str], text: str, dictionary: Dictionary) -> Iterator[Place]:
    """Where some tokens stand in a NORMALISED text. Names of concepts alone need no other reading of it."""
    if any(not token.startswith(_CONCEPT) for token in wanted):
        found = places(text, dictionary)
    else:
        mentions = dictionary.mentions(text) if wanted else ()
        found = (Place(concept_token(name), start, end) for name, start, end in mentions)
    return (place for place in found if place.token in wanted)


def is_han(character: str) -> bool:
    return character >= "\u2e80"


def _tokens_of(found: Occurrence) -> Iterator[Place]:
    if found.field in (Field.CHAR, Field.BIGRAM):
        yield Place(found.term, found.start, found.end)
    elif found.field == Field.CONCEPT:
        yield Place(concept_token(found.term), found.start, found.end)
    elif found.field == Field.WORD and not is_han(found.term[0]):
        for form in model_forms(found.term):
            yield Place(form, found.start, found.end)
        if any(map(str.isdigit, found.term)):
            for part in _PARTS.split(clean(found.term)):
                if len(part) > 1:
                    yield Place(part, found.start, found.end)


def index_tokens(title: str, keywords: Iterable[str], text: str, dictionary: Dictionary) -> str:
    """All tokens of a document, each once and in one order, between blanks."""
    named = "\n".join(keywords)
    in_title = _tokens(title, dictionary)
    in_keywords = _tokens(named, dictionary)
    everywhere = in_title + in_keywords + _tokens(text, dictionary)
    found = set(everywhere)
    found.update(TITLE + token for token in in_title)
    found.update(KEYWORD + token for token in in_keywords)
    found.update(OFTEN + token for token, count in everywhere.items() if count >= OFTEN_FROM)
    return " ".join(sorted(found))


def _tokens(text: str, dictionary: Dictionary) -> Counter[str]:
    return Counter(place.token for place in places(normalise(text), dictionary))
