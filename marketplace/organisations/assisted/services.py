"""What is done with consents and what is entered under them.

A consent is recorded before anything is entered, names how far it goes, and can end. Each entry is told to
the firm, which confirms it or objects; an objection takes what was published off again. A firm without an
account takes over by a link that is mailed to it, once and not for long.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from marketplace.audit.services import record
from marketplace.identity.credentials import hash_token, new_token
from marketplace.identity.queries import list_platform_users
from marketplace.kernel.actor import Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, NotFound, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import reason_gaps
from marketplace.notifications.services import send_letter, send_secret
from marketplace.notifications.words import told
from marketplace.organisations import holdings, queries
from marketplace.organisations.assisted import queries as assisted
from marketplace.organisations.kinds import ConsentChannel, OrganisationKind
from marketplace.organisations.lifecycle import ENTRY, EntryStatus, OrganisationStatus
from marketplace.organisations.members import queries as members
from marketplace.organisations.models import (
    AssistedConsent,
    AssistedEntry,
    Membership,
    MembershipStatus,
    Organisation,
)
from marketplace.organisations.rules import code_from

ORGANISATION = "organisation"
TAKEOVER_LASTS = timedelta(days=30)
OWN_ENTRIES = "/workbench/organisation#assisted"


@dataclass(frozen=True, slots=True)
class ConsentDraft:
    """Who agreed, how, when, and to what."""

    given_by: str
    given_on: date | None
    channel: ConsentChannel | None
    scope: tuple[str, ...]
    given_position: str = ""
    note: str = ""


def scopes() -> dict[str, str]:
    """What a consent may cover, with its names: the organisation, and what features let be entered."""
    entered = {keeper.kind: keeper.label for keeper in holdings.keepers() if keeper.entry_endpoint}
    return {ORGANISATION: N_("单位信息"), **entered}


def _obstacles(draft: ConsentDraft, *, today: date) -> list[Obstacle]:
    found = []
    if not draft.given_by.strip():
        found.append(Obstacle("given_by", N_("请填写“同意人”")))
    if draft.given_on is None:
        found.append(Obstacle("given_on", N_("请填写“同意日期”")))
    elif draft.given_on > today:
        found.append(Obstacle("given_on", N_("“同意日期”不能晚于今天")))
    if draft.channel is None:
        found.append(Obstacle("channel", N_("请选择“同意方式”")))
    if not draft.scope:
        found.append(Obstacle("scope", N_("请至少选择一项“同意范围”")))
    return found


def record_consent(
    organisation: Organisation, draft: ConsentDraft, *, by: Actor, now: datetime
) -> AssistedConsent:
    """Note that a firm agreed. Raises Obstructed with all that is missing."""
    if not by.is_operator:
        raise Forbidden("assisted.record")
    if obstacles := _obstacles(draft, today=business_date(now)):
        raise Obstructed(obstacles)
    assert draft.given_on is not None
    assert draft.channel is not None
    consent = AssistedConsent(
        organisation_id=organisation.id,
        given_by=draft.given_by.strip(),
        given_position=draft.given_position.strip(),
        given_on=draft.given_on,
        channel=draft.channel,
        scope=list(draft.scope),
        note=draft.note.strip(),
        recorded_by_id=by.user_id,
        recorded_at=now,
        organisation=organisation,
    )
    db.session.add(consent)
    db.session.flush()
    _note_consent("record", consent, by=by, now=now, detail={"scope": list(draft.scope)})
    return consent


def start_for(
    name: str, uscc: str, draft: ConsentDraft, *, by: Actor, now: datetime
) -> tuple[AssistedConsent, bool]:
    """Record a consent for the firm with this code, which is begun where nobody has registered it yet.

    Gives the consent and whether the firm is new. Raises Obstructed with all that is wrong or missing.
    """
    if not by.is_operator:
        raise Forbidden("assisted.record")
    obstacles = _obstacles(draft, today=business_date(now))
    try:
        code = code_from(uscc)
    except ValueError as error:
        obstacles.insert(0, Obstacle("uscc", str(error)))
    if not name.strip():
        obstacles.insert(0, Obstacle("name", N_("请填写“单位名称”")))
    if obstacles:
        raise Obstructed(obstacles)
    found = queries.find_registered(code) or assisted.find_assisted_draft(code)
    if found is not None:
        return record_consent(queries.get_for_change(found.id, viewer=by), draft, by=by, now=now), False
    if ORGANISATION not in draft.scope:
        raise Obstructed([Obstacle("scope", N_("该单位尚未注册，“同意范围”须包含“单位信息”"))])
    organisation = Organisation(
        name=name.strip(),
        uscc=code,
        kind=OrganisationKind.ENTERPRISE,
        status=OrganisationStatus.DRAFT,
        created_at=now,
    )
    db.session.add(organisation)
    db.session.flush()
    record(
        "organisation.register",
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        to_status=organisation.status,
        detail={"assisted": True},
    )
    consent = record_consent(organisation, draft, by=by, now=now)
    _enter(consent, ORGANISATION, organisation.id, by=by, now=now)
    return consent, True


def end_consent(consent: AssistedConsent, *, by: Actor, now: datetime) -> None:
    """Nothing more is entered under it; what was entered stays."""
    if not by.is_operator and not by.manages(consent.organisation_id):
        raise Forbidden("assisted.end")
    if consent.ended_at is None:
        consent.ended_at, consent.takeover_hash = now, None
        _note_consent("end", consent, by=by, now=now)


def acting_for_firm(consent: AssistedConsent, kind: str, *, by: Actor) -> Actor:
    """The operator as who enters this kind of thing for the firm: nothing else is done as this actor."""
    if not by.is_operator:
        raise Forbidden("assisted.enter")
    if consent.ended_at is not None or kind not in consent.scope:
        raise Forbidden(f"assisted.enter {kind}")
    organisation = consent.organisation
    return replace(
        by,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        organisation_role=OrganisationRole.EDITOR,
        organisation_verified=organisation.status is OrganisationStatus.VERIFIED,
    )


def note_entry(consent: AssistedConsent, kind: str, subject_id: int, *, by: Actor, now: datetime) -> None:
    """Mark what was entered and tell the firm; in the same transaction as the entry itself."""
    _enter(consent, kind, subject_id, by=by, now=now)
    tell_firm(consent, by=by, now=now)


def _enter(consent: AssistedConsent, kind: str, subject_id: int, *, by: Actor, now: datetime) -> None:
    entry = AssistedEntry(
        consent_id=consent.id,
        organisation_id=consent.organisation_id,
        subject_kind=kind,
        subject_id=subject_id,
        status=EntryStatus.WAITING,
        entered_at=now,
        consent=consent,
    )
    db.session.add(entry)
    db.session.flush()
    _note_entry("enter", entry, by=by, now=now)


def tell_firm(consent: AssistedConsent, *, by: Actor, now: datetime) -> bool:
    """Write to the firm's managers, or mail the link to take over; whether anybody could be told."""
    organisation = consent.organisation
    subject = told(N_("平台代 %(name)s 录入了内容"), name=organisation.name)
    if managers := queries.list_manager_ids(organisation.id):
        body = N_("平台管理员按贵单位的同意代为录入了内容，请在“我的单位”逐项确认，如有不符请提出异议。")
        send_letter(managers, "assisted.entered", subject, body, OWN_ENTRIES, at=now)
        return True
    if not organisation.contact_email:
        return False
    token = new_token()
    consent.takeover_hash, consent.takeover_expires_at = hash_token(token), now + TAKEOVER_LASTS
    _note_consent("invite", consent, by=by, now=now)
    send_secret(
        kind="assisted.takeover",
        subject=subject,
        body=told(
            N_(
                "平台管理员经 %(who)s 于 %(day)s 同意，代贵单位录入了内容。"
                "请打开下面的链接接管单位账户，并逐项确认或提出异议；链接 30 天内有效，只能使用一次。"
            ),
            who=consent.given_by,
            day=consent.given_on.isoformat(),
        ),
        link=f"/takeover/{token}",
        at=now,
        address=organisation.contact_email,
    )
    return True


