"""Finding the best consortium under a challenge's rules: a mixed-integer programme on HiGHS.

One binary variable stands for each candidate and up to three for each item (covered at least by text, at
least partly, met). The programme is solved level by level of what consortia are preferred by, each with the
levels before it held, so the order is exactly lexicographic; neighbouring levels share a solve only while
their joint range stays far inside the solver's tolerance. Two consortia never tie, so the answer depends on
neither the solver's version nor its luck. Not here: what a consortium is worth (`consortia`).

Source of the formulation: maximum coverage with a budget, Church and ReVelle (1974), with side constraints.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from marketplace.matching.engine.consortia import (
    Assembly,
    Binding,
    Candidate,
    Clashing,
    Evidence,
    Gain,
    Gap,
    Grade,
    Item,
    Problem,
    Proposal,
    Rule,
    Rules,
    Status,
)

#: Levels are solved together while the product of their ranges stays below this: the solver's tolerance of
#: 1e-6 then moves an objective by a tenth at most, and all objectives are whole numbers.
JOINT_RANGE = 100_000
#: So many candidates are put in the order of their ids by one solve: powers of two up to 2^15.
_BLOCK = 16


def assemble(
    items: Sequence[Item],
    candidates: Iterable[Candidate],
    evidence: Iterable[Evidence],
    rules: Rules,
    *,
    alternatives: int = 2,
    explain: bool = True,
    seconds: float = 10.0,
) -> Assembly:
    """The best consortium, the next best, and the rules that bind (`explain`), within about `seconds`.

    Of several pieces of evidence for the same item and candidate the best counts. Pinned ids that are no
    candidates clash with the rule that pins them. Raises ValueError for weights or scores out of range, ids
    or keys given twice, and evidence about an unknown item or candidate.
    """
    problem = Problem(tuple(items), tuple(sorted(candidates, key=lambda c: c.id)), tuple(evidence), rules)
    import scipy.optimize  # noqa: F401 - takes seconds at first use, which the search is not charged for

    search = _Search(problem, time.monotonic() + seconds)
    ranked, gap = search.ranked(alternatives + 1)
    if not ranked:
        if search.is_feasible(frozenset()) is not False:
            return Assembly(Status.UNFINISHED)
        return Assembly(Status.INFEASIBLE, clash=tuple(search.clash()))
    best, *others = map(problem.proposal, ranked)
    if best.value.coverage == 0 and not rules.pinned:
        return Assembly(Status.UNCOVERED)
    status = Status.FEASIBLE if gap else Status.OPTIMAL
    if not explain:
        return Assembly(status, best, tuple(others), gap=gap)
    binding = tuple(search.binding(best))
    return Assembly(status, best, tuple(others), binding, gap=gap, examined=not search.unexamined)


#: A rule by kind and subject, as it is given up to see what it costs.
_Named = tuple[Rule, str]


@dataclass(slots=True)
class _Row:
    """lower ≤ Σ coefficient × variable ≤ upper."""

    coefficients: Mapping[int, float]
    lower: float = float("-inf")
    upper: float = float("inf")


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of the order: what is to be as large as possible, from `least` to `least + span`."""

    name: str
    coefficients: Mapping[int, int]
    span: int
    least: int = 0


@dataclass(slots=True)
class _Answer:
    """What the solver said: None in `chosen` where it found nothing; `proved` if that is final."""

    chosen: tuple[int, ...] | None
    proved: bool
    bound: float = 0.0


