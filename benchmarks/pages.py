"""What a page costs at scale, as a ratio to a bare Flask application in the same interleaved run.

    python -m benchmarks.pages [--challenges 10000] [--capabilities 50000] [--database postgres] [--rounds 5]
    python -m benchmarks.pages --users 30 --crowd-seconds 120               # and a mixed crowd afterwards

Loading ten thousand challenges and fifty thousand capabilities takes some minutes, most of them for the
search index.

Both applications are served by gunicorn with the same settings, two processes of two threads. For each page
the rounds go hello, page, page, hello; the ratio is between the medians of requests a second. The same ratio
of processor time for a request stands beside it: kept connections may all fall to one of the two processes,
and then half of a round is idle; the database server's own time is not in it. The load comes from one process
over kept connections that knows just enough HTTP, so that it takes little from what is measured. A mixed
crowd reads lists, details and searches and writes drafts, and every answer that is not the expected one is
counted, and every `database is locked` of the server's log.

Absolute numbers are those of this machine in this hour; the ratios are the result. Written to build/bench.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import psutil
from flask import current_app, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import func, insert, select, text

from benchmarks.corpora import BLOCK, Corpus
from benchmarks.freshness import load_capabilities, stage
from benchmarks.tokens import KEPT
from marketplace.capabilities.models import Capability
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge, ChallengeCluster, ChallengeIndicator
from marketplace.config import ROOT, Settings
from marketplace.identity.models import User
from marketplace.identity.services import open_session
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, transaction
from marketplace.postings.texts import searchable
from tests.factories import a_leader, an_sme
from tests.services.launcher import free_port
from tests.services.workforce import until

_visitors = count()
HELLO = "hello"
CONNECTIONS = 16
#: Widest spread between rounds of the bare page for which a ratio is worth saying.
STEADY = 2.5


# --- what is in the database ------------------------------------------------------------------------------


def load_challenges(count: int, corpus: Corpus, posters: Sequence[Actor]) -> None:
    """Published challenges in bulk, as if each had been approved."""
    now = clock.now()
    needs = corpus.needs(count)
    for start in range(0, count, BLOCK):
        rows: list[dict[str, Any]] = []
        indicators: list[dict[str, Any]] = []
        clusters: list[dict[str, Any]] = []
        for number, need in zip(range(start + 1, min(start + BLOCK, count) + 1), needs, strict=False):
            public_no, problem = f"CB{number:08d}", dict(need.sections)["summary"]
            published = now - timedelta(minutes=count - number)
            rows.append(
                {
                    "id": number,
                    "public_no": public_no,
                    "organisation_id": posters[number % len(posters)].organisation_id,
                    "title": need.title,
                    "problem": problem,
                    "keywords": list(need.keywords),
                    "region": need.region or None,
                    "industry": need.industry or None,
                    "cooperation": list(need.cooperation),
                    "trl_target": need.trl_target,
                    "budget_fen": (number % 900 + 20) * 1_000_000,
                    "status": ChallengeStatus.PUBLISHED,
                    "created_at": published,
                    "updated_at": published,
                    "published_at": published,
                    "closes_at": now + timedelta(days=number % 90 + 5),
                    "search_text": searchable(public_no, need.title, *need.keywords, problem),
                }
            )
            indicators += [
                {**ChallengeIndicator.columns_of(one), "position": place, "challenge_id": number}
                for place, one in enumerate(need.indicators)
            ]
            clusters += [{"challenge_id": number, "code": code} for code in need.clusters]
        with transaction():
            for entity, some in (
                (Challenge, rows),
                (ChallengeIndicator, indicators),
                (ChallengeCluster, clusters),
            ):
                if some:
                    db.session.execute(insert(entity), some)
    if db.engine.dialect.name == "postgresql":
        with transaction():
            sequence = "pg_get_serial_sequence('challenge', 'id')"
            db.session.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM challenge))"))
            db.session.execute(text("ANALYZE"))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser sends in which somebody is signed in: its cookie, and with forms its token."""

    cookie: str
    token: str


def sign_in(actor: Actor) -> SignedIn:
    """A browser in which an actor is signed in."""
    client = current_app.test_client()
    with transaction():
        user = db.session.get_one(User, actor.user_id)
        session_token = open_session(user, user_agent="benchmark", replaces=None, now=clock.now())
    # In a context of its own: a token is made once in each.
    with current_app.app_context(), current_app.test_request_context():
        token, raw = generate_csrf(), session["csrf_token"]
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["csrf_token"] = session_token, raw
    kept = client.get_cookie(current_app.config["SESSION_COOKIE_NAME"])
    assert kept is not None
    return SignedIn(f"{kept.key}={kept.value}", token)


