"""What all tests stand on: both databases migrated once, an application on either, an honest client.

A test that takes `app` runs on SQLite and on PostgreSQL. A skip names its reason, and with CI=true fails.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, MetaData, Table, event, text
from sqlalchemy.orm import ORMExecuteState, Session
from werkzeug.test import TestResponse

from marketplace.config import ROOT, Environment, Settings
from marketplace.factory import create_app
from marketplace.identity.models import User
from marketplace.identity.services import open_session
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import UncommittedWork, db, transaction
from marketplace.search import tally, throttle
from marketplace.taxonomy.services import load_shipped
from tests.services import Missing, chromium, postgresql, valkey
from tools import setup

# Reference data that is loaded once; it is brought back where a test has added a version.
REFERENCE_TABLES = ("taxonomy_version", "taxonomy_node")
KEPT_TABLES = {"alembic_version", *REFERENCE_TABLES}
COMPILED_TEMPLATES = ROOT / "build" / "templates"


# --- translations --------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Pages are asked for in English too; whoever started pytest by hand has the newest words as well."""
    if not hasattr(config, "workerinput"):
        setup.ensure_catalogues()


# --- skips ---------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[Any]:
    """In CI everything is there; a test that finds something missing has found a fault."""
    report: pytest.TestReport = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a skip fails with CI=true: {reason}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test's name is the same in every process, or two processes could not share the tests."""
    if unstable := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"an address in memory for a name; give ids: {unstable[0]}")


# --- databases -----------------------------------------------------------------------------------------


@dataclass
class Database:
    """Where a test's tables are; empty but for what migrations bring."""

    name: str
    url: str
    instance_dir: Path

    def settings(self, **values: Any) -> Settings:
        return Settings(
            **{
                "marketplace_env": Environment.TEST,
                "database_url": self.url,
                "instance_dir": self.instance_dir,
                "secret_key": "a key for tests, and for nothing else",
                "redis_url": "",
                # Who needs a second factor is said by the tests of signing in.
                "second_factor_optional": True,
                **values,
            }
        )


def build_app(settings: Settings) -> Flask:
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = HonestClient
    # Every test has an application of its own; translating the same templates for each took half of the time.
    # An entry names the template's checksum, so an old one is never used.
    COMPILED_TEMPLATES.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(COMPILED_TEMPLATES))
    return app


def migrate(settings: Settings) -> None:
    app = build_app(settings)
    with app.app_context():
        upgrade()
        with transaction():
            load_shipped(now=clock.now())
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite")
    path = folder / "template.sqlite3"
    migrate(Database("sqlite", f"sqlite:///{path}", folder).settings())
    return path


