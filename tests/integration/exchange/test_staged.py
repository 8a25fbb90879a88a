"""A file on its way in, as people send it and as jobs read it: previewed, accepted, dropped, whole."""

import io
import json
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from marketplace.audit.models import AuditEvent
from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge, ChallengeAnnex
from marketplace.exchange import imports, jobs, staging, sweeps
from marketplace.exchange.columns import Money
from marketplace.exchange.models import (
    ColumnMapping,
    ExternalNumber,
    ImportStatus,
    StagedError,
    StagedImport,
    StagedRow,
)
from marketplace.exchange.presenters import what_it_says
from marketplace.exchange.targets import all_targets
from marketplace.kernel import clock, outbox
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow
from marketplace.needs import queries as needs
from marketplace.needs import services as need_services
from marketplace.needs.models import Need, NeedHiddenPrice
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.search.index import count_drift
from tests.integration.support import (
    a_code,
    a_leader,
    a_list,
    a_need_draft,
    an_auditor,
    an_editor,
    an_operator,
    an_organisation,
    client_of,
    footprint,
    today,
)

S = ImportStatus
CANARY = "CNRY-7731"


def work() -> None:
    """Do what the outbox holds of imports, as the workers would."""
    for _ in range(20):
        batches = [b for b in outbox.claim(max_batches=20, max_bulk=5) if b.kind.startswith("exchange.")]
        if not batches:
            return
        for batch in batches:
            lease = outbox.begin(batch.kind, batch.ids, batch.token, holder="test")
            assert lease is not None
            getattr(jobs, batch.kind.removeprefix("exchange."))(lease)
            db.session.rollback()


class Importing:
    """One person's browser, and the jobs behind it."""

    def __init__(self, app: Flask, actor: Actor, kind: str, scope: int | None = None) -> None:
        self.actor, self.kind, self.scope = actor, kind, scope
        self.browser: FlaskClient = client_of(app, actor)
        self.id = 0

    def send(self, content: str | bytes, name: str = "清单.csv") -> StagedImport:
        data = content.encode() if isinstance(content, str) else content
        form = {"file": (io.BytesIO(data), name), "scope": str(self.scope or "")}
        response = self.browser.post(f"/workbench/imports/new/{self.kind}", data=form)
        assert response.status_code == 302, response.text
        self.id = int(response.headers["Location"].rsplit("/", 1)[1])
        work()
        return self.staged

    @property
    def staged(self) -> StagedImport:
        db.session.expire_all()
        return db.session.get_one(StagedImport, self.id, populate_existing=True)

    @property
    def errors(self) -> list[tuple[int, str, str]]:
        rows = db.session.scalars(
            select(StagedError).where(StagedError.import_id == self.id).order_by(StagedError.id)
        )
        return [(row.line, row.column, row.cause) for row in rows]

    def counts(self) -> dict[str, int]:
        return {name: n for name, n in self.staged.counts.items() if n}

    def page(self, query: str = "") -> str:
        return self.browser.get(f"/workbench/imports/{self.id}{query}").text

    def accept(self, **form: str) -> StagedImport:
        assert self.browser.post(f"/workbench/imports/{self.id}/accept", data=form).status_code == 302
        work()
        return self.staged

    def columns(self, **form: str) -> int:
        return self.browser.post(f"/workbench/imports/{self.id}/columns", data=form).status_code


def needs_of(actor: Actor) -> dict[str, Need]:
    db.session.expire_all()
    ids = db.session.scalars(select(Need.id).where(Need.organisation_id == actor.organisation_id)).all()
    return {need.title: need for need in needs.list_whole(ids)}


@pytest.fixture
def editor(app: Flask) -> Actor:
    return an_editor()


@pytest.fixture
def importing(app: Flask, editor: Actor) -> Importing:
    return Importing(app, editor, "need", a_list(editor).id)


