"""Which codes of the reference data organisations carry, for the pages that say who is under a code."""

from typing import Any

from flask import url_for
from sqlalchemy import Select, select

from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.organisations.models import Organisation, OrganisationCluster
from marketplace.organisations.queries import PUBLIC
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy import uses
from marketplace.taxonomy.models import Scheme


def _listed(_actor: Actor) -> Select[Any]:
    return select(Organisation.id).where(Organisation.status.in_(PUBLIC))


def _url(scheme: Scheme, code: str) -> str:
    if scheme is Scheme.CLUSTER and taxonomy.is_current(scheme, code):
        return url_for("organisations.hall", cluster=code)
    return ""


USE = uses.by_columns(
    "organisation",
    N_("单位"),
    {
        Scheme.CLUSTER: (OrganisationCluster.code, OrganisationCluster.organisation_id),
        Scheme.REGION: (Organisation.region, Organisation.id),
    },
    seen=_listed,
    url=_url,
)
