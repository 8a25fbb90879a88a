"""What happens between two looks at an account: passwords changed meanwhile, attempts counted at once."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from marketplace.audit.models import AuditEvent
from marketplace.identity import credentials, services, throttling
from marketplace.identity.models import AttemptWindow, User, UserSession
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.db import db, transaction

OLD, NEW = "三棵松树与一台压铸机，很好", "四台压铸机和一片湖水，真好"
OLD_HASH, NEW_HASH = (services.prepare_password(text, name="某", email="x@y.cn") for text in (OLD, NEW))
EMAIL = "liao@example.com"


@pytest.fixture
def user_id(app: Flask) -> int:
    with transaction():
        return services.create_user(Person(EMAIL, "廖启航", "", OLD_HASH), by=SYSTEM, now=clock.now()).id


def elsewhere(app: Flask, act: Callable[[], None]) -> list[BaseException]:
    """Do something in another thread, with a session of its own, and wait for it."""
    failed: list[BaseException] = []

    def run() -> None:
        with app.app_context():
            try:
                act()
            except BaseException as error:
                failed.append(error)
            finally:
                db.session.remove()

    thread = Thread(target=run)
    thread.start()
    thread.join(30)
    return failed


def reset(user_id: int) -> None:
    with transaction():
        services.change_password(db.session.get_one(User, user_id), NEW_HASH, now=clock.now())


def disable(user_id: int) -> None:
    with transaction():
        user = db.session.get_one(User, user_id)
        services.disable_user(user, reason="账号被盗", by=SYSTEM, now=clock.now())


def sign_in(client: FlaskClient, password: str = OLD, email: str = EMAIL) -> int:
    return client.post("/login", data={"email": email, "password": password}).status_code


def meanwhile(monkeypatch: pytest.MonkeyPatch, app: Flask, act: Callable[[], None]) -> None:
    """Have something happen while a right password is being verified."""
    verify = credentials.is_password

    def slowly(password: str, password_hash: str | None) -> bool:
        right = verify(password, password_hash)
        assert elsewhere(app, act) == []
        return right

    monkeypatch.setattr(credentials, "is_password", slowly)


@pytest.mark.parametrize("act", [reset, disable])
@pytest.mark.parametrize("outdated", [False, True])
def test_a_sign_in_under_way_does_not_outlive_the_end_of_all_sessions(
    app: Flask,
    client: FlaskClient,
    user_id: int,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[int], None],
    outdated: bool,
) -> None:
    meanwhile(monkeypatch, app, lambda: act(user_id))
    monkeypatch.setattr(credentials, "needs_rehash", lambda _hash: outdated)
    assert sign_in(client) == 422
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0
    stored = db.session.scalars(select(User.password_hash)).one()
    assert stored == (NEW_HASH if act is reset else OLD_HASH)


def test_a_password_that_was_changed_meanwhile_is_not_changed_again(
    app: Flask, client: FlaskClient, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(client) == 302
    meanwhile(monkeypatch, app, lambda: reset(user_id))
    third = "五条山路通向一座旧的水电站"
    sent = {"current": OLD, "password": third, "again": third}
    page = client.post("/workbench/account/password", data=sent)
    assert page.status_code == 422
    assert "现在的密码不正确" in page.text
    assert db.session.scalars(select(User.password_hash)).one() == NEW_HASH
    assert db.session.scalar(select(func.count()).select_from(UserSession)) == 0


def test_an_own_account_buys_no_further_tries_at_those_of_others(
    client: FlaskClient, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "SIGN_IN_ADDRESS", throttling.Limit("few", 4, timedelta(minutes=15)))
    codes = []
    for n in range(4):
        codes.append(sign_in(client, "Spring2026spring", f"victim{n}@example.com"))
        codes.append(sign_in(client.application.test_client()))
    assert codes == [422, 302, 422, 302, 429, 429, 429, 429]


def test_two_who_sweep_away_old_counts_at_once_do_not_wait_for_each_other(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    limit, people = throttling.SIGN_IN_ACCOUNT, ("a@example.com", "b@example.com")
    with transaction():
        throttling.count_attempts([(limit, person) for person in (*people, "c@example.com")], now=now)
    with transaction():
        db.session.execute(update(AttemptWindow).values(started_at=now - timedelta(hours=3)))
    together, delete = Barrier(2), throttling.delete

    def delete_together(table: type[AttemptWindow]) -> object:
        # SQLite lets only one of them get here; the other one comes after it.
        with contextlib.suppress(BrokenBarrierError):
            together.wait(1)
        return delete(table)

    monkeypatch.setattr(throttling, "delete", delete_together)
    failed: list[BaseException] = []

    def count(person: str) -> None:
        def attempt() -> None:
            with transaction():
                throttling.count_attempts([(limit, person)], now=clock.now())

        failed.extend(elsewhere(app, attempt))

    threads = [Thread(target=count, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    db.session.rollback()
    assert db.session.scalars(select(AttemptWindow.count)).all() == [1, 1]


def test_who_asked_for_a_reset_link_is_not_known(client: FlaskClient, user_id: int) -> None:
    assert client.post("/password/forgot", data={"email": EMAIL}).status_code == 200
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "user.request_reset")).one()
    assert (event.subject_id, event.actor_user_id, event.actor_name) == (user_id, None, "anonymous")
