"""Which language a page is said in, and that the choice stays with the reader and on the page."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from sqlalchemy import select

from marketplace.exchange.blank_forms import heading_of
from marketplace.exchange.mapping import guess_mapping
from marketplace.exchange.targets import all_targets
from marketplace.identity.models import User
from marketplace.kernel.db import db, transaction
from marketplace.notifications.services import set_language
from tests.integration.portal.conftest import PASSWORD, build_market


def test_a_reader_switches_there_and_back_on_the_same_page(client: FlaskClient) -> None:
    # What a browser was installed in says little of whom it serves.
    page = client.get("/challenges?open=1", headers={"Accept-Language": "en"}).text
    assert '<html lang="zh-CN"' in page
    assert 'href="/language?to=en&amp;next=/challenges?open%3D1" lang="en"' in page
    response = client.get("/language?to=en&next=/challenges?open%3D1")
    assert response.location == "/challenges?open=1"
    page = client.get(response.location).text
    assert '<html lang="en"' in page
    assert "Challenges" in page
    assert 'lang="zh-CN" hreflang="zh-CN">中文</a>' in page
    client.get("/language?to=zh_Hans&next=/guide")
    assert '<html lang="zh-CN"' in client.get("/guide").text


@pytest.mark.parametrize("language", ["", "fr", "../en", "en\r\nSet-Cookie: a=b"])
def test_an_unknown_language_changes_nothing(client: FlaskClient, language: str) -> None:
    response = client.get("/language", query_string={"to": language, "next": "/guide"})
    assert response.location == "/guide"
    assert "Set-Cookie" not in response.headers
    client.set_cookie("language", language[:8].strip())
    assert '<html lang="zh-CN"' in client.get("/guide").text


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/", "/\\example.com", ""])
def test_the_switch_leads_nobody_to_another_site(client: FlaskClient, elsewhere: str) -> None:
    response = client.get("/language", query_string={"to": "en", "next": elsewhere})
    assert response.location == "/"


@pytest.mark.parametrize("language", ["zh_Hans", "en"])
def test_a_blank_form_of_either_language_is_known_again(app: Flask, language: str) -> None:
    assert all_targets()
    with app.test_request_context(), force_locale(language):
        for target in all_targets().values():
            headings = [heading_of(column) for column in target.columns]
            known = [name.partition(":")[0] for name in guess_mapping(headings, target.columns)]
            assert known == [column.name for column in target.columns]


def test_whoever_signs_in_finds_the_own_language_unless_the_browser_was_told_another(app: Flask) -> None:
    build_market()
    user = db.session.scalars(select(User).where(User.platform_role.is_(None)).order_by(User.id)).first()
    assert user is not None
    with transaction():
        set_language(user.id, "en")
    form = {"email": user.email, "password": PASSWORD}
    client, told = app.test_client(), app.test_client()
    assert client.post("/login", data=form).status_code == 302
    assert '<html lang="en"' in client.get("/guide").text
    told.set_cookie("language", "zh_Hans")
    assert told.post("/login", data=form).status_code == 302
    assert '<html lang="zh-CN"' in told.get("/guide").text


def test_a_label_that_people_wrote_is_a_text_and_no_markup(app: Flask) -> None:
    said = app.jinja_env.from_string("{{ _(name) }} {{ _('共 %(n)s 个', n=name) }}")
    with app.test_request_context():
        assert said.render(name="<b>含量 50% &</b>") == (
            "&lt;b&gt;含量 50% &amp;&lt;/b&gt; 共 &lt;b&gt;含量 50% &amp;&lt;/b&gt; 个"
        )
        assert app.jinja_env.from_string("{{ _('权重合计 100%%') }}").render() == "权重合计 100%"
