"""The pages of need lists and their lines, as a browser without JavaScript uses them."""

import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.db import db, transaction
from marketplace.needs import queries, services
from marketplace.needs.models import Need, NeedHiddenPrice, NeedList
from tests.integration.support import (
    a_list,
    a_need,
    a_need_draft,
    a_need_form,
    an_editor,
    an_operator,
    an_organisation,
    an_unverified_editor,
    client_of,
    footprint,
    indicator_fields,
    plain,
    somebody,
    today,
    values_in,
)


@pytest.fixture
def editor(app: Flask) -> Actor:
    return an_editor()


@pytest.fixture
def browser(app: Flask, editor: Actor) -> FlaskClient:
    return client_of(app, editor)


def new_line_url(editor: Actor) -> str:
    return f"/workbench/need-lists/{a_list(editor).public_no}/lines/new"


def the_need() -> Need:
    db.session.expire_all()
    public_no = db.session.scalars(select(Need.public_no)).one()
    return db.session.scalars(queries._whole().where(Need.public_no == public_no)).one()


def test_a_list_is_opened_filled_published_and_shown_to_everybody(
    app: Flask, editor: Actor, browser: FlaskClient
) -> None:
    opened = browser.post("/workbench/need-lists/new", data={"title": "年度寻源清单", "note": "按图报价"})
    assert opened.status_code == 302
    list_url = opened.location
    assert "清单里还没有条目" in browser.get(list_url).text
    assert app.test_client().get(list_url).status_code == 404

    added = browser.post(
        list_url.replace("/need-lists/", "/workbench/need-lists/") + "/lines/new", data=a_need_form()
    )
    assert added.status_code == 302
    need = the_need()
    assert need.status.value == "draft"
    assert services.draft_of(need) == a_need_draft(
        specification="材料 20MnCr5，旋锻成形后正火，\n表面无折叠和裂纹。"
    )
    page = browser.get(added.location).text
    assert "草稿" in page
    assert "表面无折叠和裂纹" in page
    assert app.test_client().get(added.location).status_code == 404

    published = browser.post(f"/needs/{need.public_no}/publish")
    assert published.status_code == 302
    shown = app.test_client().get(f"/needs/{need.public_no}")
    assert shown.status_code == 200
    assert "12,000 件" in shown.text
    assert "≤ 0.02 mm" in shown.text
    assert need.title in app.test_client().get(list_url).text
    assert need.title in app.test_client().get("/needs").text


def test_save_and_publish_in_one_go(app: Flask, editor: Actor, browser: FlaskClient) -> None:
    response = browser.post(new_line_url(editor), data=a_need_form(act="publish"))
    assert response.status_code == 302
    assert the_need().status.value == "published"


def test_what_is_missing_for_publishing_is_said_at_once_and_the_draft_is_kept(
    editor: Actor, browser: FlaskClient
) -> None:
    response = browser.post(
        new_line_url(editor), data=a_need_form(quantity="", unit="", clusters=None, act="publish")
    )
    assert response.status_code == 422
    need = the_need()
    assert need.status.value == "draft"
    assert need.title == "电机主轴管旋锻毛坯"
    for field in ("quantity", "unit", "clusters"):
        assert f'href="#{field}"' in response.text
    assert "草稿已保存，尚未发布" in response.text
    # From here on the page edits the draft that was saved and opens no second one.
    assert f'action="/workbench/needs/{need.public_no}/edit"' in response.text
    assert values_in(response.text, "version") == ["1"]


def test_an_unverified_organisation_is_told_that_it_may_draft_but_not_publish(app: Flask) -> None:
    editor = an_unverified_editor()
    browser = client_of(app, editor)
    url = new_line_url(editor)
    assert "未核验单位可以保存草稿" in browser.get(url).text
    response = browser.post(url, data=a_need_form(act="publish"))
    assert response.status_code == 422
    assert "单位核验通过后才能发布" in response.text
    assert the_need().status.value == "draft"


