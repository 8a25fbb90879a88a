"""Nothing leads nowhere: every link that a kind of person is shown is followed."""

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urldefrag, urlsplit

import pytest
from flask.testing import FlaskClient

from marketplace.kernel.actor import ANONYMOUS, Actor
from marketplace.matching import runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from tests.integration.portal.conftest import Market

MOST_PAGES = 120
# One page of each list's many states stands for all.
PARAMETERS_FOLLOWED = {"q", "scope", "mode", "next", "kind"}


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.found.append(values["href"] or "")
        if values.get("id"):
            self.anchors.add(values["id"] or "")


def is_ours_and_new_enough(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return False
    named = {pair.partition("=")[0] for pair in parts.query.split("&") if pair}
    return named <= PARAMETERS_FOLLOWED


def broken_links(client: FlaskClient, start: str) -> list[str]:
    """Addresses reached from `start` that answer with an error, and anchors that name nothing."""
    waiting, seen, broken = [start], {start}, []
    while waiting and len(seen) <= MOST_PAGES:
        address = waiting.pop(0)
        response = client.get(address)
        if response.status_code >= 400:
            broken.append(f"{address}: {response.status_code}")
        if response.status_code != 200 or response.mimetype != "text/html":
            continue
        links = Links()
        links.feed(response.text)
        for link in links.found:
            target, fragment = urldefrag(link)
            if not target and fragment not in links.anchors:
                broken.append(f"{address}: #{fragment}")
            if target and target not in seen and is_ours_and_new_enough(target):
                seen.add(target)
                waiting.append(target)
    return broken


@pytest.mark.parametrize("who", ["nobody", "newcomer", "leader", "sme", "stranger", "operator", "auditor"])
def test_every_link_that_somebody_is_shown_leads_somewhere(
    who: str, client: FlaskClient, market: Market, sign_in: Callable[[Actor], None]
) -> None:
    capability, challenge, need = market.capability(), market.challenge(), market.need()
    runs.place_capability(capability.id)
    runs.rank_seeker(Subject(PostingKind.CHALLENGE, challenge.id))
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    market.challenge(title="线控转向双绕组电机失效安全控制", publish=False)
    actor = ANONYMOUS if who == "nobody" else getattr(market, who)
    sign_in(actor)
    assert broken_links(client, "/") == []
    if actor.signed_in:
        assert broken_links(client, "/workbench") == []
