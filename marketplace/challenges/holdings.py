"""Challenges as the page of their organisation knows them."""

from marketplace.challenges import services
from marketplace.challenges.lifecycle import LIFECYCLE, ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import READABLE, matched_at
from marketplace.kernel.texts import N_
from marketplace.postings.holdings import PostingKeeper

KEEPER = PostingKeeper(
    kind="challenge",
    label=N_("榜单"),
    order=10,
    entity=Challenge,
    lifecycle=LIFECYCLE,
    endpoint="challenges.show",
    is_open=matched_at,
    readable=READABLE,
    collected=ChallengeStatus.COLLECTED,
    published=ChallengeStatus.PUBLISHED,
    withdraw=services.withdraw,
    until="closes_at",
)
