"""Letters. A row is the letter itself; sending it by mail is deferred work."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Id, Identified, UTCDateTime


class Letter(Identified, Base):
    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_inbox", "user_id", "read_at", "id"),
        CheckConstraint("user_id IS NOT NULL OR (address <> '' AND by_mail_only)", name="for_somebody"),
    )

    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    # For a person without an account; an account's own address is asked for when the mail is sent.
    address: Mapped[str] = mapped_column(String(254), nullable=False, default="")
    kind: Mapped[str] = mapped_column(String(48), nullable=False)
    subject: Mapped[str] = mapped_column(String(200), nullable=False)
    body: Mapped[str] = mapped_column(Text, nullable=False)
    link: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    # A letter that carries a secret (a reset link) goes by mail only and is blanked once sent.
    by_mail_only: Mapped[bool] = mapped_column(nullable=False, default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Why the mail server will never take it; the letter stays in the site.
    mail_problem: Mapped[str] = mapped_column(String(200), nullable=False, default="")
