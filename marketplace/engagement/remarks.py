"""Opinions and notes: what a side does not want, with a reason, and what it notes for itself.

An opinion folds a line away for those who hold it; it moves no rank. Not here: answers that the other side
is owed (`services`).
"""

from datetime import datetime
from typing import Any

from marketplace.audit.services import record
from marketplace.capabilities.models import Capability
from marketplace.engagement import queries, rules
from marketplace.engagement.kinds import REASONS, Reason, Side
from marketplace.engagement.models import Dismissal, Note
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.organisations.queries import lock_organisation


def dismiss(
    posting: Any, capability: Capability, *, reason_code: str, reason: str, by: Actor, now: datetime
) -> Dismissal:
    """A seeker finds a capability unsuitable, or a supplier does not want a challenge or need."""
    side = _side_of(posting, capability, by)
    gaps = list(rules.reason_gaps(reason_code, reason, REASONS[side]))
    if gaps:
        raise Obstructed(gaps)
    kind, organisation_id = queries.kind_of(posting), by.organisation_id or 0
    lock_organisation(organisation_id)
    if queries.find_dismissal(organisation_id, kind, posting.id, capability.id) is not None:
        raise InvalidTransition("dismissal", "made", "make")
    dismissal = Dismissal(
        side=side,
        organisation_id=organisation_id,
        posting_kind=kind,
        posting_id=posting.id,
        capability_id=capability.id,
        reason_code=Reason(reason_code),
        reason=reason.strip(),
        made_by_name=by.name,
        made_at=now,
    )
    db.session.add(dismissal)
    db.session.flush()
    _record("dismissal.make", "dismissal", dismissal.id, posting, by=by, now=now, reason=reason_code)
    return dismissal


def undo(dismissal: Dismissal, *, by: Actor, now: datetime) -> None:
    if not by.edits_for(dismissal.organisation_id):
        raise Forbidden("dismissal.undo")
    if dismissal.undone_at is not None:
        raise InvalidTransition("dismissal", "undone", "undo")
    dismissal.undone_at = now
    _record("dismissal.undo", "dismissal", dismissal.id, None, by=by, now=now)


def add_note(posting: Any, capability: Capability, text: str, *, by: Actor, now: datetime) -> Note:
    """For the eyes of the author's own organisation."""
    _side_of(posting, capability, by)
    gaps = list(rules.note_gaps(text))
    kind = queries.kind_of(posting)
    written = queries.list_notes(kind, [posting.id], viewer=by).get((posting.id, capability.id), [])
    if len(written) >= rules.MOST_NOTES:
        gaps.append(Obstacle("text", N_("每条能力最多 %(limit)s 条备注"), {"limit": rules.MOST_NOTES}))
    if gaps:
        raise Obstructed(gaps)
    if by.user_id is None or by.organisation_id is None:
        raise Forbidden("note.add")
    note = Note(
        organisation_id=by.organisation_id,
        posting_kind=kind,
        posting_id=posting.id,
        capability_id=capability.id,
        text=text.strip(),
        author_id=by.user_id,
        author_name=by.name,
        written_at=now,
    )
    db.session.add(note)
    db.session.flush()
    _record("note.add", "note", note.id, posting, by=by, now=now)
    return note


def remove_note(note: Note, *, by: Actor, now: datetime) -> None:
    """Its author, or a manager, takes a note away."""
    if not (by.edits_for(note.organisation_id) and (by.user_id == note.author_id or by.is_manager)):
        raise Forbidden("note.remove")
    _record("note.remove", "note", note.id, None, by=by, now=now)
    db.session.delete(note)


def _side_of(posting: Any, capability: Capability, by: Actor) -> Side:
    """Whose opinion it would be. Who is neither side does not know of the pair."""
    if by.belongs_to(posting.organisation_id):
        side, owner = Side.SEEKER, posting.organisation_id
    elif by.belongs_to(capability.organisation_id):
        side, owner = Side.SUPPLIER, capability.organisation_id
    else:
        raise NotFound(f"{posting.public_no} {capability.public_no}")
    if not by.edits_for(owner):
        raise Forbidden("dismissal.make")
    return side


def _record(
    act: str, kind: str, subject_id: int, posting: Any, *, by: Actor, now: datetime, reason: str = ""
) -> None:
    """What is noted or thought stays out of the trail: it is the organisation's own."""
    record(
        act,
        kind,
        subject_id,
        by=by,
        at=now,
        label="" if posting is None else posting.public_no,
        organisation_id=by.organisation_id,
        reason=reason,
    )
