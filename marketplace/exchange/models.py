"""What was imported, by whom, from which file; and what waits to be taken over.

A staged import is a file on its way: its rows are read, judged and compared here, in tables that no list,
search or match ever reads, and go to their own tables in one act or not at all. Staged data are nobody's
business record: they expire, and are not audited row by row.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, enum_column


class ImportBatch(Identified, Base):
    __tablename__ = "import_batch"
    __audited__ = "import_batch"

    file_name: Mapped[str] = mapped_column(String(200), nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    rows: Mapped[int] = mapped_column(nullable=False)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class ImportStatus(StrEnum):
    RECEIVED = "received"
    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    FAULTY = "faulty"
    APPLYING = "applying"
    APPLIED = "applied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


class Verdict(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    WRONG = "wrong"
    # Stands in the list that the file is for, and is not in the file.
    MISSING = "missing"


class StagedImport(Identified, Base):
    """One file on its way in. `fence` names the one run of a job that may write to it."""

    __tablename__ = "staged_import"
    __table_args__ = (
        CheckConstraint("(status <> 'applied') or (applied_at is not null)", name="applied_has_its_instant"),
        CheckConstraint("size > 0", name="a_file_is_not_empty"),
    )

    kind: Mapped[str] = mapped_column(String(40), nullable=False)
    # None: brought in for the platform.
    organisation_id: Mapped[int | None] = mapped_column(Id, ForeignKey("organisation.id"), index=True)
    # What of the organisation the file stands for, such as one list of needs.
    scope_id: Mapped[int | None] = mapped_column(Id)
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"), index=True)
    user_name: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    status: Mapped[ImportStatus] = mapped_column(
        enum_column(ImportStatus), nullable=False, default=ImportStatus.RECEIVED, index=True
    )
    file_name: Mapped[str] = mapped_column(String(200), nullable=False)
    format: Mapped[str] = mapped_column(String(8), nullable=False)
    size: Mapped[int] = mapped_column(nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False)
    stored_name: Mapped[str] = mapped_column(String(40), nullable=False)
    sheets: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    sheet: Mapped[str] = mapped_column(String(120), nullable=False, default="")
    header_row: Mapped[int] = mapped_column(nullable=False, default=1)
    headings: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    # One name for each column of the file; "" for a column that is left aside.
    mapping: Mapped[list[str]] = mapped_column(Json, nullable=False, default=list)
    # The first rows below the headings, as texts, for whoever assigns the columns.
    sample: Mapped[list[list[str]]] = mapped_column(Json, nullable=False, default=list)
    withdraw_missing: Mapped[bool] = mapped_column(nullable=False, default=False)
    fence: Mapped[str] = mapped_column(String(40), nullable=False, default="")
    rows: Mapped[int] = mapped_column(nullable=False, default=0)
    done: Mapped[int] = mapped_column(nullable=False, default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False, default=dict)
    error_count: Mapped[int] = mapped_column(nullable=False, default=0)
    manifest: Mapped[str] = mapped_column(String(64), nullable=False, default="")
    # A gettext source with its values: why it stands where it stands.
    message: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    message_params: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False, default=dict)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)
    applied_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class StagedRow(Identified, Base):
    """One row of a file, read and judged, with the columns that it will fill in as they will be stored."""

    __tablename__ = "staged_row"
    __table_args__ = (Index("ix_staged_row_import_verdict", "import_id", "verdict", "line"),)

    import_id: Mapped[int] = mapped_column(
        Id, ForeignKey("staged_import.id", ondelete="CASCADE"), nullable=False
    )
    line: Mapped[int] = mapped_column(nullable=False)
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict), nullable=False)
    # Counts the new rows from 0, so that numbers can be given to all of them at once.
    ordinal: Mapped[int | None]
    target_id: Mapped[int | None] = mapped_column(Id)
    target_version: Mapped[int | None]
    # About a thing that everybody sees: changed by its own act, one by one.
    public: Mapped[bool] = mapped_column(nullable=False, default=False)
    external_no: Mapped[str] = mapped_column(String(60), nullable=False, default="")
    title: Mapped[str] = mapped_column(String(240), nullable=False, default="")
    # {"row": {column: value}, child table: [{column: value}…]}
    stored: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False, default=dict)
    # [[label of the column, as it stands, as it will be]…]
    changes: Mapped[list[Any]] = mapped_column(Json, nullable=False, default=list)
    note: Mapped[str] = mapped_column(String(200), nullable=False, default="")


class StagedError(Identified, Base):
    """What is wrong with one cell; `cause` is a gettext source with its values."""

    __tablename__ = "staged_error"
    __table_args__ = (Index("ix_staged_error_import_line", "import_id", "line"),)

    import_id: Mapped[int] = mapped_column(
        Id, ForeignKey("staged_import.id", ondelete="CASCADE"), nullable=False
    )
    line: Mapped[int] = mapped_column(nullable=False)
    column: Mapped[str] = mapped_column(String(120), nullable=False)
    value: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    cause: Mapped[str] = mapped_column(String(300), nullable=False)
    params: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False, default=dict)


class ColumnMapping(Identified, Base):
    """How a person last assigned the columns of files with these headings."""

    __tablename__ = "import_column_mapping"
    __table_args__ = (UniqueConstraint("user_id", "kind", "headings_digest"),)

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False)
    kind: Mapped[str] = mapped_column(String(40), nullable=False)
    headings_digest: Mapped[str] = mapped_column(String(64), nullable=False)
    mapping: Mapped[list[str]] = mapped_column(Json, nullable=False)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class ExternalNumber(Base):
    """The number under which an organisation keeps a thing in its own files (外部编号)."""

    __tablename__ = "external_number"
    __table_args__ = (UniqueConstraint("kind", "subject_id"),)

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(Id, ForeignKey("organisation.id"), primary_key=True)
    number: Mapped[str] = mapped_column(String(60), primary_key=True)
    subject_id: Mapped[int] = mapped_column(Id, nullable=False)