FIRST = (
    "外部编号,标的名称,数量,单位,最高限价（万元）,有效期,产业集群,规格指标,内部最高限价\n"
    "A-1,主轴管,１２,件,1.5,46800,智能网联新能源汽车,★径向跳动≤0.02 mm,\n"
    "A-2,轴承,3000,套,,2027年3月1日,A1、A2,,99元\n"
)


def test_a_list_is_previewed_taken_over_and_changed_by_the_next_file(
    app: Flask, importing: Importing
) -> None:
    editor = importing.actor
    before = footprint()
    staged = importing.send(FIRST.encode("gb18030"))
    assert (staged.status, importing.counts()) == (S.CHECKED, {"new": 2})
    assert footprint() == before or db.session.scalar(select(func.count()).select_from(Need)) == 0
    assert "主轴管" in importing.page()
    assert importing.accept().status is S.APPLIED
    found = needs_of(editor)
    shaft = found["主轴管"]
    assert shaft.quantity == 12
    assert shaft.max_price_fen == 1_500_000
    assert shaft.public_no.startswith("XQ-")
    assert [c.code for c in shaft.clusters] == ["A1"]
    assert shaft.indicators[0].value == Decimal("0.02")
    assert shaft.public_no.lower() in shaft.search_text
    # The hidden price stands in its own table only.
    assert found["轴承"].max_price_fen is None
    assert db.session.scalar(select(NeedHiddenPrice.max_price_fen)) == 9_900
    assert importing.staged.counts["new"] == 2
    assert db.session.scalar(select(func.count()).select_from(StagedRow)) == 0
    audited = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "exchange.apply")).one()
    assert audited.detail["sha256"] == importing.staged.sha256
    assert len(audited.detail["manifest"]) == 64
    assert not list(Path(app.config["INSTANCE_DIR"], "imports").iterdir())

    # The same file again: nothing to take over, and nothing is.
    importing.send(FIRST)
    assert importing.counts() == {"same": 2}
    assert "完全相同" in importing.page()
    refused = importing.browser.post(f"/workbench/imports/{importing.id}/accept")
    assert refused.status_code == 422

    # A later state of the list: one changed, one gone, one new; shown field by field before it counts.
    importing.send("外部编号,标的名称,数量\nA-2,轴承（加长）,3600\nA-3,壳体,5\n")
    assert importing.counts() == {"new": 1, "changed": 1, "missing": 1}
    page = importing.page("?show=changed")
    assert "轴承（加长）" in page
    assert "3600" in page
    assert "<del>3000</del>" in page
    assert "主轴管" in importing.page("?show=missing")
    assert importing.accept().status is S.APPLIED
    found = needs_of(editor)
    assert set(found) == {"主轴管", "轴承（加长）", "壳体"}
    bearing = found["轴承（加长）"]
    # What the file had no column for stays; the version counts the edit.
    assert (bearing.version, bearing.quantity, bearing.unit) == (2, 3600, "套")
    assert [c.code for c in bearing.clusters] == ["A1", "A2"]
    assert db.session.scalar(select(NeedHiddenPrice.max_price_fen)) == 9_900
    assert set(db.session.scalars(select(ExternalNumber.number))) == {"A-1", "A-2", "A-3"}


def test_a_preview_says_words_and_not_the_codes_that_are_stored(app: Flask) -> None:
    importing = Importing(app, an_editor(), "capability")
    staged = importing.send("能力名称,类别,所在地区\n壳体镗削,产品,500112\n")
    row = db.session.scalars(select(StagedRow).where(StagedRow.import_id == staged.id)).one()
    assert dict(what_it_says(row, staged)) == {"类别": "产品", "所在地区": "重庆市渝北区"}


