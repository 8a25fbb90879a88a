"""One spelling for every text, and the way back from it to the original.

Here: characters (NFKC, widths, dashes, superscripts), scripts (Traditional to Simplified) and the words
that differ between them. Letter case is kept, because kN and mW need it. Each step can say which part
of its input every part of its output came from, so that a match can be marked in the original text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol

from marketplace.language.taiwan import GUARDS, VOCABULARY

_CIRCLED = {chr(0x2460 + i): f"({i + 1})" for i in range(20)} | {
    chr(0x2776 + i): f"({i + 1})" for i in range(10)
}
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻"
_DASHES = "‐‑‒–—―−─━﹘﹣－⁃➖"
_BEFORE_NFKC = {**_CIRCLED, "…": "……", "㏑": "ln", "\ufeff": " ", "\u00ad": " "}
_AFTER_NFKC = str.maketrans(
    {
        **dict.fromkeys(_DASHES, "-"),
        "〜": "~",
        "∼": "~",
        "～": "~",
        "〰": "~",
        "≧": "≥",
        "⩾": "≥",
        "≦": "≤",
        "⩽": "≤",
        "㎛": "μm",
        "µ": "μ",
        "∶": ":",
        "‧": "·",
        "•": "·",
        "∙": "·",
        "⋅": "·",
        "・": "·",
        "✕": "×",
        "✖": "×",
        "╳": "×",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
    }
)
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufff0-\uffff]")
_SUPERSCRIPTS = re.compile(f"(?<![{_SUPERSCRIPT}^])(?=[{_SUPERSCRIPT}])")
_BEFORE = re.compile("[" + "".join(map(re.escape, _BEFORE_NFKC)) + "]")
_INERT = "\x00-\x7f\u4e00-\u9fff"  # none of these combines with what stands before it
_NFKC_BLOCK = re.compile(f"[{_INERT}]?[^{_INERT}]+|[{_INERT}]+(?=[{_INERT}]|\\Z)")
# Blocks without any combining mark, which is almost all that is written here.
_NO_MARKS = re.compile(
    "[\x00-\u02ff\u2000-\u20cf\u2100-\u2cee\u2e00-\u3029\u3030-\u3098\u309b-\u9fff\uff00-\uffef]*"
)
# Of these NFKC makes exactly one character each, whatever stands beside them.
_COMPOSED_ONE_FOR_ONE = re.compile("[\x00-\x7f·±×°—–“”‘’≥≤\u3000-\u3029\u4e00-\u9fff\uff01-\uff5e]*")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_ROUNDS_AT_MOST = 4
_MARKS_AT_MOST = 16
_REMEMBERED_AT_MOST = 4000


class _Piece(Protocol):
    def __call__(self, text: str) -> Iterator[tuple[int, str]]:
        """Cut a text into parts: (length of the input part, output of the part)."""


def _readable(text: str) -> str:
    """Same length: what no font shows and UTF-8 may not hold becomes a space.

    So do heaps of combining marks: Unicode orders them in quadratic time.
    """
    text = _UNREADABLE.sub(" ", text)
    if _is_plain(text) or _NO_MARKS.fullmatch(text):
        return text
    return _heaped_marks().sub(lambda match: match[1] + " " * (len(match[0]) - _MARKS_AT_MOST), text)


@cache
def _heaped_marks() -> re.Pattern[str]:
    marks = "".join(filter(unicodedata.combining, map(chr, range(0x300, 0x20000))))
    return re.compile(f"([{marks}]{{{_MARKS_AT_MOST}}})[{marks}]+")


def _mark_superscripts(text: str) -> str:
    return _SUPERSCRIPTS.sub("^", text)


def _mark_superscripts_pieces(text: str) -> Iterator[tuple[int, str]]:
    return _substitution_pieces(_SUPERSCRIPTS, text, lambda match: "^")


def _spell_out(text: str) -> str:
    return _BEFORE.sub(lambda match: _BEFORE_NFKC[match[0]], text)


def _spell_out_pieces(text: str) -> Iterator[tuple[int, str]]:
    return _substitution_pieces(_BEFORE, text, lambda match: _BEFORE_NFKC[match[0]])


def _compose(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _compose_pieces(text: str) -> Iterator[tuple[int, str]]:
    """NFKC by characters where that is the same, else by blocks that cannot combine with each other."""
    for match in _NFKC_BLOCK.finditer(text):
        block = match[0]
        whole = _compose(block)
        single = [_compose(character) for character in block]
        if "".join(single) == whole:
            yield from ((1, character) for character in single)
        else:
            yield len(block), whole


def _unify(text: str) -> str:
    return text.translate(_AFTER_NFKC)


def _unify_pieces(text: str) -> Iterator[tuple[int, str]]:
    return ((1, character.translate(_AFTER_NFKC)) for character in text)


def _simplify(text: str) -> str:
    """Traditional to Simplified characters; the same length, because OpenCC's t2s maps one to one."""
    if not _HAN.search(text):
        return text
    return str(_opencc().convert(text))


def _simplify_pieces(text: str) -> Iterator[tuple[int, str]]:
    converted = _simplify(text)
    if len(converted) == len(text):
        return ((1, character) for character in converted)
    return iter([(len(text), converted)])


