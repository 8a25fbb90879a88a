"""The columns that every collected posting (收录) fills in the same way."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.exchange.entries import CollectedEntry


def collected_columns(
    entry: CollectedEntry,
    organisations: Mapping[str, int],
    withheld: Mapping[str, list[str]],
    *,
    now: datetime,
) -> dict[str, Any]:
    """`withheld` and the source stay with the posting; `source_extra` is kept and never matched."""
    return {
        "title": entry.title,
        "keywords": entry.keywords,
        "organisation_id": organisations[entry.seeker_name],
        "source_id": entry.id,
        "source_title": entry.source_title,
        "source_url": entry.source_url,
        "source_extra": dict(entry.extra),
        "title_only": entry.title_only,
        "withheld": withheld.get(entry.id, []),
        "created_at": now,
        "updated_at": now,
        "published_at": now,
    }
