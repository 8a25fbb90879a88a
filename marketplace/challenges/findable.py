"""Challenges as they are found: their public texts and facts, and neither the annex nor a contact."""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import SECTIONS
from marketplace.kernel.db import db
from marketplace.kernel.texts import N_
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.search.sources import Document, Source, Standing, indicators_text, stamped

# The hall shows withdrawn ones with their reason; what was taken down is shown on no list.
FOUND = {
    ChallengeStatus.PUBLISHED: Standing.OPEN,
    ChallengeStatus.COLLECTED: Standing.COLLECTED,
    ChallengeStatus.WITHDRAWN: Standing.WITHDRAWN,
}


def select_found() -> Select[int, str, int]:
    found: Select[int, str, int] = (
        select(
            Challenge.id,
            stamped(Challenge.version, Challenge.status, Organisation.version, Organisation.status),
            Challenge.organisation_id.label("organisation_id"),
        )
        .join(Organisation, Organisation.id == Challenge.organisation_id)
        .where(Challenge.status.in_(FOUND), Organisation.status != OrganisationStatus.SUSPENDED)
    )
    return found


def read_documents(ids: Sequence[int]) -> list[Document]:
    statement = (
        select(Challenge)
        .options(
            joinedload(Challenge.organisation),
            selectinload(Challenge.indicators),
            selectinload(Challenge.clusters),
        )
        .where(Challenge.id.in_(ids))
        .order_by(Challenge.id)
    )
    return [_document(challenge) for challenge in db.session.scalars(statement)]


def _document(challenge: Challenge) -> Document:
    organisation = challenge.organisation
    indicators = indicators_text(row.as_indicator() for row in challenge.indicators)
    return Document(
        subject_id=challenge.id,
        public_no=challenge.public_no,
        title=challenge.title,
        text="\n".join(filter(None, (*(getattr(challenge, name) for name in SECTIONS), indicators))),
        organisation_id=challenge.organisation_id,
        standing=FOUND[challenge.status],
        published_at=challenge.published_at or challenge.created_at,
        keywords=tuple(challenge.keywords),
        names=(organisation.name, organisation.short_name, challenge.public_no),
        region=challenge.region or organisation.region or "",
        clusters=tuple(cluster.code for cluster in challenge.clusters),
        trl=challenge.trl_target,
        money_fen=challenge.budget_fen,
        closes_at=challenge.closes_at,
    )


SOURCE = Source(
    kind="challenge",
    label=N_("榜单"),
    order=10,
    entity=Challenge,
    public=select_found,
    read=read_documents,
    endpoint="challenges.show",
)
