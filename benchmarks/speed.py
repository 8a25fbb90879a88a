"""How fast a need is answered and everything is ranked, ours beside its peers, in one run.

    python -m benchmarks.speed --docs 10000,100000,1000000 --needs 200 --rematch 10000     # the long form
    python -m benchmarks.speed --short                                                     # in `make bench`
    python -m benchmarks.speed --docs 12000 --corpus csl_hard_dev                          # real texts

`--corpus` is `invented` (benchmarks.corpora) or a judged set of MARKETPLACE_REAL_DATA, mixed up to size.
Each system runs in a process of its own with one thread; rounds of the systems take turns, a need's time is
its median over the rounds, p50 and p99 are over the needs. A system that would take longer than `--budget`
seconds for a round is asked fewer needs; a rematch longer than `--rematch-budget` is measured on as many
needs as fit and stated as such. All needs are prepared beforehand: as vectors of the peers, weighed for
ours. The peers add up words and nothing else; ours is the full score with conditions and parts. Everybody
answers 50 places.

Absolute numbers are those of this machine in this hour; the ratios are the result. Written to build/bench.
"""

from __future__ import annotations

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import argparse  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Mapping, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass, field, replace  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from multiprocessing import get_context  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from benchmarks.corpora import REAL, Corpus  # noqa: E402
from benchmarks.systems import PLACES, SYSTEMS, Order, missing, serve  # noqa: E402
from benchmarks.tokens import KEPT, read_need_words, read_words  # noqa: E402

OURS, ANCHOR, TARGET_PEER = "ours", "anchor (numba postings)", "bm25s (numba)"
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    needs: int
    rounds: int
    budget: float
    rematch: int
    rematch_budget: float
    systems: Sequence[str]


class Running:
    """A system's process, and what it has told so far."""

    def __init__(self, name: str, corpus: Corpus, count: int, needs: int) -> None:
        self.name = name
        self.connection, theirs = get_context("spawn").Pipe()
        self.process = get_context("spawn").Process(
            target=serve, args=(name, corpus, count, needs, theirs), daemon=False
        )
        self.process.start()
        theirs.close()
        self.facts: dict[str, Any] = self.receive()

    def receive(self) -> Any:
        """What the process tells next; raises RuntimeError where it failed."""
        try:
            told = self.connection.recv()
        except EOFError:
            told = "the process ended"
        if isinstance(told, str):
            raise RuntimeError(f"{self.name}: {told}")
        return told

    def ask(self, **order: Any) -> Any:
        """Give an order and wait for the answer."""
        self.connection.send(Order(**order))
        return self.receive()

    def end(self) -> None:
        """Let the process end."""
        if self.process.is_alive():
            self.connection.send(Order("end"))
        self.process.join()


@dataclass(slots=True)
class Times:
    """Seconds of each need asked, round by round."""

    cpu: list[list[float]] = field(default_factory=list)
    wall: list[list[float]] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """Milliseconds over the needs, each the median of its rounds."""
        cpu = np.median(np.array(self.cpu), axis=0) * 1000
        wall = np.median(np.array(self.wall), axis=0) * 1000
        return {
            "needs": len(cpu),
            "p50_cpu_ms": float(np.percentile(cpu, 50)),
            "p99_cpu_ms": float(np.percentile(cpu, 99)),
            "mean_cpu_ms": float(cpu.mean()),
            "p50_wall_ms": float(np.percentile(wall, 50)),
            "p99_wall_ms": float(np.percentile(wall, 99)),
        }


@contextmanager
def running(corpus: Corpus, count: int, plan: Plan, record: dict[str, Any]) -> Iterator[list[Running]]:
    """The systems' processes, built one after the other; who cannot run is named in the record."""
    started: list[Running] = []
    try:
        for name in plan.systems:
            if missing(name):
                record["missing"][name] = "not installed"
                continue
            print(f"  {name}: builds …", flush=True)
            try:
                one = Running(name, corpus, count, max(plan.needs, plan.rematch))
            except RuntimeError as error:
                record["missing"][name] = str(error)
                print(f"  {error}", flush=True)
                continue
            started.append(one)
        yield started
    finally:
        for one in started:
            one.end()


def measure(corpus: Corpus, count: int, plan: Plan) -> dict[str, Any]:
    """One size of one corpus."""
    print(f"{corpus.name}, {count:,} documents", flush=True)
    # Cut once, outside of any system: all peers read the same numbers.
    words = read_words(corpus, count)
    read_need_words(corpus, max(plan.needs, plan.rematch))
    record: dict[str, Any] = {
        "corpus": corpus.name,
        "documents": count,
        "words": len(words.ids),
        "vocabulary": len(words.vocabulary),
        "load": os.getloadavg()[0],
        "missing": {},
    }
    del words
    with running(corpus, count, plan, record) as systems:
        record["build"] = {one.name: one.facts for one in systems}
        record["bandwidth_gb_s"] = bandwidth()
        record["single"] = _singles(systems, plan)
        record["agreeing"] = _agreeing(systems)
        places = tuple(range(plan.needs))
        record["touched"] = {}
        for one in systems:
            if one.name in (OURS, ANCHOR):
                postings, read = np.mean(one.ask(action="touched", places=places), axis=0)
                record["touched"][one.name] = {"postings": float(postings), "bytes": float(read)}
        record["memory"] = {one.name: one.ask(action="memory") for one in systems}
        record["rematch"] = _rematches(systems, plan) if plan.rematch else {}
    return record


