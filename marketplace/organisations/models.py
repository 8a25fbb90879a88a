"""Organisations, who belongs to them, and what they are designated as."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from marketplace.identity.models import User
from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column
from marketplace.organisations.kinds import (
    ClaimBasis,
    ConsentChannel,
    DesignationKind,
    OrganisationKind,
    OrganisationSize,
)
from marketplace.organisations.lifecycle import ClaimStatus, EntryStatus, OrganisationStatus
from marketplace.organisations.rules import name_key

__all__ = [
    "AssistedConsent",
    "AssistedEntry",
    "Designation",
    "DesignationKind",
    "Membership",
    "MembershipStatus",
    "Organisation",
    "OrganisationClaim",
    "OrganisationCluster",
    "OrganisationFigures",
    "OrganisationKind",
    "OrganisationSize",
]


class MembershipStatus(StrEnum):
    REQUESTED = "requested"
    ACTIVE = "active"
    # Kept in the list of members, but out of the organisation until a manager lets them in again.
    DISABLED = "disabled"
    DECLINED = "declined"
    LEFT = "left"


class Organisation(Identified, Base):
    __tablename__ = "organisation"
    __audited__ = "organisation"
    __table_args__ = (
        # A draft holds no code: whoever merely types one must not keep its owner out. Nor does a collected
        # organisation: its owner registers and then claims it.
        Index(
            "uq_organisation_registered_code",
            "uscc",
            unique=True,
            sqlite_where=text("status not in ('draft', 'unclaimed', 'merged')"),
            postgresql_where=text("status not in ('draft', 'unclaimed', 'merged')"),
        ),
    )

    name: Mapped[str] = mapped_column(String(120), nullable=False, index=True)
    # The name in one spelling, by which imports recognise an organisation.
    name_key: Mapped[str] = mapped_column(String(240), nullable=False, index=True)
    short_name: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    # 统一社会信用代码; a collected organisation has one only where its source named it.
    uscc: Mapped[str | None] = mapped_column(String(18))
    kind: Mapped[OrganisationKind] = mapped_column(enum_column(OrganisationKind), nullable=False)
    size: Mapped[OrganisationSize | None] = mapped_column(enum_column(OrganisationSize))
    status: Mapped[OrganisationStatus] = mapped_column(
        enum_column(OrganisationStatus), nullable=False, default=OrganisationStatus.DRAFT, index=True
    )
    region: Mapped[str | None] = mapped_column(String(20), index=True)
    address: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    website: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    summary: Mapped[str] = mapped_column(Text, nullable=False, default="")
    contact_name: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    contact_phone: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    contact_email: Mapped[str] = mapped_column(String(254), nullable=False, default="")
    status_reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
    version: Mapped[int] = mapped_column(nullable=False, default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # What the operator asked to be mended, by field; empty but while returned.
    return_reasons: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False, default=dict)
    # The last day of a suspension that ends by itself.
    suspended_until: Mapped[date | None] = mapped_column(Date)
    # Which organisation took over what was collected under this name.
    merged_into_id: Mapped[int | None] = mapped_column(Id, ForeignKey("organisation.id"), index=True)

    clusters: Mapped[list["OrganisationCluster"]] = relationship(
        cascade="all, delete-orphan", order_by="OrganisationCluster.code", lazy="selectin"
    )
    designations: Mapped[list["Designation"]] = relationship(
        cascade="all, delete-orphan", order_by="Designation.id", lazy="selectin"
    )

    @validates("name")
    def _derive_name_key(self, _attribute: str, name: str) -> str:
        self.name_key = name_key(name)[:240]
        return name


class OrganisationCluster(Base):
    __tablename__ = "organisation_cluster"

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class Designation(Identified, Base):
    """A title such as 链主 or 专精特新; it counts once an operator has confirmed it and while it is valid."""

    __tablename__ = "designation"
    __table_args__ = (UniqueConstraint("organisation_id", "kind"),)

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False
    )
    kind: Mapped[DesignationKind] = mapped_column(enum_column(DesignationKind), nullable=False)
    number: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    issuer: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    issued_on: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Of how many days ahead the managers were told last; and when the end was noted.
    reminded_days: Mapped[int | None] = mapped_column()
    lapsed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class OrganisationFigures(Base):
    """Staff and turnover, confidential: apart from the organisation, so that no list or export takes them."""

    __tablename__ = "organisation_figures"

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    employees: Mapped[int | None] = mapped_column()
    revenue_fen: Mapped[int | None] = mapped_column(BigInteger)


class Membership(Identified, Base):
    __tablename__ = "membership"
    __audited__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_live",
            "organisation_id",
            "user_id",
            unique=True,
            sqlite_where=text("status in ('requested', 'active', 'disabled')"),
            postgresql_where=text("status in ('requested', 'active', 'disabled')"),
        ),
    )

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id"), nullable=False, index=True
    )
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False, index=True)
    role: Mapped[OrganisationRole] = mapped_column(enum_column(OrganisationRole), nullable=False)
    status: Mapped[MembershipStatus] = mapped_column(enum_column(MembershipStatus), nullable=False)
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")
    user: Mapped[User] = relationship(lazy="joined")


class OrganisationClaim(Identified, Base):
    """That a verified organisation says a collected one is itself."""

    __tablename__ = "organisation_claim"
    __audited__ = "claim"
    __table_args__ = (
        Index(
            "uq_organisation_claim_open",
            "organisation_id",
            "claimant_id",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id"), nullable=False, index=True
    )
    claimant_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), nullable=False, index=True)
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    basis: Mapped[ClaimBasis] = mapped_column(enum_column(ClaimBasis), nullable=False)
    statement: Mapped[str] = mapped_column(Text, nullable=False, default="")
    status: Mapped[ClaimStatus] = mapped_column(enum_column(ClaimStatus), nullable=False, index=True)
    reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id], lazy="joined")
    claimant: Mapped[Organisation] = relationship(foreign_keys=[claimant_id], lazy="joined")


class AssistedConsent(Identified, Base):
    """That a firm agreed to have things entered for it: who said so, how, when, and how far it goes."""

    __tablename__ = "assisted_consent"
    __audited__ = "assisted_consent"

    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id"), nullable=False, index=True
    )
    given_by: Mapped[str] = mapped_column(String(60), nullable=False)
    given_position: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    given_on: Mapped[date] = mapped_column(Date, nullable=False)
    channel: Mapped[ConsentChannel] = mapped_column(enum_column(ConsentChannel), nullable=False)
    scope: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    note: Mapped[str] = mapped_column(Text, nullable=False, default="")
    recorded_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # SHA-256 of what the mailed link carries by which the firm takes over, once and not for long.
    takeover_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    takeover_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined")


class AssistedEntry(Identified, Base):
    """One thing that an operator entered under a consent; the firm confirms it or objects."""

    __tablename__ = "assisted_entry"
    __audited__ = "assisted_entry"
    __table_args__ = (UniqueConstraint("subject_kind", "subject_id"),)

    consent_id: Mapped[int] = mapped_column(Id, ForeignKey("assisted_consent.id"), nullable=False, index=True)
    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id"), nullable=False, index=True
    )
    subject_kind: Mapped[str] = mapped_column(String(24), nullable=False)
    subject_id: Mapped[int] = mapped_column(Id, nullable=False)
    status: Mapped[EntryStatus] = mapped_column(enum_column(EntryStatus), nullable=False)
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(Text, nullable=False, default="")

    consent: Mapped[AssistedConsent] = relationship(lazy="joined")
