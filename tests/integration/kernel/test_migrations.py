"""Migrations lead to exactly the tables of the models, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import upgrade

from marketplace.kernel.db import Base, db, is_kept_by_us


def test_migrations_and_models_agree(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": is_kept_by_us}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_database_that_is_up_to_date_is_left_as_it_is_and_keeps_its_foreign_keys(app: Flask) -> None:
    for _ in range(2):
        upgrade()
        db.session.remove()
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert MigrationContext.configure(connection).get_current_heads()
