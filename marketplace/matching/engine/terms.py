"""Terms of a text as the index holds them: each with the letter of its field in front, such as "w:轴承".

In postings a term is a key: a whole number of 64 bits, its field in the highest four and a hash of the
term below. Not here: how a text is cut (`marketplace.language`) and what a field weighs (`weights`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

from marketplace.language import DEFAULT_DICTIONARY, Dictionary, analyse

#: In the order of the numbers below, by the names of their weights in `TextWeights`.
FIELDS = ("words", "bigrams", "characters", "pairs", "concepts", "families")
WORDS, BIGRAMS, CHARACTERS, PAIRS, CONCEPTS, FAMILIES = range(6)

#: Fields that weigh nothing: model numbers, names of stated parameters, and letters of grades.
MODELS, PARAMETERS, LETTERS = 6, 7, 8

_LETTERS = "wbcpsf"

_FIELD_OF_LETTER = {letter: field for field, letter in enumerate(_LETTERS)}

#: `key >> FIELD_SHIFT` is a key's field.
FIELD_SHIFT = 60


def section_terms(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> list[str]:
    """Every term of `text`, as often as it stands there, field by field in a fixed order."""
    return [term for term, count in term_counts(text, dictionary).items() for _ in range(count)]


def term_counts(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> Counter[str]:
    """How often each term stands in `text`, field by field in a fixed order."""
    return Counter(
        {
            f"{letter}:{term}": count
            for letter, counter in _by_field(text, dictionary)
            for term, count in sorted(counter.items())
        }
    )


def section_counts(text: str, dictionary: Dictionary = DEFAULT_DICTIONARY) -> dict[int, int]:
    """The same by key, in no order."""
    return {
        key_of_term(f"{letter}:{term}"): count
        for letter, counter in _by_field(text, dictionary)
        for term, count in counter.items()
    }


def _by_field(text: str, dictionary: Dictionary) -> Iterator[tuple[str, Counter[str]]]:
    analysis = analyse(text, dictionary)
    return zip(_LETTERS, analysis.fields.values(), strict=True)


def field_of(term: str) -> int:
    """The number of the field of an indexed term."""
    return _FIELD_OF_LETTER[term[0]]


def plain(term: str) -> str:
    """An indexed term without its field."""
    return term[2:]


@lru_cache(maxsize=300_000)
def key_of_term(term: str) -> int:
    """The key of an indexed term."""
    return key_of(field_of(term), plain(term))


def key_of(field: int, text: str) -> int:
    """The key of `text` in a field: that two of two million terms share one happens once in 10⁶ corpora."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return field << FIELD_SHIFT | int.from_bytes(digest, "little") >> (64 - FIELD_SHIFT)
