"""The events of the funnel: written once each, whoever tries again.

A page that was shown says so in a small request of its own after it has been read (docs/adr/0019); an act
implies that what it is about was shown and opened. Not here: what is made of the events (the oversight's
funnel).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import select

from marketplace.capabilities.models import Capability
from marketplace.engagement import queries
from marketplace.engagement.kinds import EventKind, Side
from marketplace.engagement.models import Approach, MatchEvent
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, insert_into
from marketplace.matching.models import MatchEntry, MatchRun, PostingKind

#: How many lines one page can have shown.
MOST_SEEN = 60


def record_seen(seen: Collection[tuple[str, str]], *, opened: bool, by: Actor, now: datetime) -> int:
    """Write down that lines, named by (run, capability), were shown to the actor's organisation.

    Lines that are not the actor's to see, and runs that are over, are passed over; returns how many counted.
    Platform people look without being counted.
    """
    if by.organisation_id is None or by.organisation_role is None:
        return 0
    wanted = set(list(seen)[:MOST_SEEN])
    rows = db.session.execute(
        select(MatchRun, MatchEntry, Capability.public_no)
        .join(MatchEntry, MatchEntry.run_id == MatchRun.id)
        .join(Capability, Capability.id == MatchEntry.capability_id)
        .where(
            MatchRun.public_no.in_({run for run, _capability in wanted}),
            MatchRun.superseded_at.is_(None),
            Capability.public_no.in_({capability for _run, capability in wanted}),
        )
    ).all()
    lines = [(run, entry) for run, entry, number in rows if (run.public_no, number) in wanted]
    postings = queries.read_postings((run.seeker_kind, run.seeker_id) for run, _entry in lines)
    kinds = (EventKind.SHOWN, EventKind.OPENED) if opened else (EventKind.SHOWN,)
    events = []
    for run, entry in lines:
        posting = postings[run.seeker_kind, run.seeker_id]
        if by.belongs_to(posting.organisation_id):
            side = Side.SEEKER
        elif by.belongs_to(entry.organisation_id):
            side = Side.SUPPLIER
        else:
            continue
        events += [
            _seen(kind, side, run.seeker_kind, run.seeker_id, entry, run_id=run.id, by=by, now=now)
            for kind in kinds
        ]
    return _write(events)


def _seen(
    kind: EventKind,
    side: Side,
    posting_kind: PostingKind,
    posting_id: int,
    entry: Any,
    *,
    run_id: int | None,
    by: Actor,
    now: datetime,
) -> dict[str, Any]:
    day = business_date(now)
    about = f"{posting_kind.value}-{posting_id}:{run_id or 0}:{entry.capability_id}"
    return {
        "token": f"{kind.value}:{about}:{by.organisation_id}:{day.isoformat()}",
        "kind": kind,
        "side": side,
        "viewer_organisation_id": by.organisation_id,
        "posting_kind": posting_kind,
        "posting_id": posting_id,
        "capability_id": entry.capability_id,
        "organisation_id": entry.organisation_id,
        "run_id": run_id,
        "on_day": day,
        "at": now,
    }


def record_approaches(approaches: Sequence[Approach], *, by: Actor, now: datetime) -> None:
    """Sending is an event, and who sends has seen and opened the line."""
    events = []
    for approach in approaches:
        places = queries.find_places(approach.posting_kind, approach.posting_id, [approach.capability_id])
        entry = places.get(approach.capability_id)
        run_id = entry.run_id if entry is not None else None
        side = _side(approach, by)
        line = _Line(approach.capability_id, approach.supplier_organisation_id)
        events += [
            _seen(kind, side, approach.posting_kind, approach.posting_id, line, run_id=run_id, by=by, now=now)
            for kind in (EventKind.SHOWN, EventKind.OPENED)
        ]
        events.append(_act(EventKind.INVITED, approach, side, run_id, by=by, now=now))
    _write(events)


def record_answer(approach: Approach, *, agreed: bool, by: Actor, now: datetime) -> None:
    kinds: Iterable[EventKind] = (EventKind.REPLIED, EventKind.AGREED) if agreed else (EventKind.REPLIED,)
    _write([_act(kind, approach, _side(approach, by), None, by=by, now=now) for kind in kinds])


class _Line:
    """What a seen event asks of an entry, for an approach that stands on no list."""

    def __init__(self, capability_id: int, organisation_id: int) -> None:
        self.capability_id, self.organisation_id = capability_id, organisation_id


def _side(approach: Approach, by: Actor) -> Side:
    return Side.SEEKER if by.belongs_to(approach.seeker_organisation_id) else Side.SUPPLIER


def _act(
    kind: EventKind, approach: Approach, side: Side, run_id: int | None, *, by: Actor, now: datetime
) -> dict[str, Any]:
    return {
        "token": f"{kind.value}:{approach.public_no}",
        "kind": kind,
        "side": side,
        "viewer_organisation_id": by.organisation_id,
        "posting_kind": approach.posting_kind,
        "posting_id": approach.posting_id,
        "capability_id": approach.capability_id,
        "organisation_id": approach.supplier_organisation_id,
        "run_id": run_id,
        "on_day": business_date(now),
        "at": now,
    }


def _write(events: Sequence[dict[str, Any]]) -> int:
    """Insert what is new; the same token again is no error and no second row."""
    if not events:
        return 0
    session = db.session()
    statement = insert_into(MatchEvent).on_conflict_do_nothing(index_elements=["token"])
    # In one order: of two who write the same, neither then waits for the other in turn.
    ordered = sorted(events, key=itemgetter("token"))
    written = session.scalars(statement.returning(MatchEvent.id), ordered)
    return len(written.all())
