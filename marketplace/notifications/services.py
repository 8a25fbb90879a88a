"""Writing letters, the one door. The row is the letter; a mail with the same text follows as deferred work.

How a person wants a group of letters is asked here, when a letter is written: at once, gathered by day or by
week, or not by mail at all. What is binding goes both ways and at once, whatever somebody chose.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.kernel import locales
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, insert_into, transaction
from marketplace.kernel.errors import Forbidden
from marketplace.kernel.outbox import defer
from marketplace.notifications import kinds, queries, words
from marketplace.notifications.kinds import GROUPS, Group
from marketplace.notifications.models import (
    GATHERED,
    Letter,
    LetterDigest,
    LetterReader,
    LetterSetting,
    Mailing,
)

MAIL = "notifications.mail"
DIGEST = "notifications.digest"
LANGUAGES = locales.LANGUAGES
# What one pass of the sweep gathers at most; the rest follows with the next.
GATHERED_AT_ONCE = 200


def send_letter(
    user_ids: Iterable[int], kind: str, subject: str, body: str, link: str = "", *, at: datetime
) -> None:
    """Put a letter into each person's box and have it mailed as they want it; `link` is a path on this site.

    Inside `transaction()`: a letter about something that is rolled back was never written. `subject` and
    `body` made by `words.told` reach everybody in their own language.
    """
    readers = list(dict.fromkeys(user_ids))
    wishes = queries.read_wishes(kinds.group_of(kind), readers)
    letters = [
        Letter(
            user_id=user_id,
            kind=kind,
            subject=str(subject)[:200],
            body=str(body),
            link=link,
            created_at=at,
            mailing=wish.mailing,
            # One that is not to lie in the box counts as put away, and stays in reach.
            archived_at=None if wish.in_site else at,
            words=_words(subject, body),
        )
        for user_id in readers
        if (wish := wishes[user_id])
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
        subject=str(subject)[:200],
        body=str(body),
        words=_words(subject, body),
        link=link,
        by_mail_only=True,
        created_at=at,
    )
    _post([letter])


def _words(subject: str, body: str) -> dict[str, Any] | None:
    parts = {"subject": words.kept(subject), "body": words.kept(body)}
    return {name: part for name, part in parts.items() if part} or None


def _post(letters: list[Letter]) -> None:
    db.session.add_all(letters)
    db.session.flush()
    for letter in letters:
        if letter.mailing is Mailing.NOW:
            defer(MAIL, subject_id=letter.id)


# --- what a reader does with letters --------------------------------------------------------------------


def mark_read(user_id: int, *, now: datetime, letter_id: int | None = None) -> None:
    """Mark one letter of a person read, or all of them. Marking again changes nothing."""
    statement = update(Letter).where(Letter.user_id == user_id, Letter.read_at.is_(None))
    if letter_id is not None:
        statement = statement.where(Letter.id == letter_id)
    db.session.execute(statement.values(read_at=now), execution_options={"synchronize_session": False})


ACTS = ("read", "unread", "archive", "restore")


def sort_letters(user_id: int, letter_ids: Collection[int], act: str, *, now: datetime) -> int:
    """Mark several letters of a person read or unread, put them away or take them out again; how many."""
    values: dict[str, dict[str, Any]] = {
        "read": {"read_at": func.coalesce(Letter.read_at, now)},
        "unread": {"read_at": None},
        "archive": {"archived_at": func.coalesce(Letter.archived_at, now)},
        "restore": {"archived_at": None},
    }
    mine = select(Letter.id).where(
        Letter.user_id == user_id, Letter.by_mail_only.is_(False), Letter.id.in_(letter_ids)
    )
    found = list(db.session.scalars(mine))
    if found:
        db.session.execute(
            update(Letter).where(Letter.id.in_(found)).values(**values[act]),
            execution_options={"synchronize_session": False},
        )
    return len(found)


# --- what a reader wants --------------------------------------------------------------------------------


def set_wish(user_id: int, group: Group, mailing: Mailing, *, in_site: bool) -> None:
    """Have one group of letters otherwise from now on; raises Forbidden for what is binding.

    Letters that wait for a digest and are not wanted by mail any more are left out of it.
    """
    if GROUPS[group].binding:
        raise Forbidden(f"letters of {group.value} cannot be switched off")
    _put(LetterSetting, {"user_id": user_id, "group": group.value}, mailing=mailing, in_site=in_site)
    if mailing is Mailing.OFF:
        db.session.execute(
            update(Letter)
            .where(
                Letter.user_id == user_id,
                Letter.kind.in_(kinds.kinds_in(group)),
                Letter.mailing.in_(GATHERED),
                Letter.digest_id.is_(None),
            )
            .values(mailing=Mailing.OFF),
            execution_options={"synchronize_session": False},
        )


def set_language(user_id: int, language: str) -> None:
    if language not in LANGUAGES:
        raise ValueError(language)
    _put(LetterReader, {"user_id": user_id}, language=language)


def _put(entity: Any, keys: dict[str, Any], **values: Any) -> None:
    """Write a row whether it is there or not; who does so twice at once has it once."""
    statement = insert_into(entity).values(**keys, **values)
    statement = statement.on_conflict_do_update(index_elements=list(keys), set_=values)
    # Read back, so that this session knows no older one.
    db.session.scalars(statement.returning(entity), execution_options={"populate_existing": True}).one()


def note_wishes(user_id: int, detail: dict[str, str], *, by: Actor, now: datetime) -> None:
    """The record of one change of wishes."""
    record("letter.settings", "user", user_id, by=by, at=now, label=by.name, detail=detail)


# --- gathering ------------------------------------------------------------------------------------------


def gather(period: Mailing, *, due_on: date, before: datetime, now: datetime) -> int:
    """One digest for each person whose letters wait, of what was written `before`; how many digests.

    Each is made in a transaction of its own together with the work that mails it; the database refuses a
    second one for the same person, period and day.
    """
    made = 0
    for user_id in queries.list_waiting(period, before=before, limit=GATHERED_AT_ONCE):
        try:
            with transaction():
                made += _gather_for(user_id, period, due_on=due_on, before=before, now=now)
        except IntegrityError:
            # Another process was as quick; its digest holds the letters.
            continue
    return made


def _gather_for(user_id: int, period: Mailing, *, due_on: date, before: datetime, now: datetime) -> bool:
    waiting = list(
        db.session.scalars(queries.select_waiting(period, before).where(Letter.user_id == user_id))
    )
    if not waiting:
        return False
    there = db.session.scalar(
        select(LetterDigest.id).where(
            LetterDigest.user_id == user_id, LetterDigest.period == period, LetterDigest.due_on == due_on
        )
    )
    if there is not None:
        # Written before the hour and committed after it: they go with the next one.
        return False
    digest = LetterDigest(user_id=user_id, period=period, due_on=due_on, created_at=now)
    db.session.add(digest)
    db.session.flush()
    _hand_to(digest, [letter.id for letter in waiting])
    defer(DIGEST, subject_id=digest.id)
    return True


def _hand_to(digest: LetterDigest, letter_ids: Sequence[int]) -> None:
    db.session.execute(
        update(Letter).where(Letter.id.in_(letter_ids)).values(digest_id=digest.id),
        execution_options={"synchronize_session": False},
    )
