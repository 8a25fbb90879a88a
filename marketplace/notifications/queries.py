"""Reading letters: a person's own, and only those that may be shown in the site."""

from sqlalchemy import Select, func, select

from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.notifications.models import Letter


def _inbox(user_id: int) -> Select[Letter]:
    return select(Letter).where(Letter.user_id == user_id, Letter.by_mail_only.is_(False))


def page_letters(user_id: int, *, page: int, unread_only: bool = False) -> Page[Letter]:
    statement = _inbox(user_id).order_by(Letter.id.desc())
    if unread_only:
        statement = statement.where(Letter.read_at.is_(None))
    return paginate(statement, page=page, per_page=20)


def get_letter(letter_id: int, *, user_id: int) -> Letter:
    letter = db.session.scalar(_inbox(user_id).where(Letter.id == letter_id))
    if letter is None:
        raise NotFound(f"letter {letter_id}")
    return letter


def count_unread(user_id: int) -> int:
    statement = _inbox(user_id).where(Letter.read_at.is_(None)).subquery()
    return db.session.scalar(select(func.count()).select_from(statement)) or 0
