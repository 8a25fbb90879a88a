"""What is done with approaches: sent, answered, withdrawn, ended by the clock; and contacts opened by them.

Sending holds the posting and the sender's organisation to the end of the transaction, in this order, so
that two editors cannot invite the same supplier and no cap is passed. Everything runs inside
`transaction()` and leaves its audit row. Not here: opinions and notes (`remarks`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from marketplace.audit.services import record
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge
from marketplace.engagement import events, letters, queries, rules
from marketplace.engagement.kinds import REASONS, ApproachKind, ContactSource, Reason, Side
from marketplace.engagement.lifecycle import INTEREST, INVITATION, ApproachStatus
from marketplace.engagement.models import Approach, Interest, Invitation, OpenedContact
from marketplace.engagement.rules import Draft, Limits
from marketplace.identity.models import User
from marketplace.kernel.actor import SYSTEM, Actor
from marketplace.kernel.dates import business_date, end_of_business_day, last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, InvalidTransition, Obstacle, Obstructed
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.numbering import next_number
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.organisations.queries import lock_organisation

LIVES: dict[ApproachKind, Lifecycle] = {
    ApproachKind.INVITATION: INVITATION,
    ApproachKind.INTEREST: INTEREST,
}
_CLASSES: dict[ApproachKind, type[Approach]] = {
    ApproachKind.INVITATION: Invitation,
    ApproachKind.INTEREST: Interest,
}
_PREFIXES = {ApproachKind.INVITATION: "YQ", ApproachKind.INTEREST: "YX"}


class AlreadyOpen(InvalidTransition):
    """Somebody was faster: an approach between this posting and this supplier waits for its answer."""

    def __init__(self, approach: Approach) -> None:
        super().__init__(approach.kind.value, approach.status.value, "send")
        self.approach = approach


@dataclass(frozen=True, slots=True)
class ContactDetails:
    name: str
    phone: str
    email: str


# --- sending ----------------------------------------------------------------------------------------------


def invite(
    posting: Any,
    capabilities: Sequence[Capability],
    draft: Draft,
    *,
    limits: Limits,
    by: Actor,
    now: datetime,
) -> list[Approach]:
    """Invite the organisations behind capabilities, each once: all of them or, with its obstacles, none.

    Raises AlreadyOpen where one of them is already asked or has already asked.
    """
    if not by.edits_for(posting.organisation_id):
        raise Forbidden("invitation.send")
    chosen = one_for_each_organisation(capabilities)
    organisations = [capability.organisation_id for capability in chosen]
    lock_organisation(posting.organisation_id)
    _make_room(posting, organisations, now=now)
    sent = queries.count_sent(
        queries.kind_of(posting), posting.id, organisation_id=posting.organisation_id, now=now
    )
    candidates = queries.read_candidates(posting, chosen)
    obstacles = [
        *_gaps(posting, draft, by=by, now=now),
        *(found for capability in chosen if (found := rules.why_not_invited(candidates[capability.id]))),
        *rules.invitation_limits(len(chosen), sent, limits),
    ]
    if obstacles:
        raise Obstructed(obstacles)
    approaches = [
        _send(ApproachKind.INVITATION, posting, capability, draft, by=by, now=now) for capability in chosen
    ]
    events.record_approaches(approaches, by=by, now=now)
    return approaches


def one_for_each_organisation(capabilities: Sequence[Capability]) -> list[Capability]:
    """The first capability of each organisation: it is organisations that are asked."""
    first: dict[int, Capability] = {}
    for capability in capabilities:
        first.setdefault(capability.organisation_id, capability)
    return list(first.values())


def show_interest(
    posting: Any, capability: Capability, draft: Draft, *, limits: Limits, by: Actor, now: datetime
) -> Approach:
    """Ask a seeker to be considered. Raises AlreadyOpen where the two are already in touch."""
    if not by.edits_for(capability.organisation_id):
        raise Forbidden("interest.send")
    lock_organisation(capability.organisation_id)
    _make_room(posting, [capability.organisation_id], now=now)
    sent = queries.count_interests_sent(organisation_id=capability.organisation_id, now=now)
    candidate = queries.read_candidates(posting, [capability])[capability.id]
    obstacles = [*_gaps(posting, draft, by=by, now=now), *rules.interest_limits(sent, limits)]
    if posting.organisation_id == capability.organisation_id:
        obstacles.append(Obstacle("capability", N_("不能对本单位发布的内容表示意向")))
    if capability.status is not CapabilityStatus.PUBLISHED:
        obstacles.append(Obstacle("capability", N_("请选择本单位已发布的能力")))
    if candidate.has_agreed:
        obstacles.append(Obstacle("capability", N_("双方已经对接，联系方式已互相开放")))
    if obstacles:
        raise Obstructed(obstacles)
    interest = _send(ApproachKind.INTEREST, posting, capability, draft, by=by, now=now)
    events.record_approaches([interest], by=by, now=now)
    return interest


def _make_room(posting: Any, organisation_ids: Sequence[int], *, now: datetime) -> None:
    """Settle what the clock has ended already; whatever else is open is in the way."""
    for approach in queries.list_open_about(queries.kind_of(posting), posting.id, organisation_ids):
        if approach.expires_at > now:
            raise AlreadyOpen(approach)
        # The sweep may have settled it since it was read.
        if queries.hold_status(approach.id) is ApproachStatus.SENT:
            expire(approach, now=now)


def _gaps(posting: Any, draft: Draft, *, by: Actor, now: datetime) -> list[Obstacle]:
    ends = queries.ends_at(posting)
    last_day = None if ends is None else last_business_day(ends)
    obstacles = list(rules.draft_gaps(draft, today=business_date(now), last_day=last_day))
    if not by.organisation_verified:
        obstacles.append(Obstacle("organisation", N_("单位核验通过后才能发出邀请或意向")))
    if posting.status.value == "collected":
        obstacles.append(Obstacle("posting", N_("收录条目没有发布方在平台上答复，不能对接")))
    elif not queries.is_open(posting, now=now):
        obstacles.append(Obstacle("posting", N_("已截止、已撤回或发布方资格暂停，不能再发出邀请或意向")))
    if draft.contact is not None and by.user_id is not None:
        owner = db.session.get_one(Organisation, by.organisation_id)
        found = contact_details(draft.contact, posting, owner, db.session.get_one(User, by.user_id))
        if found is None or not (found.phone or found.email):
            obstacles.append(Obstacle("contact", N_("所选联系方式没有填写电话或邮箱，请换一种或先补充资料")))
    return obstacles


def _send(
    kind: ApproachKind, posting: Any, capability: Capability, draft: Draft, *, by: Actor, now: datetime
) -> Approach:
    if draft.contact is None or draft.expires_on is None or by.user_id is None:
        raise ValueError("an approach without contact, last day or sender was judged complete")
    expires_at = end_of_business_day(draft.expires_on)
    ends = queries.ends_at(posting)
    approach = _CLASSES[kind](
        public_no=next_number(_PREFIXES[kind], now=now),
        posting_kind=queries.kind_of(posting),
        posting_id=posting.id,
        capability_id=capability.id,
        seeker_organisation_id=posting.organisation_id,
        supplier_organisation_id=capability.organisation_id,
        status=ApproachStatus.SENT,
        message=draft.message.strip(),
        contact=draft.contact,
        sent_by_id=by.user_id,
        sent_by_name=by.name,
        sent_at=now,
        # An answer after the end of the posting would come too late.
        expires_at=expires_at if ends is None else min(expires_at, ends),
    )
    approach.capability = capability
    db.session.add(approach)
    db.session.flush()
    _note("send", approach, by=by, now=now)
    letters.tell_of_sending(approach, posting.title, by.organisation_name, at=now)
    return approach


# --- answering --------------------------------------------------------------------------------------------


def accept(approach: Approach, *, contact: ContactSource | None, by: Actor, now: datetime) -> None:
    """Agree, and so open both sides' contacts to each other."""
    was = approach.status
    status = _advance(approach, "accept", by=by, now=now)
    posting = queries.posting_of(approach)
    theirs = db.session.get_one(Organisation, approach.sender_organisation_id)
    # The sweep that ends the approaches of who was suspended may not have come by yet.
    if not queries.is_open(posting, now=now) or theirs.status is not OrganisationStatus.VERIFIED:
        raise InvalidTransition(approach.kind.value, ApproachStatus.ENDED.value, "accept")
    if not by.organisation_verified:
        raise Obstructed([Obstacle("organisation", N_("单位核验通过后才能同意对接"))])
    if contact is None:
        raise Obstructed([Obstacle("contact", N_("请选择向对方开放的联系方式"))])
    own = db.session.get_one(Organisation, approach.recipient_organisation_id)
    offered = contact_details(contact, posting, own, db.session.get_one(User, by.user_id))
    if offered is None or not (offered.phone or offered.email):
        raise Obstructed([Obstacle("contact", N_("所选联系方式没有填写电话或邮箱，请换一种或先补充资料"))])
    source, received = _senders_contact(approach, posting, theirs)
    approach.status = ApproachStatus(status)
    _settle(approach, by=by, now=now)
    _open(approach, own, theirs, contact, offered, now=now)
    _open(approach, theirs, own, source, received, now=now)
    db.session.flush()
    opened = [
        {"owner": own.id, "to": theirs.id, "source": contact.value},
        {"owner": theirs.id, "to": own.id, "source": source.value},
    ]
    _note("accept", approach, by=by, now=now, was=was, detail={"opened": opened})
    events.record_answer(approach, agreed=True, by=by, now=now)
    letters.tell_of_answer(approach, posting.title, by.organisation_name, at=now)


