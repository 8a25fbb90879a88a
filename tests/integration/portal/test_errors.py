"""What people read when something is refused or fails."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from marketplace.kernel import actor as actors
from marketplace.kernel.actor import Actor
from tests.integration.portal.conftest import Market


def database_is_away() -> Actor:
    raise OperationalError("SELECT 1", {}, Exception("away"))


def test_a_lost_database_is_a_readable_page_even_for_whoever_is_signed_in(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors, "_loaders", [database_is_away])
    response = client.get("/")
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "服务暂时不可用" in response.text
    assert response.headers["X-Request-Id"] in response.text


def test_an_unforeseen_failure_is_a_readable_page_with_its_number(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> Actor:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(actors, "_loaders", [fails])
    monkeypatch.setattr(app, "testing", False)
    response = client.get("/")
    assert response.status_code == 500
    assert "系统出错，已记录" in response.text
    assert response.headers["X-Request-Id"] in response.text
    assert "unforeseen" not in response.text


def test_a_missing_page_offers_a_search(client: FlaskClient) -> None:
    response = client.get("/challenges/JB-1999-9999")
    assert response.status_code == 404
    assert 'role="search"' in response.text


def test_a_forbidden_page_names_a_way_back(
    client: FlaskClient, market: Market, sign_in: Callable[[Actor], None]
) -> None:
    sign_in(market.sme)
    response = client.get("/workbench/trail")
    assert response.status_code == 403
    assert "返回工作台" in response.text


def test_a_wrong_method_is_explained(client: FlaskClient) -> None:
    response = client.post("/guide")
    assert response.status_code == 405
    assert "不支持这种访问方式" in response.text
