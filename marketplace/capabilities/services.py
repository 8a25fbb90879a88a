"""What is done with capabilities: drafted, published, revised, withdrawn, taken down."""

from datetime import datetime

from marketplace.audit.services import record
from marketplace.capabilities.lifecycle import LIFECYCLE, CapabilityStatus
from marketplace.capabilities.models import (
    Capability,
    CapabilityChainLink,
    CapabilityCluster,
    CapabilityParameter,
    Certificate,
)
from marketplace.capabilities.rules import (
    VALIDITY,
    CapabilityDraft,
    CertificateDraft,
    obstacles_to_publishing,
)
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date, end_of_business_day
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed
from marketplace.kernel.numbering import next_number
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.postings import revisions
from marketplace.postings.codes import ended_codes
from marketplace.postings.models import RevisionAudience
from marketplace.postings.queries import is_in_good_standing
from marketplace.postings.rules import reason_gaps
from marketplace.postings.services import (
    replace_codes,
    replace_indicators,
    tell_appeal,
    tell_decision,
    tell_taken_down,
)
from marketplace.postings.versions import check_version

KIND = "capability"


def start_draft(draft: CapabilityDraft, *, by: Actor, now: datetime) -> Capability:
    """A new draft of the actor's own organisation."""
    if not by.is_editor or by.organisation_id is None:
        raise Forbidden("capability.create")
    capability = Capability(
        organisation_id=by.organisation_id,
        public_no=next_number("NL", now=now, width=5),
        status=CapabilityStatus.DRAFT,
        created_at=now,
        updated_at=now,
        parameters=[],
        certificates=[],
        clusters=[],
        chain_links=[],
    )
    _fill(capability, draft)
    db.session.add(capability)
    db.session.flush()
    _note("create", capability, by=by, now=now)
    _keep("create", capability, RevisionAudience.OWNER, by=by, now=now)
    return capability


def edit_draft(
    capability: Capability, draft: CapabilityDraft, *, version: int, by: Actor, now: datetime
) -> None:
    """Change a draft. Raises StaleVersion if somebody else changed it first."""
    LIFECYCLE.advance(capability.status, "edit", by=by.parties(capability.organisation_id))
    check_version(capability, version)
    _change(capability, draft, now=now)
    _note("edit", capability, by=by, now=now)
    _keep("edit", capability, RevisionAudience.OWNER, by=by, now=now)


