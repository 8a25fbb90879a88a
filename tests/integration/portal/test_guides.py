"""Guides drawn from the tables, the foot of each page, and what an error page says."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.capabilities.lifecycle import LIFECYCLE as CAPABILITY
from marketplace.challenges.lifecycle import LIFECYCLE as CHALLENGE
from marketplace.kernel.lifecycle import Lifecycle

NUMBER = re.compile(r"<code>([0-9a-f]{16})</code>")


@pytest.mark.parametrize(("url", "life"), [("/guide/post", CHALLENGE), ("/guide/take", CAPABILITY)])
def test_a_guide_draws_every_move_that_people_make(client: FlaskClient, url: str, life: Lifecycle) -> None:
    page = client.get(url).text
    assert 'role="img"' in page
    for move in life.transitions:
        if move.target not in move.sources:
            assert move.label in page
    assert url in client.get("/site-map").text
    assert url in client.get("/").text


def test_the_foot_says_what_the_settings_say(make_app: Callable[..., Flask]) -> None:
    app = make_app(
        site_owner="某市经信委",
        site_organiser="某市中小企业中心",
        site_icp="某ICP备1号",
        site_police="某公网安备 2 号",
        site_hotline="023-12345678",
        site_links="市政府=https://www.example.gov.cn/;坏=javascript:alert(1);无名=",
    )
    with app.app_context():
        page = app.test_client().get("/guide").text
    foot = page[page.index("<footer") :]
    for text in ("某市经信委", "某市中小企业中心", "某ICP备1号", "某公网安备 2 号", "023-12345678"):
        assert text in foot
    assert 'href="https://www.example.gov.cn/"' in foot
    assert "javascript:" not in foot
    bare = make_app(
        site_owner="", site_organiser="", site_support="", site_icp="", site_police="", site_hotline=""
    )
    with bare.app_context():
        page = bare.test_client().get("/guide").text
    for label in ("主办单位", "承办单位", "备案号", "服务热线", "相关网站"):
        assert label not in page[page.index("<footer") :]


def test_every_error_page_has_a_number_by_which_it_is_found(client: FlaskClient) -> None:
    answers = [
        client.get("/nowhere"),
        client.get("/?q=%00"),
        client.post("/guide"),
        client.post(
            "/login", data=b"x" * (1024 * 1024 + 1), content_type="application/x-www-form-urlencoded"
        ),
        client.get("/nowhere", headers={"HX-Request": "true"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 400, 405, 413, 404]
    for answer in answers:
        found = NUMBER.search(answer.text)
        assert found is not None
        assert found[1] == answer.headers["X-Request-Id"]
    assert "最多 1 MB" in answers[3].text
