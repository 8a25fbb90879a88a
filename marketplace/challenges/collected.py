"""Challenges that come in by import (收录): shown with their source, ranked, never open to be taken up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.exchange.entries import CollectedEntry
from marketplace.kernel.db import db
from marketplace.kernel.numbering import next_numbers
from marketplace.postings.collected import collected_columns


class ChallengeImporter:
    def existing(self, source_ids: Sequence[str]) -> set[str]:
        return set(db.session.scalars(select(Challenge.source_id).where(Challenge.source_id.in_(source_ids))))

    def create(
        self,
        entries: Sequence[CollectedEntry],
        *,
        organisations: Mapping[str, int],
        withheld: Mapping[str, list[str]],
        now: datetime,
    ) -> int:
        numbers = next_numbers("JB", len(entries), now=now)
        db.session.add_all(
            Challenge(
                **collected_columns(entry, organisations, withheld, now=now),
                public_no=number,
                status=ChallengeStatus.COLLECTED,
                problem="" if entry.title_only else entry.text,
                trl_current=entry.trl,
            )
            for number, entry in zip(numbers, entries, strict=True)
        )
        db.session.flush()
        return len(entries)
