"""How the matrix is asked: every request in a transaction of its own that is undone afterwards.

Here: what an answer means, what may stand in it, and whether something was written.
Not here: the cells (matrix.csv) and the objects (world.py).
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from marketplace.attachments import store
from marketplace.exchange import imports
from marketplace.kernel.access import permits
from marketplace.kernel.db import Base, db, writing
from tests.conftest import Database, build_app, migrate
from tests.integration.authz.cases import Case, cases
from tests.integration.authz.world import HIDDEN_PRICE, ROLES, World, build
from tests.integration.support import plain

MATRIX = Path(__file__).with_name("matrix.csv")
COLUMNS = ("resource", "action", "endpoint", "method", "state")
ALLOWED, SIGN_IN, NOT_FOUND, FORBIDDEN, WRONG_STATE, GONE = "✓LNFSG"
DENIED = frozenset({SIGN_IN, NOT_FOUND, FORBIDDEN, WRONG_STATE, GONE})
#: Written by asking itself: who was here, and how often.
BOOKKEEPING = frozenset({"user_session", "attempt_window"})
#: Never written to by a request, and long.
REFERENCE = frozenset({"taxonomy_node", "taxonomy_version"})
WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.I)
WORD = re.compile(r"CNRY-\w+-[\w-]+?-YRNC")
#: Differ from request to request, or with the length of the address.
OWN_HEADERS = frozenset({"X-Request-Id", "Set-Cookie", "Content-Length"})

Key = tuple[str, ...]
Rows = dict[Key, dict[str, str]]


def read_matrix(path: Path = MATRIX) -> Rows:
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            tuple(row[c] for c in COLUMNS): {role: row.get(role) or "" for role in ROLES}
            for row in csv.DictReader(file)
        }


def write_matrix(rows: Rows, path: Path = MATRIX) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *ROLES])
        for key, answers in sorted(rows.items()):
            writer.writerow([*key, *(answers[role] for role in ROLES)])


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it left behind."""

    code: str
    response: TestResponse
    text: str
    wrote: frozenset[str]


def code_of(response: TestResponse) -> str:
    status = response.status_code
    # Whoever is asked to sign in is led back afterwards; an act that ends on that page leads nowhere.
    if status == 401 or (status == 302 and response.headers["Location"].startswith("/login?next=")):
        return SIGN_IN
    if status in (404, 403, 409, 410):
        return {404: NOT_FOUND, 403: FORBIDDEN, 409: WRONG_STATE, 410: GONE}[status]
    # What a form lacks is said only to those whose form it is.
    return ALLOWED if status < 400 or status == 422 else str(status)


@contextmanager
def running(database: Database) -> Iterator["Runner"]:
    """The world on a migrated, empty database, and whoever asks about it."""
    app = build_app(database.settings())
    # In a request, because the world is built with addresses in it.
    with app.test_request_context():
        world = build(app)
        db.session.remove()
    with Runner(world) as runner:
        yield runner


