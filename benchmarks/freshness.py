"""From publishing a capability to standing on every shortlist it belongs to, with all processes running.

    python -m benchmarks.freshness --docs 100000 --needs 300 --rate 20 --seconds 60 [--database postgres]

A new database is loaded with invented capabilities in bulk and with open needs through the needs' own
service; everything is ranked once by the workers (`matching.rerank_batch`). Then drafts are published by
the service function, so many a second, while the real supervisor, its workers and a queue server of their
own do the work. The time of each is from its commit until `ranking` says that its version has been placed, as
another connection sees it. Afterwards shortlists are compared with what the engine says of the published
capabilities: each must stand where it belongs. PostgreSQL runs without fsync, as in the tests.

Absolute numbers are those of this machine in this hour. Written to build/bench.
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import argparse  # noqa: E402
import json  # noqa: E402
import tempfile  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import ExitStack, contextmanager  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from datetime import UTC, datetime, timedelta  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import psutil  # noqa: E402
import sqlalchemy  # noqa: E402
from flask_migrate import upgrade  # noqa: E402
from sqlalchemy import func, insert, select, text  # noqa: E402

from benchmarks.corpora import BLOCK, Corpus  # noqa: E402
from benchmarks.tokens import KEPT  # noqa: E402
from marketplace.capabilities import services as capability_services  # noqa: E402
from marketplace.capabilities.lifecycle import CapabilityStatus  # noqa: E402
from marketplace.capabilities.models import Capability, CapabilityCluster, CapabilityParameter  # noqa: E402
from marketplace.capabilities.rules import CapabilityDraft  # noqa: E402
from marketplace.config import Environment, Settings  # noqa: E402
from marketplace.factory import create_app  # noqa: E402
from marketplace.kernel import clock, outbox  # noqa: E402
from marketplace.kernel.actor import Actor  # noqa: E402
from marketplace.kernel.dates import business_date  # noqa: E402
from marketplace.kernel.db import db, transaction  # noqa: E402
from marketplace.kernel.outbox import OutboxRow, defer  # noqa: E402
from marketplace.matching import epochs  # noqa: E402
from marketplace.matching.engine.documents import Matchable, Standing  # noqa: E402
from marketplace.matching.models import MatchEntry, MatchRun, PostingKind, Ranking  # noqa: E402
from marketplace.matching.sources import read  # noqa: E402
from marketplace.organisations.kinds import OrganisationKind, OrganisationSize  # noqa: E402
from marketplace.organisations.lifecycle import OrganisationStatus  # noqa: E402
from marketplace.organisations.models import Designation, Organisation  # noqa: E402
from marketplace.organisations.rules import name_key  # noqa: E402
from marketplace.postings.texts import searchable  # noqa: E402
from marketplace.taxonomy.services import load_shipped  # noqa: E402
from tests.factories import a_need, an_sme  # noqa: E402
from tests.services import postgresql, valkey  # noqa: E402
from tests.services.workforce import Workforce, workforce  # noqa: E402

# Organisations of the bulk begin here; those made by services come before.
_FIRST_ORGANISATION = 100_000
_WATCH_EVERY = 0.02


@dataclass(slots=True)
class Watched:
    """What the watcher saw: when each capability was placed (monotonic), and the backlog over time."""

    published: dict[int, float] = field(default_factory=dict)
    placed: dict[int, float] = field(default_factory=dict)
    backlog: list[tuple[float, int]] = field(default_factory=list)


# --- a database -------------------------------------------------------------------------------------------


@contextmanager
def stage(kind: str) -> Iterator[Settings]:
    """A migrated empty database and a queue server, with an application context on them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freshness-")))
        url = f"sqlite:///{folder / 'marketplace.sqlite3'}"
        if kind == "postgres":
            url = stack.enter_context(
                postgresql.database(stack.enter_context(postgresql.server()), "freshness")
            )
        queue = stack.enter_context(valkey.queue_server())
        settings = Settings(
            marketplace_env=Environment.TEST,
            database_url=url,
            instance_dir=folder,
            secret_key="a key for measuring, and for nothing else",
            redis_url=queue.url,
        )
        app = create_app(settings)
        with app.app_context():
            upgrade()
            with transaction():
                load_shipped(now=clock.now())
            try:
                yield settings
            finally:
                db.session.remove()
                db.engine.dispose()


