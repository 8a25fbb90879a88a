"""How long it takes to start, to answer, and to rank what somebody publishes, on this machine as it is.

A page's time is given beside that of a file without any work behind it, because absolute times say more
about the machine than about the page.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.services.launcher import Launcher, launched

PAGES = ("/", "/challenges", "/needs", "/capabilities", "/organisations")
UNWORKED = "/static/gov.css"
ROUNDS = 30


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        first = _time_start(instance)
        again = _time_start(instance, _visit)
    result = {
        "first_start_seconds": first["seconds"],
        "next_start_seconds": again["seconds"],
        **again["seen"],
    }
    for name, value in result.items():
        print(f"{name:28} {value}")
    return result


def _time_start(instance: Path, visit: Callable[[Launcher], dict[str, Any]] | None = None) -> dict[str, Any]:
    began = time.monotonic()
    with launched(instance) as run:
        run.wait_until_up()
        seconds = round(time.monotonic() - began, 1)
        return {"seconds": seconds, "seen": visit(run) if visit else {}}


def _visit(run: Launcher) -> dict[str, Any]:
    unworked = _median_ms(run, UNWORKED)
    seen: dict[str, Any] = {f"{UNWORKED} ms": unworked}
    for page in PAGES:
        if run.get(page)[0] == 200:
            median = _median_ms(run, page)
            seen[f"{page} ms"] = median
            seen[f"{page} × {UNWORKED}"] = round(median / unworked, 1)
    return seen


def _median_ms(run: Launcher, path: str) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run.get(path)
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)
