"""What is done with those who belong to an organisation: asked, let in, given a role, disabled, gone.

Here: acts on memberships. Not here: invitations by mail (`invitations.py`), and the organisation itself.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.identity.queries import list_platform_users
from marketplace.kernel.actor import Actor, OrganisationRole, PlatformRole
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, InvalidTransition, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.organisations import queries
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Membership, MembershipStatus, Organisation

OWN_PAGE = "/workbench/organisation"
MEMBERS_PAGE = "/workbench/organisation/members"


def request_to_join(
    organisation: Organisation, *, role: OrganisationRole, by: Actor, now: datetime
) -> Membership:
    """Ask an organisation's managers, or where it has none the operators, to be let in."""
    if by.user_id is None or by.platform_role is not None or role is OrganisationRole.MANAGER:
        raise Forbidden("membership.request")
    if organisation.status in (OrganisationStatus.DRAFT, OrganisationStatus.UNCLAIMED):
        raise InvalidTransition("organisation", organisation.status, "join")
    twice = Obstacle("role", N_("您已申请或已加入该单位"))
    if queries.find_live_membership(by.user_id, organisation_id=organisation.id):
        raise Obstructed([twice])
    membership = Membership(
        organisation_id=organisation.id,
        user_id=by.user_id,
        role=role,
        status=MembershipStatus.REQUESTED,
        requested_at=now,
    )
    db.session.add(membership)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Obstructed([twice]) from error
    record_membership("request", membership, organisation, name=by.name, by=by, now=now)
    managers = queries.list_manager_ids(organisation.id)
    send_letter(
        managers or list_platform_users(PlatformRole.OPERATOR),
        "membership.requested",
        told(N_("%(person)s 申请加入 %(name)s"), person=by.name, name=organisation.name),
        N_("请核对申请人身份后同意或拒绝。"),
        MEMBERS_PAGE if managers else f"/workbench/verification/{organisation.id}",
        at=now,
    )
    return membership


def accept_member(membership: Membership, *, role: OrganisationRole, by: Actor, now: datetime) -> None:
    _decide_request(membership, MembershipStatus.ACTIVE, "accept", role=role, by=by, now=now)
    _tell_person(membership, N_("加入申请已通过"), N_("您已加入 %(name)s。"), now=now)


def decline_member(membership: Membership, *, by: Actor, now: datetime) -> None:
    _decide_request(membership, MembershipStatus.DECLINED, "decline", role=membership.role, by=by, now=now)
    _tell_person(membership, N_("加入申请未通过"), N_("您加入 %(name)s 的申请未通过。"), now=now)


def _decide_request(
    membership: Membership,
    status: MembershipStatus,
    action: str,
    *,
    role: OrganisationRole,
    by: Actor,
    now: datetime,
) -> None:
    if not by.manages(membership.organisation_id) and not by.is_operator:
        raise Forbidden(f"membership.{action}")
    if membership.status is not MembershipStatus.REQUESTED:
        raise InvalidTransition("membership", membership.status, action)
    before = membership.status
    membership.status, membership.role, membership.decided_at = status, role, now
    record_membership(
        action,
        membership,
        membership.organisation,
        name=membership.user.name,
        by=by,
        now=now,
        before=before,
    )


def change_role(membership: Membership, *, role: OrganisationRole, by: Actor, now: datetime) -> None:
    """Give a member another role. Raises Obstructed where the organisation would be without a manager."""
    _may_manage_member(membership, "change_role", by=by)
    if role is membership.role:
        return
    _keep_a_manager(membership)
    was = membership.role
    membership.role = role
    record_membership(
        "change_role",
        membership,
        membership.organisation,
        name=membership.user.name,
        by=by,
        now=now,
        before=membership.status,
        detail={"from": was.value, "to": role.value},
    )


def disable_member(membership: Membership, *, by: Actor, now: datetime) -> None:
    """Keep a member out from their next request on, without taking them off the list."""
    _may_manage_member(membership, "disable", by=by)
    if membership.user_id == by.user_id:
        raise Obstructed([Obstacle("role", N_("不能停用自己；需要离开时请退出单位"))])
    _keep_a_manager(membership)
    _move(membership, MembershipStatus.DISABLED, "disable", by=by, now=now)
    _tell_person(membership, N_("您在单位的成员资格已停用"), N_("您暂时不能代表 %(name)s。"), now=now)


