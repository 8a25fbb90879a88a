"""Numbers of a public list, counted once for everybody who asks the same within a minute.

Counting touches every row that a list could show, and the halls are the pages that are asked for most. Every
process keeps its own numbers; the page says when they were counted. A list of few rows is counted each time:
that is cheap, and what somebody has just published stands in the number.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import current_app

from marketplace.kernel import clock

SECONDS_KEPT = 60.0
#: While one request counts anew, the others may still be told numbers of this age.
SECONDS_AT_MOST = 600.0
FEW = 500
MOST_KEPT = 2000
_NAME = "postings.counts"


@dataclass(frozen=True, slots=True)
class Counts:
    """`choices`: name of a facet → choice → rows. `kept_since` is None for what was counted just now."""

    total: int
    choices: Mapping[str, Mapping[str, int]]
    kept_since: datetime | None = None


@dataclass(slots=True)
class _Entry:
    counts: Counts
    at: float
    renewing: bool = False


@dataclass(slots=True)
class _Kept:
    entries: OrderedDict[Hashable, _Entry] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key: Hashable) -> Counts | None:
        """The kept numbers, or None for the one request that has to count them now."""
        with self.lock:
            entry = self.entries.get(key)
            if entry is None:
                return None
            self.entries.move_to_end(key)
            age = time.monotonic() - entry.at
            if age < SECONDS_KEPT or (entry.renewing and age < SECONDS_AT_MOST):
                return entry.counts
            entry.renewing = True
            return None

    def keep(self, key: Hashable, counts: Counts) -> None:
        with self.lock:
            self.entries[key] = _Entry(counts, time.monotonic())
            self.entries.move_to_end(key)
            while len(self.entries) > MOST_KEPT:
                self.entries.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        with self.lock:
            self.entries.pop(key, None)


def kept_counts(key: Hashable, count: Callable[[], tuple[int, dict[str, dict[str, int]]]]) -> Counts:
    """The numbers of what `key` names, counted by `count` where nobody did so lately."""
    kept: _Kept = current_app.extensions.setdefault(_NAME, _Kept())
    if found := kept.find(key):
        return found
    try:
        total, choices = count()
    except BaseException:
        kept.forget(key)
        raise
    if total > FEW:
        kept.keep(key, Counts(total, choices, clock.now()))
    else:
        kept.forget(key)
    return Counts(total, choices)
