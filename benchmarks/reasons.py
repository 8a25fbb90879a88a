"""What an explanation costs: milliseconds for each shortlisted item, all sums checked to the millionth.

    python -m benchmarks.reasons [--docs 20000] [--needs 40]

Over invented postings, which carry indicators, regions and TRLs, and over the real entries of
MARKETPLACE_REAL_DATA where there are some. `first` is a process that has seen none of the texts, `again` one
that has. Recorded, not judged. Not here: the time of ranking (`speed`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.corpora import Corpus
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.ranking import Match, Ranker
from marketplace.matching.engine.reasons import Reasons, explain_all
from marketplace.matching.engine.weights import MICRO

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--docs", type=int, default=20_000)
    parser.add_argument("--needs", type=int, default=40)
    asked = parser.parse_args()
    invented = Corpus("invented")
    measure("invented", list(invented.capabilities(asked.docs)), list(invented.needs(asked.needs)))
    real = Path(os.environ.get("MARKETPLACE_REAL_DATA", "")) / "real_entries.jsonl"
    if os.environ.get("MARKETPLACE_REAL_DATA") and real.is_file():
        measure("real", *read_real(real))


def measure(name: str, capabilities: Sequence[Matchable], seekers: Sequence[Matchable]) -> None:
    """Explain the shortlists of all seekers twice and print the median cost of an item."""
    ranker = Ranker().fit(capabilities)
    lists = [ranker.rank(seeker, now=NOW).matches for seeker in seekers]
    costs: list[list[float]] = []
    for _ in range(2):
        costs.append([])
        for matches in lists:
            if matches:
                began = time.process_time()
                reasons = explain_all(matches, ranker.index_)
                costs[-1].append((time.process_time() - began) * 1000 / len(matches))
                check(matches, reasons)
    items = sum(map(len, lists))
    first, again = (f"{statistics.median(one):.2f} (worst list {max(one):.2f})" for one in costs)
    print(
        f"{name}: {len(capabilities)} capabilities, {len(costs[0])} lists, {items} items;"
        f" ms an item, median: first {first}, again {again}; sums exact"
    )


def check(matches: Sequence[Match], reasons: Sequence[Reasons]) -> None:
    """Raise AssertionError unless everything adds up to the millionth."""
    for match, one in zip(matches, reasons, strict=True):
        terms = sum(term.points for term in one.terms) + one.other_terms.points
        if terms != match.part("text").points:
            raise AssertionError(f"terms of {match.capability.id}")
        if sum(loss.points for loss in one.losses) != 100 * MICRO - match.score:
            raise AssertionError(f"losses of {match.capability.id}")
        if one.indicators:
            earned = sum(line.points for line in one.indicators)
            if earned != match.part("indicators").points:
                raise AssertionError(f"indicators of {match.capability.id}")


def read_real(path: Path) -> tuple[list[Matchable], list[Matchable]]:
    """Capabilities, and challenges and needs, of the real entries by title and text."""
    capabilities: list[Matchable] = []
    seekers: list[Matchable] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        entry = json.loads(line)
        kind = {"capability": Kind.CAPABILITY, "challenge": Kind.CHALLENGE}.get(entry["kind"], Kind.NEED)
        document = Matchable(
            kind,
            number,
            title=entry["title"],
            sections=(("summary", entry["text"] or ""),),
            standing=Standing.COLLECTED,
        )
        (seekers if kind.seeks else capabilities).append(document)
    return capabilities, seekers


if __name__ == "__main__":
    main()