@contextmanager
def running_alone() -> Iterator["Runner"]:
    """For commands: on a database of their own that is gone afterwards."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        database = Database("sqlite", f"sqlite:///{folder / 'matrix.sqlite3'}", folder)
        migrate(database.settings())
        with running(database) as runner:
            yield runner


class Runner:
    def __init__(self, world: World) -> None:
        self.world = world
        self._asked = 0
        self._statements: list[str] = []
        self._missing: dict[tuple[str, tuple[str, str, str]], Answer] = {}
        self._cookies = {role: dict(client._cookies or {}) for role, client in world.clients.items()}

    def __enter__(self) -> "Runner":
        self._context = self.world.app.app_context()
        self._context.push()
        self.cases = list(cases(self.world))
        db.session.remove()
        self._engine: Engine = db.engine
        event.listen(self._engine, "before_cursor_execute", self._note)
        with writing():
            self._connection = self._engine.connect()
            self._connection.begin()
        # Sessions join this connection, so that what they commit can still be undone.
        db.engines[None] = self._connection  # type: ignore[index]
        # What is undone in the database has to stand on the disk as well.
        self._patches = [patch.object(store, "delete"), patch.object(imports, "remove_file")]
        for one in self._patches:
            one.start()
        self.untouched = self.digest()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._patches:
            one.stop()
        db.session.remove()
        db.engines[None] = self._engine  # type: ignore[index]
        event.remove(self._engine, "before_cursor_execute", self._note)
        self._connection.close()
        self._engine.dispose()
        self._context.pop()

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if (found := WRITES.match(statement)) and found[1] not in BOOKKEEPING:
            self._statements.append(found[1])

    @property
    def on_postgresql(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def forget_missing(self) -> None:
        """Ask anew what is answered where there is nothing."""
        self._missing.clear()

    def digest(self) -> str:
        """A hash of every row of every table but those that asking itself writes to."""
        told = hashlib.sha256()
        for table in Base.metadata.sorted_tables:
            if table.name not in BOOKKEEPING | REFERENCE:
                rows = self._connection.execute(table.select().order_by(*table.primary_key.columns))
                told.update(f"{table.name}{[tuple(row) for row in rows]}".encode())
        return told.hexdigest()

    def ask(self, role: str, case: Case, url: str | None = None) -> Answer:
        """One request, and whatever it did undone again."""
        client = self.world.clients[role]
        # Without what pages before have left in the cookie.
        client._cookies = dict(self._cookies[role])
        self._asked += 1
        # Nobody is told to wait: each request comes from somewhere else.
        n = self._asked
        environ = {"REMOTE_ADDR": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}
        self._statements = []
        # Of what was read outside, nothing stays open around the request.
        db.session.remove()
        point = self._connection.begin_nested()
        try:
            response = client.open(
                url or case.url,
                method=case.method,
                data=dict(case.form) if case.method == "POST" else None,
                environ_overrides=environ,
            )
            text = response.get_data().decode("utf-8", "replace")
            response.close()
            wrote = frozenset(self._statements)
            if wrote and code_of(response) in DENIED and self.digest() == self.untouched:
                # Written and taken back by the request itself.
                wrote = frozenset()
        finally:
            db.session.remove()
            point.rollback()
        return Answer(code_of(response), response, text, wrote)

    def code_for(self, role: str, case: Case) -> str:
        """What is answered now; whom the policy does not admit, it answers."""
        actor = self.world.actors[role]
        if not permits(case.resource, case.action, actor):
            return FORBIDDEN if actor.signed_in else SIGN_IN
        return self.ask(role, case).code

    # --- what is wrong with a cell ------------------------------------------------------------------------

    def faults(self, role: str, case: Case, due: str) -> Iterator[str]:
        yield from self.faults_in(self.ask(role, case), role, case, due)

    def faults_in(self, answer: Answer, role: str, case: Case, due: str) -> Iterator[str]:
        where = f"{role}: {case.method} {case.url} [{case.endpoint} {case.state}]"
        if answer.code != due:
            yield f"{where}: {answer.code} ({answer.response.status_code}), due is {due}"
        if answer.response.status_code >= 500:
            yield f"{where}: {answer.response.status_code}"
        if answer.wrote and (answer.code in DENIED or case.method == "GET"):
            yield f"{where}: answered {answer.code} and wrote to {sorted(answer.wrote)}"
        for word in self.words_out_of_place(role, answer):
            # The trail names what was done to by its title, drafts as well.
            on_trail = role == "auditor" and "oversight." in f"{case.endpoint} {case.state}"
            if on_trail and word in self.world.labels:
                continue
            yield f"{where}: shows {word}"
        if answer.code == NOT_FOUND and case.missing_url is not None:
            yield from (f"{where}: {what}" for what in self._told_apart(role, case, answer))

    def words_out_of_place(self, role: str, answer: Answer) -> list[str]:
        said = f"{answer.response.headers}\n{answer.text}"
        found = set(WORD.findall(said)) | ({HIDDEN_PRICE} if HIDDEN_PRICE in said else set())
        return sorted(word for word in found if role not in self.world.readers[word])

    def _told_apart(self, role: str, case: Case, answer: Answer) -> Iterator[str]:
        """In what a thing that is hidden differs from one that is not there."""
        assert case.missing_url is not None
        shape = (role, (case.endpoint, case.method, case.missing_url))
        if shape not in self._missing:
            self._missing[shape] = self.ask(role, case, case.missing_url)
        missing = self._missing[shape]
        if missing.code != answer.code:
            yield f"a missing one is answered {missing.code}"
        elif _without_address(missing.text, case.missing_url) != _without_address(answer.text, case.url):
            yield "reads otherwise than a missing one"
        elif _headers(missing.response) != _headers(answer.response):
            yield "has other headers than a missing one"

    def faults_of(self, chosen: Iterable[Case], rows: Rows, roles: Iterable[str] = ROLES) -> Iterator[str]:
        """What is wrong with the cells of these cases, role by role.

        Whom a policy does not admit, its guard turns away before the view sees what is asked for: there the
        answer has to be the guard's for every state, and one state of each address is asked.
        """
        chosen = list(chosen)
        for role in roles:
            turned_away: set[tuple[str, str]] = set()
            actor = self.world.actors[role]
            for case in chosen:
                due = rows.get(case.key, {}).get(role) or "a blank cell"
                if not permits(case.resource, case.action, actor):
                    guards = FORBIDDEN if actor.signed_in else SIGN_IN
                    if due != guards:
                        yield f"{role}: {case.key} is due {due}, and its policy answers {guards}"
                    if (case.endpoint, case.method) in turned_away:
                        continue
                    turned_away.add((case.endpoint, case.method))
                yield from self.faults(role, case, due)


def _without_address(page: str, url: str) -> str:
    # Pages lead back to themselves, a form's without what was asked for in its address.
    return plain(plain(page, url), url.partition("?")[0])


def _headers(response: TestResponse) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in response.headers if name not in OWN_HEADERS)
