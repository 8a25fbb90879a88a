"""What is done with organisations: registered, verified, returned, suspended, taken in unclaimed. Each act
is audited and told to the people it concerns. Not here: what is done with members (`members/`).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.identity.queries import get_user_for_change, list_platform_users
from marketplace.kernel.actor import Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, InvalidTransition, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in, reason_gaps
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.organisations import licences, queries
from marketplace.organisations.kinds import OrganisationKind, OrganisationSize
from marketplace.organisations.lifecycle import LIFECYCLE, OrganisationStatus
from marketplace.organisations.models import (
    Designation,
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationCluster,
    OrganisationFigures,
)
from marketplace.organisations.rules import (
    DesignationDraft,
    OrganisationDraft,
    code_from,
    obstacles_at,
    obstacles_to_saving,
    obstacles_to_submitting,
)

OWN_PAGE = "/workbench/organisation"
# What is said beside one field.
LONGEST_FIELD_REASON = 300
TEXT_FIELDS = (
    "short_name", "address", "website", "summary", "contact_name", "contact_phone", "contact_email",
)  # fmt: skip
DESIGNATION_FIELDS = ("number", "issuer", "issued_on", "valid_to")
# What an operator has looked at; a verified organisation changes it only by way of an operator.
VERIFIED_FIELDS = ("name", "uscc", "kind")
# What shortlists take from an organisation itself, besides its standing and its confirmed titles.
RANKED_BY = frozenset({"size", "region"})
OPEN_TO_CHANGE = (
    OrganisationStatus.DRAFT,
    OrganisationStatus.RETURNED,
    OrganisationStatus.VERIFIED,
)


# --- registering ----------------------------------------------------------------------------------------


def start_registration(draft: OrganisationDraft, *, by: Actor, now: datetime) -> Organisation:
    """Begin a draft with its first manager.

    Raises Obstructed where the code is somebody's already, or where the person belongs somewhere or asks to.
    """
    if by.user_id is None or by.platform_role is not None:
        raise Forbidden("organisation.register")
    # A form sent twice registers once: the second waits here for the first, and then sees what it has done.
    get_user_for_change(by.user_id)
    if queries.find_live_membership(by.user_id):
        raise Obstructed([Obstacle("uscc", N_("您已登记或申请加入单位"))])
    _refuse(list(obstacles_to_saving(draft)))
    if draft.uscc and queries.find_registered(code_from(draft.uscc)):
        raise Obstructed([_already_registered()])
    organisation = Organisation(
        name=draft.name,
        kind=draft.kind or OrganisationKind.ENTERPRISE,
        status=OrganisationStatus.DRAFT,
        created_at=now,
    )
    db.session.add(organisation)
    _take_over(organisation, draft)
    db.session.flush()
    membership = Membership(
        organisation_id=organisation.id,
        user_id=by.user_id,
        role=OrganisationRole.MANAGER,
        status=MembershipStatus.ACTIVE,
        requested_at=now,
        decided_at=now,
    )
    db.session.add(membership)
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
        covers=[("membership", membership.id)],
    )
    return organisation


def _already_registered() -> Obstacle:
    return Obstacle("uscc", N_("该统一社会信用代码已注册，请申请加入该单位"))


def _refuse(obstacles: Collection[Obstacle]) -> None:
    if obstacles:
        raise Obstructed(obstacles)


def _check_version(organisation: Organisation, version: int) -> None:
    """Nobody overwrites, and no operator vouches for, what was written since they read it."""
    if organisation.version != version:
        raise StaleVersion(current_version=organisation.version)


def figures_of(organisation: Organisation) -> OrganisationFigures | None:
    """Staff and turnover, for its own people and for those who verify."""
    return db.session.get(OrganisationFigures, organisation.id)


def draft_of(organisation: Organisation) -> OrganisationDraft:
    """What an organisation declares, as plain facts, confidential figures included."""
    figures = figures_of(organisation)
    return OrganisationDraft(
        name=organisation.name,
        uscc=organisation.uscc,
        kind=organisation.kind,
        size=organisation.size,
        employees=figures.employees if figures else None,
        revenue_fen=figures.revenue_fen if figures else None,
        region=organisation.region,
        clusters=tuple(cluster.code for cluster in organisation.clusters),
        designations=tuple(
            DesignationDraft(d.kind, d.number, d.issuer, d.valid_to, d.issued_on)
            for d in organisation.designations
        ),
        **{name: getattr(organisation, name) for name in TEXT_FIELDS},
    )


def with_size(draft: OrganisationDraft, size: OrganisationSize) -> OrganisationDraft:
    return replace(draft, size=size)


def may_fill(organisation: Organisation, actor: Actor) -> bool:
    """Its manager, or an operator who enters it with its recorded consent."""
    return actor.manages(organisation.id) or licences.may_enter_for(organisation.id, actor)


def update_organisation(
    organisation: Organisation,
    draft: OrganisationDraft,
    *,
    version: int,
    by: Actor,
    now: datetime,
    step: str | None = None,
) -> None:
    """Save what was filled in, at one step or all at once.

    Raises StaleVersion where somebody saved since `version` was read. A verified organisation stays whole:
    of it a step is refused for what is missing there, not for what lapsed elsewhere.
    """
    if not may_fill(organisation, by):
        raise Forbidden("organisation.update")
    if organisation.status not in OPEN_TO_CHANGE:
        raise InvalidTransition("organisation", organisation.status, "update")
    _check_version(organisation, version)
    if organisation.status is OrganisationStatus.VERIFIED:
        draft = replace(draft, **{name: getattr(organisation, name) for name in VERIFIED_FIELDS})
        gaps = list(obstacles_to_submitting(draft, today=business_date(now)))
        _refuse(gaps if step is None else obstacles_at(step, gaps))
    _refuse(list(obstacles_to_saving(draft)))
    before, confirmed = draft_of(organisation), _confirmed_kinds(organisation)
    _take_over(organisation, draft)
    db.session.flush()
    after = draft_of(organisation)
    changed = [name for name in OrganisationDraft.__slots__ if getattr(before, name) != getattr(after, name)]
    if not changed:
        return
    organisation.version += 1
    record(
        "organisation.update",
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        detail={"fields": changed, "version": organisation.version, **_on_behalf(by)},
    )
    if not RANKED_BY.isdisjoint(changed) or _confirmed_kinds(organisation) != confirmed:
        _tell_matching(organisation)


def _on_behalf(by: Actor) -> dict[str, object]:
    """What an operator enters for a firm is marked in the trail."""
    return {"assisted": True} if by.is_operator else {}


def _tell_matching(organisation: Organisation) -> None:
    """What shortlists say of an organisation, or whether it stands on any, has changed."""
    defer("matching.organisation_changed", subject_id=organisation.id)


def _take_over(organisation: Organisation, draft: OrganisationDraft) -> None:
    organisation.name = draft.name
    organisation.uscc = code_from(draft.uscc) if draft.uscc else None
    organisation.kind = draft.kind or OrganisationKind.ENTERPRISE
    organisation.size = draft.size if organisation.kind is OrganisationKind.ENTERPRISE else None
    organisation.region = draft.region
    for name in TEXT_FIELDS:
        setattr(organisation, name, getattr(draft, name))
    kept = {cluster.code: cluster for cluster in organisation.clusters}
    organisation.clusters = [kept.get(code) or OrganisationCluster(code=code) for code in draft.clusters]
    _take_over_designations(organisation, draft)
    db.session.flush()
    _take_over_figures(organisation, draft)


def _take_over_figures(organisation: Organisation, draft: OrganisationDraft) -> None:
    figures = figures_of(organisation)
    if figures is None and draft.employees is None and draft.revenue_fen is None:
        return
    if figures is None:
        figures = OrganisationFigures(organisation_id=organisation.id)
        db.session.add(figures)
    figures.employees, figures.revenue_fen = draft.employees, draft.revenue_fen


def _take_over_designations(organisation: Organisation, draft: OrganisationDraft) -> None:
    """A designation that is declared otherwise than it was confirmed has to be confirmed again."""
    there = {designation.kind: designation for designation in organisation.designations}
    wanted = {designation.kind: designation for designation in draft.designations}
    for kind, designation in there.items():
        if kind not in wanted:
            organisation.designations.remove(designation)
    for kind, declared in wanted.items():
        found = there.get(kind)
        if found is None:
            found = Designation(kind=kind)
            organisation.designations.append(found)
        if any(getattr(found, name) != getattr(declared, name) for name in DESIGNATION_FIELDS):
            for name in DESIGNATION_FIELDS:
                setattr(found, name, getattr(declared, name))
            found.confirmed_at = found.reminded_days = found.lapsed_at = None


def submit_organisation(
    organisation: Organisation, *, by: Actor, now: datetime, version: int | None = None
) -> None:
    """Hand a complete draft to the operators. Raises StaleVersion where it is not the one that was read."""
    before = organisation.status
    status = LIFECYCLE.advance(before, "submit", by=by.parties(organisation.id))
    if not may_fill(organisation, by):
        raise Forbidden("organisation.submit")
    if version is not None:
        _check_version(organisation, version)
    obstacles = list(obstacles_to_submitting(draft_of(organisation), today=business_date(now)))
    obstacles += licences.obstacles_to_submitting(organisation)
    holder = queries.find_registered(organisation.uscc) if organisation.uscc else None
    if holder is not None and holder.id != organisation.id:
        obstacles.append(_already_registered())
    _refuse(obstacles)
    organisation.status, organisation.submitted_at = OrganisationStatus(status), now
    organisation.status_reason, organisation.return_reasons = "", {}
    try:
        db.session.flush()
    except IntegrityError as error:
        # Somebody else handed in the same code since it was looked for.
        raise Obstructed([_already_registered()]) from error
    _record_move("submit", organisation, before, by=by, now=now, detail=_on_behalf(by))
    send_letter(
        list_platform_users(PlatformRole.OPERATOR),
        "organisation.submitted",
        told(N_("有单位等待核验：%(name)s"), name=organisation.name),
        told(N_("%(name)s 提交了单位信息，请核验统一社会信用代码和申报的称号。"), name=organisation.name),
        f"/workbench/verification/{organisation.id}",
        at=now,
    )


def discard_draft(organisation: Organisation, *, by: Actor, now: datetime) -> None:
    """Give up a draft that was never submitted, so that its manager may register or join another."""
    if not by.manages(organisation.id) or organisation.submitted_at is not None:
        raise Forbidden("organisation.discard")
    if organisation.status is not OrganisationStatus.DRAFT:
        raise InvalidTransition("organisation", organisation.status, "discard")
    members = queries.list_members(organisation.id)
    for membership in members:
        membership.status, membership.decided_at = MembershipStatus.LEFT, now
    record(
        "organisation.discard",
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        from_status=organisation.status,
        covers=[("membership", membership.id) for membership in members],
    )


# --- the operator's acts --------------------------------------------------------------------------------


def verify_organisation(
    organisation: Organisation,
    *,
    confirmed: Collection[int],
    version: int,
    by: Actor,
    now: datetime,
    checked: Collection[str] = (),
) -> None:
    """Accept an organisation, and of its designations those with the ids in `confirmed`.

    `checked` names the points of the checklist that were ticked, for the record.
    Raises StaleVersion where it is not what the operator has read, as do all acts of the operator.
    """
    before = organisation.status
    status = LIFECYCLE.advance(before, "verify", by=by.parties(organisation.id))
    _check_version(organisation, version)
    organisation.status, organisation.verified_at = OrganisationStatus(status), now
    organisation.status_reason = ""
    organisation.return_reasons = {}
    kinds = _confirm(organisation, confirmed, now=now)
    detail: dict[str, object] = {"designations": kinds, "checked": list(checked)}
    _record_move("verify", organisation, before, by=by, now=now, detail=detail)
    _tell_managers(
        organisation,
        "organisation.verified",
        N_("单位已通过核验"),
        told(N_("%(name)s 已通过核验，可以发布能力和供需清单。"), name=organisation.name),
        now=now,
    )


def confirm_designations(
    organisation: Organisation, *, confirmed: Collection[int], version: int, by: Actor, now: datetime
) -> None:
    """Set anew which designations of a verified organisation count."""
    if not by.is_operator:
        raise Forbidden("organisation.confirm_designations")
    if organisation.status is not OrganisationStatus.VERIFIED:
        raise InvalidTransition("organisation", organisation.status, "confirm_designations")
    _check_version(organisation, version)
    counted = _confirmed_kinds(organisation)
    kinds = _confirm(organisation, confirmed, now=now)
    organisation.version += 1
    record(
        "organisation.confirm_designations",
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        detail={"designations": kinds},
    )
    if kinds != counted:
        _tell_matching(organisation)
    _tell_managers(
        organisation,
        "organisation.designations",
        N_("称号核对结果已更新"),
        told(N_("平台管理员更新了 %(name)s 的称号核对结果，请在“我的单位”查看。"), name=organisation.name),
        now=now,
    )


def _confirm(organisation: Organisation, confirmed: Collection[int], *, now: datetime) -> list[str]:
    for designation in organisation.designations:
        if designation.id not in confirmed:
            designation.confirmed_at = None
        elif designation.confirmed_at is None:
            designation.confirmed_at = now
    return _confirmed_kinds(organisation)


def _confirmed_kinds(organisation: Organisation) -> list[str]:
    return sorted(d.kind.value for d in organisation.designations if d.confirmed_at)


def return_organisation(
    organisation: Organisation,
    *,
    reason: str,
    version: int,
    by: Actor,
    now: datetime,
    field_reasons: Mapping[str, str] | None = None,
) -> None:
    """Send it back to be mended; `field_reasons` stand beside the fields that they are about."""
    said = dict(field_reasons or {})
    _refuse(
        [
            obstacle
            for name, text in said.items()
            for obstacle in obstacles_in(
                text, field=f"reason-{name}", label=N_("理由"), limit=LONGEST_FIELD_REASON, multiline=True
            )
        ]
    )
    if not reason.strip() and said:
        reason = N_("请按逐项意见补正")
    _decide(
        "return",
        organisation,
        N_("单位信息被退回补正"),
        reason=reason,
        version=version,
        by=by,
        now=now,
        detail={"fields": sorted(said)} if said else None,
    )
    organisation.return_reasons = said


def suspend_organisation(
    organisation: Organisation,
    *,
    reason: str,
    version: int,
    by: Actor,
    now: datetime,
    until: date | None = None,
) -> None:
    """Take its standing away, to the end of `until` or until an operator gives it back.

    What it has posted is hidden and off the shortlists meanwhile; nothing of it is lost.
    """
    if until is not None and until < business_date(now):
        raise Obstructed([Obstacle("until", N_("“暂停至”不能早于今天"))])
    _decide(
        "suspend",
        organisation,
        N_("单位资格已暂停"),
        reason=reason,
        version=version,
        by=by,
        now=now,
        more=_what_suspension_means(until),
        detail={"until": until.isoformat()} if until else None,
    )
    organisation.suspended_until = until
    _tell_matching(organisation)


def _what_suspension_means(until: date | None) -> str:
    end = (
        told(N_("暂停至 %(day)s，期满自动恢复。"), day=until.isoformat())
        if until
        else N_("恢复时间由平台通知。")
    )
    return N_("暂停期间，单位发布的榜单、需求和能力不再公开显示，也不参与匹配。") + end


def reinstate_organisation(
    organisation: Organisation, *, reason: str, version: int, by: Actor, now: datetime
) -> None:
    _decide(
        "reinstate",
        organisation,
        N_("单位资格已恢复"),
        reason=reason,
        version=version,
        by=by,
        now=now,
        more=N_("单位发布的内容重新公开显示并参与匹配。"),
    )
    organisation.suspended_until = None
    _tell_matching(organisation)


def _decide(
    action: str,
    organisation: Organisation,
    subject: str,
    *,
    reason: str,
    version: int,
    by: Actor,
    now: datetime,
    more: str = "",
    detail: dict[str, object] | None = None,
) -> None:
    before = organisation.status
    status = LIFECYCLE.advance(before, action, by=by.parties(organisation.id))
    _check_version(organisation, version)
    _refuse(list(reason_gaps(reason)))
    organisation.status = OrganisationStatus(status)
    organisation.status_reason = "" if status is OrganisationStatus.VERIFIED else reason
    _record_move(action, organisation, before, by=by, now=now, reason=reason, detail=detail)
    body = told(N_("理由：%(reason)s"), reason=reason)
    if more:
        body = body + "\n" + more
    _tell_managers(organisation, f"organisation.{status.value}", subject, body, now=now)


def _record_move(
    action: str,
    organisation: Organisation,
    before: OrganisationStatus,
    *,
    by: Actor,
    now: datetime,
    reason: str = "",
    detail: dict[str, object] | None = None,
) -> None:
    organisation.version += 1
    record(
        LIFECYCLE.audit_type(action),
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        from_status=before,
        to_status=organisation.status,
        reason=reason,
        detail=detail,
    )


def _tell_managers(organisation: Organisation, kind: str, subject: str, body: str, *, now: datetime) -> None:
    send_letter(queries.list_manager_ids(organisation.id), kind, subject, body, OWN_PAGE, at=now)


# --- collected ones -------------------------------------------------------------------------------------


def create_unclaimed(
    name: str,
    *,
    by: Actor,
    now: datetime,
    region: str | None = None,
    kind: OrganisationKind = OrganisationKind.ENTERPRISE,
) -> Organisation:
    """The unclaimed organisation of that name, made if there is none; imports hang their postings on it."""
    found = queries.find_unclaimed(name)
    if found is not None:
        return found
    organisation = Organisation(
        name=name,
        kind=kind,
        region=region,
        status=OrganisationStatus.UNCLAIMED,
        created_at=now,
    )
    db.session.add(organisation)
    db.session.flush()
    record(
        "organisation.collect",
        "organisation",
        organisation.id,
        by=by,
        at=now,
        label=name,
        to_status=organisation.status,
    )
    return organisation