def load_capabilities(count: int, corpus: Corpus) -> None:
    """Organisations and public capabilities in bulk, as an import would have left them."""
    now = clock.now()
    for start in range(0, count, BLOCK):
        documents = list(corpus.capabilities(min(count, start + BLOCK), start=start))
        first = documents[0].organisation_id
        # The organisation of a block's first document may have come with the block before.
        own = {one.organisation_id: one for one in documents if start == 0 or one.organisation_id != first}
        if start and first is not None and documents[0].id % 3 == 0:
            own[first] = documents[0]
        with transaction():
            db.session.execute(insert(Organisation), [_organisation(one, now) for one in own.values()])
            held = [row for one in own.values() for row in _designations(one, now)]
            if held:
                db.session.execute(insert(Designation), held)
            db.session.execute(insert(Capability), [_capability(one, now) for one in documents])
            for entity, rows in (
                (CapabilityParameter, [row for one in documents for row in _parameters(one)]),
                (
                    CapabilityCluster,
                    [{"capability_id": one.id, "code": code} for one in documents for code in one.clusters],
                ),
            ):
                if rows:
                    db.session.execute(insert(entity), rows)
    if db.engine.dialect.name == "postgresql":
        with transaction():
            for table in ("organisation", "capability"):
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                db.session.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM {table}))"))
            db.session.execute(text("ANALYZE"))


def _is_collected(document: Matchable) -> bool:
    return document.standing is not Standing.VERIFIED


def _organisation_id(document: Matchable) -> int:
    return _FIRST_ORGANISATION + (document.organisation_id or 0)


def _organisation(document: Matchable, now: datetime) -> dict[str, Any]:
    name = f"测速第{document.organisation_id}号机电有限公司"
    verified = not _is_collected(document)
    return {
        "id": _organisation_id(document),
        "name": name,
        "name_key": name_key(name)[:240],
        "kind": OrganisationKind(document.organisation_kind),
        "size": OrganisationSize(document.organisation_size) if document.organisation_size else None,
        "status": OrganisationStatus.VERIFIED if verified else OrganisationStatus.UNCLAIMED,
        "region": document.region,
        "created_at": now,
        "verified_at": now if verified else None,
    }


def _designations(document: Matchable, now: datetime) -> list[dict[str, Any]]:
    if _is_collected(document):
        return []
    return [
        {"organisation_id": _organisation_id(document), "kind": kind, "issuer": "测速", "confirmed_at": now}
        for kind in document.designations
    ]


def _capability(document: Matchable, now: datetime) -> dict[str, Any]:
    number, summary = f"CS{document.id:08d}", dict(document.sections)["summary"]
    collected = _is_collected(document)
    return {
        "id": document.id,
        "public_no": number,
        "organisation_id": _organisation_id(document),
        "title": document.title,
        "summary": summary,
        "keywords": list(document.keywords),
        "industry": document.industry or None,
        "trl": document.trl,
        "cooperation": list(document.cooperation),
        "status": CapabilityStatus.COLLECTED if collected else CapabilityStatus.PUBLISHED,
        "created_at": now,
        "updated_at": now,
        "published_at": now,
        "source_id": f"CS-{document.id}" if collected else None,
        "source_title": "测速" if collected else "",
        "search_text": searchable(number, document.title, *document.keywords, summary),
    }


def _parameters(document: Matchable) -> list[dict[str, Any]]:
    return [
        {
            **CapabilityParameter.columns_of(indicator),
            "position": place,
            "weight": 0,
            "capability_id": document.id,
        }
        for place, indicator in enumerate(document.indicators)
    ]


def load_needs(count: int, corpus: Corpus) -> list[Actor]:
    """Open needs of ten organisations, through their service; who posts them."""
    posters = [an_sme() for _ in range(10)]
    until = business_date(clock.now()) + timedelta(days=60)
    for place, need in enumerate(corpus.needs(count)):
        a_need(
            posters[place % len(posters)],
            title=need.title,
            specification=dict(need.sections)["summary"],
            keywords=need.keywords,
            clusters=need.clusters,
            industry=None,
            region=need.region,
            indicators=need.indicators,
            valid_until=until,
        )
    return posters