TYPED = {
    "title": "<b>轴</b> & “管”",
    "specification": "第一行\n第二行 <script>",
    "quantity": "一千二",
    "unit": "件",
    "qualification": "IATF 16949",
    "keywords": "旋锻、主轴管",
    "valid_until": "2026年13月1日",
    "max_price": "八十",
    "region": "500112",
}


def test_what_was_typed_is_still_there_when_it_is_refused(editor: Actor, browser: FlaskClient) -> None:
    url = new_line_url(editor)
    before = footprint()
    rows = {
        **indicator_fields("indicators", 0, value="很小"),
        **indicator_fields("indicators", 1, name="圆度", condition="20 ℃"),
    }
    response = browser.post(url, data=a_need_form(**TYPED, **rows))
    assert response.status_code == 422
    for name, text in TYPED.items():
        assert text in values_in(response.text, name), name
    assert values_in(response.text, "indicators-0-value") == ["很小"]
    assert values_in(response.text, "indicators-1-name") == ["圆度"]
    assert values_in(response.text, "indicators-1-condition") == ["20 ℃"]
    for field in ("quantity", "valid_until", "max_price", "indicators-0-value"):
        assert f'href="#{field}"' in response.text, field
        assert f'id="{field}-error"' in response.text, field
    assert footprint() == before


def test_rows_come_and_go_without_javascript(editor: Actor, browser: FlaskClient) -> None:
    url = new_line_url(editor)
    typed = a_need_form(
        **indicator_fields("indicators", 1, name="圆度"),
        **indicator_fields("indicators", 2, name="直线度"),
        act=None,
    )
    more = browser.post(url, data=typed | {"add": "indicators"})
    assert more.status_code == 200
    assert values_in(more.text, "indicators-3-name") == [""]
    less = browser.post(url, data=typed | {"remove": "indicators-1"})
    assert less.status_code == 200
    assert [values_in(less.text, f"indicators-{n}-name") for n in range(2)] == [["径向跳动"], ["直线度"]]
    for page in (more, less):
        assert values_in(page.text, "title") == ["电机主轴管旋锻毛坯"]
    assert db.session.scalars(select(Need)).all() == []


@pytest.mark.parametrize("published", [False, True])
def test_of_two_editors_the_second_sees_both_texts_and_loses_none(
    app: Flask, editor: Actor, browser: FlaskClient, published: bool
) -> None:
    need = a_need(editor, published=published)
    url = f"/workbench/needs/{need.public_no}/edit"
    colleague = client_of(app, somebody(editor.organisation_id))
    assert colleague.post(url, data=a_need_form(version="1", title="同事先改的名称")).status_code == 302
    mine = a_need_form(
        version="1",
        title="我后改的名称",
        specification="我写的规格，一字不能丢。",
        quantity="777",
        max_price="88.5",
        max_price_hidden="y",
        clusters=["A1", "B1"],
        **indicator_fields("indicators", 0, name="我的指标"),
    )
    response = browser.post(url, data=mine)
    assert response.status_code == 409
    for text in ("同事先改的名称", "我后改的名称", "我写的规格，一字不能丢。", "777", "12,000"):
        assert text in response.text, text
    # What the page sends again is all that was typed, from the version that now counts.
    again: dict[str, Any] = {}
    for name in {*mine, "version"} - {"act"}:
        again[name] = values_in(response.text, name)
        assert again[name], name
    assert again["version"] == ["2"]
    assert again["clusters"] == ["A1", "B1"]
    assert browser.post(url, data=again).status_code == 302
    found = the_need()
    assert (found.version, found.title, found.quantity) == (3, "我后改的名称", 777)
    assert found.indicators[0].name == "我的指标"
    assert db.session.get_one(NeedHiddenPrice, found.id).max_price_fen == 8850


