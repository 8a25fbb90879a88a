"""Need lists and their lines. A hidden maximum price is a table of its own: no query meets it by chance."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column
from marketplace.needs.lifecycle import NeedStatus
from marketplace.organisations.models import Organisation
from marketplace.postings.models import QUANTITY, IndicatorColumns, Posting, indicator_checks


class NeedList(Identified, Base):
    __tablename__ = "need_list"
    __audited__ = "need_list"

    public_no: Mapped[str] = mapped_column(String(20), nullable=False, unique=True)
    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id"), nullable=False, index=True
    )
    title: Mapped[str] = mapped_column(String(200), nullable=False)
    note: Mapped[str] = mapped_column(Text, nullable=False, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    version: Mapped[int] = mapped_column(nullable=False, default=1)

    organisation: Mapped[Organisation] = relationship(lazy="raise")


class Need(Posting, Base):
    """One line of a list; `title` is the item (标的名称)."""

    __tablename__ = "need"
    __audited__ = "need"
    __table_args__ = (
        # By these the public lists and the pages of a firm find what they show without reading the postings.
        Index("ix_need_hall", "status", "published_at", "id", "expires_at", "organisation_id"),
        Index("ix_need_newest", "published_at", "id", "status", "expires_at", "organisation_id"),
        Index("ix_need_held", "organisation_id", "status", "expires_at"),
        CheckConstraint("quantity is null or quantity > 0", name="quantity_is_positive"),
        CheckConstraint("max_price_fen is null or max_price_fen > 0", name="price_is_positive"),
        CheckConstraint(
            "(status <> 'published') or (published_at is not null)", name="published_has_its_instant"
        ),
    )

    SEARCHED = ("specification", "qualification")

    need_list_id: Mapped[int] = mapped_column(Id, ForeignKey("need_list.id"), nullable=False, index=True)
    status: Mapped[NeedStatus] = mapped_column(
        enum_column(NeedStatus), nullable=False, default=NeedStatus.DRAFT, index=True
    )
    specification: Mapped[str] = mapped_column(Text, nullable=False, default="")
    quantity: Mapped[Decimal | None] = mapped_column(QUANTITY)
    unit: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    delivery_on: Mapped[date | None] = mapped_column(Date)
    qualification: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    # The public unit price ceiling; a hidden one stands in `NeedHiddenPrice` and nowhere else.
    max_price_fen: Mapped[int | None] = mapped_column(BigInteger)
    # When it was handed in to be shown again after a take-down.
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)

    need_list: Mapped[NeedList] = relationship(lazy="raise")
    indicators: Mapped[list["NeedIndicator"]] = relationship(
        cascade="all, delete-orphan", order_by="NeedIndicator.position", lazy="raise"
    )
    clusters: Mapped[list["NeedCluster"]] = relationship(
        cascade="all, delete-orphan", order_by="NeedCluster.code", lazy="raise"
    )
    chain_links: Mapped[list["NeedChainLink"]] = relationship(
        cascade="all, delete-orphan", order_by="NeedChainLink.code", lazy="raise"
    )


class NeedIndicator(IndicatorColumns, Base):
    __tablename__ = "need_indicator"
    __table_args__ = indicator_checks()

    need_id: Mapped[int] = mapped_column(
        Id, ForeignKey("need.id", ondelete="CASCADE"), nullable=False, index=True
    )


class NeedCluster(Base):
    __tablename__ = "need_cluster"

    need_id: Mapped[int] = mapped_column(Id, ForeignKey("need.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class NeedChainLink(Base):
    __tablename__ = "need_chain_link"

    need_id: Mapped[int] = mapped_column(Id, ForeignKey("need.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)


class NeedHiddenPrice(Base):
    __tablename__ = "need_hidden_price"
    __table_args__ = (CheckConstraint("max_price_fen > 0", name="price_is_positive"),)

    need_id: Mapped[int] = mapped_column(Id, ForeignKey("need.id", ondelete="CASCADE"), primary_key=True)
    max_price_fen: Mapped[int] = mapped_column(BigInteger, nullable=False)