def open_takeover(token: str, *, now: datetime) -> AssistedConsent:
    """The consent that a mailed link belongs to; raises NotFound where it was used or is too old."""
    consent = assisted.find_by_takeover(hash_token(token))
    if consent is None or consent.takeover_expires_at is None or consent.takeover_expires_at <= now:
        raise NotFound("takeover")
    return consent


def take_over(token: str, *, by: Actor, now: datetime) -> Organisation:
    """Make who holds the link the manager of a firm that has none. The link is spent with it."""
    if by.user_id is None or by.platform_role is not None:
        raise Forbidden("assisted.take_over")
    consent = open_takeover(token, now=now)
    queries.lock_organisation(consent.organisation_id)
    organisation = consent.organisation
    if queries.list_manager_ids(organisation.id):
        raise Obstructed([Obstacle("", N_("该单位已有管理员，请向其申请加入"))])
    # Who had been disabled too: the link was mailed to the firm itself, and anybody may take over with it.
    membership = members.find_membership(by.user_id, organisation_id=organisation.id)
    if membership is None:
        membership = Membership(organisation_id=organisation.id, user_id=by.user_id, requested_at=now)
        db.session.add(membership)
    membership.role, membership.status = OrganisationRole.MANAGER, MembershipStatus.ACTIVE
    membership.decided_at = now
    consent.takeover_hash = None
    db.session.flush()
    record(
        "membership.take_over",
        "membership",
        membership.id,
        by=by,
        at=now,
        label=f"{by.name} · {organisation.name}",
        organisation_id=organisation.id,
        to_status=membership.status,
        detail={"role": membership.role.value},
        covers=[("assisted_consent", consent.id)],
    )
    return organisation


