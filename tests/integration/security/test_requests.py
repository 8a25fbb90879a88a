"""What any request is held to, whichever page it goes to and whoever sends it."""

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import encode_multipart

from marketplace.kernel.db import db
from tests.integration.security.world import World, build, rules_for, urls_of
from tests.integration.support import a_list, a_need_form, an_editor, client_of, footprint

LIMIT = 1024 * 1024
HOSTILE_TEXTS = [
    "%00",
    "XQ-2026-00001%00",
    "%ED%A0%80",
    "'%20or%201=1--",
    "..%2F..%2Fetc%2Fpasswd",
    "%E2%80%AE%EF%BC%91",
    "a" * 3000,
]
HOSTILE_NUMBERS = [0, 2**31, 2**63, 10**40]
HOSTILE_QUERIES = [
    "q=%00&page=%00&sort=%00&cluster=%00&region=%00&kind=%00&status=%00&next=%00&mode=%00&scope=%00",
    "q=%ED%A0%80&page=-1&sort=%27%3B--&cluster=%ED%A0%80&region=%25%5F&industry=%25&budget=x&trl=x",
    f"q={'%E9%95%BF' * 500}&page={'9' * 400}&sort={'x' * 500}&cluster={'x' * 500}&next=%2F%2Fevil.example",
    "q=%25_%5C&page=1&page=2&q=two&validity=never&maturity=x&form=x&board=x&from=x&to=x&type=%00&actor=%00",
]


@pytest.fixture
def world(app: Flask) -> World:
    return build(app)


# Many requests: slow where the machine is busy with other things.
@pytest.mark.timeout(900)
def test_no_address_brings_the_server_down_and_none_that_is_read_writes(world: World) -> None:
    # Reads run in transactions that cannot write: a page that tried would answer with an error.
    viewers = world.viewers()
    # Whatever they are refused, the others are refused by the same lines.
    for same in ("foreign leader", "foreign sme"):
        del viewers[same]
    if db.engine.dialect.name != "sqlite":
        # What PostgreSQL alone refuses is in the values, not in who asks.
        viewers = {who: viewers[who] for who in ("visitor", "leader")}
    before = footprint()
    for who, client in viewers.items():
        thorough = who in ("leader", "operator")
        ids = [*world.ids_of_each_kind(most=3 if thorough else 1), "challenge", "need", "capability"]
        for rule in rules_for(world.app.url_map, "GET"):
            urls = urls_of(rule, ids, list(range(1, 9 if thorough else 3)))
            if thorough:
                if rule.arguments:
                    urls += urls_of(rule, HOSTILE_TEXTS, HOSTILE_NUMBERS)
                else:
                    urls += [f"{rule.rule}?{query}" for query in HOSTILE_QUERIES]
            for url in urls:
                response = client.get(url)
                assert response.status_code < 500, f"{who}: GET {url[:200]}"
    db.session.rollback()
    assert footprint() == before


# Mail programs post there without a page (RFC 8058): the signed link is the proof, and a forged one is none.
PROVED_BY_A_LINK = {"notifications.end_mails"}


def test_nothing_can_be_posted_without_a_token_of_the_page(world: World) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = True
    viewers = world.viewers()
    before = footprint()
    for rule in rules_for(world.app.url_map, "POST"):
        for url in urls_of(rule, world.ids_of_each_kind(most=1), [1]):
            for who in ("visitor", "leader", "sme", "operator"):
                for data in (
                    {},
                    {"csrf_token": "forged", "reason": "x", "version": "1", "title": "改掉的名称"},
                ):
                    response = viewers[who].post(url, data=data)
                    refused = 404 if rule.endpoint in PROVED_BY_A_LINK else 400
                    assert response.status_code == refused, f"{who}: POST {url}"
    db.session.rollback()
    assert footprint() == before


def test_only_post_changes_anything(world: World) -> None:
    for rule in world.app.url_map.iter_rules():
        assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS", "POST"}, rule


def token_in(page: str) -> str:
    return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


@pytest.fixture
def guarded(app: Flask) -> tuple[FlaskClient, str, str]:
    """A browser, the address of a form and the token on it, with the token demanded."""
    app.config["WTF_CSRF_ENABLED"] = True
    editor = an_editor()
    browser = client_of(app, editor)
    url = f"/workbench/need-lists/{a_list(editor).public_no}/lines/new"
    return browser, url, token_in(browser.get(url).text)


def test_with_the_token_of_the_page_it_goes_through(guarded: tuple[FlaskClient, str, str]) -> None:
    browser, url, token = guarded
    assert browser.post(url, data=a_need_form(csrf_token=token)).status_code == 302


def body_of(form: dict[str, Any], kind: str) -> dict[str, Any]:
    if kind == "urlencoded":
        return {"data": form}
    boundary, body = encode_multipart(form)
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    guarded: tuple[FlaskClient, str, str], kind: str
) -> None:
    browser, url, token = guarded
    before = footprint()
    form = a_need_form(csrf_token=token, specification="x" * LIMIT)
    response = browser.post(
        url,
        **body_of(form, kind),
    )
    assert response.status_code == 413
    assert "提交的内容过大" in response.text
    db.session.rollback()
    assert footprint() == before


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_a_body_with_too_many_fields_is_refused(guarded: tuple[FlaskClient, str, str], kind: str) -> None:
    browser, url, token = guarded
    before = footprint()
    form = a_need_form(csrf_token=token) | {f"indicators-{n}-name": "x" for n in range(2001)}
    response = browser.post(
        url,
        **body_of(form, kind),
    )
    assert response.status_code == 413
    db.session.rollback()
    assert footprint() == before


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"title": "x"}'),
        ("text/plain", b"title=x"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("application/x-www-form-urlencoded", b"%%%&=&;&a=%zz&\xff\xfe=\xff"),
    ],
)
def test_a_body_that_is_no_form_is_refused(app: Flask, content_type: str, body: bytes) -> None:
    before = footprint()
    browser = client_of(app, an_editor())
    response = browser.post("/workbench/need-lists/new", data=body, content_type=content_type)
    assert 400 <= response.status_code < 500
    db.session.rollback()
    assert footprint()["need_list"] == before["need_list"]


def test_no_address_sends_anybody_elsewhere(client: FlaskClient) -> None:
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        response = client.get(f"/display?{urlencode({'mode': 'elder', 'next': target})}")
        assert response.status_code == 302
        assert response.location.startswith("/")
        assert not response.location.startswith(("//", "/\\"))
