"""Signs of life of processes that serve no requests, kept where the queue cannot forget them."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel import clock
from marketplace.kernel.db import Base, Json, UTCDateTime, db, transaction


class Heartbeat(Base):
    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


def beat(name: str, detail: dict[str, Any]) -> None:
    """Note that a process is alive, in a transaction of its own."""
    with transaction() as session:
        row = session.get(Heartbeat, name) or Heartbeat(name=name)
        row.at, row.detail = clock.now(), detail
        session.add(row)


def find_heartbeat(name: str) -> Heartbeat | None:
    return db.session.get(Heartbeat, name)
