"""Who approached whom: invitations and interests of the demonstration, and who looked at which shortlist.

Told like the other stories, once the posting and the capability are there. What was seen belongs to a run
and is written after the ranking.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge
from marketplace.demo.cast import Cast
from marketplace.demo.content import Content, read_table
from marketplace.demo.stories import Calendar, Story, spread
from marketplace.engagement import events, queries, services
from marketplace.engagement.kinds import ContactSource
from marketplace.engagement.models import Approach
from marketplace.engagement.rules import Draft, Limits
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.db import db
from marketplace.matching.models import MatchEntry, MatchRun
from marketplace.needs.models import Need

#: The demonstration breaks no cap that a marketplace may set.
LIMITS = Limits(per_posting=20, per_day=30, interests_per_day=20, answer_days=14)
LINES_SHOWN = 10
LINES_OPENED = 2


@dataclass(frozen=True, slots=True)
class ApproachEntry:
    """One approach; titles and owners are those of the posting and the capability that the keys name."""

    kind: str
    key: str
    title: str
    owner: str
    is_challenge: bool
    capability: str
    supplier: str
    days_ago: int
    message: str
    answer: str
    answered_days_ago: int
    reason_code: str
    reason: str


def read_approaches(content: Content) -> list[ApproachEntry]:
    """Raises KeyError where a key names nothing."""
    postings = {one.key: (one.draft.title, one.organisation, True) for one in content.challenges}
    for one in content.need_lists:
        postings |= {line.key: (line.draft.title, one.organisation, False) for line in one.needs}
    capabilities = {one.key: (one.draft.title, one.organisation) for one in content.capabilities}
    found = []
    for table in read_table("approaches.toml", "approach"):
        title, owner, is_challenge = postings[table["posting"]]
        capability, supplier = capabilities[table["capability"]]
        found.append(
            ApproachEntry(
                kind=table["kind"],
                key=f"{table['posting']} {table['capability']}",
                title=title,
                owner=owner,
                is_challenge=is_challenge,
                capability=capability,
                supplier=supplier,
                days_ago=table["days_ago"],
                message=table["message"],
                answer=table.get("answer", ""),
                answered_days_ago=table.get("answered_days_ago", 0),
                reason_code=table.get("reason_code", ""),
                reason=table.get("reason", ""),
            )
        )
    return found


def approach(entry: ApproachEntry, cast: Cast, calendar: Calendar) -> Story:
    now = yield calendar.ago(entry.days_ago, entry.key)
    posting = _find(Challenge if entry.is_challenge else Need, entry.title)
    capability = _find(Capability, entry.capability)
    while not _is_ready(posting, capability, now):
        if now > calendar.now:
            raise ValueError(f"{entry.key}: the posting or the capability is not there to be approached")
        now = yield now + timedelta(hours=6)
        posting = _find(Challenge if entry.is_challenge else Need, entry.title)
        capability = _find(Capability, entry.capability)
    draft = Draft(
        entry.message,
        ContactSource.ORGANISATION,
        services.default_last_day(posting, days=LIMITS.answer_days, now=now),
    )
    sender, recipient = entry.owner, entry.supplier
    if entry.kind == "invitation":
        by = cast.editor(entry.owner, now)
        (sent,) = services.invite(posting, [capability], draft, limits=LIMITS, by=by, now=now)
    else:
        sender, recipient = recipient, sender
        by = cast.editor(entry.supplier, now)
        sent = services.show_interest(posting, capability, draft, limits=LIMITS, by=by, now=now)
    if entry.answer == "expired":
        now = yield sent.expires_at + timedelta(seconds=30)
        services.expire(_again(sent), now=now)
    elif entry.answer:
        now = yield calendar.ago(entry.answered_days_ago, entry.key)
        _answer(_again(sent), entry, cast.editor(sender, now), cast.editor(recipient, now), now)


def _answer(sent: Approach, entry: ApproachEntry, sender: Actor, recipient: Actor, now: datetime) -> None:
    if entry.answer == "accepted":
        services.accept(sent, contact=ContactSource.ORGANISATION, by=recipient, now=now)
    elif entry.answer == "declined":
        services.decline(sent, reason_code=entry.reason_code, reason=entry.reason, by=recipient, now=now)
    else:
        services.withdraw(sent, reason=entry.reason, by=sender, now=now)


def _find(entity: Any, title: str) -> Any:
    statement = select(entity).options(joinedload(entity.organisation)).where(entity.title == title).limit(1)
    return db.session.scalar(statement)


def _is_ready(posting: Any, capability: Any, now: datetime) -> bool:
    return (
        posting is not None
        and capability is not None
        and queries.is_open(posting, now=now)
        and capability.status.value == "published"
        and capability.organisation.status.value == "verified"
    )


def _again(sent: Approach) -> Approach:
    found = queries.find_for_change(sent.id)
    if found is None:
        raise LookupError(sent.public_no)
    return found


def look_at_lists(now: datetime) -> None:
    """Two of three seekers have looked at their shortlists lately, and half of those at single lines."""
    for owner, lines, number in _lists():
        nth = spread(number, 0, 5)
        if nth % 3 == 0:
            continue
        seeker = Actor(organisation_id=owner, organisation_role=OrganisationRole.EDITOR)
        moment = now - timedelta(days=spread(f"{number} seen", 0, 5), hours=1)
        events.record_seen(lines[:LINES_SHOWN], opened=False, by=seeker, now=moment)
        if nth % 2:
            events.record_seen(lines[:LINES_OPENED], opened=True, by=seeker, now=moment)


def _lists() -> Iterator[tuple[int, list[tuple[str, str]], str]]:
    """Every current list of a posting that its owner published: owner, lines, number of the run."""
    runs = db.session.execute(
        select(MatchRun.id, MatchRun.public_no, MatchRun.seeker_kind, MatchRun.seeker_id)
        .where(MatchRun.superseded_at.is_(None))
        .order_by(MatchRun.id)
    ).all()
    postings = queries.read_postings((run.seeker_kind, run.seeker_id) for run in runs)
    for run in runs:
        numbers = db.session.scalars(
            select(Capability.public_no)
            .join(MatchEntry, MatchEntry.capability_id == Capability.id)
            .where(MatchEntry.run_id == run.id, MatchEntry.place <= LINES_SHOWN)
            .order_by(MatchEntry.place)
        )
        posting = postings[run.seeker_kind, run.seeker_id]
        lines = [(run.public_no, number) for number in numbers]
        yield posting.organisation_id, lines, posting.public_no
