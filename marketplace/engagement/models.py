"""Tables of engagement: approaches, opened contacts, dismissals, notes, and the events of the funnel.

A posting is named by kind and id, as in matching. An approach goes from one organisation to another about
one posting: the seeker's is an invitation, the supplier's an interest. They share a table, so that the
database itself lets only one of them be open between a posting and a supplier.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.capabilities.models import Capability
from marketplace.engagement.kinds import ApproachKind, ContactSource, EventKind, Reason, Side
from marketplace.engagement.lifecycle import ApproachStatus
from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column
from marketplace.matching.models import PostingKind
from marketplace.organisations.models import Organisation


class Approach(Identified, Base):
    """What one organisation writes to another about a posting, and what came of it."""

    __tablename__ = "approach"
    __audited__ = "approach"
    __table_args__ = (
        Index(
            "uq_approach_open",
            "posting_kind",
            "posting_id",
            "supplier_organisation_id",
            unique=True,
            sqlite_where=text("status = 'sent'"),
            postgresql_where=text("status = 'sent'"),
        ),
        Index("ix_approach_posting", "posting_kind", "posting_id"),
        Index("ix_approach_seeker", "seeker_organisation_id", "status", "sent_at"),
        Index("ix_approach_supplier", "supplier_organisation_id", "status", "sent_at"),
        Index("ix_approach_due", "status", "expires_at"),
        CheckConstraint("(status = 'sent') = (settled_at is null)", name="settled_has_its_time"),
        CheckConstraint("seeker_organisation_id <> supplier_organisation_id", name="between_two"),
        CheckConstraint("expires_at > sent_at", name="expires_after_it_is_sent"),
        CheckConstraint(
            "(status <> 'declined') or (reason_code is not null)", name="declined_has_its_reason"
        ),
    )

    public_no: Mapped[str] = mapped_column(String(24), nullable=False, unique=True)
    kind: Mapped[ApproachKind] = mapped_column(enum_column(ApproachKind), nullable=False)
    posting_kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    capability_id: Mapped[int] = mapped_column(Id, ForeignKey("capability.id"), nullable=False)
    seeker_organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False)
    supplier_organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False)
    status: Mapped[ApproachStatus] = mapped_column(
        enum_column(ApproachStatus), nullable=False, default=ApproachStatus.SENT
    )
    message: Mapped[str] = mapped_column(Text, nullable=False)
    # Which of the sender's contacts opens once the other side agrees.
    contact: Mapped[ContactSource] = mapped_column(enum_column(ContactSource), nullable=False)
    sent_by_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    sent_by_name: Mapped[str] = mapped_column(String(60), nullable=False)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Nobody where the clock or the end of the posting settled it.
    settled_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    settled_by_name: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    reason_code: Mapped[Reason | None] = mapped_column(enum_column(Reason))
    reason: Mapped[str] = mapped_column(Text, nullable=False, default="")

    seeker: Mapped[Organisation] = relationship(foreign_keys=[seeker_organisation_id], lazy="raise")
    supplier: Mapped[Organisation] = relationship(foreign_keys=[supplier_organisation_id], lazy="raise")
    capability: Mapped[Capability] = relationship(lazy="raise")
    contacts: Mapped[list["OpenedContact"]] = relationship(order_by="OpenedContact.id", lazy="raise")

    __mapper_args__: dict[str, Any] = {"polymorphic_on": "kind"}  # noqa: RUF012

    @property
    def sender_organisation_id(self) -> int:
        return self._sides[0]

    @property
    def recipient_organisation_id(self) -> int:
        return self._sides[1]

    @property
    def _sides(self) -> tuple[int, int]:
        if self.kind is ApproachKind.INVITATION:
            return self.seeker_organisation_id, self.supplier_organisation_id
        return self.supplier_organisation_id, self.seeker_organisation_id


class Invitation(Approach):
    """A seeker asks a supplier."""

    __audited__ = "invitation"
    __mapper_args__: dict[str, Any] = {"polymorphic_identity": ApproachKind.INVITATION}  # noqa: RUF012


class Interest(Approach):
    """A supplier asks a seeker."""

    __audited__ = "interest"
    __mapper_args__: dict[str, Any] = {"polymorphic_identity": ApproachKind.INTEREST}  # noqa: RUF012


class OpenedContact(Identified, Base):
    """What of one side the other was shown, when, and until when; closing it erases the data."""

    __tablename__ = "opened_contact"
    __table_args__ = (
        UniqueConstraint("approach_id", "owner_organisation_id"),
        CheckConstraint(
            "(closed_at is null) or (name = '' and phone = '' and email = '')", name="closed_is_erased"
        ),
        CheckConstraint("owner_organisation_id <> shown_to_organisation_id", name="between_two"),
    )

    approach_id: Mapped[int] = mapped_column(Id, ForeignKey("approach.id"), nullable=False)
    owner_organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False)
    shown_to_organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False)
    source: Mapped[ContactSource] = mapped_column(enum_column(ContactSource), nullable=False)
    name: Mapped[str] = mapped_column(String(60), nullable=False)
    phone: Mapped[str] = mapped_column(String(20), nullable=False)
    email: Mapped[str] = mapped_column(String(254), nullable=False)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_by_name: Mapped[str] = mapped_column(String(60), nullable=False, default="")


class Dismissal(Identified, Base):
    """A seeker passes over a capability, or a supplier a posting, with a reason; it can be undone."""

    __tablename__ = "dismissal"
    __audited__ = "dismissal"
    __table_args__ = (
        Index(
            "uq_dismissal_in_force",
            "organisation_id",
            "posting_kind",
            "posting_id",
            "capability_id",
            unique=True,
            sqlite_where=text("undone_at is null"),
            postgresql_where=text("undone_at is null"),
        ),
        Index("ix_dismissal_capability", "capability_id"),
    )

    side: Mapped[Side] = mapped_column(enum_column(Side), nullable=False)
    # Whose opinion it is.
    organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False)
    posting_kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    capability_id: Mapped[int] = mapped_column(Id, ForeignKey("capability.id"), nullable=False)
    reason_code: Mapped[Reason] = mapped_column(enum_column(Reason), nullable=False)
    reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
    made_by_name: Mapped[str] = mapped_column(String(60), nullable=False)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Note(Identified, Base):
    """What an organisation notes for itself about a posting and a capability; nobody else reads it."""

    __tablename__ = "engagement_note"
    __audited__ = "note"
    __table_args__ = (
        Index("ix_engagement_note_place", "organisation_id", "posting_kind", "posting_id", "capability_id"),
    )

    organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False)
    posting_kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    capability_id: Mapped[int] = mapped_column(Id, ForeignKey("capability.id"), nullable=False)
    text: Mapped[str] = mapped_column(Text, nullable=False)
    author_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    author_name: Mapped[str] = mapped_column(String(60), nullable=False)
    written_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class MatchEvent(Identified, Base):
    """That something happened between a posting and a capability; written once, never changed.

    `token` says what counts as the same thing happening again, such as being shown to the same organisation
    on the same day. `on_day` is the Shanghai day.
    """

    __tablename__ = "match_event"
    __table_args__ = (
        Index("ix_match_event_posting", "posting_kind", "posting_id", "kind"),
        Index("ix_match_event_supplier", "organisation_id", "side", "on_day"),
    )

    token: Mapped[str] = mapped_column(String(120), nullable=False, unique=True)
    kind: Mapped[EventKind] = mapped_column(enum_column(EventKind), nullable=False)
    # Who saw or acted.
    side: Mapped[Side] = mapped_column(enum_column(Side), nullable=False)
    viewer_organisation_id: Mapped[int] = mapped_column(Id, nullable=False)
    posting_kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    capability_id: Mapped[int] = mapped_column(Id, nullable=False)
    # The supplier's, which the capability belongs to.
    organisation_id: Mapped[int] = mapped_column(Id, nullable=False)
    run_id: Mapped[int | None] = mapped_column(Id)
    on_day: Mapped[date] = mapped_column(Date, nullable=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
