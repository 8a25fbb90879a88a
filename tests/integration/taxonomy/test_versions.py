"""A maintainer's next version: seen before it holds, whole or not at all, never at the cost of a posting."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from marketplace.audit.models import AuditEvent
from marketplace.capabilities import queries as capability_queries
from marketplace.capabilities import services as capability_services
from marketplace.capabilities.models import Capability
from marketplace.identity.models import User
from marketplace.kernel import clock
from marketplace.kernel.actor import ANONYMOUS, Actor, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, Obstructed, StaleVersion
from marketplace.kernel.outbox import OutboxRow, begin, claim
from marketplace.matching import jobs, sources
from marketplace.matching.models import PostingKind
from marketplace.organisations.models import Membership
from marketplace.organisations.queries import actor_for
from marketplace.taxonomy import queries, services, sheets
from marketplace.taxonomy.models import Scheme, TaxonomyVersion
from tests import factories

SignIn = Callable[[Actor], FlaskClient]
CHAIN = """code,parent,name,stage,confirmed,source,successor
H,,标志性产业链,,1,试验,
H1,H,试验链,,0,试验,
H1-1,H1,棒材,上游,0,试验,
H1-2,H1,丝杠,中游,0,试验,
H1-3,H1,卡钳,下游,0,试验,
"""


def a_maintainer() -> Actor:
    return actor_for(factories.a_person(platform_role=PlatformRole.MAINTAINER), now=clock.now())


def edition(number: str, **values: object) -> services.Edition:
    fields = {"reason": "试验", "source": "试验文件", "valid_from": queries_day(), **values}
    return services.Edition(number=number, **fields)  # type: ignore[arg-type]


def queries_day() -> date:
    newest = queries.find_newest_version(Scheme.CHAIN)
    assert newest is not None
    return newest.valid_from


def take_over(scheme: Scheme, text: str, number: str, by: Actor) -> TaxonomyVersion:
    newest = queries.find_newest_version(scheme)
    assert newest is not None
    with transaction():
        said = edition(number, valid_from=newest.valid_from)
        return services.take_over(scheme, text, said, by=by, now=clock.now())


def export_of(scheme: Scheme) -> str:
    return sheets.write(queries.read_for_export(scheme))


def test_another_process_shows_visitors_a_new_name_at_once(
    app: Flask, make_app: Callable[..., Flask]
) -> None:
    """Each remembers the classification for a minute, but looks again before it makes a page to be kept."""
    maintainer, visitor = a_maintainer(), make_app().test_client()
    page = "/taxonomy/cluster/nodes/A"
    assert "智能网联新能源汽车" in visitor.get(page).text
    renamed = export_of(Scheme.CLUSTER).replace("智能网联新能源汽车", "智联新能源汽车")
    take_over(Scheme.CLUSTER, renamed, "2026", maintainer)
    assert "智联新能源汽车" in visitor.get(page).text


def test_a_chain_comes_in_by_page_and_postings_stand_on_its_links(app: Flask, as_user: SignIn) -> None:
    maintainer = a_maintainer()
    client = as_user(maintainer)
    assert "导入新版本" in client.get("/taxonomy/chain").text
    form = {"number": "2026-试", "valid_from": "2026-11-01", "reason": "补链", "source": "试验文件"}
    shown = client.post(
        "/workbench/taxonomy/chain/import",
        data={**form, "file": (io.BytesIO(CHAIN.encode("gb18030")), "chain.csv")},
    )
    assert shown.status_code == 200
    assert "启用新版本" in shown.text
    assert queries.list_chains() == []  # the difference was shown, and nothing else happened
    base = queries.find_newest_version(Scheme.CHAIN)
    assert base is not None
    accepted = {**form, "content": CHAIN, "base_id": str(base.id), "act": "accept"}
    assert client.post("/workbench/taxonomy/chain/import", data=accepted).status_code == 302
    again = client.post("/workbench/taxonomy/chain/import", data={**accepted, "number": "2026-又"})
    assert again.status_code == 409
    queries.forget_snapshot()
    assert queries.chain_link_pairs()[0] == ("H1-1", "上游 · 棒材", "试验链")

    sme = factories.an_sme()
    factories.a_capability(sme, chain_links=("H1-2", "H1-3"))
    factories.a_need(sme, chain_links=("H1-2",))
    challenge = factories.a_challenge(chain_links=("H1-3",))
    anyone = app.test_client()
    assert "试验链 · 下游 · 卡钳" in anyone.get(f"/challenges/{challenge.public_no}").text
    node = anyone.get("/taxonomy/chain/nodes/H1").text
    assert 'href="/capabilities?chain=H1"' in node
    for hall, chosen, count in (("capabilities", "H1", 1), ("needs", "H1-2", 1), ("challenges", "H1-3", 1)):
        listed = anyone.get(f"/{hall}?chain={chosen}").text
        assert f"共 <b>{count}</b>" in listed
    assert challenge.title not in anyone.get("/challenges?chain=H1-2").text
    # At two links of one chain it is one capability of the chain.
    counted = anyone.get("/capabilities").text
    assert "试验链<small> 1</small>" in counted
    assert "试验链 · 中游 · 丝杠<small> 1</small>" in counted
    editing = as_user(sme).get("/workbench/need-lists/QD-2026-0001/lines/new").text
    assert '<optgroup label="试验链">' in editing

    event = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "taxonomy.import")).one()
    assert event.detail["added"] == 4
    assert event.actor_name == maintainer.name
    compared = anyone.get("/taxonomy/chain/compare").text
    assert "H1-3 卡钳" in compared
    exported = anyone.get("/taxonomy/chain/export.csv")
    assert exported.data.startswith("\ufeffcode,parent".encode())
    assert anyone.get("/taxonomy/chain?version=2026").status_code == 200
    for missing in ("/taxonomy/none", "/taxonomy/chain/nodes/H9", "/taxonomy/chain?version=9"):
        assert anyone.get(missing).status_code == 404
    assert anyone.get("/workbench/taxonomy").status_code == 302
    assert as_user(sme).get("/workbench/taxonomy/chain/import").status_code == 403
    assert client.get("/workbench/taxonomy/trl/import").status_code == 404


def test_a_wrong_file_changes_nothing_and_every_fault_is_named(
    app: Flask, as_user: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "MOST_BYTES", 2048)
    client = as_user(a_maintainer())
    before = db.session.scalar(select(func.count()).select_from(TaxonomyVersion))
    form = {"number": "9", "valid_from": "2026-11-01", "reason": "试", "source": "试", "act": "accept"}
    broken = CHAIN + "H1-4,H9,多余,上游,1,试验,\nH1-3,H1,又一个,东边,也许,试验,\n"
    for file, expected in (
        (broken.encode(), ("上级代码不在本文件的有效节点中", "须为上游、中游或下游", "须为 1 或 0")),
        (b"\xff\xfe\x00\x81", ("UTF-8 或 GB18030",)),
        (b"a" * (sheets.MOST_BYTES + 1), ("文件最大 2 KB",)),
        (b"", ("请选择一个 CSV 文件",)),
    ):
        data = {**form, "file": (io.BytesIO(file), "x.csv" if file else "")}
        answer = client.post("/workbench/taxonomy/chain/import", data=data)
        assert answer.status_code == 422
        for words in expected:
            assert words in answer.text
        assert 'value="试"' in answer.text  # what was typed stays
    assert db.session.scalar(select(func.count()).select_from(TaxonomyVersion)) == before


def test_a_code_in_use_ends_only_with_a_successor_by_which_it_is_then_matched(app: Flask) -> None:
    maintainer = a_maintainer()
    old = factories.a_capability(clusters=("C5",))
    factories.a_need(clusters=("C4",))
    with transaction():
        now = clock.now()
        for row in db.session.scalars(select(OutboxRow).where(OutboxRow.done_at.is_(None))):
            row.done_at = now
    standing = export_of(Scheme.CLUSTER)
    without = "".join(line for line in standing.splitlines(True) if not line.startswith("C5,"))
    plan = services.plan_import(Scheme.CLUSTER, without)
    assert [fault.value for fault in plan.faults] == ["C5"]
    with pytest.raises(Obstructed):
        take_over(Scheme.CLUSTER, without, "不行", maintainer)
    ended = "".join(
        line.replace(",,,2024", ",,C4,2024") if line.startswith("C5,") else line
        for line in standing.splitlines(True)
    )
    for refused in (ANONYMOUS, factories.an_operator()):
        with pytest.raises(Forbidden):
            take_over(Scheme.CLUSTER, ended, "2026", refused)
    version = take_over(Scheme.CLUSTER, ended, "2026", maintainer)
    assert version.counts == {"added": 0, "changed": 0, "moved": 0, "ended": 1}
    with pytest.raises(StaleVersion), transaction():
        services.take_over(
            Scheme.CLUSTER, standing, edition("2027"), base_id=version.id - 1, by=maintainer, now=clock.now()
        )

    # Read as before by people, as its successor by the matcher, and no longer offered.
    assert queries.cluster_name("C5") == "轻纺"
    assert "C5" not in [code for code, _name, _tier in queries.cluster_pairs()]
    document = sources.read(PostingKind.CAPABILITY, [old.id], now=clock.now())[0]
    assert document.clusters == ("C4",)
    assert sources.list_carrying(*queries.list_touched_codes(version.id)) == [
        sources.Subject(PostingKind.CAPABILITY, old.id)
    ]
    # Asked to be repaired where it is edited, and before it can be published again.
    with pytest.raises(Obstructed, match="已停用"), transaction():
        manager = a_member_of(old)
        stored = capability_queries.get_own(old.public_no, actor=manager)
        capability_services.revise(
            stored,
            capability_services.draft_of(stored),
            version=stored.version,
            by=manager,
            now=clock.now(),
        )

    # What it touches is placed anew, in a bulk of its own with its progress.
    waiting = app.test_cli_runner().invoke(args=["match", "progress"])
    assert "分类变更后重新匹配　等待开始" in waiting.output
    batch = next(batch for batch in claim(max_batches=5) if batch.kind == "matching.taxonomy_changed")
    lease = begin(batch.kind, batch.ids, batch.token, holder="test")
    assert lease is not None
    jobs.taxonomy_changed(lease)
    row = db.session.get_one(OutboxRow, batch.ids[0])
    assert row.done_at is not None
    assert row.payload["total"] == row.payload["done"] == 1


def a_member_of(capability: Capability) -> Actor:
    user_id = db.session.scalar(
        select(Membership.user_id).where(Membership.organisation_id == capability.organisation_id)
    )
    return actor_for(db.session.get_one(User, user_id), now=clock.now())


def test_a_form_asks_for_the_repair_of_an_ended_code(app: Flask, as_user: SignIn) -> None:
    sme = factories.an_sme()
    need = factories.a_need(sme, "draft", clusters=("C5",))
    standing = export_of(Scheme.CLUSTER)
    ended = standing.replace("未见公开来源，待核实", "待核实")
    ended = "".join(
        line.replace(",,,2024", ",,C4,2024") if line.startswith("C5,") else line
        for line in ended.splitlines(True)
    )
    version = take_over(Scheme.CLUSTER, ended, "2026", a_maintainer())
    assert version.counts["changed"] == 17
    page = as_user(sme).get(f"/workbench/needs/{need.public_no}/edit")
    assert page.status_code == 200
    assert "“轻纺”已停用，由“新能源及新型储能”接替，请改选" in page.text
    assert "轻纺" in app.test_client().get("/taxonomy/cluster/nodes/C5").text
    assert queries.list_touched_codes(version.id) == (Scheme.CLUSTER, ("C5",))


def test_versions_are_kept_by_command_too(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "chain.csv"
    file.write_text(CHAIN, encoding="utf-8")
    runner = app.test_cli_runner()
    shown = runner.invoke(args=["taxonomy", "import", "chain", str(file)])
    assert shown.exit_code == 0
    assert "没有导入" in shown.output
    options = [
        "--number",
        "2",
        "--reason",
        "试",
        "--source",
        "试",
        "--author",
        "匡正",
        "--from",
        "2026-11-01",
    ]
    applied = runner.invoke(args=["taxonomy", "import", "chain", str(file), *options, "--apply"])
    assert "已启用 chain 2" in applied.output
    assert "匡正" in runner.invoke(args=["taxonomy", "versions", "chain"]).output
    assert "+ H1-2 丝杠" in runner.invoke(args=["taxonomy", "diff", "chain", "2026", "2"]).output
    out = tmp_path / "out.csv"
    runner.invoke(args=["taxonomy", "export", "chain", "--to", str(out)])
    unchanged = runner.invoke(args=["taxonomy", "import", "chain", str(out), *options, "--apply"])
    assert unchanged.exit_code == 1
    assert "没有差别" in unchanged.output
    file.write_text(CHAIN.replace("H1,H,", "H1,Q,"), encoding="utf-8")
    wrong = runner.invoke(args=["taxonomy", "import", "chain", str(file)])
    assert wrong.exit_code == 1
    assert "第 3 行 parent：Q" in wrong.output
