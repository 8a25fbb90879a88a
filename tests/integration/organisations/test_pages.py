"""The pages of organisations, as people use them: register, join, edit, verify, look up."""

import io
import re
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.attachments.models import Attachment
from marketplace.identity import services as identity
from marketplace.identity.models import User
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.organisations import queries, services
from marketplace.organisations.kinds import OrganisationSize
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Designation, Membership, Organisation
from marketplace.organisations.rules import step_of
from tests.factories import a_scan, hand_in_licence

CODE, OTHER_CODE = "91110000600037341L", "91510100MA61XWK114"
WHOLE = {
    "name": "重庆巴渡新能源汽车股份有限公司",
    "uscc": CODE,
    "kind": "enterprise",
    "size": "large",
    "region": "500112",
    "clusters": ["A1", "E2"],
    "summary": "整车企业，在渝北和万州各有一座整车工厂，自有五大工艺。",
    "contact_name": "联系人廖",
    "contact_phone": "13811112222",
    "contact_email": "secret-contact@example.com",
    "website": "https://badu.example.com",
    "designations-0-kind": "chain_master",
    "designations-0-number": "渝链主2024-003",
    "designations-0-issuer": "某委员会",
    "designations-0-valid_to": "2099-01-01",
}
CHECKS = ["licence", "identity", "size", "contact"]
_numbers = count(1)


def user(role: PlatformRole | None = None) -> User:
    person = Person(f"u{next(_numbers)}@example.com", "廖启航", "", "!")
    with transaction():
        return identity.create_user(person, by=SYSTEM, now=clock.now(), platform_role=role)


def browser(app: Flask, who: User) -> FlaskClient:
    """Somebody signed in, without the cost of a password."""
    client = app.test_client()
    with transaction():
        token = identity.open_session(
            db.session.get_one(User, who.id), user_agent="", replaces=None, now=clock.now()
        )
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    return client


def version() -> int:
    return db.session.scalars(select(Organisation.version)).one()


def fill(client: FlaskClient, step: str, **values: Any):
    """One step as a browser sends it."""
    fields = {name: text for name, text in WHOLE.items() if step_of(name.partition("-")[0]) == step}
    sent = {**fields, "version": version(), "then": "next", **values}
    return client.post(f"/workbench/organisation/edit/{step}", data=sent)


def bring_licence(client: FlaskClient):
    return client.post(
        f"/attachments/organisation/{organisation_id()}/licence",
        data={"files": (io.BytesIO(a_scan()), "营业执照.png")},
    )


def submit(client: FlaskClient, **values: str):
    sent = {"version": version(), "truthful": "y", **values}
    return client.post("/workbench/organisation/submit", data=sent)


def register_whole(client: FlaskClient) -> None:
    """Every step in turn, to the queue of the operators."""
    for step in ("basics", "contact", "designations"):
        assert fill(client, step).status_code == 302
    assert bring_licence(client).status_code == 302
    assert submit(client).status_code == 302


def status() -> OrganisationStatus:
    return db.session.scalars(select(Organisation.status)).one()


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    """Somebody who has just begun to register an organisation."""
    client = browser(app, user())
    client.post("/workbench/organisation/register", data={"uscc": CODE, "name": WHOLE["name"]})
    return client


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return browser(app, user(PlatformRole.OPERATOR))


def organisation_id() -> int:
    return db.session.scalars(select(Organisation.id)).one()


def verify(operator: FlaskClient) -> None:
    ids = [str(d.id) for d in db.session.scalars(select(Organisation)).one().designations]
    sent = {"confirmed": ids, "version": version(), "checked": CHECKS}
    page = operator.post(f"/workbench/verification/{organisation_id()}/verify", data=sent)
    assert page.status_code == 302


