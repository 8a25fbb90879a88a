"""What came, left or moved between two runs, and why."""

import json
from dataclasses import replace as with_other
from types import MappingProxyType

import pytest
from sqlalchemy import select

from marketplace.capabilities import services as capabilities
from marketplace.capabilities.models import Capability
from marketplace.capabilities.queries import get_capability
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Obstructed
from marketplace.matching import epochs, queries, runs, settings
from marketplace.matching.diff import changed_numbers, diff
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from marketplace.matching.models import MatchRun, PostingKind
from marketplace.matching.sources import Subject
from marketplace.needs import services as needs
from marketplace.needs.queries import get_need
from tests.integration.matching.test_runs import work_off
from tests.integration.support import (
    a_capability,
    a_need,
    an_auditor,
    an_editor,
    an_operator,
    client_of,
)


@pytest.fixture
def supplier(app):
    return an_editor()


@pytest.fixture
def buyer(app):
    return an_editor()


@pytest.fixture
def goods(supplier):
    titles = ("旋锻主轴管毛坯", "旋锻空心轴管", "主轴旋锻工艺")
    return [a_capability(supplier, title=title).id for title in titles]


@pytest.fixture
def need(goods, buyer):
    need = a_need(buyer)
    work_off()
    return need


def rank(need) -> MatchRun:
    """A run of its own, on an epoch of its own."""
    runs.take_over_capabilities()
    epochs.build_epoch(again=True)
    runs.rank_seeker(Subject(PostingKind.NEED, need.id), again=True)
    return newest(need)


def newest(need) -> MatchRun:
    run = queries.find_run(PostingKind.NEED, need.id)
    assert run is not None
    return run


def revise(id: int, supplier, **changes) -> None:
    with transaction():
        one = get_capability(db.session.get_one(Capability, id).public_no, viewer=supplier)
        draft = with_other(capabilities.draft_of(one), **changes)
        capabilities.revise(one, draft, version=one.version, by=supplier, now=clock.now())


def withdraw(id: int, supplier) -> None:
    with transaction():
        one = db.session.get_one(Capability, id)
        capabilities.withdraw(one, reason="停产", by=supplier, now=clock.now())


def line_of(found, id):
    return next(line for line in found.lines if line.capability_id == id)


def codes(line):
    return [cause.code for cause in line.causes]


def test_a_run_differs_from_itself_in_nothing(need):
    found = diff(newest(need), newest(need))
    assert (found.causes, found.lines, found.unmoved, found.rescored) == ((), (), 3, 0)


def test_who_was_published_came_and_whom_it_passed_moved(need, supplier):
    before = newest(need)
    newcomer = a_capability(supplier, title="汽车主轴旋锻空心轴管毛坯")
    found = diff(before, rank(need))
    assert codes(line_of(found, newcomer.id)) == ["published"]
    assert (line_of(found, newcomer.id).how, line_of(found, newcomer.id).place_before) == ("came", None)
    for line in found.lines[1:]:
        assert line.how == "moved"
        assert {"epoch", "overtaken"} <= set(codes(line))
    assert [cause.code for cause in found.causes] == ["epoch"]
    assert found.causes[0].facts["documents"] == {"before": 3, "after": 4}


def test_who_was_withdrawn_left_and_freed_a_place(need, supplier):
    before = newest(need)
    order = [line.capability.id for line in queries.list_lines(before.id)]
    withdraw(order[0], supplier)
    found = diff(before, rank(need))
    assert codes(line_of(found, order[0])) == ["withdrawn"]
    freed = next(cause for cause in line_of(found, order[1]).causes if cause.code == "freed")
    assert freed.facts == {"count": 1, "capabilities": [order[0]]}


def test_whose_text_changed_moved_by_its_text(need, supplier):
    before = newest(need)
    last = queries.list_lines(before.id)[-1].capability.id
    revise(last, supplier, title="汽车主轴旋锻空心轴管毛坯")
    found = diff(before, rank(need))
    line = line_of(found, last)
    text = next(cause for cause in line.causes if cause.code == "text")
    assert text.facts == {"before": 1, "after": 2, "fields": ["title"]}
    assert line.how == "moved"
    gained = sum(after - then for then, after in line.parts.values())
    assert gained == pytest.approx(line.score_after - line.score_before)
    assert line.terms
    assert all(then != now for _term, then, now in line.terms)


