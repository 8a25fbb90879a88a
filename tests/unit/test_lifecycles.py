"""Every square of status × action × party that a lifecycle table leaves blank refuses, for every thing."""

import itertools

import pytest

from marketplace.kernel.actor import Party
from marketplace.kernel.errors import Forbidden, InvalidTransition
from marketplace.kernel.lifecycle import Lifecycle, StepState
from marketplace.lifecycles import all_lifecycles

LIFECYCLES = {lifecycle.thing: lifecycle for lifecycle in all_lifecycles()}
ALL = {
    (thing, status.value, action, party.value)
    for thing, lifecycle in LIFECYCLES.items()
    for status, action, party in itertools.product(lifecycle.statuses, lifecycle.actions, Party)
}
# Read from the rows themselves, not by asking the code under test.
LEGAL = {
    (thing, source.value, transition.action, party.value): transition.target
    for thing, lifecycle in LIFECYCLES.items()
    for transition in lifecycle.transitions
    for source in transition.sources
    for party in transition.by
}


def test_the_things_of_the_house_have_their_tables() -> None:
    assert {"organisation", "challenge", "need", "capability"} <= set(LIFECYCLES)


@pytest.mark.parametrize(("thing", "status", "action", "party"), sorted(ALL - set(LEGAL)))
def test_whatever_the_table_does_not_allow_is_refused(
    thing: str, status: str, action: str, party: str
) -> None:
    lifecycle = LIFECYCLES[thing]

    with pytest.raises((Forbidden, InvalidTransition)):
        lifecycle.advance(lifecycle.statuses(status), action, by={Party(party)})


@pytest.mark.parametrize(("thing", "status", "action", "party"), sorted(LEGAL))
def test_whatever_the_table_allows_leads_where_it_says(
    thing: str, status: str, action: str, party: str
) -> None:
    lifecycle = LIFECYCLES[thing]

    reached = lifecycle.advance(lifecycle.statuses(status), action, by={Party(party)})
    assert reached is LEGAL[thing, status, action, party]


@pytest.mark.parametrize("lifecycle", LIFECYCLES.values(), ids=list(LIFECYCLES))
def test_nobody_in_particular_moves_nothing(lifecycle: Lifecycle) -> None:
    for status, action in itertools.product(lifecycle.statuses, lifecycle.actions):
        with pytest.raises((Forbidden, InvalidTransition)):
            lifecycle.advance(status, action, by=())


@pytest.mark.parametrize("lifecycle", LIFECYCLES.values(), ids=list(LIFECYCLES))
def test_a_status_and_an_action_have_one_way_at_most(lifecycle: Lifecycle) -> None:
    squares = [(source, t.action) for t in lifecycle.transitions for source in t.sources]
    assert len(squares) == len(set(squares))


@pytest.mark.parametrize("lifecycle", LIFECYCLES.values(), ids=list(LIFECYCLES))
def test_every_status_has_its_words_and_can_be_reached(lifecycle: Lifecycle) -> None:
    assert set(lifecycle.labels) == set(lifecycle.statuses)
    reached = set(lifecycle.initial)
    while True:
        more = {t.target for t in lifecycle.transitions if reached & set(t.sources)} - reached
        if not more:
            break
        reached |= more
    assert reached == set(lifecycle.statuses)


@pytest.mark.parametrize("lifecycle", LIFECYCLES.values(), ids=list(LIFECYCLES))
def test_the_steps_show_one_place_and_no_step_ahead_of_it_as_done(lifecycle: Lifecycle) -> None:
    for status in lifecycle.path:
        states = [step.state for step in lifecycle.steps(status)]
        assert states.count(StepState.CURRENT) == 1
        at = states.index(StepState.CURRENT)
        assert set(states[:at]) <= {StepState.DONE}
        assert set(states[at + 1 :]) <= {StepState.TODO}
    for status in lifecycle.detours:
        assert [step.state for step in lifecycle.steps(status)].count(StepState.BAD) == 1
