"""The assembly of consortia against all consortia there are, on cases small enough to try them all."""

from itertools import combinations

import pytest
import scipy.optimize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.matching.engine.assembly import assemble
from marketplace.matching.engine.consortia import (
    Candidate,
    Evidence,
    Gap,
    Grade,
    Item,
    Problem,
    Requirement,
    Rule,
    Rules,
    Status,
)

FIRM, COLLEGE = frozenset({"enterprise"}), frozenset({"university"})
POINT = 1_000_000


def keeps(members, rules):
    """Whether a set of candidates keeps the rules: their definition, word by word."""
    ids = {member.id for member in members}
    relations = [relation for member in members for relation in member.relations]
    return (
        1 <= len(members) <= rules.partners + 1
        and rules.pinned <= ids
        and not ids & rules.excluded
        and not set(relations) & rules.barred
        and len(set(relations)) == len(relations)
        and any(all(member.traits & any_of for any_of in rules.lead) for member in members)
        and all(
            sum(bool(member.traits & requirement.any_of) for member in members) >= requirement.at_least
            for requirement in rules.required
        )
    )


def by_trying_all(items, candidates, evidence, rules, count=3):
    """The best, the next and the one after, as sets of ids, each lacking somebody of every better one."""
    problem = Problem(tuple(items), tuple(sorted(candidates, key=lambda c: c.id)), tuple(evidence), rules)
    allowed = [
        (problem.value(columns).key, [-column for column in columns], columns)
        for size in range(1, rules.partners + 2)
        for columns in combinations(range(len(problem.candidates)), size)
        if keeps([problem.candidates[column] for column in columns], rules)
    ]
    allowed.sort(reverse=True)
    found = []
    for key, _, columns in allowed:
        if len(found) < count and not any(set(better) <= set(columns) for _, better in found):
            found.append((key, columns))
    return [(key, {problem.candidates[c].id for c in columns}) for key, columns in found]


@st.composite
def cases(draw):
    items = [
        Item(f"i{n}", draw(st.integers(1, 9)), draw(st.booleans())) for n in range(draw(st.integers(1, 4)))
    ]
    candidates = [
        Candidate(
            10 * n + 3,
            draw(st.sampled_from([0, 5, 5, 9])) * POINT,
            draw(st.sampled_from([FIRM, FIRM | {"small"}, COLLEGE])),
            draw(st.sampled_from([frozenset(), frozenset(), frozenset({"p"}), frozenset({"q"})])),
        )
        for n in range(draw(st.integers(1, 7)))
    ]
    grades = st.sampled_from([None, None, *(grade for grade in Grade if grade)])
    evidence = [
        Evidence(item.key, candidate.id, grade)
        for item in items
        for candidate in candidates
        if (grade := draw(grades)) is not None
    ]
    ids = [candidate.id for candidate in candidates]
    some = st.frozensets(st.sampled_from(ids), max_size=2)
    rules = Rules(
        partners=draw(st.integers(0, 3)),
        lead=draw(st.sampled_from([(), (), (FIRM,), (FIRM, frozenset({"small"}))])),
        required=draw(
            st.sampled_from([(), (), (Requirement("college", COLLEGE),), (Requirement("firms", FIRM, 2),)])
        ),
        pinned=draw(st.one_of(st.just(frozenset()), some)),
        excluded=draw(st.one_of(st.just(frozenset()), some)),
        barred=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"q"})])),
    )
    return items, candidates, evidence, rules


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_what_the_programme_finds_is_what_trying_all_finds(case):
    items, candidates, evidence, rules = case
    expected = by_trying_all(items, candidates, evidence, rules)
    found = assemble(items, candidates, evidence, rules, explain=False)
    if not expected:
        assert found.status is Status.INFEASIBLE
        assert found.clash
        return
    if expected[0][0][2] == 0 and not rules.pinned:
        assert found.status is Status.UNCOVERED
        return
    assert found.status is Status.OPTIMAL
    shown = [found.best, *found.alternatives]
    covering = [expected[0], *(one for one in expected[1:] if one[0][2] > 0)]
    assert [set(proposal.ids) for proposal in shown] == [ids for _, ids in covering]
    assert [proposal.value.key for proposal in shown] == [key for key, _ in covering]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_every_rule_of_a_clash_is_needed_for_it(case):
    items, candidates, evidence, rules = case
    found = assemble(items, candidates, evidence, rules)
    if found.status is not Status.INFEASIBLE:
        return

    def without(given_up):
        kept = {(one.rule, one.subject) for one in found.clash} - given_up
        return Rules(
            partners=rules.partners if (Rule.PARTNERS, "") in kept else len(candidates) - 1,
            lead=rules.lead if (Rule.LEAD, "") in kept else (),
            required=tuple(one for one in rules.required if (Rule.REQUIRED, one.name) in kept),
            pinned=frozenset(id for id in rules.pinned if (Rule.PINNED, str(id)) in kept),
            excluded=rules.excluded if (Rule.EXCLUDED, "") in kept else frozenset(),
            barred=rules.barred if (Rule.BARRED, "") in kept else frozenset(),
        )

    parties = candidates
    if not any(one.rule is Rule.RELATED for one in found.clash):
        # Relations between candidates are not part of it; those with the seeker may be.
        parties = [
            Candidate(one.id, one.score, one.traits, frozenset(f"{r}{one.id}" for r in one.relations))
            for one in candidates
            if not one.relations & without(frozenset()).barred
        ]
        lost = {one.id for one in candidates} - {one.id for one in parties}
        if any(str(id) in {one.subject for one in found.clash} for id in lost):
            return
    assert not by_trying_all([], parties, [], without(frozenset()))
    for one in found.clash:
        if one.rule not in (Rule.BARRED, Rule.RELATED):
            assert by_trying_all([], parties, [], without({(one.rule, one.subject)}))


