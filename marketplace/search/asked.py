"""What a search was asked for: made from an address and written back to one without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from marketplace.kernel.money import FEN_PER_WAN
from marketplace.kernel.pagination import page_number

FILTERS = ("standing", "region", "cluster", "trl", "money", "since", "org")
SORTS = ("", "new", "closing", "money")
STANDINGS = ("open", "closed", "verified", "collected", "withdrawn")
# Upper ends of the money bands in 万元; a band is named by both of its ends.
_STEPS = (0, 50, 100, 500, 1000, None)
MONEY = {f"{low}-{'' if high is None else high}": (low, high) for low, high in pairwise(_STEPS)}
TRLS = {"1-3": (1, 3), "4-6": (4, 6), "7-9": (7, 9)}
DAYS = {"7": 7, "30": 30, "365": 365}
_LONGEST_VALUE = 40


@dataclass(frozen=True, slots=True)
class Asked:
    q: str = ""
    scope: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    sort: str = ""
    page: int = 1

    @classmethod
    def from_args(cls, args: Mapping[str, str], scopes: Mapping[str, str]) -> Asked:
        """Read the query part of an address; what is not known there is left aside."""
        scope = args.get("scope", "")
        sort = args.get("sort", "")
        return cls(
            q=args.get("q", "").strip(),
            scope=scope if scope in scopes else "",
            chosen=tuple((name, args[name][:_LONGEST_VALUE]) for name in FILTERS if args.get(name)),
            sort=sort if sort in SORTS else "",
            page=page_number(args.get("page")),
        )

    def value(self, name: str) -> str:
        return dict(self.chosen).get(name, "")

    def args(self) -> dict[str, str]:
        """What is asked, without order and page: the same question has the same."""
        named = {"q": self.q, "scope": self.scope, **dict(self.chosen)}
        return {name: value for name, value in named.items() if value}


def money_bounds(band: str) -> tuple[int, int | None] | None:
    """(from, below) in 分."""
    if band not in MONEY:
        return None
    low, high = MONEY[band]
    return (low or 0) * FEN_PER_WAN, None if high is None else high * FEN_PER_WAN


def since(days: str, *, now: datetime) -> datetime | None:
    return now - timedelta(days=DAYS[days]) if days in DAYS else None
