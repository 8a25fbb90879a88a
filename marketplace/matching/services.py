"""What people do about ranking: giving dead work another chance. The ranking itself is in `runs`."""

from collections.abc import Collection
from datetime import datetime

from marketplace.audit.services import record
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Forbidden
from marketplace.kernel.outbox import retry_dead


def retry_dead_work(ids: Collection[int], *, by: Actor, now: datetime) -> int:
    """Have dead work tried again; how much of it there was."""
    if not (by.is_operator or by.is_maintainer):
        raise Forbidden("match.retry")
    count = retry_dead(ids, now=now)
    if count:
        record("match.retry", "outbox", None, by=by, at=now, detail={"ids": sorted(ids), "count": count})
    return count
