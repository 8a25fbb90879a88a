"""The home page, the search box's target and the help pages, as anybody sees them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from marketplace.kernel import clock
from marketplace.portal import presenters, queries
from tests.integration.portal.conftest import Market


def test_the_home_page_counts_what_is_open_and_adds_up_the_budgets(market: Market) -> None:
    market.challenge()
    market.challenge(title="线控转向双绕组电机失效安全控制", publish=False)
    market.capability()
    market.need()
    figures = queries.get_figures(clock.now())
    assert (figures.open_challenges, figures.open_budget_fen) == (1, 8_000_000_00)
    assert (figures.capabilities, figures.needs, figures.organisations) == (1, 1, 3)


def test_the_home_page_shows_open_challenges_and_no_draft(client: FlaskClient, market: Market) -> None:
    shown = market.challenge()
    draft = market.challenge(title="不该出现的草稿题目", publish=False)
    page = client.get("/").text
    assert f"/challenges/{shown.public_no}" in page
    assert "渝川智驾科技有限公司" in page
    assert draft.title not in page


def test_what_closes_next_is_announced_nearest_first(client: FlaskClient, market: Market) -> None:
    later, sooner = market.challenge(days=60), market.challenge(days=27)
    now = clock.now()
    assert [c.id for c in queries.list_closing_challenges(now)] == [sooner.id, later.id]
    assert "最近截止" in client.get("/").text


def test_only_what_closes_within_a_week_is_called_this_week(market: Market) -> None:
    challenge = market.challenge(days=30)
    then = clock.now() + timedelta(days=24)
    assert presenters.is_this_week([presenters.with_days(challenge, now=then)])
    assert not presenters.is_this_week([presenters.with_days(challenge, now=clock.now())])


def test_leading_firms_are_listed_with_what_they_have_open(market: Market) -> None:
    market.challenge()
    market.need()
    leaders = queries.list_leaders(clock.now())
    assert [(firm.organisation_id, firm.challenges, firm.needs) for firm in leaders] == [
        (market.leader.organisation_id, 1, 1)
    ]


def test_a_hidden_price_is_not_on_the_home_page(client: FlaskClient, market: Market) -> None:
    market.need()
    page = client.get("/").text
    assert "滚珠丝杠副" in page
    assert not {"123.4567", "1,234,567", "1234567", "123456700"} & set(re.findall(r"[0-9.,]+", page))


def test_the_home_page_asks_the_same_number_of_questions_however_much_there_is(
    client: FlaskClient, market: Market, count_statements: Callable[[], Any]
) -> None:
    def add() -> None:
        market.challenge()
        market.capability()
        market.need()

    # A browser with a choice of its own is given a page that was not kept.
    client.set_cookie("display", "usual")
    add()
    client.get("/")
    with count_statements() as few:
        client.get("/")
    for _ in range(8):
        add()
    with count_statements() as many:
        client.get("/")
    assert len(many) == len(few)


@pytest.mark.parametrize("address", ["/guide", "/accessibility", "/site-map", "/ranking-rules"])
def test_help_is_there_for_anybody(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert "<h1>" in response.text


def test_the_published_rules_add_up_to_a_hundred(client: FlaskClient) -> None:
    page = client.get("/ranking-rules").text
    assert '<td class="num">100</td>' in page


def test_addresses_that_the_search_box_wrote_before_still_search(client: FlaskClient) -> None:
    page = client.get("/search", query_string={"scope": "needs", "q": " 线控制动 "})
    assert page.status_code == 200
    assert '<option value="need" selected>' in page.text
    assert 'value=" 线控制动 "' in page.text


def test_large_type_is_remembered_by_the_browser(client: FlaskClient) -> None:
    response = client.get("/display", query_string={"mode": "elder", "next": "/guide"})
    assert response.location == "/guide"
    assert 'class="elder"' in client.get("/guide").text
    client.get("/display", query_string={"mode": "standard", "next": "/guide"})
    assert 'class="elder"' not in client.get("/guide").text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.com/",
        "//example.com/",
        "/\\example.com",
        "javascript:alert(1)",
        "\t//example.com",
        "",
    ],
)
def test_nobody_is_led_to_another_site(client: FlaskClient, elsewhere: str) -> None:
    response = client.get("/display", query_string={"mode": "elder", "next": elsewhere})
    assert response.location == "/"
