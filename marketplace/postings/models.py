"""Columns that every posting has, and the tables that tell of all kinds: revisions and notices of a lapse.

`version` counts the edits of the text and is what an editor's form must name to be accepted. A collected
posting (收录) came in by import and names its source; it is shown and ranked and never open to be taken up.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column
from marketplace.organisations.models import Organisation
from marketplace.postings.texts import searchable

QUANTITY = Numeric(20, 6)


class Posting(Identified):
    # The public texts, beside title and keywords, that the keyword search reads.
    SEARCHED: ClassVar[tuple[str, ...]] = ()

    public_no: Mapped[str] = mapped_column(String(20), nullable=False, unique=True)
    title: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    keywords: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    industry: Mapped[str | None] = mapped_column(String(20), index=True)
    region: Mapped[str | None] = mapped_column(String(20), index=True)
    version: Mapped[int] = mapped_column(nullable=False, default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The public reason of a withdrawal or take-down, or the operator's reason for a return.
    status_reason: Mapped[str] = mapped_column(Text, nullable=False, default="")
    # What the owner said for itself after a take-down, read by the operator who decides on it.
    appeal: Mapped[str] = mapped_column(Text, nullable=False, default="")
    # The public texts as the keyword search spells them; written by itself with every change.
    search_text: Mapped[str] = mapped_column(Text, nullable=False, default="", deferred=True)

    source_id: Mapped[str | None] = mapped_column(String(60), unique=True)
    source_title: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    source_url: Mapped[str] = mapped_column(String(500), nullable=False, default="")
    # Kept as it came, for the record only: it may name a solver and never reaches the matcher.
    source_extra: Mapped[dict[str, Any] | None] = mapped_column(Json)
    title_only: Mapped[bool] = mapped_column(nullable=False, default=False)
    # Stretches of the public text that the matcher must not see: they tell who solved it.
    withheld: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)

    @declared_attr
    def organisation_id(self) -> Mapped[int]:
        return mapped_column(Id, ForeignKey("organisation.id"), nullable=False, index=True)

    @declared_attr
    def organisation(self) -> Mapped[Organisation]:
        return relationship(Organisation, lazy="raise")


@event.listens_for(Posting, "before_insert", propagate=True)
@event.listens_for(Posting, "before_update", propagate=True)
def _keep_searchable(_mapper: Any, _connection: Any, posting: Posting) -> None:
    # Column defaults are not there yet when a row is first written, hence the `or`.
    texts = (getattr(posting, name) or "" for name in posting.SEARCHED)
    posting.search_text = searchable(
        posting.public_no, posting.title or "", *(posting.keywords or ()), *texts
    )


class RevisionAudience(StrEnum):
    """Who may read a stored revision; each reads what the next one reads too."""

    OWNER = "owner"
    PLATFORM = "platform"
    PUBLIC = "public"


class PostingRevision(Identified, Base):
    """The text of a posting as it stood in one version. Neither annex nor hidden price is in it."""

    __tablename__ = "posting_revision"
    __table_args__ = (
        UniqueConstraint("kind", "posting_id", "number"),
        CheckConstraint("number >= 1", name="number_counts_from_one"),
    )

    kind: Mapped[str] = mapped_column(String(16), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    number: Mapped[int] = mapped_column(nullable=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    act: Mapped[str] = mapped_column(String(24), nullable=False)
    audience: Mapped[RevisionAudience] = mapped_column(enum_column(RevisionAudience), nullable=False)
    by_name: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    note: Mapped[str] = mapped_column(Text, nullable=False, default="")
    content: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)


class LapseStage(StrEnum):
    SOON = "soon"
    OVER = "over"


class LapseNotice(Identified, Base):
    """That the owner was told of a lapse: once for each end of validity and stage."""

    __tablename__ = "posting_lapse_notice"
    __table_args__ = (UniqueConstraint("kind", "posting_id", "expires_at", "stage"),)

    kind: Mapped[str] = mapped_column(String(16), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    stage: Mapped[LapseStage] = mapped_column(enum_column(LapseStage), nullable=False)
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class IndicatorColumns(Identified):
    """An `Indicator` as a row; `position` keeps the order in which the owner wrote them."""

    position: Mapped[int] = mapped_column(nullable=False)
    name: Mapped[str] = mapped_column(String(100), nullable=False, default="")
    comparator: Mapped[Comparator] = mapped_column(enum_column(Comparator), nullable=False)
    value: Mapped[Decimal | None] = mapped_column(QUANTITY)
    value_to: Mapped[Decimal | None] = mapped_column(QUANTITY)
    nominal: Mapped[Decimal | None] = mapped_column(QUANTITY)
    text_value: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    unit: Mapped[str] = mapped_column(String(30), nullable=False, default="")
    condition: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    method: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    verifier: Mapped[Verifier | None] = mapped_column(enum_column(Verifier))
    weight: Mapped[int] = mapped_column(nullable=False, default=0)
    mark: Mapped[Mark] = mapped_column(enum_column(Mark), nullable=False, default=Mark.PLAIN)

    FIELDS = (
        "name", "comparator", "value", "value_to", "nominal", "text_value", "unit",
        "condition", "method", "verifier", "weight", "mark",
    )  # fmt: skip

    def as_indicator(self) -> Indicator:
        columns = {name: getattr(self, name) for name in self.FIELDS}
        # NUMERIC hands back all six places: 28.000000 was written as 28.
        for name in ("value", "value_to", "nominal"):
            columns[name] = columns[name] if columns[name] is None else _plain(columns[name])
        return Indicator(**columns)

    @classmethod
    def columns_of(cls, indicator: Indicator) -> dict[str, Any]:
        return {name: getattr(indicator, name) for name in cls.FIELDS}


def _plain(value: Decimal) -> Decimal:
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short


def indicator_checks() -> tuple[CheckConstraint, ...]:
    return (
        CheckConstraint("weight between 0 and 100", name="weight_is_a_percentage"),
        CheckConstraint("value_to is null or comparator = 'range'", name="upper_bound_only_in_a_range"),
        CheckConstraint("nominal is null or comparator = 'pm'", name="nominal_only_with_a_tolerance"),
    )
