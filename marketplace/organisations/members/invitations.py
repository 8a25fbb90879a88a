"""Inviting people into an organisation: sent by mail with a link that works once, withdrawn, sent again,
accepted.

The link was mailed to one address. Whoever accepts it with an account of that address is in; whoever does so
with another account has only asked, and a manager decides: a link may have been handed on.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.identity import services as identity
from marketplace.identity.credentials import hash_token, new_token
from marketplace.identity.models import User
from marketplace.identity.queries import find_user_by_email
from marketplace.identity.services import PLACE_IN_PATH, SpentToken
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, InvalidTransition, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter, send_secret
from marketplace.notifications.words import told
from marketplace.organisations import queries as organisations
from marketplace.organisations.members import queries
from marketplace.organisations.members.models import MemberInvitation
from marketplace.organisations.members.rules import (
    INVITATION_LASTS,
    MOST_OPEN_INVITATIONS,
    InvitationState,
    state_of,
)
from marketplace.organisations.members.services import MEMBERS_PAGE, record_membership
from marketplace.organisations.models import Membership, MembershipStatus, Organisation

# --- the manager's acts -----------------------------------------------------------------------------------


def invite(
    organisation: Organisation, email: str, role: OrganisationRole, *, path: str, by: Actor, now: datetime
) -> MemberInvitation:
    """Mail an invitation. `path` is the page that the link leads to, with a place for the token."""
    if not by.manages(organisation.id) or by.user_id is None:
        raise Forbidden("member_invitation.send")
    organisations.lock_organisation(organisation.id)
    _refuse(_obstacle_to(email, organisation_id=organisation.id))
    if queries.count_invitations(organisation.id) >= MOST_OPEN_INVITATIONS:
        raise Obstructed(
            [
                Obstacle(
                    "email",
                    N_("等待接受的邀请最多 %(most)s 份，请先撤回不再需要的"),
                    {"most": MOST_OPEN_INVITATIONS},
                )
            ]
        )
    token = new_token()
    invitation = MemberInvitation(
        organisation_id=organisation.id,
        email=email,
        role=role,
        token_hash=hash_token(token),
        invited_by=by.user_id,
        invited_by_name=by.name,
        created_at=now,
        sent_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    db.session.add(invitation)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Obstructed([_invited_before()]) from error
    _record("send", invitation, organisation, by=by, now=now)
    _mail(invitation, organisation, token, path=path, now=now)
    return invitation


def _obstacle_to(email: str, *, organisation_id: int) -> Obstacle | None:
    if queries.find_invitation_to(email, organisation_id=organisation_id) is not None:
        return _invited_before()
    user = find_user_by_email(email)
    if user is None:
        return None
    membership = queries.find_membership(user.id, organisation_id=organisation_id)
    if membership is None:
        return None
    # Of a stranger's account nothing is told here: it would have to belong to the manager's own organisation.
    return Obstacle("email", N_("该邮箱的用户已是本单位成员，或已申请加入"))


def _invited_before() -> Obstacle:
    return Obstacle("email", N_("已邀请过该邮箱，可以在下方重新发送或撤回"))


def _refuse(obstacle: Obstacle | None) -> None:
    if obstacle is not None:
        raise Obstructed([obstacle])


def send_again(invitation: MemberInvitation, *, path: str, by: Actor, now: datetime) -> None:
    """Mail a new link in place of the former, which opens nothing any more; the time begins anew.

    From then on it is the invitation of who sent it last.
    """
    _check_unanswered(invitation, "resend", by=by, now=now)
    if by.user_id is None:
        raise Forbidden("member_invitation.resend")
    token = new_token()
    invitation.token_hash = hash_token(token)
    invitation.invited_by, invitation.invited_by_name = by.user_id, by.name
    invitation.sent_at, invitation.expires_at = now, now + INVITATION_LASTS
    invitation.times_sent += 1
    _record("resend", invitation, invitation.organisation, by=by, now=now)
    _mail(invitation, invitation.organisation, token, path=path, now=now)


def withdraw(invitation: MemberInvitation, *, by: Actor, now: datetime) -> None:
    """Take an invitation back; its link opens nothing from now on."""
    _check_unanswered(invitation, "withdraw", by=by, now=now)
    invitation.withdrawn_at = now
    _record("withdraw", invitation, invitation.organisation, by=by, now=now)


def _check_unanswered(invitation: MemberInvitation, action: str, *, by: Actor, now: datetime) -> None:
    if not by.manages(invitation.organisation_id):
        raise Forbidden(f"member_invitation.{action}")
    state = invitation_state(invitation, now=now)
    if state not in (InvitationState.OPEN, InvitationState.EXPIRED):
        raise InvalidTransition("member_invitation", state, action)


def invitation_state(invitation: MemberInvitation, *, now: datetime) -> InvitationState:
    return state_of(
        accepted_at=invitation.accepted_at,
        withdrawn_at=invitation.withdrawn_at,
        expires_at=invitation.expires_at,
        now=now,
    )


def list_with_states(
    organisation_id: int, *, now: datetime
) -> list[tuple[MemberInvitation, InvitationState]]:
    """Those not yet answered; one whose sender manages the organisation no more waits to be sent again."""
    managers = set(organisations.list_manager_ids(organisation_id))
    return [
        (one, invitation_state(one, now=now) if one.invited_by in managers else InvitationState.EXPIRED)
        for one in queries.list_invitations(organisation_id)
    ]


def _mail(
    invitation: MemberInvitation, organisation: Organisation, token: str, *, path: str, now: datetime
) -> None:
    days = INVITATION_LASTS.days
    send_secret(
        address=invitation.email,
        kind="membership.invitation",
        subject=told(
            N_("%(person)s 邀请您加入 %(name)s"), person=invitation.invited_by_name, name=organisation.name
        ),
        body=told(
            N_(
                "%(name)s 的 %(person)s 邀请您加入该单位。"
                "请在 %(days)s 天内打开下面的链接，用已有账号接受，或当场注册。链接只能使用一次。\n"
                "如果您不认识邀请人，请忽略本邮件。"
            ),
            name=organisation.name,
            person=invitation.invited_by_name,
            days=days,
        ),
        link=path.replace(PLACE_IN_PATH, token),
        at=now,
    )


# --- the invited person's acts ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of accepting: a member at once, or a request that a manager still has to confirm."""

    organisation_id: int
    organisation_name: str
    is_member: bool


