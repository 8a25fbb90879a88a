"""Capabilities that come in by import (收录): shown with their source and ranked."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from marketplace.capabilities.kinds import CapabilityKind, Maturity
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.exchange.entries import CollectedEntry
from marketplace.kernel.db import db
from marketplace.kernel.numbering import next_numbers
from marketplace.postings.collected import collected_columns

# The words that real lists use, in both scripts; what is not among them stays unstated.
MATURITIES = {
    "概念": Maturity.CONCEPT,
    "實驗室階段": Maturity.LAB,
    "实验室阶段": Maturity.LAB,
    "雛型": Maturity.PROTOTYPE,
    "雏型": Maturity.PROTOTYPE,
    "試量產": Maturity.PILOT,
    "试量产": Maturity.PILOT,
    "量產/上市": Maturity.MASS,
    "量產": Maturity.MASS,
    "量产": Maturity.MASS,
    "量產上市": Maturity.MASS,
}


class CapabilityImporter:
    def existing(self, source_ids: Sequence[str]) -> set[str]:
        return set(
            db.session.scalars(select(Capability.source_id).where(Capability.source_id.in_(source_ids)))
        )

    def create(
        self,
        entries: Sequence[CollectedEntry],
        *,
        organisations: Mapping[str, int],
        withheld: Mapping[str, list[str]],
        now: datetime,
    ) -> int:
        numbers = next_numbers("NL", len(entries), now=now, width=5)
        db.session.add_all(
            Capability(
                **collected_columns(entry, organisations, withheld, now=now),
                public_no=number,
                status=CapabilityStatus.COLLECTED,
                kind=CapabilityKind.RESULT,
                summary="" if entry.title_only else entry.text,
                trl=entry.trl,
                maturity=MATURITIES.get(str(entry.extra.get("maturity", "")).strip()),
            )
            for number, entry in zip(numbers, entries, strict=True)
        )
        db.session.flush()
        return len(entries)