@dataclass
class PostgresTemplate:
    """One migrated database, emptied before each test down to what the migrations had left in it."""

    url: str
    tables: list[Table] = field(default_factory=list)
    reference: list[Table] = field(default_factory=list)
    brought_in: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def remember(self, connection: Connection) -> None:
        metadata = MetaData()
        metadata.reflect(connection)
        self.tables = [table for table in metadata.sorted_tables if table.name not in KEPT_TABLES]
        self.reference = [metadata.tables[name] for name in REFERENCE_TABLES]
        for table in [*self.tables, *self.reference]:
            if rows := [dict(row) for row in connection.execute(table.select()).mappings()]:
                self.brought_in[table.name] = rows

    def reset(self, connection: Connection) -> None:
        versions = connection.scalar(text("SELECT count(*) FROM taxonomy_version"))
        as_loaded = versions == len(self.brought_in["taxonomy_version"])
        tables = self.tables if as_loaded else [*self.reference, *self.tables]
        names = ", ".join(f'"{table.name}"' for table in tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        for table in tables:
            if rows := self.brought_in.get(table.name):
                connection.execute(table.insert(), rows)
                if "id" in table.columns:
                    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
                    newest = max(row["id"] for row in rows)
                    connection.execute(
                        text(f"SELECT setval({sequence}, {newest}) WHERE {sequence} IS NOT NULL")
                    )


@contextmanager
def _committing(url: str) -> Iterator[Connection]:
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    with ExitStack() as stack:
        try:
            address = stack.enter_context(postgresql.server())
        except Missing as missing:
            pytest.skip(str(missing))
        yield address


@pytest.fixture(scope="session")
def postgres_template(
    postgres_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresTemplate]:
    name = f"jb_test_{os.environ.get('PYTEST_XDIST_WORKER', 'only')}_{os.getpid()}"
    with postgresql.database(postgres_address, name) as url:
        migrate(Database("postgres", url, tmp_path_factory.mktemp("postgres")).settings())
        template = PostgresTemplate(url)
        with _committing(url) as connection:
            template.remember(connection)
        yield template


@pytest.fixture(scope="session")
def sqlite_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test on SQLite has its database, so that an application can be used again."""
    return tmp_path_factory.mktemp("database") / "marketplace.sqlite3"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Either database in turn, as the migrations leave it."""
    if request.param == "sqlite":
        path: Path = request.getfixturevalue("sqlite_path")
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return Database("sqlite", f"sqlite:///{path}", tmp_path)
    template: PostgresTemplate = request.getfixturevalue("postgres_template")
    with _committing(template.url) as connection:
        template.reset(connection)
    return Database("postgres", template.url, tmp_path)


# --- the application -------------------------------------------------------------------------------------


@pytest.fixture
def make_app(database: Database) -> Iterator[Callable[..., Flask]]:
    """Applications on this test's database with settings of their own."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        made.append(build_app(database.settings(**settings)))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


class WarmApp:
    """An application for one test after the other: building and first asking one costs more than most tests.

    It keeps its routes, its templates and the SQL that was compiled. All else is the next test's own.
    """

    def __init__(self, settings: Settings) -> None:
        self.app = build_app(settings)
        self.config, self.extensions = dict(self.app.config), dict(self.app.extensions)

    def renewed(self, settings: Settings) -> Flask:
        for held, at_first in ((self.app.config, self.config), (self.app.extensions, self.extensions)):
            held.clear()
            held.update(at_first)
        self.app.config.update(settings.flask())
        self.app.extensions["settings"] = settings
        tally.prepare(self.app)
        throttle.prepare(self.app)
        return self.app


@pytest.fixture(scope="session")
def warm_apps() -> dict[str, WarmApp]:
    """By name of the database."""
    return {}


@pytest.fixture
def app(request: pytest.FixtureRequest, database: Database, warm_apps: dict[str, WarmApp]) -> Iterator[Flask]:
    """The application in a pushed context, so that services and queries can be called at once.

    Marked `plants_routes`, a test has one of its own: a route that is added is not forgotten.
    """
    settings = database.settings()
    if request.node.get_closest_marker("plants_routes"):
        app = build_app(settings)
    else:
        if database.name not in warm_apps:
            warm_apps[database.name] = WarmApp(settings)
        app = warm_apps[database.name].renewed(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


class HonestClient(FlaskClient):
    """Each request in a context of its own, as in production; none may leave work uncommitted.

    Flask would reuse the test's own context, and with it the session and the actor of the request before.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            response = super().open(*args, **kwargs)
            session = db.session()
            pending = [*session.new, *session.dirty, *session.deleted]
            if pending or session.info.get("flushed"):
                raise UncommittedWork(f"the request left work uncommitted: {pending or 'flushed rows'}")
        # What the test holds of before the request is read anew.
        db.session.rollback()
        return response


@event.listens_for(Session, "after_flush")
def _note_flush(session: Session, _context: Any) -> None:
    session.info["flushed"] = True


@event.listens_for(Session, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        state.session.info["flushed"] = True


@event.listens_for(Session, "after_commit")
@event.listens_for(Session, "after_rollback")
def _forget_flush(session: Session) -> None:
    session.info.pop("flushed", None)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody in particular."""
    return app.test_client()


@pytest.fixture
def as_user(app: Flask) -> Callable[[Actor], FlaskClient]:
    """A client in which an actor is signed in, without the price of a password."""

    def sign_in(actor: Actor) -> FlaskClient:
        client = app.test_client()
        with transaction():
            user = db.session.get_one(User, actor.user_id)
            token = open_session(user, user_agent="tests", replaces=None, now=clock.now())
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
        return client

    return sign_in


@pytest.fixture
def count_statements(app: Flask) -> Callable[[], Any]:
    """`with count_statements() as seen:` collects every SQL statement, transaction control left out."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("PRAGMA", "BEGIN", "SET TRANSACTION")):
                seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return counting


# --- servers ---------------------------------------------------------------------------------------------


@pytest.fixture
def queue_server() -> Iterator[valkey.QueueServer]:
    """A real queue server of the test's own."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(valkey.queue_server())
        except Missing as missing:
            pytest.skip(str(missing))
        yield server


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium.browser())
        except Missing as missing:
            pytest.skip(str(missing))
        yield browser