def test_who_is_excluded_by_a_new_condition_left_for_that_reason(need, buyer, supplier):
    before = newest(need)
    kept = a_capability(an_editor(), title="旋锻轴管总成")
    work_off()
    with transaction():
        one = get_need(need.public_no, viewer=buyer)
        draft = with_other(needs.draft_of(one), title="旋锻主轴管采购")
        needs.revise(one, draft, version=one.version, by=buyer, now=clock.now())
    found = diff(before, rank(need))
    assert kept.id is not None
    seeker = next(cause for cause in found.causes if cause.code == "seeker")
    assert seeker.facts["fields"] == ["title"]
    assert (seeker.facts["before"], seeker.facts["after"]) == (1, 2)


def test_other_weights_are_named_number_by_number(need):
    operator = an_operator()
    before = newest(need)
    parts = dict(DEFAULT_WEIGHTS.parts) | {"text": 20, "title": 28}
    heavy = with_other(DEFAULT_WEIGHTS, version="P-T.9", parts=MappingProxyType(parts))
    with transaction():
        id = settings.propose("weights", heavy, reason="试", by=operator, now=clock.now()).id
    work_off()
    with transaction():
        settings.accept("weights", id, reason="试", by=operator, now=clock.now())
    work_off()
    found = diff(before, newest(need))
    weights = next(cause for cause in found.causes if cause.code == "weights")
    assert weights.facts["numbers"] == {"parts.text": [40, 20], "parts.title": [8, 28]}
    assert found.rescored + len(found.lines) == 3


def test_numbers_are_compared_at_every_depth():
    assert changed_numbers({"a": {"b": 1, "c": 2}, "version": "x"}, {"a": {"b": 1, "c": 3}, "d": 4}) == {
        "a.c": [2, 3],
        "d": [None, 4],
    }


def test_runs_of_different_seekers_are_refused(app, need):
    other = a_need(an_editor())
    work_off()
    with pytest.raises(Obstructed, match="不是同一个"):
        diff(newest(need), newest(other))
    done = app.test_cli_runner().invoke(
        args=["match", "diff", newest(need).public_no, newest(other).public_no]
    )
    assert done.exit_code == 1
    assert "不能比较" in done.output
    address = f"/workbench/matching/runs/{newest(need).public_no}/diff/{newest(other).public_no}"
    refused = client_of(app, an_operator()).get(address)
    assert refused.status_code == 422
    assert "不能比较" in refused.get_data(as_text=True)


def test_the_command_and_the_page_say_the_same(app, need, supplier, buyer):
    before = newest(need)
    newcomer = a_capability(supplier, title="汽车主轴旋锻空心轴管毛坯")
    after = rank(need)
    runner = app.test_cli_runner()
    told = runner.invoke(args=["match", "diff", before.public_no, after.public_no])
    assert told.exit_code == 0, told.output
    as_json = runner.invoke(args=["match", "diff", before.public_no, after.public_no, "--format", "json"])
    assert json.loads(as_json.output)["lines"][0]["capability_id"] == newcomer.id
    address = f"/workbench/matching/runs/{before.public_no}/diff/{after.public_no}"
    for reader in (buyer, an_operator(), an_auditor()):
        page = client_of(app, reader).get(address).get_data(as_text=True)
        for said in ("新公开的能力", newcomer.title, "语料统计更新：3 条能力变为 4 条"):
            assert said in page
            assert said in told.output
    shortlist = f"/workbench/matching/needs/{need.public_no}"
    assert address in client_of(app, buyer).get(shortlist).get_data(as_text=True)
    for stranger in (supplier, an_editor()):
        assert client_of(app, stranger).get(address).status_code == 404


def test_both_directions_tell_of_the_same_places(need, supplier):
    before = newest(need)
    a_capability(supplier, title="汽车主轴旋锻空心轴管毛坯")
    withdraw(db.session.scalars(select(Capability.id).order_by(Capability.id)).first(), supplier)
    after = rank(need)
    there, back = diff(before, after), diff(after, before)
    assert {(line.capability_id, line.place_before, line.place_after) for line in there.lines} == {
        (line.capability_id, line.place_after, line.place_before) for line in back.lines
    }
