"""What is done with organisations: registered, verified, returned, suspended, taken in unclaimed."""

from datetime import datetime

from sqlalchemy import select

from marketplace.audit.services import record
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation, OrganisationKind


def create_unclaimed(name: str, *, by: Actor, now: datetime) -> Organisation:
    """The unclaimed organisation of that name, made if there is none; imports hang their postings on it."""
    found = db.session.scalar(
        select(Organisation).where(
            Organisation.name == name, Organisation.status == OrganisationStatus.UNCLAIMED
        )
    )
    if found is not None:
        return found
    organisation = Organisation(
        name=name,
        kind=OrganisationKind.ENTERPRISE,
        status=OrganisationStatus.UNCLAIMED,
        created_at=now,
    )
    db.session.add(organisation)
    db.session.flush()
    record("organisation.collect", "organisation", organisation.id, by=by, at=now, label=name)
    return organisation
