"""How often one address may search: counted in memory, because reading writes nothing.

Each web process counts for itself. It keeps a machine from being busied by one client; it is no promise of an
exact number where several processes serve.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from flask import Flask, current_app

WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000
_NAME = "search.throttle"


@dataclass(slots=True)
class Throttle:
    """The instants of the last searches, by address and kind of question."""

    searches: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, kind: str, address: str, *, most: int, now: float) -> int:
        """Count one; 0 where it may go on, else after how many seconds."""
        with self.lock:
            if len(self.searches) >= MOST_ADDRESSES:
                self._forget_old(now)
            instants = self.searches.setdefault((kind, address), deque())
            while instants and now - instants[0] >= WINDOW_SECONDS:
                instants.popleft()
            if len(instants) >= most:
                return max(1, round(WINDOW_SECONDS - (now - instants[0])))
            instants.append(now)
            return 0

    def _forget_old(self, now: float) -> None:
        old = [key for key, seen in self.searches.items() if not seen or now - seen[-1] >= WINDOW_SECONDS]
        for key in old:
            del self.searches[key]
        if len(self.searches) >= MOST_ADDRESSES:
            self.searches.clear()


def prepare(app: Flask) -> None:
    app.extensions[_NAME] = Throttle()


def seconds_to_wait(kind: str, address: str, *, most: int) -> int:
    throttle: Throttle = current_app.extensions[_NAME]
    return throttle.wait(kind, address, most=most, now=time.monotonic())