def make_drafts(count: int, corpus: Corpus, behind: int, posters: Sequence[Actor]) -> list[int]:
    """Drafts that follow the corpus' first `behind` documents; their ids."""
    first = -(-behind // BLOCK) * BLOCK
    made = []
    for place, document in enumerate(corpus.capabilities(first + count, start=first)):
        draft = CapabilityDraft(
            title=document.title,
            summary=dict(document.sections)["summary"],
            trl=document.trl,
            keywords=document.keywords,
            # Without any it may not be published.
            clusters=document.clusters or ("A1",),
            region=document.region,
            parameters=document.indicators,
        )
        with transaction():
            capability = capability_services.start_draft(
                draft, by=posters[place % len(posters)], now=clock.now()
            )
        made.append(capability.id)
    return made


# --- publishing and watching ------------------------------------------------------------------------------


def publish_stream(drafts: Sequence[int], posters: Sequence[Actor], rate: float, watched: Watched) -> float:
    """Publish at a steady rate; how many seconds the stream fell behind its own plan at the end."""
    began = time.monotonic()
    late = 0.0
    for place, capability_id in enumerate(drafts):
        planned = began + place / rate
        time.sleep(max(0.0, planned - time.monotonic()))
        late = max(0.0, time.monotonic() - planned)
        with transaction():
            capability = _held_draft(capability_id)
            capability_services.publish(capability, by=posters[place % len(posters)], now=clock.now())
        watched.published[capability_id] = time.monotonic()
    return late


def _held_draft(capability_id: int) -> Capability:
    """A draft with what publishing looks at."""
    options = [
        sqlalchemy.orm.selectinload(Capability.parameters),
        sqlalchemy.orm.selectinload(Capability.certificates),
        sqlalchemy.orm.selectinload(Capability.clusters),
        sqlalchemy.orm.selectinload(Capability.chain_links),
        sqlalchemy.orm.joinedload(Capability.organisation),
    ]
    return db.session.scalars(
        select(Capability)
        .where(Capability.id == capability_id)
        .options(*options)
        .with_for_update(of=Capability)
    ).one()


class Watcher(threading.Thread):
    """Asks the database, over a connection of its own, what has been placed."""

    def __init__(self, url: str, drafts: Sequence[int], watched: Watched) -> None:
        super().__init__(daemon=True)
        self.engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        self.lowest = min(drafts)
        self.watched = watched
        self.ended = threading.Event()

    def run(self) -> None:
        placed = select(Ranking.posting_id).where(
            Ranking.kind == PostingKind.CAPABILITY, Ranking.posting_id >= self.lowest
        )
        waiting = select(func.count()).where(
            OutboxRow.kind == "matching.place_capability",
            OutboxRow.done_at.is_(None),
            OutboxRow.dead_at.is_(None),
        )
        counted = 0.0
        with self.engine.connect() as connection:
            while not self.ended.is_set():
                found = set(connection.scalars(placed))
                now = time.monotonic()
                for capability_id in found - self.watched.placed.keys():
                    self.watched.placed[capability_id] = now
                if now - counted >= 1.0:
                    counted = now
                    self.watched.backlog.append((now, connection.scalar(waiting) or 0))
                self.ended.wait(_WATCH_EVERY)
        self.engine.dispose()


def cpu_seconds(force: Workforce) -> float:
    """CPU of supervisor, workers and the children they have waited for or still have."""
    total = 0.0
    for process in force.everybody():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def wait_until_idle(force: Workforce, limit: float, what: str) -> float:
    """Wait until no work is open; seconds it took.

    Raises RuntimeError after `limit` seconds, on dead work, or where the workers have ended.
    """
    began = time.monotonic()
    while True:
        if force.process is None or force.process.poll() is not None:
            raise RuntimeError(f"{what}: the workers ended: {force.log()[-1000:]}")
        db.session.rollback()
        state = outbox.queue_state(now=clock.now() + timedelta(days=1))
        if state.dead:
            errors = [f"{row.kind}: {row.last_error}" for row in db.session.scalars(outbox.select_dead())]
            raise RuntimeError(f"{what}: {state.dead} pieces of work died\n" + "\n".join(errors))
        if not state.open:
            return time.monotonic() - began
        if time.monotonic() - began > limit:
            raise RuntimeError(f"{what}: {state.open} pieces of work still open after {limit:.0f} s")
        time.sleep(0.1)


def misplaced(published: Sequence[int], most: int = 50) -> list[str]:
    """Which of (a sample of) the published capabilities do not stand where the engine says they belong."""
    db.session.rollback()
    now = clock.now()
    _state, ranker = epochs.open_corpus()
    runs = db.session.execute(
        select(MatchRun.id, MatchRun.seeker_id).where(
            MatchRun.superseded_at.is_(None), MatchRun.seeker_kind == PostingKind.NEED
        )
    ).all()
    seekers = read(PostingKind.NEED, [seeker_id for _, seeker_id in runs], now=now)
    run_of = {seeker_id: run_id for run_id, seeker_id in runs}
    lines: dict[int, list[tuple[float, int]]] = {}
    for entry in db.session.execute(select(MatchEntry.run_id, MatchEntry.score, MatchEntry.capability_id)):
        lines.setdefault(entry.run_id, []).append((-entry.score, entry.capability_id))
    step = max(1, len(published) // most)
    wrong = []
    for document in read(PostingKind.CAPABILITY, sorted(published)[::step], now=now):
        for match in ranker.rank_seekers(document, seekers, now=now):
            own = (-match.score / 1_000_000, document.id)
            board = sorted(lines.get(run_of[match.seeker.id], ()))
            belongs = len(board) < ranker.size or own <= board[-1]
            if belongs != (document.id in {capability_id for _, capability_id in board}):
                wrong.append(f"capability {document.id}, need {match.seeker.id}")
    return wrong


# --- the measurement --------------------------------------------------------------------------------------


def measure(
    *, kind: str, docs: int, needs: int, rate: float, seconds: float, workers: int, patience: float
) -> dict[str, Any]:
    """One run on one kind of database."""
    corpus = Corpus("invented")
    with stage(kind) as settings:
        began = time.monotonic()
        load_capabilities(docs, corpus)
        posters = load_needs(needs, corpus)
        drafts = make_drafts(round(rate * seconds), corpus, docs, posters)
        loaded = time.monotonic() - began
        print(f"{kind}: {docs:,} capabilities, {needs} needs loaded in {loaded:.0f} s", flush=True)
        with transaction():
            defer("matching.rerank_batch", subject_id=0, bulk=True)
        watched = Watched()
        with workforce(settings, size=workers) as force:
            ranked = wait_until_idle(force, patience, "the first ranking")
            print(f"{kind}: everything ranked in {ranked:.0f} s", flush=True)
            watcher = Watcher(settings.database_url, drafts, watched)
            watcher.start()
            cpu, began = cpu_seconds(force), time.monotonic()
            load = os.getloadavg()[0]
            late = publish_stream(drafts, posters, rate, watched)
            streamed = time.monotonic() - began
            drained = wait_until_idle(force, patience, "the stream")
            spent = cpu_seconds(force) - cpu
            peak = max((process.memory_info().rss for process in force.everybody()), default=0)
            time.sleep(3 * _WATCH_EVERY)
            watcher.ended.set()
            watcher.join()
            log = force.log()
        wrong = misplaced(drafts)
    waits = np.array(
        [watched.placed[one] - watched.published[one] for one in drafts if one in watched.placed]
    )
    first = min(watched.published.values())
    return {
        "database": kind,
        "capabilities": docs,
        "needs": needs,
        "rate": rate,
        "published": len(drafts),
        "placed": len(waits),
        "load_before": load,
        "workers": workers,
        "first_ranking_s": ranked,
        "p50_s": float(np.percentile(waits, 50)),
        "p95_s": float(np.percentile(waits, 95)),
        "p99_s": float(np.percentile(waits, 99)),
        "most_s": float(waits.max()),
        "stream_s": streamed,
        "stream_late_s": late,
        "drained_s": drained,
        "cpu_share": spent / (streamed + drained),
        "cpu_ms_each": spent / len(drafts) * 1000,
        "largest_process_mb": peak / (1 << 20),
        "backlog": [(round(at - first, 1), waiting) for at, waiting in watched.backlog],
        "misplaced": wrong,
        "warnings": sum("failed" in line or "lost" in line for line in log.splitlines()),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", type=int, default=100_000)
    parser.add_argument("--needs", type=int, default=300)
    parser.add_argument("--rate", type=float, default=20.0, help="capabilities published a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds to wait for the workers")
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    for kind in ("sqlite", "postgres") if options.database == "both" else (options.database,):
        found = measure(
            kind=kind, docs=options.docs, needs=options.needs, rate=options.rate, seconds=options.seconds,
            workers=options.workers, patience=options.patience,
        )  # fmt: skip
        for name, value in found.items():
            print(f"{name:20} {value:.3f}" if isinstance(value, float) else f"{name:20} {value}")
        path = KEPT / f"freshness-{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1))
        print(f"→ {path}")


if __name__ == "__main__":
    main()
