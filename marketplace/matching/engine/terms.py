"""Terms of a text as the index holds them: each with the letter of its field in front, such as "w:轴承".

One vocabulary over all fields keeps the postings in one matrix. Not here: how a text is cut
(`marketplace.language`) and what a field weighs (`weights`).
"""

from __future__ import annotations

from marketplace.language import analyse

#: In the order of the numbers below, by the names of their weights in `TextWeights`.
FIELDS = ("words", "bigrams", "characters", "pairs")
WORDS, BIGRAMS, CHARACTERS, PAIRS = range(4)

_LETTERS = "wbcp"


def section_terms(text: str) -> list[str]:
    """Every term of `text`, as often as it stands there, field by field in a fixed order."""
    analysis = analyse(text)
    counters = (analysis.words, analysis.bigrams, analysis.chars, analysis.pairs)
    return [
        f"{letter}:{term}"
        for letter, counter in zip(_LETTERS, counters, strict=True)
        for term, count in sorted(counter.items())
        for _ in range(count)
    ]


def field_of(term: str) -> int:
    """The number of the field of an indexed term."""
    return _LETTERS.index(term[0])


def plain(term: str) -> str:
    """An indexed term without its field."""
    return term[2:]