# --- by hand ----------------------------------------------------------------------------------------------


def firm(id, score=0, *, traits=FIRM, relations=()):
    return Candidate(id, score * POINT, frozenset(traits), frozenset(relations))


def met(id, *keys):
    return [Evidence(key, id, Grade.MET) for key in keys]


def spoken(id, *keys):
    return [Evidence(key, id, Grade.TEXT) for key in keys]


STAR, PLAIN, LIGHT = Item("star", 1, must=True), Item("plain", 90), Item("light", 9)


def test_a_star_counts_more_than_any_weight():
    found = assemble(
        [STAR, PLAIN, LIGHT], [firm(1), firm(2, 90)], met(1, "star") + met(2, "plain", "light"), Rules(0)
    )
    assert found.best.ids == (1,)


def test_a_star_that_is_only_spoken_of_ranks_below_one_that_is_met():
    found = assemble([STAR], [firm(1, 90), firm(2, 10)], spoken(1, "star") + met(2, "star"), Rules(4))
    assert found.best.ids == (2,)
    assert found.best.grades == {"star": Grade.MET}
    assert [proposal.grades["star"] for proposal in found.alternatives] == [Grade.TEXT]


def test_fewer_members_are_preferred_over_better_places():
    evidence = met(1, "plain") + met(2, "light") + met(3, "plain", "light")
    found = assemble([PLAIN, LIGHT], [firm(1, 90), firm(2, 90), firm(3, 10)], evidence, Rules(4))
    assert found.best.ids == (3,)
    assert [set(proposal.ids) for proposal in found.alternatives] == [{1, 2}, {1}]


def test_the_earlier_ids_win_where_all_else_is_equal():
    candidates = [firm(id, 50) for id in range(40, 0, -1)]
    evidence = [one for id in range(1, 41) for one in met(id, f"i{id % 4}")]
    found = assemble([Item(f"i{n}", 5) for n in range(4)], candidates, evidence, Rules(3))
    assert sorted(found.best.ids) == [1, 2, 3, 4]
    assert [sorted(proposal.ids) for proposal in found.alternatives] == [[1, 2, 3, 8], [1, 2, 3, 12]]


