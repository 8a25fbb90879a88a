"""The pages of capabilities, as a browser without JavaScript uses them."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.capabilities import queries, services
from marketplace.capabilities.models import Capability
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.db import db
from tests.integration.support import (
    a_capability,
    a_capability_draft,
    a_capability_form,
    an_editor,
    an_operator,
    an_unverified_editor,
    client_of,
    footprint,
    indicator_fields,
    plain,
    somebody,
    values_in,
)

NEW = "/workbench/capabilities/new"


@pytest.fixture
def editor(app: Flask) -> Actor:
    return an_editor()


@pytest.fixture
def browser(app: Flask, editor: Actor) -> FlaskClient:
    return client_of(app, editor)


def the_capability() -> Capability:
    db.session.expire_all()
    public_no = db.session.scalars(select(Capability.public_no)).one()
    return db.session.scalars(queries._whole().where(Capability.public_no == public_no)).one()


def test_a_draft_is_saved_published_and_shown_to_everybody(app: Flask, browser: FlaskClient) -> None:
    saved = browser.post(NEW, data=a_capability_form())
    assert saved.status_code == 302
    capability = the_capability()
    summary = "用八模头旋锻机把无缝管近净成形为空心电机轴，壁厚渐变。\n已为三家电驱企业供样。"
    assert services.draft_of(capability) == a_capability_draft(summary=summary)
    assert "草稿" in browser.get(saved.location).text
    assert app.test_client().get(saved.location).status_code == 404

    assert browser.post(f"/capabilities/{capability.public_no}/publish").status_code == 302
    page = app.test_client().get(saved.location)
    assert page.status_code == 200
    for shown in ("旋转锻造空心电机轴", "≤ 0.02 mm", "IATF 16949 质量管理体系", "T-2024-117", "小批试制"):
        assert shown in page.text, shown
    assert capability.title in app.test_client().get("/capabilities").text
    assert capability.title in browser.get("/workbench/capabilities").text


def test_save_and_publish_in_one_go(browser: FlaskClient) -> None:
    assert browser.post(NEW, data=a_capability_form(act="publish")).status_code == 302
    assert the_capability().status.value == "published"


def test_what_is_missing_for_publishing_is_said_at_once_and_the_draft_is_kept(browser: FlaskClient) -> None:
    rows = indicator_fields("parameters", 0, name="", value="")
    form = a_capability_form(summary="短", clusters=None, act="publish", **rows)
    response = browser.post(NEW, data=form)
    assert response.status_code == 422
    capability = the_capability()
    assert (capability.status.value, capability.summary) == ("draft", "短")
    for field in ("summary", "clusters", "parameters-0-name", "parameters-0-value"):
        assert f'href="#{field}"' in response.text, field
    assert f'action="/workbench/capabilities/{capability.public_no}/edit"' in response.text
    assert values_in(response.text, "version") == ["1"]


def test_an_unverified_organisation_is_told_that_it_may_draft_but_not_publish(app: Flask) -> None:
    browser = client_of(app, an_unverified_editor())
    assert "未核验单位可以保存草稿" in browser.get(NEW).text
    response = browser.post(NEW, data=a_capability_form(act="publish"))
    assert response.status_code == 422
    assert "单位核验通过后才能发布" in response.text
    assert the_capability().status.value == "draft"


TYPED = {
    "title": "<b>锻</b> & “轴”",
    "summary": "第一行\n第二行 <script>",
    "keywords": "旋锻、空心轴",
    "trl": "7",
    "maturity": "pilot",
    "region": "500112",
    "certificates-0-name": "某证书",
    "certificates-0-valid_to": "明年",
}


def test_what_was_typed_is_still_there_when_it_is_refused(browser: FlaskClient) -> None:
    before = footprint()
    rows = {
        **indicator_fields("parameters", 0, value="很小"),
        **indicator_fields("parameters", 1, name="圆度", condition="20 ℃"),
    }
    response = browser.post(NEW, data=a_capability_form(**TYPED, **rows))
    assert response.status_code == 422
    for name, text in TYPED.items():
        assert text in values_in(response.text, name), name
    assert values_in(response.text, "parameters-0-value") == ["很小"]
    assert values_in(response.text, "parameters-1-condition") == ["20 ℃"]
    for field in ("certificates-0-valid_to", "parameters-0-value"):
        assert f'href="#{field}"' in response.text, field
        assert f'id="{field}-error"' in response.text, field
    assert footprint() == before


def test_rows_come_and_go_without_javascript(browser: FlaskClient) -> None:
    typed = a_capability_form(**indicator_fields("parameters", 1, name="圆度"), act=None)
    more = browser.post(NEW, data=typed | {"add": "parameters"})
    assert more.status_code == 200
    assert values_in(more.text, "parameters-2-name") == [""]
    less = browser.post(NEW, data=typed | {"remove": "parameters-0"})
    assert values_in(less.text, "parameters-0-name") == ["圆度"]
    another = browser.post(NEW, data=typed | {"add_row": "certificates"})
    assert another.status_code == 200
    assert values_in(another.text, "certificates-0-number") == ["T-2024-117"]
    assert values_in(another.text, "certificates-1-name") == [""]
    for page in (more, less, another):
        assert values_in(page.text, "title") == ["旋转锻造空心电机轴"]
    assert db.session.scalars(select(Capability)).all() == []


def test_a_certificate_that_is_emptied_is_gone_and_one_without_a_name_is_asked_for_it(
    editor: Actor, browser: FlaskClient
) -> None:
    capability = a_capability(editor)
    url = f"/workbench/capabilities/{capability.public_no}/edit"
    nameless = browser.post(url, data=a_capability_form(version="1", **{"certificates-0-name": ""}))
    assert nameless.status_code == 422
    assert "certificates-0-name" in nameless.text
    emptied = {f"certificates-0-{column}": "" for column in ("name", "number", "valid_to")}
    assert browser.post(url, data=a_capability_form(version="1", **emptied)).status_code == 302
    assert the_capability().certificates == []


@pytest.mark.parametrize("published", [False, True])
def test_of_two_editors_the_second_sees_both_texts_and_loses_none(
    app: Flask, editor: Actor, browser: FlaskClient, published: bool
) -> None:
    capability = a_capability(editor, published=published)
    url = f"/workbench/capabilities/{capability.public_no}/edit"
    colleague = client_of(app, somebody(editor.organisation_id))
    assert colleague.post(url, data=a_capability_form(version="1", title="同事先改的名称")).status_code == 302
    mine = a_capability_form(
        version="1",
        title="我后改的名称",
        summary="我写的简介，一字不能丢，凑足二十个字的长度要求。",
        trl="8",
        clusters=["A1", "B1"],
        **indicator_fields("parameters", 0, name="我的参数"),
        **{"certificates-0-name": "我的证书"},
    )
    response = browser.post(url, data=mine)
    assert response.status_code == 409
    for text in ("同事先改的名称", "我后改的名称", "我写的简介，一字不能丢", "我的参数", "我的证书"):
        assert text in response.text, text
    again: dict[str, Any] = {}
    for name in {*mine, "version"} - {"act"}:
        again[name] = values_in(response.text, name)
        assert again[name], name
    assert again["version"] == ["2"]
    assert browser.post(url, data=again).status_code == 302
    found = the_capability()
    assert (found.version, found.title, found.trl) == (3, "我后改的名称", 8)
    assert [c.code for c in found.clusters] == ["A1", "B1"]
    assert found.parameters[0].name == "我的参数"
    assert found.certificates[0].name == "我的证书"


def test_a_published_capability_with_gaps_is_refused_with_what_was_typed(
    editor: Actor, browser: FlaskClient
) -> None:
    capability = a_capability(editor)
    url = f"/workbench/capabilities/{capability.public_no}/edit"
    response = browser.post(url, data=a_capability_form(version="1", title="新的名称", summary="短"))
    assert response.status_code == 422
    assert values_in(response.text, "title") == ["新的名称"]
    assert values_in(response.text, "summary") == ["短"]
    assert the_capability().version == 1


def test_anothers_draft_is_answered_like_one_that_does_not_exist(app: Flask, editor: Actor) -> None:
    capability = a_capability(editor, published=False)
    real, none = f"/capabilities/{capability.public_no}", "/capabilities/NL-2026-99999"
    for viewer in (an_editor(), an_operator(), Actor()):
        client = client_of(app, viewer)
        found, missing = client.get(real), client.get(none)
        assert found.status_code == missing.status_code == 404
        assert plain(found.text, real) == plain(missing.text, none)
    stranger = client_of(app, an_editor())
    url = f"/workbench{real}/edit"
    assert stranger.get(url).status_code == 404
    assert stranger.post(url, data=a_capability_form(version="1")).status_code == 404
    assert stranger.post(f"{real}/publish").status_code == 404


def test_what_looks_like_a_repeat_is_pointed_out_and_may_be_saved_all_the_same(
    app: Flask, editor: Actor, browser: FlaskClient
) -> None:
    other = a_capability(an_editor(), title="旋转锻造空心电机轴（批产）")
    refused = browser.post(NEW, data=a_capability_form(act="publish", summary=""))
    assert "看起来与已有条目相近" in refused.text
    assert f"/capabilities/{other.public_no}" in refused.text
    different = browser.post(NEW, data=a_capability_form(title="镁合金压铸后地板", act="publish", summary=""))
    assert "看起来与已有条目相近" not in different.text


def test_the_owner_sees_how_complete_it_is_and_others_do_not(app: Flask, editor: Actor) -> None:
    capability = a_capability(editor, certificates=(), keywords=())
    path = f"/capabilities/{capability.public_no}"
    page = client_of(app, editor).get(path).text
    assert "完整度" in page
    assert "补充 1–10 个关键词" in page
    for viewer in (an_editor(), Actor()):
        assert "完整度" not in client_of(app, viewer).get(path).text


def test_withdrawing_and_taking_down_owe_a_public_reason(app: Flask, editor: Actor) -> None:
    for action, by, label in (("withdraw", editor, "已撤回"), ("take_down", an_operator(), "已下架")):
        capability = a_capability(editor)
        browser = client_of(app, by)
        url = f"/capabilities/{capability.public_no}"
        refused = browser.post(f"{url}/{action}", data={"reason": ""})
        assert refused.status_code == 422
        assert "请填写“理由”" in refused.text
        assert browser.post(f"{url}/{action}", data={"reason": "产线改作他用"}).status_code == 302
        page = app.test_client().get(url).text
        assert "产线改作他用" in page
        assert label in page
    assert capability.title not in app.test_client().get("/capabilities").text


def test_only_buttons_that_would_work_are_offered(app: Flask, editor: Actor) -> None:
    capability = a_capability(editor)
    path = f"/capabilities/{capability.public_no}"
    assert f'action="{path}/withdraw"' in client_of(app, editor).get(path).text
    assert f'action="{path}/take_down"' in client_of(app, an_operator()).get(path).text
    reader = somebody(editor.organisation_id, role=OrganisationRole.READER)
    for viewer in (reader, an_editor(), Actor()):
        page = client_of(app, viewer).get(path).text
        assert f'action="{path}/' not in page
        assert f"/workbench{path}/edit" not in page
    reader_page = client_of(app, reader).get("/workbench/capabilities").text
    assert not re.search(rf'href="/workbench{path}/edit"', reader_page)
