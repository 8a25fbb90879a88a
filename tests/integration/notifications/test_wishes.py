"""Letters as people want them: at once, gathered once a day or week, ended by a link, and really mailed."""

import ast
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.config import ROOT
from marketplace.kernel import clock, outbox
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden
from marketplace.notifications import jobs, kinds, services, sweeps, unsubscribing
from marketplace.notifications.kinds import Group
from marketplace.notifications.models import Letter, LetterDigest, Mailing
from marketplace.notifications.queries import find_refusal, languages_of, list_wishes
from marketplace.notifications.words import told
from tests.integration.notifications.test_letters import account, signed_in
from tests.services import mail_sink
from tests.services.mail_sink import Sink

MATCHING, BINDING = "invitation.received", "organisation.verified"


@pytest.fixture
def mails(app: Flask) -> Iterator[Sink]:
    with mail_sink.sink() as sink:
        app.config["SMTP_URL"] = sink.url
        yield sink


def write(
    user_ids: list[int], kind: str = MATCHING, subject: str = "有一份邀请", at: datetime | None = None
) -> None:
    with transaction():
        services.send_letter(user_ids, kind, subject, f"{subject}的正文", "/workbench", at=at or clock.now())


def work_off() -> None:
    doing: dict[str, Callable[[outbox.Lease], None]] = {
        services.MAIL: jobs.mail_letters,
        services.DIGEST: jobs.mail_digests,
    }
    for batch in outbox.claim(max_batches=10):
        lease = outbox.begin(batch.kind, batch.ids, batch.token, holder="test")
        assert lease is not None
        doing[batch.kind](lease)


def wish(user_id: int, mailing: Mailing, group: Group = Group.MATCHING, *, in_site: bool = True) -> None:
    with transaction():
        services.set_wish(user_id, group, mailing, in_site=in_site)