def _singles(systems: Sequence[Running], plan: Plan) -> dict[str, dict[str, float]]:
    """Rounds that take turns, the order another one each time."""
    turns = [(one, variant) for one in systems for variant in SYSTEMS[one.name][0].variants]
    times = {(one.name, variant): Times() for one, variant in turns}
    asked: dict[tuple[str, str], tuple[int, ...]] = {}
    for one, variant in turns:
        first = one.ask(action="ask", variant=variant, places=(0, 1))  # compiles and warms up
        second = one.ask(action="ask", variant=variant, places=(0, 1))[1][1]
        affordable = int(plan.budget / max(min(first[1][1], second), 1e-6))
        asked[one.name, variant] = tuple(range(min(plan.needs, max(5, affordable))))
    for number in range(plan.rounds):
        shift = number * len(turns) // plan.rounds
        for one, variant in turns[shift:] + turns[:shift]:
            key = one.name, variant
            found = one.ask(action="ask", variant=variant, places=asked[key])
            times[key].cpu.append([cpu for cpu, _ in found])
            times[key].wall.append([wall for _, wall in found])
    return {f"{name} · {variant}": times[name, variant].summary() for name, variant in times}


def _agreeing(systems: Sequence[Running]) -> dict[str, float]:
    """Mean share of the anchor's places that a peer gives too: 1 for those that add up the same sum."""
    by_name = {one.name: one for one in systems}
    if ANCHOR not in by_name:
        return {}
    places = tuple(range(20))
    expected = by_name[ANCHOR].ask(action="answers", variant="text", places=places)
    shares = {}
    for one in systems:
        if one.name in (ANCHOR, OURS):
            continue
        got = one.ask(
            action="answers", variant="text", places=places[:5] if one.name == "scikit-learn" else places
        )
        shares[one.name] = statistics.fmean(
            len(set(mine) & set(theirs)) / len(theirs) for mine, theirs in zip(got, expected, strict=False)
        )
    return shares


def _rematches(systems: Sequence[Running], plan: Plan) -> dict[str, dict[str, Any]]:
    """Seconds for all needs at once on 1 and 2 threads, from as many needs as the budget allows."""
    found: dict[str, dict[str, Any]] = {}
    for threads in (1, 2):
        for one in systems:
            one.ask(action="rematch", places=tuple(range(4)), threads=threads)
            _, trial = one.ask(action="rematch", places=tuple(range(20)), threads=threads)
            affordable = int(plan.rematch_budget / max(trial / 20, 1e-6))
            ranked = min(plan.rematch, max(20, affordable))
            if one.name == OURS:
                # So many weighed needs an index remembers.
                ranked = min(ranked, 3000)
            cpu, wall = one.ask(action="rematch", places=tuple(range(ranked)), threads=threads)
            found[f"{one.name} · {threads}"] = {
                "threads": threads,
                "needs": ranked,
                "wall_s": wall * plan.rematch / ranked,
                "cpu_s": cpu * plan.rematch / ranked,
                "extrapolated": ranked < plan.rematch,
            }
    return found


def bandwidth() -> float:
    """GB a second that one thread reads of float32 and int32 side by side, far beyond the caches."""
    from benchmarks.anchor import read_through

    rows, values = np.ones(32 * _MEGABYTE, np.int32), np.ones(32 * _MEGABYTE, np.float32)
    read_through(rows[:10], values[:10])
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        read_through(rows, values)
        best = max(best, (rows.nbytes + values.nbytes) / (time.perf_counter() - began) / 1e9)
    return best


# --- what is printed --------------------------------------------------------------------------------------


