"""Needs as the page of their organisation knows them."""

from marketplace.kernel.texts import N_
from marketplace.needs import services
from marketplace.needs.lifecycle import LIFECYCLE, NeedStatus
from marketplace.needs.models import Need, NeedList
from marketplace.needs.queries import PUBLIC, open_at
from marketplace.postings.holdings import PostingKeeper

KEEPER = PostingKeeper(
    kind="need",
    label=N_("需求"),
    order=20,
    entity=Need,
    lifecycle=LIFECYCLE,
    endpoint="needs.show",
    is_open=open_at,
    readable=(*PUBLIC, NeedStatus.WITHDRAWN),
    collected=NeedStatus.COLLECTED,
    published=NeedStatus.PUBLISHED,
    withdraw=services.withdraw,
    until="expires_at",
    closed_label=N_("已到期"),
    entry_endpoint="needs.enter_for",
    takers=(NeedList,),
)
