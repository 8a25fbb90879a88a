"""What postings are asked whichever kind they are: how far their organisation is known, who is to hear."""

from datetime import datetime

from sqlalchemy import select

from marketplace.identity.models import User
from marketplace.kernel.actor import PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Membership, MembershipStatus, Organisation
from marketplace.postings import matchable


def standing_of(organisation: Organisation) -> str:
    if organisation.status is OrganisationStatus.VERIFIED:
        return matchable.VERIFIED
    if organisation.status is OrganisationStatus.UNCLAIMED:
        return matchable.COLLECTED
    return matchable.UNVERIFIED


def designations_of(organisation: Organisation, *, now: datetime) -> tuple[str, ...]:
    """The titles that count: confirmed by an operator and not run out."""
    today = business_date(now)
    return tuple(
        d.kind.value
        for d in organisation.designations
        if d.confirmed_at is not None and (d.valid_to is None or d.valid_to >= today)
    )


def is_in_good_standing(organisation: Organisation) -> bool:
    """Whether what an organisation posted is still to be matched."""
    return organisation.status is not OrganisationStatus.SUSPENDED


def list_member_ids(organisation_id: int) -> list[int]:
    """The people who are to hear of what happens to an organisation's postings."""
    return list(
        db.session.scalars(
            select(Membership.user_id)
            .where(
                Membership.organisation_id == organisation_id, Membership.status == MembershipStatus.ACTIVE
            )
            .order_by(Membership.user_id)
        )
    )


def list_operator_ids() -> list[int]:
    return list(
        db.session.scalars(
            select(User.id)
            .where(User.platform_role == PlatformRole.OPERATOR, User.disabled_at.is_(None))
            .order_by(User.id)
        )
    )