def test_the_order_in_which_things_are_handed_in_changes_nothing():
    items = [Item(f"i{n}", n + 1, must=n == 0) for n in range(5)]
    candidates = [firm(id, id % 3, relations=(f"r{id % 5}",)) for id in range(1, 16)]
    evidence = [one for id in range(1, 16) for one in met(id, f"i{id % 5}") + spoken(id, f"i{(id * 7) % 5}")]
    first = assemble(items, candidates, evidence, Rules(3))
    assert first == assemble(items, candidates[::-1], evidence[::-1], Rules(3))


def test_the_lead_is_the_member_that_may_lead_and_alone_covers_most():
    evidence = met(1, "star", "plain") + met(2, "light") + met(3, "other")
    candidates = [firm(1, traits=COLLEGE), firm(2, traits={"enterprise", "small"}), firm(3)]
    items = [STAR, PLAIN, LIGHT, Item("other", 20)]
    assert assemble(items, candidates, evidence, Rules(2)).best.ids == (1, 3, 2)
    found = assemble(items, candidates, evidence, Rules(2, lead=(FIRM, frozenset({"small"}))))
    assert found.best.ids == (2, 1, 3)
    assert found.best.members[0].leads
    assert found.best.members[0].keeps == ("lead",)


def test_each_member_is_shown_with_what_only_it_brings():
    evidence = met(1, "star", "plain") + spoken(2, "plain") + met(2, "light")
    found = assemble([STAR, PLAIN, LIGHT], [firm(1), firm(2)], evidence, Rules(1)).best
    losses = {
        member.id: [(loss.item, loss.grade, loss.without) for loss in member.losses]
        for member in found.members
    }
    assert losses == {
        1: [("star", Grade.MET, Grade.NONE), ("plain", Grade.MET, Grade.TEXT)],
        2: [("light", Grade.MET, Grade.NONE)],
    }
    assert found.covered_by["plain"] == {1: Grade.MET, 2: Grade.TEXT}


def test_a_required_kind_is_kept_and_said_to_bind():
    evidence = met(1, "plain") + met(2, "light")
    college = Requirement("college", COLLEGE)
    candidates = [firm(1), firm(2), firm(3, traits=COLLEGE)]
    found = assemble([PLAIN, LIGHT], candidates, evidence, Rules(1, required=(college,)))
    assert set(found.best.ids) == {1, 3}
    assert found.best.members[1].keeps == ("college",)
    bound = {one.rule: one for one in found.binding}
    assert bound.keys() == {Rule.PARTNERS, Rule.REQUIRED}
    assert [(gain.item, gain.grade) for gain in bound[Rule.REQUIRED].gains] == [("light", Grade.MET)]
    assert (bound[Rule.REQUIRED].joining, bound[Rule.REQUIRED].leaving) == ((2,), (3,))
    assert bound[Rule.PARTNERS].joining == (2,)


def test_a_pin_that_costs_something_is_said_to_bind():
    evidence = met(1, "plain") + spoken(2, "light")
    found = assemble([PLAIN, LIGHT], [firm(1), firm(2)], evidence, Rules(0, pinned=frozenset({2})))
    assert found.best.ids == (2,)
    assert {(one.rule, one.name) for one in found.binding} == {(Rule.PARTNERS, ""), (Rule.PINNED, "2")}


def test_related_candidates_are_one_party():
    candidates = [firm(1, relations=("g",)), firm(2, relations=("g",)), firm(3, relations=("seeker",))]
    evidence = met(1, "plain") + met(2, "light") + met(3, "plain", "light")
    rules = Rules(4, barred=frozenset({"seeker"}))
    assert assemble([PLAIN, LIGHT], candidates, evidence, rules).best.ids == (1,)


