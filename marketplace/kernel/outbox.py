"""Work asked for inside a transaction and done outside of it.

`defer()` writes a row in the transaction of the act that needs the work; the workers' supervisor claims
due rows and offers them to the queue; a job does its effect and `lease.finish()` in one transaction. The
queue may lose, repeat or reorder what it likes: a row counts as done only here, and a job whose token is
no longer the row's cannot finish it. Nothing here knows the queue, nor what the kinds mean.
"""

import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    CheckConstraint,
    CursorResult,
    Index,
    String,
    Text,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from marketplace.kernel import clock
from marketplace.kernel.db import Base, Id, Identified, Json, UTCDateTime, db, in_transaction, transaction

log = logging.getLogger(__name__)

BATCH_SIZE = 50
MAX_ATTEMPTS = 8
# How long an offered batch may wait in the queue, and a running one without finishing or renewing.
LEASE = timedelta(seconds=30)
# A token names the offer; once begun it carries who does it as well, "token@holder", in 32 characters.
TOKEN_BYTES = 6
LONGEST_HOLDER = 19
# Seconds until the next try after the first, second, … failure; the last one repeats.
BACKOFF = (1, 2, 5, 10, 30)
# Work due for longer than this is a fault, unless it is dead or a bulk that is running.
OVERDUE_AFTER = timedelta(seconds=180)


class LeaseLost(RuntimeError):
    """Somebody else has the work by now: whatever was computed for it must not be written."""


class OutboxRow(Identified, Base):
    """One piece of work. Open until `done_at` or `dead_at`; not claimable before `leased_until`."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("done_at IS NULL OR dead_at IS NULL", name="done_or_dead"),
        CheckConstraint("lease_token IS NULL OR leased_until IS NOT NULL", name="a_lease_ends"),
        CheckConstraint("attempts >= 0", name="attempts_are_counted"),
        Index(
            "ix_outbox_open",
            "due_at",
            "id",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
            sqlite_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_outbox_subject", "kind", "subject_id"),
        Index("ix_outbox_token", "lease_token"),
        Index("ix_outbox_done", "done_at"),
    )

    kind: Mapped[str] = mapped_column(String(80))
    subject_id: Mapped[int | None] = mapped_column(Id)
    version: Mapped[int | None]
    payload: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    bulk: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Work:
    """What a job needs to know of one row."""

    id: int
    subject_id: int | None
    version: int | None
    payload: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one kind claimed under one token: all that goes through the queue."""

    kind: str
    ids: tuple[int, ...]
    token: str


@dataclass(frozen=True, slots=True)
class QueueState:
    open: int
    running: int
    dead: int
    oldest_due_at: datetime | None


def defer(
    kind: str,
    *,
    subject_id: int | None = None,
    version: int | None = None,
    payload: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
    bulk: bool = False,
) -> None:
    """Ask for work to be done once the current transaction is committed, and never if it is not.

    `bulk` marks one row that stands for a long run; it is claimed alone and may be running for as long as
    its job keeps renewing the lease.
    """
    if not in_transaction():
        raise RuntimeError("work is deferred inside transaction() only")
    now = clock.now()
    db.session.add(
        OutboxRow(
            kind=kind,
            subject_id=subject_id,
            version=version,
            payload=dict(payload or {}),
            due_at=due_at or now,
            created_at=now,
            bulk=bulk,
        )
    )


def settle(kinds: Collection[str], *, asked_before: datetime) -> int:
    """Inside `transaction()`: work of these kinds that nobody holds was done by other means; how many."""
    now = clock.now()
    return _update(
        OutboxRow.kind.in_(kinds),
        OutboxRow.created_at <= asked_before,
        or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until <= now),
        _open(),
        done_at=now,
        lease_token=None,
        last_error=None,
    )


# --- the supervisor's side ----------------------------------------------------------------------------


