"""How long a search takes with many documents, on either database, and by which plan.

    python -m benchmarks.search [--documents 60000] [--database sqlite|postgres] [--rounds 9]

A new database is filled with invented documents: titles and sentences of the demonstration, put together anew
by a seeded generator. Each question is then asked as its page does (hits, counts beside them) and without the
counts, which the page keeps for a minute. Medians in milliseconds. Written to build/bench; PostgreSQL runs
without fsync, as in the tests. Absolute numbers are those of this machine in this hour.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import func, insert, select, text

from marketplace.config import Environment, Settings
from marketplace.demo.content import read_content
from marketplace.factory import create_app
from marketplace.kernel import clock
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.language import DEFAULT_DICTIONARY
from marketplace.organisations.kinds import OrganisationKind
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.organisations.rules import name_key
from marketplace.search import backends, queries
from marketplace.search.asked import Asked
from marketplace.search.models import SearchBody, SearchDocument
from marketplace.search.tokens import index_tokens, spelled

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "减速器", "铝合金 压铸", "检测", "的", "6061-T6", "数控机床主轴", '"热处理"', "电机 -减速器",
    "轴承 OR 齿轮", "不存在的东西",
)  # fmt: skip
SENTENCES = (4, 10)
BATCH = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=60_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    with _address(args.database) as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            marketplace_env=Environment.TEST,
            database_url=url or f"sqlite:///{folder}/search.sqlite3",
            instance_dir=Path(folder),
            secret_key="for measuring alone",
            redis_url="",
        )
        app = create_app(settings)
        with app.app_context():
            upgrade()
            _fill(args.documents)
            record = _measure(args.rounds)
            db.session.remove()
            db.engine.dispose()
    record |= {"documents": args.documents, "database": args.database}
    kept = ROOT / "build" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f"search-{args.database}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=2))
    print(f"→ {path}")


@contextmanager
def _address(database: str) -> Iterator[str]:
    if database == "sqlite":
        yield ""
        return
    from tests.services import postgresql

    with postgresql.server() as address, postgresql.database(address, "jb_bench_search") as url:
        yield url


def _fill(documents: int) -> None:
    titles, sentences = _writing()
    read = [
        (sentence, set(index_tokens("", (), sentence, DEFAULT_DICTIONARY).split())) for sentence in sentences
    ]
    named = [(title, set(index_tokens(title, (), "", DEFAULT_DICTIONARY).split())) for title in titles]
    chance = random.Random(7)
    now = clock.now()
    with transaction():
        db.session.execute(insert(Organisation), [_organisation(n, now) for n in range(1, 501)])
    began = time.monotonic()
    for start in range(0, documents, BATCH):
        numbers = range(start + 1, min(start + BATCH, documents) + 1)
        rows, bodies = [], []
        for number in numbers:
            title, tokens = chance.choice(named)
            said = chance.sample(read, chance.randint(*SENTENCES))
            body = "\n".join(sentence for sentence, _tokens in said)
            rows.append(_document(number, title, chance, now))
            bodies.append(
                {
                    "document_id": number,
                    "keywords": "",
                    "text": body,
                    "plain": " ¦ ".join((spelled(title), spelled(body))),
                    "tokens": " ".join(sorted(tokens.union(*(found for _sentence, found in said)))),
                }
            )
        with transaction():
            db.session.execute(insert(SearchDocument), rows)
            db.session.execute(insert(SearchBody), bodies)
    with transaction():
        db.session.execute(text("ANALYZE"))
    print(f"{documents} documents in {time.monotonic() - began:.0f} s")


def _writing() -> tuple[list[str], list[str]]:
    content = read_content(business_date(clock.now()))
    titles = [entry.draft.title for entry in content.capabilities]
    titles += [entry.draft.title for entry in content.challenges]
    texts = [entry.draft.summary for entry in content.capabilities]
    texts += [entry.draft.problem + entry.draft.background for entry in content.challenges]
    sentences = {part + "。" for one in texts for part in one.split("。") if len(part) > 5}
    return titles, sorted(sentences)


def _organisation(number: int, now: datetime) -> dict[str, Any]:
    name = f"测速第{number}机械有限公司"
    return {
        "id": number,
        "name": name,
        "name_key": name_key(name),
        "kind": OrganisationKind.ENTERPRISE,
        "status": OrganisationStatus.VERIFIED,
        "created_at": now,
    }


def _document(number: int, title: str, chance: random.Random, now: datetime) -> dict[str, Any]:
    kind = chance.choices(("capability", "need", "challenge"), (50, 8, 2))[0]
    return {
        "id": number,
        "kind": kind,
        "subject_id": number,
        "stamp": "1",
        "read_by": "1",
        "public_no": f"NL-2026-{number}",
        "title": title,
        "organisation_id": chance.randint(1, 500),
        "standing": chance.choice(("open", "open", "collected")),
        "region": chance.choice(("500112", "500120", "510100", "320500")),
        "clusters": f" {chance.choice('ABCDEF')}{chance.randint(1, 7)} ",
        "trl": chance.randint(1, 9),
        "money_fen": chance.choice((None, 3_000_000_00, 80_000_00)),
        "published_at": now - timedelta(minutes=number),
        "closes_at": now + timedelta(days=chance.randint(-60, 120)),
        "entered_at": now,
    }


def _measure(rounds: int) -> dict[str, Any]:
    record: dict[str, Any] = {"questions": {}, "plans": {}}
    print(f"{'question':<16}{'hits':>8}{'hits ms':>10}{'counts ms':>11}")
    for asked in (
        *(Asked(q) for q in QUESTIONS),
        Asked("", chosen=(("cluster", "A1"),)),
        Asked("检测", sort="money"),
    ):
        question, now = queries.ask(asked.q), clock.now()
        total = queries.find(asked, question, now=now).total
        hits = _median(partial(queries.find, asked, question, now=now), rounds)
        counts = _median(partial(queries.count_facts, asked, question, now=now), max(3, rounds // 3))
        name = " ".join((asked.q or "(all)", asked.sort, *(value for _name, value in asked.chosen))).strip()
        record["questions"][name] = {"hits": total, "hits_ms": hits, "counts_ms": counts}
        print(f"{name:<16}{total:>8}{hits:>10.1f}{counts:>11.1f}", flush=True)
    record["plans"] = {q: _plan(q) for q in ("减速器", "铝合金 压铸")}
    for lines in record["plans"].values():
        print("\n".join(lines))
    return record


def _median(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append((time.perf_counter() - began) * 1000)
        db.session.rollback()
    return round(statistics.median(times), 1)


def _plan(asked: str) -> list[str]:
    """How the database finds a question's documents."""
    found = select(func.count()).select_from(SearchDocument)
    found = found.where(SearchDocument.id.in_(backends.hits(queries.ask(asked))))
    compiled = found.compile(db.engine, compile_kwargs={"literal_binds": True})
    word = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    with db.engine.connect() as connection:
        return [str(row[-1]) for row in connection.exec_driver_sql(f"{word} {compiled}".replace("%", "%%"))]


if __name__ == "__main__":
    main()
