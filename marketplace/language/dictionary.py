"""What the reader of text knows beside the language itself: compounds to keep whole, and names for one thing.

A dictionary is data with a version: an operator may put another one in force, and every stored ranking
names the one it was made with. Not here: how text is cut by it (`terms`), the names themselves that come
with the program (`vocabulary`, `synonyms`), and who may change it (the feature around).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self

from marketplace.language.normal import normalise
from marketplace.language.synonyms import SYNONYMS
from marketplace.language.vocabulary import COMPOUNDS

WORDS_AT_MOST = 20_000
GROUPS_AT_MOST = 5_000
MEMBERS_AT_MOST = 30
LETTERS_AT_LEAST, LETTERS_AT_MOST = 2, 40
VERSION_AT_MOST = 40

_HAN_ONLY = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+")
# What a name may be written with: letters and digits of any script, one space between words, few signs.
_NAME = re.compile(r"[^\W_](?:[^\W_]|[-+#/.·&]| (?! ))*", re.UNICODE)
# Letters of scripts that put spaces between words; a name that starts or ends with one must do so as a word.
_SPACED = re.compile("[a-z0-9\u00c0-\u024f\u0370-\u052f]")


class Problem(NamedTuple):
    """One thing that keeps a dictionary from being used: a code, where it stands, and what stands there.

    `part` is "words" or "synonyms", `line` counts from 1 and is 0 for the whole list. Codes: too_many,
    length, not_han, not_name, not_normal, twice, one_member, too_many_members, two_groups.
    """

    part: str
    line: int
    code: str
    text: str


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Compounds that the cutter keeps whole, and groups of names for one thing, the canonical one first.

    Words matter in their order: the cutter learns them one after another. Two dictionaries are equal if
    their versions and everything in them are. Raises ValueError if a list is too long for the reader.
    """

    version: str
    words: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, ...], ...] = ()
    _digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.version) <= VERSION_AT_MOST:
            raise ValueError(f"a version has 1 to {VERSION_AT_MOST} characters")
        if len(self.words) > WORDS_AT_MOST or len(self.synonyms) > GROUPS_AT_MOST:
            raise ValueError(f"at most {WORDS_AT_MOST} words and {GROUPS_AT_MOST} groups of synonyms")
        text = json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        object.__setattr__(self, "_digest", digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dictionary) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def digest(self) -> str:
        """A SHA-256 over version, words and synonyms: equal digests read every text alike."""
        return self._digest

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "version": self.version,
            "words": list(self.words),
            "synonyms": [list(group) for group in self.synonyms],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read `to_dict` back; raises ValueError naming everything that `find_problems` finds."""
        if not isinstance(data, Mapping) or set(data) != {"version", "words", "synonyms"}:
            raise ValueError("a dictionary has a version, words and synonyms, and nothing else")
        version, words, synonyms = data["version"], data["words"], data["synonyms"]
        if not isinstance(version, str) or not _is_texts(words):
            raise ValueError("version is a text and words are a list of texts")
        if not isinstance(synonyms, list | tuple) or not all(map(_is_texts, synonyms)):
            raise ValueError("synonyms are a list of lists of texts")
        if problems := find_problems(words, synonyms):
            told = "; ".join(f"{one.part} {one.line}: {one.code} {one.text}".strip() for one in problems[:10])
            raise ValueError(f"{len(problems)} problems: {told}")
        return cls(version, tuple(words), tuple(map(tuple, synonyms)))

    @cached_property
    def _mentions(self) -> _Mentions:
        return _Mentions(self.synonyms)

    def mentions(self, text: str) -> Iterator[Mention]:
        """Where a NORMALISED text names a thing that has several names, from left to right.

        The longest name at a place counts, and what lies inside it does not count again. Names are
        found whatever their case; those in Latin letters as whole words only. Linear in the text.
        """
        return self._mentions.find(text)


class Mention(NamedTuple):
    """One name of a group at one place of a normalised text; `concept` is its canonical name, lower case."""

    concept: str
    start: int
    end: int


class _Mentions:
    """All names of a dictionary, by their first letter and their lengths."""

    def __init__(self, synonyms: Iterable[tuple[str, ...]]) -> None:
        self._concepts = {
            lower(name): lower(group[0]) for group in synonyms for name in reversed(group) if name
        }
        lengths: dict[str, set[int]] = {}
        for name in self._concepts:
            lengths.setdefault(name[0], set()).add(len(name))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}
        # Of no names none begins anywhere; an empty class would be no expression.
        firsts = "[" + "".join(map(re.escape, sorted(self._lengths))) + "]" if self._lengths else "(?!)"
        self._firsts = re.compile(firsts)

    def find(self, text: str) -> Iterator[Mention]:
        if not self._concepts:
            return
        text = lower(text)
        past = 0
        for match in self._firsts.finditer(text):
            start = match.start()
            if start < past:
                continue
            for length in self._lengths[match[0]]:
                end = start + length
                concept = self._concepts.get(text[start:end])
                if concept is not None and end <= len(text) and is_whole(text, start, end):
                    yield Mention(concept, start, end)
                    past = end
                    break


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether no word of a spaced script is cut at either end."""
    cut_before = start > 0 and _SPACED.match(text[start - 1]) and _SPACED.match(text[start])
    cut_after = end < len(text) and _SPACED.match(text[end]) and _SPACED.match(text[end - 1])
    return not (cut_before or cut_after)


