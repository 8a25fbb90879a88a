"""What is searched for, without who searches: numbers for each day and nothing else.

Reading writes nothing, so a process counts in memory and writes with a later request that writes anyway; what
a process had not written when it ended is lost, which a list of hot words can bear. Only words of the
vocabulary are counted (a name or a telephone number that somebody types never is), an address counts once for
each words and day, and what was counted fewer than `HOT_FROM` times is shown to nobody.
"""

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import delete, func, select

from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, insert_into
from marketplace.search.models import SearchTally

HOT_FROM = 10
HOT_SHOWN = 8
HOT_DAYS = 30
KEPT_DAYS = 90
LONGEST = 60
SECONDS_BETWEEN_WRITES = 60.0
SECONDS_BETWEEN_LOOKS = 600.0
#: What one process remembers of a day, so that memory stays bounded whoever asks what.
MOST_REMEMBERED = 20_000
_NAME = "search.tally"


@dataclass(slots=True)
class Tally:
    """The searches of this process that are not written yet. The salt lives and dies with the process."""

    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    counts: Counter[tuple[date, str]] = field(default_factory=Counter)
    seen: set[bytes] = field(default_factory=set)
    seen_on: date | None = None
    written_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)
    hot: Sequence[str] = ()
    hot_at: float = 0.0


def prepare(app: Flask) -> None:
    app.extensions[_NAME] = Tally()


def _tally() -> Tally:
    tally: Tally = current_app.extensions[_NAME]
    return tally


def note(words: str, *, address: str, now: datetime) -> None:
    """Count a search in memory. `words` are spelled as the vocabulary spells them."""
    tally = _tally()
    day = business_date(now)
    mark = hashlib.blake2b(
        f"{address}\n{words}".encode("utf-8", "replace"), key=tally.salt, digest_size=12
    ).digest()
    with tally.lock:
        if tally.seen_on != day:
            tally.seen, tally.seen_on = set(), day
        if mark in tally.seen or len(tally.seen) >= MOST_REMEMBERED or len(words) > LONGEST:
            return
        tally.seen.add(mark)
        tally.counts[day, words] += 1


def is_due() -> bool:
    tally = _tally()
    return bool(tally.counts) and time.monotonic() - tally.written_at >= SECONDS_BETWEEN_WRITES


def take() -> dict[tuple[date, str], int]:
    """What is to be written; it is forgotten here, whatever becomes of it."""
    tally = _tally()
    with tally.lock:
        taken, tally.counts = dict(tally.counts), Counter()
        tally.written_at = time.monotonic()
    return taken


def write(counts: dict[tuple[date, str], int], *, now: datetime) -> None:
    """Inside `transaction()`: add to the days' numbers and forget old days."""
    # In one order, so that two processes never wait for each other.
    for (day, words), searches in sorted(counts.items()):
        statement = insert_into(SearchTally).values(day=day, words=words, searches=searches)
        db.session.execute(
            statement.on_conflict_do_update(
                index_elements=["day", "words"], set_={"searches": SearchTally.searches + searches}
            )
        )
    db.session.execute(
        delete(SearchTally).where(SearchTally.day < business_date(now) - timedelta(days=KEPT_DAYS)),
        execution_options={"synchronize_session": False},
    )


def hot_words(*, now: datetime) -> Sequence[str]:
    """What many have searched for lately; asked of the database every ten minutes."""
    tally = _tally()
    if tally.hot_at and time.monotonic() - tally.hot_at < SECONDS_BETWEEN_LOOKS:
        return tally.hot
    total = func.sum(SearchTally.searches)
    rows = db.session.execute(
        select(SearchTally.words)
        .where(SearchTally.day >= business_date(now) - timedelta(days=HOT_DAYS))
        .group_by(SearchTally.words)
        .having(total >= HOT_FROM)
        .order_by(total.desc(), SearchTally.words)
        .limit(HOT_SHOWN)
    )
    tally.hot, tally.hot_at = tuple(row.words for row in rows), time.monotonic()
    return tally.hot
