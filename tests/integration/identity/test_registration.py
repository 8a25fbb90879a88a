"""Registering, invitations, consent and password reset: all by links that work once."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.identity import services
from marketplace.identity.models import Consent, OneTimeToken, User, UserSession
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.notifications.models import Letter

PASSWORD = "三棵松树与一台压铸机，很好"
PERSON = {"name": "廖启航", "phone": "13800000000", "password": PASSWORD, "again": PASSWORD}
AGREED = {"terms": "y", "privacy": "y"}


def last_letter() -> Letter:
    letter = db.session.scalars(select(Letter).order_by(Letter.id.desc())).first()
    assert letter is not None
    return letter


@pytest.fixture
def link(app: Flask, client: FlaskClient) -> str:
    client.post("/register", data={"email": "Liao@Example.com"})
    return last_letter().link


def make_user(email: str = "old@example.com") -> User:
    hashed = services.prepare_password(PASSWORD, name="旧用户", email=email)
    with transaction():
        return services.create_user(Person(email, "旧用户", "", hashed), by=SYSTEM, now=clock.now())


def test_registering_answers_the_same_for_known_and_unknown_addresses(client: FlaskClient) -> None:
    make_user()
    unknown = client.post("/register", data={"email": "new@example.com"})
    letter = last_letter()
    assert (letter.address, letter.user_id, letter.by_mail_only) == ("new@example.com", None, True)
    known = client.post("/register", data={"email": "old@example.com"})
    assert last_letter().kind == "identity.already_registered"
    strip = re.compile(r"[0-9a-f]{16}|(old|new)@example\.com")
    assert known.status_code == unknown.status_code == 200
    assert strip.sub("", known.text) == strip.sub("", unknown.text)


def test_the_link_makes_the_account_with_its_consents_and_signs_in(client: FlaskClient, link: str) -> None:
    assert "liao@example.com" in client.get(link).text
    response = client.post(link, data={**PERSON, **AGREED})
    assert response.status_code == 302
    user = db.session.scalars(select(User)).one()
    assert (user.email, user.name, user.platform_role) == ("liao@example.com", "廖启航", None)
    consents = {consent.document.value: consent.version for consent in db.session.scalars(select(Consent))}
    assert consents == {"terms": "2026-11-01", "privacy": "2026-11-23"}
    assert client.get("/workbench/account").status_code == 200


def test_a_link_works_once_and_not_for_long(app: Flask, client: FlaskClient, link: str) -> None:
    assert client.post(link, data={**PERSON, **AGREED}).status_code == 302
    again = app.test_client().post(link, data={**PERSON, **AGREED})
    assert again.status_code == 410
    client.post("/logout")
    client.post("/register", data={"email": "late@example.com"})
    late = last_letter().link
    with transaction():
        db.session.execute(update(OneTimeToken).values(expires_at=clock.now() - timedelta(seconds=1)))
    assert client.get(late).status_code == 410
    assert client.get("/register/nonsense").status_code == 410


def test_everything_wrong_is_told_at_once_and_what_was_typed_stays(client: FlaskClient, link: str) -> None:
    page = client.post(link, data={"name": "廖启航", "phone": "12", "password": "x", "again": "x"})
    assert page.status_code == 422
    for message in (
        "“联系电话”不是有效的电话号码",
        "请先阅读并同意《用户协议》",
        "请先阅读并同意《隐私政策》",
    ):
        assert message in page.text
    assert 'value="廖启航"' in page.text
    assert 'value="12"' in page.text
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"again": "something different"}, "两次输入的密码不一致"),
        ({"password": "short", "again": "short"}, "密码至少 12 个字符，现有 5 个"),
        (
            {"password": "廖启航的密码很长很长很长", "again": "廖启航的密码很长很长很长"},
            "密码不能包含您的姓名或邮箱名",
        ),
        ({"name": "\x00坏"}, "“姓名”含有控制字符或不可见字符"),
        ({"name": "名" * 61}, "“姓名”最多 60 个字，现有 61 个"),
    ],
)
def test_unfit_input_makes_no_account(
    client: FlaskClient, link: str, changes: dict[str, str], message: str
) -> None:
    page = client.post(link, data={**PERSON, **AGREED, **changes})
    assert page.status_code == 422
    assert message in page.text
    assert db.session.scalars(select(User)).all() == []


def test_letters_to_one_address_are_limited(client: FlaskClient) -> None:
    codes = [client.post("/register", data={"email": "a@example.com"}).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]


def test_the_first_operator_comes_in_by_a_link_printed_once(app: Flask, client: FlaskClient) -> None:
    runner = app.test_cli_runner()
    printed = runner.invoke(args=["identity", "invite-operator", "boss@example.com"])
    assert printed.exit_code == 0, printed.output
    void = printed.output.strip()
    renewed = runner.invoke(args=["identity", "invite-operator", "boss@example.com"]).output.strip()
    path = renewed.removeprefix("http://127.0.0.1:8000")
    assert client.get(void.removeprefix("http://127.0.0.1:8000")).status_code == 410
    assert "平台管理员" in client.get(path).text
    assert client.post(path, data={**PERSON, **AGREED}).headers["Location"] == "/workbench"
    user = db.session.scalars(select(User)).one()
    assert user.platform_role is PlatformRole.OPERATOR
    assert client.get(path).status_code == 410
    again = runner.invoke(args=["identity", "invite-operator", "boss@example.com"])
    assert again.exit_code == 1
    assert "Traceback" not in again.output


def test_a_reset_link_sets_the_password_once_and_ends_all_sessions(app: Flask, client: FlaskClient) -> None:
    make_user()
    signed_in = app.test_client()
    signed_in.post("/login", data={"email": "old@example.com", "password": PASSWORD})
    client.post("/password/forgot", data={"email": "old@example.com"})
    link = last_letter().link
    assert client.get(link).status_code == 200
    new = "四台压铸机和一片湖水，真好"
    assert client.post(link, data={"password": new, "again": "different enough"}).status_code == 422
    assert (
        client.post(
            link, data={"password": "旧用户旧用户旧用户旧用户", "again": "旧用户旧用户旧用户旧用户"}
        ).status_code
        == 422
    )
    assert client.post(link, data={"password": new, "again": new}).headers["Location"] == "/login"
    assert db.session.scalars(select(UserSession)).all() == []
    assert signed_in.get("/workbench/account").status_code == 302
    assert client.post(link, data={"password": new, "again": new}).status_code == 410
    assert client.post("/login", data={"email": "old@example.com", "password": PASSWORD}).status_code == 422
    assert client.post("/login", data={"email": "old@example.com", "password": new}).status_code == 302
    kinds = db.session.scalars(select(Letter.kind).order_by(Letter.id.desc()).limit(2)).all()
    assert kinds == ["identity.new_device", "identity.password_changed"]


def test_a_newer_reset_link_voids_the_older(client: FlaskClient) -> None:
    make_user()
    client.post("/password/forgot", data={"email": "old@example.com"})
    older = last_letter().link
    client.post("/password/forgot", data={"email": "old@example.com"})
    assert client.get(older).status_code == 410
    assert client.get(last_letter().link).status_code == 200


def test_asking_for_a_reset_tells_nothing_about_an_address(client: FlaskClient) -> None:
    make_user()
    known = client.post("/password/forgot", data={"email": "old@example.com"})
    before = last_letter().id
    unknown = client.post("/password/forgot", data={"email": "new@example.com"})
    assert last_letter().id == before
    strip = re.compile(r"[0-9a-f]{16}|(old|new)@example\.com")
    assert strip.sub("", known.text) == strip.sub("", unknown.text)


def test_no_token_is_stored_in_the_clear(client: FlaskClient, link: str) -> None:
    token = link.rpartition("/")[2]
    assert db.session.scalars(select(OneTimeToken.token_hash)).one() != token


@pytest.mark.parametrize(("path", "version"), [("/terms", "2026-11-01"), ("/privacy", "2026-11-23")])
def test_the_documents_are_public_and_carry_their_version(
    client: FlaskClient, path: str, version: str
) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert version in page.text
    assert "示例市经济和信息化委员会" in page.text


def test_one_address_gets_one_account_however_many_links(
    app: Flask, client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/register", data={"email": "liao@example.com"})
    second = last_letter().link
    assert client.post(link, data={**PERSON, **AGREED}).status_code == 302
    monkeypatch.setattr(services.queries, "find_user_by_email", lambda _email: None)
    assert app.test_client().post(second, data={**PERSON, **AGREED}).status_code == 410
    assert len(db.session.scalars(select(User)).all()) == 1