def test_registering_asks_for_the_code_first(app: Flask) -> None:
    client = browser(app, user())
    assert client.get("/workbench/organisation").headers["Location"].endswith("/register")
    assert client.get("/workbench/organisation/register").status_code == 200
    wrong = client.post("/workbench/organisation/register", data={"uscc": "911100006000373411", "name": "厂"})
    assert wrong.status_code == 422
    assert "校验位不符" in wrong.text
    assert 'value="911100006000373411"' in wrong.text
    fine = client.post(
        "/workbench/organisation/register",
        data={"uscc": "９１１１００００６０００３７３４１ｌ", "name": "厂"},
    )
    assert fine.headers["Location"] == "/workbench/organisation/edit"
    assert client.get("/workbench/organisation/edit").headers["Location"].endswith("/edit/basics")
    assert db.session.scalars(select(Organisation.uscc)).one() == CODE


def test_a_draft_is_kept_step_by_step_and_resumed_where_something_is_missing(manager: FlaskClient) -> None:
    saved = fill(manager, "basics", summary="短", clusters=[])
    assert saved.headers["Location"].endswith("/edit/contact")
    assert db.session.scalars(select(Organisation.summary)).one() == "短"
    page = manager.get("/workbench/organisation/edit/basics").text
    for message in ("“单位简介”至少 20 个字，现有 1 个", "请至少选择一个“所属产业集群”"):
        assert message in page
    assert fill(manager, "contact").status_code == 302
    bar = manager.get("/workbench/organisation/edit/designations").text
    assert "2 处待改" in bar
    assert manager.get("/workbench/organisation/edit").headers["Location"].endswith("/edit/basics")
    assert fill(manager, "basics").status_code == 302
    assert manager.get("/workbench/organisation/edit").headers["Location"].endswith("/edit/files")
    confirm = manager.get("/workbench/organisation/edit/confirm").text
    assert "还有 1 处需要补齐" in confirm
    assert '<a href="/workbench/organisation/edit/files#licence">请上传“营业执照”</a>' in confirm
    refused = submit(manager)
    assert refused.status_code == 422
    assert status() is OrganisationStatus.DRAFT
    assert bring_licence(manager).status_code == 302
    assert "请勾选“信息真实”后再提交" in submit(manager, truthful="").text
    assert submit(manager).headers["Location"] == "/workbench/organisation"
    assert status() is OrganisationStatus.PENDING
    # What is being verified stays as it is, and so do its papers.
    assert manager.get("/workbench/organisation/edit/basics").status_code == 302
    assert fill(manager, "basics").status_code == 409
    assert bring_licence(manager).status_code == 404


def test_the_size_is_hinted_from_figures_that_stay_confidential(
    client: FlaskClient, manager: FlaskClient, operator: FlaskClient
) -> None:
    figures = {"employees": "350", "revenue_fen": "2,500"}
    fill(manager, "basics", **figures, then="stay")
    page = manager.get("/workbench/organisation/edit/basics").text
    assert "工业企业划为中型" in page
    assert fill(manager, "basics", **figures, then="adopt").status_code == 302
    assert db.session.scalars(select(Organisation.size)).one() is OrganisationSize.MEDIUM
    fill(manager, "contact")
    bring_licence(manager)
    submit(manager)
    review = operator.get(f"/workbench/verification/{organisation_id()}").text
    assert "按申报数字为中型，与所选一致" in review
    verify(operator)
    public = client.get(f"/organisations/{organisation_id()}").text
    assert "中型" in public
    for hidden in ("350", "2500", "2,500", "从业人员", "营业执照"):
        assert hidden not in public


def test_the_licence_is_for_its_own_members_and_those_who_verify(
    app: Flask, client: FlaskClient, manager: FlaskClient, operator: FlaskClient
) -> None:
    register_whole(manager)
    verify(operator)
    key = db.session.scalars(select(Attachment.key)).one()
    stranger, auditor = browser(app, user()), browser(app, user(PlatformRole.AUDITOR))
    for who, expected in ((manager, 200), (operator, 200), (auditor, 200), (stranger, 404), (client, 404)):
        with who.get(f"/files/{key}") as answer:
            assert answer.status_code == expected
    assert operator.post(f"/attachments/{key}/remove").status_code == 404


