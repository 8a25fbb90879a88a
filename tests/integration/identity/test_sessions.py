"""Signing in and out: server-side sessions, throttling, and nothing that tells who has an account."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.audit.models import AuditEvent
from marketplace.identity import services
from marketplace.identity.models import User, UserSession
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, PlatformRole
from marketplace.kernel.db import db, transaction

PASSWORD = "三棵松树与一台压铸机，很好"
HASH = services.prepare_password(PASSWORD, name="某某某", email="a@example.com")


def make_user(email: str = "liao@example.com", role: PlatformRole | None = None) -> User:
    with transaction():
        return services.create_user(
            Person(email, "廖启航", "13800000000", HASH), by=SYSTEM, now=clock.now(), platform_role=role
        )


def sign_in(client: FlaskClient, email: str = "liao@example.com", password: str = PASSWORD, **form: str):
    return client.post("/login", data={"email": email, "password": password, **form})


def is_in(client: FlaskClient) -> bool:
    return client.get("/workbench/account").status_code == 200


@pytest.fixture
def user(app: Flask) -> User:
    make_user("other@example.com", PlatformRole.AUDITOR)
    return make_user()


def test_the_right_password_signs_in_and_is_audited(client: FlaskClient, user: User) -> None:
    assert not is_in(client)
    response = sign_in(client)
    assert response.status_code == 302
    assert is_in(client)
    types = db.session.scalars(select(AuditEvent.type).where(AuditEvent.subject_kind == "user")).all()
    assert types[-1] == "user.sign_in"


def test_wrong_password_and_unknown_account_get_the_same_answer(client: FlaskClient, user: User) -> None:
    wrong = sign_in(client, password="something else entirely")
    unknown = sign_in(client, email="nobody@example.com")
    assert wrong.status_code == unknown.status_code == 422
    assert "邮箱或密码不正确" in wrong.text
    assert wrong.text.replace("liao@", "nobody@").split("请求编号")[0].count(
        "邮箱或密码不正确"
    ) == unknown.text.count("邮箱或密码不正确")
    assert not is_in(client)


def test_the_cookie_names_no_account_and_the_table_holds_no_token(client: FlaskClient, user: User) -> None:
    sign_in(client)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert len(token) >= 40
    stored = db.session.scalars(select(UserSession.token_hash)).one()
    assert token not in stored


def test_a_captured_cookie_is_dead_after_signing_out(app: Flask, client: FlaskClient, user: User) -> None:
    sign_in(client)
    captured = client.get_cookie("session")
    assert captured is not None
    thief = app.test_client()
    thief.set_cookie("session", captured.value)
    assert is_in(thief)
    assert client.post("/logout").status_code == 302
    assert not is_in(client)
    assert not is_in(thief)


def test_each_sign_in_gets_a_new_token_and_ends_the_old(app: Flask, client: FlaskClient, user: User) -> None:
    sign_in(client)
    captured = client.get_cookie("session")
    assert captured is not None
    sign_in(client)
    thief = app.test_client()
    thief.set_cookie("session", captured.value)
    assert not is_in(thief)
    assert is_in(client)


@pytest.mark.parametrize(
    "age",
    [{"last_seen_at": timedelta(minutes=31)}, {"expires_at": timedelta(seconds=1)}],
    ids=["idle for half an hour", "twelve hours old"],
)
def test_a_session_ends_by_itself(client: FlaskClient, user: User, age: dict[str, timedelta]) -> None:
    sign_in(client)
    with transaction():
        values = {name: clock.now() - past for name, past in age.items()}
        db.session.execute(update(UserSession).values(**values))
    assert not is_in(client)


def test_use_keeps_a_session_alive_and_is_noted_once_a_minute(client: FlaskClient, user: User) -> None:
    sign_in(client)
    first = db.session.scalar(select(UserSession.last_seen_at))
    is_in(client)
    assert db.session.scalar(select(UserSession.last_seen_at)) == first
    earlier = clock.now() - timedelta(minutes=29)
    with transaction():
        db.session.execute(update(UserSession).values(last_seen_at=earlier))
    assert is_in(client)
    seen = db.session.scalar(select(UserSession.last_seen_at))
    assert seen is not None
    assert seen > earlier + timedelta(minutes=28)


def test_a_disabled_account_is_out_on_its_next_request(client: FlaskClient, user: User) -> None:
    sign_in(client)
    with transaction():
        found = db.session.get_one(User, user.id)
        services.disable_user(found, reason="离职", by=SYSTEM, now=clock.now())
    assert not is_in(client)
    assert sign_in(client).status_code == 422
    with transaction():
        found = db.session.get_one(User, user.id)
        services.enable_user(found, reason="返聘", by=SYSTEM, now=clock.now())
    assert sign_in(client).status_code == 302


def test_guessing_is_slowed_down_and_says_for_how_long(client: FlaskClient, user: User) -> None:
    for _ in range(10):
        assert sign_in(client, password="not the password").status_code == 422
    refused = sign_in(client)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert sign_in(client, email="other@example.com").status_code == 302


def test_a_right_password_forgives_earlier_mistakes(client: FlaskClient, user: User) -> None:
    for _ in range(3):
        for _ in range(6):
            sign_in(client, password="not the password")
        assert sign_in(client).status_code == 302


def test_one_address_cannot_try_one_password_on_everybody(client: FlaskClient, user: User) -> None:
    codes = [sign_in(client, email=f"someone{n}@example.com").status_code for n in range(61)]
    assert codes == [422] * 60 + [429]


def test_signing_in_leads_back_but_never_away(client: FlaskClient, user: User) -> None:
    asked = client.get("/workbench/account?x=1")
    assert asked.headers["Location"] == "/login?next=/workbench/account?x%3D1"
    assert sign_in(client, next="/workbench/account?x=1").headers["Location"] == "/workbench/account?x=1"
    assert sign_in(client, next="//evil.example").headers["Location"] == "/workbench"


def test_bad_input_keeps_the_address_and_never_the_password(client: FlaskClient, user: User) -> None:
    page = sign_in(client, password="a secret that is wrong")
    assert 'value="liao@example.com"' in page.text
    assert "a secret that is wrong" not in page.text


def test_without_a_csrf_token_nothing_happens(app: Flask, client: FlaskClient, user: User) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert sign_in(client).status_code == 400


def test_changing_the_password_ends_the_other_sessions(app: Flask, client: FlaskClient, user: User) -> None:
    other = app.test_client()
    sign_in(client)
    sign_in(other)
    new = "四台压铸机和一片湖水，真好"
    page = client.post(
        "/workbench/account/password", data={"current": "wrong", "password": new, "again": new}
    )
    assert page.status_code == 422
    assert "现在的密码不正确" in page.text
    page = client.post(
        "/workbench/account/password", data={"current": PASSWORD, "password": new, "again": new}
    )
    assert page.status_code == 302
    assert is_in(client)
    assert not is_in(other)
    assert sign_in(other).status_code == 422
    assert sign_in(other, password=new).status_code == 302


def test_the_account_page_saves_name_and_phone_with_an_audit_row(client: FlaskClient, user: User) -> None:
    sign_in(client)
    assert client.post("/workbench/account", data={"name": "廖航", "phone": "123"}).status_code == 422
    assert (
        client.post("/workbench/account", data={"name": "廖航", "phone": "023-60001111"}).status_code == 302
    )
    assert db.session.scalar(select(User.name).where(User.id == user.id)) == "廖航"
    last = db.session.scalars(select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
    assert last is not None
    assert (last.type, last.detail) == ("user.update", {"fields": ["name", "phone"]})
