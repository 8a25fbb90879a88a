"""What must hold of the data at any moment, whatever was killed meanwhile. Each feature registers its checks;
`flask invariants` runs them all. A check only reads, and says of each violation what and where.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

# A check may find as many violations as there are rows; nobody reads more than this.
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Invariant:
    """`violations(now)` yields one sentence for each place where it does not hold."""

    name: str
    holds: str
    violations: Callable[[datetime], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    name: str
    holds: str
    violations: tuple[str, ...]


_invariants: dict[str, Invariant] = {}


def register(invariant: Invariant) -> None:
    _invariants[invariant.name] = invariant


def registered() -> list[Invariant]:
    return [_invariants[name] for name in sorted(_invariants)]


def judge(*, now: datetime) -> list[Verdict]:
    """Run every check; each verdict shows at most the first fifty violations."""
    verdicts = []
    for invariant in registered():
        found = []
        for violation in invariant.violations(now):
            found.append(violation)
            if len(found) >= MOST_SHOWN:
                break
        verdicts.append(Verdict(invariant.name, invariant.holds, tuple(found)))
    return verdicts
