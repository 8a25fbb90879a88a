"""Ranking as work: one effect for each version, whatever happens in between."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.capabilities import services as capabilities
from marketplace.capabilities.models import Capability
from marketplace.kernel import clock, outbox
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import LeaseLost, OutboxRow
from marketplace.language import DEFAULT_DICTIONARY
from marketplace.matching import checks, corpus, epochs, jobs, queries, runs, sources, sweeps
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from marketplace.matching.models import (
    CorpusEpoch,
    MatchChange,
    MatchDocument,
    MatchEntry,
    MatchRun,
    PostingKind,
    Ranking,
)
from marketplace.matching.sources import Subject
from marketplace.needs import services as needs
from marketplace.needs.models import Need
from marketplace.needs.queries import get_need
from marketplace.organisations import services as organisations
from marketplace.organisations.models import Organisation
from tests.integration.support import a_capability, a_need, an_editor, an_operator

OTHER_TRADES = (
    ("柑橘糖度无损检测分选线", "用近红外透射光谱检测柑橘糖度并分选，每小时处理十吨，果皮损伤率低。"),
    ("镁合金方向盘骨架压铸", "冷室压铸镁合金方向盘骨架，配套微弧氧化和机加工，年产八十万件。"),
    ("工业废水零排放工艺包", "高盐废水分质结晶，配套膜浓缩与蒸发单元，产出工业盐达标。"),
)


def work_off() -> int:
    """Do all open work of matching in this process, as the workers would; how many batches there were."""
    done = 0
    while batches := outbox.claim(max_batches=1):
        batch = batches[0]
        lease = outbox.begin(batch.kind, batch.ids, batch.token, holder="tests")
        assert lease is not None
        getattr(jobs, batch.kind.removeprefix("matching."))(lease)
        done += 1
    return done


def shortlist(need: Need) -> list[int]:
    run = queries.find_run(PostingKind.NEED, need.id)
    assert run is not None
    return [line.capability.id for line in queries.list_lines(run.id)]


def output_of(need: Need) -> str:
    """What a ranking of all capabilities anew, right now, would say."""
    state, ranker = epochs.open_corpus()
    seeker = sources.read_one(Subject(PostingKind.NEED, need.id), now=clock.now())
    assert seeker is not None
    return runs.output_of(runs.compute(seeker, ranker, state, now=clock.now()))


@pytest.fixture
def others(app) -> list[Capability]:
    return [
        a_capability(an_editor(), title=title, summary=summary, keywords=(), parameters=())
        for title, summary in OTHER_TRADES
    ]


def test_a_published_need_gets_a_shortlist_with_the_best_first(app, others):
    fitting = a_capability(an_editor())
    need = a_need(an_editor())
    work_off()
    assert shortlist(need)[0] == fitting.id
    assert sweeps.list_missing(now=clock.now()) == []


def test_what_is_stored_holds_every_invariant(app, others):
    a_capability(an_editor())
    a_need(an_editor())
    work_off()
    assert db.session.scalar(select(MatchEntry.id).limit(1)) is not None
    assert [list(one.violations(clock.now())) for one in checks.INVARIANTS] == [[], [], []]


def test_wrong_sums_and_places_and_forgotten_versions_are_found(app, others):
    fitting = a_capability(an_editor())
    a_need(an_editor())
    work_off()
    with transaction():
        entry = db.session.scalars(select(MatchEntry).where(MatchEntry.capability_id == fitting.id)).one()
        entry.parts = {**entry.parts, "text": entry.parts["text"] + 1}
        entry.place = 7
        db.session.delete(db.session.scalars(select(Ranking).where(Ranking.kind == PostingKind.NEED)).one())
    found = [list(one.violations(clock.now())) for one in checks.INVARIANTS]
    assert [bool(violations) for violations in found] == [True, True, True]


def test_a_version_is_ranked_once_however_often_it_is_asked_for(app, others):
    need = a_need(an_editor())
    subject = Subject(PostingKind.NEED, need.id)
    assert runs.rank_seeker(subject) is True
    assert runs.rank_seeker(subject) is False
    assert len(db.session.scalars(select(MatchRun)).all()) == 1


def test_a_revised_need_supersedes_its_shortlist(app, others):
    buyer = an_editor()
    need = a_need(buyer)
    work_off()
    with transaction():
        need = get_need(need.public_no, viewer=buyer)
        draft = needs.draft_of(need)
        needs.revise(need, draft, version=need.version, by=buyer, now=clock.now())
    work_off()
    states = db.session.scalars(select(MatchRun).order_by(MatchRun.id)).all()
    assert [(run.seeker_version, run.superseded_at is None) for run in states] == [(1, False), (2, True)]


def test_a_new_capability_enters_the_shortlists_it_fits_and_leaves_the_others_alone(app, others):
    buyer = an_editor()
    fits = a_need(buyer)
    a_need(
        buyer,
        title="柑橘糖度检测分选设备",
        specification="柑橘近红外透射光谱糖度分选，果皮损伤率低。",
        keywords=(),
        clusters=("B2",),
        qualification="",
    )
    work_off()
    before = {run.id: run.output_sha256 for run in db.session.scalars(select(MatchRun))}
    newcomer = a_capability(an_editor(), title="旋锻主轴管", parameters=())
    runs.place_capability(newcomer.id)
    after = {run.id: run.output_sha256 for run in db.session.scalars(select(MatchRun))}
    assert newcomer.id in shortlist(fits)
    changed = {run_id for run_id in before if before[run_id] != after[run_id]}
    noted = set(db.session.scalars(select(MatchChange.run_id)))
    assert changed == noted
    assert set(after) == set(before)


def test_placing_gives_the_same_list_as_ranking_anew(app, others):
    need = a_need(an_editor())
    work_off()
    for number in range(4):
        one = a_capability(an_editor(), title=f"旋锻空心轴毛坯 {'精' * number}")
        runs.place_capability(one.id)
    assert len(shortlist(need)) >= 4
    assert queries.find_run(PostingKind.NEED, need.id).output_sha256 == output_of(need)


def test_placing_twice_changes_nothing_the_second_time(app, others):
    a_need(an_editor())
    work_off()
    one = a_capability(an_editor())
    assert runs.place_capability(one.id) == 1
    assert runs.place_capability(one.id) == 0


def test_a_full_list_drops_its_last_and_takes_back_the_next_when_somebody_leaves(app, others, monkeypatch):
    def small(self, weights=DEFAULT_WEIGHTS, size=2, dictionary=DEFAULT_DICTIONARY):
        self.weights, self.size, self.dictionary = weights, 2, dictionary

    monkeypatch.setattr(Ranker, "__init__", small)
    supplier = an_editor()
    good = [a_capability(supplier, title=title) for title in ("旋锻主轴管毛坯", "旋锻轴管", "主轴旋锻")]
    need = a_need(an_editor())
    work_off()
    first = shortlist(need)
    assert len(first) == 2
    left = next(one for one in good if one.id not in first)
    leaver = db.session.get_one(Capability, first[0])
    with transaction():
        capabilities.withdraw(
            db.session.get_one(Capability, leaver.id), reason="停产", by=supplier, now=clock.now()
        )
    work_off()
    assert shortlist(need) == [first[1], left.id]


def test_a_withdrawn_capability_leaves_every_list(app, others):
    supplier = an_editor()
    leaving = a_capability(supplier)
    need = a_need(an_editor())
    work_off()
    assert leaving.id in shortlist(need)
    with transaction():
        capabilities.withdraw(
            db.session.get_one(Capability, leaving.id), reason="停产", by=supplier, now=clock.now()
        )
    work_off()
    assert leaving.id not in shortlist(need)
    change = db.session.scalars(select(MatchChange).order_by(MatchChange.id.desc())).first()
    assert (change.cause, change.place_after) == ("withdrawn", None)


def test_a_withdrawn_need_keeps_its_last_list_on_record_only(app, others):
    buyer = an_editor()
    need = a_need(buyer)
    work_off()
    with transaction():
        needs.withdraw(db.session.get_one(Need, need.id), reason="已采购", by=buyer, now=clock.now())
    work_off()
    assert queries.find_run(PostingKind.NEED, need.id).superseded_at is not None


def test_an_own_capability_is_never_recommended_to_its_own_organisation(app, others):
    both = an_editor()
    own = a_capability(both)
    need = a_need(both)
    work_off()
    assert own.id not in shortlist(need)
    assert queries.find_run(PostingKind.NEED, need.id).excluded["own"] == 1


def test_a_change_of_the_corpus_during_the_computation_is_not_lost(app, others, monkeypatch):
    need = a_need(an_editor())
    late = a_capability(an_editor())
    document = sources.read_one(Subject(PostingKind.CAPABILITY, late.id), now=clock.now())
    compute, seen = runs.compute, []

    def compute_while_somebody_publishes(*args, **kwargs):
        result = compute(*args, **kwargs)
        if not seen:
            with transaction():
                corpus.put_in_force([document], now=clock.now())
        seen.append(result)
        return result

    monkeypatch.setattr(runs, "compute", compute_while_somebody_publishes)
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    assert len(seen) == 2
    assert late.id in shortlist(need)


def test_work_that_went_elsewhere_leaves_no_effect(app, others):
    need = a_need(an_editor())
    batch = next(b for b in outbox.claim(max_batches=5) if b.kind == "matching.rank_seeker")
    lease = outbox.begin(batch.kind, batch.ids, batch.token, holder="tests")
    with transaction():
        for row in db.session.scalars(select(OutboxRow).where(OutboxRow.id.in_(batch.ids))):
            row.lease_token = "somebody else"
    with pytest.raises(LeaseLost):
        jobs.rank_seeker(lease)
    assert queries.find_run(PostingKind.NEED, need.id) is None


def test_lost_epoch_files_are_built_again_the_same(app, others):
    need = a_need(an_editor())
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    before = queries.find_run(PostingKind.NEED, need.id).output_sha256
    folder = epochs.folder_of(db.session.scalars(select(CorpusEpoch)).one())
    manifest = (folder / "manifest.json").read_text()
    (folder / "impacts.npy").write_bytes(b"damaged")
    epochs.forget_opened()
    assert output_of(need) == before
    assert (folder / "manifest.json").read_text() == manifest


def test_a_new_epoch_brings_every_list_onto_it(app, others):
    need = a_need(an_editor())
    work_off()
    first = queries.find_run(PostingKind.NEED, need.id).epoch_id
    epochs.build_epoch(again=True)
    jobs.rank_everything(lambda done, total: None)
    assert queries.find_run(PostingKind.NEED, need.id).epoch_id > first
    assert runs.list_unranked(now=clock.now()) == []


def test_an_epoch_is_due_when_much_has_changed_or_it_is_old(app, others):
    a_need(an_editor())
    work_off()
    epochs.build_epoch()
    assert not corpus.epoch_is_due(now=clock.now())
    assert not corpus.epoch_is_due(now=clock.now() + timedelta(days=2))
    one = a_capability(an_editor())
    runs.place_capability(one.id)
    assert not corpus.epoch_is_due(now=clock.now())
    assert corpus.epoch_is_due(now=clock.now() + timedelta(days=2))


def test_ranking_again_on_the_same_input_makes_no_new_run(app, others):
    need = a_need(an_editor())
    work_off()
    subject = Subject(PostingKind.NEED, need.id)
    assert runs.rank_seeker(subject, again=True) is False
    assert len(db.session.scalars(select(MatchRun)).all()) == 1


def test_the_sweep_brings_lists_along_that_another_epoch_left_behind(app, others):
    a_need(an_editor())
    work_off()
    sweeps.sweep()
    assert work_off() == 0
    epochs.build_epoch(again=True)
    sweeps.sweep()
    assert work_off() == 1
    assert runs.list_unranked(now=clock.now()) == []


def test_the_sweep_asks_for_what_nobody_asked_for(app, others):
    a_need(an_editor())
    with transaction():
        for row in db.session.scalars(select(OutboxRow)):
            db.session.delete(row)
    assert list(checks.INVARIANTS[0].violations(clock.now()))
    sweeps.sweep()
    assert not list(checks.INVARIANTS[0].violations(clock.now()))
    work_off()
    assert sweeps.list_missing(now=clock.now()) == []


def test_a_suspended_supplier_leaves_every_list_and_comes_back_when_reinstated(app, others):
    supplier, operator = an_editor(), an_operator()
    offered = a_capability(supplier)
    need = a_need(an_editor())
    work_off()
    assert offered.id in shortlist(need)
    moves = ((organisations.suspend_organisation, False), (organisations.reinstate_organisation, True))
    for act, present in moves:
        with transaction():
            organisation = db.session.get_one(Organisation, supplier.organisation_id)
            version = organisation.version
            act(organisation, reason="核查资质", version=version, by=operator, now=clock.now())
        assert work_off() >= 1
        assert (offered.id in shortlist(need)) is present
    assert list(checks.INVARIANTS[0].violations(clock.now())) == []


def test_what_was_suspended_before_it_was_ranked_is_not_asked_for_again_and_again(app, others):
    supplier, buyer, operator = an_editor(), an_editor(), an_operator()
    offered, need = a_capability(supplier), a_need(buyer)
    for actor in (supplier, buyer):
        with transaction():
            one = db.session.get_one(Organisation, actor.organisation_id)
            organisations.suspend_organisation(
                one, reason="核查资质", version=one.version, by=operator, now=clock.now()
            )
    work_off()
    sweeps.sweep()
    assert work_off() == 0
    assert queries.find_run(PostingKind.NEED, need.id) is None
    assert queries.list_places(offered.id) == []


def test_a_confidential_price_reaches_no_document(app, others):
    need = a_need(an_editor(), max_price_fen=12345678, max_price_hidden=True)
    work_off()
    contents = [str(row.content) for row in db.session.scalars(select(MatchDocument))]
    reasons = [str(row.reasons) for row in db.session.scalars(select(MatchEntry))]
    assert queries.find_run(PostingKind.NEED, need.id) is not None
    assert not [text for text in contents + reasons if "12345678" in text or "123456" in text]


def test_what_comes_in_at_once_reaches_standing_lists_without_a_new_epoch(app, others):
    need = a_need(an_editor())
    work_off()
    epochs.build_epoch()
    jobs.rank_everything(lambda done, total: None)
    newcomer = a_capability(an_editor())
    runs.take_over_capabilities()
    assert not corpus.epoch_is_due(now=clock.now())
    jobs.rank_everything(lambda done, total: None)
    assert newcomer.id in shortlist(need)
    assert runs.list_unranked(now=clock.now()) == []


def test_ranking_all_by_command_leaves_no_work_of_ranking_open(app, others):
    need, fitting = a_need(an_editor()), a_capability(an_editor())
    result = app.test_cli_runner().invoke(args=["match", "rank", "--all"])
    assert result.exit_code == 0, result.output
    assert fitting.id in shortlist(need)
    open_kinds = set(
        db.session.scalars(
            select(OutboxRow.kind).where(OutboxRow.done_at.is_(None), OutboxRow.kind.startswith("matching."))
        )
    )
    assert open_kinds <= {"matching.remove", "matching.organisation_changed"}