def claim(*, max_batches: int, max_bulk: int = 1, now: datetime | None = None) -> list[Batch]:
    """Lease due work to offer it: rows of one kind together, bulk rows and rows that failed before alone.

    A row that failed goes alone so that one that always fails does not take others down with it. No more
    than `max_bulk` bulks are out at once, so that long runs do not take every worker. Safe to run in
    several processes: the UPDATE takes only rows that are still free.
    """
    if max_batches <= 0:
        return []
    now = now or clock.now()
    bulks = _out(now, OutboxRow.bulk.is_(True))
    candidates = db.session.execute(
        select(OutboxRow.id, OutboxRow.kind, OutboxRow.bulk, OutboxRow.attempts)
        .where(_claimable(now))
        .order_by(OutboxRow.due_at, OutboxRow.id)
        .limit(max_batches * BATCH_SIZE)
    ).all()
    groups: dict[tuple[str, int], list[int]] = {}
    for row_id, kind, bulk, attempts in candidates:
        if bulk and bulks >= max_bulk:
            continue
        alone = bulk or attempts > 0
        key = (kind, row_id if alone else 0)
        if len(groups.get(key, ())) < BATCH_SIZE and (key in groups or len(groups) < max_batches):
            groups.setdefault(key, []).append(row_id)
            bulks += bulk
    if not groups:
        return []
    batches = []
    with transaction():
        for (kind, _), ids in groups.items():
            token = secrets.token_hex(TOKEN_BYTES)
            _update(OutboxRow.id.in_(ids), _claimable(now), lease_token=token, leased_until=now + LEASE)
            taken = db.session.scalars(
                select(OutboxRow.id).where(OutboxRow.lease_token == token).order_by(OutboxRow.id)
            ).all()
            if taken:
                batches.append(Batch(kind, tuple(taken), token))
    return batches


def release(batch: Batch) -> None:
    """Take back an offer that the queue did not accept; should it have it all the same, its token is void."""
    with transaction():
        _update(OutboxRow.lease_token == batch.token, _open(), lease_token=None, leased_until=None)


def release_offers() -> int:
    """Take back every offer that nobody has begun: the queue that held them was emptied."""
    waiting = (OutboxRow.lease_token.is_not(None), OutboxRow.lease_token.not_like("%@%"), _open())
    if db.session.scalar(select(OutboxRow.id).where(*waiting).limit(1)) is None:
        return 0
    with transaction():
        return _update(*waiting, lease_token=None, leased_until=None)


def list_holders() -> list[str]:
    """Everybody who has begun work and not finished it."""
    tokens = db.session.scalars(
        select(OutboxRow.lease_token).where(OutboxRow.lease_token.like("%@%"), _open()).distinct()
    )
    return sorted({(token or "").partition("@")[2] for token in tokens})


def release_holder(holder: str) -> int:
    """Take back what somebody had begun who is no more; the attempt stays counted."""
    with transaction():
        theirs = OutboxRow.lease_token.endswith(f"@{holder}", autoescape=True)
        return _update(theirs, _open(), lease_token=None, leased_until=None)


def offered_batches(*, now: datetime | None = None) -> int:
    """How many batches are out, waiting in the queue or running."""
    return _out(now or clock.now())


def _out(now: datetime, *conditions: ColumnElement[bool]) -> int:
    tokens = func.count(func.distinct(OutboxRow.lease_token))
    return db.session.scalar(select(tokens).where(_open(), OutboxRow.leased_until > now, *conditions)) or 0


def has_due() -> bool:
    """One look at the partial index of open rows: what the supervisor asks five times a second."""
    on_sqlite = db.session.get_bind().dialect.name == "sqlite"
    now = clock.now() if on_sqlite else func.clock_timestamp()
    return db.session.scalar(select(OutboxRow.id).where(_claimable(now)).limit(1)) is not None


def bury_exhausted(*, now: datetime | None = None) -> int:
    """Declare dead what used up its attempts without a word, such as work that kills its process."""
    now = now or clock.now()
    exhausted = (
        _open(),
        OutboxRow.attempts >= MAX_ATTEMPTS,
        or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until <= now),
    )
    if db.session.scalar(select(OutboxRow.id).where(*exhausted).limit(1)) is None:
        return 0
    with transaction():
        return _update(
            *exhausted,
            dead_at=now,
            lease_token=None,
            last_error=func.coalesce(OutboxRow.last_error, "the process ended without a word"),
        )


