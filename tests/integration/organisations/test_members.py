"""Members: invited by a link for once, disabled, never the last manager; a person in several firms."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.identity import services as identity
from marketplace.identity import throttling
from marketplace.identity.models import User
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.notifications.models import Letter
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.members.models import MemberInvitation
from marketplace.organisations.models import Membership, MembershipStatus, Organisation
from tests.integration.support import (
    a_code,
    an_operator,
    an_organisation,
    audit_types,
    client_of,
    count_of,
    plain,
    somebody,
)

PASSWORD = "三棵松树与一台压铸机，很好"
HASH = identity.prepare_password(PASSWORD, name="某某某", email="a@example.com")
PERSON = {"name": "高明", "phone": "13800000000", "password": PASSWORD, "again": PASSWORD}
AGREED = {"terms": "y", "privacy": "y"}
MEMBERS = "/workbench/organisation/members"
INVITE = "/workbench/organisation/invitations"


class Firm:
    """A firm with a manager at a browser, and another one, which must see and feel nothing of it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.id = an_organisation("甲厂机械有限公司")
        self.manager = somebody(self.id, role=OrganisationRole.MANAGER)
        self.other = somebody(an_organisation("乙厂机械有限公司"), role=OrganisationRole.MANAGER)
        self.browser = client_of(app, self.manager)

    def invite(self, email: str, role: str = "editor") -> str:
        """The link that was mailed."""
        sent = self.browser.post(INVITE, data={"email": email, "role": role})
        assert sent.status_code == 302, sent.text
        return last_invitation(email)

    def standing_of(self, user_id: int | None) -> tuple[MembershipStatus, OrganisationRole] | None:
        row = db.session.execute(
            select(Membership.status, Membership.role)
            .where(Membership.organisation_id == self.id, Membership.user_id == user_id)
            .order_by(Membership.id.desc())
        ).first()
        return (row[0], row[1]) if row else None


def last_invitation(email: str) -> str:
    letter = db.session.scalars(
        select(Letter).where(Letter.address == email).order_by(Letter.id.desc())
    ).first()
    assert letter is not None
    assert (letter.kind, letter.by_mail_only) == ("membership.invitation", True)
    return letter.link


def email_of(actor: Actor) -> str:
    return db.session.get_one(User, actor.user_id).email


def newest_id() -> int:
    return db.session.scalars(select(MemberInvitation.id).order_by(MemberInvitation.id.desc())).first() or 0


@pytest.fixture
def firm(app: Flask) -> Firm:
    return Firm(app)


ACTIVE, REQUESTED, DISABLED = MembershipStatus.ACTIVE, MembershipStatus.REQUESTED, MembershipStatus.DISABLED
EDITOR, READER, MANAGER = OrganisationRole.EDITOR, OrganisationRole.READER, OrganisationRole.MANAGER


def test_a_stranger_registers_through_the_invitation_and_is_in(firm: Firm, client: FlaskClient) -> None:
    link = firm.invite("Gao@Example.com".lower(), "reader")
    page = client.get(link).text
    assert "甲厂机械有限公司" in page
    assert "注册并加入" in page
    assert client.post(f"{link}/register", data={**PERSON, "again": "x" * 12, **AGREED}).status_code == 422
    kept = client.post(f"{link}/register", data=PERSON)
    assert kept.status_code == 422
    assert 'value="高明"' in kept.text
    assert client.post(f"{link}/register", data={**PERSON, **AGREED}).headers["Location"] == "/workbench"
    user = db.session.scalars(select(User).where(User.email == "gao@example.com")).one()
    assert user.email_verified_at is not None
    assert firm.standing_of(user.id) == (ACTIVE, READER)
    assert "甲厂机械有限公司" in client.get(MEMBERS).text
    assert client.post(INVITE, data={"email": "b@example.com", "role": "editor"}).status_code == 403
    for again in (client, firm.app.test_client()):
        assert again.get(link).status_code == 410
        assert again.get(f"{link}/register").status_code == 410
    told = db.session.scalars(select(Letter.kind).where(Letter.user_id == firm.manager.user_id)).all()
    assert told == ["membership.invitation_accepted"]
    assert audit_types("member_invitation", newest_id()) == [
        "member_invitation.send",
        "member_invitation.accept",
    ]
    stored = db.session.scalars(select(MemberInvitation.token_hash)).one()
    assert stored not in link


