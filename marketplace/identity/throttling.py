"""Counting attempts per account and per address, in the database, so that all processes count together.

An attempt is counted and committed before it is made: many at once cannot all slip through.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, select

from marketplace.identity.models import AttemptWindow
from marketplace.kernel import clock
from marketplace.kernel.db import db, insert_into, transaction
from marketplace.kernel.errors import DomainError


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    attempts: int
    window: timedelta


SIGN_IN_ACCOUNT = Limit("sign_in_account", 10, timedelta(minutes=15))
SIGN_IN_ADDRESS = Limit("sign_in_address", 60, timedelta(minutes=15))
LETTER_ACCOUNT = Limit("letter_account", 3, timedelta(hours=1))
LETTER_ADDRESS = Limit("letter_address", 30, timedelta(hours=1))
SECOND_STEP_ACCOUNT = Limit("second_step_account", 5, timedelta(minutes=15))
PROOF_ACCOUNT = Limit("proof_account", 10, timedelta(minutes=15))
TOKEN_ADDRESS = Limit("token_address", 60, timedelta(minutes=15))
INVITER = Limit("inviter", 60, timedelta(hours=1))
# Asking others for a decision: each time they get a letter, and asking may be taken back at once.
ASKER = Limit("asker", 20, timedelta(hours=1))
LONGEST_WINDOW = timedelta(hours=1)
MOST_PRUNED = 200


class TooManyAttempts(DomainError):
    """Enough for now; `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


def _key(limit: Limit, subject: str) -> str:
    # A digest: the table is no list of who has tried to sign in from where.
    return f"{limit.name}:{hashlib.sha256(subject.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def throttle(attempts: list[tuple[Limit, str]]) -> None:
    """Count an attempt before it is made, and refuse it where there were too many. Commits by itself."""
    now = clock.now()
    with transaction():
        count_attempts(attempts, now=now)
    refuse_excess(attempts, now=now)


def count_attempts(attempts: list[tuple[Limit, str]], *, now: datetime) -> None:
    """Count one attempt for each (limit, subject), inside `transaction()`.

    Commit whatever comes of it; then ask `refuse_excess`.
    """
    # In one order, so that two requests never wait for each other.
    for limit, subject in sorted(attempts, key=lambda attempt: _key(*attempt)):
        over = AttemptWindow.started_at <= now - limit.window
        statement: Any = insert_into(AttemptWindow).values(key=_key(limit, subject), started_at=now, count=1)
        db.session.execute(
            statement.on_conflict_do_update(
                index_elements=[AttemptWindow.key],
                set_={
                    "count": case((over, 1), else_=AttemptWindow.count + 1),
                    "started_at": case((over, now), else_=AttemptWindow.started_at),
                },
            )
        )
    _prune(now)


def _prune(now: datetime) -> None:
    """Forget what no limit asks about any more.

    The transaction holds rows of its own by now: it steps over what others hold instead of waiting for it.
    """
    old = (
        select(AttemptWindow.key)
        .where(AttemptWindow.started_at <= now - LONGEST_WINDOW)
        .limit(MOST_PRUNED)
        .with_for_update(skip_locked=True)
    )
    db.session.execute(
        delete(AttemptWindow).where(AttemptWindow.key.in_(old)).execution_options(synchronize_session=False)
    )


def refuse_excess(attempts: list[tuple[Limit, str]], *, now: datetime) -> None:
    """Raises TooManyAttempts where more were counted than a limit allows."""
    waits = []
    for limit, subject in attempts:
        window = db.session.get(AttemptWindow, _key(limit, subject))
        if window is not None and window.count > limit.attempts:
            waits.append((window.started_at + limit.window - now).total_seconds())
    if waits:
        raise TooManyAttempts(max(1, round(max(waits))))


def forgive(attempts: list[tuple[Limit, str]]) -> None:
    """Forget what was counted for an attempt that turned out to be rightful."""
    keys = [_key(limit, subject) for limit, subject in attempts]
    db.session.execute(
        delete(AttemptWindow).where(AttemptWindow.key.in_(keys)).execution_options(synchronize_session=False)
    )
