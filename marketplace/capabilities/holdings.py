"""Capabilities as the page of their organisation knows them."""

from marketplace.capabilities import services
from marketplace.capabilities.lifecycle import LIFECYCLE, CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.queries import PUBLIC, public_at
from marketplace.kernel.texts import N_
from marketplace.postings.holdings import PostingKeeper

KEEPER = PostingKeeper(
    kind="capability",
    label=N_("能力成果"),
    order=30,
    entity=Capability,
    lifecycle=LIFECYCLE,
    endpoint="capabilities.show",
    is_open=public_at,
    readable=(*PUBLIC, CapabilityStatus.WITHDRAWN),
    collected=CapabilityStatus.COLLECTED,
    published=CapabilityStatus.PUBLISHED,
    withdraw=services.withdraw,
    until="expires_at",
    closed_label=N_("已到期"),
    entry_endpoint="capabilities.enter_for",
)