def report(record: Mapping[str, Any]) -> None:
    """Print one size."""
    print(f"\n{record['corpus']}, {record['documents']:,} documents, {record['words']:,} words, "
          f"vocabulary {record['vocabulary']:,}, load {record['load']:.1f}")  # fmt: skip
    print(f"{'system':<26}{'text s':>9}{'postings s':>11}{'index MB':>10}{'RSS MB':>9}{'peak MB':>9}")
    for name, facts in record["build"].items():
        memory = record["memory"][name]
        print(f"{name:<26}{facts['text_seconds']:9.1f}{facts['postings_seconds']:11.1f}"
              f"{facts['index_bytes'] / _MEGABYTE:10.0f}{memory['rss_bytes'] / _MEGABYTE:9.0f}"
              f"{facts.get('build_peak_bytes', memory['peak_bytes']) / _MEGABYTE:9.0f}")  # fmt: skip
    for name, reason in record["missing"].items():
        print(f"{name:<26}missing: {reason}")
    single = record["single"]
    peer = single.get(f"{TARGET_PEER} · text", {}).get("p50_cpu_ms")
    anchor = single.get(f"{ANCHOR} · text", {}).get("p50_cpu_ms")
    print(f"\n{'single need, 50 places':<40}{'p50 cpu ms':>11}{'p99':>9}{'p50 wall':>10}{'p99':>9}"
          f"{'× anchor':>10}{'× bm25s':>9}{'needs':>7}")  # fmt: skip
    for name, one in single.items():
        print(f"{name:<40}{one['p50_cpu_ms']:11.3f}{one['p99_cpu_ms']:9.3f}{one['p50_wall_ms']:10.3f}"
              f"{one['p99_wall_ms']:9.3f}{_ratio(one['p50_cpu_ms'], anchor):>10}"
              f"{_ratio(one['p50_cpu_ms'], peer):>9}{one['needs']:7}")  # fmt: skip
    for name, touched in record["touched"].items():
        bound = touched["bytes"] / record["bandwidth_gb_s"] / 1e6
        above = single[f"{name} · text"]["p50_cpu_ms"] / bound
        print(f"{name}: {touched['postings']:,.0f} postings a need in {touched['bytes'] / _MEGABYTE:.2f} MB; "
              f"reading them once at {record['bandwidth_gb_s']:.1f} GB/s takes {bound:.3f} ms, "
              f"so the text takes {above:.1f} × the bound")  # fmt: skip
    for name, share in record["agreeing"].items():
        print(f"{name}: {share:.0%} of the anchor's places")
    _report_rematch(record)


def _report_rematch(record: Mapping[str, Any]) -> None:
    rematch = record["rematch"]
    if not rematch:
        return
    print(f"\n{'rematch':<40}{'wall s':>10}{'cpu s':>9}{'× bm25s wall':>14}{'cpu':>8}")
    for name, one in rematch.items():
        peer = rematch.get(f"{TARGET_PEER} · {one['threads']}", {})
        note = f"   from {one['needs']} needs" if one["extrapolated"] else ""
        wall, cpu = (_ratio(one[key], peer.get(key)) for key in ("wall_s", "cpu_s"))
        print(f"{name:<40}{one['wall_s']:10.2f}{one['cpu_s']:9.2f}{wall:>14}{cpu:>8}{note}")


def report_growth(records: Sequence[Mapping[str, Any]]) -> None:
    """Print how time grows with the postings touched."""
    if len(records) < 2:
        return
    print("\ngrowth: each size against the one before")
    for before, after in itertools.pairwise(records):
        for name, variant in ((OURS, "full"), (OURS, "places"), (ANCHOR, "text"), (TARGET_PEER, "text")):
            key = f"{name} · {variant}"
            if key not in before["single"] or key not in after["single"]:
                continue
            postings = name if name == OURS else ANCHOR
            touched = after["touched"][postings]["postings"] / before["touched"][postings]["postings"]
            spent = after["single"][key]["p50_cpu_ms"] / before["single"][key]["p50_cpu_ms"]
            print(f"{before['documents']:>9,} → {after['documents']:>9,}  {key:<34} postings × {touched:5.1f}"
                  f"   time × {spent:5.1f}")  # fmt: skip


def _ratio(value: float, base: float | None) -> str:
    return f"{value / base:.2f}" if base else "–"


# --- command ----------------------------------------------------------------------------------------------


def run(sizes: Sequence[int], plan: Plan, corpus: Corpus) -> dict[str, Any]:
    """Measure, print and keep; what was kept."""
    records = []
    for count in sizes:
        record = measure(corpus, count, plan)
        report(record)
        records.append(record)
    report_growth(records)
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "processor": _processor(),
        },
        "places": PLACES,
        "sizes": records,
    }
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"speed-{corpus.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1))
    print(f"→ {path}")
    return result


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


SHORT = Plan(needs=60, rounds=3, budget=3.0, rematch=400, rematch_budget=5.0, systems=tuple(SYSTEMS))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", default="", help="sizes, such as 10000,100000,1000000")
    parser.add_argument("--needs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds a round of one system may take")
    parser.add_argument("--rematch", type=int, default=10_000, help="needs of the rematch; 0 for none")
    parser.add_argument("--rematch-budget", type=float, default=60.0)
    parser.add_argument("--corpus", choices=["invented", *REAL], default="invented")
    parser.add_argument("--systems", default="", help="names or their beginnings, with commas; default all")
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    wanted = options.systems.split(",") if options.systems else [""]
    systems = tuple(name for name in SYSTEMS if any(name.startswith(one) for one in wanted))
    if options.short:
        plan = replace(SHORT, systems=systems)
        run([int(one) for one in (options.docs or "10000").split(",")], plan, Corpus(options.corpus))
        return
    plan = Plan(
        options.needs, options.rounds, options.budget, options.rematch, options.rematch_budget, systems
    )
    run([int(one) for one in (options.docs or "10000,100000").split(",")], plan, Corpus(options.corpus))


if __name__ == "__main__":
    main()
