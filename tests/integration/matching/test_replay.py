"""Every run can be computed again from what is kept of it, to the byte, or it is said what is gone."""

import json
import random
import shutil
from dataclasses import replace as with_other
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from marketplace.capabilities import services as capabilities
from marketplace.capabilities.models import Capability
from marketplace.capabilities.queries import get_capability
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.language import DEFAULT_DICTIONARY
from marketplace.matching import epochs, queries, runs
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from marketplace.matching.models import (
    CorpusEpoch,
    DictionaryVersion,
    MatchDocument,
    MatchEntry,
    MatchPlacement,
    MatchRun,
    PostingKind,
    WeightSet,
)
from marketplace.matching.replay import Verdict, replay
from marketplace.matching.sources import Subject
from marketplace.needs import services as needs
from marketplace.needs.models import Need
from marketplace.needs.queries import get_need
from tests.integration.support import a_capability, a_need, an_editor

TITLES = ("旋锻主轴管毛坯", "旋锻空心轴管", "主轴旋锻工艺", "镁合金压铸件", "空心轴精密锻造", "旋转锻造设备")


def place(capability: Capability) -> None:
    runs.place_capability(capability.id)


def withdraw(capability_id: int, supplier) -> None:
    with transaction():
        one = db.session.get_one(Capability, capability_id, populate_existing=True)
        capabilities.withdraw(one, reason="停产", by=supplier, now=clock.now())
    runs.remove_capability(capability_id)


def revise(capability_id: int, supplier, **changes) -> None:
    with transaction():
        number = db.session.get_one(Capability, capability_id).public_no
        one = get_capability(number, viewer=supplier)
        draft = with_other(capabilities.draft_of(one), **changes)
        capabilities.revise(one, draft, version=one.version, by=supplier, now=clock.now())
    runs.place_capability(capability_id)


def every_run() -> list[MatchRun]:
    return list(db.session.scalars(select(MatchRun).order_by(MatchRun.id)))


@pytest.fixture
def supplier(app):
    return an_editor()


@pytest.fixture
def need(supplier) -> Need:
    for title in TITLES[:4]:
        a_capability(supplier, title=title)
    summary = "用近红外透射光谱检测柑橘糖度并分选，每小时处理十吨，果皮损伤率低。"
    a_capability(supplier, title="柑橘糖度无损检测", summary=summary, keywords=(), parameters=())
    need = a_need(an_editor())
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    return need


def run_of(need: Need) -> MatchRun:
    run = queries.find_run(PostingKind.NEED, need.id)
    assert run is not None
    db.session.refresh(run)
    return run


def test_a_run_gives_the_same_bytes_again(need):
    found = replay(run_of(need))
    assert (found.verdict, found.gone, found.differences) == (Verdict.IDENTICAL, (), ())
    assert found.entries > 2
    assert found.computed_sha256 == found.stored_sha256


def test_and_again_when_its_files_are_gone(need):
    run = run_of(need)
    shutil.rmtree(epochs.folder_of(db.session.get_one(CorpusEpoch, run.epoch_id)))
    assert replay(run).verdict is Verdict.IDENTICAL


def test_the_hash_is_that_of_what_is_stored(need):
    run = run_of(need)
    rows = db.session.scalars(
        select(MatchEntry).where(MatchEntry.run_id == run.id).order_by(MatchEntry.place)
    ).all()
    for row in rows:
        digest = runs.entry_digest(row.capability_id, row.capability_version, row.parts, row.reasons)
        assert digest == row.sha256
    assert runs.output_digest(row.sha256 for row in rows) == run.output_sha256


@pytest.mark.parametrize("size", [3, 50])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_was_placed_revised_and_withdrawn_meanwhile(need, supplier, monkeypatch, size, seed):
    """Lists that are full and lists that are not; also a run that was superseded on the way."""

    def small(self, weights=DEFAULT_WEIGHTS, _size=size, dictionary=DEFAULT_DICTIONARY):
        self.weights, self.size, self.dictionary = weights, size, dictionary

    monkeypatch.setattr(Ranker, "__init__", small)
    epochs.forget_opened()
    runs.rank_seeker(Subject(PostingKind.NEED, need.id), again=True)
    chance = random.Random(seed)
    standing = list(db.session.scalars(select(Capability.id)))
    for step in range(9):
        act = chance.choice(("place", "place", "revise", "withdraw", "rank"))
        if act == "withdraw" and len(standing) > 1:
            withdraw(standing.pop(chance.randrange(len(standing))), supplier)
        elif act == "revise":
            revise(chance.choice(standing), supplier, title=f"{chance.choice(TITLES)}第{step}型")
        elif act == "rank":
            runs.rank_seeker(Subject(PostingKind.NEED, need.id), again=True)
        else:
            newcomer = a_capability(supplier, title=f"{chance.choice(TITLES)}{step}号")
            place(newcomer)
            standing.append(newcomer.id)
        assert replay(run_of(need)).to_dict()["verdict"] == "identical", (step, act)
    assert db.session.scalar(select(MatchPlacement.run_id).limit(1)) is not None or size == 3
    # The fixture's run is longer than three, which is another program's.
    made = every_run()[1:] if size == 3 else every_run()
    assert made
    assert [replay(run).verdict for run in made] == [Verdict.IDENTICAL] * len(made)


def test_a_list_on_which_one_is_not_placed_yet_that_is_in_the_corpus_already(need, supplier):
    """Two come in; the second is placed first, and then the list is ranked anew before the first is."""
    slow = a_capability(supplier, title="旋锻轴管甲")
    fast = a_capability(supplier, title="旋锻轴管乙")
    runs.take_over_capabilities()
    place(fast)
    assert replay(run_of(need)).verdict is Verdict.IDENTICAL
    place(slow)
    assert replay(run_of(need)).verdict is Verdict.IDENTICAL


