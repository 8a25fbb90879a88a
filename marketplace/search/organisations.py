"""Organisations as they are found: the source of the one kind that lies below search itself."""

from collections.abc import Sequence

from sqlalchemy import Select, select

from marketplace.kernel.db import db
from marketplace.kernel.texts import N_
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.search.sources import Document, Source, Standing, stamped

# A suspended one keeps its page, but nobody is led there.
FOUND = (OrganisationStatus.VERIFIED, OrganisationStatus.UNCLAIMED)


def select_found() -> Select[int, str, int]:
    found: Select[int, str, int] = select(
        Organisation.id,
        stamped(Organisation.version, Organisation.status),
        Organisation.id.label("organisation_id"),
    ).where(Organisation.status.in_(FOUND))
    return found


def read_documents(ids: Sequence[int]) -> list[Document]:
    rows = db.session.scalars(select(Organisation).where(Organisation.id.in_(ids)).order_by(Organisation.id))
    return [_document(row) for row in rows]


def _document(organisation: Organisation) -> Document:
    verified = organisation.status is OrganisationStatus.VERIFIED
    return Document(
        subject_id=organisation.id,
        public_no=str(organisation.id),
        title=organisation.name,
        text=organisation.summary,
        organisation_id=organisation.id,
        standing=Standing.VERIFIED if verified else Standing.COLLECTED,
        published_at=organisation.verified_at or organisation.created_at,
        keywords=(organisation.short_name,) if organisation.short_name else (),
        names=(organisation.uscc,) if organisation.uscc else (),
        region=organisation.region or "",
        clusters=tuple(cluster.code for cluster in organisation.clusters),
    )


SOURCE = Source(
    kind="organisation",
    label=N_("单位"),
    order=40,
    entity=Organisation,
    public=select_found,
    read=read_documents,
    endpoint="organisations.show",
    by_number=False,
)
