"""Tables of announcements."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.announcements.lifecycle import AnnouncementStatus
from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column


class AnnouncementCategory(StrEnum):
    NOTICE = "notice"
    PUBLICITY = "publicity"
    POLICY = "policy"
    SERVICE = "service"


class Announcement(Identified, Base):
    __tablename__ = "announcement"
    __audited__ = "announcement"
    __table_args__ = (
        Index("ix_announcement_shown", "status", "pinned", "published_at"),
        CheckConstraint(
            "(status <> 'published') or (published_at is not null)", name="published_has_its_instant"
        ),
        CheckConstraint(
            "(status <> 'withdrawn') or (withdrawn_at is not null)", name="withdrawn_has_its_instant"
        ),
    )

    title: Mapped[str] = mapped_column(String(120), nullable=False)
    category: Mapped[AnnouncementCategory] = mapped_column(
        enum_column(AnnouncementCategory), nullable=False, default=AnnouncementCategory.NOTICE
    )
    body: Mapped[str] = mapped_column(Text, nullable=False, default="")
    status: Mapped[AnnouncementStatus] = mapped_column(
        enum_column(AnnouncementStatus), nullable=False, default=AnnouncementStatus.DRAFT
    )
    pinned: Mapped[bool] = mapped_column(nullable=False, default=False)
    version: Mapped[int] = mapped_column(nullable=False, default=1)
    author_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    status_reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
