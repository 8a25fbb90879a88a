"""What postings are asked whichever kind they are: how far their organisation is known."""

from datetime import datetime

from marketplace.kernel.dates import business_date
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
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
