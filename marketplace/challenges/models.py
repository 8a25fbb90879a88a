"""Challenges and their indicators. The confidential annex is a table of its own, so that no query meets it by chance."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.kernel.db import Base, Id, Json, UTCDateTime, enum_column
from marketplace.postings.models import IndicatorColumns, Posting, indicator_checks


class Board(StrEnum):
    ENTERPRISE = "enterprise"
    GOVERNMENT = "government"


class Activity(StrEnum):
    APPLIED = "applied"
    DEVELOPMENT = "development"
    TRANSFER = "transfer"


class IpTerms(StrEnum):
    SEEKER = "seeker"
    SHARED = "shared"
    SOLVER = "solver"
    NEGOTIABLE = "negotiable"


class Publicity(StrEnum):
    PUBLIC = "public"
    PARTIAL = "partial"


class Challenge(Posting, Base):
    __tablename__ = "challenge"
    __audited__ = "challenge"
    __table_args__ = (
        CheckConstraint("budget_fen is null or budget_fen > 0", name="budget_is_positive"),
        CheckConstraint("takers_wanted between 1 and 3", name="one_to_three_takers"),
        CheckConstraint("max_members between 0 and 9", name="members_bounded"),
        CheckConstraint("(status <> 'published') or (published_at is not null)", name="published_has_its_instant"),
        CheckConstraint("(status <> 'withdrawn') or (withdrawn_at is not null)", name="withdrawn_has_its_instant"),
    )

    status: Mapped[ChallengeStatus] = mapped_column(
        enum_column(ChallengeStatus), nullable=False, default=ChallengeStatus.DRAFT, index=True
    )
    board: Mapped[Board] = mapped_column(enum_column(Board), nullable=False, default=Board.ENTERPRISE)
    activity: Mapped[Activity | None] = mapped_column(enum_column(Activity))
    background: Mapped[str] = mapped_column(Text, nullable=False, default="")
    problem: Mapped[str] = mapped_column(Text, nullable=False, default="")
    existing_basis: Mapped[str] = mapped_column(Text, nullable=False, default="")
    effect_goals: Mapped[str] = mapped_column(Text, nullable=False, default="")
    requirements: Mapped[str] = mapped_column(Text, nullable=False, default="")
    acceptance: Mapped[str] = mapped_column(Text, nullable=False, default="")
    cooperation: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    trl_current: Mapped[int | None]
    trl_target: Mapped[int | None]
    budget_fen: Mapped[int | None] = mapped_column(BigInteger, index=True)
    negotiable: Mapped[bool] = mapped_column(nullable=False, default=False)
    duration_months: Mapped[int | None]
    # The instant after the last Shanghai day on which the challenge may be taken up.
    closes_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    ip_terms: Mapped[IpTerms | None] = mapped_column(enum_column(IpTerms))
    ip_note: Mapped[str] = mapped_column(Text, nullable=False, default="")
    sme_only: Mapped[bool] = mapped_column(nullable=False, default=False)
    consortium_allowed: Mapped[bool] = mapped_column(nullable=False, default=True)
    max_members: Mapped[int] = mapped_column(nullable=False, default=4)
    takers_wanted: Mapped[int] = mapped_column(nullable=False, default=1)
    publicity: Mapped[Publicity] = mapped_column(enum_column(Publicity), nullable=False, default=Publicity.PUBLIC)
    contact_name: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    contact_phone: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    indicators: Mapped[list["ChallengeIndicator"]] = relationship(
        cascade="all, delete-orphan", order_by="ChallengeIndicator.position", lazy="raise"
    )
    clusters: Mapped[list["ChallengeCluster"]] = relationship(
        cascade="all, delete-orphan", order_by="ChallengeCluster.code", lazy="raise"
    )


class ChallengeIndicator(IndicatorColumns, Base):
    __tablename__ = "challenge_indicator"
    __table_args__ = indicator_checks()

    challenge_id: Mapped[int] = mapped_column(
        Id, ForeignKey("challenge.id", ondelete="CASCADE"), nullable=False, index=True
    )


class ChallengeCluster(Base):
    __tablename__ = "challenge_cluster"

    challenge_id: Mapped[int] = mapped_column(Id, ForeignKey("challenge.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class ChallengeAnnex(Base):
    """What only the seeker's members read until it is opened to somebody; no index, export or reason sees it."""

    __tablename__ = "challenge_annex"

    challenge_id: Mapped[int] = mapped_column(Id, ForeignKey("challenge.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text, nullable=False)
