"""`flask import FILE`: all or nothing, once, told by line and field; nothing tells who solved what."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update

from marketplace.audit.models import AuditEvent
from marketplace.capabilities import queries as capabilities
from marketplace.capabilities.models import Capability
from marketplace.challenges import queries as challenges
from marketplace.challenges.models import Challenge
from marketplace.exchange.models import ImportBatch
from marketplace.exchange.readers import read_jsonl
from marketplace.exchange.services import import_collected
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden
from marketplace.kernel.outbox import OutboxRow
from marketplace.needs import queries as needs
from marketplace.needs.models import Need, NeedList
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from tests.integration.support import an_editor, client_of, footprint

SOURCE = {"source_title": "某市经信局 2026 年攻关成果汇编", "source_url": "https://example.org/2026"}
ENTRIES: list[dict[str, Any]] = [
    {
        "id": "T001",
        "kind": "challenge",
        "title": "薄壁壳体铣削颤振抑制",
        "text": "壁厚 1.2 mm 的壳体铣削时振纹明显，要求粗糙度 Ra 不大于 0.8 μm。由江北振动研究所揭榜。",
        "org": "渝江衡准仪表有限公司(发榜) / 江北振动研究所(揭榜)",
        "extra": {"solved_by": "江北振动研究所", "level": "市级"},
        **SOURCE,
    },
    {
        "id": "T002",
        "kind": "capability",
        "title": "薄壁件在线振动监测",
        "text": "江北振动研究所为渝江衡准建了在线监测装置，采样率 50 kHz，可提前两刀预报颤振。",
        "org": "江北振动研究所",
        "extra": {"trl": "7", "maturity": "试量产", "keywords": "颤振、在线监测,12"},
        **SOURCE,
    },
    {
        "id": "T003",
        "kind": "supply_need",
        "title": "硬质合金立铣刀",
        "text": "四刃，直径 8 mm，涂层，用于铝合金薄壁件精铣。",
        "org": "渝江衡准仪表有限公司",
        "extra": {"qty": 1200, "unit": "支", "total_limit_yuan": "86000"},
        **SOURCE,
    },
    {"id": "T004", "kind": "capability", "title": "高温合金叶片抛磨", "org": "嘉陵抛磨服务中心"},
]


@dataclass
class Importing:
    app: Flask
    folder: Path

    def write(self, *entries: Any) -> Path:
        file = self.folder / "entries.jsonl"
        lines = (e if isinstance(e, str) else json.dumps(e, ensure_ascii=False) for e in entries)
        file.write_text("\n".join(lines), encoding="utf-8")
        return file

    def run(self, *entries: Any, options: tuple[str, ...] = ()) -> Result:
        file = self.write(*entries)
        result = self.app.test_cli_runner().invoke(args=["import", str(file), *options])
        db.session.rollback()
        db.session.expire_all()
        return result


@pytest.fixture
def importing(app: Flask, tmp_path: Path) -> Importing:
    return Importing(app, tmp_path)


def test_a_dry_run_says_what_would_come_in_and_writes_nothing(importing: Importing) -> None:
    before = footprint()
    result = importing.run(*ENTRIES, options=("--dry-run",))
    assert result.exit_code == 0, result.output
    assert "未写入" in result.output
    assert "4 条：能力成果 2，榜单 1，需求 1；仅有标题 1 条；单位 3 家" in result.output
    assert footprint() == before


def test_everything_comes_in_with_its_source(importing: Importing) -> None:
    result = importing.run(*ENTRIES)
    assert result.exit_code == 0, result.output
    challenge = db.session.scalars(select(Challenge)).one()
    need = db.session.scalars(select(Need)).one()
    capability, bare = db.session.scalars(select(Capability).order_by(Capability.id))
    assert [challenge.source_id, need.source_id, capability.source_id, bare.source_id] == [
        "T001",
        "T003",
        "T002",
        "T004",
    ]
    for posting in (challenge, need, capability, bare):
        assert posting.status.value == "collected"
        assert posting.published_at is not None
    assert challenge.source_title == SOURCE["source_title"]
    assert challenge.source_extra == ENTRIES[0]["extra"]
    assert (need.quantity, need.unit) == (1200, "支")
    assert (capability.trl, capability.maturity, capability.keywords) == (7, "pilot", ["颤振", "在线监测"])
    assert (bare.title_only, bare.summary, capability.title_only) == (True, "", False)


def test_organisations_come_in_once_and_unclaimed(importing: Importing) -> None:
    importing.run(*ENTRIES)
    found = db.session.scalars(select(Organisation).order_by(Organisation.name))
    assert {(o.name, o.status, o.uscc) for o in found} == {
        (name, OrganisationStatus.UNCLAIMED, None)
        for name in ("嘉陵抛磨服务中心", "江北振动研究所", "渝江衡准仪表有限公司")
    }


def test_an_import_is_one_audited_act_with_one_piece_of_work(importing: Importing) -> None:
    importing.run(*ENTRIES)
    batch = db.session.scalars(select(ImportBatch)).one()
    row = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "exchange.import")).one()
    assert (row.subject_kind, row.subject_id, row.actor_role) == ("import_batch", batch.id, "operator")
    assert row.detail["sha256"] == batch.sha256
    assert row.detail["counts"] == batch.counts == {"capability": 2, "challenge": 1, "supply_need": 1}
    work = db.session.execute(select(OutboxRow.kind, OutboxRow.subject_id, OutboxRow.bulk)).all()
    assert [tuple(w) for w in work] == [("matching.rank_import", batch.id, True)]


def test_the_same_file_a_second_time_changes_nothing(importing: Importing) -> None:
    importing.run(*ENTRIES)
    before = footprint()
    result = importing.run(*ENTRIES)
    assert result.exit_code == 0
    assert "已经收录过" in result.output
    assert footprint() == before


def test_errors_are_told_by_line_and_field_and_nothing_comes_in(importing: Importing) -> None:
    before = footprint()
    bad = ENTRIES[0] | {"kind": "wish", "title": ""}
    result = importing.run(ENTRIES[1], "", bad, "{", ENTRIES[1])
    assert result.exit_code == 1
    for told in ("第 3 行 kind：", "第 3 行 title：至少 1 字", "第 4 行 整行：", "第 5 行 id：", "4 处错误"):
        assert told in result.output
    assert footprint() == before


def test_ids_that_came_in_before_are_told_by_the_line_of_the_file(importing: Importing) -> None:
    importing.run(*ENTRIES)
    before = footprint()
    result = importing.run(ENTRIES[3] | {"id": "T900"}, "", "", ENTRIES[0])
    assert result.exit_code == 1
    assert "第 4 行 id：编号 T001 已收录" in result.output
    assert footprint() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "a\x00b"}, "text"),
        ({"title": "断\ud800裂"}, "title"),
        ({"lang": "zh\x00"}, "lang"),
        ({"extra": {"note": "a\x00b"}}, "extra"),
        ({"extra": {"a\x00b": 1}}, "extra"),
        ({"extra": {"deep": [[[[["很深"]]]]]}}, "extra"),
        ({"text": "长" * 20_001}, "text"),
        ({"org": " "}, "org"),
    ],
)
def test_what_a_database_cannot_keep_is_refused_by_name(
    importing: Importing, change: dict[str, Any], field: str
) -> None:
    before = footprint()
    result = importing.run(ENTRIES[0], json.dumps(ENTRIES[1] | change))
    assert result.exit_code == 1
    assert f"第 2 行 {field}：" in result.output
    assert footprint() == before


def test_numbers_that_are_none_are_refused_or_left_unstated(importing: Importing) -> None:
    endless = json.dumps(ENTRIES[1]).replace('"7"', "1e999")
    assert "第 1 行 extra：" in importing.run(endless).output
    odd = [
        ENTRIES[2] | {"id": f"Q{n}", "extra": {"qty": quantity, "unit": {"no": "text"}}}
        for n, quantity in enumerate(("1e300", "-3", "0", "0.00000001", "约三百", True, "NaN", None))
    ]
    assert importing.run(*odd).exit_code == 0
    assert {(need.quantity, need.unit) for need in db.session.scalars(select(Need))} == {(None, "")}


def test_a_damaged_write_leaves_nothing(importing: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    before = footprint()

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("marketplace.exchange.services.defer", fail)
    assert importing.run(*ENTRIES).exit_code == 1
    assert footprint() == before


def test_only_an_operator_or_the_system_imports(importing: Importing) -> None:
    reading = read_jsonl(importing.write(*ENTRIES))
    editor = an_editor()
    with pytest.raises(Forbidden), transaction():
        import_collected(reading, by=editor, now=clock.now())
    with transaction():
        import_collected(reading, by=SYSTEM, now=clock.now())
    assert db.session.scalars(select(Challenge)).one()


def test_what_was_collected_is_shown_with_its_source_and_never_open_to_be_taken_up(
    importing: Importing,
) -> None:
    importing.run(*ENTRIES)
    client = importing.app.test_client()
    pages = [
        (f"/challenges/{db.session.scalars(select(Challenge.public_no)).one()}", "T001"),
        (f"/needs/{db.session.scalars(select(Need.public_no)).one()}", "T003"),
    ]
    for public_no, source_id in db.session.execute(select(Capability.public_no, Capability.source_id)):
        pages.append((f"/capabilities/{public_no}", source_id))
    for path, source_id in pages:
        page = client.get(path).text
        assert "收录条目" in page, path
        assert source_id in page
        assert ("仅有标题" in page) == (source_id == "T004")
        if source_id != "T004":
            assert SOURCE["source_title"] in page
            assert 'href="https://example.org/2026"' in page
    now = clock.now()
    open_now = select(Challenge.id).where(challenges.taken_up_at(now))
    assert db.session.scalars(open_now).all() == []
    # Shown and ranked all the same.
    assert needs.list_open_ids(now) != []
    assert len(capabilities.list_open_ids()) == 2


def test_a_collected_posting_can_be_turned_by_nobody(importing: Importing) -> None:
    importing.run(*ENTRIES)
    public_no = db.session.scalars(select(Need.public_no)).one()
    editor = an_editor()
    client = client_of(importing.app, editor)
    for action in ("publish", "withdraw", "take_down"):
        assert client.post(f"/needs/{public_no}/{action}", data={"reason": "x"}).status_code in (403, 409)
    # Not even by members of the organisation that it names, were it to become theirs.
    with transaction():
        db.session.execute(update(Need).values(organisation_id=editor.organisation_id))
        db.session.execute(update(NeedList).values(organisation_id=editor.organisation_id))
    for action in ("publish", "withdraw", "take_down"):
        assert client.post(f"/needs/{public_no}/{action}", data={"reason": "x"}).status_code in (403, 409)


def test_a_source_that_is_no_web_address_becomes_no_link(importing: Importing) -> None:
    importing.run(ENTRIES[3] | {"source_url": "javascript:alert(1)", "source_title": "某处"})
    public_no = db.session.scalars(select(Capability.public_no)).one()
    page = importing.app.test_client().get(f"/capabilities/{public_no}").text
    assert "某处" in page
    assert "javascript:" not in page


def test_who_solved_a_challenge_reaches_no_matchable_text(importing: Importing) -> None:
    importing.run(*ENTRIES)
    now = clock.now()
    documents = [
        *challenges.read_matchables(challenges.list_open_ids(now), now=now),
        *needs.read_matchables(needs.list_open_ids(now), now=now),
        *capabilities.read_matchables(capabilities.list_open_ids(), now=now),
    ]
    assert len(documents) == 4
    told = repr(documents)
    assert "铣削时振纹明显" in told
    for secret in ("江北振动研究所", "江北振动", "揭榜", "渝江衡准", "solved_by", "市级", "86000"):
        assert secret not in told, secret