@dataclass(slots=True)
class _Search:
    problem: Problem
    deadline: float
    #: Variables that say an item is covered at least so well, by (row, grade).
    covering: dict[tuple[int, Grade], int] = field(default_factory=dict)
    size: int = 0
    cover_rows: list[_Row] = field(default_factory=list)
    dominates: Any = None
    unexamined: bool = False  # whether time ran out before it was known of each rule if it binds

    def __post_init__(self) -> None:
        self.size = len(self.problem.candidates)
        for row, held in enumerate(self.problem.grades):
            for grade in (Grade.TEXT, Grade.PARTIAL, Grade.MET):
                columns = [column for column, of in held.items() if of >= grade]
                if columns:
                    self.covering[row, grade] = self.size
                    cover: dict[int, float] = {self.size: 1.0, **dict.fromkeys(columns, -1.0)}
                    self.cover_rows.append(_Row(cover, upper=0.0))
                    self.size += 1

    # What is asked of the programme.

    def ranked(self, count: int) -> tuple[list[tuple[int, ...]], Gap | None]:
        """Up to `count` consortia, the best first, and how sure the first is.

        None holds all members of a better one, and but for the first none covers nothing or is unproved.
        """
        found: list[tuple[int, ...]] = []
        settled = False  # whether the last one found is known to have the earliest ids of all its equals
        while len(found) < count:
            one = self.best(found)
            if one is None or (found and (one[1] or self.problem.value(one[0]).coverage == 0)):
                break
            chosen, gap = one
            if not found and gap:
                return [chosen], gap
            if found and not settled and self.problem.value(chosen) == self.problem.value(found[-1]):
                # The next is as good as the last, so the last was one of several.
                settled, last = True, self.settled(found[-1], found[:-1])
                if last is None:
                    break
                if last != found[-1]:
                    found[-1] = last
                    continue
            found.append(chosen)
            settled = False
        if found and not settled:
            last = self.settled(found[-1], found[:-1])
            if last is None:
                found, rest = found[:-1], found[-1:]
                return (found, None) if found else (rest, Gap("order", 0, 0))
            found[-1] = last
        return found, None

    def best(
        self,
        better: Sequence[tuple[int, ...]] = (),
        without: frozenset[_Named] = frozenset(),
        *,
        points: bool = True,
    ) -> tuple[tuple[int, ...], Gap | None] | None:
        """The best columns and how sure that is, or None where there are none or time is up.

        None of the `better` ones is wholly in it. Equals are not told apart; without `points` they are not
        looked at either.
        """
        held, _ = self._held(better, without)
        chosen: tuple[int, ...] | None = None
        for group in _joined(self._levels(points)):
            answer = self._solve(_combined(group), held, without)
            if answer.chosen is None:
                return None if chosen is None else (chosen, self._gap(group, chosen, None))
            chosen = answer.chosen
            if not answer.proved:
                return chosen, self._gap(group, chosen, answer.bound)
            held += self._reached_rows(group, chosen)
        return None if chosen is None else (chosen, None)

    def settled(self, chosen: tuple[int, ...], better: Sequence[tuple[int, ...]]) -> tuple[int, ...] | None:
        """Of all that equal `chosen` in every level the one with the earliest ids; None where time is up."""
        held, closed = self._held(better, frozenset())
        held += self._reached_rows(self._levels(points=True), chosen)
        another = _Row(dict.fromkeys(chosen, 1.0), upper=len(chosen) - 1.0)
        answer = self._solve({}, [*held, another], frozenset())
        if answer.chosen is None:
            return chosen if answer.proved else None
        columns = sorted({*range(len(self.problem.candidates))}.difference(closed))
        for first in range(0, len(columns), _BLOCK):
            block = columns[first : first + _BLOCK]
            worth = {column: 2 ** (len(block) - 1 - place) for place, column in enumerate(block)}
            answer = self._solve(worth, held, frozenset())
            if answer.chosen is None or not answer.proved:
                return None
            chosen = answer.chosen
            if chosen[-1] <= block[-1]:
                break
            held += [_Row({column: 1.0}, *[float(column in chosen)] * 2) for column in block]
        return chosen

    def _held(
        self, better: Sequence[tuple[int, ...]], without: frozenset[_Named]
    ) -> tuple[list[_Row], list[int]]:
        """What cuts off the better ones, and whoever need not be looked at beside them."""
        closed = self._dominated(better, without)
        rows = [_Row(dict.fromkeys(columns, 1.0), upper=len(columns) - 1.0) for columns in better]
        return rows + [_Row({column: 1.0}, upper=0.0) for column in closed], closed

    def _reached_rows(self, levels: Iterable[_Level], chosen: tuple[int, ...]) -> list[_Row]:
        """What keeps the levels from falling below what is reached."""
        reached = self._reached(chosen)
        return [_Row(level.coefficients, lower=float(reached[level.name])) for level in levels]

    def binding(self, best: Proposal) -> Iterator[Binding]:
        """Every rule that keeps the consortium from covering more, or as much with fewer members."""
        rules = self.problem.rules
        asked: list[_Named] = [(Rule.PARTNERS, "")]
        asked += [(Rule.REQUIRED, requirement.name) for requirement in rules.required]
        asked += [(Rule.LEAD, "")] * bool(rules.lead)
        asked += [(Rule.PINNED, str(id)) for id in sorted(rules.pinned)]
        asked += [(Rule.EXCLUDED, "")] * bool(rules.excluded)
        for rule, name in asked:
            if rule is Rule.PARTNERS:
                wider = replace(self.problem, rules=replace(rules, partners=min(99, rules.partners + 1)))
                found = _Search(wider, self.deadline).best(points=False)
            else:
                found = self.best(without=frozenset([(rule, name)]), points=False)
            if found is None or found[1]:
                self.unexamined = True
            elif self.problem.value(found[0]).key[:4] > best.value.key[:4]:
                yield self._bound_by(rule, name, found[0], best)

    def _bound_by(self, rule: Rule, name: str, chosen: tuple[int, ...], best: Proposal) -> Binding:
        ids = {self.problem.candidates[column].id for column in chosen}
        gains = tuple(
            Gain(item.key, grade, best.grades[item.key])
            for item, grade in zip(self.problem.items, self.problem.graded(chosen), strict=True)
            if grade > best.grades[item.key]
        )
        return Binding(rule, name, gains, tuple(sorted(ids - {*best.ids})), tuple(sorted({*best.ids} - ids)))

    def is_feasible(self, without: frozenset[_Named]) -> bool | None:
        """Whether the rules but those can be kept at all; None where time is up."""
        answer = self._solve({}, (), without)
        return None if answer.chosen is None and not answer.proved else answer.chosen is not None

    def clash(self) -> Iterator[Clashing]:
        """Rules that cannot be kept together, none of which can be left out of that (an irreducible set)."""
        given_up: frozenset[_Named] = frozenset()
        clashing = []
        for rule in self._rules():
            if self.is_feasible(given_up | {rule}) is False:
                given_up |= {rule}
            else:
                clashing.append(rule)
        for kind, subject in clashing:
            yield Clashing(kind, subject, self.is_feasible(frozenset([(kind, subject)])) is True)

    def _rules(self) -> list[_Named]:
        rules = self.problem.rules
        named: list[_Named] = [(Rule.PARTNERS, ""), (Rule.LEAD, "")]
        named += [(Rule.REQUIRED, requirement.name) for requirement in rules.required]
        named += [(Rule.EXCLUDED, ""), (Rule.RELATED, ""), (Rule.BARRED, "")]
        return [*named, *((Rule.PINNED, str(id)) for id in sorted(rules.pinned))]

    # How it is asked.

    def _dominated(self, better: Sequence[tuple[int, ...]], without: frozenset[_Named]) -> list[int]:
        """Who cannot be in the best consortium, because somebody else is as good in all and free to join.

        Taking that one instead, or leaving the dominated one out where both are in, breaks no rule and gives
        a consortium that is preferred. Whoever stands in a `better` one is not free: it may be cut off.
        """
        import numpy as np

        problem, rules = self.problem, self.problem.rules
        if any(requirement.at_least > 1 for requirement in rules.required):
            return []
        if self.dominates is None:
            self.dominates = problem.dominates()
        upper = self._open(without)
        if upper is None:
            return []
        free = np.array(upper[: len(problem.candidates)]) > 0
        free[sorted({column for columns in better for column in columns})] = False
        pinned = {problem.columns[id] for id in rules.pinned & problem.columns.keys()}
        beaten = np.flatnonzero(self.dominates[free].any(axis=0))
        return [int(column) for column in beaten if column not in pinned]

    def _levels(self, points: bool) -> list[_Level]:
        items, candidates = self.problem.items, range(len(self.problem.candidates))
        musts, lesser, coverage = {}, {}, {}
        for (row, grade), variable in self.covering.items():
            # Text counts 1, partly 1 more, met 2 more: the variables add up to the grade.
            step = 2 if grade is Grade.MET else 1
            coverage[variable] = items[row].weight * step
            if items[row].must and grade is Grade.MET:
                musts[variable] = 1
            elif items[row].must:
                lesser[variable] = 1
        must = sum(item.must for item in items)
        members = self.problem.rules.partners + 1
        levels = [
            _Level("musts", musts, must),
            _Level("lesser", lesser, 2 * must),
            _Level("coverage", coverage, 4 * sum(item.weight for item in items)),
            _Level("members", dict.fromkeys(candidates, -1), members, -members),
        ]
        if points:
            scores = {column: self.problem.hundredths(column) for column in candidates}
            levels.append(_Level("hundredths", scores, members * max(scores.values(), default=0)))
        return levels

    def _reached(self, chosen: tuple[int, ...]) -> dict[str, int]:
        value = self.problem.value(chosen)
        return {
            "musts": value.musts,
            "lesser": value.lesser,
            "coverage": value.coverage,
            "members": -value.members,
            "hundredths": value.hundredths,
        }

    def _gap(self, group: Sequence[_Level], chosen: tuple[int, ...], bound: float | None) -> Gap:
        """The first level of the group that could be higher: all of it where there is no `bound`."""
        reached = self._reached(chosen)
        units = _units(group)
        if bound is None:
            rest = sum(level.span * unit for level, unit in zip(group, units, strict=True))
        else:
            # Counted from each level's least, so that the levels are the digits of one number.
            rest = round(bound) - sum(level.least * unit for level, unit in zip(group, units, strict=True))
        for level, unit in zip(group, units, strict=True):
            most = min(rest // unit, level.span)
            rest -= most * unit
            if most + level.least > reached[level.name]:
                return Gap(level.name, abs(reached[level.name]), abs(most + level.least))
        last = group[-1].name
        return Gap(last, abs(reached[last]), abs(reached[last]))

    def _solve(
        self, objective: Mapping[int, int], held: Sequence[_Row], without: frozenset[_Named]
    ) -> _Answer:
        """Maximise `objective` under the rules, but those given up, and `held`."""
        # Loaded here, not with this module: the web process must start without it.
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            return _Answer(None, proved=False)
        if not self.size or (upper := self._open(without)) is None:
            return _Answer(None, proved=True)
        rows = [*self.cover_rows, *self._rule_rows(without), *held]
        data: list[float] = []
        indices: list[int] = []
        ends = [0]
        for row in rows:
            indices += row.coefficients.keys()
            data += row.coefficients.values()
            ends.append(len(data))
        matrix = csr_array((data, indices, ends), shape=(len(rows), self.size), dtype=np.float64)
        costs = np.zeros(self.size)
        for variable, worth in objective.items():
            costs[variable] = -worth
        result: Any = milp(
            costs,
            integrality=np.ones(self.size),
            bounds=Bounds(np.zeros(self.size), np.array(upper, dtype=np.float64)),
            constraints=LinearConstraint(matrix, [row.lower for row in rows], [row.upper for row in rows]),
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        chosen = None
        if result.x is not None:
            chosen = tuple(c for c in range(len(self.problem.candidates)) if result.x[c] > 0.5)
        bound = result.mip_dual_bound
        # 0 is optimal, 2 infeasible; anything else ended early.
        return _Answer(chosen, result.status in (0, 2), 0.0 if bound is None else -bound)

    def _open(self, without: frozenset[_Named]) -> list[float] | None:
        """The upper bounds of all variables; None where somebody pinned is no candidate."""
        rules = self.problem.rules
        for id in rules.pinned:
            if id not in self.problem.columns and (Rule.PINNED, str(id)) not in without:
                return None
        upper = [1.0] * self.size
        for column, candidate in enumerate(self.problem.candidates):
            excluded = candidate.id in rules.excluded and (Rule.EXCLUDED, "") not in without
            barred = candidate.relations & rules.barred and (Rule.BARRED, "") not in without
            if excluded or barred:
                upper[column] = 0.0
        return upper

    def _rule_rows(self, without: frozenset[_Named]) -> Iterator[_Row]:
        problem, rules = self.problem, self.problem.rules
        everybody = range(len(problem.candidates))
        most = len(problem.candidates) if (Rule.PARTNERS, "") in without else rules.partners + 1
        yield _Row(dict.fromkeys(everybody, 1.0), lower=1.0, upper=float(most))
        if rules.lead and (Rule.LEAD, "") not in without:
            yield _Row({c: 1.0 for c in everybody if problem.may_lead(c)}, lower=1.0)
        for requirement in rules.required:
            if (Rule.REQUIRED, requirement.name) not in without:
                answering = {c: 1.0 for c in everybody if problem.answers(c, requirement)}
                yield _Row(answering, lower=float(requirement.at_least))
        for id in sorted(rules.pinned & problem.columns.keys()):
            if (Rule.PINNED, str(id)) not in without:
                yield _Row({problem.columns[id]: 1.0}, lower=1.0)
        if (Rule.RELATED, "") not in without:
            yield from self._related()

    def _related(self) -> Iterator[_Row]:
        """At most one member of each party."""
        parties: dict[str, list[int]] = {}
        for column, candidate in enumerate(self.problem.candidates):
            for relation in sorted(candidate.relations):
                parties.setdefault(relation, []).append(column)
        for _, columns in sorted(parties.items()):
            if len(columns) > 1:
                yield _Row(dict.fromkeys(columns, 1.0), upper=1.0)


def _joined(levels: Sequence[_Level]) -> Iterator[list[_Level]]:
    """Neighbouring levels that one solve can keep apart; levels on which nothing can differ are left out."""
    group: list[_Level] = []
    span = 1
    for level in levels:
        if not level.span or not level.coefficients:
            continue
        if group and span * (level.span + 1) > JOINT_RANGE:
            yield group
            group, span = [], 1
        group.append(level)
        span *= level.span + 1
    if group:
        yield group


def _units(group: Sequence[_Level]) -> list[int]:
    """What one step of each level counts, so that no sum of later steps outweighs it."""
    units = [1]
    for level in reversed(group[1:]):
        units.insert(0, units[0] * (level.span + 1))
    return units


def _combined(group: Sequence[_Level]) -> dict[int, int]:
    """The group as one objective."""
    objective: dict[int, int] = {}
    for level, unit in zip(group, _units(group), strict=True):
        for variable, worth in level.coefficients.items():
            objective[variable] = objective.get(variable, 0) + unit * worth
    return objective
