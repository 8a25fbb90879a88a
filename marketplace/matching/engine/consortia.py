"""What a consortium is asked to cover, by which rules, and what it is worth: plain data and arithmetic.

A consortium is preferred by, in this order: more ★ items met; better lesser evidence for the other ★; more
weighted coverage of everything; fewer members; more points on the shortlist; the earlier ids. Organisations,
items and evidence are ids and grades here. Not here: how the best one is found (`assembly`), and what counts
as evidence (the feature around the engine).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any

MICRO_PER_HUNDREDTH = 10_000
MOST_WEIGHT = 10_000
MOST_SCORE = 100_000_000


class Grade(IntEnum):
    """How well something is covered. The number is what it counts, so a met item counts four mentions."""

    NONE = 0
    TEXT = 1  # the text speaks of it; nothing is proved
    PARTIAL = 2  # a comparison that only a part of what is stated meets
    MET = 4  # a met comparison


class Rule(StrEnum):
    """The kinds of rules that can bind or clash."""

    PARTNERS = "partners"
    LEAD = "lead"
    REQUIRED = "required"
    PINNED = "pinned"
    EXCLUDED = "excluded"
    BARRED = "barred"
    RELATED = "related"


class Status(StrEnum):
    """What became of a search."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"  # a consortium, but time ran out before it was proved the best: see `gap`
    UNCOVERED = "uncovered"  # the rules can be kept, but nobody covers anything
    INFEASIBLE = "infeasible"  # no consortium keeps the rules: see `clash`
    UNFINISHED = "unfinished"  # time ran out before any consortium was found


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be covered: an indicator or a topic. Weights are whole and add up to 10,000 at most."""

    key: str
    weight: int
    must: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An organisation. `score` is its best place's points on the shortlist, in millionths.

    Candidates that share a relation are one party, and at most one of them can be a member.
    """

    id: int
    score: int = 0
    traits: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """That a candidate covers an item, and how well."""

    item: str
    candidate: int
    grade: Grade


@dataclass(frozen=True, slots=True)
class Requirement:
    """At least `at_least` members must have one of the traits, such as a kind or a role in the chain."""

    name: str
    any_of: frozenset[str]
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """What a consortium must keep. One member leads; `partners` is how many others there may be at most.

    The lead has a trait out of each set in `lead`. Candidates with a relation in `barred` may not be
    members: they are the seeker itself or belong to it.
    """

    partners: int
    lead: tuple[frozenset[str], ...] = ()
    required: tuple[Requirement, ...] = ()
    pinned: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """What consortia are preferred by, level by level; compare with `key`."""

    musts: int  # ★ items met
    lesser: int  # what the ★ items count by their grades, met ones the same as partly met ones
    coverage: int  # Σ weight × grade over all items
    members: int
    hundredths: int  # Σ of the members' scores, in hundredths of a point

    @property
    def key(self) -> tuple[int, int, int, int, int]:
        """Greater is better."""
        return (self.musts, self.lesser, self.coverage, -self.members, self.hundredths)


@dataclass(frozen=True, slots=True)
class Loss:
    """An item that would be covered worse without a member."""

    item: str
    grade: Grade
    without: Grade


@dataclass(frozen=True, slots=True)
class Member:
    """A member with what only it brings: items, and rules that would be broken without it."""

    id: int
    leads: bool
    losses: tuple[Loss, ...]
    keeps: tuple[str, ...]  # names of requirements, or "lead"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A consortium, its lead first; `grades` has the best grade of each item, `covered_by` who has which."""

    members: tuple[Member, ...]
    value: Value
    grades: Mapping[str, Grade]
    covered_by: Mapping[str, Mapping[int, Grade]]

    @property
    def ids(self) -> tuple[int, ...]:
        """The members' ids, the lead's first."""
        return tuple(member.id for member in self.members)


@dataclass(frozen=True, slots=True)
class Gain:
    """An item that could be covered better."""

    item: str
    grade: Grade
    instead_of: Grade


