"""What was ranked, on which texts, with which weights, and what came out: enough to replay every run."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column
from marketplace.matching.lifecycle import SettingStatus


class PostingKind(StrEnum):
    CHALLENGE = "challenge"
    NEED = "need"
    CAPABILITY = "capability"


class Corpus(Base):
    """The one row that says how the set of ranked capabilities stands; writers of either side lock it.

    `change` counts every entry and leaving of a capability's document, so that "the corpus as of change n"
    can be had again at any time.
    """

    __tablename__ = "match_corpus"
    __table_args__ = (CheckConstraint("id = 1", name="there_is_one_corpus"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    change: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    # Of the documents in force, kept along, so that nobody has to read a hundred thousand hashes.
    digest: Mapped[str] = mapped_column(String(64), nullable=False, default="0" * 64)
    epoch_id: Mapped[int | None] = mapped_column(Id, ForeignKey("corpus_epoch.id"))


class MatchDocument(Identified, Base):
    """One version of a posting exactly as the engine sees it: in force from one corpus change to another.

    A version of the text can have several documents, because facts of its organisation are part of what
    is seen. Of each posting at most one is in force.
    """

    __tablename__ = "match_document"
    __table_args__ = (
        Index(
            "uq_match_document_in_force",
            "kind",
            "posting_id",
            unique=True,
            sqlite_where=text("left_change is null"),
            postgresql_where=text("left_change is null"),
        ),
        Index("ix_match_document_posting", "kind", "posting_id", "version"),
        CheckConstraint("left_change is null or left_change >= entered_change", name="leaves_after_entering"),
    )

    kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), nullable=False)
    posting_id: Mapped[int] = mapped_column(Id, nullable=False)
    version: Mapped[int] = mapped_column(Integer, nullable=False)
    content: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    entered_change: Mapped[int] = mapped_column(Integer, nullable=False)
    left_change: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class CorpusEpoch(Identified, Base):
    """The statistics (idf, lengths) that scores rest on until the next epoch."""

    __tablename__ = "corpus_epoch"

    built_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    # Which documents it was learned from, so that lost files can be built again, the same to the bit.
    corpus_change: Mapped[int] = mapped_column(Integer, nullable=False)
    documents: Mapped[int] = mapped_column(Integer, nullable=False)
    engine_version: Mapped[str] = mapped_column(String(40), nullable=False)
    language_version: Mapped[str] = mapped_column(String(40), nullable=False)
    # Relative to INSTANCE_DIR/matching.
    folder: Mapped[str] = mapped_column(String(80), nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    # What texts were read by. Unknown for epochs from before dictionaries had rows; those serve no more.
    weight_set_id: Mapped[int | None] = mapped_column(Id, ForeignKey("weight_set.id"))
    dictionary_id: Mapped[int | None] = mapped_column(Id, ForeignKey("dictionary_version.id"))


class Setting(Identified):
    """One version of what rankings rest on; a new one is a new row with an author and a reason.

    `author_id` is empty for what came with the program.
    """

    version: Mapped[str] = mapped_column(String(40), nullable=False)
    digest: Mapped[str] = mapped_column(String(64), nullable=False)
    status: Mapped[SettingStatus] = mapped_column(enum_column(SettingStatus), nullable=False)
    author_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"))
    author_name: Mapped[str] = mapped_column(String(120), nullable=False)
    reason: Mapped[str] = mapped_column(Text, nullable=False)
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    decision: Mapped[str] = mapped_column(Text, nullable=False, default="")
    # How the current shortlists would move, and what that was computed on.
    preview: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )

    @property
    def content(self) -> dict[str, Any]:
        raise NotImplementedError


def _setting_checks() -> tuple[CheckConstraint, ...]:
    return (
        CheckConstraint("(status = 'accepted') = (accepted_at is not null)", name="accepted_has_its_time"),
        CheckConstraint("(status = 'withdrawn') = (withdrawn_at is not null)", name="withdrawn_has_its_time"),
    )


class WeightSet(Setting, Base):
    """The weights of the score's parts."""

    __tablename__ = "weight_set"
    __table_args__ = (UniqueConstraint("version"), *_setting_checks())

    weights: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)

    @property
    def content(self) -> dict[str, Any]:
        return self.weights


class DictionaryVersion(Setting, Base):
    """The compounds and synonyms that texts are read by."""

    __tablename__ = "dictionary_version"
    __table_args__ = (UniqueConstraint("version"), *_setting_checks())

    dictionary: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)

    @property
    def content(self) -> dict[str, Any]:
        return self.dictionary