def prune(*, before: datetime) -> int:
    """Forget work that was done before an instant."""
    if db.session.scalar(select(OutboxRow.id).where(OutboxRow.done_at < before).limit(1)) is None:
        return 0
    with transaction():
        result = db.session.execute(delete(OutboxRow).where(OutboxRow.done_at < before))
        return cast("CursorResult[Any]", result).rowcount


# --- the job's side -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Lease:
    """The right to do some work, until somebody else gets it.

    A job reads and computes with no transaction open, then writes its effect and calls `finish()` inside
    one `transaction()`. Finishing item by item keeps the lease of the rest alive; a job that computes for
    long in one piece calls `renew()` between.
    """

    kind: str
    token: str
    work: tuple[Work, ...]

    def finish(self, ids: Collection[int] | None = None) -> None:
        """Mark rows done in the transaction of their effect; all of the lease's when `ids` is left out."""
        if not in_transaction():
            raise RuntimeError("finish() belongs into the transaction of the effect")
        wanted = self._ids() if ids is None else tuple(ids)
        now = clock.now()
        done = _update(
            OutboxRow.id.in_(wanted), *self._mine(), done_at=now, lease_token=None, last_error=None
        )
        if done != len(set(wanted)):
            raise LeaseLost(
                f"{self.kind}: {len(set(wanted)) - done} of {len(set(wanted))} rows went elsewhere"
            )
        _update(OutboxRow.lease_token == self.token, _open(), leased_until=now + LEASE)

    def renew(self, payload: Mapping[str, Any] | None = None) -> None:
        """Keep the unfinished rest for another while; a bulk may note its progress in its one row."""
        with transaction():
            now = clock.now()
            values: dict[str, Any] = {"leased_until": now + LEASE}
            if payload is not None:
                values["payload"] = dict(payload)
            if _update(OutboxRow.id.in_(self._ids()), *self._mine(), **values) == 0:
                raise LeaseLost(f"{self.kind}: the work went elsewhere")

    def hand_back(self, payload: Mapping[str, Any]) -> None:
        """After one part of a bulk, in the transaction of its effect: the rest waits its turn again.

        So that a long run does not keep people's own work waiting until it is through.
        """
        now = clock.now()
        values = {"payload": dict(payload), "due_at": now, "attempts": 0, "lease_token": None}
        if _update(OutboxRow.id.in_(self._ids()), *self._mine(), leased_until=None, **values) == 0:
            raise LeaseLost(f"{self.kind}: the work went elsewhere")

    def _ids(self) -> tuple[int, ...]:
        return tuple(work.id for work in self.work)

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return OutboxRow.lease_token == self.token, _open()


def begun_token(token: str, holder: str) -> str:
    return f"{token}@{holder[:LONGEST_HOLDER]}"


def begin(kind: str, ids: Sequence[int], token: str, *, holder: str) -> Lease | None:
    """Count an attempt and start the lease anew; None where the offer is void or was begun before.

    The row's token changes, so that an offer which the queue delivers twice is done once.
    """
    begun = begun_token(token, holder)
    with transaction():
        _update(
            OutboxRow.id.in_(ids),
            OutboxRow.lease_token == token,
            _open(),
            attempts=OutboxRow.attempts + 1,
            lease_token=begun,
            leased_until=clock.now() + LEASE,
        )
        rows = db.session.execute(
            select(
                OutboxRow.id,
                OutboxRow.subject_id,
                OutboxRow.version,
                OutboxRow.payload,
                OutboxRow.attempts,
            )
            .where(OutboxRow.lease_token == begun, _open())
            .order_by(OutboxRow.id)
        ).all()
    if not rows:
        return None
    return Lease(kind, begun, tuple(Work(*row) for row in rows))


