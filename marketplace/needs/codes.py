"""Which codes of the reference data needs carry, for the pages of what is posted under a code."""

from marketplace.kernel.texts import N_
from marketplace.needs import queries
from marketplace.needs.models import Need, NeedChainLink, NeedCluster
from marketplace.postings.codes import use_of
from marketplace.taxonomy.models import Scheme

USE = use_of(
    "need",
    N_("供需清单"),
    {
        Scheme.CLUSTER: (NeedCluster.code, NeedCluster.need_id),
        Scheme.CHAIN: (NeedChainLink.code, NeedChainLink.need_id),
        Scheme.INDUSTRY: (Need.industry, Need.id),
        Scheme.REGION: (Need.region, Need.id),
    },
    shown=lambda: queries.select_public().with_only_columns(Need.id),
    hall="needs.hall",
    filters=frozenset({Scheme.CLUSTER, Scheme.CHAIN, Scheme.INDUSTRY, Scheme.REGION}),
)