def publish(capability: Capability, *, by: Actor, now: datetime) -> None:
    """Show a draft to everybody and have it placed on the shortlists that it fits."""
    was = capability.status
    status = LIFECYCLE.advance(was, "publish", by=by.parties(capability.organisation_id))
    _refuse(draft_of(capability), by=by)
    capability.status, capability.published_at = CapabilityStatus(status), now
    capability.expires_at = _valid_until(now)
    _note("publish", capability, by=by, now=now, was=was)
    _keep("publish", capability, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_to_be_placed(capability)


def revise(capability: Capability, draft: CapabilityDraft, *, version: int, by: Actor, now: datetime) -> None:
    """Change what is published; held to the same rules, and placed anew."""
    LIFECYCLE.advance(capability.status, "revise", by=by.parties(capability.organisation_id))
    check_version(capability, version)
    _refuse(draft, by=by)
    revisions.keep_first(KIND, capability, draft_of(capability))
    _change(capability, draft, now=now)
    capability.expires_at = _valid_until(now)
    _note("revise", capability, by=by, now=now)
    _keep("revise", capability, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_to_be_placed(capability)


def withdraw(capability: Capability, *, reason: str, by: Actor, now: datetime) -> None:
    _end(capability, "withdraw", reason=reason, by=by, now=now)


def renew(capability: Capability, *, by: Actor, now: datetime) -> None:
    """Let it count for longer, before or after it lapsed, with its text as it is; placed anew."""
    LIFECYCLE.advance(capability.status, "renew", by=by.parties(capability.organisation_id))
    _refuse(draft_of(capability), by=by)
    revisions.keep_first(KIND, capability, draft_of(capability))
    capability.expires_at = _valid_until(now)
    capability.version += 1
    capability.updated_at = now
    _note("renew", capability, by=by, now=now)
    _keep("renew", capability, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_to_be_placed(capability)


def take_down(capability: Capability, *, reason: str, by: Actor, now: datetime) -> None:
    """The operator removes what must not stand, and says why; the owner is told how to go on."""
    _end(capability, "take_down", reason=reason, by=by, now=now)
    tell_taken_down(capability, "capability", path=_path(capability), reason=reason.strip(), now=now)


def appeal(capability: Capability, *, reason: str, by: Actor, now: datetime) -> None:
    """Hand in again what was taken down, mended or with grounds against it."""
    was = capability.status
    status = LIFECYCLE.advance(was, "appeal", by=by.parties(capability.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    capability.status, capability.submitted_at = CapabilityStatus(status), now
    capability.appeal = reason.strip()
    _note("appeal", capability, by=by, now=now, was=was, reason=reason.strip())
    _keep("appeal", capability, RevisionAudience.PLATFORM, by=by, now=now)
    tell_appeal(capability, "capability", path=_path(capability), now=now)


def restore(capability: Capability, *, by: Actor, now: datetime) -> None:
    """Show it again as it now stands, and have it placed."""
    was = capability.status
    status = LIFECYCLE.advance(was, "restore", by=by.parties(capability.organisation_id))
    obstacles = list(obstacles_to_publishing(draft_of(capability)))
    if not is_in_good_standing(capability.organisation):
        obstacles.append(Obstacle("organisation", N_("单位已被暂停，恢复资格后才能发布")))
    if obstacles:
        raise Obstructed(obstacles)
    capability.status, capability.status_reason = CapabilityStatus(status), ""
    capability.appeal, capability.expires_at = "", _valid_until(now)
    capability.version += 1
    capability.updated_at = now
    _note("restore", capability, by=by, now=now, was=was)
    _keep("restore", capability, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_to_be_placed(capability)
    tell_decision(capability, "capability", path=_path(capability), restored=True, reason="", now=now)


def reject(capability: Capability, *, reason: str, by: Actor, now: datetime) -> None:
    """Leave it taken down, and say why once more."""
    was = capability.status
    status = LIFECYCLE.advance(was, "reject", by=by.parties(capability.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    capability.status, capability.status_reason = CapabilityStatus(status), reason.strip()
    _note("reject", capability, by=by, now=now, was=was, reason=reason.strip())
    tell_decision(
        capability, "capability", path=_path(capability), restored=False, reason=reason.strip(), now=now
    )


def draft_of(capability: Capability) -> CapabilityDraft:
    """The capability in the form that rules and forms speak of."""
    return CapabilityDraft(
        title=capability.title,
        kind=capability.kind,
        summary=capability.summary,
        trl=capability.trl,
        maturity=capability.maturity,
        ip_status=capability.ip_status,
        cooperation=tuple(capability.cooperation),
        keywords=tuple(capability.keywords),
        clusters=tuple(c.code for c in capability.clusters),
        chain_links=tuple(link.code for link in capability.chain_links),
        industry=capability.industry,
        region=capability.region,
        parameters=tuple(p.as_indicator() for p in capability.parameters),
        certificates=tuple(CertificateDraft(c.name, c.number, c.valid_to) for c in capability.certificates),
    )


def _valid_until(now: datetime) -> datetime:
    return end_of_business_day(business_date(now) + VALIDITY)


def _path(capability: Capability) -> str:
    return f"/capabilities/{capability.public_no}"


def _keep(
    action: str, capability: Capability, audience: RevisionAudience, *, by: Actor, now: datetime
) -> None:
    revisions.keep(KIND, capability, draft_of(capability), act=action, audience=audience, by=by, now=now)


def _refuse(draft: CapabilityDraft, *, by: Actor) -> None:
    obstacles = [*obstacles_to_publishing(draft), *ended_codes(draft)]
    if not by.organisation_verified:
        obstacles.append(Obstacle("organisation", N_("单位核验通过后才能发布")))
    if obstacles:
        raise Obstructed(obstacles)


def _end(capability: Capability, action: str, *, reason: str, by: Actor, now: datetime) -> None:
    was = capability.status
    status = LIFECYCLE.advance(was, action, by=by.parties(capability.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    capability.status, capability.withdrawn_at = CapabilityStatus(status), now
    capability.status_reason = reason.strip()
    _note(action, capability, by=by, now=now, was=was, reason=reason.strip())
    leave_shortlists(capability)


def leave_shortlists(capability: Capability) -> None:
    """What is withdrawn, taken down or has lapsed stands on no list."""
    defer(
        "matching.remove",
        subject_id=capability.id,
        version=capability.version,
        payload={"kind": "capability"},
    )


def _ask_to_be_placed(capability: Capability) -> None:
    defer(
        "matching.place_capability",
        subject_id=capability.id,
        version=capability.version,
        payload={"kind": "capability"},
    )


def _change(capability: Capability, draft: CapabilityDraft, *, now: datetime) -> None:
    _fill(capability, draft)
    capability.version += 1
    capability.updated_at = now


def _fill(capability: Capability, draft: CapabilityDraft) -> None:
    capability.title, capability.kind, capability.summary = draft.title, draft.kind, draft.summary
    capability.trl, capability.maturity, capability.ip_status = draft.trl, draft.maturity, draft.ip_status
    capability.cooperation, capability.keywords = list(draft.cooperation), list(draft.keywords)
    capability.industry, capability.region = draft.industry, draft.region
    replace_indicators(capability.parameters, CapabilityParameter, draft.parameters)
    replace_codes(capability.clusters, CapabilityCluster, draft.clusters)
    replace_codes(capability.chain_links, CapabilityChainLink, draft.chain_links)
    capability.certificates[:] = [
        Certificate(name=c.name, number=c.number, valid_to=c.valid_to) for c in draft.certificates
    ]


def _note(
    action: str,
    capability: Capability,
    *,
    by: Actor,
    now: datetime,
    was: CapabilityStatus | None = None,
    reason: str = "",
) -> None:
    record(
        LIFECYCLE.audit_type(action),
        "capability",
        capability.id,
        by=by,
        at=now,
        # The trail is read by others: a title counts only once it has been published.
        label=capability.public_no if capability.published_at is None else capability.title,
        organisation_id=capability.organisation_id,
        from_status=was or (None if action == "create" else capability.status),
        to_status=capability.status,
        reason=reason,
        detail={"version": capability.version},
    )
