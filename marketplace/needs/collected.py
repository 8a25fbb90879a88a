"""Needs that come in by import (收录), in one list per organisation."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select

from marketplace.exchange.entries import CollectedEntry
from marketplace.kernel.db import db
from marketplace.kernel.numbering import next_number, next_numbers
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need, NeedList
from marketplace.postings.collected import collected_columns
from marketplace.postings.rules import FINEST, LARGEST


class NeedImporter:
    def existing(self, source_ids: Sequence[str]) -> set[str]:
        return set(db.session.scalars(select(Need.source_id).where(Need.source_id.in_(source_ids))))

    def create(
        self,
        entries: Sequence[CollectedEntry],
        *,
        organisations: Mapping[str, int],
        withheld: Mapping[str, list[str]],
        now: datetime,
    ) -> int:
        lists: dict[int, NeedList] = {}
        for entry in entries:
            organisation_id = organisations[entry.seeker_name]
            if organisation_id not in lists:
                lists[organisation_id] = NeedList(
                    public_no=next_number("QD", now=now),
                    organisation_id=organisation_id,
                    title=(entry.source_title or entry.seeker_name)[:200],
                    created_at=now,
                )
        db.session.add_all(lists.values())
        db.session.flush()
        numbers = next_numbers("XQ", len(entries), now=now, width=5)
        db.session.add_all(
            Need(
                **collected_columns(entry, organisations, withheld, now=now),
                public_no=number,
                need_list_id=lists[organisations[entry.seeker_name]].id,
                status=NeedStatus.COLLECTED,
                specification="" if entry.title_only else entry.text,
                quantity=_quantity(entry.extra.get("qty")),
                unit=_unit(entry.extra.get("unit")),
            )
            for number, entry in zip(numbers, entries, strict=True)
        )
        db.session.flush()
        return len(entries)


def _quantity(value: Any) -> Decimal | None:
    try:
        quantity = Decimal(str(value))
    except InvalidOperation:
        return None
    # What the column cannot hold exactly stays unstated; the source's own words are kept with the posting.
    holds = quantity.is_finite() and quantity > 0 and quantity.adjusted() < LARGEST
    return quantity if holds and quantity == round(quantity, FINEST) else None


def _unit(value: Any) -> str:
    return value.strip()[:20] if isinstance(value, str) else ""