def _one_vocabulary(text: str) -> str:
    pattern, words = _vocabulary()
    return pattern.sub(lambda match: words[match[0]], text)


def _one_vocabulary_pieces(text: str) -> Iterator[tuple[int, str]]:
    pattern, words = _vocabulary()
    return _substitution_pieces(pattern, text, lambda match: words[match[0]])


def _substitution_pieces(
    pattern: re.Pattern[str], text: str, replacement: _Replacement
) -> Iterator[tuple[int, str]]:
    done = 0
    for match in pattern.finditer(text):
        for character in text[done : match.start()]:
            yield 1, character
        yield match.end() - match.start(), replacement(match)
        done = match.end()
    for character in text[done:]:
        yield 1, character


class _Replacement(Protocol):
    def __call__(self, match: re.Match[str], /) -> str: ...


@cache
def _opencc() -> _Converter:
    from opencc import OpenCC  # heavy: at first use, so that the web process starts fast

    converter: _Converter = OpenCC("t2s")
    return converter


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


@cache
def _vocabulary() -> tuple[re.Pattern[str], dict[str, str]]:
    """All vocabulary in one pattern, longest word first, and what each word becomes."""
    words = dict(VOCABULARY)
    pattern = "|".join(map(_guarded, sorted(words, key=lambda word: (-len(word), word))))
    # Asked for first, what a word may begin with passes over most of a text in one step.
    beginnings = "".join(sorted({word[0] for word in words}))
    return re.compile(f"(?=[{beginnings}])(?:{pattern})"), words


def _guarded(word: str) -> str:
    before, after = GUARDS.get(word, ("", ()))
    return (f"(?<![{before}])" if before else "") + word + (f"(?!{'|'.join(after)})" if after else "")


_STEPS = (_mark_superscripts, _spell_out, _compose, _unify, _simplify, _one_vocabulary)
# None of them ever shortens, so where the length is the same every character was replaced by one.
_ONE_FOR_ONE = (_unify, _simplify)
_STEP_PIECES: Sequence[_Piece] = (
    _mark_superscripts_pieces,
    _spell_out_pieces,
    _compose_pieces,
    _unify_pieces,
    _simplify_pieces,
    _one_vocabulary_pieces,
)


def _is_plain(text: str) -> bool:
    return text.isascii()


def normalise(text: str) -> str:
    """The one spelling of `text`: NFKC, half width, one dash and tilde, Simplified, mainland words.

    "１２００㎜" becomes "1200mm", "10⁶" "10^6", "①" "(1)", "軟體" "软件". Control characters and lone
    surrogates become spaces; letter case, line breaks and spaces stay. `normalise(normalise(x)) ==
    normalise(x)`. Never raises.
    """
    return _normalised(text) if len(text) <= _REMEMBERED_AT_MOST else _normalise(text)


def _normalise(text: str) -> str:
    text = _readable(text)
    if _is_plain(text):
        return text
    for _ in range(_ROUNDS_AT_MOST):
        before = text
        for step in _STEPS:
            text = step(text)
        if text == before or _is_plain(text):
            break
    return text


# One text is asked for by whoever counts its terms, reads its quantities and compares its title.
_normalised = lru_cache(maxsize=512)(_normalise)


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text that knows where each of its characters came from.

    `starts[i]` and `ends[i]` bound the part of the original that gave `text[i]`.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The original's (start, end) for `text[start:end]`; an empty span for an empty one."""
        if start >= end:
            place = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return place, place
        return self.starts[start], max(self.ends[end - 1], self.starts[start])


def normalise_with_offsets(text: str) -> Normalised:
    """`normalise(text)` with the way back to the original; slower than `normalise`, still linear."""
    now = _readable(text)
    starts: Sequence[int] = range(len(now))
    ends: Sequence[int] = range(1, len(now) + 1)
    if _is_plain(now):
        return Normalised(now, starts, ends)
    for _ in range(_ROUNDS_AT_MOST):
        before = now
        for step, pieces in zip(_STEPS, _STEP_PIECES, strict=True):
            changed = step(now)
            if changed == now:
                continue
            if _is_one_for_one(step, now, changed):
                now = changed
            else:
                now, starts, ends = _follow(pieces(now), starts, ends)
        if now == before or _is_plain(now):
            break
    return Normalised(now, starts, ends)


def _is_one_for_one(step: Callable[[str], str], before: str, after: str) -> bool:
    """Whether a step surely gave one character for each, so that every place stays where it is."""
    if len(before) != len(after):
        return False
    return step in _ONE_FOR_ONE or (step is _compose and _COMPOSED_ONE_FOR_ONE.fullmatch(before) is not None)


def _follow(
    pieces: Iterator[tuple[int, str]], starts: Sequence[int], ends: Sequence[int]
) -> tuple[str, list[int], list[int]]:
    out: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    place = 0
    for length, result in pieces:
        if result:
            first = starts[place] if place < len(starts) else (ends[-1] if ends else 0)
            last = ends[place + length - 1] if length else first
            new_starts.extend([first] * len(result))
            new_ends.extend([last] * len(result))
            out.append(result)
        place += length
    return "".join(out), new_starts, new_ends
