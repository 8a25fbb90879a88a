"""Two texts as what stayed, what went and what came, so that a layman sees what was changed. Plain Python.

Compared by sentences first and only then, inside what was replaced, by characters: a whole page compared by
characters takes long and finds likeness where there is none. How long it takes at most is bounded, whatever
the texts are: many pieces that are alike can be matched in very many ways.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from rapidfuzz.distance import LCSseq

_SENTENCE = re.compile(r"[^。；！？;!?\n]*[。；！？;!?\n]?")
_PIECE = re.compile(r"[A-Za-z]+|[0-9][0-9.,]*|\s+|.", re.DOTALL)
MOST_PIECES = 800
# Pairs of characters that are compared in one text; what changed beyond them is shown by sentences.
MOST_PAIRS = 150_000
# Less alike than this, two sentences are shown as one gone and another come.
ALIKE = 0.5


class Change(StrEnum):
    SAME = "same"
    GONE = "gone"
    COME = "come"


@dataclass(frozen=True, slots=True)
class Span:
    change: Change
    text: str


def differences(before: str, after: str) -> list[Span]:
    """The one text turned into the other, in reading order."""
    return list(_joined(_by_sentence(before, after)))


def _by_sentence(before: str, after: str) -> Iterator[Span]:
    old, new = _SENTENCE.findall(before), _SENTENCE.findall(after)
    left = MOST_PAIRS
    gone, come = "", ""
    # The last one, of nothing, hands out what was held.
    for tag, i, j, k, m in [*LCSseq.opcodes(old, new), ("equal", len(old), len(old), len(new), len(new))]:
        if tag != "equal":
            gone, come = gone + "".join(old[i:j]), come + "".join(new[k:m])
            continue
        pairs = len(gone) * len(come)
        compared = pairs <= left
        yield from _by_piece(gone, come, compared=compared)
        left -= pairs if compared else 0
        gone, come = "", ""
        yield Span(Change.SAME, "".join(old[i:j]))


def _by_piece(before: str, after: str, *, compared: bool) -> Iterator[Span]:
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if not compared or max(len(old), len(new)) > MOST_PIECES or matcher.ratio() < ALIKE:
        yield Span(Change.GONE, before)
        yield Span(Change.COME, after)
        return
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            yield Span(Change.SAME, "".join(old[i:j]))
            continue
        yield Span(Change.GONE, "".join(old[i:j]))
        yield Span(Change.COME, "".join(new[k:m]))


def _joined(spans: Iterator[Span]) -> Iterator[Span]:
    """Neighbours of one kind made one, empty ones left out."""
    held: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        if held and held[-1].change is span.change:
            held[-1] = Span(span.change, held[-1].text + span.text)
        else:
            held.append(span)
    yield from held


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field in two versions."""

    label: str
    before: str
    after: str
    spans: tuple[Span, ...]

    @property
    def changed(self) -> bool:
        return self.before != self.after


def compare(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> list[FieldDifference]:
    """Field by field, in the order of the later text; what only one of them has stands against nothing."""
    old, new = dict(before), dict(after)
    labels = [*new, *(label for label in old if label not in new)]
    found = []
    for label in labels:
        mine, other = old.get(label, ""), new.get(label, "")
        if mine or other:
            spans = differences(mine, other) if mine != other else [Span(Change.SAME, other)]
            found.append(FieldDifference(label, mine, other, tuple(spans)))
    return found
