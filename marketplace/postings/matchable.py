"""What is handed over of a posting to be matched: the public version of its text and facts, and nothing else.

A confidential annex, a hidden price, the names of organisations, contact data and the raw source of a
collected posting have no field here, so they can reach neither an index nor a score nor a reason.
Plain Python; the names of the fields are those of the engine's own document, which a test compares.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from marketplace.indicators.model import Indicator

VERIFIED, COLLECTED, UNVERIFIED = "verified", "collected", "unverified"
SME_SIZES = ("medium", "small", "micro")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Whom a seeker admits. Empty means anybody."""

    kinds: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    designations: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    verified_only: bool = False


@dataclass(frozen=True, slots=True)
class Matchable:
    """One version of a challenge, need or capability; unknown facts stay empty."""

    kind: str  # challenge, need or capability
    id: int
    version: int = 1
    title: str = ""
    sections: tuple[tuple[str, str], ...] = ()
    keywords: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    region: str = ""
    industry: str = ""
    trl: int | None = None
    trl_target: int | None = None
    indicators: tuple[Indicator, ...] = ()
    cooperation: tuple[str, ...] = ()
    organisation_id: int | None = None
    organisation_kind: str = ""
    organisation_size: str = ""
    designations: tuple[str, ...] = ()
    standing: str = UNVERIFIED
    active: bool = True
    valid_until: datetime | None = None
    conditions: Conditions = Conditions()


def written(sections: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The sections that say something."""
    return tuple((name, text) for name, text in sections if text.strip())
