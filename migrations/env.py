"""Alembic's environment: the application's engine, all tables, batch mode for SQLite."""

from alembic import context
from flask import current_app
from sqlalchemy import JSON, Connection

from marketplace import tables  # noqa: F401
from marketplace.kernel.db import Base, UTCDateTime, db, is_kept_by_us, writing


def render_item(kind: str, item: object, _autogenerate: object) -> str | bool:
    # Migrations stand on SQLAlchemy alone, so that a later change of our types does not rewrite history.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def _keep_foreign_keys(connection: Connection, *, on: bool) -> None:
    """Inside a transaction SQLite ignores this pragma, and SQLAlchemy begins one for every statement."""
    if connection.dialect.name == "sqlite":
        connection.connection.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")  # type: ignore[attr-defined]
        now = connection.connection.execute("PRAGMA foreign_keys").fetchone()[0]
        if now != on:
            raise RuntimeError("the foreign keys of SQLite cannot be switched: a transaction is open")


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with writing(), engine.connect() as connection:
        # Batch mode rebuilds tables; with foreign keys on, dropping the old one would cascade.
        _keep_foreign_keys(connection, on=False)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            include_name=is_kept_by_us,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        # Where nothing was left to do, the transaction that read the revision is still open.
        connection.commit()
        _keep_foreign_keys(connection, on=True)
    db.session.remove()


run()