def fail(token: str, error: str) -> None:
    """Give back what the lease left unfinished: to be tried again later, or dead after the last attempt."""
    if (
        db.session.scalar(select(OutboxRow.id).where(OutboxRow.lease_token == token, _open()).limit(1))
        is None
    ):
        return
    with transaction():
        now = clock.now()
        rows = db.session.execute(
            select(OutboxRow.id, OutboxRow.kind, OutboxRow.attempts, OutboxRow.due_at).where(
                OutboxRow.lease_token == token, _open()
            )
        ).all()
        for row_id, kind, attempts, due_at in rows:
            mine = (OutboxRow.id == row_id, OutboxRow.lease_token == token, _open())
            if attempts >= MAX_ATTEMPTS:
                _update(*mine, dead_at=now, lease_token=None, last_error=error[-4000:])
                log.error("work %s #%s is dead after %s attempts: %s", kind, row_id, attempts, error[-200:])
            else:
                again = retry_at(attempts, due_at=due_at, now=now)
                _update(*mine, lease_token=None, leased_until=again, last_error=error[-4000:])


def retry_at(attempts: int, *, due_at: datetime, now: datetime) -> datetime:
    """When work that failed `attempts` times is tried again.

    Counted from `due_at`, so that all attempts fit before the work counts as overdue, but never closer
    than the first step to the failure itself. Work that was overdue anyway (nobody was there to do it)
    gets its full waits from now on, so that a passing trouble does not kill it in seconds.
    """
    waits = [BACKOFF[min(n, len(BACKOFF) - 1)] for n in range(max(1, attempts))]
    if now - due_at > OVERDUE_AFTER:
        return now + timedelta(seconds=waits[-1])
    return max(due_at + timedelta(seconds=sum(waits)), now + timedelta(seconds=BACKOFF[0]))


# --- what people are shown, and may do ------------------------------------------------------------------


def is_pending(kind: str, subject_id: int) -> bool:
    """Whether work of this kind is still to be done for a thing, dead work not counted."""
    return (
        db.session.scalar(
            select(OutboxRow.id)
            .where(OutboxRow.kind == kind, OutboxRow.subject_id == subject_id, _open())
            .limit(1)
        )
        is not None
    )


def queue_state(*, now: datetime | None = None) -> QueueState:
    now = now or clock.now()
    waiting, running, dead, oldest = db.session.execute(
        select(
            func.count().filter(_open(), OutboxRow.due_at <= now),
            func.count().filter(_open(), OutboxRow.lease_token.is_not(None), OutboxRow.leased_until > now),
            func.count().filter(OutboxRow.dead_at.is_not(None)),
            func.min(OutboxRow.due_at).filter(_open(), OutboxRow.due_at <= now),
        ).where(OutboxRow.done_at.is_(None))
    ).one()
    return QueueState(waiting, running, dead, oldest)


def select_dead() -> Select[OutboxRow]:
    """Dead work, newest first, for the operator's list."""
    return (
        select(OutboxRow)
        .where(OutboxRow.dead_at.is_not(None))
        .order_by(OutboxRow.dead_at.desc(), OutboxRow.id.desc())
    )


def retry_dead(ids: Collection[int], *, now: datetime) -> int:
    """Give dead work all its attempts again; called inside the transaction that audits it."""
    return _update(
        OutboxRow.id.in_(ids),
        OutboxRow.dead_at.is_not(None),
        dead_at=None,
        attempts=0,
        due_at=now,
        leased_until=None,
    )


def list_overdue(*, now: datetime, limit: int = 20) -> list[OutboxRow]:
    """Work due for too long that is neither dead nor a bulk at work."""
    running_bulk = OutboxRow.bulk & OutboxRow.lease_token.is_not(None) & (OutboxRow.leased_until > now)
    return list(
        db.session.scalars(
            select(OutboxRow)
            .where(_open(), OutboxRow.due_at < now - OVERDUE_AFTER, ~func.coalesce(running_bulk, False))
            .order_by(OutboxRow.due_at, OutboxRow.id)
            .limit(limit)
        )
    )


# --- conditions -----------------------------------------------------------------------------------------


def _open() -> ColumnElement[bool]:
    return OutboxRow.done_at.is_(None) & OutboxRow.dead_at.is_(None)


def _claimable(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    return (
        _open()
        & (OutboxRow.due_at <= now)
        & or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until <= now)
        & (OutboxRow.attempts < MAX_ATTEMPTS)
    )


def _update(*where: ColumnElement[bool], **values: Any) -> int:
    result = db.session.execute(
        update(OutboxRow).where(*where).values(**values), execution_options={"synchronize_session": False}
    )
    return cast("CursorResult[Any]", result).rowcount