def texts(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def test_a_server_is_really_spoken_to_and_what_it_says_is_kept(app: Flask, mails: Sink) -> None:
    good, refused, full = (
        account("good@example.com"),
        account("refused@example.com"),
        account("full@example.com"),
    )
    write([good, refused, full], subject="邀请：<b>丝杠</b>")
    work_off()
    assert [address for address, _message in mails.taken] == ["good@example.com"]
    message = mails.taken[0][1]
    plain, html = texts(message)
    assert "邀请：<b>丝杠</b>的正文" in plain
    assert "&lt;b&gt;丝杠" in html
    assert "http://127.0.0.1:8000/workbench" in plain
    assert 'src="' not in html
    assert "http" not in html.replace("http://127.0.0.1:8000/", "")
    assert message["From"].addresses[0].display_name == app.config["SITE_NAME"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # Refused for good: noted, shown to whom it concerns, and not tried again.
    assert (find_refusal(good), find_refusal(refused), find_refusal(full)) == (
        "",
        "recipient refused: 550",
        "message refused: 552",
    )
    assert "recipient refused: 550" in signed_in(app, refused).get("/workbench/letters").text
    assert all(db.session.scalars(select(outbox.OutboxRow.done_at)).all())
    # Refused for now: left for the retry of the outbox.
    later = account("later@example.com")
    write([later])
    with pytest.raises(Exception, match="451"):
        work_off()
    row = db.session.scalars(select(outbox.OutboxRow).order_by(outbox.OutboxRow.id.desc())).first()
    assert row is not None
    assert row.done_at is None
    answer = app.test_cli_runner().invoke(args=["letters", "test", "chief@example.com"])
    assert answer.exit_code == 0
    assert mails.taken[-1][0] == "chief@example.com"
    no = app.test_cli_runner().invoke(args=["letters", "test", "refused@example.com"])
    assert (no.exit_code, "550" in no.output) == (1, True)
    assert "recipient refused: 550" in app.test_cli_runner().invoke(args=["letters", "refused"]).output


def test_letters_are_gathered_into_one_mail_a_day_whatever_is_swept_twice(app: Flask, mails: Sink) -> None:
    daily, weekly = account("daily@example.com"), account("weekly@example.com")
    wish(daily, Mailing.DAILY)
    wish(weekly, Mailing.WEEKLY)
    before = clock.now() - timedelta(days=9)
    write([daily, weekly], subject="第一封", at=before)
    write([daily], subject="第二封", at=before)
    write([daily], subject="读过的", at=before)
    write([daily], kind=BINDING, subject="核验结果", at=before)
    write([daily], subject="今天才写的", at=clock.now() + timedelta(days=1))
    with transaction():
        read = db.session.scalars(select(Letter).where(Letter.subject == "读过的")).one()
        services.mark_read(daily, letter_id=read.id, now=clock.now())
    for _ in range(2):
        sweeps.sweep()
        work_off()
    sent = {address: message for address, message in mails.taken if "核验结果" not in str(message["Subject"])}
    assert len(mails.taken) == 3  # the binding one at once, and one digest for each
    plain, html = texts(sent["daily@example.com"])
    assert "共 2 封" in sent["daily@example.com"]["Subject"]
    assert "■ 第一封" in plain
    assert "第二封" in html
    assert "读过的" not in plain
    assert "今天才写的" not in plain
    assert db.session.scalars(select(LetterDigest.mailed_at)).all() != [None, None]
    # Once a day means once, even where the job itself is done again.
    with transaction():
        for digest in db.session.scalars(select(LetterDigest)):
            outbox.defer(services.DIGEST, subject_id=digest.id)
    work_off()
    assert len(mails.taken) == 3
    # Who ends what was waiting hears no more of it.
    wish(daily, Mailing.OFF)
    sweeps.sweep()
    assert len(db.session.scalars(select(LetterDigest)).all()) == 2


def test_the_hour_is_one_of_shanghai_and_the_week_begins_on_monday() -> None:
    wednesday = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # 9:00 in Shanghai
    assert sweeps.last_hour(wednesday, Mailing.DAILY, hour=8) == datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
    assert sweeps.last_hour(wednesday, Mailing.DAILY, hour=10) == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert sweeps.last_hour(wednesday, Mailing.WEEKLY, hour=8) == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    monday_early = datetime(2026, 11, 22, 23, 0, tzinfo=UTC)  # Monday 7:00 in Shanghai
    assert sweeps.last_hour(monday_early, Mailing.WEEKLY, hour=8) == datetime(2026, 11, 16, 0, 0, tzinfo=UTC)


def test_a_signed_link_ends_one_group_without_signing_in_and_nothing_else(app: Flask, mails: Sink) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    person = account("a@example.com")
    write([person])
    write([person], kind=BINDING, subject="核验结果")
    work_off()
    message, binding = (one for _address, one in mails.taken)
    assert binding["List-Unsubscribe"] is None
    path = str(message["List-Unsubscribe"]).strip("<>").removeprefix("http://127.0.0.1:8000")
    anyone = app.test_client()
    assert "对接往来" in anyone.get(path).text
    write([person])  # looking ended nothing
    answer = anyone.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    write([person], subject="不再寄的")
    write([person], kind=BINDING, subject="照寄的")
    work_off()
    assert [str(one["Subject"]).split("] ")[1] for _address, one in mails.taken[2:]] == [
        "有一份邀请",
        "照寄的",
    ]
    assert "不再寄的" in signed_in(app, person).get("/workbench/letters").text
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "letter.settings")).one()
    assert event.detail == {"matching": "off", "by": "link"}
    other = account("b@example.com")
    forged = path[:-2] + ("aa" if not path.endswith("aa") else "bb")
    for wrong in (forged, "/letters/unsubscribe/x", "/letters/unsubscribe/" + "a" * 400):
        assert anyone.post(wrong).status_code == 404
    # Neither security nor what decides can be ended, by a link that was signed for it or by a service.
    token = unsubscribing.token_for(other, Group.SECURITY)
    assert anyone.post(f"/letters/unsubscribe/{token}").status_code == 404
    with pytest.raises(Forbidden), transaction():
        services.set_wish(other, Group.BINDING, Mailing.OFF, in_site=False)