def accept(token: str, user: User, *, by: Actor, now: datetime) -> Accepted:
    """Take an invitation up with an account. Raises SpentToken; of two who try at once one gets it."""
    if user.platform_role is not None or user.disabled_at is not None:
        raise Forbidden("member_invitation.accept")
    found = queries.find_live_invitation(token, now=now)
    if found is None:
        raise SpentToken("invitation")
    # As in every act that holds both: the organisation before what belongs to it.
    organisations.lock_organisation(found.organisation_id)
    _spend(found, user, now=now)
    organisation = found.organisation
    matches = user.email == found.email
    membership = queries.find_membership(user.id, organisation_id=organisation.id)
    if membership is None:
        membership = _enter(found, user, at_once=matches, now=now)
        action = "join" if matches else "request"
        record_membership(action, membership, organisation, name=user.name, by=by, now=now)
    elif membership.status is MembershipStatus.REQUESTED and matches:
        # They had asked by themselves; the manager's invitation is the answer.
        before = membership.status
        membership.status, membership.role, membership.decided_at = MembershipStatus.ACTIVE, found.role, now
        record_membership("join", membership, organisation, name=user.name, by=by, now=now, before=before)
    elif membership.status is not MembershipStatus.REQUESTED:
        raise Obstructed([Obstacle("", N_("您已是该单位成员；如被停用，请联系该单位管理员"))])
    _record("accept", found, organisation, by=by, now=now)
    is_member = membership.status is MembershipStatus.ACTIVE
    _tell_managers(found, user, organisation, is_member=is_member, now=now)
    return Accepted(organisation.id, organisation.name, is_member)


def _spend(invitation: MemberInvitation, user: User, *, now: datetime) -> None:
    won = db.session.execute(
        update(MemberInvitation)
        .where(
            MemberInvitation.id == invitation.id,
            MemberInvitation.token_hash == invitation.token_hash,
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.withdrawn_at.is_(None),
        )
        .values(accepted_at=now, accepted_by=user.id)
        .returning(MemberInvitation.id),
        execution_options={"synchronize_session": False},
    ).scalar_one_or_none()
    if won is None:
        raise SpentToken("the invitation was answered in this very moment")


def _enter(invitation: MemberInvitation, user: User, *, at_once: bool, now: datetime) -> Membership:
    membership = Membership(
        organisation_id=invitation.organisation_id,
        user_id=user.id,
        role=invitation.role,
        status=MembershipStatus.ACTIVE if at_once else MembershipStatus.REQUESTED,
        requested_at=now,
        decided_at=now if at_once else None,
    )
    db.session.add(membership)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise SpentToken("the person has just come in by another door") from error
    return membership


def _tell_managers(
    invitation: MemberInvitation, user: User, organisation: Organisation, *, is_member: bool, now: datetime
) -> None:
    if is_member:
        subject = told(N_("%(person)s 已接受邀请，加入 %(name)s"), person=user.name, name=organisation.name)
        body = N_("角色可以在“成员”页随时调整。")
    else:
        subject = told(N_("%(person)s 用另一个邮箱接受了邀请，等您确认"), person=user.name)
        body = told(
            N_("邀请发往 %(invited)s，接受的账号是 %(email)s。请核对本人身份后同意或拒绝。"),
            invited=invitation.email,
            email=user.email,
        )
    managers = organisations.list_manager_ids(organisation.id)
    send_letter(managers, "membership.invitation_accepted", subject, body, MEMBERS_PAGE, at=now)


def register_and_accept(
    token: str, *, name: str, phone: str, password_hash: str, now: datetime
) -> tuple[User, Accepted]:
    """Make an account for the address that the link was mailed to, and take the invitation up with it."""
    found = queries.find_live_invitation(token, now=now)
    if found is None or find_user_by_email(found.email) is not None:
        raise SpentToken("invitation")
    person = identity.Person(found.email, name, phone, password_hash)
    try:
        user = identity.create_user(person, by=Actor(), now=now)
    except IntegrityError as error:
        raise SpentToken("the address got an account in this very moment") from error
    return user, accept(token, user, by=identity.actor_of(user), now=now)


def _record(
    action: str, invitation: MemberInvitation, organisation: Organisation, *, by: Actor, now: datetime
) -> None:
    record(
        f"member_invitation.{action}",
        "member_invitation",
        invitation.id,
        by=by,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        detail={"role": invitation.role.value, "times_sent": invitation.times_sent},
    )
