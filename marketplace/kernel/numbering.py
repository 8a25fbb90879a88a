"""Public numbers such as JB-2026-0117: one series per prefix and Shanghai year, without gaps or repeats."""

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.dates import business_date
from marketplace.kernel.db import Base, db, insert_into


class NumberSeries(Base):
    __tablename__ = "number_series"

    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer, nullable=False, default=0)


def next_numbers(prefix: str, count: int, *, now: datetime, width: int = 4) -> list[str]:
    """Take `count` numbers of the series inside the current transaction; the row lock queues others up."""
    year = business_date(now).year
    session = db.session()
    taken = (
        insert_into(NumberSeries)
        .values(prefix=prefix, year=year, last=count)
        .on_conflict_do_update(index_elements=["prefix", "year"], set_={"last": NumberSeries.last + count})
        .returning(NumberSeries.last)
    )
    # Of two first takers of a year the second waits here for the other.
    last = session.scalars(taken).one()
    return [f"{prefix}-{year}-{number:0{width}d}" for number in range(last - count + 1, last + 1)]


def next_number(prefix: str, *, now: datetime, width: int = 4) -> str:
    return next_numbers(prefix, 1, now=now, width=width)[0]
