"""What is read again and again and may be a minute old, kept by each process of its own.

Only for what everybody sees alike: a kept value knows no actor. Whoever shows one says when it was made.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from flask import current_app

from marketplace.kernel import clock

T = TypeVar("T")
SECONDS = 60.0
#: While one request makes a value anew, the others may still be given one of this age.
SECONDS_AT_MOST = 600.0
MOST = 2000
_NAME = "kernel.kept"


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value and when it was made; `since` is None for one that was made just now."""

    value: T
    since: datetime | None


@dataclass(slots=True)
class _Entry:
    value: Any
    at: datetime
    made: float
    renewing: bool = False


@dataclass(slots=True)
class _Store:
    entries: OrderedDict[Hashable, _Entry] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key: Hashable) -> _Entry | None:
        """The entry, or None for the one request that has to make it now."""
        with self.lock:
            entry = self.entries.get(key)
            if entry is None:
                return None
            self.entries.move_to_end(key)
            age = time.monotonic() - entry.made
            if age < SECONDS or (entry.renewing and age < SECONDS_AT_MOST):
                return entry
            entry.renewing = True
            return None

    def put(self, key: Hashable, entry: _Entry) -> None:
        with self.lock:
            self.entries[key] = entry
            self.entries.move_to_end(key)
            while len(self.entries) > MOST:
                self.entries.popitem(last=False)

    def drop(self, key: Hashable) -> None:
        with self.lock:
            self.entries.pop(key, None)


def kept(
    key: Hashable, make: Callable[[], T], *, worth: Callable[[T], bool] = lambda _value: True
) -> Kept[T]:
    """The value of `key`, made where nobody did so lately, and kept where it is `worth` it."""
    store: _Store = current_app.extensions.setdefault(_NAME, _Store())
    if found := store.find(key):
        return Kept(found.value, found.at)
    try:
        value = make()
    except BaseException:
        store.drop(key)
        raise
    if worth(value):
        store.put(key, _Entry(value, clock.now(), time.monotonic()))
    else:
        store.drop(key)
    return Kept(value, None)
