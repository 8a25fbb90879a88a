"""How long the assembly of a consortium takes, over generated challenges of several shapes.

    python -m benchmarks.assembly [--items 12] [--candidates 200] [--instances 40]

A time is that of the whole answer: the best consortium, the next best two and the rules that bind. It is
recorded and not judged; processor time stands beside it, for a machine that has other work too. The shapes
go from what a shortlist looks like to what is hardest for the solver.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from marketplace.matching.engine.assembly import assemble
from marketplace.matching.engine.consortia import Candidate, Evidence, Grade, Item, Requirement, Rules

Case = tuple[list[Item], list[Candidate], list[Evidence], Rules]

POINT = 1_000_000
KINDS = ("enterprise", "enterprise", "enterprise", "university", "institute", "service")
RESEARCH = Requirement("research", frozenset({"university", "institute"}))


def shortlist(chance: random.Random, items: int, candidates: int) -> Case:
    """A list as it is met: the better its place, the more a candidate covers; much is only spoken of."""
    listed = [
        Candidate(n, int((70 - 60 * n / candidates + chance.random()) * POINT), _traits(chance))
        for n in range(candidates)
    ]
    evidence = [
        Evidence(f"i{row}", one.id, chance.choice((Grade.TEXT, Grade.TEXT, Grade.PARTIAL, Grade.MET)))
        for row in range(items)
        for one in listed
        if chance.random() < 0.05 + 0.25 * one.score / (70 * POINT)
    ]
    return _items(chance, items), listed, evidence, Rules(4, required=(RESEARCH,))


def equals(chance: random.Random, items: int, candidates: int) -> Case:
    """Everybody meets three items and has the same points: nothing but the ids tells many sets apart."""
    listed = [Candidate(n, 50 * POINT, _traits(chance)) for n in range(candidates)]
    evidence = [
        Evidence(f"i{row}", one.id, Grade.MET) for one in listed for row in chance.sample(range(items), 3)
    ]
    return [Item(f"i{row}", 5) for row in range(items)], listed, evidence, Rules(3)


def scarce(chance: random.Random, items: int, candidates: int) -> Case:
    """Every candidate meets two items, all are ★, and there are too few seats to cover them."""
    listed = [Candidate(n, chance.randrange(20, 60) * POINT, _traits(chance)) for n in range(candidates)]
    evidence = [
        Evidence(f"i{row}", one.id, Grade.MET) for one in listed for row in chance.sample(range(items), 2)
    ]
    return [Item(f"i{row}", 5, must=True) for row in range(items)], listed, evidence, Rules(3)


def entangled(chance: random.Random, items: int, candidates: int) -> Case:
    """Many parties of related candidates, kinds required, some pinned, all grades, odd weights."""
    listed = [
        Candidate(
            n,
            chance.randrange(100 * POINT),
            _traits(chance),
            frozenset({f"party{chance.randrange(candidates // 4)}"}),
        )
        for n in range(candidates)
    ]
    evidence = [
        Evidence(f"i{row}", one.id, chance.choice((Grade.TEXT, Grade.PARTIAL, Grade.MET)))
        for row in range(items)
        for one in listed
        if chance.random() < 0.2
    ]
    required = (RESEARCH, Requirement("service", frozenset({"service"})))
    pinned = frozenset({chance.randrange(candidates)})
    return _items(chance, items), listed, evidence, Rules(5, (frozenset({"small"}),), required, pinned)


def wide(chance: random.Random, items: int, candidates: int) -> Case:
    """Evidence everywhere: each candidate has something on half of the items, and nine partners may join."""
    listed = [Candidate(n, chance.randrange(100 * POINT), _traits(chance)) for n in range(candidates)]
    evidence = [
        Evidence(f"i{row}", one.id, chance.choice((Grade.TEXT, Grade.TEXT, Grade.PARTIAL)))
        for row in range(items)
        for one in listed
        if chance.random() < 0.5
    ]
    return _items(chance, items), listed, evidence, Rules(9)


SHAPES: Mapping[str, Callable[[random.Random, int, int], Case]] = {
    one.__name__: one for one in (shortlist, equals, scarce, entangled, wide)
}


def _items(chance: random.Random, count: int) -> list[Item]:
    return [Item(f"i{row}", chance.randint(1, 20), must=row % 3 == 0) for row in range(count)]


def _traits(chance: random.Random) -> frozenset[str]:
    return frozenset({chance.choice(KINDS), chance.choice(("small", "medium", "large"))})


def measure(items: int, candidates: int, instances: int) -> dict[str, Any]:
    """Median and greatest milliseconds by shape, of clock and processor, and what became of each search."""
    assemble(*equals(random.Random(0), 3, 6))  # the solver is loaded at first use
    results: dict[str, Any] = {}
    print(f"{items} items × {candidates} candidates, {instances} instances a shape; ms")
    print(f"{'shape':<12}{'median':>8}{'max':>8}{'cpu median':>12}{'cpu max':>9}  status")
    for name, shape in SHAPES.items():
        times, spent, ends = [], [], Counter[str]()
        for seed in range(instances):
            case = shape(random.Random(seed), items, candidates)
            began, worked = time.perf_counter(), time.process_time()
            found = assemble(*case, seconds=60)
            times.append((time.perf_counter() - began) * 1000)
            spent.append((time.process_time() - worked) * 1000)
            ends[found.status.value] += 1
        row = {
            "median_ms": round(statistics.median(times)),
            "max_ms": round(max(times)),
            "cpu_median_ms": round(statistics.median(spent)),
            "cpu_max_ms": round(max(spent)),
        }
        results[name] = {**row, "status": dict(ends)}
        figures = f"{row['median_ms']:8}{row['max_ms']:8}{row['cpu_median_ms']:12}{row['cpu_max_ms']:9}"
        print(f"{name:<12}{figures}  {dict(ends)}", flush=True)
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=12)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--instances", type=int, default=40)
    options = parser.parse_args()
    measure(options.items, options.candidates, options.instances)


if __name__ == "__main__":
    main()