class Ranking(Base):
    """Up to which version a posting has been ranked: the fence by which each version has one effect."""

    __tablename__ = "ranking"

    kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), primary_key=True)
    posting_id: Mapped[int] = mapped_column(Id, primary_key=True)
    ranked_version: Mapped[int] = mapped_column(Integer, nullable=False)
    epoch_id: Mapped[int] = mapped_column(Id, ForeignKey("corpus_epoch.id"), nullable=False)
    weight_set_id: Mapped[int] = mapped_column(Id, ForeignKey("weight_set.id"), nullable=False)
    run_id: Mapped[int | None] = mapped_column(Id, ForeignKey("match_run.id"))
    ranked_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class MatchRun(Identified, Base):
    """One ranking of one version of a challenge or need against the capabilities of a moment."""

    __tablename__ = "match_run"
    __table_args__ = (
        Index("ix_match_run_seeker", "seeker_kind", "seeker_id", "id"),
        Index(
            "uq_match_run_current",
            "seeker_kind",
            "seeker_id",
            unique=True,
            sqlite_where=text("superseded_at is null"),
            postgresql_where=text("superseded_at is null"),
        ),
    )

    public_no: Mapped[str] = mapped_column(String(24), nullable=False, unique=True)
    seeker_kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind), nullable=False)
    seeker_id: Mapped[int] = mapped_column(Id, nullable=False)
    seeker_version: Mapped[int] = mapped_column(Integer, nullable=False)
    epoch_id: Mapped[int] = mapped_column(Id, ForeignKey("corpus_epoch.id"), nullable=False)
    weight_set_id: Mapped[int] = mapped_column(Id, ForeignKey("weight_set.id"), nullable=False)
    engine_version: Mapped[str] = mapped_column(String(40), nullable=False)
    document_id: Mapped[int] = mapped_column(Id, ForeignKey("match_document.id"), nullable=False)
    corpus_change: Mapped[int] = mapped_column(Integer, nullable=False)
    # When and on which corpus everybody was ranked; whoever was placed since stands in `MatchPlacement`.
    ranked_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    ranked_change: Mapped[int] = mapped_column(Integer, nullable=False)
    input_sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    output_sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    candidates: Mapped[int] = mapped_column(Integer, nullable=False)
    eligible: Mapped[int] = mapped_column(Integer, nullable=False)
    # Why candidates were left out: reason code → count.
    excluded: Mapped[dict[str, int]] = mapped_column(Json, nullable=False, default=dict)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    finished_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    entries: Mapped[list["MatchEntry"]] = relationship(order_by="MatchEntry.place", lazy="raise")


class MatchPlacement(Base):
    """A capability that was put on a run's list, or taken off, since everybody on it was ranked.

    `sha256` is that of its document, empty for one that left: with these a run can be computed again.
    """

    __tablename__ = "match_placement"

    run_id: Mapped[int] = mapped_column(Id, ForeignKey("match_run.id", ondelete="CASCADE"), primary_key=True)
    capability_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    sha256: Mapped[str | None] = mapped_column(String(64))


class MatchEntry(Identified, Base):
    """One place on a shortlist. `parts` (name → points) add up to `score`, to the millionth."""

    __tablename__ = "match_entry"
    __table_args__ = (
        UniqueConstraint("run_id", "capability_id"),
        Index("ix_match_entry_place", "run_id", "place"),
        CheckConstraint("place >= 1", name="place_counts_from_one"),
    )

    run_id: Mapped[int] = mapped_column(Id, ForeignKey("match_run.id", ondelete="CASCADE"), nullable=False)
    place: Mapped[int] = mapped_column(Integer, nullable=False)
    capability_id: Mapped[int] = mapped_column(Id, nullable=False, index=True)
    capability_version: Mapped[int] = mapped_column(Integer, nullable=False)
    organisation_id: Mapped[int] = mapped_column(Id, nullable=False, index=True)
    score: Mapped[float] = mapped_column(Float, nullable=False)
    parts: Mapped[dict[str, float]] = mapped_column(Json, nullable=False)
    reasons: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)
    # Of capability, version, parts and reasons: the run's output is the hash of these in order.
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)


class MatchChange(Identified, Base):
    """A capability that entered, left or moved on a current shortlist between two full runs."""

    __tablename__ = "match_change"

    run_id: Mapped[int] = mapped_column(
        Id, ForeignKey("match_run.id", ondelete="CASCADE"), nullable=False, index=True
    )
    capability_id: Mapped[int] = mapped_column(Id, nullable=False)
    capability_version: Mapped[int] = mapped_column(Integer, nullable=False)
    corpus_change: Mapped[int] = mapped_column(Integer, nullable=False)
    place_before: Mapped[int | None]
    place_after: Mapped[int | None]
    cause: Mapped[str] = mapped_column(String(24), nullable=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
