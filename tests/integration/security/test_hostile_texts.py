"""Whatever is typed into a form, what cannot be kept is named by field and nothing is half written."""

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.kernel.db import db
from tests.integration.support import (
    a_capability_form,
    a_list,
    a_need,
    a_need_form,
    an_editor,
    client_of,
    footprint,
)

HOSTILE = {
    "nul": "锻\x00造",
    "escape": "锻\x1b[31m造",
    "c1 control": "锻\x85造",
    "bytes that were no text": "锻\ufffd造",
    "override of direction": "锻\u202e造",
    "very long": "长" * 20_001,
}
NEED = {
    "title": "标的名称",
    "specification": "技术规格",
    "quantity": "数量",
    "unit": "计量单位",
    "region": "交货地点",
    "delivery_on": "交货日期",
    "valid_until": "有效期至",
    "qualification": "资格要求",
    "max_price": "最高限价",
    "keywords": "关键词",
    "clusters": "所属产业集群",
    "industry": "国民经济行业",
    "indicators-0-name": "",
    "indicators-0-comparator": "",
    "indicators-0-value": "",
    "indicators-0-second": "",
    "indicators-0-unit": "",
    "indicators-0-condition": "",
    "indicators-0-method": "",
}
CAPABILITY = {
    "kind": "类别",
    "title": "名称",
    "summary": "简介",
    "keywords": "关键词",
    "clusters": "所属产业集群",
    "industry": "国民经济行业",
    "region": "所在地区",
    "trl": "技术成熟度",
    "maturity": "产业化程度",
    "ip_status": "知识产权状态",
    "cooperation": "可接受的合作方式",
    "certificates-0-name": "证书名称",
    "certificates-0-number": "编号",
    "certificates-0-valid_to": "有效期至",
    "parameters-0-name": "",
    "parameters-0-comparator": "",
    "parameters-0-value": "",
    "parameters-0-unit": "",
    "parameters-0-condition": "",
    "parameters-0-method": "",
}
LIST = {"title": "清单名称", "note": "说明"}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return client_of(app, an_editor())


def send(client: FlaskClient, url: str, form: dict[str, Any]) -> Any:
    body = urlencode(form, doseq=True, errors="surrogatepass")
    return client.post(url, data=body, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("form", ["need", "capability", "list"])
def test_what_no_column_can_keep_is_refused_at_its_field(app: Flask, form: str) -> None:
    editor = an_editor()
    client = client_of(app, editor)
    url, complete, fields = {
        "need": (f"/workbench/need-lists/{a_list(editor).public_no}/lines/new", a_need_form(), NEED),
        "capability": ("/workbench/capabilities/new", a_capability_form(), CAPABILITY),
        "list": ("/workbench/need-lists/new", {"title": "年度寻源清单", "note": "按图报价"}, LIST),
    }[form]
    before = footprint()
    for field, label in fields.items():
        for name, text in HOSTILE.items():
            response = send(client, url, complete | {field: text})
            told = f"{field}: {name}: {response.status_code}"
            assert response.status_code == 422, told
            summary = response.text.split('class="errsum', 1)[-1].split("</ol>", 1)[0]
            assert f'href="#{field}"' in summary, told
            assert label in summary, told
    db.session.rollback()
    assert footprint() == before


def test_half_a_character_is_refused_or_kept_as_visible_letters(browser: FlaskClient) -> None:
    url, half = "/workbench/capabilities/new", "锻\ud800造"
    parts = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n'
    body = parts + half.encode("utf-8", "surrogatepass") + b"\r\n--x--\r\n"
    response = browser.post(url, data=body, content_type="multipart/form-data; boundary=x")
    assert response.status_code == 422
    assert 'href="#title"' in response.text
    response = send(browser, url, a_capability_form(title=half))
    assert response.status_code == 302
    assert "锻%ED%A0%80造" in browser.get(response.location).text


def test_the_limit_is_told_with_the_field(browser: FlaskClient) -> None:
    response = send(browser, "/workbench/capabilities/new", a_capability_form(title="长" * 201))
    assert "“名称”最多 200 个字，现有 201 个" in response.text
    long_name = {"parameters-0-name": "长" * 101}
    response = send(browser, "/workbench/capabilities/new", a_capability_form(**long_name))
    assert response.status_code == 422
    assert "100" in response.text.split('class="errsum', 1)[-1].split("</ol>", 1)[0]


def test_text_of_the_largest_allowed_size_is_kept_to_the_letter(browser: FlaskClient) -> None:
    text = ("𠮷野家\t<b>&amp;'\"\\%s{{7*7}}\n" * 400)[:8000].strip()
    response = send(browser, "/workbench/capabilities/new", a_capability_form(summary=text))
    assert response.status_code == 302
    page = browser.get(response.location).text
    assert "{{7*7}}" in page
    assert "<b>&amp;'" not in page


def test_a_megabyte_in_any_field_is_too_large(browser: FlaskClient) -> None:
    before = footprint()
    for field in ("title", "summary", "parameters-0-name", "certificates-0-name", "unknown"):
        form = a_capability_form(**{field: "x" * 1024 * 1024})
        assert send(browser, "/workbench/capabilities/new", form).status_code == 413
    db.session.rollback()
    assert footprint() == before


@pytest.mark.parametrize("reason", [HOSTILE["nul"], HOSTILE["bytes that were no text"], "长" * 1001])
def test_a_reason_that_cannot_be_kept_is_refused(app: Flask, reason: str) -> None:
    editor = an_editor()
    need = a_need(editor)
    before = footprint()
    client = client_of(app, editor)
    response = send(client, f"/needs/{need.public_no}/withdraw", {"reason": reason})
    assert response.status_code == 422
    assert "理由" in response.text
    db.session.rollback()
    after = footprint()
    assert (after["outbox"], after["need"]) == (before["outbox"], before["need"])


@pytest.mark.parametrize("version", ["", "x", "-1", "１", "9" * 400, "²", "\x00"])
def test_a_version_that_is_none_never_overwrites(app: Flask, version: str) -> None:
    editor = an_editor()
    need = a_need(editor)
    url = f"/workbench/needs/{need.public_no}/edit"
    response = send(client_of(app, editor), url, a_need_form(version=version, title="不该写入的名称"))
    assert response.status_code in (409, 422)
    assert "不该写入的名称" not in app.test_client().get(f"/needs/{need.public_no}").text


def test_odd_row_numbers_are_read_or_left_aside(browser: FlaskClient) -> None:
    odd = {f"parameters-{n}-name": "x" for n in ("²", "٣", "-1", "9" * 400, "1e3", "", "9999", "0x1")} | {
        f"certificates-{n}-name": "x" for n in ("²", "٣", "-1", "9" * 400, "")
    }
    response = send(browser, "/workbench/capabilities/new", a_capability_form(**odd))
    assert response.status_code in (302, 422)
    many = {f"parameters-{n}-name": "参数" for n in range(500)}
    response = send(browser, "/workbench/capabilities/new", a_capability_form(**many))
    assert response.status_code == 422