# --- servers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """A gunicorn with its log."""

    port: int
    log: Path
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Processor time that its workers have taken so far."""
        times = (child.cpu_times() for child in self.process.children())
        return sum(one.user + one.system for one in times)


@contextmanager
def serving(target: str, folder: Path, settings: Settings | None = None) -> Iterator[Server]:
    """Serve a WSGI application with gunicorn, two processes of two threads."""
    port, log_file = free_port(), folder / f"{target.partition(':')[0]}.log"
    environment = {**os.environ, "WEB_PROCESSES": "2", "WEB_THREADS": "2", "TRUSTED_PROXIES": "1"}
    if settings is not None:
        environment |= {
            "DATABASE_URL": settings.database_url,
            "INSTANCE_DIR": str(settings.instance_dir),
            "SECRET_KEY": settings.secret_key,
            "MARKETPLACE_ENV": settings.marketplace_env.value,
        }
    with log_file.open("wb") as log:
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", target]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            until(lambda: _answers(port), what=f"{target} answers")
            yield Server(port, log_file, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(20)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(12).startswith(b"HTTP/1.")
    except OSError:
        return False


# --- load -------------------------------------------------------------------------------------------------


def get(path: str, cookie: str = "") -> bytes:
    """A GET request as bytes, from a visitor of its own: one alone may search but so often a minute."""
    number = next(_visitors) % 65_000
    headers = f"X-Forwarded-For: 198.18.{number // 250}.{number % 250}\r\n"
    headers += f"Cookie: {cookie}\r\n" if cookie else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()


def post(path: str, form: Mapping[str, Any], by: SignedIn) -> bytes:
    """A form's POST as bytes."""
    body = urlencode({**form, "csrf_token": by.token}, doseq=True).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {by.cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(slots=True)
class Round:
    """What one round of load saw."""

    seconds: float = 0.0
    cpu: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds

    @property
    def cost(self) -> float:
        """Processor seconds of a request."""
        return self.cpu / len(self.times)


class _Line:
    """One kept connection: a request out, its whole answer in, the next one out."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.began, self.seen, self.wanted, self.status = 0.0, b"", -1, 0

    def send(self, request: bytes) -> None:
        self.seen, self.wanted = b"", -1
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what is there; whether the answer is whole. Raises ConnectionError if the server hangs up."""
        got = self.socket.recv(1 << 18)
        if not got:
            raise ConnectionError("the server closed the connection")
        self.seen += got
        if self.wanted < 0 and (end := self.seen.find(b"\r\n\r\n")) >= 0:
            head = self.seen[:end].lower()
            self.status = int(head[9:12])
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.wanted = end + 4 + int(length or 0)
        return 0 <= self.wanted <= len(self.seen)


def load(port: int, next_request: Callable[[], bytes], seconds: float, connections: int) -> Round:
    """Keep `connections` requests under way for so many seconds."""
    seen = Round()
    with selectors.DefaultSelector() as waiting:
        for _ in range(connections):
            line = _Line(port)
            line.send(next_request())
            waiting.register(line.socket, selectors.EVENT_READ, line)
        began = time.perf_counter()
        # A slow page answers at least once, however short the round.
        while (now := time.perf_counter()) < began + seconds or not seen.times:
            for key, _ in waiting.select(max(0.1, began + seconds - now)):
                line = key.data
                if not line.receive():
                    continue
                seen.times.append(time.perf_counter() - line.began)
                seen.statuses[line.status] += 1
                line.send(next_request())
        seen.seconds = time.perf_counter() - began
        for key in list(waiting.get_map().values()):
            key.data.socket.close()
    return seen


# --- the pages --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A page to measure: which requests, what they should answer, and the ratio aimed at."""

    name: str
    requests: Sequence[bytes]
    expected: int
    aim: float


def pages(corpus: Corpus, challenges: int, capabilities: int, poster: Actor) -> list[Page]:
    """The main pages, each with many different addresses."""
    draw = random.Random(1)
    words = [word for need in corpus.needs(60) for word in need.keywords][:100]
    browser = sign_in(poster)
    numbers = [f"CB{draw.randint(1, challenges):08d}" for _ in range(300)]
    offers = [f"CS{draw.randint(1, capabilities):08d}" for _ in range(300)]
    challenges_seen = [f"/challenges/{number}" for number in numbers]
    offers_seen = [f"/capabilities/{number}" for number in offers]
    deep = [f"/capabilities?page={n}" for n in range(2, 400)]
    asked = [f"/challenges?q={quote(word)}&status=open" for word in words]
    listed = [
        ("list: challenges", ["/challenges"], 0.04),
        ("list: capabilities", ["/capabilities"], 0.04),
        ("detail: challenge", challenges_seen, 0.05),
        ("detail: capability", offers_seen, 0.05),
    ]
    # A visitor without a cookie is shown what was made before, while nothing happens; who is signed in, and
    # whoever searches, is not.
    found = [
        Page(f"{name}, a visitor", [get(path) for path in paths], 200, aim) for name, paths, aim in listed
    ]
    listed += [
        ("list: challenges, word and filter", asked, 0.04),
        ("list: capabilities, deep", deep, 0.04),
    ]
    found += [
        Page(f"{name}, signed in", [get(path, browser.cookie) for path in paths], 200, aim)
        for name, paths, aim in listed
    ]
    found += [
        Page("search, a visitor", [get(f"/search?q={quote(word)}") for word in words], 200, 0.04),
        Page("workbench, signed in", [get("/workbench", browser.cookie)], 200, 0.04),
    ]
    form = capability_form()
    found.append(
        Page(
            "write: a draft, signed in",
            [
                post("/workbench/capabilities/new", {**form, "title": f"{form['title']}{n}"}, browser)
                for n in range(10_000)
            ],
            302,
            0.025,
        )
    )
    return found


def capability_form() -> dict[str, Any]:
    """A capability as its form sends it."""
    return {
        "version": "0",
        "kind": "capability",
        "title": "旋转锻造空心电机轴",
        "summary": "用八模头旋锻机把无缝管近净成形为空心电机轴，壁厚渐变，已为三家电驱企业供样。",
        "keywords": "旋锻，空心轴",
        "clusters": ["A1"],
        "industry": "C34",
        "region": "500112",
        "trl": "7",
        "maturity": "pilot",
        "ip_status": "granted",
        "cooperation": ["supply", "joint"],
        "act": "save",
    }


def measure(page: Page, hello: Server, ours: Server, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Rounds that take turns: hello, page, page, hello."""
    draw = random.Random(2)
    bare, seen = [], []
    # Where every request is another one, none may come twice.
    left = iter(page.requests) if page.expected == 302 else None

    def request() -> bytes:
        return next(left) if left is not None else draw.choice(page.requests)

    def ask(server: Server, next_request: Callable[[], bytes]) -> Round:
        before = server.cpu_seconds()
        one = load(server.port, next_request, seconds, CONNECTIONS)
        one.cpu = server.cpu_seconds() - before
        return one

    load(ours.port, request, min(1.0, seconds), CONNECTIONS)
    for _ in range(rounds):
        bare.append(ask(hello, lambda: get("/")))
        seen += [ask(ours, request), ask(ours, request)]
        bare.append(ask(hello, lambda: get("/")))
    rates = [one.rate for one in bare]
    times = np.concatenate([one.times for one in seen]) * 1000
    statuses = sum((one.statuses for one in seen), Counter[int]())
    return {
        "page": page.name,
        "ratio": statistics.median(one.rate for one in seen) / statistics.median(rates),
        "cpu_ratio": statistics.median(one.cost for one in bare)
        / statistics.median(one.cost for one in seen),
        "cpu_ms": statistics.median(one.cost for one in seen) * 1000,
        "hello_cpu_ms": statistics.median(one.cost for one in bare) * 1000,
        "aim": page.aim,
        "requests_a_second": statistics.median(one.rate for one in seen),
        "hello_a_second": statistics.median(rates),
        "hello_spread": max(rates) / min(rates),
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "hello_p95_ms": float(np.percentile(np.concatenate([one.times for one in bare]) * 1000, 95)),
        "unexpected": {str(code): n for code, n in statuses.items() if code != page.expected},
    }


# --- a crowd ----------------------------------------------------------------------------------------------


def crowd(
    found: Sequence[Page], browsers: Sequence[SignedIn], ours: Server, seconds: float
) -> dict[str, Any]:
    """So many people at once, each thinking a moment between two requests; one in five requests writes."""
    reading = [page for page in found if page.expected == 200]
    results: list[tuple[str, int, float]] = []
    ended = time.monotonic() + seconds
    form = capability_form()

    def person(number: int) -> None:
        draw = random.Random(number)
        line = _Line(ours.port)
        while time.monotonic() < ended:
            if draw.random() < 0.2:
                kind = "write"
                request = post(
                    "/workbench/capabilities/new",
                    {**form, "title": f"{form['title']}{number}-{draw.random()}"},
                    browsers[number],
                )
            else:
                kind = "read"
                request = draw.choice(draw.choice(reading).requests)
            try:
                line.send(request)
                while not line.receive():
                    pass
                results.append((kind, line.status, time.perf_counter() - line.began))
            except OSError:
                results.append((kind, 0, time.perf_counter() - line.began))
                line = _Line(ours.port)
            time.sleep(draw.uniform(0.1, 0.6))

    people = [threading.Thread(target=person, args=(number,)) for number in range(len(browsers))]
    for one in people:
        one.start()
    for one in people:
        one.join()
    log = ours.log.read_text(errors="replace")
    record: dict[str, Any] = {
        "users": len(browsers),
        "seconds": seconds,
        "locked": log.count("database is locked"),
        "tracebacks": log.count("Traceback"),
    }
    for kind in ("read", "write"):
        times = [spent * 1000 for one, _, spent in results if one == kind]
        record[kind] = {
            "requests": len(times),
            "statuses": Counter(str(status) for one, status, _ in results if one == kind),
            "p50_ms": float(np.percentile(times, 50)),
            "p95_ms": float(np.percentile(times, 95)),
            "p99_ms": float(np.percentile(times, 99)),
        }
    return record


# --- command ----------------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Load, serve, measure and keep; what was kept."""
    corpus = Corpus("invented")
    with ExitStack() as stack:
        settings = stack.enter_context(stage(options.database))
        posters = [a_leader() for _ in range(5)]
        people = [an_sme() for _ in range(options.users)]
        print(f"{options.database}: loads …", flush=True)
        load_capabilities(options.capabilities, corpus)
        load_challenges(options.challenges, corpus, posters)
        current_app.test_cli_runner().invoke(args=["search", "rebuild"])
        held = {
            entity.__name__: db.session.scalar(select(func.count(entity.id)))
            for entity in (Challenge, Capability)
        }
        found = pages(corpus, options.challenges, options.capabilities, posters[0])
        browsers = [sign_in(one) for one in people]
        db.session.remove()
        ours = stack.enter_context(serving("wsgi:app", settings.instance_dir, settings))
        record: dict[str, Any] = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "database": options.database,
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "rows": held,
        }
        if options.rounds:
            hello = stack.enter_context(serving("benchmarks.hello:app", settings.instance_dir))
            record["pages"] = []
            print(
                f"{'page':<46}{'ratio':>8}{'of cpu':>8}{'aim':>7}{'a second':>10}{'cpu ms':>8}"
                f"{'p50 ms':>9}{'p95 ms':>9}{'hello/s':>9}"
            )
            for page in found:
                one = measure(page, hello, ours, rounds=options.rounds, seconds=options.seconds)
                record["pages"].append(one)
                unsteady = "  unsteady" if one["hello_spread"] > STEADY else ""
                wrong = f"  {one['unexpected']}" if one["unexpected"] else ""
                print(
                    f"{one['page']:<46}{one['ratio']:8.4f}{one['cpu_ratio']:8.4f}{one['aim']:7.3f}"
                    f"{one['requests_a_second']:10.1f}{one['cpu_ms']:8.2f}"
                    f"{one['p50_ms']:9.1f}{one['p95_ms']:9.1f}{one['hello_a_second']:9.0f}{unsteady}{wrong}",
                    flush=True,
                )
        if options.users:
            record["crowd"] = crowd(found, browsers, ours, options.crowd_seconds)
            print(json.dumps(record["crowd"], ensure_ascii=False, indent=1))
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"pages-{options.database}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1))
    print(f"→ {path}")
    return record


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--challenges", type=int, default=10_000)
    parser.add_argument("--capabilities", type=int, default=50_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=5, help="of every page; 0 for none")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a round")
    parser.add_argument("--users", type=int, default=0, help="a mixed crowd of so many after the rounds")
    parser.add_argument("--crowd-seconds", type=float, default=120.0)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
