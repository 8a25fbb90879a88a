"""Reading members and invitations. Who acts for what is asked of `organisations.queries`."""

from datetime import datetime

from sqlalchemy import case, exists, func, select

from marketplace.identity.credentials import hash_token
from marketplace.identity.models import User
from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.db import db, for_change, in_transaction
from marketplace.kernel.errors import NotFound
from marketplace.organisations.members.models import MemberInvitation
from marketplace.organisations.models import Membership, MembershipStatus
from marketplace.organisations.queries import lock_organisation

MOST_LISTED = 500
IN_THE_LIST = (MembershipStatus.REQUESTED, MembershipStatus.ACTIVE, MembershipStatus.DISABLED)


def list_all(organisation_id: int) -> list[Membership]:
    """Those who ask to belong, those who do, managers first, and those who are disabled."""
    status = case(
        (Membership.status == MembershipStatus.REQUESTED, 0),
        (Membership.status == MembershipStatus.ACTIVE, 1),
        else_=2,
    )
    role = case(
        (Membership.role == OrganisationRole.MANAGER, 0),
        (Membership.role == OrganisationRole.EDITOR, 1),
        else_=2,
    )
    return list(
        db.session.scalars(
            select(Membership)
            .where(Membership.organisation_id == organisation_id, Membership.status.in_(IN_THE_LIST))
            .order_by(status, role, Membership.id)
            .limit(MOST_LISTED)
        )
    )


def list_of_person(user_id: int) -> list[Membership]:
    """Where a person belongs, asks to belong, or has been disabled."""
    return list(
        db.session.scalars(
            select(Membership)
            .where(Membership.user_id == user_id, Membership.status.in_(IN_THE_LIST))
            .order_by(Membership.status, Membership.id)
        )
    )


def get_own_request(membership_id: int, *, user_id: int) -> Membership:
    """A person's own request to join; held to the end of a transaction."""
    mine = Membership.user_id == user_id
    found = db.session.scalar(
        for_change(select(Membership).where(Membership.id == membership_id, mine), Membership)
    )
    if found is None:
        raise NotFound(f"membership {membership_id}")
    return found


# --- invitations ------------------------------------------------------------------------------------------


def list_invitations(organisation_id: int) -> list[MemberInvitation]:
    """Those not yet answered, the latest first, expired ones among them: they may be sent again."""
    return list(
        db.session.scalars(
            select(MemberInvitation)
            .where(
                MemberInvitation.organisation_id == organisation_id,
                MemberInvitation.accepted_at.is_(None),
                MemberInvitation.withdrawn_at.is_(None),
            )
            .order_by(MemberInvitation.sent_at.desc(), MemberInvitation.id.desc())
            .limit(MOST_LISTED)
        )
    )


def count_invitations(organisation_id: int) -> int:
    statement = select(func.count()).where(
        MemberInvitation.organisation_id == organisation_id,
        MemberInvitation.accepted_at.is_(None),
        MemberInvitation.withdrawn_at.is_(None),
    )
    return db.session.scalar(statement) or 0


def get_invitation(invitation_id: int, *, organisation_id: int) -> MemberInvitation:
    """An invitation of one's own organisation; inside a transaction held to its end."""
    if in_transaction():
        # Before the invitation, as in every act that holds both.
        lock_organisation(organisation_id)
    statement = select(MemberInvitation).where(
        MemberInvitation.id == invitation_id, MemberInvitation.organisation_id == organisation_id
    )
    found = db.session.scalar(for_change(statement, MemberInvitation))
    if found is None:
        raise NotFound(f"invitation {invitation_id}")
    return found


def find_invitation_to(email: str, *, organisation_id: int) -> MemberInvitation | None:
    """The unanswered invitation of an address, in time or not."""
    return db.session.scalar(
        select(MemberInvitation).where(
            MemberInvitation.organisation_id == organisation_id,
            MemberInvitation.email == email,
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.withdrawn_at.is_(None),
        )
    )


def find_live_invitation(token: str, *, now: datetime) -> MemberInvitation | None:
    """What a link stands for, as long as it may be accepted and who sent it manages the organisation.

    Whoever is put out must not come in again by a link that they had sent to themself.
    """
    managed = exists().where(
        Membership.organisation_id == MemberInvitation.organisation_id,
        Membership.user_id == MemberInvitation.invited_by,
        Membership.status == MembershipStatus.ACTIVE,
        Membership.role == OrganisationRole.MANAGER,
        User.id == Membership.user_id,
        User.disabled_at.is_(None),
    )
    return db.session.scalar(
        select(MemberInvitation).where(
            MemberInvitation.token_hash == hash_token(token),
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.withdrawn_at.is_(None),
            MemberInvitation.expires_at > now,
            managed,
        )
    )


def find_membership(user_id: int, *, organisation_id: int) -> Membership | None:
    """Where a person stands in one organisation, also disabled; held to the end of a transaction."""
    lock_organisation(organisation_id)
    statement = select(Membership).where(
        Membership.user_id == user_id,
        Membership.organisation_id == organisation_id,
        Membership.status.in_(IN_THE_LIST),
    )
    return db.session.scalar(for_change(statement, Membership))
