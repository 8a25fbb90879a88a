"""Alembic's environment: the application's engine, all tables, batch mode for SQLite."""

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from marketplace import tables  # noqa: F401
from marketplace.kernel.db import Base, UTCDateTime, db, writing


def render_item(kind: str, item: object, _autogenerate: object) -> str | bool:
    # Migrations stand on SQLAlchemy alone, so that a later change of our types does not rewrite history.
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with writing(), engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Batch mode rebuilds tables; with foreign keys on, dropping the old one would cascade.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.commit()
    db.session.remove()


run()
