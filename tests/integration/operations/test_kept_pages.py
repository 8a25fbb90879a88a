"""Pages kept for visitors: as new as the trail, the same for everybody, and nobody's own."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import count

import pytest
from flask import Flask, Response, make_response, session
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from marketplace.audit import kept_pages
from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.portal.queries import Figures
from tests.factories import a_capability, a_challenge, a_leader, an_sme, suspend

Counting = Callable[[], AbstractContextManager[list[str]]]


def _asked_of(statements: Sequence[str], table: str) -> bool:
    return any(f"FROM {table}" in statement for statement in statements)


def test_a_page_asked_for_again_is_not_made_again(client: FlaskClient, count_statements: Counting) -> None:
    a_challenge()
    with count_statements() as first:
        page = client.get("/challenges")
    with count_statements() as second:
        again = client.get("/challenges")
    assert again.data == page.data
    assert again.headers["Content-Type"] == page.headers["Content-Type"]
    assert again.headers["X-Request-Id"] != page.headers["X-Request-Id"]
    assert again.headers["Content-Security-Policy"] == page.headers["Content-Security-Policy"]
    assert _asked_of(first, "challenge")
    assert not _asked_of(second, "challenge")


@pytest.mark.parametrize("path", ["/", "/challenges", "/challenges?q=制动", "/challenges?sort=latest"])
def test_what_happens_is_shown_at_once(client: FlaskClient, path: str) -> None:
    leader = a_leader()
    a_challenge(leader)
    assert "冗余控制器" not in client.get(path).text
    a_challenge(leader, title="线控制动冗余控制器")
    assert "冗余控制器" in client.get(path).text


def test_what_is_hidden_is_gone_at_once(client: FlaskClient) -> None:
    offerer = an_sme()
    path = f"/capabilities/{a_capability(offerer).public_no}"
    assert client.get(path).status_code == client.get(path).status_code == 200
    suspend(offerer)
    assert client.get(path).status_code == 404


def test_a_page_of_somebody_signed_in_is_their_own(
    client: FlaskClient, as_user: Callable[[Actor], FlaskClient]
) -> None:
    leader = a_leader()
    a_challenge(leader)
    own = as_user(leader)
    assert "csrf-token" in own.get("/challenges").text
    assert "csrf-token" not in client.get("/challenges").text
    assert "csrf-token" in own.get("/challenges").text


@pytest.mark.parametrize(
    ("cookie", "value", "sign"), [("language", "en", 'lang="en"'), ("display", "elder", "elder")]
)
def test_a_choice_of_the_browser_is_its_own(
    app: Flask, client: FlaskClient, cookie: str, value: str, sign: str
) -> None:
    a_challenge()
    usual = client.get("/challenges").text
    other = app.test_client()
    other.set_cookie(cookie, value)
    head = other.get("/challenges").text[:400]
    assert sign in head
    assert sign not in usual[:400]
    assert client.get("/challenges").text == usual


def test_the_clock_makes_a_page_anew(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    a_challenge()
    before = client.get("/challenges").text
    later = clock.now() + timedelta(days=9)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.get("/challenges").text != before


def test_a_foreign_cookie_hinders_nothing(app: Flask, count_statements: Counting) -> None:
    a_challenge()
    client = app.test_client()
    # A proxy left it with the browser, or a counter of visits.
    client.set_cookie("waf", "1")
    page = client.get("/challenges").data
    with count_statements() as seen:
        assert client.get("/challenges").data == page
    assert not _asked_of(seen, "challenge")


def test_a_suspended_firm_is_named_no_longer_however_large_the_marketplace(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Figures, "are_many", lambda _self: True)
    leader = a_leader(name="渝试链主重工有限公司")
    assert "渝试链主重工" in client.get("/").text
    suspend(leader)
    assert "渝试链主重工" not in client.get("/").text


def test_paths_that_read_alike_are_two(client: FlaskClient) -> None:
    number = a_challenge().public_no
    assert client.get(f"/challenges/{number}").status_code == 200
    escaped = number.replace("J", "%254A", 1)
    assert client.get(f"/challenges/{escaped}").status_code == 404


@pytest.mark.plants_routes
def test_only_a_page_that_was_found_and_says_no_more_than_its_text_is_kept(app: Flask) -> None:
    an_sme()
    numbers = count()

    def plain() -> str:
        return str(next(numbers))

    def with_session() -> str:
        session["csrf_token"] = "of one browser"
        return str(next(numbers))

    def with_cookie() -> Response:
        response = make_response(str(next(numbers)))
        response.set_cookie("for", "one browser")
        return response

    def refused() -> tuple[str, int]:
        return str(next(numbers)), 404

    def large() -> str:
        return f"{next(numbers)}{' ' * kept_pages.LARGEST}"

    views: list[Callable[[], ResponseReturnValue]] = [plain, with_session, with_cookie, refused, large]
    for view in views:
        app.add_url_rule(f"/{view.__name__}", view_func=kept_until_something_happens(view))
    answers = [
        len({app.test_client().get(f"/{view.__name__}").text for _visitor in range(2)}) for view in views
    ]
    assert answers == [1, 2, 2, 2, 2]


@pytest.mark.plants_routes
def test_addresses_and_hosts_are_kept_apart_and_so_much_is_kept(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_sme()
    numbers = count(100)

    def number() -> str:
        return str(next(numbers))

    app.add_url_rule("/number", view_func=kept_until_something_happens(number))
    monkeypatch.setattr(kept_pages, "MOST_BYTES", 9)

    def ask(address: str, host: str = "localhost") -> str:
        return app.test_client().get(address, headers={"Host": host}).text

    first = [ask("/number"), ask("/number?q=1"), ask("/number", host="other.example")]
    assert len(set(first)) == 3
    assert [ask("/number"), ask("/number?q=1")] == first[:2]
    # The fourth takes the place of what was asked for longest ago.
    ask("/number?q=2")
    assert ask("/number") == first[0]
    assert ask("/number", host="other.example") != first[2]
    endless = f"/number?q={'1' * kept_pages.LONGEST_QUESTION}"
    assert ask(endless) != ask(endless)
