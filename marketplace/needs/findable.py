"""Lines of need lists as they are found: their public texts and facts. A hidden price has no part in it."""

from collections.abc import Sequence

from sqlalchemy import Select, select

from marketplace.kernel.texts import N_
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need
from marketplace.needs.queries import PUBLIC, list_whole
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.search.sources import Document, Source, Standing, indicators_text, stamped


def select_found() -> Select[int, str, int]:
    found: Select[int, str, int] = (
        select(
            Need.id,
            stamped(Need.version, Need.status, Organisation.version, Organisation.status),
            Need.organisation_id.label("organisation_id"),
        )
        .join(Organisation, Organisation.id == Need.organisation_id)
        .where(Need.status.in_(PUBLIC), Organisation.status != OrganisationStatus.SUSPENDED)
    )
    return found


def read_documents(ids: Sequence[int]) -> list[Document]:
    return [_document(need) for need in list_whole(ids)]


def _document(need: Need) -> Document:
    organisation = need.organisation
    return Document(
        subject_id=need.id,
        public_no=need.public_no,
        title=need.title,
        text="\n".join(
            filter(
                None,
                (
                    need.specification,
                    need.qualification,
                    indicators_text(row.as_indicator() for row in need.indicators),
                ),
            )
        ),
        organisation_id=need.organisation_id,
        standing=Standing.COLLECTED if need.status is NeedStatus.COLLECTED else Standing.OPEN,
        published_at=need.published_at or need.created_at,
        keywords=tuple(need.keywords),
        names=(organisation.name, organisation.short_name, need.public_no),
        region=need.region or organisation.region or "",
        clusters=tuple(cluster.code for cluster in need.clusters),
        money_fen=need.max_price_fen,
        closes_at=need.expires_at,
    )


SOURCE = Source(
    kind="need",
    label=N_("供需清单"),
    order=20,
    entity=Need,
    public=select_found,
    read=read_documents,
    endpoint="needs.show",
)
