"""Challenges and their indicators. The confidential annex is a table of its own, met by no other query."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.challenges.kinds import Activity, Board, IpTerms, Publicity
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column
from marketplace.postings.models import IndicatorColumns, Posting, indicator_checks


class Challenge(Posting, Base):
    __tablename__ = "challenge"
    __audited__ = "challenge"
    __table_args__ = (
        # By these the public lists and the pages of a firm find what they show without reading the postings.
        Index("ix_challenge_hall", "status", "published_at", "id", "closes_at", "organisation_id"),
        Index("ix_challenge_newest", "published_at", "id", "status", "closes_at", "organisation_id"),
        Index("ix_challenge_held", "organisation_id", "status", "closes_at"),
        CheckConstraint("budget_fen is null or budget_fen > 0", name="budget_is_positive"),
        CheckConstraint("takers_wanted between 1 and 3", name="one_to_three_takers"),
        CheckConstraint("max_members between 0 and 9", name="members_bounded"),
        CheckConstraint(
            "(status <> 'published') or (published_at is not null)", name="published_has_its_instant"
        ),
        CheckConstraint(
            "(status <> 'published') or (closes_at is not null)", name="published_has_its_deadline"
        ),
        CheckConstraint("trl_current is null or trl_current between 1 and 9", name="trl_current_is_a_level"),
        CheckConstraint("trl_target is null or trl_target between 1 and 9", name="trl_target_is_a_level"),
        CheckConstraint(
            "(status <> 'withdrawn') or (withdrawn_at is not null)", name="withdrawn_has_its_instant"
        ),
    )

    SEARCHED = (
        "background", "problem", "existing_basis", "effect_goals", "requirements", "acceptance",
    )  # fmt: skip

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
    publicity: Mapped[Publicity] = mapped_column(
        enum_column(Publicity), nullable=False, default=Publicity.PUBLIC
    )
    contact_name: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    contact_phone: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # What the operator asked to be mended, field by field; gone with the next submission.
    return_reasons: Mapped[dict[str, str]] = mapped_column(Json, nullable=False, default=dict)

    indicators: Mapped[list["ChallengeIndicator"]] = relationship(
        cascade="all, delete-orphan", order_by="ChallengeIndicator.position", lazy="raise"
    )
    clusters: Mapped[list["ChallengeCluster"]] = relationship(
        cascade="all, delete-orphan", order_by="ChallengeCluster.code", lazy="raise"
    )
    chain_links: Mapped[list["ChallengeChainLink"]] = relationship(
        cascade="all, delete-orphan", order_by="ChallengeChainLink.code", lazy="raise"
    )


class DeadlineAct(StrEnum):
    EXTEND = "extend"
    CLOSE_EARLY = "close_early"


class DeadlineChange(Identified, Base):
    """That a closing day was moved while the challenge was open: from where to where, and why. Public."""

    __tablename__ = "challenge_deadline_change"
    __table_args__ = (
        CheckConstraint(
            "(act = 'extend' and to_at > from_at) or (act = 'close_early' and to_at < from_at)",
            name="goes_the_way_it_says",
        ),
    )

    challenge_id: Mapped[int] = mapped_column(
        Id, ForeignKey("challenge.id", ondelete="CASCADE"), nullable=False, index=True
    )
    act: Mapped[DeadlineAct] = mapped_column(enum_column(DeadlineAct), nullable=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    from_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    to_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    reason: Mapped[str] = mapped_column(Text, nullable=False)


class ChallengeIndicator(IndicatorColumns, Base):
    __tablename__ = "challenge_indicator"
    __table_args__ = indicator_checks()

    challenge_id: Mapped[int] = mapped_column(
        Id, ForeignKey("challenge.id", ondelete="CASCADE"), nullable=False, index=True
    )


class ChallengeCluster(Base):
    __tablename__ = "challenge_cluster"

    challenge_id: Mapped[int] = mapped_column(
        Id, ForeignKey("challenge.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class ChallengeChainLink(Base):
    __tablename__ = "challenge_chain_link"

    challenge_id: Mapped[int] = mapped_column(
        Id, ForeignKey("challenge.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class ChallengeAnnex(Base):
    """What only the seeker's members read; no index, export, list or reason sees it."""

    __tablename__ = "challenge_annex"

    challenge_id: Mapped[int] = mapped_column(
        Id, ForeignKey("challenge.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str] = mapped_column(Text, nullable=False)