def test_bad_input_is_refused_beside_its_field_and_kept(manager: FlaskClient) -> None:
    page = fill(manager, "basics", website="x" * 201, name="a\x00b", employees="三百")
    assert page.status_code == 422
    for message in ("“网址”最多 200 个字，现有 201 个", "“单位名称”含有控制字符", "“从业人员”须为整数"):
        assert message in page.text
    assert "x" * 201 in page.text
    page = fill(manager, "contact", region="999999", contact_phone="12")
    assert page.status_code == 422
    assert "请从列表中选择“所在地区”" in page.text
    assert "“联系电话”不是有效的电话号码" in page.text


def test_an_obstacle_points_at_the_row_it_is_about(manager: FlaskClient) -> None:
    rows = {
        "designations-0-kind": "",
        "designations-0-number": "",
        "designations-0-issuer": "",
        "designations-0-valid_to": "",
        "designations-1-kind": "leader",
        "designations-1-number": "渝领2024-1",
        "designations-1-issuer": "某委员会",
        "designations-2-kind": "leader",
    }
    page = fill(manager, "designations", **rows)
    assert page.status_code == 422
    assert '<a href="#designations-2-kind">“领军企业”只能填一次</a>' in page.text


def test_a_row_is_added_without_scripts_and_nothing_is_lost(manager: FlaskClient) -> None:
    page = fill(manager, "designations", add_row="designations")
    assert page.status_code == 200
    assert "designations-1-number" in page.text
    assert "渝链主2024-003" in page.text
    assert db.session.scalars(select(Designation.id)).all() == []


def test_a_second_person_of_a_code_asks_to_join(app: Flask, manager: FlaskClient) -> None:
    register_whole(manager)
    second = browser(app, user())
    start = {"uscc": CODE, "name": "随便写的名字"}
    led = second.post("/workbench/organisation/register", data=start).headers["Location"]
    assert led == f"/workbench/organisation/join/{CODE}"
    shown = second.get(led).text
    assert WHOLE["name"] in shown
    assert "@example.com" not in shown
    assert second.post(led, data={"role": "manager"}).status_code == 422
    assert second.post(led, data={"role": "editor"}).status_code == 302
    assert "等待" in second.get("/workbench/organisation").text
    membership_id = db.session.scalars(select(Membership.id).order_by(Membership.id.desc())).first()
    address = f"/workbench/organisation/members/{membership_id}"
    assert second.post(f"{address}/accept", data={"role": "manager"}).status_code == 403
    assert "申请加入" in manager.get("/workbench/organisation").text
    assert manager.post(f"{address}/accept", data={"role": "nonsense"}).status_code == 422
    assert manager.post(f"{address}/accept", data={"role": "reader"}).status_code == 302
    assert WHOLE["name"] in second.get("/workbench/organisation").text
    assert second.get("/workbench/organisation/edit").status_code == 403


def test_the_last_manager_cannot_go(manager: FlaskClient) -> None:
    membership_id = db.session.scalars(select(Membership.id)).one()
    for path, data in (
        (f"/workbench/organisation/members/{membership_id}/remove", {}),
        (f"/workbench/organisation/members/{membership_id}/role", {"role": "reader"}),
        ("/workbench/organisation/leave", {}),
    ):
        page = manager.post(path, data=data)
        assert page.status_code == 422
        assert "至少要有一名管理员" in page.text