@pytest.mark.parametrize(
    ("rules", "clash"),
    [
        (Rules(4, pinned=frozenset({9})), {(Rule.PINNED, "9", True)}),
        (
            Rules(4, pinned=frozenset({1}), excluded=frozenset({1})),
            {(Rule.PINNED, "1", True), (Rule.EXCLUDED, "", True)},
        ),
        (
            Rules(0, pinned=frozenset({1, 2})),
            {(Rule.PARTNERS, "", True), (Rule.PINNED, "1", True), (Rule.PINNED, "2", True)},
        ),
        (
            Rules(4, pinned=frozenset({2, 3})),
            {(Rule.RELATED, "", True), (Rule.PINNED, "2", True), (Rule.PINNED, "3", True)},
        ),
        (
            Rules(4, pinned=frozenset({1}), barred=frozenset({"own"})),
            {(Rule.BARRED, "", True), (Rule.PINNED, "1", True)},
        ),
        (Rules(4, required=(Requirement("lab", frozenset({"lab"})),)), {(Rule.REQUIRED, "lab", True)}),
        (
            Rules(4, lead=(frozenset({"small"}),), required=(Requirement("lab", frozenset({"lab"})),)),
            {(Rule.REQUIRED, "lab", False)},
        ),
    ],
    ids=["unknown", "excluded", "too many", "related", "own", "no such kind", "two reasons"],
)
def test_what_cannot_be_is_said_with_the_rules_that_clash(rules, clash):
    candidates = [firm(1, relations=("own",)), firm(2, relations=("g",)), firm(3, relations=("g",))]
    found = assemble([PLAIN], candidates, met(1, "plain"), rules)
    assert found.status is Status.INFEASIBLE
    assert found.best is None
    assert {(one.rule, one.subject, one.enough) for one in found.clash} == clash


@pytest.mark.parametrize("candidates", [[], [firm(1), firm(2)]], ids=["nobody", "nobody with evidence"])
def test_without_evidence_nobody_is_proposed(candidates):
    found = assemble([PLAIN], candidates, [], Rules(2))
    assert found.status is (Status.UNCOVERED if candidates else Status.INFEASIBLE)
    assert found.best is None


def test_time_that_is_up_is_said():
    found = assemble([PLAIN], [firm(1)], met(1, "plain"), Rules(2), seconds=0.0)
    assert found.status is Status.UNFINISHED


def test_a_search_cut_short_says_how_far_it_may_be_from_the_best(monkeypatch):
    solve = scipy.optimize.milp

    def cut_short(costs, **options):
        result = solve(costs, **options)
        result.status = 1
        # One more unit of the level that counts least in this objective: one member fewer.
        result.mip_dual_bound = result.fun - 1
        return result

    monkeypatch.setattr(scipy.optimize, "milp", cut_short)
    evidence = met(1, "star") + met(2, "plain")
    found = assemble([STAR, PLAIN], [firm(1), firm(2)], evidence, Rules(4), alternatives=0, explain=False)
    assert found.status is Status.FEASIBLE
    assert set(found.best.ids) == {1, 2}
    assert found.gap == Gap("members", 2, 1)


@pytest.mark.parametrize(
    ("items", "candidates", "evidence", "rules"),
    [
        ([PLAIN, PLAIN], [firm(1)], [], Rules(1)),
        ([PLAIN], [firm(1), firm(1)], [], Rules(1)),
        ([Item("x", 0)], [firm(1)], [], Rules(1)),
        ([Item("x", 10_001)], [firm(1)], [], Rules(1)),
        ([PLAIN], [firm(1, 101)], [], Rules(1)),
        ([PLAIN], [firm(1)], met(2, "plain"), Rules(1)),
        ([PLAIN], [firm(1)], met(1, "other"), Rules(1)),
        ([PLAIN], [firm(1)], [], Rules(-1)),
        ([PLAIN], [firm(1)], [], Rules(1, required=(Requirement("a", FIRM), Requirement("a", COLLEGE)))),
    ],
)
def test_what_makes_no_sense_is_refused(items, candidates, evidence, rules):
    with pytest.raises(ValueError):
        assemble(items, candidates, evidence, rules)
