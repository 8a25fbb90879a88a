"""Weights and dictionaries: proposed, previewed, accepted by an operator, and what is ranked by them then."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.kernel import clock
from marketplace.kernel.actor import PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, InvalidTransition, Obstructed
from marketplace.kernel.outbox import OutboxRow
from marketplace.language import DEFAULT_DICTIONARY, Dictionary
from marketplace.matching import corpus, epochs, jobs, queries, runs, setting_presenters, settings
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, Weights
from marketplace.matching.lifecycle import SettingStatus
from marketplace.matching.models import (
    CorpusEpoch,
    DictionaryVersion,
    MatchRun,
    PostingKind,
    WeightSet,
)
from marketplace.matching.replay import Verdict, replay
from marketplace.matching.sources import Subject
from tests.integration.matching.test_runs import work_off
from tests.integration.support import a_capability, a_need, an_editor, an_operator, client_of, somebody

REGIONAL = Weights(
    version="P-T.1",
    parts=MappingProxyType(dict(DEFAULT_WEIGHTS.parts) | {"text": 20, "region": 24}),
)
NAMED = Dictionary(
    "D-T.1",
    (*DEFAULT_DICTIONARY.words, "旋锻主轴"),
    (*DEFAULT_DICTIONARY.synonyms, ("旋锻", "径向锻造")),
)


@pytest.fixture
def operator(app):
    return an_operator()


@pytest.fixture
def need(app):
    for title in ("旋锻主轴管毛坯", "旋锻空心轴管", "主轴旋锻工艺"):
        a_capability(an_editor(), title=title)
    need = a_need(an_editor())
    work_off()
    return need


def propose(kind, content, operator, reason="试算结果更好"):
    with transaction():
        row = settings.propose(kind, content, reason=reason, by=operator, now=clock.now())
    return row.id


def accept(kind, id, operator, reason="看过预览"):
    with transaction():
        settings.accept(kind, id, reason=reason, by=operator, now=clock.now())


def audited(type):
    return db.session.scalars(select(AuditEvent).where(AuditEvent.type == type)).all()


def test_what_comes_with_the_program_is_in_force_until_somebody_decides(need):
    id, weights = settings.weights_in_force()
    assert (id is not None, weights) == (True, DEFAULT_WEIGHTS)
    assert settings.dictionary_in_force()[1] == DEFAULT_DICTIONARY
    row = settings.get_setting("weights", id)
    assert (row.author_id, row.author_name, row.status) == (None, "platform", SettingStatus.ACCEPTED)
    assert len(audited("weights.accept")) == len(audited("dictionary.accept")) == 1


def test_nothing_is_kept_where_nothing_was_ranked_and_pages_have_the_program_s_own(app):
    assert settings.weights_in_force() == (None, DEFAULT_WEIGHTS)
    assert settings.dictionary_in_force() == (None, DEFAULT_DICTIONARY)


@pytest.mark.parametrize(("kind", "content"), [("weights", REGIONAL), ("dictionary", NAMED)])
def test_a_proposal_is_previewed_accepted_and_ranked_by(need, operator, kind, content):
    before = queries.find_run(PostingKind.NEED, need.id).id
    id = propose(kind, content, operator)
    work_off()
    row = settings.get_setting(kind, id)
    assert row.status is SettingStatus.PROPOSED
    assert (row.preview["shortlists"], row.preview["looked_at"]) == (1, 1)
    assert settings.is_current(row.preview)
    assert queries.find_run(PostingKind.NEED, need.id).id == before
    accept(kind, id, operator)
    work_off()
    in_force = settings.weights_in_force() if kind == "weights" else settings.dictionary_in_force()
    assert in_force == (id, content)
    run = queries.find_run(PostingKind.NEED, need.id)
    epoch = db.session.get_one(CorpusEpoch, run.epoch_id)
    assert run.id != before
    assert (epoch.weight_set_id, epoch.dictionary_id) == (
        settings.weights_in_force()[0],
        settings.dictionary_in_force()[0],
    )
    assert run.weight_set_id == epoch.weight_set_id
    event = audited(f"{kind}.accept")[-1]
    assert (event.actor_user_id, event.reason, event.from_status) == (
        operator.user_id,
        "看过预览",
        "proposed",
    )
    assert [replay(one).verdict for one in db.session.scalars(select(MatchRun))] == [Verdict.IDENTICAL] * 2


def test_the_preview_says_what_acceptance_does(need, operator):
    best = a_capability(an_editor(), title="旋锻主轴管毛坯", parameters=())
    work_off()
    words = (
        REGIONAL.parts
        | {"text": 90, "title": 10, "region": 0}
        | dict.fromkeys(("indicators", "taxonomy", "trl", "cooperation", "designations"), 0)
    )
    id = propose("weights", replace(REGIONAL, parts=MappingProxyType(words)), operator)
    order_before = [
        line.capability.id for line in queries.list_lines(queries.find_run(PostingKind.NEED, need.id).id)
    ]
    work_off()
    preview = settings.get_setting("weights", id).preview
    accept("weights", id, operator)
    work_off()
    after = [
        line.capability.id for line in queries.list_lines(queries.find_run(PostingKind.NEED, need.id).id)
    ]
    assert best.id in after
    assert preview["moved"] == (order_before != after)
    assert preview["first_changed"] == (order_before[0] != after[0])


def test_nobody_but_an_operator_decides(need, operator):
    id = propose("weights", REGIONAL, operator)
    work_off()
    for actor in (an_editor(), somebody(platform_role=PlatformRole.AUDITOR)):
        with pytest.raises(Forbidden), transaction():
            settings.propose(
                "weights", replace(REGIONAL, version="P-X"), reason="x", by=actor, now=clock.now()
            )
        for act in (settings.accept, settings.withdraw):
            with pytest.raises(Forbidden), transaction():
                act("weights", id, reason="x", by=actor, now=clock.now())
        with pytest.raises(Forbidden), transaction():
            settings.request_preview("weights", id, by=actor, now=clock.now())
    assert settings.weights_in_force()[1] == DEFAULT_WEIGHTS


@pytest.mark.parametrize(
    ("content", "reason", "field"),
    [
        (REGIONAL, " ", "reason"),
        (replace(REGIONAL, version=DEFAULT_WEIGHTS.version), "x", "version"),
        (replace(DEFAULT_WEIGHTS, version="P-X"), "x", ""),
    ],
)
def test_a_proposal_without_reason_name_or_change_is_refused(need, operator, content, reason, field):
    with pytest.raises(Obstructed) as refused:
        propose("weights", content, operator, reason)
    assert [one.field for one in refused.value.obstacles] == [field]


def refused_fields(kind, id, operator, reason="理由"):
    with pytest.raises(Obstructed) as refused:
        accept(kind, id, operator, reason)
    assert settings.get_setting(kind, id).status is SettingStatus.PROPOSED
    return [one.field for one in refused.value.obstacles]


def test_nothing_is_accepted_without_a_preview_and_a_reason(need, operator):
    id = propose("weights", REGIONAL, operator)
    assert refused_fields("weights", id, operator, "") == ["reason", "preview"]
    work_off()
    assert refused_fields("weights", id, operator, "") == ["reason"]


def test_a_preview_from_before_another_epoch_or_another_acceptance_is_stale(need, operator):
    first = propose("weights", REGIONAL, operator)
    second = propose("dictionary", NAMED, operator)
    work_off()
    accept("dictionary", second, operator)
    assert refused_fields("weights", first, operator) == ["preview"]
    work_off()
    with transaction():
        settings.request_preview("weights", first, by=operator, now=clock.now())
    work_off()
    assert settings.is_current(settings.get_setting("weights", first).preview)
    a_capability(an_editor(), title="旋锻机床")
    runs.take_over_capabilities()
    epochs.build_epoch()
    assert refused_fields("weights", first, operator) == ["preview"]


def test_what_was_decided_stays_decided(need, operator):
    id = propose("weights", REGIONAL, operator)
    work_off()
    with transaction():
        settings.withdraw("weights", id, reason="不改了", by=operator, now=clock.now())
    row = settings.get_setting("weights", id)
    assert (row.status, row.decision, row.decided_by) == (SettingStatus.WITHDRAWN, "不改了", operator.name)
    for act in (settings.accept, settings.withdraw):
        with pytest.raises(InvalidTransition), transaction():
            act("weights", id, reason="x", by=operator, now=clock.now())


def test_a_preview_of_what_was_withdrawn_meanwhile_is_not_kept(need, operator):
    id = propose("weights", REGIONAL, operator)
    with transaction():
        settings.withdraw("weights", id, reason="不改了", by=operator, now=clock.now())
    work_off()
    assert settings.get_setting("weights", id).preview is None
    assert db.session.scalars(select(OutboxRow).where(OutboxRow.done_at.is_(None))).all() == []


def test_the_latest_accepted_is_in_force_and_a_new_program_changes_nothing_then(need, operator, monkeypatch):
    id = propose("weights", REGIONAL, operator)
    work_off()
    accept("weights", id, operator)
    work_off()
    shipped = replace(DEFAULT_WEIGHTS, version="P-2099.1", full_support=0.5)
    sort = replace(settings._SORTS["weights"], shipped=shipped)
    monkeypatch.setattr(settings, "_SORTS", {**settings._SORTS, "weights": sort})
    assert settings.weights_in_force() == (id, REGIONAL)
    assert corpus.read_state() is not None


def test_where_nobody_decided_a_new_program_brings_its_own(need, monkeypatch):
    shipped = replace(DEFAULT_WEIGHTS, full_support=0.5)  # the same name for other numbers
    sort = replace(settings._SORTS["weights"], shipped=shipped)
    monkeypatch.setattr(settings, "_SORTS", {**settings._SORTS, "weights": sort})
    assert corpus.read_state() is None
    epochs.open_corpus()
    id, weights = settings.weights_in_force()
    assert weights == shipped
    assert settings.get_setting("weights", id).version == f"{shipped.version}+{shipped.digest()[:6]}"


def test_weights_that_this_program_cannot_read_are_passed_over(need, operator, caplog):
    id = propose("weights", REGIONAL, operator)
    work_off()
    accept("weights", id, operator)
    with transaction():
        row = db.session.get_one(WeightSet, id)
        row.weights = {**row.weights, "text": {"luck": 1.0}}
        row.digest = "0" * 64
    assert settings.weights_in_force()[1] == DEFAULT_WEIGHTS
    assert "cannot be read" in caplog.text


def test_what_was_accepted_while_an_epoch_was_learned_is_learned_anew(need, operator, monkeypatch):
    id = propose("dictionary", NAMED, operator)
    work_off()
    write, accepted = epochs._write_files, []

    def accepting(ranker, name):
        if not accepted:
            accepted.append(True)
            accept("dictionary", id, operator)
        return write(ranker, name)

    monkeypatch.setattr(epochs, "_write_files", accepting)
    epochs.build_epoch(again=True)
    assert corpus.read_state()[1].dictionary_id == id


def test_dictionaries_cut_texts_otherwise_and_other_names_are_found(need, operator):
    id = propose("dictionary", NAMED, operator)
    work_off()
    accept("dictionary", id, operator)
    work_off()
    _state, ranker = epochs.open_corpus()
    assert ranker.dictionary == NAMED
    assert db.session.get_one(DictionaryVersion, id).digest == NAMED.digest()


# --- pages ------------------------------------------------------------------------------------------------


def typed_weights(**changes):
    data = DEFAULT_WEIGHTS.to_dict()
    typed = {f"part_{name}": value for name, value in data["parts"].items()}
    typed |= {f"mark_{name}": value for name, value in data["marks"].items()}
    typed |= {f"text_{name}": value for name, value in data["text"].items()}
    typed |= {f"limit_{name}": data[name] for name in ("full_support", "least_agreement")}
    return {
        name: str(value) for name, value in (typed | {"version": "P-T.2", "reason": "试"} | changes).items()
    }


def test_an_operator_goes_the_whole_way_on_the_pages(app, need, operator):
    client = client_of(app, operator)
    assert client.get("/workbench/matching/settings").status_code == 200
    assert client.get("/workbench/matching/settings/weights/new").status_code == 200
    typed = typed_weights(part_text="30", part_region="14")
    done = client.post("/workbench/matching/settings/weights/new", data=typed)
    assert done.status_code == 302, done.text
    page = client.get(done.location)
    assert "等待后台进程开始计算" in page.text
    early = client.post(f"{done.location}/accept", data={"reason": "急着采用"})
    assert early.status_code == 422
    assert "急着采用" in early.text
    work_off()
    page = client.get(done.location)
    assert "有变动的名单" in page.text
    assert client.post(f"{done.location}/accept", data={"reason": "看过预览"}).status_code == 302
    assert settings.weights_in_force()[1].version == "P-T.2"
    again = client.post(f"{done.location}/withdraw", data={"reason": "反悔"}, follow_redirects=True)
    assert "已经处理过" in again.text
    assert client.get(done.location).status_code == 200
    public = client.get("/ranking-rules")
    assert "P-T.2" in public.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"part_text": "41"}, "各分项上限之和须为 100，现为 101"),
        ({"part_text": "四十"}, "须为整数"),
        ({"text_k1": "99"}, "须在"),
        ({"text_b": ""}, "长度折扣"),
        ({"limit_least_agreement": "0.9"}, "列入名单的最低相符度"),
        ({"mark_must": "0", "mark_key": "0", "mark_plain": "0"}, "至少一级"),
        ({"reason": ""}, "理由"),
        ({"version": "P" * 50}, "版本号"),
        ({}, "与现行版本相同"),
    ],
)
def test_what_was_typed_stays_and_what_is_wrong_is_said(app, need, operator, changes, told):
    client = client_of(app, operator)
    typed = typed_weights(part_title="8", **changes)
    page = client.post("/workbench/matching/settings/weights/new", data=typed)
    assert page.status_code == 422
    assert told in page.text
    assert all(f'value="{value}"' in page.text for name, value in changes.items() if name[:5] == "part_")
    assert len(settings.list_settings("weights")) == 1


def test_the_least_change_of_a_number_is_shown(app, need, operator):
    finer = replace(DEFAULT_WEIGHTS, text=replace(DEFAULT_WEIGHTS.text, k1=DEFAULT_WEIGHTS.text.k1 + 1e-8))
    (change,) = setting_presenters.weight_changes(DEFAULT_WEIGHTS, finer)
    assert (change.before, change.after) == (f"{DEFAULT_WEIGHTS.text.k1}", f"{finer.text.k1:.8f}")


def test_a_dictionary_is_typed_line_by_line(app, need, operator):
    client = client_of(app, operator)
    address = "/workbench/matching/settings/dictionary/new"
    wrong = {
        "version": "D-T.2",
        "reason": "试",
        "words": "旋锻主轴\n\nbearing\n軸承",
        "synonyms": "轴承、培林\n齿轮\n培林=滚珠",
    }
    page = client.post(address, data=wrong)
    assert page.status_code == 422
    for told in (
        "第 3 行“bearing”不是纯汉字词",
        "请写作“轴承”",
        "第 2 行“齿轮”只有一个名称",
        "第 3 行“培林”已在",
    ):
        assert told in page.text
    assert "齿轮\n培林=滚珠" in page.text
    too_many = (
        ({"words": "\n".join(["轴"] * 20_001)}, "20001 项，最多 20000 项"),
        ({"synonyms": "\n".join(["一"] * 5_001)}, "5001 项，最多 5000 项"),
        ({"synonyms": "、".join(f"名{n}" for n in range(31))}, "31 个，最多 30 个"),
    )
    for changes, told in too_many:
        assert told in client.post(address, data=wrong | changes).text
    right = wrong | {"words": "旋锻主轴\n", "synonyms": "轴承、培林=滚动轴承\r\n"}
    done = client.post(address, data=right)
    assert done.status_code == 302
    row = settings.list_settings("dictionary")[0]
    assert row.content["synonyms"] == [["轴承", "培林", "滚动轴承"]]
    assert "增加整词" in client.get(done.location).text


def test_the_auditor_reads_and_nobody_else_does(app, need, operator):
    id = propose("weights", REGIONAL, operator)
    page = f"/workbench/matching/settings/weights/{id}"
    client = client_of(app, somebody(platform_role=PlatformRole.AUDITOR))
    assert client.get(page).status_code == client.get("/workbench/matching/settings").status_code == 200
    assert "确认采用" not in client.get(page).text
    assert client.get("/workbench/matching/settings/weights/new").status_code == 403
    assert client.post(f"{page}/accept", data={"reason": "x"}).status_code == 403
    for actor in (an_editor(), somebody(platform_role=PlatformRole.MAINTAINER)):
        assert client_of(app, actor).get(page).status_code == 403


def test_what_is_not_there_is_not_found(app, operator):
    client = client_of(app, operator)
    for address in ("weights/77", "dictionary/77", "weights/99999999999", "weights/new?from=77"):
        assert client.get(f"/workbench/matching/settings/{address}").status_code == 404


def test_a_job_without_a_proposal_says_so(app):
    from marketplace.kernel.outbox import Lease, Work

    with pytest.raises(ValueError, match="names no proposal"):
        jobs.preview_settings(Lease("matching.preview_settings", "t", (Work(1, None, None, {}, 1),)))


def test_a_seeker_that_is_over_is_not_previewed(need, operator, monkeypatch):
    id = propose("weights", REGIONAL, operator)
    subject = Subject(PostingKind.NEED, need.id)
    runs.close_seeker(subject)
    with transaction():
        db.session.execute(MatchRun.__table__.update().values(superseded_at=clock.now()))
    work_off()
    assert settings.get_setting("weights", id).preview["shortlists"] == 0
