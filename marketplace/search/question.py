"""What a person typed, as what a document must hold. Plain Python; it never raises on any text.

Words apart must all be there; "…" is a phrase; -word must not be there; A OR B (or A | B) asks for either.
A word is looked for by its Han pairs or stems, or by any other name that the dictionary knows for the same.
Not here: how a database is asked (`backends`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from marketplace.language import Dictionary, normalise
from marketplace.language.terms import HAN, Field, Occurrence, occurrences
from marketplace.search.tokens import concept_token, is_han, model_forms, numbers, spelled

LONGEST_QUERY = 200
# More words than this make no question more precise, only slower.
MOST_UNITS = 16
_CHUNK = re.compile(r'(-)?"([^"]*)"|(\S+)')
_OR = frozenset(["OR", "|", "||"])
_HAN_RUN = re.compile(f"[{HAN}]+")
# Characters that say nothing where they stand alone between words.
_FILLERS = frozenset("的了和与及或等之是")


@dataclass(frozen=True, slots=True)
class Unit:
    """One word: found where all tokens of any alternative stand."""

    alternatives: tuple[tuple[str, ...], ...]
    # How it is spelled in the question, normalised and lower case.
    spelling: str


@dataclass(frozen=True, slots=True)
class Clause:
    """Words that belong together; `phrase` must stand in the text letter by letter."""

    units: tuple[Unit, ...]
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`wanted`: one clause of each group must hold; `unwanted`: none of these may."""

    asked: str
    wanted: tuple[tuple[Clause, ...], ...] = ()
    unwanted: tuple[Clause, ...] = ()
    shortened: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was typed at all."""
        return not self.asked.strip()

    @property
    def askable(self) -> bool:
        """Whether there is anything that a document could hold."""
        return bool(self.wanted)

    @property
    def units(self) -> list[tuple[Unit, bool]]:
        """Every wanted word, and whether each hit surely holds it."""
        return [(unit, len(group) == 1) for group in self.wanted for clause in group for unit in clause.units]

    @property
    def phrases(self) -> list[str]:
        return [clause.phrase for group in self.wanted for clause in group if clause.phrase]


def read_question(asked: str, dictionary: Dictionary) -> Question:
    """Linear in the length; whoever calls bounds that by `LONGEST_QUERY`."""
    groups: list[list[Clause]] = []
    unwanted: list[Clause] = []
    joins_next = False
    room = MOST_UNITS
    shortened = False
    for negative, text, is_phrase in _chunks(normalise(asked)):
        if text in _OR and not is_phrase and not negative:
            joins_next = bool(groups)
            continue
        units = units_of(text, dictionary)
        if len(units) > room:
            units, shortened = units[:room], True
        room -= len(units)
        if not units:
            continue
        clause = Clause(tuple(units), spelled(text) if is_phrase else "")
        if negative:
            unwanted.append(clause)
        elif joins_next:
            groups[-1].append(clause)
        else:
            groups.append([clause])
        joins_next = False
    return Question(asked, tuple(tuple(group) for group in groups), tuple(unwanted), shortened)


def _chunks(text: str) -> Iterator[tuple[bool, str, bool]]:
    """(whether it must not be there, text, whether it is a phrase)."""
    for match in _CHUNK.finditer(text):
        minus, phrase, word = match.groups()
        if phrase is not None:
            yield minus is not None, phrase, True
        elif word.startswith("-") and len(word) > 1:
            yield True, word.lstrip("-").replace('"', " "), False
        else:
            yield False, word if word in _OR else word.replace('"', " "), False


class _Span(NamedTuple):
    start: int
    end: int


def units_of(text: str, dictionary: Dictionary) -> list[Unit]:
    """The words of a NORMALISED text, longest first where they overlap, in the order of the text."""
    found = list(occurrences(text, dictionary))
    concepts: dict[_Span, list[str]] = {}
    spans: set[_Span] = set()
    for one in found:
        if one.field == Field.CONCEPT:
            concepts.setdefault(_Span(one.start, one.end), []).append(one.term)
        if one.field in (Field.CONCEPT, Field.WORD):
            spans.add(_Span(one.start, one.end))
    spans.update(_Span(number.start, number.end) for number in numbers(text))
    taken = [False] * len(text)
    chosen: list[tuple[_Span, Unit]] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        if any(taken[span.start : span.end]):
            continue
        taken[span.start : span.end] = [True] * (span.end - span.start)
        alternatives = _literal(text, span, found)
        alternatives += [(concept_token(name),) for name in concepts.get(span, ())]
        if alternatives:
            spelling = text[span.start : span.end].lower()
            chosen.append((span, Unit(tuple(dict.fromkeys(alternatives)), spelling)))
    # Units of quantities are no characters of their own to the index either.
    apart = {one.start for one in found if one.field == Field.CHAR}
    taken = [done or place not in apart for place, done in enumerate(taken)]
    chosen += _left_over(text, taken, alone=not chosen)
    return [unit for _span, unit in sorted(chosen, key=lambda pair: pair[0])]


def _literal(text: str, span: _Span, found: list[Occurrence]) -> list[tuple[str, ...]]:
    """The tokens of a stretch as it is written; for a model number each way of writing it."""
    tokens: list[str] = []
    covered = [False] * len(text)
    inside = [o for o in found if o.field == Field.WORD and span.start <= o.start and o.end <= span.end]
    latin = [o for o in inside if not is_han(o.term[0])]
    for one in sorted(latin, key=lambda o: (o.start - o.end, o.start)):
        if not any(covered[one.start : one.end]):
            covered[one.start : one.end] = [True] * (one.end - one.start)
            forms = model_forms(one.term)
            if len(forms) > 1 and (one.start, one.end) == span:
                return [(form,) for form in forms]
            tokens.append(forms[0])
    tokens += [
        number.token
        for number in numbers(text[span.start : span.end])
        if not any(covered[span.start + number.start : span.start + number.end])
    ]
    for run in _HAN_RUN.finditer(text, span.start, span.end):
        tokens += _han_tokens(run[0])
    return [tuple(dict.fromkeys(tokens))] if tokens else []


def _han_tokens(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[place : place + 2] for place in range(len(run) - 1)]


def _left_over(text: str, taken: list[bool], *, alone: bool) -> list[tuple[_Span, Unit]]:
    """Han characters that belong to no word; fillers only count where there is nothing else."""
    rest = "".join(" " if taken[place] else character for place, character in enumerate(text))
    if not alone:
        rest = "".join(" " if character in _FILLERS else character for character in rest)
    return [
        (_Span(run.start(), run.end()), Unit((tuple(_han_tokens(run[0])),), run[0]))
        for run in _HAN_RUN.finditer(rest)
    ]