def test_the_operator_ticks_a_checklist_or_returns_with_reasons_at_the_fields(
    manager: FlaskClient, operator: FlaskClient
) -> None:
    register_whole(manager)
    assert WHOLE["name"] in operator.get("/workbench/verification").text
    address = f"/workbench/verification/{organisation_id()}"
    page = operator.get(address).text
    for declared in (CODE, "渝链主2024-003", "某委员会", "13811112222", "重庆市渝北区", "智能网联新能源汽车"):
        assert declared in page
    assert operator.post(f"{address}/return", data={"reason": "", "version": version()}).status_code == 422
    sent = {"reason": "", "reason-contact_phone": "电话是空号", "version": version()}
    assert operator.post(f"{address}/return", data=sent).status_code == 302
    assert "请按逐项意见补正" in manager.get("/workbench/organisation").text
    mending = manager.get("/workbench/organisation/edit/contact").text
    assert '<a href="#contact_phone">核验意见：电话是空号</a>' in mending
    assert "电话是空号" not in manager.get("/workbench/organisation/edit/basics").text
    assert submit(manager).status_code == 302
    partly = operator.post(f"{address}/verify", data={"version": version(), "checked": CHECKS[:3]})
    assert partly.status_code == 422
    assert "请先核对：联系人和联系电话可以联系到该单位" in partly.text
    assert partly.text.count(" checked>") == 3
    assert status() is OrganisationStatus.PENDING
    verify(operator)
    assert status() is OrganisationStatus.VERIFIED
    again = {"version": version(), "checked": CHECKS}
    assert operator.post(f"{address}/verify", data=again).status_code == 409
    assert operator.get("/workbench/verification?status=verified").text.count(WHOLE["name"]) >= 1


@pytest.mark.parametrize("role", [None, PlatformRole.AUDITOR, PlatformRole.MAINTAINER])
def test_nobody_else_decides(app: Flask, manager: FlaskClient, role: PlatformRole | None) -> None:
    register_whole(manager)
    other = browser(app, user(role))
    assert other.post(f"/workbench/verification/{organisation_id()}/verify").status_code == 403
    expected = 200 if role is PlatformRole.AUDITOR else 403
    assert other.get("/workbench/verification").status_code == expected
    assert status() is OrganisationStatus.PENDING


def test_the_second_of_two_editors_sees_both_texts(manager: FlaskClient, operator: FlaskClient) -> None:
    register_whole(manager)
    verify(operator)
    read = version()
    assert fill(manager, "basics", website="https://a.example", version=read).status_code == 302
    page = fill(manager, "basics", website="https://b.example", version=read, clusters=["C2"])
    assert page.status_code == 409
    for text in ("https://a.example", "https://b.example", "高端摩托车", "智能网联新能源汽车"):
        assert text in page.text
    assert f'name="version" value="{version()}"' in page.text
    assert 'name="clusters" value="C2"' in page.text
    assert fill(manager, "basics", website="https://b.example", clusters=["C2"]).status_code == 302


@pytest.mark.parametrize("act", ["verify", "designations"])
def test_an_operator_confirms_only_what_they_have_read(
    manager: FlaskClient, operator: FlaskClient, act: str
) -> None:
    register_whole(manager)
    address = f"/workbench/verification/{organisation_id()}"
    if act == "designations":
        verify(operator)
    page = operator.get(address).text
    read = re.findall(r'name="version" value="(\d+)"', page)
    assert len(read) == 2
    assert set(read) == {str(version())}
    confirmed, ticked = db.session.scalars(select(Designation.id)).all(), {"checked": CHECKS}
    if act == "verify":
        operator.post(f"{address}/return", data={"reason": "请补正", "version": read[0]})
    changed = {"designations-0-number": "没有人核对过的文号"}
    assert fill(manager, "designations", **changed).status_code == 302
    if act == "verify":
        submit(manager)
    stale = operator.post(f"{address}/{act}", data={"confirmed": confirmed, "version": read[0], **ticked})
    assert stale.status_code == 409
    assert "没有人核对过的文号" in stale.text
    assert f'name="version" value="{version()}"' in stale.text
    assert db.session.scalars(select(Designation.confirmed_at)).all() == [None]
    fresh = operator.post(f"{address}/{act}", data={"confirmed": confirmed, "version": version(), **ticked})
    assert fresh.status_code == 302
    assert db.session.scalars(select(Designation.confirmed_at)).one() is not None


def test_a_reason_is_not_lost_when_the_organisation_has_changed(
    manager: FlaskClient, operator: FlaskClient
) -> None:
    register_whole(manager)
    verify(operator)
    read = version()
    assert fill(manager, "contact", address="新地址").status_code == 302
    address = f"/workbench/verification/{organisation_id()}/suspend"
    stale = operator.post(address, data={"reason": "多次失约，见附件", "version": read})
    assert stale.status_code == 409
    assert "多次失约，见附件" in stale.text
    assert status() is OrganisationStatus.VERIFIED