def test_a_list_of_a_need_that_is_over_by_the_time_somebody_is_revised(need, supplier, monkeypatch):
    leader = db.session.scalars(
        select(MatchEntry.capability_id).where(MatchEntry.run_id == run_of(need).id, MatchEntry.place == 1)
    ).one()
    revise(leader, supplier, title="旋锻主轴管毛坯丙")
    later = clock.now() + timedelta(days=400)
    monkeypatch.setattr(clock, "now", lambda: later)
    runs.place_capability(leader)
    assert replay(run_of(need)).verdict is Verdict.IDENTICAL


def test_a_superseded_run_rests_on_the_text_of_then(need, supplier):
    buyer = an_editor()
    other = a_need(buyer)
    runs.rank_seeker(Subject(PostingKind.NEED, other.id))
    with transaction():
        one = get_need(other.public_no, viewer=buyer)
        draft = with_other(needs.draft_of(one), title="旋锻空心轴采购")
        needs.revise(one, draft, version=one.version, by=buyer, now=clock.now())
    runs.rank_seeker(Subject(PostingKind.NEED, other.id))
    a_capability(supplier, title="旋锻轴管丁")
    runs.take_over_capabilities()
    epochs.build_epoch()
    runs.rank_seeker(Subject(PostingKind.NEED, other.id), again=True)
    mine = [run for run in every_run() if run.seeker_id == other.id]
    assert len(mine) == 3
    assert [replay(run).verdict for run in mine] == [Verdict.IDENTICAL] * 3


@pytest.mark.parametrize("part", ["points", "words", "place", "line"])
def test_what_was_changed_in_the_store_is_found_where_it_is(need, part):
    run = run_of(need)
    entries = db.session.scalars(
        select(MatchEntry).where(MatchEntry.run_id == run.id).order_by(MatchEntry.place)
    ).all()
    with transaction():
        first = db.session.get_one(MatchEntry, entries[0].id)
        if part == "points":
            first.parts = {**first.parts, "region": first.parts["region"] + 0.5}
        elif part == "words":
            first.reasons = {**first.reasons, "agreement": 0.123}
        elif part == "place":
            db.session.execute(
                update(MatchEntry)
                .where(MatchEntry.id.in_([entries[0].id, entries[1].id]))
                .values(place=3 - MatchEntry.place)
            )
        else:
            db.session.execute(delete(MatchEntry).where(MatchEntry.id == entries[-1].id))
    found = replay(run_of(need))
    assert found.verdict is Verdict.DIFFERENT
    what = {"points": "part", "words": "reason", "place": "place", "line": "extra"}[part]
    assert {one.what for one in found.differences} == {what}


def _of_seeker(run):
    return update(MatchDocument).where(MatchDocument.id == run.document_id).values(content={"kind": "need"})


def _of_capability(run):
    first = select(MatchEntry.capability_id).where(MatchEntry.run_id == run.id, MatchEntry.place == 1)
    return delete(MatchDocument).where(
        MatchDocument.kind == PostingKind.CAPABILITY, MatchDocument.posting_id == first.scalar_subquery()
    )


def _of_weights(run):
    other = DEFAULT_WEIGHTS.to_dict() | {"full_support": 0.5}
    return update(WeightSet).where(WeightSet.id == run.weight_set_id).values(weights=other)


def _of_dictionary(run):
    return update(DictionaryVersion).values(dictionary={"version": "?"})


def _of_engine(run):
    return update(MatchRun).where(MatchRun.id == run.id).values(engine_version="0")


@pytest.mark.parametrize(
    ("what", "loss"),
    [
        ("seeker", _of_seeker),
        ("capability", _of_capability),
        ("weights", _of_weights),
        ("dictionary", _of_dictionary),
        ("engine", _of_engine),
    ],
)
def test_input_that_is_gone_is_named(need, what, loss):
    run = run_of(need)
    with transaction():
        db.session.execute(loss(run), execution_options={"synchronize_session": False})
    found = replay(run_of(need))
    assert found.verdict is Verdict.INPUT_GONE
    assert {one.what for one in found.gone} == {what}


def test_an_epoch_that_can_be_learned_no_more_is_named_when_it_matters(need):
    """Somebody who was only learned from, and is on no list, was deleted from the store."""
    run = run_of(need)
    shutil.rmtree(epochs.folder_of(db.session.get_one(CorpusEpoch, run.epoch_id)))
    listed = select(MatchEntry.capability_id).where(MatchEntry.run_id == run.id)
    with transaction():
        db.session.execute(
            delete(MatchDocument).where(
                MatchDocument.kind == PostingKind.CAPABILITY, MatchDocument.posting_id.not_in(listed)
            ),
            execution_options={"synchronize_session": False},
        )
    found = replay(run_of(need))
    assert found.verdict is Verdict.INPUT_GONE
    assert [one.what for one in found.gone] == ["epoch"]
    assert found.gone[0].facts["documents"] == {"then": 5, "now": found.entries}


def test_the_command_says_it_with_its_exit_code(app, need):
    cli = app.test_cli_runner()
    run = run_of(need)
    done = cli.invoke(args=["match", "replay", run.public_no, "--format", "json"])
    assert (done.exit_code, json.loads(done.output)["verdict"]) == (0, "identical")
    assert "一致" in cli.invoke(args=["match", "replay", run.public_no.lower()]).output
    with transaction():
        db.session.execute(update(MatchEntry).where(MatchEntry.place == 1).values(capability_version=9))
    done = cli.invoke(args=["match", "replay", run.public_no])
    assert done.exit_code == 2
    assert "能力文本" in done.output
    assert cli.invoke(args=["match", "replay", "MR-0"]).exit_code == 1