def _senders_contact(
    approach: Approach, posting: Any, owner: Organisation
) -> tuple[ContactSource, ContactDetails]:
    """What the sender had chosen to open, as it is now. Nobody is opened who does not act there any more."""
    sender = db.session.get_one(User, approach.sent_by_id)
    stays = sender.disabled_at is None and sender.id in queries.list_writer_ids(owner.id)
    chosen = approach.contact
    if chosen is ContactSource.PERSON and not stays:
        chosen = ContactSource.ORGANISATION
    found = contact_details(chosen, posting, owner, sender)
    if found is not None and (found.phone or found.email):
        return chosen, found
    if stays:
        # What was chosen is empty by now; an account always has an address.
        return ContactSource.PERSON, ContactDetails(sender.name, sender.phone, sender.email)
    raise Obstructed([Obstacle("contact", N_("对方目前没有可以开放的联系方式，请稍后再试"))])


def decline(approach: Approach, *, reason_code: str, reason: str, by: Actor, now: datetime) -> None:
    """Refuse, with a reason that the sender is told."""
    was = approach.status
    status = _advance(approach, "decline", by=by, now=now)
    side = Side.SUPPLIER if approach.kind is ApproachKind.INVITATION else Side.SEEKER
    if gaps := list(rules.reason_gaps(reason_code, reason, REASONS[side])):
        raise Obstructed(gaps)
    approach.status = ApproachStatus(status)
    approach.reason_code, approach.reason = Reason(reason_code), reason.strip()
    _settle(approach, by=by, now=now)
    _note("decline", approach, by=by, now=now, was=was, reason=f"{reason_code} {reason.strip()}".strip())
    events.record_answer(approach, agreed=False, by=by, now=now)
    title = queries.posting_of(approach).title
    letters.tell_of_answer(approach, title, by.organisation_name, at=now)


