"""What the supervisor asks every half minute: has an approach run out, lost its ground, or to be recalled?

Each is settled in a short transaction of its own, judged again inside it, so that an answer that comes in
the same moment wins or loses as a whole. Not here: what settling means (`services`).
"""

from collections.abc import Callable
from datetime import datetime

from marketplace.engagement import queries, services
from marketplace.engagement.lifecycle import ApproachStatus
from marketplace.engagement.models import Approach
from marketplace.kernel import clock
from marketplace.kernel.db import transaction

Settle = Callable[[Approach, datetime], None]


def sweep() -> None:
    now = clock.now()
    # The clock first, as everybody is told it: what ran out has expired, whatever ended in the same moment.
    _settle_each(queries.list_due(now=now), _expire)
    _settle_each(queries.list_orphans(now=now), _end)
    _settle_each(queries.list_to_remind(now=now), _remind)


def _settle_each(ids: list[int], settle: Settle) -> None:
    for approach_id in ids:
        with transaction():
            approach = queries.find_for_change(approach_id)
            if approach is not None and approach.status is ApproachStatus.SENT:
                settle(approach, clock.now())


def _end(approach: Approach, now: datetime) -> None:
    services.end(approach, now=now)


def _expire(approach: Approach, now: datetime) -> None:
    services.expire(approach, now=now)


def _remind(approach: Approach, now: datetime) -> None:
    services.remind(approach, now=now)
