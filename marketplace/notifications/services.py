"""Writing letters. The row is the letter; a mail with the same text follows as deferred work."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import update

from marketplace.kernel.db import db
from marketplace.kernel.outbox import defer
from marketplace.notifications.models import Letter

MAIL = "notifications.mail"


def send_letter(
    user_ids: Iterable[int], kind: str, subject: str, body: str, link: str = "", *, at: datetime
) -> None:
    """Put a letter into each person's box and have it mailed; `link` is a path on this site.

    Inside `transaction()`: a letter about something that is rolled back was never written.
    """
    letters = [
        Letter(user_id=user_id, kind=kind, subject=subject[:200], body=body, link=link, created_at=at)
        for user_id in dict.fromkeys(user_ids)
    ]
    _post(letters)


def send_secret(
    *,
    kind: str,
    subject: str,
    body: str,
    link: str,
    at: datetime,
    user_id: int | None = None,
    address: str = "",
) -> None:
    """Mail a link that proves who opens it. It never shows in the site and is blanked once it is sent."""
    letter = Letter(
        user_id=user_id,
        address=address,
        kind=kind,
        subject=subject[:200],
        body=body,
        link=link,
        by_mail_only=True,
        created_at=at,
    )
    _post([letter])


def _post(letters: list[Letter]) -> None:
    db.session.add_all(letters)
    db.session.flush()
    for letter in letters:
        defer(MAIL, subject_id=letter.id)


def mark_read(user_id: int, *, now: datetime, letter_id: int | None = None) -> None:
    """Mark one letter of a person read, or all of them. Marking again changes nothing."""
    statement = update(Letter).where(Letter.user_id == user_id, Letter.read_at.is_(None))
    if letter_id is not None:
        statement = statement.where(Letter.id == letter_id)
    db.session.execute(statement.values(read_at=now), execution_options={"synchronize_session": False})
