"""Every answer carries the headers that keep a browser safe: pages, errors, redirects, files."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from marketplace.kernel.access import ANYONE, allow, policy
from marketplace.kernel.security import CONTENT_SECURITY_POLICY

EXPECTED = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


pytestmark = pytest.mark.plants_routes


def test_the_policy_allows_no_foreign_and_no_inline_code() -> None:
    rules = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/challenges", 200),
        ("GET", "/login", 200),
        ("GET", "/workbench", 302),
        ("GET", "/no-such-page", 404),
        ("GET", "/needs/XQ-2026-99999", 404),
        ("POST", "/challenges", 405),
        ("OPTIONS", "/challenges", 200),
        ("GET", "/static/gov.css", 200),
        ("GET", "/static/no-such-file.css", 404),
        ("GET", "/static/../../wsgi.py", 404),
    ],
)
def test_every_answer_carries_them(client: FlaskClient, method: str, path: str, status: int) -> None:
    with client.open(path, method=method) as response:
        assert response.status_code == status
        check(response.headers)


def check(headers: object) -> None:
    found = dict(headers)  # type: ignore[call-overload]
    assert {name: found.get(name) for name in EXPECTED} == EXPECTED
    assert found["X-Request-Id"]
    assert "Server" not in found or "Werkzeug" not in found["Server"]


def test_a_body_too_large_is_answered_with_them(client: FlaskClient) -> None:
    response = client.post("/login", data={"email": "x" * (1024 * 1024 + 1)})
    assert response.status_code == 413
    check(response.headers)


def test_a_missing_token_is_answered_with_them(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    response = client.post("/login", data={})
    assert response.status_code == 400
    check(response.headers)


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("planted"), 500), (OperationalError("select 1", {}, Exception("gone")), 503)],
)
def test_a_failing_system_answers_with_them_and_says_nothing_of_itself(
    app: Flask, client: FlaskClient, error: Exception, status: int
) -> None:
    allow({("planted", "fail"): ANYONE})

    def fail() -> str:
        raise error

    app.add_url_rule("/planted", "planted", policy("planted", "fail")(fail))
    app.config["TESTING"] = False
    response = client.get("/planted")
    assert response.status_code == status
    check(response.headers)
    for told in ("Traceback", "planted", "select 1", "RuntimeError"):
        assert told not in response.text.replace("/planted", "")
    assert response.headers["X-Request-Id"] in response.text


def test_pages_of_somebody_are_kept_by_no_cache(client: FlaskClient) -> None:
    with client.get("/static/gov.css") as file:
        assert file.headers["Cache-Control"] == "no-cache"
    assert client.get("/").headers["Cache-Control"] == "no-cache"
    client.set_cookie("session", "anything")
    response = client.get("/")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Cookie" in response.headers["Vary"]


def test_only_an_encrypted_answer_asks_for_encryption_ever_after(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers
    secure = client.get("/", base_url="https://localhost")
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
