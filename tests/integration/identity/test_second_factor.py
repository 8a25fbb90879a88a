"""The second factor: set up by a code, asked for at sign-in, none taken twice, a way in when it is lost."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.config import Environment, Settings, UnfitSettings
from marketplace.identity import second_factor, services
from marketplace.identity.models import RecoveryCode, SecondFactor, User
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.notifications.models import Letter
from tests.integration.support import audit_types

PASSWORD = "三棵松树与一台压铸机，很好"
HASH = services.prepare_password(PASSWORD, name="某某某", email="a@example.com")
EMAIL = "liao@example.com"
SET_UP = "/workbench/account/second-factor"


class Clock:
    """The clock of the codes, moved by whole steps, so that no test waits for one."""

    def __init__(self) -> None:
        self.at = clock.now()

    def now(self) -> datetime:
        return self.at

    def forward(self, steps: int) -> None:
        self.at += timedelta(seconds=30 * steps)


@pytest.fixture
def hands(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Clock:
    hands = Clock()
    monkeypatch.setattr(clock, "now", hands.now)
    return hands


def make_user(email: str = EMAIL, role: PlatformRole | None = None) -> int:
    with transaction():
        person = Person(email, "廖启航", "13800000000", HASH)
        return services.create_user(person, by=SYSTEM, now=clock.now(), platform_role=role).id


def sign_in(client: FlaskClient, email: str = EMAIL) -> str:
    """Where a right password leads."""
    response = client.post("/login", data={"email": email, "password": PASSWORD})
    assert response.status_code == 302
    return response.headers["Location"]


def key_on(page: str) -> str:
    found = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page)
    assert found, "no key on the page"
    return found[0].replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<code>((?:[A-Z2-9]{4} ?){4})</code>", page)


def code_of(key: str, hands: Clock, steps: int = 0) -> str:
    return pyotp.TOTP(key).at(hands.now() + timedelta(seconds=30 * steps))


def switch_on(client: FlaskClient, hands: Clock) -> tuple[str, list[str]]:
    """The key and the recovery codes."""
    assert client.post(f"{SET_UP}/begin").headers["Location"] == SET_UP
    key = key_on(client.get(SET_UP).text)
    page = client.post(f"{SET_UP}/confirm", data={"code": code_of(key, hands)})
    assert page.status_code == 200
    return key, codes_on(page.text)


def is_in(client: FlaskClient) -> bool:
    return client.get("/workbench/account").status_code == 200


def test_it_is_set_up_by_a_code_and_then_asked_for(app: Flask, client: FlaskClient, hands: Clock) -> None:
    user_id = make_user()
    sign_in(client)
    start = client.get(SET_UP).text
    assert "data:image/svg" not in start
    client.post(f"{SET_UP}/begin")
    page = client.get(SET_UP).text
    key = key_on(page)
    picture = re.search(r'<img src="(data:image/svg\+xml[^"]+)"', page)
    assert picture
    for wrong in ("", "12345", "abcdef", "١٢٣٤٥٦", "000000" if code_of(key, hands) != "000000" else "1"):
        refused = client.post(f"{SET_UP}/confirm", data={"code": wrong})
        assert refused.status_code == 422
    assert db.session.get_one(User, user_id).second_factor_at is None
    # Typed as an app shows it, in full width.
    code = code_of(key, hands)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    shown = client.post(f"{SET_UP}/confirm", data={"code": f"{wide[:3]} {wide[3:]}"})
    codes = codes_on(shown.text)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    # Shown once: neither key nor codes can be read again.
    for path in (SET_UP, "/workbench/account/security"):
        again = unescape(client.get(path).text)
        assert key not in again.replace(" ", "")
        assert not codes_on(again)

    other = app.test_client()
    assert sign_in(other) == "/login/code"
    assert not is_in(other)
    # The code that switched it on has been used up.
    assert other.post("/login/code", data={"code": code}).status_code == 422
    hands.forward(1)
    later = code_of(key, hands)
    assert other.post("/login/code", data={"code": later}).headers["Location"] == "/workbench"
    assert is_in(other)
    third = app.test_client()
    sign_in(third)
    assert third.post("/login/code", data={"code": later}).status_code == 422
    assert not is_in(third)

    types = audit_types("user", user_id)
    assert types[-2:] == ["user.second_factor_on", "user.sign_in"]
    kept = [str(vars(row)) for row in db.session.scalars(select(AuditEvent))]
    kept += [str(vars(row)) for row in db.session.scalars(select(Letter))]
    for secret in (key, code, later, *codes, *(text.replace(" ", "") for text in codes)):
        assert not any(secret in text for text in kept)
    stored = db.session.scalars(select(RecoveryCode.code_hash)).all()
    assert not set(stored) & {text.replace(" ", "") for text in codes}


def test_a_phone_may_be_one_step_off_and_no_more(app: Flask, client: FlaskClient, hands: Clock) -> None:
    make_user()
    sign_in(client)
    key, _codes = switch_on(client, hands)
    hands.forward(10)
    answers = {}
    for steps in (-2, 2, -1, 1):
        other = app.test_client()
        sign_in(other)
        answers[steps] = other.post("/login/code", data={"code": code_of(key, hands, steps)}).status_code
    assert answers == {-2: 422, 2: 422, -1: 302, 1: 302}
    # After a code from the step ahead the present one is an older one.
    other = app.test_client()
    sign_in(other)
    assert other.post("/login/code", data={"code": code_of(key, hands)}).status_code == 422


def test_a_recovery_code_works_once_and_is_told(app: Flask, client: FlaskClient, hands: Clock) -> None:
    user_id = make_user()
    sign_in(client)
    _key, codes = switch_on(client, hands)
    statuses = []
    for code in (codes[0], codes[0], codes[1].lower().replace(" ", "-")):
        other = app.test_client()
        sign_in(other)
        statuses.append(other.post("/login/code", data={"code": code}).status_code)
    assert statuses == [302, 422, 302]
    kinds = db.session.scalars(select(Letter.kind).where(Letter.user_id == user_id)).all()
    assert kinds.count("identity.recovery_code_used") == 2
    assert "恢复码还剩 8 个" in client.get("/workbench/account/security").text
    fresh = codes_on(client.post(f"{SET_UP}/codes").text)
    assert len(fresh) == second_factor.RECOVERY_CODES
    other = app.test_client()
    sign_in(other)
    assert other.post("/login/code", data={"code": codes[2]}).status_code == 422
    assert other.post("/login/code", data={"code": fresh[2]}).status_code == 302


def test_guessing_codes_is_held_up_and_the_half_signed_in_wait_is_short(
    app: Flask, client: FlaskClient, hands: Clock
) -> None:
    make_user()
    sign_in(client)
    key, codes = switch_on(client, hands)
    guesser = app.test_client()
    sign_in(guesser)
    wrong = "000000" if code_of(key, hands) != "000000" else "000001"
    tries = [guesser.post("/login/code", data={"code": wrong}).status_code for _ in range(6)]
    assert tries == [422] * 5 + [429]
    hands.forward(2 * 16)
    assert guesser.get("/login/code").headers["Location"] == "/login"
    sign_in(guesser)
    with transaction():
        user = db.session.scalars(select(User)).one()
        services.change_password(user, HASH, now=clock.now())
    # Whoever changed the password meanwhile has ended this attempt too.
    assert guesser.post("/login/code", data={"code": codes[0]}).headers["Location"] == "/login"
    assert app.test_client().post("/login/code", data={"code": codes[0]}).headers["Location"] == "/login"


def test_switching_it_off_asks_for_all_that_signing_in_asks_for(client: FlaskClient, hands: Clock) -> None:
    user_id = make_user()
    sign_in(client)
    key, _codes = switch_on(client, hands)
    hands.forward(2 * 11)
    led = client.post(f"{SET_UP}/off")
    assert led.headers["Location"] == "/workbench/account/prove?next=/workbench/account/security"
    # Changing the password takes the password alone, and proves no more than that.
    new = "四台压铸机和一片湖水，真好"
    change = {"current": PASSWORD, "password": new, "again": new}
    assert client.post("/workbench/account/password", data=change).status_code == 302
    assert client.post(f"{SET_UP}/off").headers["Location"] == led.headers["Location"]
    for form in ({"password": new}, {"password": "wrong", "code": code_of(key, hands)}):
        assert client.post("/workbench/account/prove", data=form).status_code == 422
    proof = {"password": new, "code": code_of(key, hands), "next": "//evil.example"}
    assert client.post("/workbench/account/prove", data=proof).headers["Location"].startswith("/workbench/")
    assert client.post(f"{SET_UP}/off").status_code == 302
    assert db.session.get_one(User, user_id).second_factor_at is None
    assert not db.session.scalars(select(SecondFactor)).all()
    assert not db.session.scalars(select(RecoveryCode)).all()
    kinds = db.session.scalars(select(Letter.kind).where(Letter.user_id == user_id)).all()
    assert kinds == [
        "identity.second_factor_on",
        "identity.password_changed",
        "identity.second_factor_off",
    ]
    assert client.post(f"{SET_UP}/off").status_code == 422


def test_who_works_for_the_platform_sets_it_up_before_anything_else(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(second_factor_optional=False)
    with app.app_context():
        hands = Clock()
        monkeypatch.setattr(clock, "now", hands.now)
        user_id = make_user(role=PlatformRole.OPERATOR)
        make_user("firm@example.com")
        client, firm = app.test_client(), app.test_client()
        sign_in(client)
        sign_in(firm, "firm@example.com")
        assert firm.get("/workbench").status_code == 200
        for path in ("/", "/workbench", "/workbench/verification", "/workbench/accounts", "/challenges"):
            led = client.get(path)
            assert (led.status_code, led.headers["Location"].partition("?")[0]) == (303, SET_UP)
        shut = client.post("/workbench/accounts/2/disable", data={"reason": "试"})
        assert (shut.status_code, shut.headers["Location"]) == (303, SET_UP)
        assert client.get("/workbench", headers={"HX-Request": "true"}).status_code == 403
        assert db.session.get_one(User, 2).disabled_at is None
        page = client.get(SET_UP).text
        assert "须先开启两步验证" in page
        assert "单位核验" not in page
        assert client.get("/terms").status_code == 200
        switch_on(client, hands)
        assert client.get("/workbench/verification").status_code == 200
        refused = client.post(f"{SET_UP}/off")
        assert refused.status_code == 422
        assert db.session.get_one(User, user_id).second_factor_at is not None
        assert client.post("/logout").status_code == 302
        assert sign_in(client) == "/login/code"


def test_the_relaxation_is_off_by_itself_and_refused_in_production() -> None:
    assert Settings.model_fields["second_factor_optional"].default is False
    production = Settings(
        marketplace_env=Environment.PRODUCTION,
        secret_key="k" * 32,
        database_url="postgresql://somewhere/market",
        public_url="https://market.example.com",
        second_factor_optional=True,
    )
    with pytest.raises(UnfitSettings, match="SECOND_FACTOR_OPTIONAL"):
        production.check()


def test_a_lost_one_is_taken_off_with_a_reason_by_the_maintainer_alone(
    app: Flask, client: FlaskClient, hands: Clock
) -> None:
    user_id = make_user()
    make_user("op@example.com", PlatformRole.OPERATOR)
    make_user("root@example.com", PlatformRole.MAINTAINER)
    sign_in(client)
    switch_on(client, hands)
    operator, maintainer = app.test_client(), app.test_client()
    sign_in(operator, "op@example.com")
    sign_in(maintainer, "root@example.com")
    address = f"/workbench/accounts/{user_id}/second-factor/reset"
    assert operator.post(address, data={"reason": "想试试"}).status_code == 403
    assert maintainer.post(address, data={"reason": " "}).status_code == 422
    assert is_in(client)
    assert maintainer.post(address, data={"reason": "手机丢失，已当面核对身份证"}).status_code == 302
    assert not is_in(client)
    assert sign_in(client) == "/workbench"
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "user.second_factor_reset")).one()
    assert (event.subject_id, event.actor_role, event.reason) == (
        user_id,
        "maintainer",
        "手机丢失，已当面核对身份证",
    )
    switch_on(client, hands)
    command = ["identity", "reset-second-factor", EMAIL, "--reason", "夜间值班，电话核实"]
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output
    twice = app.test_cli_runner().invoke(args=command)
    assert twice.exit_code == 1
    assert "没有开启两步验证" in twice.output
    assert sign_in(app.test_client()) == "/workbench"


def test_nothing_else_reads_the_table_of_keys() -> None:
    from pathlib import Path

    import marketplace

    readers = {
        path.name
        for path in Path(marketplace.__path__[0]).rglob("*.py")
        if re.search(r"\bSecondFactor\b", path.read_text(encoding="utf-8"))
    }
    assert readers == {"models.py", "second_factor.py"}