def test_one_bad_row_keeps_all_others_out_and_every_fault_is_told(importing: Importing) -> None:
    lines = [f"零件{n},{n + 1},件" for n in range(600)]
    lines[432] = "坏零件,很多,件"
    lines[500] = "零件3,9,件"
    lines[501] = ",9,件"
    staged = importing.send("标的名称,数量,单位\n" + "\n".join(lines) + "\n")
    assert staged.status is S.FAULTY
    assert importing.counts() == {"new": 597, "wrong": 3}
    assert [(line, column) for line, column, _ in importing.errors] == [
        (434, "数量"),
        (502, "标的名称"),
        (503, "标的名称"),
    ]
    page = importing.page()
    assert "第 434 行" in page
    assert "很多" in page
    assert "第 5 行是同一条" in page
    assert "/accept" not in page
    assert importing.browser.post(f"/workbench/imports/{importing.id}/accept").status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Need)) == 0
    for format, start in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK")):
        told = importing.browser.post(
            f"/exports/exchange.errors?import={importing.id}", data={"format": format}
        )
        assert told.status_code == 200
        assert told.data.startswith(start)
        if format == "csv":
            assert told.text.count("\r\n") == 4
            assert "434,数量,很多,须为数字" in told.text
    others = client_of(importing.browser.application, an_editor())
    assert others.get(f"/workbench/imports/{importing.id}").status_code == 404
    assert others.post(f"/exports/exchange.errors?import={importing.id}").status_code == 404


def test_columns_are_assigned_by_hand_and_remembered(importing: Importing) -> None:
    staged = importing.send("货号,叫什么,要多少,备注\nX1,轴承,3,无\n")
    assert staged.status is S.UPLOADED
    assert importing.columns(**{"column-0": "external_no", "column-1": "external_no"}) == 422
    assert importing.columns(**{"column-0": "external_no"}) == 422  # the name is missing
    assert importing.columns(**{"column-0": "nobody", "column-1": "title"}) == 422
    chosen = {"column-0": "external_no", "column-1": "title", "column-2": "quantity"}
    assert importing.columns(**chosen) == 302
    work()
    assert importing.counts() == {"new": 1}
    importing.send("货号,叫什么,要多少,备注\nX1,轴承,4,无\n")
    assert importing.staged.mapping == ["external_no", "title", "quantity", ""]
    assert importing.staged.status is S.CHECKED


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_columns_that_are_assigned_twice_at_once_are_remembered_once(
    app: Flask, importing: Importing
) -> None:
    """Such as by a second click, or for two files with the same headings."""
    staged = importing.send("第一列,第二列\n主轴管,5\n")
    assert staged.status is S.UPLOADED
    failed: list[Exception] = []

    def assign(mapping: list[str]) -> None:
        imports.remember(staged, mapping, by=importing.actor, now=clock.now())
        db.session.flush()

    def assign_meanwhile() -> None:
        try:
            with app.app_context(), transaction():
                assign(["title", ""])
        except Exception as error:
            failed.append(error)

    second = Thread(target=assign_meanwhile)
    with transaction():
        assign(["title", "quantity"])
        second.start()
        # It waits for this commit, and goes on after it.
        second.join(0.5)
    second.join()
    assert not failed
    assert db.session.scalars(select(ColumnMapping.mapping)).all() == [["title", ""]]


def test_a_workbook_of_several_sheets_asks_which_and_where_the_headings_are(importing: Importing) -> None:
    book = openpyxl.Workbook()
    book.active.title = "封面"
    book.active.append(["封面"])
    data = book.create_sheet("明细")
    data.append(["2026 年清单"])
    data.append(["标的名称", "数量", "交货日期"])
    data.append(["轴承", 3.0, today() + timedelta(days=30)])
    out = io.BytesIO()
    book.save(out)
    staged = importing.send(out.getvalue(), "清单.xlsx")
    assert (staged.status, staged.sheet, staged.header_row) == (S.UPLOADED, "明细", 2)
    assert "明细" in importing.browser.get(f"/workbench/imports/{importing.id}/columns").text
    assert importing.columns(sheet="封面", header_row="1") == 302
    work()
    assert importing.staged.headings == ["封面"]
    assert importing.columns(sheet="明细", header_row="2") == 302
    work()
    form = {f"column-{n}": name for n, name in enumerate(importing.staged.mapping)}
    assert importing.columns(sheet="明细", header_row="2", **form) == 302
    work()
    assert importing.accept().status is S.APPLIED
    assert needs_of(importing.actor)["轴承"].delivery_on == today() + timedelta(days=30)


