"""The own account: where one is signed in, the address, consent, and what is told by letter; and accounts as
those see them who look after the platform.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.identity import services
from marketplace.identity.documents import CURRENT_VERSIONS
from marketplace.identity.models import Consent, ConsentDocument, User, UserSession
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.notifications.models import Letter
from tests.integration.support import a_leader, an_organisation, audit_types, client_of, plain, somebody

PASSWORD = "三棵松树与一台压铸机，很好"
HASH = services.prepare_password(PASSWORD, name="某某某", email="a@example.com")
EMAIL = "liao@example.com"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
PHONE = "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile MicroMessenger/8.0"


def make_user(email: str = EMAIL, role: PlatformRole | None = None) -> int:
    with transaction():
        person = Person(email, "廖启航", "13800000000", HASH)
        return services.create_user(person, by=SYSTEM, now=clock.now(), platform_role=role).id


def sign_in(client: FlaskClient, email: str = EMAIL, agent: str = CHROME, address: str = "127.0.0.1") -> None:
    response = client.post(
        "/login",
        data={"email": email, "password": PASSWORD},
        headers={"User-Agent": agent},
        environ_overrides={"REMOTE_ADDR": address},
    )
    assert response.status_code == 302


def is_in(client: FlaskClient) -> bool:
    return client.get("/workbench/account").status_code == 200


def letters_to(user_id: int) -> list[str]:
    rows = db.session.scalars(select(Letter.kind).where(Letter.user_id == user_id).order_by(Letter.id))
    return list(rows)


def last_link() -> str:
    return (
        db.session.scalars(select(Letter.link).where(Letter.link != "").order_by(Letter.id.desc())).first()
        or ""
    )


def wait(**long: float) -> None:
    """Let the proof given at sign-in grow old."""
    with transaction():
        earlier = clock.now() - timedelta(**long)
        db.session.execute(update(UserSession).values(authenticated_at=earlier))


# --- sessions ---------------------------------------------------------------------------------------------


def test_own_sessions_are_listed_in_words_and_ended_one_by_one_or_all_others(app: Flask) -> None:
    user_id = make_user()
    make_user("other@example.com")
    here, phone, away, stranger = (app.test_client() for _ in range(4))
    sign_in(here)
    sign_in(phone, agent=PHONE, address="10.1.2.3")
    sign_in(away, agent="curl/8", address="2001:db8:7:1::9")
    sign_in(stranger, "other@example.com")
    page = here.get("/workbench/account/security").text
    for words in ("Chrome · Windows", "本机", "微信 · Android", "内部网络 10.1.2.*", "未知设备"):
        assert words in page
    assert page.count("当前设备") == 1
    assert "10.1.2.3" not in page
    rows = {row[0]: row[1] for row in db.session.execute(select(UserSession.user_agent, UserSession.id))}
    theirs = db.session.scalars(select(UserSession.id).where(UserSession.user_id != user_id)).one()
    ends = "/workbench/account/sessions/{}/end"
    foreign, missing = here.post(ends.format(theirs)), here.post(ends.format(999999))
    assert foreign.status_code == missing.status_code == 404
    assert plain(foreign.text, ends.format(theirs)) == plain(missing.text, ends.format(999999))
    assert is_in(stranger)
    assert here.post(ends.format(rows[PHONE])).status_code == 302
    assert not is_in(phone)
    assert is_in(away)
    assert here.post("/workbench/account/sessions/end-others").status_code == 302
    assert not is_in(away)
    assert is_in(here)
    assert is_in(stranger)
    assert audit_types("user", user_id)[-2:] == ["user.end_session", "user.end_sessions"]
    mine = db.session.scalars(select(UserSession.id).where(UserSession.user_id == user_id)).one()
    assert here.post(ends.format(mine)).headers["Location"] == "/login"
    assert not is_in(here)


def test_a_new_device_is_told_and_a_known_one_is_not(app: Flask) -> None:
    user_id = make_user()
    first, second = app.test_client(), app.test_client()
    for client in (first, first, second, first, second):
        sign_in(client)
        client.post("/logout")
    assert letters_to(user_id) == ["identity.new_device"]
    # The browser's name for itself is not its owner's: the same browser knows nothing of another account.
    other = make_user("other@example.com")
    sign_in(first, "other@example.com")
    sign_in(second, "other@example.com")
    assert letters_to(other) == ["identity.new_device"]


def test_a_changed_password_ends_other_sessions_and_keeps_whom_one_acts_for(app: Flask) -> None:
    person = somebody(an_organisation("甲厂机械有限公司"), role=OrganisationRole.MANAGER)
    colleague = somebody(an_organisation("乙厂机械有限公司"), role=OrganisationRole.MANAGER)
    with transaction():
        user = db.session.get_one(User, person.user_id)
        services.rehash_password(user, HASH, now=clock.now())
        email = user.email
    join(person, colleague)
    client, other = app.test_client(), app.test_client()
    sign_in(client, email)
    sign_in(other, email)
    client.post("/workbench/organisation/switch", data={"organisation_id": colleague.organisation_id})
    new = "四台压铸机和一片湖水，真好"
    sent = {"current": PASSWORD, "password": new, "again": new}
    assert client.post("/workbench/account/password", data=sent).status_code == 302
    assert not is_in(other)
    assert "乙厂机械有限公司" in client.get("/workbench/organisation/members").text
    assert letters_to(person.user_id or 0)[-1] == "identity.password_changed"


def join(person: Actor, manager: Actor) -> None:
    from marketplace.organisations.members import services as members
    from marketplace.organisations.models import Organisation

    with transaction():
        now = clock.now()
        organisation = db.session.get_one(Organisation, manager.organisation_id)
        asked = members.request_to_join(organisation, role=OrganisationRole.EDITOR, by=person, now=now)
        members.accept_member(asked, role=OrganisationRole.EDITOR, by=manager, now=now)


# --- the address --------------------------------------------------------------------------------------------


def test_an_address_changes_by_a_link_to_the_new_one_and_the_old_one_hears_of_it(
    app: Flask, client: FlaskClient
) -> None:
    user_id = make_user()
    make_user("taken@example.com")
    sign_in(client)
    wait(minutes=11)
    form = "/workbench/account/email"
    assert client.get(form).headers["Location"] == f"/workbench/account/prove?next={form}"
    assert client.post(form, data={"email": "new@example.com"}).status_code == 303
    wrong = client.post("/workbench/account/prove", data={"password": "wrong", "next": form})
    assert wrong.status_code == 422
    assert (
        client.post("/workbench/account/prove", data={"password": PASSWORD, "next": form}).headers["Location"]
        == form
    )
    assert client.get(form).status_code == 200
    for typed in ("no address", EMAIL, ""):
        assert client.post(form, data={"email": typed}).status_code == 422
    taken = client.post(form, data={"email": "taken@example.com"}).text
    sent = client.post(form, data={"email": "New@Example.com"}).text
    strip = re.compile(r"[0-9a-f]{16}|(taken|new)@example\.com|content=\"[^\"]+\"|value=\"[^\"]{40,}\"")
    assert strip.sub("", taken) == strip.sub("", sent)
    link = last_link()
    assert link.startswith("/email/confirm/")
    # Opening it changes nothing: mail scanners open links.
    assert "new@example.com" in app.test_client().get(link).text
    assert db.session.get_one(User, user_id).email == EMAIL
    assert app.test_client().post(link).status_code == 302
    user = db.session.get_one(User, user_id)
    assert (user.email, user.email_verified_at is not None) == ("new@example.com", True)
    assert app.test_client().post(link).status_code == 410
    former = db.session.scalars(select(Letter).where(Letter.address == EMAIL)).one()
    assert (former.kind, former.by_mail_only) == ("identity.email_changed", True)
    assert letters_to(user_id).count("identity.email_change_requested") == 2
    assert "user.change_email" in audit_types("user", user_id)
    sign_in(app.test_client(), "new@example.com")


def test_a_newer_link_voids_the_older_and_two_cannot_get_one_address(app: Flask, client: FlaskClient) -> None:
    make_user()
    make_user("other@example.com")
    other = app.test_client()
    sign_in(client)
    sign_in(other, "other@example.com")
    links = []
    for browser, wanted in ((client, "a@example.com"), (client, "b@example.com"), (other, "b@example.com")):
        browser.post("/workbench/account/email", data={"email": wanted})
        links.append(last_link())
    statuses = [client.post(link).status_code for link in links]
    assert statuses == [410, 302, 410]
    assert set(db.session.scalars(select(User.email))) == {"b@example.com", "other@example.com"}
    # A thief's link to an address of theirs ends with the password that the owner is told to change.
    client.post("/workbench/account/email", data={"email": "thief@example.com"})
    new = "四台压铸机和一片湖水，真好"
    changed = client.post(
        "/workbench/account/password", data={"current": PASSWORD, "password": new, "again": new}
    )
    assert changed.status_code == 302
    assert client.post(last_link()).status_code == 410


def test_who_came_by_a_link_from_the_server_proves_the_address_afterwards(
    app: Flask, client: FlaskClient
) -> None:
    printed = app.test_cli_runner().invoke(args=["identity", "invite-operator", "boss@example.com"])
    path = printed.output.strip().removeprefix("http://127.0.0.1:8000")
    person = {"name": "苏远", "phone": "13800000000", "password": PASSWORD, "again": PASSWORD}
    client.post(path, data={**person, "terms": "y", "privacy": "y"})
    assert "尚未验证" in client.get("/workbench/account/security").text
    assert client.post("/workbench/account/email/verify").status_code == 200
    assert client.post(last_link()).headers["Location"] == "/workbench/account/security"
    assert "尚未验证" not in client.get("/workbench/account/security").text
    assert client.post("/workbench/account/email/verify").status_code == 422


# --- consent ------------------------------------------------------------------------------------------------


def test_a_changed_document_is_agreed_to_before_the_next_page(app: Flask, client: FlaskClient) -> None:
    user_id = make_user()
    sign_in(client)
    with transaction():
        terms = Consent.document == ConsentDocument.TERMS
        db.session.execute(update(Consent).where(terms).values(version="2020-01-01"))
    led = client.get("/workbench/account?x=1")
    assert led.headers["Location"] == "/workbench/account/consent?next=/workbench/account?x%3D1"
    assert client.get("/terms").status_code == 200
    # What was being typed when the document changed is not lost.
    typed = client.post("/workbench/account", data={"name": "廖航", "phone": "023-60001111"})
    assert typed.headers["Location"] == "/workbench/account"
    refused = client.post("/workbench/account/consent", data={"terms": "y"})
    assert refused.status_code == 422
    agreed = {"terms": "y", "privacy": "y", "next": "/workbench/account?x=1"}
    for _ in range(2):
        assert client.post("/workbench/account/consent", data=agreed).headers["Location"] == agreed["next"]
    assert is_in(client)
    kept = db.session.execute(select(Consent.document, Consent.version).where(Consent.user_id == user_id))
    expected = [(ConsentDocument.TERMS, "2020-01-01"), *CURRENT_VERSIONS.items()]
    assert sorted(tuple(row) for row in kept) == sorted(expected)
    assert audit_types("user", user_id).count("user.consent") == 1
    client.post("/logout")
    assert client.get("/").status_code == 200


# --- accounts, from outside ---------------------------------------------------------------------------------


@pytest.fixture
def keepers(app: Flask) -> Callable[[PlatformRole], FlaskClient]:
    return lambda role: client_of(app, somebody(platform_role=role))


def test_accounts_are_found_shut_and_opened_by_those_who_may(
    app: Flask, client: FlaskClient, keepers: Callable[[PlatformRole], FlaskClient]
) -> None:
    leader = a_leader()
    user_id = make_user()
    auditor_id = make_user("auditor@example.com", PlatformRole.AUDITOR)
    operator, maintainer = keepers(PlatformRole.OPERATOR), keepers(PlatformRole.MAINTAINER)
    sign_in(client)
    found = operator.get("/workbench/accounts?q=LIAO%40").text
    assert EMAIL in found
    assert "auditor@example.com" not in found
    assert "没有符合条件的账号" in operator.get("/workbench/accounts?q=%25").text
    shut = f"/workbench/accounts/{user_id}/disable"
    assert operator.get(f"/workbench/accounts/{user_id}").status_code == 200
    assert "管理员" in operator.get(f"/workbench/accounts/{leader.user_id}").text
    for someone in (client_of(app, leader), keepers(PlatformRole.AUDITOR)):
        assert someone.get("/workbench/accounts").status_code == 403
        assert someone.post(shut, data={"reason": "试"}).status_code == 403
    assert operator.post(shut, data={"reason": ""}).status_code == 422
    assert operator.post("/workbench/accounts/999999/disable", data={"reason": "试"}).status_code == 404
    assert is_in(client)
    assert operator.post(shut, data={"reason": "投诉属实，冒用他人名义"}).status_code == 302
    assert not is_in(client)
    assert client.post("/login", data={"email": EMAIL, "password": PASSWORD}).status_code == 422
    assert operator.post(shut, data={"reason": "再来一次"}).status_code == 422
    assert (
        operator.post(f"/workbench/accounts/{user_id}/enable", data={"reason": "申诉成立"}).status_code == 302
    )
    sign_in(client)
    assert audit_types("user", user_id)[-4:] == [
        "user.sign_in",
        "user.disable",
        "user.enable",
        "user.sign_in",
    ]
    # The platform's own people are the maintainer's to shut, and nobody shuts themself.
    auditor = f"/workbench/accounts/{auditor_id}/disable"
    assert operator.post(auditor, data={"reason": "试"}).status_code == 403
    own = db.session.scalars(select(User.id).where(User.platform_role == PlatformRole.MAINTAINER)).one()
    assert maintainer.post(f"/workbench/accounts/{own}/disable", data={"reason": "试"}).status_code == 403
    assert maintainer.post(auditor, data={"reason": "离任"}).status_code == 302
    assert "已停用" in maintainer.get("/workbench/accounts?role=auditor&state=disabled").text
