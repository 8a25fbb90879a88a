"""Questions about announcements. Rows are seen through `visible_to(actor)`."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, func, select, true

from marketplace.announcements.lifecycle import AnnouncementStatus
from marketplace.announcements.models import Announcement, AnnouncementCategory
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, find_row, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate

S = AnnouncementStatus
# What was withdrawn stays readable with its reason: people were told of it.
READABLE = (S.PUBLISHED, S.WITHDRAWN)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Once published, readable for good; drafts for the platform alone."""
    if actor.is_operator or actor.is_auditor:
        return true()
    return Announcement.status.in_(READABLE)


def get_announcement(announcement_id: int, *, viewer: Actor) -> Announcement:
    """Raises NotFound for one that does not exist or that the viewer may not know of."""
    statement = select(Announcement).where(Announcement.id == announcement_id, visible_to(viewer))
    found = db.session.scalar(for_change(statement, Announcement))
    if found is None:
        raise NotFound(str(announcement_id))
    return found


def sees(announcement_id: int, viewer: Actor) -> bool:
    statement = select(Announcement.id).where(Announcement.id == announcement_id, visible_to(viewer))
    return db.session.scalar(statement) is not None


def find_by_id(announcement_id: int) -> Announcement | None:
    return find_row(Announcement, announcement_id)


def existing(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Announcement.id).where(Announcement.id.in_(ids))))


def _newest_first(statement: Select[Announcement]) -> Select[Announcement]:
    return statement.order_by(
        Announcement.pinned.desc(), Announcement.published_at.desc(), Announcement.id.desc()
    )


def page_published(
    *, page: int, category: AnnouncementCategory | None = None, q: str = ""
) -> Page[Announcement]:
    """The public list: pinned ones first, then the newest."""
    statement = select(Announcement).where(Announcement.status == S.PUBLISHED)
    if category is not None:
        statement = statement.where(Announcement.category == category)
    if q:
        statement = statement.where(Announcement.title.contains(q, autoescape=True))
    return paginate(_newest_first(statement), page=page)


def list_newest(limit: int = 6) -> Sequence[Announcement]:
    """What the home page shows."""
    statement = select(Announcement).where(Announcement.status == S.PUBLISHED)
    return db.session.scalars(_newest_first(statement).limit(limit)).all()


def list_all() -> Sequence[Announcement]:
    """The operator's list: drafts, then what is published, then what was withdrawn."""
    statement = select(Announcement).order_by(Announcement.updated_at.desc(), Announcement.id.desc())
    return db.session.scalars(statement.limit(500)).all()


def count_pinned() -> int:
    pinned = (Announcement.status == S.PUBLISHED, Announcement.pinned.is_(True))
    return db.session.scalar(select(func.count()).select_from(Announcement).where(*pinned)) or 0