def test_what_is_published_is_revised_by_its_own_rules_and_ranked_once(
    importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = importing.actor
    titles = [f"主轴管第{n}种" for n in range(3)]
    for title in titles:
        with transaction():
            need_list = needs.get_own_list(
                db.session.scalars(select(needs.NeedList.public_no)).one(), actor=editor
            )
            need = need_services.start_draft(need_list, a_need_draft(title=title), by=editor, now=clock.now())
        with transaction():
            need_services.publish(needs.get_own(need.public_no, actor=editor), by=editor, now=clock.now())
    # A published line may not lose what it had to say.
    importing.send("标的名称,单位\n" + "".join(f"{title},\n" for title in titles))
    assert importing.staged.status is S.FAULTY
    assert importing.errors[0][1] == "计量单位"
    # More pieces of ranking than a few become one.
    monkeypatch.setattr("marketplace.postings.importing.MOST_RANKED_SINGLY", 1)
    with transaction():
        db.session.execute(update(OutboxRow).values(done_at=clock.now()))
    importing.send("标的名称,数量\n" + "".join(f"{title},77\n" for title in titles[:2]))
    assert importing.counts() == {"changed": 2, "missing": 1, "public": 2}
    assert importing.accept(withdraw="1").status is S.APPLIED
    found = needs_of(editor)
    assert [found[title].quantity for title in titles[:2]] == [77, 77]
    assert found[titles[2]].status == "withdrawn"
    asked = db.session.scalars(
        select(OutboxRow.kind).where(OutboxRow.kind.startswith("matching."), OutboxRow.done_at.is_(None))
    ).all()
    assert sorted(asked) == ["matching.rank_import", "matching.remove"]


def test_what_changed_since_the_preview_is_compared_anew(importing: Importing) -> None:
    importing.send(FIRST)
    importing.accept()
    importing.send("外部编号,数量,标的名称\nA-1,13,主轴管\n,5,新零件\n")
    with transaction():
        db.session.execute(update(Need).where(Need.title == "主轴管").values(version=Need.version + 1))
    staged = importing.accept()
    assert (staged.status, importing.counts()["new"]) == (S.CHECKED, 1)
    assert "已重新比对" in importing.page()
    assert "新零件" not in needs_of(importing.actor)
    assert importing.accept().status is S.APPLIED
    assert "新零件" in needs_of(importing.actor)


def test_what_was_published_or_ended_since_the_preview_is_compared_anew(importing: Importing) -> None:
    """None of these acts writes a new version of the text."""
    editor, row = importing.actor, "标的名称,数量\n主轴管第一种,{}\n"
    with transaction():
        number = db.session.scalars(select(needs.NeedList.public_no)).one()
        draft = a_need_draft(title="主轴管第一种")
        need_list = needs.get_own_list(number, actor=editor)
        public_no = need_services.start_draft(need_list, draft, by=editor, now=clock.now()).public_no
    importing.send(row.format(77))
    with transaction():
        need_services.publish(needs.get_own(public_no, actor=editor), by=editor, now=clock.now())
    assert importing.accept().status is S.CHECKED
    assert importing.counts() == {"changed": 1, "public": 1}
    assert importing.accept().status is S.APPLIED
    assert not any(count_drift().values())
    importing.send(row.format(78))
    operator = an_operator()
    with transaction():
        need = needs.get_need(public_no, viewer=operator)
        need_services.take_down(need, reason="含有不实内容", by=operator, now=clock.now())
    assert importing.accept().status is S.FAULTY
    # Nor is it to be changed while the operator reads it again.
    with transaction():
        need = needs.get_own(public_no, actor=editor)
        need_services.appeal(need, reason="已经改正了内容", by=editor, now=clock.now())
    assert importing.send(row.format(79)).status is S.FAULTY
    assert needs_of(editor)["主轴管第一种"].quantity == 77


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_rows_are_not_about_one_thing_nor_one_number_about_two(app: Flask, importing: Importing) -> None:
    importing.send(FIRST)
    importing.accept()
    shaft, bearing = (needs_of(importing.actor)[title].public_no for title in ("主轴管", "轴承"))
    importing.send("外部编号,标的名称,数量\nA-1,主轴管,13\n,主轴管,14\n")
    assert importing.errors == [(3, "标的名称", "与第 %(line)s 行是同一条")]
    importing.send(f"编号,外部编号,标的名称\n{shaft},A-2,主轴管\n")
    assert [error[1] for error in importing.errors] == ["外部编号"]
    assert f"这个外部编号已用于 {bearing}" in importing.page()
    # An own number names one thing of the organisation, in whichever list.
    other = Importing(app, importing.actor, "need", a_list(importing.actor, "另一年度的清单").id)
    assert other.send(FIRST).status is S.FAULTY
    assert f"这个外部编号已用于 {shaft}" in other.page()


def test_a_file_may_be_dropped_expires_and_is_not_for_those_who_may_no_more(
    app: Flask, importing: Importing
) -> None:
    importing.send(FIRST)
    assert importing.browser.post(f"/workbench/imports/{importing.id}/cancel").status_code == 302
    work()
    assert importing.staged.status is S.CANCELLED
    assert db.session.scalar(select(func.count()).select_from(StagedRow)) == 0
    importing.send(FIRST)
    with transaction():
        db.session.execute(update(StagedImport).values(expires_at=clock.now() - timedelta(seconds=1)))
    sweeps.sweep()
    work()
    assert importing.staged.status is S.EXPIRED
    assert db.session.scalar(select(func.count()).select_from(StagedRow)) == 0
    assert not list(staging.folder().iterdir())
    # What a killed request has left is nobody's; what is waited for stays, however old.
    importing.send(FIRST)
    (staging.folder() / "left").write_bytes(b"x")
    for path in staging.folder().iterdir():
        os.utime(path, (0, 0))
    (staging.folder() / "fresh").write_bytes(b"x")
    sweeps.sweep()
    assert {path.name for path in staging.folder().iterdir()} == {importing.staged.stored_name, "fresh"}
    # Rights are asked again by the job.
    importing.send(FIRST)
    assert importing.browser.post(f"/workbench/imports/{importing.id}/accept").status_code == 302
    from marketplace.organisations.models import Membership, MembershipStatus

    with transaction():
        db.session.execute(update(Membership).values(status=MembershipStatus.LEFT))
    work()
    assert importing.staged.status is S.FAILED
    assert db.session.scalar(select(func.count()).select_from(Need)) == 0


def test_a_check_that_was_overtaken_writes_nothing_more(importing: Importing) -> None:
    importing.send(FIRST)
    with transaction():
        db.session.execute(update(StagedImport).values(status=S.CHECKING, fence="other"))
    checker = staging.Checker(importing.staged, "mine", now=clock.now())
    with pytest.raises(staging.Overtaken):
        checker.run(lambda: None)


# --- other kinds ------------------------------------------------------------------------------------------


def test_every_kind_takes_its_own_template_and_its_own_export_back(app: Flask) -> None:
    leader, operator = a_leader(), an_operator()
    for kind, actor, own in (
        ("capability", leader, "capabilities.own"),
        ("challenge", leader, "challenges.own"),
        ("organisation", operator, ""),
        ("collected", operator, ""),
    ):
        importing = Importing(app, actor, kind)
        target = all_targets()[kind]
        for format in ("xlsx", "csv"):
            template = importing.browser.get(f"/workbench/imports/templates/{kind}.{format}")
            assert template.status_code == 200
        book = openpyxl.load_workbook(
            io.BytesIO(importing.browser.get(f"/workbench/imports/templates/{kind}.xlsx").data)
        )
        sheet = book.worksheets[0]
        # What the examples say is what the columns take.
        sheet.append([column.example or None for column in target.columns])
        out = io.BytesIO()
        book.save(out)
        # Of its own template nobody is asked which sheet and which columns they meant.
        importing.send(out.getvalue(), "表.xlsx")
        assert importing.counts() == {"new": 1}, (kind, importing.errors, importing.staged.message)
        assert importing.accept().status is S.APPLIED
        importing.send(out.getvalue(), "表.xlsx")
        assert importing.counts() == {"same": 1}, (kind, importing.errors)
        for format in ("xlsx", "csv") if own else ():
            exported = importing.browser.post(f"/exports/{own}", data={"format": format})
            importing.send(exported.data, f"导出.{format}")
            assert importing.counts() == {"same": 1}, (kind, format, importing.errors)
    challenge = db.session.scalars(select(Challenge).where(Challenge.title.startswith("800V"))).one()
    assert challenge.budget_fen == 300 * 10**6
    assert challenge.takers_wanted == 1
    assert db.session.scalar(select(func.count()).select_from(Capability)) == 1


def test_an_annex_comes_in_and_goes_out_for_its_owner_alone(app: Flask) -> None:
    leader = a_leader()
    importing = Importing(app, leader, "challenge")
    importing.send(f"榜单题目,保密附件\n高速轴承电腐蚀防护关键技术,{CANARY}\n")
    importing.accept()
    assert db.session.scalar(select(ChallengeAnnex.text)) == CANARY
    own = importing.browser.post("/exports/challenges.own", data={"format": "csv"}).text
    assert CANARY in own
    challenge = db.session.scalars(select(Challenge)).one()
    assert CANARY not in challenge.search_text
    assert challenge.publicity == "partial"
    for actor in (an_editor(), an_operator(), an_auditor()):
        browser = client_of(app, actor)
        for name in ("challenges.own", "challenges.hall", "challenges.review", "oversight.trail"):
            response = browser.post(f"/exports/{name}", data={"format": "csv"})
            assert CANARY not in response.text, (name, actor)
        assert browser.get(f"/workbench/imports/{importing.id}").status_code in (403, 404)


def test_a_register_names_new_firms_and_leaves_registered_ones_alone(app: Flask) -> None:
    registered = an_editor(name="渝江衡准仪表有限公司")
    operator = an_operator()
    importing = Importing(app, operator, "organisation")
    code = a_code(88)
    text = (
        "企业名称,统一社会信用代码,所在区县,称号\n"
        f"嘉陵抛磨服务中心,{code},重庆市渝北区,专精特新|渝专 2026-017|市经信委|2029-12-31\n"
        f"渝江衡准仪表有限公司,,重庆市九龙坡区,\n"
    )
    importing.send(text)
    assert importing.counts() == {"new": 1, "same": 1}
    assert "由其自行维护" in importing.page("?show=same")
    importing.accept()
    firm = db.session.scalars(select(Organisation).where(Organisation.uscc == code)).one()
    firm_id = firm.id
    assert (firm.status, firm.region) == ("unclaimed", "500112")
    assert firm.designations[0].confirmed_at is not None
    importing.send(text.replace("渝专 2026-017", "渝专 2026-018"))
    assert importing.counts() == {"changed": 1, "same": 1}
    importing.accept()
    db.session.expire_all()
    assert db.session.get_one(Organisation, firm_id).designations[0].number == "渝专 2026-018"
    unchanged = db.session.get_one(Organisation, registered.organisation_id)
    assert (unchanged.region, unchanged.version) == ("500112", 1)
    for actor in (registered, an_auditor()):
        assert client_of(app, actor).get("/workbench/imports/new/organisation").status_code in (403, 404)


def test_what_another_file_brought_in_since_the_preview_is_compared_anew(app: Flask) -> None:
    operator = an_operator()
    # Somebody who has only begun to register is in nobody's way.
    an_organisation("示例精工机械有限公司", status=OrganisationStatus.DRAFT)
    register, entries = "统一社会信用代码,单位名称\n", "编号,类别,标题,正文,单位名称\n"
    entry = "c-{0},challenge,薄壁壳体铣削颤振抑制{0},难点在让刀,示例仪表有限公司\n"
    for kind, first, second, counts in (
        (
            "organisation",
            f"{register}{a_code(9)},示例精工机械有限公司\n",
            f"{register}{a_code(9)},示例精工机械股份有限公司\n",
            {"changed": 1},
        ),
        (
            "collected",
            entries + entry.format(1),
            entries + entry.format(1) + entry.format(2),
            {"new": 1, "same": 1},
        ),
    ):
        earlier, later = Importing(app, operator, kind), Importing(app, operator, kind)
        earlier.send(first)
        later.send(second)
        assert earlier.accept().status is S.APPLIED
        assert (later.accept().status, later.counts()) == (S.CHECKED, counts)
        assert later.accept().status is S.APPLIED


def test_the_command_does_what_the_pages_do(app: Flask, tmp_path: Path) -> None:
    editor = an_editor(name="缙云山精密机械有限公司")
    need_list = a_list(editor)
    file = tmp_path / "清单.jsonl"
    lines = [{"标的名称": "轴承", "数量": 12, "外部编号": "A-1"}, {"标的名称": "壳体", "数量": "三"}]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    told = tmp_path / "错误.csv"
    args = [
        "import", str(file), "--as", "need",
        "--organisation", "缙云山精密机械有限公司", "--list", need_list.public_no,
    ]  # fmt: skip
    runner = app.test_cli_runner()
    failed = runner.invoke(args=[*args, "--errors", str(told)])
    assert failed.exit_code == 1
    assert "第 2 行 数量" in failed.output
    assert "三" in told.read_text("utf-8-sig")
    file.write_text(json.dumps(lines[0], ensure_ascii=False), encoding="utf-8")
    assert "未写入" in runner.invoke(args=[*args, "--dry-run"]).output
    assert db.session.scalar(select(func.count()).select_from(Need)) == 0
    db.session.rollback()
    assert "已导入" in runner.invoke(args=args).output
    db.session.rollback()
    assert "完全相同" in runner.invoke(args=args).output
    db.session.rollback()
    assert db.session.scalar(select(Need.title)) == "轴承"
    assert runner.invoke(args=["import", str(file), "--as", "nothing"]).exit_code == 1


# --- hostile values ---------------------------------------------------------------------------------------

HOSTILE = [
    "=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\t=1", "＝1", "'=1",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{7*7}}", "${7*7}", "%(title)s", "%s%n",
    "' OR 1=1 --", "Robert'); DROP TABLE need;--", "\\", "../../etc/passwd", "C:\\con", "null", "None", "NaN",
    "Infinity", "1e999", "-1", "0", "99999999999999999999999999", "0.0000000000001", "１２３", "²", "一万",
    "2026-02-30", "9999-12-31", "0000-00-00", "46348", "true", "|", "||||||||||||", "★|a|≥|x", "a|b|c\nd|e|f",
    "甲、乙、丙、丁、戊、己、庚、辛、壬、癸、子", "\u202eevil", "\u200b", "\ufeff", "a\x00b", "a\x1bb",
    "\ufffd", "\U0002a6d6",
    "e\u0301", "🙂", "א", " ", "　", "长" * 9000, "a" * 33000, "行\n" * 300, "(a+)+$", "500112", "A1", "火星",
    "13800000000", "2026年13月1日",
]  # fmt: skip


