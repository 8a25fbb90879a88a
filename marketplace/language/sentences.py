"""Sentences and listed items: the pieces that are quoted as evidence and scored as passages.

They are pieces of the ORIGINAL text, so that a quotation is what its author wrote.
"""

from __future__ import annotations

import re
from itertools import pairwise

# A full stop ends a sentence only between the end of a word or number and a space with a capital letter or
# Han after it: "3.5 mm", "e.g. steel" and "v2.0" stay whole.
_END = re.compile(
    r"[。！？；!?;｡﹔\n\r\u2028\u2029]+[”’」』）)\"]*|(?<=[A-Za-z0-9%)]{2})\.(?=\s+[A-Z\u3400-\u9fff])"
)
# "1、" "2)" "（3）" "①" "一、" "3." "•" at the start of a sentence or after a space, colon or comma
_ITEM = re.compile(
    r"(?:(?<=[\s:：,，、])|^)"
    r"(?:[（(](?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）]"
    r"|\d{1,2}(?:[)）、]|[.．](?!\s*\d))"
    r"|[一二三四五六七八九十]{1,3}、"
    r"|[•●▪◆■※])"
    r"|[①-⑳❶-❿]"
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence or listed item in `text`, in order, without outer white space.

    Cut after 。！？； and line breaks, after a full stop that ends a sentence, and before list marks.
    What has no letter or digit is left out. Linear; never raises.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        found.extend(_items(text, start, match.end()))
        start = match.end()
    found.extend(_items(text, start, len(text)))
    return found


def sentences(text: str) -> list[str]:
    """The sentences and listed items of `text` as written, in order; [] for a text without words."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _items(text: str, start: int, end: int) -> list[tuple[int, int]]:
    sentence = text[start:end]
    cuts = [0, *(match.start() for match in _ITEM.finditer(sentence) if match.start() > 0), len(sentence)]
    items = []
    for first, last in pairwise(cuts):
        part = sentence[first:last]
        stripped = part.strip()
        if any(character.isalnum() for character in stripped):
            begin = start + first + len(part) - len(part.lstrip())
            items.append((begin, begin + len(stripped)))
    return items
