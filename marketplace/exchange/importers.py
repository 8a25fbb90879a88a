"""How a kind of posting takes entries in. The features register themselves; exchange knows none of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from marketplace.exchange.entries import CollectedEntry, EntryKind


class Importer(Protocol):
    def existing(self, source_ids: Sequence[str]) -> set[str]:
        """Those of `source_ids` that stand in the database already."""

    def create(
        self,
        entries: Sequence[CollectedEntry],
        *,
        organisations: Mapping[str, int],
        withheld: Mapping[str, list[str]],
        now: datetime,
    ) -> int:
        """Create collected postings inside the current transaction; returns how many."""


_importers: dict[EntryKind, Importer] = {}


def register(kind: EntryKind, importer: Importer) -> None:
    _importers[kind] = importer


def importer_for(kind: EntryKind) -> Importer:
    return _importers[kind]
