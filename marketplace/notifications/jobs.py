"""Mailing letters and digests. Safe to run twice: each keeps its Message-ID, a mailed one is passed over."""

from collections.abc import Callable
from email.message import EmailMessage

from flask import current_app
from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import Lease
from marketplace.notifications import queries
from marketplace.notifications.addresses import addresses_of
from marketplace.notifications.composing import compose, compose_digest
from marketplace.notifications.models import Letter, LetterDigest
from marketplace.notifications.post import Post, Refused, open_post

DEFAULT_LANGUAGE = "zh_Hans"


def mail_letters(lease: Lease) -> None:
    """Mail each letter of the batch, one short write after each; a failure leaves the rest to the retry."""
    wanted = {work.subject_id: work.id for work in lease.work}
    letters = db.session.scalars(select(Letter).where(Letter.id.in_(wanted)).order_by(Letter.id)).all()
    people = {letter.user_id for letter in letters if letter.user_id is not None}
    users, languages = addresses_of(people), queries.languages_of(people)
    messages = {
        letter.id: compose(letter, address, language=languages.get(letter.user_id or 0, DEFAULT_LANGUAGE))
        for letter in letters
        if letter.mailed_at is None and (address := letter.address or users.get(letter.user_id or 0, ""))
    }
    _mail_all(lease, wanted, messages, _note_letter)


def mail_digests(lease: Lease) -> None:
    """Mail each digest of the batch with what is still unread of it; one that has nothing left is done."""
    wanted = {work.subject_id: work.id for work in lease.work}
    digests = db.session.scalars(select(LetterDigest).where(LetterDigest.id.in_(wanted))).all()
    people = {digest.user_id for digest in digests}
    users, languages = addresses_of(people), queries.languages_of(people)
    gathered: dict[int, list[Letter]] = {}
    unread = select(Letter).where(Letter.digest_id.in_(wanted), Letter.read_at.is_(None)).order_by(Letter.id)
    for letter in db.session.scalars(unread):
        gathered.setdefault(letter.digest_id or 0, []).append(letter)
    messages = {
        digest.id: compose_digest(
            digest, letters, address, language=languages.get(digest.user_id, DEFAULT_LANGUAGE)
        )
        for digest in digests
        if digest.mailed_at is None
        and (letters := gathered.get(digest.id))
        and (address := users.get(digest.user_id, ""))
    }
    _mail_all(lease, wanted, messages, _note_digest)


def _mail_all(
    lease: Lease,
    wanted: dict[int | None, int],
    messages: dict[int, EmailMessage],
    note: Callable[[int, str], None],
) -> None:
    db.session.rollback()
    if gone := [work_id for subject_id, work_id in wanted.items() if subject_id not in messages]:
        with transaction():
            lease.finish(gone)
    if not messages:
        return
    config = current_app.config
    with open_post(config["SMTP_URL"], instance_dir=config["INSTANCE_DIR"]) as post:
        for subject_id, message in messages.items():
            problem = _hand_over(message, post)
            with transaction():
                note(subject_id, problem)
                lease.finish([wanted[subject_id]])


def _hand_over(message: EmailMessage, post: Post) -> str:
    try:
        post.hand_over(message)
    except Refused as refused:
        return str(refused)[:200]
    return ""


def _note_letter(letter_id: int, problem: str) -> None:
    letter = db.session.get_one(Letter, letter_id)
    letter.mail_problem = problem
    letter.mailed_at = None if problem else clock.now()
    if letter.by_mail_only:
        letter.body = letter.link = ""
        letter.words = None


def _note_digest(digest_id: int, problem: str) -> None:
    digest = db.session.get_one(LetterDigest, digest_id)
    digest.mail_problem = problem
    digest.mailed_at = None if problem else clock.now()
