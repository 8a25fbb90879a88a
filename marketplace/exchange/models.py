"""What was imported, by whom, from which file."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.db import Base, Identified, Json, UTCDateTime


class ImportBatch(Identified, Base):
    __tablename__ = "import_batch"
    __audited__ = "import_batch"

    file_name: Mapped[str] = mapped_column(String(200), nullable=False)
    sha256: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    rows: Mapped[int] = mapped_column(nullable=False)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, nullable=False)
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
