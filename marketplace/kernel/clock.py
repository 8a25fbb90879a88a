"""The one clock: the database's. Domain code gets `now=` and never asks by itself."""

from datetime import UTC, datetime

from sqlalchemy import func, select

from marketplace.kernel.db import db


def now() -> datetime:
    """The database's instant, aware UTC. SQLite has no clock of its own beside the process's."""
    session = db.session()
    if session.get_bind().dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)