def withdraw(approach: Approach, *, reason: str, by: Actor, now: datetime) -> None:
    """Take back what nobody has answered."""
    was = approach.status
    status = _advance(approach, "withdraw", by=by, now=now)
    if gaps := list(
        obstacles_in(reason, field="reason", label=N_("说明"), limit=rules.LONGEST_REASON, multiline=True)
    ):
        raise Obstructed(gaps)
    approach.status, approach.reason = ApproachStatus(status), reason.strip()
    _settle(approach, by=by, now=now)
    _note("withdraw", approach, by=by, now=now, was=was, reason=reason.strip())
    title = queries.posting_of(approach).title
    letters.tell_of_withdrawal(approach, title, by.organisation_name, at=now)


def close_contact(approach: Approach, *, by: Actor, now: datetime) -> None:
    """Take one's own contact back from the other side; what was opened when stays on record."""
    if not (by.edits_for(approach.seeker_organisation_id) or by.edits_for(approach.supplier_organisation_id)):
        raise Forbidden(f"{approach.kind.value}.close_contact")
    own = next(
        (c for c in approach.contacts if by.belongs_to(c.owner_organisation_id) and c.closed_at is None), None
    )
    if own is None:
        raise InvalidTransition(approach.kind.value, approach.status.value, "close_contact")
    own.name = own.phone = own.email = ""
    own.closed_at, own.closed_by_name = now, by.name
    _note(
        "close_contact",
        approach,
        by=by,
        now=now,
        detail={"closed": {"owner": own.owner_organisation_id, "to": own.shown_to_organisation_id}},
    )