def test_the_public_page_shows_what_was_confirmed_and_nothing_personal(
    client: FlaskClient, manager: FlaskClient, operator: FlaskClient
) -> None:
    register_whole(manager)
    address = f"/organisations/{organisation_id()}"
    assert client.get(address).status_code == 404
    assert manager.get(address).status_code == 200
    verify(operator)
    page = client.get(address).text
    assert "链主企业" in page
    for hidden in ("13811112222", "secret-contact@example.com", "联系人廖"):
        assert hidden not in page
    assert client.get("/organisations/999999").status_code == 404
    assert client.get("/organisations/99999999999999999999999").status_code == 404


def test_the_public_list_filters_by_its_url(
    client: FlaskClient, manager: FlaskClient, operator: FlaskClient
) -> None:
    register_whole(manager)
    verify(operator)
    for query, found in (
        ("", True),
        ("?designation=chain_master&kind=enterprise&cluster=A&region=500000", True),
        ("?region=500113", False),
        ("?q=巴渡", True),
        ("?kind=nonsense&page=abc&designation=nonsense", True),
    ):
        page = client.get(f"/organisations{query}")
        assert page.status_code == 200
        assert (WHOLE["name"] in page.text) is found, query


def test_the_list_costs_the_same_for_ten_and_for_many(
    app: Flask, client: FlaskClient, count_statements: Any
) -> None:
    seen = []
    for batch in (10, 190):
        with transaction():
            for _ in range(batch):
                name = f"第{next(_numbers)}机械厂"
                services.create_unclaimed(name, by=SYSTEM, now=clock.now())
        client.get("/organisations")
        with count_statements() as statements:
            client.get("/organisations")
        seen.append(len(statements))
    assert seen[0] == seen[1]


def test_a_person_of_two_organisations_acts_for_the_chosen_one(app: Flask) -> None:
    who, boss = user(), user()
    client = browser(app, who)
    client.post("/workbench/organisation/register", data={"uscc": CODE, "name": "甲厂"})
    boss_client = browser(app, boss)
    boss_client.post("/workbench/organisation/register", data={"uscc": OTHER_CODE, "name": "乙厂"})
    second = db.session.scalars(select(Organisation).where(Organisation.name == "乙厂")).one()
    second_id = second.id
    with transaction():
        row = queries.get_for_change(second_id, viewer=SYSTEM)
        draft = services.draft_of(row)
        values = {
            "size": "large",
            "region": "500112",
            "summary": "很长的简介" * 5,
            "contact_name": "某",
            "contact_phone": "13811112222",
            "clusters": ("A1",),
        }
        services.update_organisation(
            row,
            type(draft)(**{**{n: getattr(draft, n) for n in draft.__slots__}, **values}),
            version=row.version,
            by=queries.actor_for(boss, now=clock.now()),
            now=clock.now(),
        )
        hand_in_licence(row.id, by=queries.actor_for(boss, now=clock.now()))
        services.submit_organisation(row, by=queries.actor_for(boss, now=clock.now()), now=clock.now())
    assert (
        client.post(f"/workbench/organisation/join/{OTHER_CODE}", data={"role": "reader"}).status_code == 302
    )
    membership_id = db.session.scalars(select(Membership.id).order_by(Membership.id.desc())).first()
    boss_client.post(f"/workbench/organisation/members/{membership_id}/accept", data={"role": "reader"})
    assert "甲厂" in client.get("/workbench/organisation").text
    assert (
        client.post("/workbench/organisation/switch", data={"organisation_id": "424242"}).status_code == 404
    )
    client.post("/workbench/organisation/switch", data={"organisation_id": second_id})
    assert '<h1>我的单位</h1><div class="sub">乙厂</div>' in client.get("/workbench/organisation").text
