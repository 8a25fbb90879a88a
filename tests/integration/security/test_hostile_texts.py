"""Texts that are kept to the letter, versions that are none, and rows with odd numbers.

Not here: what every field of every form refuses (`test_hostile_forms`)."""

from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.integration.support import (
    a_capability_form,
    a_need,
    a_need_form,
    an_editor,
    client_of,
)


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    return client_of(app, an_editor())


def send(client: FlaskClient, url: str, form: dict[str, Any]) -> Any:
    body = urlencode(form, doseq=True, errors="surrogatepass")
    return client.post(url, data=body, content_type="application/x-www-form-urlencoded")


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


def test_text_of_the_largest_allowed_size_is_kept_to_the_letter(browser: FlaskClient) -> None:
    text = ("𠮷野家\t<b>&amp;'\"\\%s{{7*7}}\n" * 400)[:8000].strip()
    response = send(browser, "/workbench/capabilities/new", a_capability_form(summary=text))
    assert response.status_code == 302
    page = browser.get(response.location).text
    assert "{{7*7}}" in page
    assert "<b>&amp;'" not in page


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