def as_lines(rows: list[dict[str, str]]) -> str:
    """JSONL whose first line names every column and whose others leave out what is empty."""
    kept = [rows[0], *({name: cell for name, cell in row.items() if cell} for row in rows[1:])]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in kept)


@pytest.mark.parametrize("kind", ["need", "capability", "challenge", "organisation", "collected"])
def test_each_column_takes_or_refuses_hostile_values_in_words(app: Flask, kind: str) -> None:
    """A workbook with a row for each value in each column: every cell ends as a value or as a named fault."""
    platform = kind in ("organisation", "collected")
    actor = an_operator() if platform else a_leader()
    importing = Importing(app, actor, kind, a_list(actor).id if kind == "need" else None)
    target = all_targets()[kind]
    lines = []
    for place, _column in enumerate(target.columns):
        # The longest ones in a few columns: what a client sends must fit into its memory.
        for value in HOSTILE if place < 4 else [v for v in HOSTILE if len(v) < 5_000]:
            cells = [c.example if c.required else "" for c in target.columns]
            title = [c.name for c in target.columns].index(target.title)
            cells[title] = f"第{len(lines)}行"
            if kind == "collected":
                cells[0] = f"H-{len(lines)}"
            cells[place] = value
            lines.append(dict(zip([c.label for c in target.columns], cells, strict=True)))
    content = as_lines(lines)
    staged = importing.send(content, "恶意.jsonl")
    if staged.status is S.UPLOADED:
        assert (
            importing.columns(
                header_row="0", **{f"column-{n}": name for n, name in enumerate(staged.mapping)}
            )
            == 302
        )
        work()
    assert importing.staged.status is S.FAULTY, importing.staged.message
    told = {}
    for line, label, cause in importing.errors:
        told.setdefault(line, (label, cause))
    assert len(told) == importing.staged.counts["wrong"] > len(lines) // 4
    assert all(label and cause for label, cause in told.values())
    assert importing.browser.get(f"/workbench/imports/{importing.id}").status_code == 200
    faults = importing.browser.post(f"/exports/exchange.errors?import={importing.id}", data={"format": "csv"})
    assert faults.status_code == 200
    assert "\n=" not in faults.text
    assert ",=" not in faults.text
    # What was not refused can all be stored.
    good = [line for number, line in enumerate(lines, start=1) if number not in told]
    importing.send(as_lines(good), "善意.jsonl")
    if importing.staged.status is S.UPLOADED:
        mapping = importing.staged.mapping
        assert importing.columns(header_row="0", **{f"column-{n}": m for n, m in enumerate(mapping)}) == 302
        work()
    assert importing.staged.status is S.CHECKED, importing.errors[:3]
    assert importing.accept().status is S.APPLIED, importing.staged.message


