"""An import is one act: one transaction, one audit row with the file's hash, one piece of ranking work."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.audit.services import EVERYTHING, record
from marketplace.exchange.entries import CollectedEntry, EntryKind
from marketplace.exchange.importers import importer_for
from marketplace.exchange.models import ImportBatch
from marketplace.exchange.readers import LineError, Reading
from marketplace.exchange.withholding import withheld_stretches
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden
from marketplace.kernel.outbox import defer
from marketplace.organisations.services import create_unclaimed

# No more in one statement than either database takes as parameters.
MOST_IDS_ASKED = 10_000


@dataclass(frozen=True, slots=True)
class ImportSummary:
    counts: dict[str, int]
    title_only: int
    organisations: int
    already_imported: bool = False

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


def find_conflicts(reading: Reading) -> list[LineError]:
    """Entries whose id stands in the database already, by their line in the file."""
    taken: set[str] = set()
    for kind in EntryKind:
        ids = [e.id for e in reading.entries if e.kind is kind]
        for start in range(0, len(ids), MOST_IDS_ASKED):
            taken |= importer_for(kind).existing(ids[start : start + MOST_IDS_ASKED])
    return [
        LineError(reading.lines[entry.id], "id", f"编号 {entry.id} 已收录")
        for entry in reading.entries
        if entry.id in taken
    ]


def find_batch(sha256: str) -> ImportBatch | None:
    return db.session.scalar(select(ImportBatch).where(ImportBatch.sha256 == sha256))


def summarise(entries: list[CollectedEntry]) -> ImportSummary:
    counts = Counter(e.kind.value for e in entries)
    return ImportSummary(
        counts=dict(sorted(counts.items())),
        title_only=sum(e.title_only for e in entries),
        organisations=len({e.seeker_name for e in entries}),
    )


def import_collected(reading: Reading, *, by: Actor, now: datetime) -> ImportSummary:
    """Take a faultless reading in, all or nothing. The same file a second time changes nothing."""
    if not (by.is_operator or by.is_system):
        raise Forbidden("exchange.import")
    if reading.errors:
        raise ValueError("a reading with errors is not imported")
    summary = summarise(reading.entries)
    if find_batch(reading.sha256) is not None:
        return ImportSummary(summary.counts, summary.title_only, summary.organisations, already_imported=True)
    organisations = {
        name: create_unclaimed(name, by=by, now=now).id
        for name in sorted({entry.seeker_name for entry in reading.entries})
    }
    withheld = withheld_stretches(reading.entries)
    for kind in EntryKind:
        entries = [e for e in reading.entries if e.kind is kind]
        if entries:
            importer_for(kind).create(entries, organisations=organisations, withheld=withheld, now=now)
    batch = ImportBatch(
        file_name=reading.file_name,
        sha256=reading.sha256,
        rows=summary.rows,
        counts=summary.counts,
        imported_at=now,
    )
    db.session.add(batch)
    db.session.flush()
    record(
        "exchange.import",
        "import_batch",
        batch.id,
        by=by,
        at=now,
        label=reading.file_name,
        detail={"sha256": reading.sha256, "counts": summary.counts, "title_only": summary.title_only},
        covers=EVERYTHING,
    )
    defer("matching.rank_import", subject_id=batch.id, bulk=True)
    return summary
