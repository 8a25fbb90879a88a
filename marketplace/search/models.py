"""Tables of search.

`SearchDocument` holds one row of facts for each public thing, `SearchBody` its texts and tokens. The index
over the tokens is the database's own and no table of ours: FTS5 `search_index` on SQLite, kept by triggers,
and the GIN index `search_index_tokens` on PostgreSQL (migration 0009). What people keep for themselves
(favourites, saved searches) is here too. Not here: anything that is not public, and who searched for what.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column


class Frequency(StrEnum):
    """How often a saved search writes a letter."""

    NEVER = "never"
    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


class SearchDocument(Identified, Base):
    """The public facts of one thing that can be found."""

    __tablename__ = "search_document"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id"),
        Index("ix_search_document_newest", "published_at", "id"),
    )

    kind: Mapped[str] = mapped_column(String(16), nullable=False)
    subject_id: Mapped[int] = mapped_column(Id, nullable=False)
    # Where it stood when it was written: `sources.Source.public`; another stamp means that it is out of date.
    stamp: Mapped[str] = mapped_column(String(120), nullable=False)
    # By which language and dictionary its tokens were read.
    read_by: Mapped[str] = mapped_column(String(40), nullable=False)
    public_no: Mapped[str] = mapped_column(String(20), nullable=False)
    title: Mapped[str] = mapped_column(String(200), nullable=False)
    organisation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("organisation.id", ondelete="CASCADE"), nullable=False, index=True
    )
    standing: Mapped[str] = mapped_column(String(16), nullable=False)
    region: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    # Codes between blanks, " A1 B2 ".
    clusters: Mapped[str] = mapped_column(String(400), nullable=False, default="")
    trl: Mapped[int | None]
    money_fen: Mapped[int | None] = mapped_column(BigInteger)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    closes_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # When it could first be found; what saved searches count as new.
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)


class SearchBody(Base):
    """The texts of a document, beside its facts so that counting facts reads no texts."""

    __tablename__ = "search_body"

    document_id: Mapped[int] = mapped_column(
        Id, ForeignKey("search_document.id", ondelete="CASCADE"), primary_key=True
    )
    # As written, for highlights and excerpts.
    keywords: Mapped[str] = mapped_column(Text, nullable=False)
    text: Mapped[str] = mapped_column(Text, nullable=False)
    # In one spelling, for phrases.
    plain: Mapped[str] = mapped_column(Text, nullable=False)
    # Each once, between blanks: what the index of either database reads.
    tokens: Mapped[str] = mapped_column(Text, nullable=False)


class SearchWord(Base):
    """A word that titles and keywords use, with the number of documents; for suggestions and 您是不是要找."""

    __tablename__ = "search_word"

    word: Mapped[str] = mapped_column(String(40), primary_key=True)
    documents: Mapped[int] = mapped_column(nullable=False)


class SearchVocabulary(Base):
    """When the words were counted last; one row."""

    __tablename__ = "search_vocabulary"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    counted_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    documents: Mapped[int] = mapped_column(nullable=False)


class SearchTally(Base):
    """How often words were searched for on a day: no person, no address, and only words of the vocabulary."""

    __tablename__ = "search_tally"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    words: Mapped[str] = mapped_column(String(60), primary_key=True)
    searches: Mapped[int] = mapped_column(nullable=False)


class SavedSearch(Identified, Base):
    __tablename__ = "saved_search"
    __table_args__ = (
        UniqueConstraint("user_id", "name"),
        CheckConstraint("name <> ''", name="has_a_name"),
    )

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False)
    name: Mapped[str] = mapped_column(String(60), nullable=False)
    # The query part of its address: words, scope and filters.
    asked: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)
    frequency: Mapped[Frequency] = mapped_column(enum_column(Frequency), nullable=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    # Everything that entered up to here was looked at. Moving it is what fences two jobs against each other.
    seen_until: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    next_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


class SavedSearchHit(Base):
    """What a saved search has written about, so that it never does so twice."""

    __tablename__ = "saved_search_hit"

    saved_search_id: Mapped[int] = mapped_column(
        Id, ForeignKey("saved_search.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject_id: Mapped[int] = mapped_column(Id, primary_key=True)


class Favourite(Base):
    """收藏: what a person wants to find again. It names the thing and copies nothing of it."""

    __tablename__ = "favourite"
    __table_args__ = (Index("ix_favourite_newest", "user_id", "created_at"),)

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject_id: Mapped[int] = mapped_column(Id, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
