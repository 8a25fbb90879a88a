"""The invariants that belong to no single feature: the outbox, the audit chain, and every life as audited."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from flask import current_app
from sqlalchemy import Select, select

from marketplace.announcements.lifecycle import LIFECYCLE as ANNOUNCEMENT
from marketplace.announcements.models import Announcement
from marketplace.audit import anchor
from marketplace.audit.models import AuditEvent
from marketplace.capabilities.lifecycle import LIFECYCLE as CAPABILITY
from marketplace.capabilities.models import Capability
from marketplace.challenges.lifecycle import LIFECYCLE as CHALLENGE
from marketplace.challenges.models import Challenge
from marketplace.kernel import outbox
from marketplace.kernel.db import db
from marketplace.kernel.invariants import Invariant
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.needs.lifecycle import LIFECYCLE as NEED
from marketplace.needs.models import Need
from marketplace.organisations.lifecycle import LIFECYCLE as ORGANISATION
from marketplace.organisations.models import Organisation

LIVES: tuple[tuple[Lifecycle, Select[Any, Any]], ...] = (
    (ORGANISATION, select(Organisation.id, Organisation.status)),
    (CHALLENGE, select(Challenge.id, Challenge.status)),
    (NEED, select(Need.id, Need.status)),
    (CAPABILITY, select(Capability.id, Capability.status)),
    (ANNOUNCEMENT, select(Announcement.id, Announcement.status)),
)


def overdue_work(now: datetime) -> Iterator[str]:
    for row in outbox.list_overdue(now=now):
        waited = round((now - row.due_at).total_seconds())
        yield f"{row.kind} #{row.id} (subject {row.subject_id}) has been due for {waited} s"


def breaks_in_audit(_now: datetime) -> Iterator[str]:
    for found in anchor.verify(anchor.anchor_file(current_app.config["INSTANCE_DIR"])):
        yield f"{found.problem} at {found.seq}"


@dataclass(frozen=True, slots=True)
class Move:
    """One audited change of status, or a creation, whose `source` is None."""

    seq: int
    source: str | None
    target: str


def unreachable_statuses(_now: datetime) -> Iterator[str]:
    for lifecycle, statement in LIVES:
        statuses: dict[int, str] = {row[0]: str(row[1]) for row in db.session.execute(statement)}
        moves = _audited_moves(lifecycle.thing)
        for thing_id, status in sorted(statuses.items()):
            yield from disagreements(lifecycle, thing_id, status, moves.get(thing_id, []))


def _audited_moves(kind: str) -> Mapping[int, list[Move]]:
    rows = db.session.execute(
        select(AuditEvent.subject_id, AuditEvent.seq, AuditEvent.from_status, AuditEvent.to_status)
        .where(AuditEvent.subject_kind == kind, AuditEvent.to_status.is_not(None))
        .order_by(AuditEvent.subject_id, AuditEvent.seq)
    )
    return {
        thing_id: [Move(seq, source, target or "") for _, seq, source, target in group]
        for thing_id, group in groupby(rows, key=lambda row: row[0])
    }


def disagreements(lifecycle: Lifecycle, thing_id: int, status: str, moves: Iterable[Move]) -> Iterator[str]:
    """Where the audited moves of one thing are no path of its lifecycle, or do not end at its status.

    What came in by a bulk import has no row of its own and must still be in an initial status.
    """
    name = f"{lifecycle.thing} #{thing_id}"
    here: str | None = None
    for move in moves:
        if here is not None and move.source != here:
            yield f"{name}: audit {move.seq} starts from {move.source}, the one before ended at {here}"
        if not _is_legal(lifecycle, move):
            yield f"{name}: audit {move.seq} goes from {move.source} to {move.target}, which no action does"
        here = move.target
    if here is None and status not in lifecycle.initial:
        yield f"{name}: is {status}, and no audited act led there"
    elif here is not None and here != status:
        yield f"{name}: is {status}, its audit ends at {here}"


def _is_legal(lifecycle: Lifecycle, move: Move) -> bool:
    if move.source is None:
        return move.target in lifecycle.initial
    if move.source == move.target:
        return True
    return any(move.source in t.sources and t.target == move.target for t in lifecycle.transitions)


INVARIANTS = (
    Invariant(
        "work.overdue",
        "no work is due for longer than 180 s unless it is dead or a bulk that is running",
        overdue_work,
    ),
    Invariant("audit.chain", "the audit chain is whole and agrees with its anchors", breaks_in_audit),
    Invariant(
        "lifecycle.status",
        "each status is reached by audited transitions of its lifecycle",
        unreachable_statuses,
    ),
)