def enable_member(membership: Membership, *, by: Actor, now: datetime) -> None:
    """Let a disabled member in again, in the role they had."""
    if not by.manages(membership.organisation_id):
        raise Forbidden("membership.enable")
    if membership.status is not MembershipStatus.DISABLED:
        raise InvalidTransition("membership", membership.status, "enable")
    _move(membership, MembershipStatus.ACTIVE, "enable", by=by, now=now)
    _tell_person(membership, N_("您在单位的成员资格已恢复"), N_("您可以重新代表 %(name)s。"), now=now)


def remove_member(membership: Membership, *, by: Actor, now: datetime) -> None:
    """Take a member out. Raises Obstructed for the last manager."""
    _may_manage_member(membership, "remove", by=by, also=MembershipStatus.DISABLED)
    _leave(membership, "remove", by=by, now=now)
    _tell_person(membership, N_("您已不再是单位成员"), N_("您已被移出 %(name)s。"), now=now)


def leave_organisation(membership: Membership, *, by: Actor, now: datetime) -> None:
    """Go by oneself, or take back a request."""
    if membership.user_id != by.user_id:
        raise Forbidden("membership.leave")
    if membership.status not in (MembershipStatus.ACTIVE, MembershipStatus.REQUESTED):
        raise InvalidTransition("membership", membership.status, "leave")
    _leave(membership, "leave", by=by, now=now)


def withdraw_request(membership: Membership, *, by: Actor, now: datetime) -> None:
    """Take back a request of one's own that nobody has answered."""
    if membership.user_id != by.user_id:
        raise Forbidden("membership.leave")
    if membership.status is not MembershipStatus.REQUESTED:
        raise InvalidTransition("membership", membership.status, "leave")
    _leave(membership, "leave", by=by, now=now)


def _leave(membership: Membership, action: str, *, by: Actor, now: datetime) -> None:
    _keep_a_manager(membership)
    _move(membership, MembershipStatus.LEFT, action, by=by, now=now)


def _move(membership: Membership, status: MembershipStatus, action: str, *, by: Actor, now: datetime) -> None:
    before = membership.status
    membership.status, membership.decided_at = status, now
    record_membership(
        action,
        membership,
        membership.organisation,
        name=membership.user.name,
        by=by,
        now=now,
        before=before,
    )


def _may_manage_member(
    membership: Membership, action: str, *, by: Actor, also: MembershipStatus | None = None
) -> None:
    if not by.manages(membership.organisation_id):
        raise Forbidden(f"membership.{action}")
    if membership.status not in (MembershipStatus.ACTIVE, also):
        raise InvalidTransition("membership", membership.status, action)


def _keep_a_manager(membership: Membership) -> None:
    if membership.status is not MembershipStatus.ACTIVE or membership.role is not OrganisationRole.MANAGER:
        return
    # Two managers who demote each other at once: the lock on the organisation puts them in order.
    queries.lock_organisation(membership.organisation_id)
    if queries.list_manager_ids(membership.organisation_id) == [membership.user_id]:
        raise Obstructed([Obstacle("role", N_("单位至少要有一名管理员，请先指定另一名管理员"))])


def record_membership(
    action: str,
    membership: Membership,
    organisation: Organisation,
    *,
    name: str,
    by: Actor,
    now: datetime,
    before: MembershipStatus | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    record(
        f"membership.{action}",
        "membership",
        membership.id,
        by=by,
        at=now,
        label=f"{name} · {organisation.name}",
        organisation_id=organisation.id,
        from_status=before,
        to_status=membership.status,
        detail={"role": membership.role.value, **(detail or {})},
    )


def _tell_person(membership: Membership, subject: str, body: str, *, now: datetime) -> None:
    name = membership.organisation.name
    send_letter([membership.user_id], "membership.decided", subject, told(body, name=name), OWN_PAGE, at=now)