def test_wishes_are_set_on_a_page_and_the_box_is_sorted(app: Flask) -> None:
    person, other = account("a@example.com"), account("b@example.com")
    client = signed_in(app, person)
    page = client.get("/workbench/letters/settings").text
    assert page.count("立即，不能关闭") == 2
    assert 'name="mailing-security"' not in page
    form = {"mailing-matching": "weekly", "mailing-work": "off", "site-matching": "1", "language": "en"}
    assert client.post("/workbench/letters/settings", data=form).status_code == 302
    saved = client.get("/workbench/letters/settings").text
    assert '<option value="weekly" selected>' in saved
    for wrong in ({"mailing-matching": "hourly"}, {"language": "xx"}):
        assert client.post("/workbench/letters/settings", data=wrong).status_code == 422
    client.post("/workbench/letters/settings", data={"mailing-security": "off"})
    write([person], kind="identity.password_changed", subject="密码已更改")
    write([person], kind="membership.requested", subject="有人申请加入")
    write([person], subject="邀请 100%_甲")
    write([other], subject="别人的邀请")
    letters = {row.subject: row for row in db.session.scalars(select(Letter))}
    assert letters["密码已更改"].mailing is Mailing.NOW
    assert letters["有人申请加入"].mailing is Mailing.OFF
    assert letters["有人申请加入"].archived_at is not None  # not wanted in the box
    assert letters["邀请 100%_甲"].mailing is Mailing.WEEKLY

    def shown(query: str = "") -> list[str]:
        text = client.get(f"/workbench/letters{query}").text
        return [subject for subject in letters if f"{subject}</th>" in text]

    assert shown() == ["密码已更改", "邀请 100%_甲"]
    assert shown("?box=archived") == ["有人申请加入"]
    assert shown("?group=matching") == ["邀请 100%_甲"]
    assert shown("?group=other") == []
    assert shown("?q=100%25_") == ["邀请 100%_甲"]
    assert shown("?q=%25&group=security") == []
    mine, theirs = letters["邀请 100%_甲"].id, letters["别人的邀请"].id
    chosen = {"id": [str(mine), str(theirs), "x", "9" * 30]}
    assert (
        "已处理 1 封"
        in client.post("/workbench/letters/sort", data={**chosen, "act": "read"}, follow_redirects=True).text
    )
    assert shown("?box=unread") == ["密码已更改"]
    client.post("/workbench/letters/sort", data={**chosen, "act": "unread"})
    assert shown("?box=unread") == ["密码已更改", "邀请 100%_甲"]
    back = client.post("/workbench/letters/sort", data={"page_ids": str(mine), "act": "archive", "q": "甲"})
    assert back.headers["Location"] == "/workbench/letters?q=%E7%94%B2"
    assert "邀请 100%_甲" in shown("?box=archived")
    assert (
        "请先勾选"
        in client.post("/workbench/letters/sort", data={"act": "restore"}, follow_redirects=True).text
    )
    assert client.post("/workbench/letters/sort", data={"act": "burn"}).status_code == 404
    db.session.expire_all()
    assert db.session.get_one(Letter, theirs).read_at is None


def test_a_letter_is_said_in_its_readers_language(
    app: Flask, mails: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketplace.notifications import words

    catalogue = {"%(name)s 邀请您": "%(name)s invites you", "请答复。": "Please answer."}
    monkeypatch.setattr(
        words,
        "gettext",
        lambda text, **places: catalogue.get(text, text) % places if places else catalogue.get(text, text),
    )
    person = account("a@example.com")
    with transaction():
        services.set_language(person, "en")
        services.send_letter(
            [person],
            MATCHING,
            told("%(name)s 邀请您", name="拓云 100%"),
            told("请答复。") + "原文",
            at=clock.now(),
        )
    work_off()
    message = mails.taken[0][1]
    assert str(message["Subject"]).endswith("拓云 100% invites you")
    assert "Please answer.原文" in texts(message)[0]
    letter = db.session.scalars(select(Letter)).one()
    assert (letter.subject, letter.body) == ("拓云 100% 邀请您", "请答复。原文")


def written_kinds(source: Path) -> Iterator[str]:
    """Every kind of letter that a call names literally."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
            "send_letter",
            "_tell_members",
            "_tell_managers",
        ):
            yield from (
                one.value
                for one in node.args[:2]
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and "." in one.value
            )


def test_every_letter_that_is_written_belongs_to_a_group(app: Flask) -> None:
    found = {kind for path in (ROOT / "marketplace").rglob("*.py") for kind in written_kinds(path)}
    assert len(found) > 10
    assert found <= kinds.registered().keys()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_wish_that_comes_twice_at_once_is_taken_once(app: Flask) -> None:
    """Such as from a second click, or from a mail program and its reader."""
    user_id = account("twice@example.com")
    failed: list[Exception] = []

    def choose(mailing: Mailing, language: str) -> None:
        services.set_wish(user_id, Group.MATCHING, mailing, in_site=True)
        services.set_language(user_id, language)
        db.session.flush()

    def choose_meanwhile() -> None:
        try:
            with app.app_context(), transaction():
                choose(Mailing.OFF, "en")
        except Exception as error:
            failed.append(error)

    second = Thread(target=choose_meanwhile)
    with transaction():
        choose(Mailing.WEEKLY, "zh_Hans")
        second.start()
        # It waits for this commit, and goes on after it.
        second.join(0.5)
    second.join()
    assert not failed
    db.session.rollback()
    assert list_wishes(user_id)[Group.MATCHING].mailing is Mailing.OFF
    assert languages_of([user_id]) == {user_id: "en"}