def confirm_entry(entry: AssistedEntry, *, by: Actor, now: datetime) -> None:
    _answer(entry, "confirm", "", by=by, now=now)


def object_to_entry(entry: AssistedEntry, *, reason: str, by: Actor, now: datetime) -> None:
    """The firm does not stand by it: what was published is taken off, and the operators are told."""
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    _answer(entry, "object", reason.strip(), by=by, now=now)
    keeper = holdings.keeper_of(entry.subject_kind)
    if keeper is not None:
        keeper.end(entry.subject_id, reason=N_("单位对平台代录入的内容提出异议"), by=by, now=now)
    send_letter(
        list_platform_users(PlatformRole.OPERATOR),
        "assisted.objected",
        told(N_("%(name)s 对代录入内容提出异议"), name=by.organisation_name),
        told(N_("理由：%(reason)s"), reason=reason.strip()),
        f"/workbench/assisted/{entry.consent_id}",
        at=now,
    )


def _answer(entry: AssistedEntry, action: str, reason: str, *, by: Actor, now: datetime) -> None:
    before = entry.status
    status = ENTRY.advance(before, action, by=by.parties(entry.organisation_id))
    entry.status, entry.decided_at, entry.reason = EntryStatus(status), now, reason
    _note_entry(action, entry, by=by, now=now, before=before, reason=reason)


def _note_entry(
    action: str,
    entry: AssistedEntry,
    *,
    by: Actor,
    now: datetime,
    before: EntryStatus | None = None,
    reason: str = "",
) -> None:
    record(
        ENTRY.audit_type(action),
        "assisted_entry",
        entry.id,
        by=by,
        at=now,
        label=f"{entry.subject_kind} {entry.subject_id}",
        organisation_id=entry.organisation_id,
        from_status=before,
        to_status=entry.status,
        reason=reason,
        detail={"subject": [entry.subject_kind, entry.subject_id], "consent": entry.consent_id},
    )


def _note_consent(
    action: str,
    consent: AssistedConsent,
    *,
    by: Actor,
    now: datetime,
    detail: dict[str, object] | None = None,
) -> None:
    record(
        f"assisted_consent.{action}",
        "assisted_consent",
        consent.id,
        by=by,
        at=now,
        label=consent.organisation.name,
        organisation_id=consent.organisation_id,
        detail=detail,
    )