def lower(text: str) -> str:
    """Lower case, letter for letter: the same length as `text`; line ends and tabs become spaces."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(letter if len(letter.lower()) != 1 else letter.lower() for letter in text)
    return lowered.translate(_BLANKS)


_BLANKS = str.maketrans("\t\r\n\u3000", "    ")


def find_problems(words: Iterable[str], synonyms: Iterable[Iterable[str]]) -> list[Problem]:
    """Everything that keeps these from being a dictionary, so that it can be mended in one go."""
    words, groups = list(words), [list(group) for group in synonyms]
    problems = []
    if len(words) > WORDS_AT_MOST:
        problems.append(Problem("words", 0, "too_many", str(len(words))))
    if len(groups) > GROUPS_AT_MOST:
        problems.append(Problem("synonyms", 0, "too_many", str(len(groups))))
    return problems or [*_word_problems(words), *_synonym_problems(groups)]


def _word_problems(words: list[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for line, word in enumerate(words, start=1):
        if not _HAN_ONLY.fullmatch(word):
            yield Problem("words", line, "not_han", word[:LETTERS_AT_MOST])
        elif code := _problem_of(word):
            yield Problem("words", line, code, word[:LETTERS_AT_MOST])
        elif word in seen:
            yield Problem("words", line, "twice", word)
        seen.add(word)


def _synonym_problems(groups: list[list[str]]) -> Iterator[Problem]:
    owners: dict[str, int] = {}
    for line, group in enumerate(groups, start=1):
        if len(group) < 2:
            yield Problem("synonyms", line, "one_member", "".join(group)[:LETTERS_AT_MOST])
        if len(group) > MEMBERS_AT_MOST:
            yield Problem("synonyms", line, "too_many_members", str(len(group)))
            continue
        for name in group:
            if code := _problem_of(name):
                yield Problem("synonyms", line, code, name[:LETTERS_AT_MOST])
            elif owners.setdefault(lower(name), line) != line:
                yield Problem("synonyms", line, "two_groups", name)
        if len(set(map(lower, group))) < len(group):
            yield Problem("synonyms", line, "twice", "、".join(group)[:LETTERS_AT_MOST])


def _problem_of(name: str) -> str:
    """What is wrong with a name by itself, or nothing."""
    if not LETTERS_AT_LEAST <= len(name) <= LETTERS_AT_MOST:
        return "length"
    if not _NAME.fullmatch(name) or name.endswith(" "):
        return "not_name"
    return "" if normalise(name) == name else "not_normal"


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


#: The dictionary that comes with the program.
DEFAULT_DICTIONARY = Dictionary("D-2026.1", COMPOUNDS, SYNONYMS)
