"""Reading letters: a person's own, and only those that may be shown in the site; and what people want."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select

from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.notifications import kinds
from marketplace.notifications.kinds import GROUPS, Group
from marketplace.notifications.models import (
    GATHERED,
    Letter,
    LetterDigest,
    LetterReader,
    LetterSetting,
    Mailing,
)

BOXES = ("", "unread", "archived")
LONGEST_QUESTION = 100


# --- the box ----------------------------------------------------------------------------------------------


def _inbox(user_id: int) -> Select[Letter]:
    return select(Letter).where(Letter.user_id == user_id, Letter.by_mail_only.is_(False))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the box was asked for: a part of it, a group, words."""

    box: str = ""
    group: str = ""
    q: str = ""


def page_letters(user_id: int, asked: Asked, *, page: int, per_page: int = 20) -> Page[Letter]:
    """Newest first; what was put away only where it is asked for."""
    statement = _inbox(user_id).order_by(Letter.id.desc())
    if asked.box == "archived":
        statement = statement.where(Letter.archived_at.is_not(None))
    else:
        statement = statement.where(Letter.archived_at.is_(None))
        if asked.box == "unread":
            statement = statement.where(Letter.read_at.is_(None))
    if asked.group:
        statement = statement.where(_in_group(asked.group))
    for word in asked.q.split()[:6]:
        statement = statement.where(
            or_(Letter.subject.contains(word, autoescape=True), Letter.body.contains(word, autoescape=True))
        )
    return paginate(statement, page=page, per_page=per_page)


def _in_group(name: str) -> ColumnElement[bool]:
    known = kinds.registered()
    if name == Group.OTHER:
        return Letter.kind.not_in(list(known))
    return Letter.kind.in_([kind.name for kind in known.values() if kind.group == name])


def get_letter(letter_id: int, *, user_id: int) -> Letter:
    letter = db.session.scalar(_inbox(user_id).where(Letter.id == letter_id))
    if letter is None:
        raise NotFound(f"letter {letter_id}")
    return letter


def count_unread(user_id: int, *, group: Group | None = None) -> int:
    statement = _inbox(user_id).where(Letter.read_at.is_(None), Letter.archived_at.is_(None))
    if group is not None:
        statement = statement.where(_in_group(group.value))
    return db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0


def find_refusal(user_id: int) -> str:
    """Why the last mail to a person was refused for good; "" where it was taken or none was tried."""
    tried = or_(Letter.mailed_at.is_not(None), Letter.mail_problem != "")
    letter = db.session.execute(
        select(Letter.mail_problem, Letter.created_at)
        .where(Letter.user_id == user_id, tried)
        .order_by(Letter.id.desc())
        .limit(1)
    ).one_or_none()
    digest = db.session.execute(
        select(LetterDigest.mail_problem, LetterDigest.created_at)
        .where(
            LetterDigest.user_id == user_id,
            or_(LetterDigest.mailed_at.is_not(None), LetterDigest.mail_problem != ""),
        )
        .order_by(LetterDigest.id.desc())
        .limit(1)
    ).one_or_none()
    found = sorted((row for row in (letter, digest) if row), key=lambda row: row.created_at)
    return str(found[-1].mail_problem) if found else ""


def list_refused(*, limit: int = 50) -> Sequence[Letter]:
    """What mail servers will never take, newest first, for the command line."""
    return db.session.scalars(
        select(Letter).where(Letter.mail_problem != "").order_by(Letter.id.desc()).limit(limit)
    ).all()


# --- what people want -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    mailing: Mailing
    in_site: bool = True


def read_wishes(group: Group, user_ids: Collection[int]) -> dict[int, Wish]:
    """How each of several people wants a group of letters; binding ones are asked of nobody."""
    facts = GROUPS[group]
    wishes = dict.fromkeys(user_ids, Wish(facts.mailing))
    if facts.binding or not user_ids:
        return wishes
    rows = db.session.scalars(
        select(LetterSetting).where(
            LetterSetting.user_id.in_(list(user_ids)), LetterSetting.group == group.value
        )
    )
    return {**wishes, **{row.user_id: Wish(row.mailing, row.in_site) for row in rows}}


def list_wishes(user_id: int) -> dict[Group, Wish]:
    """How one person wants every group that can be wanted otherwise."""
    rows = {
        row.group: Wish(row.mailing, row.in_site)
        for row in db.session.scalars(select(LetterSetting).where(LetterSetting.user_id == user_id))
    }
    return {group: rows.get(group.value, Wish(GROUPS[group].mailing)) for group in kinds.settable()}


def languages_of(user_ids: Collection[int]) -> dict[int, str]:
    rows = db.session.execute(
        select(LetterReader.user_id, LetterReader.language).where(LetterReader.user_id.in_(list(user_ids)))
    )
    return {row.user_id: row.language for row in rows}


# --- gathering --------------------------------------------------------------------------------------------


def select_waiting(period: Mailing, before: datetime) -> Select[Letter]:
    """Letters that wait for a digest of this period and are not older news than they should be."""
    return (
        select(Letter)
        .where(
            Letter.mailing == period,
            Letter.mailing.in_(GATHERED),
            Letter.digest_id.is_(None),
            Letter.created_at < before,
        )
        .order_by(Letter.id)
    )


def list_waiting(period: Mailing, *, before: datetime, limit: int) -> list[int]:
    """Whose letters wait; one look at the partial index."""
    whose = select_waiting(period, before).order_by(None).with_only_columns(Letter.user_id).distinct()
    return [user_id for user_id in db.session.scalars(whose.order_by(Letter.user_id).limit(limit)) if user_id]
