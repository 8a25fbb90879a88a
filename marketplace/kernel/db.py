"""The database: base class, column types, and the one door that commits.

Reads run in a transaction that cannot write (PRAGMA query_only on SQLite, READ ONLY on PostgreSQL).
`transaction()` ends it and opens a writing one (BEGIN IMMEDIATE on SQLite, so that two writers queue up
instead of failing on upgrade). Services and queries never commit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, BigInteger, DateTime, Enum, Integer, MetaData, Select, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

T = TypeVar("T", bound=Any)
E = TypeVar("E", bound="Identified")

Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC instant on both databases; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive instant: {value!r}")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_column(kind: type[StrEnum], *, length: int = 24) -> Enum:
    """Store the value ("draft"), not the name, with a CHECK instead of a database type."""
    return Enum(
        kind,
        name=_snake(kind.__name__),
        native_enum=False,
        create_constraint=True,
        length=length,
        values_callable=lambda enum: [member.value for member in enum],
    )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Identified:
    """An own integer key that is never reused for anything else."""

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)


def is_kept_by_us(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether a table or index is in the models: what search has the database itself keep is not."""
    return name is None or not name.startswith("search_index")


db = SQLAlchemy(
    model_class=Base,
    session_options={"expire_on_commit": False},
    disable_autonaming=True,
)

_writing: ContextVar[bool] = ContextVar("writing", default=False)
_at_begin: list[Callable[[], None]] = []
_before_commit: list[Callable[[Session], None]] = []


class UncommittedWork(RuntimeError):
    """Changes were made outside `transaction()`; they would have been lost in silence."""


def at_begin(hook: Callable[[], None]) -> None:
    """Have `hook` run at the start of every transaction, before anything is read in it."""
    if hook not in _at_begin:
        _at_begin.append(hook)


def before_commit(hook: Callable[[Session], None]) -> None:
    """Have `hook` run in every transaction, after the last flush and before the commit."""
    if hook not in _before_commit:
        _before_commit.append(hook)


@contextmanager
def writing() -> Iterator[None]:
    """Let connections opened in this context write; for `transaction()` and migrations only."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


@contextmanager
def transaction() -> Iterator[Session]:
    """All or nothing. The only place that commits; raises RuntimeError when nested."""
    if _writing.get():
        raise RuntimeError("transaction() may not be nested")
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise UncommittedWork("changes were pending before the transaction began")
    session.rollback()
    # A rollback with no transaction open expires nothing, and what an earlier one had loaded would be judged.
    session.expire_all()
    for hook in _at_begin:
        hook()
    with writing():
        try:
            yield session
            session.flush()
            for closing in _before_commit:
                closing(session)
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.clear()


def in_transaction() -> bool:
    """Whether the current context may write."""
    return _writing.get()


def for_change(statement: Select[T], entity: type[Any]) -> Select[T]:
    """Inside `transaction()` hold the entity's rows to its end, so that what is judged is what is changed.

    SQLite has but one writer anyway.
    """
    if not in_transaction():
        return statement
    return statement.with_for_update(of=entity).execution_options(populate_existing=True)


def find_row(entity: type[E], identity: int) -> E | None:
    """A row by its key: read anew and held inside `transaction()`, elsewhere as it was read before."""
    if not in_transaction():
        return db.session.get(entity, identity)
    return db.session.scalar(for_change(select(entity).where(entity.id == identity), entity))


def insert_into(entity: type[Any]) -> Any:
    """The INSERT of the database at hand, which knows ON CONFLICT. Writes past the session."""
    at_hand = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
    return at_hand.insert(entity)


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN is deferred and cannot be upgraded without failing, so we send our own.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _on_sqlite_begin(connection: Connection) -> None:
    may_write = _writing.get()
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if may_write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write else "BEGIN")


def _on_postgresql_begin(connection: Connection) -> None:
    if not _writing.get():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def prepare_engine(engine: Engine) -> None:
    """Give an engine the transaction manners described above."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
    else:
        event.listen(engine, "begin", _on_postgresql_begin)


def init_app(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
