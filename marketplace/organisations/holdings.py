"""What features keep for an organisation: shown on its page, moved when it is claimed, ended on objection.

Each feature above registers a keeper for its kind; nothing here knows what a posting is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from marketplace.kernel.actor import Actor

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One posting on the page of its organisation; labels are gettext sources."""

    title: str
    url: str
    status: str
    tone: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """The public postings of one kind of one organisation; the lists are bounded, the counts are whole."""

    kind: str
    label: str
    open: Sequence[Line]
    closed: Sequence[Line]
    open_count: int
    closed_count: int


class Keeper(Protocol):
    @property
    def kind(self) -> str:
        """The posting's kind, as everywhere."""

    @property
    def label(self) -> str:
        """Its name, a gettext source."""

    @property
    def order(self) -> int:
        """Where it stands on the page."""

    @property
    def entry_endpoint(self) -> str:
        """The route of the form on which an operator enters one for a firm; "" where there is none."""

    def shelf(self, organisation_id: int, *, now: datetime) -> Shelf:
        """What of this kind the organisation has made public."""

    def count_collected(self, organisation_id: int) -> int:
        """How many came in by import under this organisation's name."""

    def move_collected(self, source_id: int, target_id: int) -> list[str]:
        """Hand what was collected under one organisation to another; the public numbers moved."""

    def line(self, subject_id: int) -> Line | None:
        """One posting, whatever its status, for those whose it is."""

    def end(self, subject_id: int, *, reason: str, by: Actor, now: datetime) -> None:
        """Take what was published off again, on the word of its owner; what is not public stays."""


_keepers: dict[str, Keeper] = {}


def register(keeper: Keeper) -> None:
    _keepers[keeper.kind] = keeper


def keepers() -> list[Keeper]:
    return sorted(_keepers.values(), key=lambda keeper: keeper.order)


def keeper_of(kind: str) -> Keeper | None:
    return _keepers.get(kind)


def shelves(organisation_id: int, *, now: datetime) -> list[Shelf]:
    """Everything that an organisation has made public, kind by kind."""
    return [keeper.shelf(organisation_id, now=now) for keeper in keepers()]


def count_collected(organisation_id: int) -> int:
    return sum(keeper.count_collected(organisation_id) for keeper in keepers())
