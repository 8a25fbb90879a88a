"""Families of products: what belongs to one branch of industry, however it is called.

A need for 长丝 and a firm that makes 锦纶 share no word, and yet they are of one branch. A text is of a
family if it names a member of it; that is a term like any other, worth less than a word.
Here: general knowledge of what industry makes (`data/families.txt`). Not here: other names for the same
thing (`synonyms`), which an operator may change; a change here needs a new `LANGUAGE_VERSION`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from operator import add
from pathlib import Path
from typing import NamedTuple

from marketplace.language.dictionary import is_whole, lower

_FILE = Path(__file__).parent / "data" / "families.txt"


class Member(NamedTuple):
    """A member of some families at one place of a normalised text."""

    families: tuple[str, ...]
    start: int
    end: int


def members(text: str) -> Iterator[Member]:
    """Where a NORMALISED text names members of families, from left to right; see `Dictionary.mentions`.

    The longest name at a place counts, and what lies inside it does not count again. Linear in the text.
    """
    known = _known()
    lowered = lower(text)
    past = 0
    for start, head in enumerate(map(add, lowered, lowered[1:])):
        lengths = known.lengths.get(head)
        if lengths is None or start < past:
            continue
        for length in lengths:
            families = known.families.get(lowered[start : start + length])
            if families is not None and is_whole(lowered, start, start + length):
                yield Member(families, start, start + length)
                past = start + length
                break


class _Known(NamedTuple):
    families: dict[str, tuple[str, ...]]  # by member, lower case
    lengths: dict[str, list[int]]  # of the members with these first two letters, longest first


@cache
def _known() -> _Known:
    families: dict[str, tuple[str, ...]] = {}
    lengths: dict[str, set[int]] = {}
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, _, listed = line.partition("：")
        for member in map(str.lower, listed.split()):
            families[member] = (*families.get(member, ()), f"{name}类")
            lengths.setdefault(member[:2], set()).add(len(member))
    return _Known(families, {head: sorted(found, reverse=True) for head, found in lengths.items()})
