"""Questions about claims and about what may be claimed."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func, or_, select

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.organisations.lifecycle import ClaimStatus, OrganisationStatus
from marketplace.organisations.models import Organisation, OrganisationClaim

MOST_CANDIDATES = 20


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The claimant's own; the platform sees all."""
    own = OrganisationClaim.claimant_id == (actor.organisation_id or 0)
    if actor.is_operator or actor.is_auditor:
        return OrganisationClaim.id.is_not(None)
    return own


def get_claim(claim_id: int, *, viewer: Actor) -> OrganisationClaim:
    statement = select(OrganisationClaim).where(OrganisationClaim.id == claim_id, visible_to(viewer))
    found = db.session.scalar(for_change(statement, OrganisationClaim))
    if found is None:
        raise NotFound(f"claim {claim_id}")
    return found


def get_claimable(organisation_id: int) -> Organisation:
    """A collected organisation; raises NotFound for every other."""
    statement = select(Organisation).where(
        Organisation.id == organisation_id, Organisation.status == OrganisationStatus.UNCLAIMED
    )
    found = db.session.scalar(for_change(statement, Organisation))
    if found is None:
        raise NotFound(f"organisation {organisation_id}")
    return found


def list_candidates(organisation: Organisation) -> list[Organisation]:
    """Collected organisations that are likely the same: by their code or by their name."""
    same_code = and_(Organisation.uscc.is_not(None), Organisation.uscc == organisation.uscc)
    statement = (
        select(Organisation)
        .where(
            Organisation.status == OrganisationStatus.UNCLAIMED,
            or_(same_code, Organisation.name_key == organisation.name_key),
        )
        .order_by(Organisation.id)
        .limit(MOST_CANDIDATES)
    )
    return list(db.session.scalars(statement))


def list_own(claimant_id: int) -> list[OrganisationClaim]:
    statement = (
        select(OrganisationClaim)
        .where(OrganisationClaim.claimant_id == claimant_id)
        .order_by(OrganisationClaim.id.desc())
        .limit(100)
    )
    return list(db.session.scalars(statement))


def find_open(organisation_id: int, claimant_id: int) -> OrganisationClaim | None:
    return db.session.scalar(
        select(OrganisationClaim).where(
            OrganisationClaim.organisation_id == organisation_id,
            OrganisationClaim.claimant_id == claimant_id,
            OrganisationClaim.status == ClaimStatus.OPEN,
        )
    )


def list_open_about(organisation_id: int) -> list[OrganisationClaim]:
    statement = select(OrganisationClaim).where(
        OrganisationClaim.organisation_id == organisation_id, OrganisationClaim.status == ClaimStatus.OPEN
    )
    return list(db.session.scalars(for_change(statement, OrganisationClaim)))


def page_claims(status: str, *, page: int) -> Page[OrganisationClaim]:
    """The operator's list; open ones the longest waiting first."""
    statement = select(OrganisationClaim)
    if status in set(ClaimStatus):
        statement = statement.where(OrganisationClaim.status == ClaimStatus(status))
    oldest_first = status == ClaimStatus.OPEN
    order = OrganisationClaim.id.asc() if oldest_first else OrganisationClaim.id.desc()
    return paginate(statement.order_by(order), page=page, per_page=20)


def count_by_status() -> dict[str, int]:
    rows = db.session.execute(
        select(OrganisationClaim.status, func.count()).group_by(OrganisationClaim.status)
    )
    return {status.value: count for status, count in rows}


def count_open() -> int:
    statement = select(func.count()).where(OrganisationClaim.status == ClaimStatus.OPEN)
    return db.session.scalar(statement) or 0


def existing(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(OrganisationClaim.id).where(OrganisationClaim.id.in_(ids))))
