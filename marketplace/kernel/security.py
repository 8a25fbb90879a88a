"""What every response carries, and what every request is held to."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from marketplace.kernel.access import permits
from marketplace.kernel.actor import acting

F = TypeVar("F", bound=Callable[..., Any])

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
MOST_FIELDS = 2000

LARGEST_ID = 2**63 - 1

csrf = CSRFProtect()


class BoundedInteger(IntegerConverter):
    """`<int:…>` in a route: a number that no key can be is an address that does not exist."""

    def __init__(
        self,
        map: Map,
        fixed_digits: int = 0,
        min: int | None = None,
        max: int | None = LARGEST_ID,
        signed: bool = False,
    ) -> None:
        super().__init__(map, fixed_digits, min, max, signed)


def _stamp_request() -> None:
    g.request_id = secrets.token_hex(8)


def _refuse_nul() -> None:
    # Werkzeug decodes %00; PostgreSQL has no such character, so nothing can have it in its address.
    if "\x00" in request.path:
        abort(404)
    if any("\x00" in text for pair in request.args.items(multi=True) for text in pair):
        abort(400)


def _bound_form() -> None:
    # Werkzeug bounds the parts of multipart forms only; a urlencoded body may hold any number of fields.
    if (
        request.mimetype == "application/x-www-form-urlencoded"
        and (request.content_length or 0) > 0
        and request.get_data(cache=True).count(b"&") >= MOST_FIELDS
    ):
        abort(413)


def large_body(most: int) -> Callable[[F], F]:
    """Let a view's request be as large as `most` bytes, files included; all others keep to the global limit.

    Stands below `@policy`. Only whoever the policy admits gets the room: the body is read before the view is.
    """

    def mark(view: F) -> F:
        view.most_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


def _give_room() -> None:
    # Before the token is looked for, because that reads the body.
    view = current_app.view_functions.get(request.endpoint or "")
    most = getattr(view, "most_bytes", 0)
    resource, action = getattr(view, "policy", ("", ""))
    if most and request.mimetype == "multipart/form-data" and permits(resource, action, acting()):
        # Room for the other fields and for what multipart writes between them. The second bound counts what
        # is held back while a part's end is looked for: a file without line ends is held back whole.
        request.max_content_length = most + int(current_app.config["MAX_CONTENT_LENGTH"])
        request.max_form_memory_size = request.max_content_length


def _dress(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Request-Id"] = g.get("request_id", "")
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store" if request.cookies else "no-cache")
        response.vary.add("Cookie")
    return response


def init_app(app: Flask) -> None:
    proxies = app.config["TRUSTED_PROXIES"]
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    app.url_map.converters["int"] = BoundedInteger
    # Before the token is looked for: that parses the form, and a parsed body can no longer be counted.
    for step in (_stamp_request, _refuse_nul, _give_room, _bound_form):
        app.before_request(step)
    csrf.init_app(app)
    app.after_request(_dress)
