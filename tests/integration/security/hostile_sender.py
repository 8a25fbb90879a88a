"""Sends forms whose fields hold hostile values, and judges what comes of each.

Every field is judged by itself: its message, or the row in which it is found again. Several are sent in one
request; those that were refused are taken out and the others sent again, until nothing is refused.
Not here: which forms there are and how they are filled in (`hostile_forms`), and the values (`tests.corpus`).
"""

import json
import re
import sqlite3
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, create_engine, event, text
from sqlalchemy.engine import Engine
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartEncoder, Preamble

from marketplace.kernel import forms
from marketplace.kernel.db import db
from marketplace.postings.forms import PROSE
from marketplace.postings.rules import LONGEST
from tests.corpus.hostile import (
    ADDRESSES,
    CHOICES,
    DATES,
    EITHER,
    EXTRA,
    NUMBERS,
    PHONES,
    RAW,
    REFERENCES,
    REFUSED,
    SECRETS,
    TEXTS,
    Fate,
    Hostile,
)

# Written whatever becomes of a form: that somebody tried, and that somebody is there.
WRITTEN_ANYWAY = frozenset({"attempt_window", "user_session"})
# Read of every form by what stands before all views, and judged by its own tests.
EVERYWHERE = frozenset({"csrf_token", "for_organisation", "switch_organisation"})
MOST_IN_CHINESE = 8000
# Which button was pressed: what it does is said by the form's own good example.
SCRIPT = "<script>alert(1)</script>"
BUTTONS = frozenset({"add", "remove", "add_row", "act", "then"})
_DML = re.compile(r'\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.I)
_INDICATOR = re.compile(r"(?:indicators|parameters)-[0-9]+-(\w+)")
_SUMMARY = re.compile(r'class="errsum.*?</ol>', re.S)
_ITEM = re.compile(r'<li>(?:<a href="[^"#]*#([^"]*)">)?(.*?)</li>', re.S)
_ERROR = re.compile(r'<span class="err" id="([^"]*)-error">(.*?)</span>', re.S)
# The page of an act that was not done lists what stood in its way.
_IN_THE_WAY = re.compile(r'<div id="([^"]*)">([^<]*)')


# --- what a form has ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldFacts:
    """How a field is judged: by what kind of value it takes, how it is called, how much it holds."""

    kind: str
    label: str = ""
    limit: int = 0
    required: bool = False


@dataclass
class Example:
    """One form, filled in well: `key` is its endpoint, with the act or step where one view serves several."""

    key: str
    who: str
    url: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    # Of fields that a view reads by itself; those of a form class are read off it.
    facts: Mapping[str, FieldFacts] = field(default_factory=dict)
    # Fields whose text is not to be found in a row: looked up, hashed, or cut into words.
    unkept: frozenset[str] = frozenset()
    # Read, and yet not shown by the page: a code that is good for once, a column of another kind's rows.
    unshown: frozenset[str] = frozenset()
    files: Callable[[], Mapping[str, Any]] | None = None
    # A page that answers with no redirect.
    answers: int = 302
    # The start of fields' names → the field at which a rule about several of them speaks.
    speaks_at: Mapping[str, str] = field(default_factory=dict)


def reason(limit: int = 1000, label: str = "理由") -> FieldFacts:
    return FieldFacts("prose", label, limit, required=True)


REFERENCE, CHOICE, IGNORED = (FieldFacts(kind) for kind in ("reference", "choice", "ignored"))
# A secret that is compared: whatever it is, a wrong one is all that is told.
COMPARED = FieldFacts("compared")
# They decide about the whole form, so that each is sent alone and nothing is told of it.
SHOWN_AGAIN = frozenset({"line", "prose", "number", "figure", "date", "phone", "address"})
ALONE = frozenset({"reference", "version", "flag", "compared"})


def facts_of(found: Iterable[Any]) -> Iterator[tuple[str, FieldFacts]]:
    """Of every field of these forms, rows included."""
    for one in found:
        if isinstance(one, forms.Rows):
            for entry in one.entries:
                yield from facts_of(entry.form)
            continue
        label, limit = str(one.label.text), getattr(one, "limit", 0)
        required = getattr(one, "is_required", False)
        kinds: tuple[tuple[type, str], ...] = (
            (forms.Version, "version"),
            (forms.Password, "secret"),
            (forms.Email, "address"),
            (forms.Phone, "phone"),
            (forms.LongText, "prose"),
            (forms.Text, "line"),
            (forms.Integer, "number"),
            (forms.Number, "number"),
            (forms.Money, "number"),
            (forms.Date, "date"),
            (forms.Choice, "choice"),
            (forms.Choices, "choices"),
            (forms.Flag, "flag"),
        )
        kind = next((name for cls, name in kinds if isinstance(one, cls)), "ignored")
        yield one.name, FieldFacts(kind, label, limit, required)


def indicator_facts(name: str) -> FieldFacts | None:
    """The rows of indicators are read by their own reader; a message says which row it is about."""
    found = _INDICATOR.fullmatch(name)
    if found is None:
        return None
    column = found[1]
    if column in ("comparator", "mark", "verifier"):
        return FieldFacts("choice", "第 1 项")
    if column in PROSE and column != "value":
        return FieldFacts("line", PROSE[column], LONGEST[column])
    # Read as engineers write numbers, and a required grade may be a word.
    return FieldFacts("figure")


def values_for(facts: FieldFacts, *, database_only: bool = False) -> list[Hostile]:
    """The values for a field, the two lengths at its limit among them."""
    either = {EITHER: NUMBERS[REFUSED] + NUMBERS[EITHER]}
    tables = {
        "number": NUMBERS,
        "figure": {REFUSED: (), **either},
        "date": DATES,
        "choice": CHOICES,
        "choices": CHOICES,
    }
    tables |= {"address": ADDRESSES, "phone": PHONES}
    if facts.kind in tables:
        table = tables[facts.kind]
        pairs = [(text, fate) for fate in (REFUSED, EITHER) for text in table[fate]]
        found = [Hostile(f"{text[:30]!r}", text, fate, fate) for text, fate in pairs]
        return found[-4:] + found[:2] if database_only else found
    if facts.kind in ("line", "prose"):
        found = list(TEXTS)
        if facts.limit:
            # What is sent of a long list in Chinese would be more than any form may send.
            fill = "长" if facts.limit <= MOST_IN_CHINESE else "x"
            found += [
                Hostile("as long as may be", fill * facts.limit, EITHER, EITHER, True),
                Hostile("outside the plane", "𠮷" * min(facts.limit, MOST_IN_CHINESE), EITHER, EITHER, True),
                Hostile("one too long", fill * (facts.limit + 1), REFUSED, REFUSED),
                Hostile("far too long", "x" * max(60_000, facts.limit + 2), REFUSED, REFUSED, True),
            ]
        return [value for value in found if value.database or not database_only]
    if facts.kind == "secret":
        return [value for value in SECRETS if value.database or not database_only]
    if facts.kind in ALONE:
        # What only PostgreSQL refuses of them is seen by `Watch`.
        texts = () if database_only else REFERENCES[:5] if facts.kind == "flag" else REFERENCES
        return [Hostile(f"{text[:30]!r}", text, EITHER, EITHER) for text in texts]
    return []


# --- what the application is watched for ------------------------------------------------------------------


def noting(read: set[str]) -> type[ImmutableMultiDict[str, Any]]:
    """What a request brought, noting which names are asked for."""

    class Noting(ImmutableMultiDict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            read.add(key)
            return super().__getitem__(key)

        def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
            read.add(key)
            return super().get(key, *args, **kwargs)

        def getlist(self, key: str, *args: Any, **kwargs: Any) -> Any:
            read.add(key)
            return super().getlist(key, *args, **kwargs)

        def __contains__(self, key: object) -> bool:
            read.add(str(key))
            return super().__contains__(key)

    return Noting


class Watch:
    """Names that views read, forms that they made, tables that were written to and committed, and questions
    that hold what no text of a database may hold."""

    def __init__(self, app: Flask, patch: pytest.MonkeyPatch) -> None:
        self.read: set[str] = set()
        self.asked: set[str] = set()
        self.made: list[Any] = []
        self.classes: set[type] = set()
        self.written: set[str] = set()
        self.unfit: set[str] = set()
        watch = self

        class Request(app.request_class):  # type: ignore[misc, name-defined]
            parameter_storage_class = noting(self.read)

            @cached_property
            def args(self) -> Any:
                asked = noting(watch.asked)
                return asked(parse_qsl(self.query_string.decode(), keep_blank_values=True, errors="replace"))

        app.request_class = Request
        made_before = forms.Form.__init__

        def made(form: Any, formdata: Any = forms.FlaskForm.Meta, *args: Any, **kwargs: Any) -> None:
            given = () if formdata is forms.FlaskForm.Meta else (formdata,)
            made_before(form, *given, *args, **kwargs)
            if formdata is not None:
                watch.made.append(form)
                watch.classes.add(type(form))

        patch.setattr(forms.Form, "__init__", made, raising=False)
        self._pending: dict[int, set[str]] = {}
        event.listen(db.engine, "before_cursor_execute", self._note)
        event.listen(db.engine, "commit", self._commit)
        event.listen(db.engine, "rollback", lambda connection: self._pending.pop(id(connection), None))

    def _note(self, connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        # SQLite looks for such a text and finds nothing; PostgreSQL refuses the question.
        rows = parameters if isinstance(parameters, list) else [parameters]
        for row in rows:
            values = row.values() if isinstance(row, Mapping) else row
            if any(isinstance(value, str) and ("\x00" in value or "\\u0000" in value) for value in values):
                self.unfit.add(statement[:120])
        if found := _DML.match(statement):
            self._pending.setdefault(id(connection), set()).add(found[1].lower())

    def _commit(self, connection: Any) -> None:
        self.written |= self._pending.pop(id(connection), set())

    def forget(self) -> None:
        self.read.clear()
        self.asked.clear()
        self.made.clear()
        self.written.clear()
        self.unfit.clear()


class Keeper:
    """The world as it was built; tables that something wrote to are brought back."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.is_sqlite = engine.dialect.name == "sqlite"
        if self.is_sqlite:
            copy = folder / "as-built.sqlite3"
            self.standing = sqlite3.connect(str(engine.url.database), isolation_level=None)
            with closing(sqlite3.connect(copy)) as kept:
                self.standing.backup(kept)
            self.standing.execute("PRAGMA foreign_keys=OFF")
            self.standing.execute("ATTACH ? AS built", (str(copy),))
            return
        self.engine = create_engine(engine.url)
        self.metadata = MetaData()
        with self.engine.begin() as connection:
            self.metadata.reflect(connection)
            self.rows = {
                name: [dict(row) for row in connection.execute(table.select()).mappings()]
                for name, table in self.metadata.tables.items()
            }

    def bring_back(self, tables: set[str]) -> None:
        db.session.rollback()
        if self.is_sqlite:
            self.standing.execute("BEGIN IMMEDIATE")
            for name in tables:
                self.standing.execute(f'DELETE FROM main."{name}"')
                self.standing.execute(f'INSERT INTO main."{name}" SELECT * FROM built."{name}"')
            self.standing.execute("COMMIT")
            return
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for name in tables & self.rows.keys():
                table = self.metadata.tables[name]
                connection.execute(table.delete())
                if rows := self.rows[name]:
                    connection.execute(table.insert(), rows)

    def close(self) -> None:
        if self.is_sqlite:
            self.standing.close()
        else:
            self.engine.dispose()


def texts_in(tables: Iterable[str]) -> list[str]:
    """Every text in these tables, those inside of JSON too."""
    found: list[str] = []

    def gather(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, Mapping):
            for key, inner in value.items():
                gather(key)
                gather(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                gather(inner)

    for table in db.metadata.sorted_tables:
        if table.name in tables:
            for row in db.session.execute(table.select()):
                gather(tuple(row))
    db.session.rollback()
    return found


def rows_in(tables: Iterable[str]) -> dict[str, list[str]]:
    """What stands in these tables, without what differs from one time to the next."""
    moving = re.compile(r"_at$|hash|token|key|^seq$|request_id|secret")
    # What is drawn by lot stands in links too.
    drawn = re.compile(r"[A-Za-z0-9_-]{20,}")
    found = {}
    for table in db.metadata.sorted_tables:
        if table.name in tables and table.name not in WRITTEN_ANYWAY:
            columns = [column for column in table.columns if not moving.search(column.name)]
            rows = db.session.execute(table.select().with_only_columns(*columns))
            found[table.name] = sorted(
                drawn.sub("…", json.dumps(list(row), default=str, sort_keys=True)) for row in rows
            )
    db.session.rollback()
    return found


# --- sending and judging ----------------------------------------------------------------------------------


def encoded(form: Mapping[str, Any]) -> bytes:
    return urlencode(form, doseq=True, errors="surrogatepass").encode()


def in_parts(form: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    """A form with files, byte for byte: the usual client refuses to send what no browser would."""
    boundary = "a-boundary-that-nobody-types"
    encoder = MultipartEncoder(boundary.encode())
    sent = encoder.send_event(Preamble(data=b""))
    for name, value in form.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            sent += encoder.send_event(Field(name=name, headers=Headers()))
            sent += encoder.send_event(Data(data=str(one).encode("utf-8", "surrogatepass"), more_data=False))
    for name, (stream, filename) in files.items():
        sent += encoder.send_event(File(name=name, filename=filename, headers=Headers()))
        sent += encoder.send_event(Data(data=stream.read(), more_data=False))
    sent += encoder.send_event(Epilogue(data=b""))
    return {"data": sent, "content_type": f"multipart/form-data; boundary={boundary}"}


def errors_in(page: str) -> dict[str, str]:
    """Messages by the field that they point at; "" for those that point at none."""
    found: dict[str, str] = {}
    for summary in _SUMMARY.findall(page):
        for name, message in _ITEM.findall(summary):
            found[name] = found.get(name, "") + " " + unescape(re.sub("<[^>]*>", "", message))
    for name, message in [*_ERROR.findall(page), *_IN_THE_WAY.findall(page)]:
        found[name] = found.get(name, "") + " " + unescape(re.sub("<[^>]*>", "", message))
    return found


def held_by(page: str, name: str) -> list[str]:
    """What the controls of this name hold."""
    quoted = re.escape(name)
    found = []
    for tag in re.findall(rf'<input[^>]* name="{quoted}"[^>]*>', page):
        held = re.search(r' value="([^"]*)"', tag)
        found.append(held[1] if held else "")
    found += re.findall(rf'<textarea[^>]* name="{quoted}"[^>]*>(?:\r?\n)?(.*?)</textarea>', page, re.S)
    return [unescape(text) for text in found]


def plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Sender:
    def __init__(
        self,
        app: Flask,
        watch: Watch,
        clients: Mapping[str, FlaskClient],
        keeper: Keeper,
        examples: Sequence[Example],
        learnt: dict[str, dict[str, FieldFacts]],
    ) -> None:
        self.app, self.watch, self.clients, self.keeper = app, watch, clients, keeper
        self.examples, self.learnt = examples, learnt
        self.faults: list[str] = []
        self.posts = self.fields = self.values = 0
        self.accepted: set[tuple[str, str]] = set()
        self._addresses = 0
        self._dealt: set[str] = set()
        self._stored: dict[str, tuple[frozenset[str], tuple[int, dict[str, list[str]]]]] = {}

    def fault(self, where: str, told: str) -> None:
        self.faults.append(f"{where}: {told}")

    def post(self, example: Example, form: Mapping[str, Any]) -> Any:
        """One request; an error of the server is an answer like others, to be counted as a fault."""
        self.watch.forget()
        self.posts += 1
        self._addresses += 1
        arguments: dict[str, Any] = {}
        if example.files is None:
            arguments = {"data": encoded(form), "content_type": "application/x-www-form-urlencoded"}
        else:
            arguments = in_parts(form, example.files())
        # Each from an address of its own: how often an address may ask is told by other tests.
        address = f"10.{self._addresses >> 16 & 255}.{self._addresses >> 8 & 255}.{self._addresses & 255}"
        try:
            response = self.clients[example.who].post(
                example.url, environ_base={"REMOTE_ADDR": address}, **arguments
            )
        except Exception as error:
            db.session.rollback()
            last = traceback.extract_tb(error.__traceback__)[-1]
            self.fault(
                example.key, f"{type(error).__name__}: {str(error)[:200]} at {last.filename}:{last.lineno}"
            )
            return None
        for statement in sorted(self.watch.unfit):
            self.fault(example.key, f"the database is asked what no database can hold: {statement}")
        return response

    @contextmanager
    def sent(self, example: Example, form: Mapping[str, Any]) -> Iterator[Any]:
        """The answer; afterwards everything is as it was."""
        cookies = dict(self.clients[example.who]._cookies or {})
        response = self.post(example, form)
        written = set(self.watch.written)
        try:
            yield response
        finally:
            self.clients[example.who]._cookies = cookies
            if response is not None:
                response.close()
            if written or response is None:
                self.keeper.bring_back(written)

    def learn(self, example: Example) -> dict[str, FieldFacts]:
        """Send the form well filled in, and see what is read of it."""
        with self.sent(example, example.fields) as response:
            if response is None:
                return {}
            if self.keeper.is_sqlite:  # in PostgreSQL numbers go on where a row is taken back
                self._stored[example.key] = (
                    frozenset(self.watch.read),
                    (response.status_code, rows_in(self.watch.written)),
                )
            if response.status_code != example.answers:
                said = errors_in(response.text) or re.sub("<[^>]*>|\\s+", " ", response.text)[-600:]
                self.fault(example.key, f"the good example is answered {response.status_code}: {said}")
                return {}
            known = dict(facts_of(field for form in self.watch.made for field in form))
            read = self.watch.read - EVERYWHERE - BUTTONS
            file_names = set(example.files() if example.files else ())
            names = (read | example.fields.keys()) - EVERYWHERE - file_names
            facts = {}
            for name in sorted(names):
                found = example.facts.get(name) or known.get(name) or indicator_facts(name)
                if found is None:
                    if name in BUTTONS:
                        found = REFERENCE
                    else:
                        self.fault(example.key, f"nobody has said what the field {name!r} takes")
                        continue
                if name not in example.fields and found.kind not in ("flag", "ignored"):
                    self.fault(example.key, f"the good example lacks the field {name!r}")
                if found.kind != "ignored":
                    facts[name] = found
            return facts

    def judge(self, example: Example, *, whole: bool = False) -> None:
        """Every field of a form; which values, is said by `_portion`."""
        facts = self.facts_of(example)
        self.fields += len(facts)
        values = {
            name: found
            for name, one in facts.items()
            if (found := values_for(one, database_only=not self.keeper.is_sqlite))
        }
        if not whole:
            values = dict(self._portion(example, facts, values))
        for wave in waves_of(facts, values):
            self._send_wave(example, facts, wave)
            self.values += len(wave)
        if self.keeper.is_sqlite:
            self._send_without(example, facts, whole=whole)
            self._send_too_much(example)

    def facts_of(self, example: Example) -> dict[str, FieldFacts]:
        """What there is to know of its fields; learnt once."""
        if example.key not in self.learnt:
            self.learnt[example.key] = self.learn(example)
        return self.learnt[example.key]

    def _portion(
        self, example: Example, facts: Mapping[str, FieldFacts], values: Mapping[str, list[Hostile]]
    ) -> Iterator[tuple[str, list[Hostile]]]:
        """What each field gets of its values.

        The first form with fields of a kind deals out all values among these; the fields of later forms, read
        by the same code, get some.
        """
        kinds: dict[str, list[str]] = {}
        for name in values:
            kinds.setdefault(facts[name].kind, []).append(name)
        for kind, names in kinds.items():
            in_full = self.keeper.is_sqlite and kind not in self._dealt
            self._dealt.add(kind)
            for place, name in enumerate(names):
                found = values[name]
                step = len(names) if in_full else len(found)
                start = place if in_full else zlib.crc32(f"{example.key} {name}".encode()) % step
                yield (
                    name,
                    [v for n, v in enumerate(found) if n % step == start or self._is_due(facts[name], v)],
                )

    def _is_due(self, facts: FieldFacts, value: Hostile) -> bool:
        """Whether every field gets the value."""
        if not self.keeper.is_sqlite:
            return value.name == "as long as may be"  # how much a column holds, only PostgreSQL knows
        if value.name == "nothing visible":
            return facts.required
        return value.name in ("one too long", "nul")

    def judge_extra(self, example: Example) -> None:
        """What no view asks for, and what is said a second time, changes nothing of what is stored."""
        self.facts_of(example)
        if example.key not in self._stored:
            return
        asked_for, stored = self._stored[example.key]
        if not asked_for - EVERYWHERE:
            return
        extra = {name: value for name, value in EXTRA.items() if name not in asked_for}
        again = {
            name: value if isinstance(value, (list, tuple)) else [value, SCRIPT]
            for name, value in example.fields.items()
        }
        with self.sent(example, {**extra, **again}) as response:
            if response is None:
                return
            self._look_for_raw(f"{example.key} twice", response)
            now = (response.status_code, rows_in(self.watch.written))
        if now != stored:
            rows = {name: (stored[1].get(name), now[1].get(name)) for name in {*stored[1], *now[1]}}
            changed = {
                name: set(was or ()) ^ set(is_ or ()) for name, (was, is_) in rows.items() if was != is_
            }
            self.fault(example.key, f"what nobody asked for has changed: {stored[0]}, {now[0]}, {changed}")

    # -- questions

    def asked_by(self, who: str, url: str) -> list[str] | None:
        """The names of the query that a page looks at; none where this reader is shown no page."""
        self.watch.forget()
        response = self.clients[who].get(url)
        found = sorted(self.watch.asked) if response.status_code == 200 else None
        response.close()
        return found

    def ask(self, who: str, url: str, names: Sequence[str], values: Iterable[str]) -> None:
        """All at once; whoever reads of a fault tries the names one by one."""
        for value in values:
            self._addresses += 1
            query = urlencode(dict.fromkeys(names, value), errors="surrogatepass")
            where = f"GET {url} {names} {value[:60]!r}"
            self.watch.forget()
            address = f"10.9.{self._addresses >> 8 & 255}.{self._addresses & 255}"
            try:
                response = self.clients[who].get(f"{url}?{query}", environ_base={"REMOTE_ADDR": address})
            except Exception as error:
                db.session.rollback()
                self.fault(where, f"{type(error).__name__}: {str(error)[:200]}")
                continue
            if response.status_code >= 500:
                self.fault(where, f"answered {response.status_code}")
            if self.watch.written - WRITTEN_ANYWAY:
                self.fault(where, f"written to {sorted(self.watch.written)}")
            self._look_for_raw(where, response)
            response.close()

    # -- one wave of values

    def _send_wave(
        self, example: Example, facts: Mapping[str, FieldFacts], wave: Mapping[str, Hostile]
    ) -> None:
        left = dict(wave)
        while left:
            typed = {n: [v.text] if facts[n].kind == "choices" else v.text for n, v in left.items()}
            form = {**example.fields, **typed}
            if "password" in typed and "again" in example.fields:
                form["again"] = typed["password"]
            with self.sent(example, form) as response:
                if response is None:
                    return
                where = f"{example.key} [{', '.join(f'{n}={v.name}' for n, v in left.items())[:300]}]"
                self._look_for_raw(where, response)
                if response.status_code == example.answers:
                    self._judge_accepted(where, example, facts, left, typed, response)
                    return
                if response.status_code < 300 and all(facts[n].kind in ALONE for n in left):
                    return  # left aside, or another button than that of the good example
                if not 300 <= response.status_code < 500:
                    self.fault(where, f"answered {response.status_code}")
                    return
                if unwritten := self.watch.written - WRITTEN_ANYWAY:
                    self.fault(
                        where, f"refused with {response.status_code}, and yet written to {sorted(unwritten)}"
                    )
                told = self._judge_refused(where, example, facts, left, typed, response)
            if not told:
                return
            for name in told:
                del left[name]

    def _judge_accepted(
        self,
        where: str,
        example: Example,
        facts: Mapping[str, FieldFacts],
        left: Mapping[str, Hostile],
        typed: Mapping[str, Any],
        response: Any,
    ) -> None:
        kept = None
        for name, value in left.items():
            fate = fate_of(facts[name], value)
            if fate is REFUSED:
                self.fault(where, f"{name}: {value.name} was taken")
            if facts[name].required and facts[name].kind in ("line", "prose") and not visible(value.text):
                self.fault(where, f"{name}: {value.name} was taken for something")
            if facts[name].kind not in ("line", "prose") or name in example.unkept or not visible(value.text):
                continue
            self.accepted.add((example.key, name))
            if kept is None:
                kept = texts_in(self.watch.written)
            wanted = plain_lines(value.arrives or value.text)
            wanted = wanted.strip(" \u3000")
            if not any(wanted in stored for stored in kept):
                self.fault(where, f"{name}: {value.name} is not found as it was typed")
        if (
            any(mark in str(text) for text in typed.values() for mark in RAW)
            and 300 <= response.status_code < 400
        ):
            page = self.clients[example.who].get(response.location)
            self._look_for_raw(f"{where} → {response.location}", page)

    def _judge_refused(
        self,
        where: str,
        example: Example,
        facts: Mapping[str, FieldFacts],
        left: Mapping[str, Hostile],
        typed: Mapping[str, Any],
        response: Any,
    ) -> set[str]:
        """The fields that were told of; none where the answer says nothing that can be put down to one."""
        errors = errors_in(response.text)
        told = set()
        for name, value in left.items():
            one = facts[name]
            if one.kind in ALONE:
                continue
            id_ = next((i for i in self._places(example, errors, name) if i in errors), None)
            if id_ is None:
                continue
            told.add(name)
            # What the rules of a feature say stands at the field, and need not repeat its name.
            strict = fate_of(one, value) is REFUSED and name != "again"
            if one.label and strict and one.label not in errors[id_]:
                self.fault(
                    where, f"{name}: the message does not name “{one.label}”: {errors[id_].strip()[:120]}"
                )
            too_long = value.name in ("one too long", "far too long")
            if too_long and str(one.limit) not in errors[id_].replace(",", ""):
                self.fault(
                    where, f"{name}: the message does not say {one.limit}: {errors[id_].strip()[:120]}"
                )
        for name, value in left.items():
            if facts[name].kind in SHOWN_AGAIN and name not in example.unshown and visible(value.text):
                held = [plain_lines(text) for text in held_by(response.text, name)]
                wanted = plain_lines(value.arrives or value.text)
                same = (h.strip(" \u3000") == wanted.strip(" \u3000") for h in held)
                if not any(same) and wanted not in unescape(response.text):
                    self.fault(
                        where, f"{name}: what was typed is gone from the answer {response.status_code}"
                    )
        if not told and not all(facts[n].kind in ALONE for n in left):
            self.fault(where, f"refused with {response.status_code} and no field named: {errors}")
        return told

    def _places(self, example: Example, errors: Mapping[str, str], name: str) -> list[str]:
        """Where a message about a field may stand: at it, at an act's own field, or where a rule speaks."""
        elsewhere = [place for start, place in example.speaks_at.items() if name.startswith(start)]
        own_ids = (i for i in errors if i.startswith(f"{name}-") and i not in example.fields)
        return [name, *own_ids, *elsewhere]

    def _look_for_raw(self, where: str, response: Any) -> None:
        if response.is_streamed:
            return
        for mark in RAW:
            if mark in response.text:
                self.fault(where, f"{mark!r} stands in the page as it is")
        if "Traceback (most recent" in response.text:
            self.fault(where, "a trace of the program")

    # -- the form itself bent

    def _send_without(self, example: Example, facts: Mapping[str, FieldFacts], *, whole: bool) -> None:
        """All fields left out; each in turn where there is time."""
        for left_out in [set(facts)] * bool(facts) + [{name} for name in facts] * whole:
            form = {name: value for name, value in example.fields.items() if name not in left_out}
            where = f"{example.key} without {', '.join(sorted(left_out))}"
            with self.sent(example, form) as response:
                if response is None:
                    continue
                if not 200 <= response.status_code < 500:
                    self.fault(where, f"answered {response.status_code}")
                if response.status_code >= 400 and self.watch.written - WRITTEN_ANYWAY:
                    self.fault(where, "refused and yet written")

    def _send_too_much(self, example: Example) -> None:
        """A megabyte is refused unread."""
        if example.files is not None or not example.fields:
            return
        name = next(iter(example.fields))
        with self.sent(example, {**example.fields, name: "x" * 1024 * 1024}) as response:
            if response is not None and response.status_code != 413:
                self.fault(example.key, f"a megabyte is answered {response.status_code}")


def waves_of(
    facts: Mapping[str, FieldFacts], values: Mapping[str, Sequence[Hostile]]
) -> Iterator[dict[str, Hostile]]:
    """Values that may go together: one for each field, all to be refused or all perhaps kept.

    References and secrets decide about the whole form, so that each goes alone.
    """
    together: dict[bool, dict[str, list[Hostile]]] = {True: {}, False: {}}
    for name, found in values.items():
        if facts[name].kind in ALONE or facts[name].kind == "secret":
            yield from ({name: value} for value in found)
            continue
        for value in found:
            is_refused = fate_of(facts[name], value) is REFUSED
            together[is_refused].setdefault(name, []).append(value)
    for group in together.values():
        for round_ in range(max(map(len, group.values()), default=0)):
            wave = {name: found[round_] for name, found in group.items() if round_ < len(found)}
            yield {name: own(value, n, facts[name]) for n, (name, value) in enumerate(wave.items())}


def fate_of(facts: FieldFacts, value: Hostile) -> Fate:
    fate = value.prose if facts.kind == "prose" else value.line
    arriving = value.arrives or value.text
    is_text = facts.limit and facts.kind in ("line", "prose")
    return REFUSED if is_text and len(plain_lines(arriving.strip(" \u3000"))) > facts.limit else fate


def own(value: Hostile, number: int, facts: FieldFacts) -> Hostile:
    """The value with a mark of its own, so that several fields of one request can be told apart."""
    if facts.kind not in ("line", "prose") or not visible(value.text) or value.name == "one character":
        return value
    mark = f"〔{number}〕"

    def marked(text: str) -> str:
        full = facts.limit and len(text) + len(mark) > facts.limit
        return (text[: -len(mark)] if full else text) + mark

    return replace(value, text=marked(value.text), arrives=value.arrives and marked(value.arrives))


def visible(text: str) -> bool:
    return bool(re.sub(r"[\s\u200b-\u200f\u2060-\u2064\ufeff\u00ad]", "", text))
