"""Letters: in the box of whom they concern, mailed once, secrets never shown and soon forgotten."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.audit.services import record
from marketplace.identity.models import User
from marketplace.identity.services import open_session
from marketplace.kernel import clock, outbox
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow
from marketplace.notifications import jobs, services
from marketplace.notifications.models import Letter
from marketplace.notifications.post import FilePost, Post, Refused, ServerPost


def account(email: str) -> int:
    with transaction():
        user = User(email=email, name="某人", password_hash="!", created_at=clock.now())
        db.session.add(user)
        db.session.flush()
        record("user.register", "user", user.id, by=SYSTEM, at=clock.now())
    return user.id


def signed_in(app: Flask, user_id: int) -> FlaskClient:
    client = app.test_client()
    with transaction():
        user = db.session.get_one(User, user_id)
        token = open_session(user, user_agent="", replaces=None, now=clock.now())
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    return client


def write(
    user_ids: list[int], subject: str = "单位已通过核验", link: str = "/workbench/organisation"
) -> None:
    with transaction():
        services.send_letter(user_ids, "test", subject, "正文第一行\n第二行", link, at=clock.now())


def run_mail_work() -> None:
    """What a worker does with everything that is due."""
    for batch in outbox.claim(max_batches=10):
        lease = outbox.begin(batch.kind, batch.ids, batch.token, holder="test")
        assert lease is not None
        jobs.mail_letters(lease)


def mails(app: Flask) -> list[EmailMessage]:
    folder = Path(app.config["INSTANCE_DIR"]) / "mail"
    files = sorted(folder.glob("*.eml")) if folder.exists() else []
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]  # type: ignore[misc]


@pytest.fixture
def people(app: Flask) -> tuple[int, int]:
    return account("a@example.com"), account("b@example.com")


def test_a_letter_lies_in_the_box_of_those_it_concerns(app: Flask, people: tuple[int, int]) -> None:
    mine, other = people
    write([mine, mine])
    write([other], subject="别人的信")
    client = signed_in(app, mine)
    page = client.get("/workbench/letters").text
    assert page.count("单位已通过核验</th>") == 1
    assert "别人的信" not in page
    assert "未读 1 封" in page
    letter_id = db.session.scalars(select(Letter.id).where(Letter.user_id == mine)).one()
    stranger = signed_in(app, other)
    assert stranger.post(f"/workbench/letters/{letter_id}/open").status_code == 404
    assert (
        client.post(f"/workbench/letters/{letter_id}/open").headers["Location"] == "/workbench/organisation"
    )
    assert "未读 0 封" in client.get("/workbench/letters").text
    assert "单位已通过核验" not in client.get("/workbench/letters?unread=1").text


def test_all_letters_are_marked_read_at_once_and_only_ones_own(app: Flask, people: tuple[int, int]) -> None:
    mine, other = people
    write([mine, other])
    write([mine, other])
    signed_in(app, mine).post("/workbench/letters/read")
    unread = db.session.scalars(select(Letter.user_id).where(Letter.read_at.is_(None))).all()
    assert set(unread) == {other}


def test_a_link_that_leaves_the_site_is_not_followed(app: Flask, people: tuple[int, int]) -> None:
    for link in ("https://evil.example", "//evil.example"):
        write([people[0]], link=link)
        letter_id = db.session.scalars(select(Letter.id).order_by(Letter.id.desc())).first()
        page = signed_in(app, people[0]).post(f"/workbench/letters/{letter_id}/open")
        assert page.headers["Location"] == "/workbench/letters"


def test_a_rolled_back_act_writes_no_letter(people: tuple[int, int]) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        services.send_letter([people[0]], "test", "没有发生", "", at=clock.now())
        raise ZeroDivisionError
    assert db.session.scalars(select(Letter)).all() == []
    assert db.session.scalars(select(OutboxRow)).all() == []


def test_each_letter_is_mailed_once_with_its_own_message_id(app: Flask, people: tuple[int, int]) -> None:
    write(list(people))
    run_mail_work()
    sent = mails(app)
    assert [mail["To"] for mail in sent] == ["a@example.com", "b@example.com"]
    assert len({mail["Message-ID"] for mail in sent}) == 2
    body = sent[0].get_body()
    assert body is not None
    assert "正文第一行" in body.get_content()
    assert "http://127.0.0.1:8000/workbench/organisation" in body.get_content()
    assert all(db.session.scalars(select(Letter.mailed_at)).all())
    assert all(db.session.scalars(select(OutboxRow.done_at)).all())


def test_doing_the_work_again_sends_nothing_again(
    app: Flask, people: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write([people[0]])
    run_mail_work()
    handed: list[EmailMessage] = []
    monkeypatch.setattr(FilePost, "hand_over", lambda self, message: handed.append(message))
    with transaction():
        letter_id = db.session.scalars(select(Letter.id)).one()
        outbox.defer(services.MAIL, subject_id=letter_id)
    run_mail_work()
    assert handed == []
    assert all(db.session.scalars(select(OutboxRow.done_at)).all())


def test_a_secret_is_mailed_never_shown_and_blanked_once_sent(app: Flask, people: tuple[int, int]) -> None:
    with transaction():
        services.send_secret(
            user_id=people[0],
            kind="x",
            subject="重置密码",
            body="打开链接",
            link="/password/reset/SECRET",
            at=clock.now(),
        )
        services.send_secret(
            address="new@example.com",
            kind="x",
            subject="继续注册",
            body="打开链接",
            link="/register/SECRET",
            at=clock.now(),
        )
    assert "重置密码" not in signed_in(app, people[0]).get("/workbench/letters").text
    run_mail_work()
    assert [mail["To"] for mail in mails(app)] == ["a@example.com", "new@example.com"]
    files = (Path(app.config["INSTANCE_DIR"]) / "mail").glob("*.eml")
    assert all("SECRET" in path.read_text() and "打开链接" in path.read_text() for path in files)
    rows = db.session.execute(select(Letter.body, Letter.link)).all()
    assert [tuple(row) for row in rows] == [("", ""), ("", "")]
    assert "SECRET" not in str(db.session.scalars(select(OutboxRow.payload)).all())


def test_the_mail_file_is_its_owners_alone(app: Flask, people: tuple[int, int]) -> None:
    write([people[0]])
    run_mail_work()
    folder = Path(app.config["INSTANCE_DIR"]) / "mail"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


class Server:
    """A mail server that refuses what it is told to refuse."""

    def __init__(self, error: Exception | None) -> None:
        self.error, self.taken = error, list[EmailMessage]()

    def send_message(self, message: EmailMessage) -> None:
        if self.error:
            raise self.error
        self.taken.append(message)


def use(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def opened(_url: str, *, instance_dir: str) -> Iterator[Post]:
        yield ServerPost(server)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "open_post", opened)


def test_an_address_that_is_refused_for_good_is_noted_and_not_tried_again(
    people: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Server(smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no such user")})), monkeypatch)
    write([people[0]])
    run_mail_work()
    letter = db.session.scalars(select(Letter)).one()
    assert (letter.mailed_at, letter.mail_problem) == (None, "recipient refused: 550")
    assert all(db.session.scalars(select(OutboxRow.done_at)).all())


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"a@example.com": (451, b"later")}),
        smtplib.SMTPServerDisconnected("gone"),
        OSError("unreachable"),
    ],
)
def test_a_passing_trouble_leaves_the_work_to_be_done(
    people: tuple[int, int], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    use(Server(error), monkeypatch)
    write([people[0]])
    with pytest.raises(type(error)):
        run_mail_work()
    assert db.session.scalars(select(OutboxRow.done_at)).all() == [None]
    assert db.session.scalars(select(Letter.mailed_at)).all() == [None]


def test_a_refused_message_is_told_from_a_busy_server() -> None:
    message = EmailMessage()
    with pytest.raises(Refused):
        ServerPost(Server(smtplib.SMTPDataError(554, b"spam"))).hand_over(message)  # type: ignore[arg-type]
    with pytest.raises(smtplib.SMTPDataError):
        ServerPost(Server(smtplib.SMTPDataError(421, b"busy"))).hand_over(message)  # type: ignore[arg-type]


def test_a_disabled_account_gets_no_mail(app: Flask, people: tuple[int, int]) -> None:
    write([people[0]])
    with transaction():
        db.session.get_one(User, people[0]).disabled_at = clock.now()
        record("user.disable", "user", people[0], by=SYSTEM, at=clock.now())
    run_mail_work()
    assert mails(app) == []
    assert all(db.session.scalars(select(OutboxRow.done_at)).all())