def test_an_account_of_the_invited_address_is_in_and_another_one_only_asks(
    firm: Firm, client: FlaskClient
) -> None:
    invited, passer_by = firm.other, somebody()
    link = firm.invite(email_of(invited), "manager")
    assert "该邮箱已有账号，请登录后接受" in client.get(link).text
    led = client.get(f"{link}/register")
    assert led.headers["Location"] == link
    assert client.post(link).headers["Location"].startswith("/login")
    # The link was handed on: whoever has it has only asked, and a manager sees by whom.
    forwarded = firm.invite("someone.else@example.com")
    passer = client_of(firm.app, passer_by)
    assert "须由该单位管理员确认" in passer.get(forwarded).text
    assert passer.post(forwarded).headers["Location"] == "/workbench/memberships"
    assert firm.standing_of(passer_by.user_id) == (REQUESTED, EDITOR)
    assert passer.get(MEMBERS).status_code == 403
    letter = db.session.scalars(select(Letter).order_by(Letter.id.desc())).first()
    assert letter is not None
    assert letter.user_id == firm.manager.user_id
    assert email_of(passer_by) in letter.body
    guest = client_of(firm.app, invited)
    assert guest.post(link).headers["Location"] == "/workbench"
    assert firm.standing_of(invited.user_id) == (ACTIVE, MANAGER)
    # From here on they act for the firm that they have just joined.
    assert "甲厂机械有限公司" in guest.get(MEMBERS).text
    assert guest.post(link).status_code == 410
    clerk = client_of(firm.app, an_operator())
    third = firm.invite("third@example.com")
    assert clerk.post(third).status_code == 403
    assert "平台角色的账号不能加入单位" in clerk.get(third).text


@pytest.mark.parametrize("fate", ["withdrawn", "sent again", "expired", "no manager left"])
def test_a_link_ends_with_its_invitation(firm: Firm, client: FlaskClient, fate: str) -> None:
    link = firm.invite("gao@example.com")
    assert client.get(link).status_code == 200
    address = f"{INVITE}/{newest_id()}"
    if fate == "withdrawn":
        assert firm.browser.post(f"{address}/withdraw").status_code == 302
        assert firm.browser.post(f"{address}/resend").status_code == 409
    elif fate == "sent again":
        assert firm.browser.post(f"{address}/resend").status_code == 302
        assert client.get(last_invitation("gao@example.com")).status_code == 200
        assert "共发 2 次" in firm.browser.get(MEMBERS).text
    elif fate == "expired":
        with transaction():
            past = clock.now() - timedelta(seconds=1)
            db.session.execute(update(MemberInvitation).values(expires_at=past))
        assert "已过期" in firm.browser.get(MEMBERS).text
    else:
        with transaction():
            db.session.execute(update(Membership).values(status=MembershipStatus.LEFT))
    for request in (client.get, client_of(firm.app, firm.other).post):
        assert request(link).status_code == 410
    assert client.post(f"{link}/register", data={**PERSON, **AGREED}).status_code == 410
    assert count_of(User) == 2


def test_whom_a_manager_invites_is_checked_and_nothing_is_told_of_strangers(firm: Firm) -> None:
    def post(email: str, role: str = "editor") -> tuple[int, str]:
        answer = firm.browser.post(INVITE, data={"email": email, "role": role})
        return answer.status_code, answer.text

    assert post("no address")[0] == post("a@example.com", "owner")[0] == post("")[0] == 422
    status, page = post(email_of(firm.manager))
    assert status == 422
    assert "已是本单位成员" in page
    assert 'value="' + email_of(firm.manager) in page
    # An address with an account somewhere else is answered like one without.
    assert post(email_of(firm.other))[0] == post("nobody@example.com")[0] == 302
    assert "已邀请过该邮箱" in post("nobody@example.com")[1]
    mine, theirs = firm.browser, client_of(firm.app, firm.other)
    assert "nobody@example.com" not in theirs.get(MEMBERS).text
    assert "nobody@example.com" in mine.get(MEMBERS).text
    for act in ("resend", "withdraw"):
        foreign, missing = f"{INVITE}/{newest_id()}/{act}", f"{INVITE}/999999/{act}"
        one, two = theirs.post(foreign), theirs.post(missing)
        assert one.status_code == two.status_code == 404
        assert plain(one.text, foreign) == plain(two.text, missing)
    editor = client_of(firm.app, somebody(firm.id, role=EDITOR))
    assert "nobody@example.com" not in editor.get(MEMBERS).text
    for path in (INVITE, f"{INVITE}/{newest_id()}/withdraw"):
        assert editor.post(path, data={"email": "x@example.com", "role": "editor"}).status_code == 403
    assert count_of(MemberInvitation) == 2


