"""Which codes of the reference data capabilities carry, for the pages of what is posted under a code."""

from marketplace.capabilities import queries
from marketplace.capabilities.models import Capability, CapabilityChainLink, CapabilityCluster
from marketplace.kernel.texts import N_
from marketplace.postings.codes import use_of
from marketplace.taxonomy.models import Scheme

USE = use_of(
    "capability",
    N_("能力成果"),
    {
        Scheme.CLUSTER: (CapabilityCluster.code, CapabilityCluster.capability_id),
        Scheme.CHAIN: (CapabilityChainLink.code, CapabilityChainLink.capability_id),
        Scheme.INDUSTRY: (Capability.industry, Capability.id),
        Scheme.REGION: (Capability.region, Capability.id),
    },
    shown=lambda: queries.select_public().with_only_columns(Capability.id),
    hall="capabilities.hall",
    filters=frozenset({Scheme.CLUSTER, Scheme.CHAIN, Scheme.REGION}),
)