def test_a_published_line_with_gaps_is_refused_with_what_was_typed(
    editor: Actor, browser: FlaskClient
) -> None:
    need = a_need(editor)
    url = f"/workbench/needs/{need.public_no}/edit"
    response = browser.post(url, data=a_need_form(version="1", title="新名称", quantity=""))
    assert response.status_code == 422
    assert values_in(response.text, "title") == ["新名称"]
    assert values_in(response.text, "version") == ["1"]
    assert the_need().version == 1


def test_anothers_draft_is_answered_like_one_that_does_not_exist(app: Flask, editor: Actor) -> None:
    need = a_need(editor, published=False)
    need_list = db.session.get_one(NeedList, need.need_list_id)
    for viewer in (an_editor(), an_operator(), Actor()):
        client = client_of(app, viewer)
        for real, none in (
            (f"/needs/{need.public_no}", "/needs/XQ-2026-99999"),
            (f"/need-lists/{need_list.public_no}", "/need-lists/QD-2026-9999"),
        ):
            found, missing = client.get(real), client.get(none)
            assert found.status_code == missing.status_code == 404
            assert plain(found.text, real) == plain(missing.text, none)
    stranger = client_of(app, an_editor())
    for url in (
        f"/workbench/needs/{need.public_no}/edit",
        f"/workbench/need-lists/{need_list.public_no}/edit",
        f"/workbench/need-lists/{need_list.public_no}/lines/new",
    ):
        assert stranger.get(url).status_code == 404
        assert stranger.post(url, data=a_need_form()).status_code == 404
    assert stranger.post(f"/needs/{need.public_no}/publish").status_code == 404
    assert the_need().status.value == "draft"


def test_a_hidden_price_stands_in_its_owners_form_alone(app: Flask, editor: Actor) -> None:
    browser = client_of(app, editor)
    response = browser.post(
        new_line_url(editor), data=a_need_form(max_price="76543.21", max_price_hidden="y", act="publish")
    )
    assert response.status_code == 302
    need = the_need()
    form = browser.get(f"/workbench/needs/{need.public_no}/edit").text
    assert values_in(form, "max_price") == ["76,543.21"]
    for viewer in (editor, an_editor(), an_operator(), Actor()):
        client = client_of(app, viewer)
        for url in (f"/needs/{need.public_no}", "/needs", "/needs?q=76543"):
            page = client.get(url).text
            assert "76,543" not in page
            assert "7654321" not in page


def test_a_hidden_price_tick_without_a_price_is_not_forgotten_in_silence(
    editor: Actor, browser: FlaskClient
) -> None:
    response = browser.post(new_line_url(editor), data=a_need_form(max_price_hidden="y"))
    assert response.status_code == 422
    assert "选择不公开最高限价时，请填写限价" in response.text
    [tick] = re.findall(r'<input[^>]* name="max_price_hidden"[^>]*>', response.text)
    assert " checked" in tick


