"""What is done with announcements: drafted, published, revised, pinned, withdrawn."""

from datetime import datetime

from marketplace.announcements.lifecycle import LIFECYCLE, AnnouncementStatus
from marketplace.announcements.models import Announcement, AnnouncementCategory
from marketplace.announcements.queries import count_pinned
from marketplace.announcements.rules import MOST_PINNED, AnnouncementDraft, gaps
from marketplace.audit.services import record
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in

LONGEST_REASON = 1000


def start_draft(draft: AnnouncementDraft, *, by: Actor, now: datetime) -> Announcement:
    if not by.is_operator:
        raise Forbidden("announcement.create")
    announcement = Announcement(
        title=draft.title.strip(),
        category=AnnouncementCategory(draft.category),
        body=draft.body,
        status=AnnouncementStatus.DRAFT,
        author_id=by.user_id,
        created_at=now,
        updated_at=now,
    )
    db.session.add(announcement)
    db.session.flush()
    _note("create", announcement, by=by, now=now)
    return announcement


def change(
    announcement: Announcement, draft: AnnouncementDraft, *, version: int, by: Actor, now: datetime
) -> None:
    """Edit a draft, or revise what is published; held to the same gaps as when it was published."""
    published = announcement.status is AnnouncementStatus.PUBLISHED
    action = "revise" if published else "edit"
    LIFECYCLE.advance(announcement.status, action, by=by.parties(None))
    if announcement.version != version:
        raise StaleVersion(current_version=announcement.version)
    if published and (found := list(gaps(draft))):
        raise Obstructed(found)
    announcement.title, announcement.body = draft.title.strip(), draft.body
    announcement.category = AnnouncementCategory(draft.category)
    announcement.version += 1
    announcement.updated_at = now
    _note(action, announcement, by=by, now=now)


def publish(announcement: Announcement, *, by: Actor, now: datetime) -> None:
    was = announcement.status
    status = LIFECYCLE.advance(was, "publish", by=by.parties(None))
    draft = AnnouncementDraft(announcement.title, announcement.category.value, announcement.body)
    if found := list(gaps(draft)):
        raise Obstructed(found)
    announcement.status, announcement.published_at = AnnouncementStatus(status), now
    announcement.updated_at = now
    _note("publish", announcement, by=by, now=now, was=was)


def pin(announcement: Announcement, *, by: Actor, now: datetime) -> None:
    """Have it stand above the others; a few only, or none would stand out."""
    LIFECYCLE.advance(announcement.status, "pin", by=by.parties(None))
    if not announcement.pinned and count_pinned() >= MOST_PINNED:
        raise Obstructed([Obstacle("", N_("最多置顶 %(limit)s 条，请先取消一条"), {"limit": MOST_PINNED})])
    announcement.pinned = True
    _note("pin", announcement, by=by, now=now)


def unpin(announcement: Announcement, *, by: Actor, now: datetime) -> None:
    LIFECYCLE.advance(announcement.status, "unpin", by=by.parties(None))
    announcement.pinned = False
    _note("unpin", announcement, by=by, now=now)


def withdraw(announcement: Announcement, *, reason: str, by: Actor, now: datetime) -> None:
    """Take it back; the page stays, with the reason."""
    was = announcement.status
    status = LIFECYCLE.advance(was, "withdraw", by=by.parties(None))
    found = list(obstacles_in(reason, field="reason", label=N_("理由"), limit=LONGEST_REASON, multiline=True))
    if not reason.strip():
        found.append(Obstacle("reason", N_("请填写“理由”")))
    if found:
        raise Obstructed(found)
    announcement.status, announcement.withdrawn_at = AnnouncementStatus(status), now
    announcement.pinned, announcement.status_reason = False, reason.strip()
    _note("withdraw", announcement, by=by, now=now, was=was, reason=reason.strip())


def _note(
    action: str,
    announcement: Announcement,
    *,
    by: Actor,
    now: datetime,
    was: AnnouncementStatus | None = None,
    reason: str = "",
) -> None:
    record(
        LIFECYCLE.audit_type(action),
        "announcement",
        announcement.id,
        by=by,
        at=now,
        label=announcement.title,
        from_status=was or (None if action == "create" else announcement.status),
        to_status=announcement.status,
        reason=reason,
        detail={"version": announcement.version},
    )
