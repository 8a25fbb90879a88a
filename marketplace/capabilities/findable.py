"""Capabilities as they are found: their public texts and facts."""

from collections.abc import Sequence

from sqlalchemy import Select, select

from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.queries import PUBLIC, list_whole
from marketplace.kernel.texts import N_
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.search.sources import Document, Source, Standing, indicators_text, stamped


def select_found() -> Select[int, str, int]:
    found: Select[int, str, int] = (
        select(
            Capability.id,
            stamped(Capability.version, Capability.status, Organisation.version, Organisation.status),
            Capability.organisation_id.label("organisation_id"),
        )
        .join(Organisation, Organisation.id == Capability.organisation_id)
        .where(Capability.status.in_(PUBLIC), Organisation.status != OrganisationStatus.SUSPENDED)
    )
    return found


def read_documents(ids: Sequence[int]) -> list[Document]:
    return [_document(capability) for capability in list_whole(ids)]


def _document(capability: Capability) -> Document:
    organisation = capability.organisation
    certificates = "、".join(certificate.name for certificate in capability.certificates)
    parameters = indicators_text(row.as_indicator() for row in capability.parameters)
    return Document(
        subject_id=capability.id,
        public_no=capability.public_no,
        title=capability.title,
        text="\n".join(filter(None, (capability.summary, parameters, certificates))),
        organisation_id=capability.organisation_id,
        standing=Standing.COLLECTED if capability.status is CapabilityStatus.COLLECTED else Standing.OPEN,
        published_at=capability.published_at or capability.created_at,
        keywords=tuple(capability.keywords),
        names=(organisation.name, organisation.short_name, capability.public_no),
        region=capability.region or organisation.region or "",
        clusters=tuple(cluster.code for cluster in capability.clusters),
        trl=capability.trl,
    )


SOURCE = Source(
    kind="capability",
    label=N_("能力成果"),
    order=30,
    entity=Capability,
    public=select_found,
    read=read_documents,
    endpoint="capabilities.show",
)
