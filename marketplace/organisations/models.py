"""Organisations, who belongs to them, and what they are designated as."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from marketplace.identity.models import User
from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column
from marketplace.organisations.kinds import DesignationKind, OrganisationKind, OrganisationSize
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.rules import name_key

__all__ = [
    "Designation",
    "DesignationKind",
    "Membership",
    "MembershipStatus",
    "Organisation",
    "OrganisationCluster",
    "OrganisationKind",
    "OrganisationSize",
]


class MembershipStatus(StrEnum):
    REQUESTED = "requested"
    ACTIVE = "active"
    DECLINED = "declined"
    LEFT = "left"


class Organisation(Identified, Base):
    __tablename__ = "organisation"
    __audited__ = "organisation"
    __table_args__ = (
        # A draft holds no code: whoever merely types one must not keep its owner out.
        Index(
            "uq_organisation_registered_code",
            "uscc",
            unique=True,
            sqlite_where=text("status <> 'draft'"),
            postgresql_where=text("status <> 'draft'"),
        ),
    )

    name: Mapped[str] = mapped_column(String(120), nullable=False, index=True)
    # The name in one spelling, by which imports recognise an organisation.
    name_key: Mapped[str] = mapped_column(String(240), nullable=False, index=True)
    short_name: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    # 统一社会信用代码; none while unclaimed.
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
    valid_to: Mapped[date | None] = mapped_column(Date)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Membership(Identified, Base):
    __tablename__ = "membership"
    __audited__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_live",
            "organisation_id",
            "user_id",
            unique=True,
            sqlite_where=text("status in ('requested', 'active')"),
            postgresql_where=text("status in ('requested', 'active')"),
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
