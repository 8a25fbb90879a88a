"""Mailing letters. Safe to run twice: a letter keeps its Message-ID, and a mailed one is passed over."""

from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import Lease
from marketplace.notifications.addresses import addresses_of
from marketplace.notifications.models import Letter
from marketplace.notifications.post import Post, Refused, open_post


def mail_letters(lease: Lease) -> None:
    """Mail each letter of the batch, one short write after each; a failure leaves the rest to the retry."""
    wanted = {work.subject_id: work.id for work in lease.work}
    letters = db.session.scalars(select(Letter).where(Letter.id.in_(wanted)).order_by(Letter.id)).all()
    users = addresses_of({letter.user_id for letter in letters if letter.user_id is not None})
    messages = {
        letter.id: compose(letter, address)
        for letter in letters
        if letter.mailed_at is None and (address := letter.address or users.get(letter.user_id or 0, ""))
    }
    db.session.rollback()
    gone = [work_id for letter_id, work_id in wanted.items() if letter_id not in messages]
    if gone:
        with transaction():
            lease.finish(gone)
    if not messages:
        return
    config = current_app.config
    with open_post(config["SMTP_URL"], instance_dir=config["INSTANCE_DIR"]) as post:
        for letter_id, message in messages.items():
            _mail(letter_id, message, post, lease=lease, work_id=wanted[letter_id])


def _mail(letter_id: int, message: EmailMessage, post: Post, *, lease: Lease, work_id: int) -> None:
    problem = ""
    try:
        post.hand_over(message)
    except Refused as refused:
        problem = str(refused)[:200]
    with transaction():
        letter = db.session.get_one(Letter, letter_id)
        letter.mail_problem = problem
        letter.mailed_at = None if problem else clock.now()
        if letter.by_mail_only:
            letter.body = letter.link = ""
        lease.finish([work_id])


def compose(letter: Letter, address: str) -> EmailMessage:
    """The letter as a mail; the same letter always carries the same Message-ID."""
    config = current_app.config
    site = (config["PUBLIC_URL"] or "http://127.0.0.1:8000").rstrip("/")
    domain = urlsplit(site).hostname or "localhost"
    message = EmailMessage()
    message["From"] = config["MAIL_FROM"]
    message["To"] = address
    message["Subject"] = f"[{config['SITE_NAME']}] {letter.subject}"
    message["Date"] = format_datetime(letter.created_at)
    message["Message-ID"] = f"<letter-{letter.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    link = f"\n\n{site}{letter.link}" if letter.link else ""
    message.set_content(f"{letter.body}{link}\n\n-- \n{config['SITE_NAME']}\n")
    return message