def contact_details(
    source: ContactSource, posting: Any, owner: Organisation, person: User
) -> ContactDetails | None:
    """What would be opened; None where there is no such contact."""
    if source is ContactSource.PERSON:
        return ContactDetails(person.name, person.phone, person.email)
    if source is ContactSource.ORGANISATION:
        return ContactDetails(owner.contact_name, owner.contact_phone, owner.contact_email)
    if isinstance(posting, Challenge) and posting.organisation_id == owner.id:
        return ContactDetails(posting.contact_name, posting.contact_phone, "")
    return None


# --- by the clock -----------------------------------------------------------------------------------------


def expire(approach: Approach, *, now: datetime) -> None:
    _end(approach, "expire", now=now)


def end(approach: Approach, *, now: datetime) -> None:
    """The posting is over, or one side may not act any more."""
    _end(approach, "end", now=now)


def remind(approach: Approach, *, now: datetime) -> None:
    """Ask the recipient once more; never twice."""
    if approach.status is not ApproachStatus.SENT or approach.reminded_at is not None:
        return
    approach.reminded_at = now
    _note("remind", approach, by=SYSTEM, now=now)
    letters.remind(approach, queries.posting_of(approach).title, at=now)


def _end(approach: Approach, action: str, *, now: datetime) -> None:
    was = approach.status
    approach.status = ApproachStatus(LIVES[approach.kind].advance(was, action, by=[Party.SYSTEM]))
    _settle(approach, by=SYSTEM, now=now)
    db.session.flush()
    _note(action, approach, by=SYSTEM, now=now, was=was)
    letters.tell_of_end(approach, queries.posting_of(approach).title, at=now)


# --- shared -----------------------------------------------------------------------------------------------


def parties_to(approach: Approach, actor: Actor) -> frozenset[Party]:
    """In what capacity somebody stands to an approach."""
    held = set()
    if actor.edits_for(approach.sender_organisation_id):
        held.add(Party.SENDER)
    if actor.edits_for(approach.recipient_organisation_id):
        held.add(Party.RECIPIENT)
    return frozenset(held)


def _advance(approach: Approach, action: str, *, by: Actor, now: datetime) -> str:
    """The clock is asked before the status: what ran out can be answered no more."""
    return LIVES[approach.kind].advance(queries.status_at(approach, now), action, by=parties_to(approach, by))


def _settle(approach: Approach, *, by: Actor, now: datetime) -> None:
    approach.settled_at, approach.settled_by_id = now, by.user_id
    approach.settled_by_name = "" if by.is_system else by.name


def _open(
    approach: Approach,
    owner: Organisation,
    to: Organisation,
    source: ContactSource,
    details: ContactDetails,
    *,
    now: datetime,
) -> None:
    db.session.add(
        OpenedContact(
            approach_id=approach.id,
            owner_organisation_id=owner.id,
            shown_to_organisation_id=to.id,
            source=source,
            name=details.name,
            phone=details.phone,
            email=details.email,
            opened_at=now,
        )
    )


def _note(
    action: str,
    approach: Approach,
    *,
    by: Actor,
    now: datetime,
    was: ApproachStatus | None = None,
    reason: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    record(
        f"{approach.kind.value}.{action}",
        approach.kind.value,
        approach.id,
        by=by,
        at=now,
        label=approach.public_no,
        organisation_id=approach.sender_organisation_id,
        from_status=was,
        to_status=approach.status,
        reason=reason,
        detail={"posting": f"{approach.posting_kind.value} {approach.posting_id}", **(detail or {})},
    )


def default_last_day(posting: Any, *, days: int, now: datetime) -> date:
    """So many days from today, or the posting's last day where that comes first."""
    day = business_date(now) + timedelta(days=days)
    ends = queries.ends_at(posting)
    return day if ends is None else min(day, last_business_day(ends))
