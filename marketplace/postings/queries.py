"""What postings are asked whichever kind they are: how far their organisation is known, who is to hear."""

from datetime import datetime

from sqlalchemy import select

from marketplace.identity.models import User
from marketplace.kernel.actor import PlatformRole
from marketplace.kernel.db import db
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Membership, MembershipStatus, Organisation
from marketplace.organisations.queries import live_designations
from marketplace.postings import matchable


def standing_of(organisation: Organisation) -> str:
    if organisation.status is OrganisationStatus.VERIFIED:
        return matchable.VERIFIED
    if organisation.status is OrganisationStatus.UNCLAIMED:
        return matchable.COLLECTED
    return matchable.UNVERIFIED


def designations_of(organisation: Organisation, *, now: datetime) -> tuple[str, ...]:
    """The titles that count, as matching and pages know them."""
    return tuple(designation.kind.value for designation in live_designations(organisation, now=now))


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
