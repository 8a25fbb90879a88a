"""Capabilities and their parameters."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.capabilities.kinds import CapabilityKind, IpStatus, Maturity
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column
from marketplace.postings.models import IndicatorColumns, Posting, indicator_checks


class Capability(Posting, Base):
    __tablename__ = "capability"
    __audited__ = "capability"
    __table_args__ = (
        # By these the public lists and the pages of a firm find what they show without reading the postings.
        Index("ix_capability_hall", "status", "published_at", "id", "organisation_id"),
        Index("ix_capability_newest", "published_at", "id", "status", "expires_at", "organisation_id"),
        Index("ix_capability_held", "organisation_id", "status"),
        CheckConstraint("trl is null or trl between 1 and 9", name="trl_is_a_level"),
        CheckConstraint(
            "(status <> 'published') or (published_at is not null)", name="published_has_its_instant"
        ),
    )

    SEARCHED = ("summary",)

    status: Mapped[CapabilityStatus] = mapped_column(
        enum_column(CapabilityStatus), nullable=False, default=CapabilityStatus.DRAFT, index=True
    )
    kind: Mapped[CapabilityKind] = mapped_column(
        enum_column(CapabilityKind), nullable=False, default=CapabilityKind.CAPABILITY
    )
    summary: Mapped[str] = mapped_column(Text, nullable=False, default="")
    trl: Mapped[int | None]
    maturity: Mapped[Maturity | None] = mapped_column(enum_column(Maturity))
    ip_status: Mapped[IpStatus | None] = mapped_column(enum_column(IpStatus))
    cooperation: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    # When it was handed in to be shown again after a take-down.
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The instant after the last Shanghai day on which it counts; None for what came in before there was one.
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)

    parameters: Mapped[list["CapabilityParameter"]] = relationship(
        cascade="all, delete-orphan", order_by="CapabilityParameter.position", lazy="raise"
    )
    certificates: Mapped[list["Certificate"]] = relationship(
        cascade="all, delete-orphan", order_by="Certificate.id", lazy="raise"
    )
    clusters: Mapped[list["CapabilityCluster"]] = relationship(
        cascade="all, delete-orphan", order_by="CapabilityCluster.code", lazy="raise"
    )
    chain_links: Mapped[list["CapabilityChainLink"]] = relationship(
        cascade="all, delete-orphan", order_by="CapabilityChainLink.code", lazy="raise"
    )


class CapabilityParameter(IndicatorColumns, Base):
    __tablename__ = "capability_parameter"
    __table_args__ = indicator_checks()

    capability_id: Mapped[int] = mapped_column(
        Id, ForeignKey("capability.id", ondelete="CASCADE"), nullable=False, index=True
    )


class Certificate(Identified, Base):
    __tablename__ = "certificate"

    capability_id: Mapped[int] = mapped_column(
        Id, ForeignKey("capability.id", ondelete="CASCADE"), nullable=False, index=True
    )
    name: Mapped[str] = mapped_column(String(100), nullable=False)
    number: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    valid_to: Mapped[date | None] = mapped_column(Date)


class CapabilityCluster(Base):
    __tablename__ = "capability_cluster"

    capability_id: Mapped[int] = mapped_column(
        Id, ForeignKey("capability.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class CapabilityChainLink(Base):
    __tablename__ = "capability_chain_link"

    capability_id: Mapped[int] = mapped_column(
        Id, ForeignKey("capability.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)
