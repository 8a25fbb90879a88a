"""One row per file. The owner is named by kind and id: owners are features above this one."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.attachments.kinds import FileKind
from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column


class Attachment(Identified, Base):
    __tablename__ = "attachment"
    __audited__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_owner", "owner_kind", "owner_id", "purpose"),
        CheckConstraint("size > 0", name="size_is_positive"),
        CheckConstraint("length(sha256) = 64", name="hash_is_whole"),
        CheckConstraint("length(key) = 32", name="key_is_whole"),
    )

    # Random: names the file on the disk and in its address, and tells nothing.
    key: Mapped[str] = mapped_column(String(32), nullable=False, unique=True)
    owner_kind: Mapped[str] = mapped_column(String(32), nullable=False)
    owner_id: Mapped[int] = mapped_column(Id, nullable=False)
    purpose: Mapped[str] = mapped_column(String(32), nullable=False)
    # Whose space it takes; None for what belongs to the platform.
    organisation_id: Mapped[int | None] = mapped_column(Id, ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(120), nullable=False)
    kind: Mapped[FileKind] = mapped_column(enum_column(FileKind), nullable=False)
    size: Mapped[int] = mapped_column(BigInteger, nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    confidential: Mapped[bool] = mapped_column(nullable=False, default=False)
    uploaded_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
