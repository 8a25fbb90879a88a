"""Letters, how people want them, and the digests that gather them. A row is the letter itself.

`subject` and `body` stand in the source language; where a letter was written from words with places, `words`
keeps them, so that each reader is addressed in the own language.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column


class Mailing(StrEnum):
    """How letters of a group reach somebody's mail box."""

    NOW = "now"
    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


GATHERED = (Mailing.DAILY, Mailing.WEEKLY)
_WAITS = "digest_id IS NULL AND mailing IN ('daily', 'weekly')"


class Letter(Identified, Base):
    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_inbox", "user_id", "read_at", "id"),
        Index(
            "ix_letter_waiting",
            "mailing",
            "user_id",
            sqlite_where=text(_WAITS),
            postgresql_where=text(_WAITS),
        ),
        Index("ix_letter_digest_id", "digest_id"),
        CheckConstraint("user_id IS NOT NULL OR (address <> '' AND by_mail_only)", name="for_somebody"),
        CheckConstraint("NOT by_mail_only OR mailing = 'now'", name="a_secret_does_not_wait"),
    )

    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    # For a person without an account; an account's own address is asked for when the mail is sent.
    address: Mapped[str] = mapped_column(String(254), nullable=False, default="")
    kind: Mapped[str] = mapped_column(String(48), nullable=False)
    subject: Mapped[str] = mapped_column(String(200), nullable=False)
    body: Mapped[str] = mapped_column(Text, nullable=False)
    # {"subject": [source text, places], "body": …}, each where there is one.
    words: Mapped[dict[str, Any] | None] = mapped_column(Json)
    link: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    # A letter that carries a secret (a reset link) goes by mail only and is blanked once sent.
    by_mail_only: Mapped[bool] = mapped_column(nullable=False, default=False)
    # As the reader wanted it when it was written.
    mailing: Mapped[Mailing] = mapped_column(enum_column(Mailing), nullable=False, default=Mailing.NOW)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Why the mail server will never take it; the letter stays in the site.
    mail_problem: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    digest_id: Mapped[int | None] = mapped_column(Id, ForeignKey("letter_digest.id"))


class LetterSetting(Base):
    """How one person wants one group of letters; no row is the group's own way."""

    __tablename__ = "letter_setting"

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), primary_key=True)
    group: Mapped[str] = mapped_column(String(24), primary_key=True)
    mailing: Mapped[Mailing] = mapped_column(enum_column(Mailing), nullable=False)
    # Whether they lie in the box on the site as well.
    in_site: Mapped[bool] = mapped_column(nullable=False, default=True)


class LetterReader(Base):
    """In which language one person is written to."""

    __tablename__ = "letter_reader"

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(16), nullable=False)


class LetterDigest(Identified, Base):
    """One mail that gathers letters; a person has one for each day, or each week, and never a second."""

    __tablename__ = "letter_digest"
    __table_args__ = (
        UniqueConstraint("user_id", "period", "due_on"),
        CheckConstraint("period IN ('daily', 'weekly')", name="a_digest_gathers"),
    )

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    period: Mapped[Mailing] = mapped_column(enum_column(Mailing), nullable=False)
    due_on: Mapped[date] = mapped_column(Date, nullable=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mail_problem: Mapped[str] = mapped_column(String(200), nullable=False, default="")
