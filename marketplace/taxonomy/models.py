"""One table of nodes for every scheme; each node says where it comes from and from when to when it holds."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Date, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Identified, enum_column


class Scheme(StrEnum):
    CLUSTER = "cluster"
    REGION = "region"
    INDUSTRY = "gbt4754"
    UNIT = "unit"
    TRL = "trl"
    COOPERATION = "cooperation"


class TaxonomyNode(Identified, Base):
    __tablename__ = "taxonomy_node"
    __table_args__ = (UniqueConstraint("scheme", "code", "version"),)

    scheme: Mapped[Scheme] = mapped_column(enum_column(Scheme), nullable=False)
    code: Mapped[str] = mapped_column(String(20), nullable=False)
    parent_code: Mapped[str | None] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80), nullable=False)
    version: Mapped[str] = mapped_column(String(20), nullable=False)
    source: Mapped[str] = mapped_column(String(300), nullable=False)
    confirmed: Mapped[bool] = mapped_column(nullable=False, default=True)
    position: Mapped[int] = mapped_column(Integer, nullable=False)
    valid_from: Mapped[date] = mapped_column(Date, nullable=False)
    valid_to: Mapped[date | None] = mapped_column(Date)
