"""What is withdrawn or revised while it is being ranked: the slower job must not undo the faster one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from marketplace.capabilities import queries as capability_queries
from marketplace.capabilities import services as capabilities
from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, transaction
from marketplace.matching import jobs, queries, runs
from marketplace.matching.models import PostingKind
from marketplace.matching.replay import Verdict, replay
from marketplace.matching.sources import Subject
from marketplace.needs import queries as need_queries
from marketplace.needs import services as needs
from marketplace.needs.models import Need
from marketplace.organisations import services as organisations
from marketplace.organisations.models import Organisation
from tests.integration.support import a_capability, a_need, an_editor, an_operator

OTHER = "专做面点与糕点烘焙的培训，与机械制造无关。" * 6


def interrupt(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], None]) -> None:
    """Do `act` once, right after `runs.<name>` has returned and before its caller goes on."""
    original = getattr(runs, name)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        monkeypatch.setattr(runs, name, original)
        act()
        return result

    monkeypatch.setattr(runs, name, interrupted)


def versions_on(need: Need) -> dict[int, int]:
    """Capability id → the version that stands on the need's current shortlist."""
    db.session.rollback()
    db.session.expire_all()
    run = queries.find_run(PostingKind.NEED, need.id)
    if run is None:
        return {}
    return {line.capability.id: line.entry.capability_version for line in queries.list_lines(run.id)}


def revise(capability: Capability, owner: Actor, **changes: Any) -> None:
    with transaction():
        own = capability_queries.get_own(capability.public_no, actor=owner)
        draft = replace(capabilities.draft_of(own), **changes)
        capabilities.revise(own, draft, version=own.version, by=owner, now=clock.now())


def test_a_capability_withdrawn_while_it_is_placed_stays_off(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    need, owner = a_need(an_editor()), an_editor()
    capability = a_capability(owner)
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    revise(capability, owner, keywords=("修订",))

    def withdraw() -> None:
        with transaction():
            own = capability_queries.get_own(capability.public_no, actor=owner)
            capabilities.withdraw(own, reason="产线停了", by=owner, now=clock.now())
        runs.remove_capability(capability.id)

    interrupt(monkeypatch, "_current_boards", withdraw)
    runs.place_capability(capability.id)
    assert capability.id not in versions_on(need)


def test_an_older_version_placed_late_does_not_replace_a_newer_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    need, owner = a_need(an_editor()), an_editor()
    capability = a_capability(owner)
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    revise(capability, owner, keywords=("修订二",))

    def revise_again() -> None:
        revise(capability, owner, summary=OTHER)
        runs.place_capability(capability.id)

    interrupt(monkeypatch, "_current_boards", revise_again)
    runs.place_capability(capability.id)
    assert versions_on(need).get(capability.id, 3) == 3


def test_a_need_withdrawn_while_it_is_ranked_gets_no_shortlist(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = an_editor()
    need = a_need(buyer)
    a_capability(an_editor())
    runs.take_over_capabilities()

    def withdraw() -> None:
        with transaction():
            own = need_queries.get_own(need.public_no, actor=buyer)
            needs.withdraw(own, reason="项目取消", by=buyer, now=clock.now())
        runs.close_seeker(Subject(PostingKind.NEED, need.id))

    interrupt(monkeypatch, "compute", withdraw)
    assert not runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    assert versions_on(need) == {}


def test_a_capability_whose_placing_died_is_found_though_others_were_placed_since(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list on which a later one was placed looks up to date, and is not."""
    need = a_need(an_editor())
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    first, second = a_capability(an_editor()), a_capability(an_editor())

    def die() -> None:
        raise RuntimeError("killed")

    interrupt(monkeypatch, "_current_boards", die)
    with pytest.raises(RuntimeError, match="killed"):
        runs.place_capability(first.id)
    runs.place_capability(second.id)
    assert set(versions_on(need)) == {second.id}
    jobs.rank_everything(lambda done, total: None)
    assert set(versions_on(need)) == {first.id, second.id}
    assert runs.list_unranked(now=clock.now()) == []


def test_what_was_placed_stays_where_it_is_when_everything_is_ranked_again(app: Flask) -> None:
    need = a_need(an_editor())
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    placed = a_capability(an_editor())
    runs.place_capability(placed.id)
    run = queries.find_run(PostingKind.NEED, need.id)
    jobs.rank_everything(lambda done, total: None)
    assert queries.find_run(PostingKind.NEED, need.id) is run is not None
    assert set(versions_on(need)) == {placed.id}
    assert runs.list_unranked(now=clock.now()) == []
    assert replay(run).verdict is Verdict.IDENTICAL


def test_a_removal_that_comes_late_does_not_take_off_what_is_public(app: Flask) -> None:
    need = a_need(an_editor())
    capability = a_capability(an_editor())
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    assert runs.remove_capability(capability.id) == 0
    assert set(versions_on(need)) == {capability.id}


def test_a_capability_whose_organisation_is_in_good_standing_again_while_it_is_taken_off_stays(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    need, owner, operator = a_need(an_editor()), an_editor(), an_operator()
    capability = a_capability(owner)
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))

    def decide(act: Callable[..., None]) -> None:
        with transaction():
            one = db.session.get_one(Organisation, owner.organisation_id, populate_existing=True)
            act(one, reason="核查资质", version=one.version, by=operator, now=clock.now())

    decide(organisations.suspend_organisation)
    original = runs.remove_capability

    def late(*args: Any, **kwargs: Any) -> int:
        monkeypatch.setattr(runs, "remove_capability", original)
        decide(organisations.reinstate_organisation)
        runs.place_capability(capability.id)
        return original(*args, **kwargs)

    monkeypatch.setattr(runs, "remove_capability", late)
    runs.place_capability(capability.id)
    assert set(versions_on(need)) == {capability.id}