def test_withdrawing_owes_a_reason_that_everybody_reads(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    browser = client_of(app, editor)
    refused = browser.post(f"/needs/{need.public_no}/withdraw", data={"reason": " "})
    assert refused.status_code == 422
    assert "请填写“理由”" in refused.text
    done = browser.post(f"/needs/{need.public_no}/withdraw", data={"reason": "已另行采购"})
    assert done.status_code == 302
    page = app.test_client().get(f"/needs/{need.public_no}").text
    assert "已另行采购" in page
    assert need.title not in app.test_client().get("/needs").text


def test_an_operator_takes_down_and_its_owner_may_not(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    data = {"reason": "含联系方式"}
    assert client_of(app, editor).post(f"/needs/{need.public_no}/take_down", data=data).status_code == 403
    operator = client_of(app, an_operator())
    assert "下架" in operator.get(f"/needs/{need.public_no}").text
    assert operator.post(f"/needs/{need.public_no}/take_down", data=data).status_code == 302
    assert "已下架" in app.test_client().get(f"/needs/{need.public_no}").text


def test_only_buttons_that_would_work_are_offered(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    path = f"/needs/{need.public_no}"
    assert "撤回" in client_of(app, editor).get(path).text
    reader = somebody(editor.organisation_id, role=OrganisationRole.READER)
    for viewer in (reader, an_editor(), Actor()):
        page = client_of(app, viewer).get(path).text
        assert f'action="{path}/' not in page
        assert f"/workbench/needs/{need.public_no}/edit" not in page


def test_lists_on_the_workbench_count_their_lines(app: Flask, editor: Actor, browser: FlaskClient) -> None:
    assert "还没有清单" in browser.get("/workbench/needs").text
    need = a_need(editor)
    page = browser.get("/workbench/needs").text
    assert "三合一电驱总成年度寻源清单" in page
    other = client_of(app, an_editor())
    assert "三合一电驱总成年度寻源清单" not in other.get("/workbench/needs").text
    assert need.public_no


def test_a_list_is_renamed_and_of_two_who_rename_the_second_sees_both(
    app: Flask, editor: Actor, browser: FlaskClient
) -> None:
    need_list = a_list(editor)
    url = f"/workbench/need-lists/{need_list.public_no}/edit"
    assert values_in(browser.get(url).text, "version") == ["1"]
    first = browser.post(url, data={"version": "1", "title": "第一个新名称", "note": ""})
    assert first.status_code == 302
    second = browser.post(url, data={"version": "1", "title": "第二个新名称", "note": "第二个说明"})
    assert second.status_code == 409
    assert values_in(second.text, "title") == ["第二个新名称"]
    assert values_in(second.text, "note") == ["第二个说明"]
    assert "第一个新名称" in second.text
    assert values_in(second.text, "version") == ["2"]


def test_expired_lines_say_so_and_can_be_filtered(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    with transaction():
        need = queries.get_own(need.public_no, actor=editor)
        need.expires_at = clock.now()
        services._note("revise", need, by=editor, now=clock.now())
    client = app.test_client()
    assert "已到期" in client.get(f"/needs/{need.public_no}").text
    assert need.title in client.get("/needs?validity=expired").text
    assert need.title not in client.get("/needs?validity=open").text


def test_visitors_are_asked_to_sign_in_and_members_without_rights_are_refused(app: Flask) -> None:
    reader = client_of(app, somebody(an_organisation(), role=OrganisationRole.READER))
    for url in ("/workbench/need-lists/new", "/workbench/needs"):
        assert app.test_client().get(url).location.startswith("/login?next=")
    assert reader.get("/workbench/needs").status_code == 200
    assert reader.get("/workbench/need-lists/new").status_code == 403
    assert reader.post("/workbench/need-lists/new", data={"title": "年度寻源清单"}).status_code == 403
    assert today()


@pytest.mark.parametrize("quantity", ["0", "0.0000001", "123456789012345", "-3", "1e3", "٣"])
def test_a_quantity_that_cannot_be_kept_as_typed_is_refused(
    editor: Actor, browser: FlaskClient, quantity: str
) -> None:
    response = browser.post(new_line_url(editor), data=a_need_form(quantity=quantity))
    assert response.status_code == 422
    assert 'href="#quantity"' in response.text
    assert values_in(response.text, "quantity") == [quantity]
    assert db.session.scalars(select(Need)).all() == []


def test_full_width_digits_are_read_and_exact_amounts_kept(editor: Actor, browser: FlaskClient) -> None:
    typed = a_need_form(quantity="１２３４５.６７８", max_price="０.０１")
    assert browser.post(new_line_url(editor), data=typed).status_code == 302
    need = the_need()
    assert (need.quantity, need.max_price_fen) == (Decimal("12345.678"), 1)


def test_a_maximum_price_of_nothing_is_not_taken_for_none(editor: Actor, browser: FlaskClient) -> None:
    response = browser.post(new_line_url(editor), data=a_need_form(max_price="0"))
    assert response.status_code == 422
    assert 'href="#max_price"' in response.text
