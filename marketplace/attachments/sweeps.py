"""What the supervisor takes away now and then: files without a row, rows whose owner is no more."""

import logging
import time
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import select

from marketplace.attachments import owners, queries, services, store
from marketplace.attachments.models import Attachment
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction

log = logging.getLogger(__name__)

# Longer than any request between writing a file and committing its row.
GRACE = timedelta(hours=1)
EVERY_SECONDS = 600.0
BATCH = 500

_swept_at: list[float] = []


def sweep() -> None:
    """Called every half minute; walks the folder every ten."""
    started = time.monotonic()
    if _swept_at and started - _swept_at[0] < EVERY_SECONDS:
        return
    _swept_at[:] = [started]
    now = clock.now()
    rows, files = sweep_rows(now=now), sweep_files(now=now)
    if rows or files:
        log.info("swept %s files without a row and %s rows without an owner", files, rows)


def sweep_files(*, now: datetime) -> int:
    """Delete what no row names and what was never finished, once it is older than the grace."""
    removed = 0
    old = store.list_older_than(now - GRACE)
    while batch := list(islice(old, BATCH)):
        known = queries.known_keys(path.name for path in batch)
        removed += sum(_delete(path) for path in batch if path.name not in known)
    return removed


def _delete(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True


def sweep_rows(*, now: datetime) -> int:
    """Take away the rows of owners that are no more; their files follow with the next round."""
    removed = 0
    for kind, rule in owners.registered().items():
        named = set(
            db.session.scalars(
                select(Attachment.owner_id)
                .where(Attachment.owner_kind == kind, Attachment.uploaded_at < now - GRACE)
                .distinct()
            )
        )
        gone = named - rule.existing(named) if named else set()
        if not gone:
            continue
        with transaction():
            # Asked again inside: what was gone a moment ago stays gone, ids are not used twice.
            lost = list(
                db.session.scalars(
                    select(Attachment).where(
                        Attachment.owner_kind == kind, Attachment.owner_id.in_(sorted(gone)[:BATCH])
                    )
                )
            )
            services.remove_lost(lost, now=now)
        removed += len(lost)
    return removed
