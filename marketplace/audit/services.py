"""Recording: every change leaves its row in the same transaction, or the transaction does not commit.

`record()` notes the act; the chain is closed just before the commit, so that the head is locked only for
that moment. Models that name themselves in `__audited__` are watched: a transaction that touches one
without recording it raises UnauditedChange.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session, UOWTransaction

from marketplace.audit.chain import GENESIS, row_hash
from marketplace.audit.models import AuditEvent, AuditHead
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import before_commit, db, in_transaction

PENDING, TOUCHED, COVERED = "audit.pending", "audit.touched", "audit.covered"
EVERYTHING = "*"


class UnauditedChange(RuntimeError):
    """Something that must be audited was changed without a record."""


def record(
    type: str,
    subject_kind: str,
    subject_id: int | None,
    *,
    by: Actor,
    at: datetime,
    label: str = "",
    organisation_id: int | None = None,
    from_status: str | None = None,
    to_status: str | None = None,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
    covers: Iterable[tuple[str, int]] | str = (),
    request_id: str = "",
) -> None:
    """Write one audit row for one business act.

    `covers` names further (kind, id) that the act changed, or "*" for a bulk act that is described by a
    manifest hash in `detail`.
    """
    if not in_transaction():
        raise RuntimeError("record() belongs inside transaction()")
    info = db.session().info
    row = AuditEvent(
        at=at,
        type=type,
        subject_kind=subject_kind,
        subject_id=subject_id,
        subject_label=label[:300],
        organisation_id=organisation_id,
        actor_user_id=by.user_id,
        actor_name=by.name or "anonymous",
        actor_role=_role_of(by),
        from_status=from_status,
        to_status=to_status,
        reason=reason,
        detail=dict(detail or {}),
        request_id=request_id or _current_request_id(),
    )
    info.setdefault(PENDING, []).append(row)
    covered = info.setdefault(COVERED, set())
    covered.add((subject_kind, subject_id))
    if isinstance(covers, str):
        covered.add(EVERYTHING)
    else:
        covered.update(covers)


def _role_of(actor: Actor) -> str:
    if actor.is_system:
        return "system"
    if actor.platform_role:
        return actor.platform_role.value
    return actor.organisation_role.value if actor.organisation_role else "person"


def _current_request_id() -> str:
    from flask import g, has_request_context

    return str(g.get("request_id", "")) if has_request_context() else ""


def _note_touched(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    touched = session.info.setdefault(TOUCHED, [])
    for thing in (*session.new, *session.deleted):
        if hasattr(thing, "__audited__"):
            touched.append(thing)
    touched.extend(t for t in session.dirty if hasattr(t, "__audited__") and session.is_modified(t))


def _subject_of(thing: Any) -> tuple[str, int]:
    subject: Any = thing.__audited__
    return (subject, thing.id) if isinstance(subject, str) else thing.__audited__()


def _close_chain(session: Session) -> None:
    covered: set[Any] = session.info.get(COVERED, set())
    if EVERYTHING not in covered:
        for thing in session.info.get(TOUCHED, []):
            subject = _subject_of(thing)
            if subject not in covered:
                raise UnauditedChange(f"{subject[0]} {subject[1]} changed without an audit row")
    rows: list[AuditEvent] = session.info.get(PENDING, [])
    if not rows:
        return
    head = session.scalar(select(AuditHead).where(AuditHead.id == 1).with_for_update())
    if head is None:
        head = AuditHead(id=1, seq=0, hash=GENESIS)
        session.add(head)
    for row in rows:
        row.seq, row.previous_hash = head.seq + 1, head.hash
        row.hash = row_hash(row, row.previous_hash)
        head.seq, head.hash = row.seq, row.hash
    session.add_all(rows)
    session.flush()


def init_app() -> None:
    before_commit(_close_chain)
    if not event.contains(db.session.session_factory, "before_flush", _note_touched):
        event.listen(db.session.session_factory, "before_flush", _note_touched)
