"""Which codes of the reference data challenges carry, for the pages of what is posted under a code."""

from sqlalchemy import select

from marketplace.challenges import queries
from marketplace.challenges.models import Challenge, ChallengeChainLink, ChallengeCluster
from marketplace.kernel.texts import N_
from marketplace.postings.codes import use_of
from marketplace.taxonomy.models import Scheme

USE = use_of(
    "challenge",
    N_("榜单"),
    {
        Scheme.CLUSTER: (ChallengeCluster.code, ChallengeCluster.challenge_id),
        Scheme.CHAIN: (ChallengeChainLink.code, ChallengeChainLink.challenge_id),
        Scheme.INDUSTRY: (Challenge.industry, Challenge.id),
        Scheme.REGION: (Challenge.region, Challenge.id),
    },
    shown=lambda: select(Challenge.id).where(Challenge.status.in_(queries.READABLE)),
    hall="challenges.hall",
    filters=frozenset({Scheme.CLUSTER, Scheme.CHAIN, Scheme.INDUSTRY, Scheme.REGION}),
)