@dataclass(frozen=True, slots=True)
class Binding:
    """A rule without which more would be covered, or as much by fewer members: what and by whom."""

    rule: Rule
    name: str  # of a requirement; empty for any other rule
    gains: tuple[Gain, ...]
    joining: tuple[int, ...]
    leaving: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clashing:
    """One of the rules that cannot be kept together.

    `subject` is a requirement's name or a pinned candidate's id; `enough` says whether giving up this rule
    alone leaves a consortium possible.
    """

    rule: Rule
    subject: str
    enough: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a consortium may be from the best: the first level not proved, its value and its bound."""

    level: str
    reached: int
    bound: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """The answer. `alternatives` are the next best, each without at least one member of every better one.

    `examined` says that every rule was looked at, so that those not in `binding` do not bind.
    """

    status: Status
    best: Proposal | None = None
    alternatives: tuple[Proposal, ...] = ()
    binding: tuple[Binding, ...] = ()
    clash: tuple[Clashing, ...] = ()
    gap: Gap | None = None
    examined: bool = False


@dataclass(frozen=True)
class Problem:
    """One question: what is to be covered, by whom it can be, on which evidence, under which rules.

    Candidates are in the order of their ids, and columns are their places in it.
    """

    items: tuple[Item, ...]
    candidates: tuple[Candidate, ...]
    evidence: tuple[Evidence, ...]
    rules: Rules

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.items) or len(self.columns) != len(self.candidates):
            raise ValueError("an item's key or a candidate's id is given twice")
        if any(item.weight < 1 for item in self.items) or sum(i.weight for i in self.items) > MOST_WEIGHT:
            raise ValueError(f"weights are at least 1 and add up to at most {MOST_WEIGHT}")
        if any(not 0 <= candidate.score <= MOST_SCORE for candidate in self.candidates):
            raise ValueError("scores are millionths of a point, at most 100 points")
        if not 0 <= self.rules.partners <= 99:
            raise ValueError("there are 0 to 99 partners")
        if len({requirement.name for requirement in self.rules.required}) < len(self.rules.required):
            raise ValueError("a requirement's name is given twice")
        for one in self.evidence:
            if one.item not in self.rows or one.candidate not in self.columns:
                raise ValueError(f"evidence on an unknown item or candidate: {one.item!r}, {one.candidate}")

    @cached_property
    def rows(self) -> dict[str, int]:
        return {item.key: row for row, item in enumerate(self.items)}

    @cached_property
    def columns(self) -> dict[int, int]:
        return {candidate.id: column for column, candidate in enumerate(self.candidates)}

    @cached_property
    def grades(self) -> tuple[dict[int, Grade], ...]:
        """For each item the grade of every candidate that has evidence, by column."""
        found: tuple[dict[int, Grade], ...] = tuple({} for _ in self.items)
        for one in self.evidence:
            held, column = found[self.rows[one.item]], self.columns[one.candidate]
            if one.grade > held.get(column, Grade.NONE):
                held[column] = one.grade
        return found

    def hundredths(self, column: int) -> int:
        return self.candidates[column].score // MICRO_PER_HUNDREDTH

    def may_lead(self, column: int) -> bool:
        return all(self.candidates[column].traits & any_of for any_of in self.rules.lead)

    def answers(self, column: int, requirement: Requirement) -> bool:
        return bool(self.candidates[column].traits & requirement.any_of)

    def graded(self, chosen: Iterable[int]) -> list[Grade]:
        """The best grade of each item among the chosen columns."""
        columns = tuple(chosen)
        return [max((held.get(c, Grade.NONE) for c in columns), default=Grade.NONE) for held in self.grades]

    def value(self, chosen: Sequence[int]) -> Value:
        grades = self.graded(chosen)
        pairs = tuple(zip(self.items, grades, strict=True))
        return Value(
            musts=sum(item.must and grade is Grade.MET for item, grade in pairs),
            lesser=sum(min(grade, Grade.PARTIAL) for item, grade in pairs if item.must),
            coverage=sum(item.weight * grade for item, grade in pairs),
            members=len(chosen),
            hundredths=sum(map(self.hundredths, chosen)),
        )

    def dominates(self) -> Any:
        """Boolean matrix, candidates × candidates: whether the row's is as good as the column's in all.

        In grades, in the rules it answers, in having no further relation, and in the order of ties.
        """
        import numpy as np

        parties = sorted({relation for one in self.candidates for relation in one.relations})
        facts = np.array(
            [
                [
                    *(held.get(column, Grade.NONE) for held in self.grades),
                    self.may_lead(column),
                    *(self.answers(column, requirement) for requirement in self.rules.required),
                    *(relation not in one.relations for relation in parties),
                ]
                for column, one in enumerate(self.candidates)
            ],
            dtype=np.int8,
        )
        points = np.array([self.hundredths(column) for column in range(len(self.candidates))])
        earlier = np.arange(len(points))[:, None] < np.arange(len(points))[None, :]
        higher = points[:, None] > points[None, :]
        first = higher | ((points[:, None] == points[None, :]) & earlier)
        for fact in facts.T:
            first &= fact[:, None] >= fact[None, :]
        return first

    def proposal(self, chosen: Sequence[int]) -> Proposal:
        lead = min((c for c in chosen if self.may_lead(c)), key=self._lead_order)
        rest = sorted((c for c in chosen if c != lead), key=self._lead_order)
        grades = self.graded(chosen)
        return Proposal(
            tuple(self._member(column, chosen, lead, grades) for column in (lead, *rest)),
            self.value(chosen),
            {item.key: grade for item, grade in zip(self.items, grades, strict=True)},
            {
                item.key: {self.candidates[c].id: held[c] for c in chosen if c in held}
                for item, held in zip(self.items, self.grades, strict=True)
            },
        )

    def _lead_order(self, column: int) -> tuple[int, int, int, int, int]:
        """Who alone covers most comes first, then the higher score, then the earlier id."""
        alone = self.value((column,))
        return (-alone.musts, -alone.lesser, -alone.coverage, -self.candidates[column].score, column)

    def _member(self, column: int, chosen: Sequence[int], lead: int, grades: Sequence[Grade]) -> Member:
        others = [c for c in chosen if c != column]
        losses = tuple(
            Loss(item.key, grade, without)
            for item, grade, without in zip(self.items, grades, self.graded(others), strict=True)
            if without < grade
        )
        keeps = [
            requirement.name
            for requirement in self.rules.required
            if self.answers(column, requirement)
            and sum(self.answers(c, requirement) for c in others) < requirement.at_least
        ]
        if self.rules.lead and self.may_lead(column) and not any(map(self.may_lead, others)):
            keeps.append(Rule.LEAD.value)
        return Member(self.candidates[column].id, column == lead, losses, tuple(keeps))