def test_one_link_lets_in_one_of_two_who_use_it_at_once(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    from marketplace.organisations.members import queries

    link = firm.invite("gao@example.com")
    first, second = (client_of(firm.app, somebody()) for _ in range(2))
    found = queries.find_live_invitation(link.rpartition("/")[2], now=clock.now())
    db.session.expunge_all()
    db.session.rollback()
    assert first.post(link).status_code == 302
    # The second looked before the first had written.
    monkeypatch.setattr(queries, "find_live_invitation", lambda _token, *, now: found)
    assert second.post(link).status_code == 410
    asked = db.session.scalars(select(Membership).where(Membership.status == REQUESTED)).all()
    assert len(asked) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invitation_ends_with_the_standing_of_who_sent_it(firm: Firm, client: FlaskClient) -> None:
    leaving = somebody(firm.id, role=MANAGER)
    browser = client_of(firm.app, leaving)
    sent = browser.post(INVITE, data={"email": "back-door@example.com", "role": "manager"})
    assert sent.status_code == 302
    link = last_invitation("back-door@example.com")
    assert client.get(link).status_code == 200
    assert "等待接受" in firm.browser.get(MEMBERS).text
    membership_id = db.session.scalars(
        select(Membership.id).where(Membership.user_id == leaving.user_id)
    ).one()
    assert firm.browser.post(f"{MEMBERS}/{membership_id}/role", data={"role": "reader"}).status_code == 302
    assert client.get(link).status_code == 410
    assert client.post(f"{link}/register", data={**PERSON, **AGREED}).status_code == 410
    assert "已过期" in firm.browser.get(MEMBERS).text
    # Whoever sends it again stands for it from then on.
    assert firm.browser.post(f"{INVITE}/{newest_id()}/resend").status_code == 302
    assert "等待接受" in firm.browser.get(MEMBERS).text
    assert client.get(last_invitation("back-door@example.com")).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_letters_to_others_are_bounded_however_they_are_caused(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "INVITER", throttling.Limit("inviter", 2, timedelta(hours=1)))
    monkeypatch.setattr(throttling, "ASKER", throttling.Limit("asker", 2, timedelta(hours=1)))
    person = client_of(firm.app, somebody())
    answers = []
    # An organisation that is begun and given up again lends no new sender.
    for number in range(3):
        code = {"name": f"第{number}机械有限公司", "uscc": a_code(700 + number)}
        assert person.post("/workbench/organisation/register", data=code).status_code == 302
        letter = {"email": f"victim{number}@example.com", "role": "reader"}
        answers.append(person.post(INVITE, data=letter).status_code)
        assert person.post("/workbench/organisation/discard").status_code == 302
    assert answers == [302, 302, 429]
    # Nor is there an end to asking where the request may be taken back.
    code_of_firm = db.session.get_one(Organisation, firm.id).uscc
    answers = []
    for _ in range(3):
        asked = person.post(f"/workbench/organisation/join/{code_of_firm}", data={"role": "reader"})
        answers.append(asked.status_code)
        person.post("/workbench/organisation/leave")
    assert answers == [302, 302, 429]


def test_a_disabled_member_is_out_on_the_next_request_and_back_in_the_same_role(firm: Firm) -> None:
    member = somebody(firm.id, role=EDITOR)
    browser = client_of(firm.app, member)
    assert browser.get("/workbench/capabilities/new").status_code == 200
    membership_id = db.session.scalars(
        select(Membership.id).where(Membership.user_id == member.user_id)
    ).one()
    address = f"{MEMBERS}/{membership_id}"
    theirs = client_of(firm.app, firm.other)
    assert theirs.post(f"{address}/disable").status_code == 404
    assert browser.post(f"{address}/disable").status_code == 403
    assert firm.browser.post(f"{address}/disable").status_code == 302
    assert browser.get("/workbench/capabilities/new").status_code == 403
    assert "请联系该单位管理员" in browser.get("/workbench/memberships").text
    # Neither a request nor an invitation is a way around it.
    code = db.session.get_one(Organisation, firm.id).uscc
    asked = browser.post(f"/workbench/organisation/join/{code}", data={"role": "editor"})
    assert asked.status_code == 422
    again = firm.browser.post(INVITE, data={"email": email_of(member), "role": "editor"})
    assert again.status_code == 422
    assert firm.browser.post(f"{address}/disable").status_code == 409
    assert firm.browser.post(f"{address}/enable").status_code == 302
    assert firm.standing_of(member.user_id) == (ACTIVE, EDITOR)
    assert browser.get("/workbench/capabilities/new").status_code == 200
    assert firm.browser.post(f"{address}/role", data={"role": "reader"}).status_code == 302
    assert browser.get("/workbench/capabilities/new").status_code == 403
    assert audit_types("membership", membership_id) == [
        "membership.disable",
        "membership.enable",
        "membership.change_role",
    ]


def test_a_firm_keeps_a_manager_who_can_act(firm: Firm) -> None:
    second = somebody(firm.id, role=MANAGER)
    rows = {row[0]: row[1] for row in db.session.execute(select(Membership.user_id, Membership.id))}
    own = f"{MEMBERS}/{rows[firm.manager.user_id or 0]}"
    other = f"{MEMBERS}/{rows[second.user_id or 0]}"
    assert firm.browser.post(f"{own}/disable").status_code == 422
    with transaction():
        user = db.session.get_one(User, second.user_id)
        identity.disable_user(user, reason="离职", by=SYSTEM, now=clock.now())
    # The other manager's account is shut: this one is the last who can act.
    for refused in (
        firm.browser.post(f"{own}/role", data={"role": "editor"}),
        firm.browser.post("/workbench/organisation/leave"),
    ):
        assert refused.status_code == 422
        assert "至少要有一名管理员" in refused.text
    assert firm.standing_of(firm.manager.user_id) == (ACTIVE, MANAGER)
    assert firm.browser.post(f"{other}/disable").status_code == 302
    assert firm.browser.post(f"{other}/remove").status_code == 302
    assert firm.standing_of(second.user_id) == (MembershipStatus.LEFT, MANAGER)


def test_one_person_acts_for_several_firms_one_in_each_browser(firm: Firm) -> None:
    person = firm.other
    assert client_of(firm.app, person).post(firm.invite(email_of(person))).status_code == 302
    office, phone = client_of(firm.app, person), client_of(firm.app, person)
    assert switch(office, firm.id) == 302
    heads = [in_the_bar(browser.get("/workbench/memberships").text) for browser in (office, phone)]
    assert heads == ["甲厂机械有限公司", "乙厂机械有限公司"]
    form = office.get("/workbench/capabilities/new").text
    assert "代表 甲厂机械有限公司" in form
    assert f'name="for_organisation" value="{firm.id}"' in form
    assert "代表 甲厂机械有限公司" not in office.get("/workbench/account").text
    stranger_firm = an_organisation("丙厂机械有限公司", status=OrganisationStatus.VERIFIED)
    assert switch(office, stranger_firm) == 404
    # Asking to be let into a third one, and thinking better of it.
    code = db.session.get_one(Organisation, stranger_firm).uscc
    assert office.post("/workbench/memberships", data={"uscc": "12"}).status_code == 422
    unknown = office.post("/workbench/memberships", data={"uscc": "91110000600037341L"})
    assert "没有这个代码的单位" in unknown.text
    led = office.post("/workbench/memberships", data={"uscc": code}).headers["Location"]
    assert office.post(led, data={"role": "reader"}).status_code == 302
    asked = db.session.scalars(select(Membership.id).where(Membership.organisation_id == stranger_firm)).one()
    back = f"/workbench/memberships/{asked}/withdraw"
    assert firm.browser.post(back).status_code == 404
    assert office.post(back).status_code == 302
    assert office.post(back).status_code == 409
    assert "丙厂机械有限公司" not in office.get("/workbench/memberships").text
    assert office.post("/workbench/organisation/leave").status_code == 302
    assert in_the_bar(phone.get("/workbench/memberships").text) == ""
    assert "乙厂机械有限公司" in phone.get("/workbench/memberships").text


def switch(browser: FlaskClient, organisation_id: int) -> int:
    return browser.post(
        "/workbench/organisation/switch", data={"organisation_id": organisation_id}
    ).status_code


def in_the_bar(page: str) -> str:
    """Whom the bar says one may switch from; empty where there is but one."""
    found = re.search(r'<details class="acts-for"><summary>.*?</span>(.*?) <span', page)
    return found[1] if found else ""


def test_an_operator_sees_where_an_account_belongs(
    firm: Firm, as_user: Callable[[Actor], FlaskClient]
) -> None:
    clerk = as_user(somebody(platform_role=PlatformRole.MAINTAINER))
    assert "甲厂机械有限公司" in clerk.get(f"/workbench/accounts/{firm.manager.user_id}").text
