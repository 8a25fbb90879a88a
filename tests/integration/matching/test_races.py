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
from marketplace.matching import queries, runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from marketplace.needs import queries as need_queries
from marketplace.needs import services as needs
from marketplace.needs.models import Need
from tests.integration.support import a_capability, a_need, an_editor

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
