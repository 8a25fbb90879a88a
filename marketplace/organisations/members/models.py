"""Invitations into an organisation. Memberships themselves stand in `organisations.models`."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column
from marketplace.organisations.models import Organisation


class MemberInvitation(Identified, Base):
    """An address that a manager wants in the organisation; the link that was mailed to it works once.

    Sending again replaces the link. Whether it is still in time is asked of the clock.
    """

    __tablename__ = "member_invitation"
    __audited__ = "member_invitation"
    __table_args__ = (
        CheckConstraint("accepted_at IS NULL OR withdrawn_at IS NULL", name="ends_once"),
        CheckConstraint("(accepted_at IS NULL) = (accepted_by IS NULL)", name="accepted_by_somebody"),
        CheckConstraint("times_sent > 0", name="was_sent"),
        Index(
            "uq_member_invitation_open",
            "organisation_id",
            "email",
            unique=True,
            sqlite_where=text("accepted_at is null and withdrawn_at is null"),
            postgresql_where=text("accepted_at is null and withdrawn_at is null"),
        ),
    )

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id"), nullable=False, index=True
    )
    email: Mapped[str] = mapped_column(String(254), nullable=False)
    role: Mapped[OrganisationRole] = mapped_column(enum_column(OrganisationRole), nullable=False)
    # SHA-256 of what the link carries.
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    invited_by: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    invited_by_name: Mapped[str] = mapped_column(String(60), nullable=False)
    times_sent: Mapped[int] = mapped_column(nullable=False, default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    accepted_by: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")