def test_amounts_have_a_unit_in_every_target() -> None:
    """A column of amounts without a usual unit would be guessed at."""
    amounts = [c for t in all_targets().values() for c in t.columns if isinstance(c.codec, Money)]
    assert amounts
    assert all(column.codec.usual in column.units for column in amounts)


def test_uploads_are_bounded_and_told_why(
    app: Flask, importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sent(content: bytes, name: str) -> tuple[int, str]:
        form = {"file": (io.BytesIO(content), name), "scope": str(importing.scope)}
        response = importing.browser.post("/workbench/imports/new/need", data=form)
        return response.status_code, response.text

    assert sent(b"x", "a.pdf")[0] == 422
    assert sent(b"", "a.csv")[0] == 422
    monkeypatch.setattr(imports, "LARGEST_FILE", 10)
    status, page = sent(b"x" * 11, "a.csv")
    assert status == 422
    assert "文件最大" in page
    monkeypatch.undo()
    assert importing.browser.post("/workbench/imports/new/need", data={}).status_code == 422
    wrong_list = {"file": (io.BytesIO(b"a"), "a.csv"), "scope": "999999"}
    assert importing.browser.post("/workbench/imports/new/need", data=wrong_list).status_code == 422
    assert not list(staging.folder().iterdir())
    importing.send(b"\x00\xff\xfe", "a.csv")
    assert importing.staged.status is S.FAILED
    assert importing.staged.message
    importing.send(b"PK\x03\x04nothing", "../..\\a.xlsx")
    assert importing.staged.status is S.FAILED
    assert "/" not in importing.staged.file_name
