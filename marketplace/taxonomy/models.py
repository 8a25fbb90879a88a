"""One table of nodes for every scheme, and the versions in which they came and went.

A node says where it comes from and from when to when it holds. It is never rewritten: what changes is ended
and stands anew in the next version, so that every version can be read and compared for ever. Author ids are
plain numbers: people are known above this feature only.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column


class Scheme(StrEnum):
    CLUSTER = "cluster"
    CHAIN = "chain"
    REGION = "region"
    INDUSTRY = "gbt4754"
    UNIT = "unit"
    TRL = "trl"
    COOPERATION = "cooperation"


class ChainStage(StrEnum):
    """Where a link stands in its chain."""

    UPSTREAM = "upstream"
    MIDSTREAM = "midstream"
    DOWNSTREAM = "downstream"


class TaxonomyVersion(Identified, Base):
    """One edition of a scheme: all nodes that were brought in by it or before and not ended by then."""

    __tablename__ = "taxonomy_version"
    __audited__ = "taxonomy_version"
    __table_args__ = (UniqueConstraint("scheme", "number"),)

    scheme: Mapped[Scheme] = mapped_column(enum_column(Scheme), nullable=False)
    number: Mapped[str] = mapped_column(String(20), nullable=False)
    valid_from: Mapped[date] = mapped_column(Date, nullable=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    author_id: Mapped[int | None] = mapped_column(Id)
    author_name: Mapped[str] = mapped_column(String(120), nullable=False)
    reason: Mapped[str] = mapped_column(Text, nullable=False)
    source: Mapped[str] = mapped_column(String(300), nullable=False)
    # Came with the marketplace; an upgrade replaces only what nobody here has changed.
    shipped: Mapped[bool] = mapped_column(nullable=False, default=False)
    # How many nodes were added, changed, moved and ended.
    counts: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False, default=dict)


class TaxonomyNode(Identified, Base):
    __tablename__ = "taxonomy_node"
    __table_args__ = (
        UniqueConstraint("scheme", "code", "version"),
        CheckConstraint(
            "(valid_to IS NULL) = (ended_version_id IS NULL)", name="ends_in_a_version_and_on_a_day"
        ),
        CheckConstraint("successor_code IS NULL OR valid_to IS NOT NULL", name="only_the_ended_are_followed"),
        CheckConstraint("stage IS NULL OR scheme = 'chain'", name="only_links_of_chains_have_a_stage"),
    )

    scheme: Mapped[Scheme] = mapped_column(enum_column(Scheme), nullable=False)
    code: Mapped[str] = mapped_column(String(20), nullable=False)
    parent_code: Mapped[str | None] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80), nullable=False)
    stage: Mapped[ChainStage | None] = mapped_column(enum_column(ChainStage))
    version: Mapped[str] = mapped_column(String(20), nullable=False)
    version_id: Mapped[int] = mapped_column(Id, ForeignKey("taxonomy_version.id"), nullable=False, index=True)
    source: Mapped[str] = mapped_column(String(300), nullable=False)
    confirmed: Mapped[bool] = mapped_column(nullable=False, default=True)
    position: Mapped[int] = mapped_column(Integer, nullable=False)
    valid_from: Mapped[date] = mapped_column(Date, nullable=False)
    valid_to: Mapped[date | None] = mapped_column(Date)
    ended_version_id: Mapped[int | None] = mapped_column(Id, ForeignKey("taxonomy_version.id"), index=True)
    # What stands in its place; a code that merely changed its name is followed by its own next row.
    successor_code: Mapped[str | None] = mapped_column(String(20))
