"""The one place where parts are wired: settings, database, sign-in, features, error pages."""

import importlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, current_app, g, make_response, redirect, render_template, request, url_for
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from marketplace import tables  # noqa: F401 - all tables are known before the first query
from marketplace.audit import services as audit
from marketplace.config import ROOT, Settings
from marketplace.kernel import assets, db, filters, locales, navigation, panels, security
from marketplace.kernel.access import permits
from marketplace.kernel.actor import ANONYMOUS, acting, forget_actor
from marketplace.kernel.errors import (
    Forbidden,
    InvalidTransition,
    NotFound,
    Obstructed,
    SignInRequired,
    StaleVersion,
)

log = logging.getLogger(__name__)

# In the order of the import contract, lowest first; each has a `wiring.py` with `wire(app)`.
FEATURES = (
    "audit",
    "notifications",
    "taxonomy",
    "identity",
    "attachments",
    "organisations",
    "exchange",
    "search",
    "announcements",
    "postings",
    "capabilities",
    "needs",
    "challenges",
    "matching",
    "engagement",
    "oversight",
    "portal",
    "demo",
    "operations",
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application. Raises UnfitSettings where the settings must not be started with."""
    settings = settings or Settings()
    settings.check()
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    app = Flask(
        "marketplace",
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "marketplace" / "static"),
        instance_path=str(settings.instance_dir.resolve()),
    )
    app.config.update(settings.flask())
    app.extensions["settings"] = settings
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")

    security.init_app(app)
    db.init_app(app)
    audit.init_app()
    # Rights are asked anew inside the transaction: what was true when the page was opened may be over.
    db.at_begin(forget_actor)
    Migrate(app, db.db, directory=str(ROOT / "migrations"), render_as_batch=True)
    locales.init_app(app)
    filters.init_app(app)
    assets.init_app(app)
    app.context_processor(_template_globals)
    for feature in FEATURES:
        importlib.import_module(f"marketplace.{feature}.wiring").wire(app)
    importlib.import_module("marketplace.cli").init_app(app)
    _handle_errors(app)
    return app


def _template_globals() -> dict[str, object]:
    return {
        "actor": acting(),
        "permits": lambda resource, action: permits(resource, action, acting()),
        "panels": panels.panels,
        "public_nav": navigation.public_nav,
        "workbench_nav": navigation.workbench_nav,
        "request_id": g.get("request_id", ""),
    }


def _page(status: int, **values: object) -> Response:
    return make_response(render_template(f"errors/{status}.html", **values), status)


def _ask_to_sign_in(_error: SignInRequired) -> Response:
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    address = url_for("identity.sign_in", next=target)
    if request.headers.get("HX-Request"):
        response = make_response("", HTTPStatus.UNAUTHORIZED)
        response.headers["HX-Redirect"] = address
        return response
    return redirect(address)


def _database_away(error: OperationalError) -> Response:
    log.error("database unavailable: %s", error.orig)
    db.db.session.rollback()
    _ask_for_nothing()
    response = _page(503)
    response.headers["Retry-After"] = "5"
    return response


PAGES = frozenset({400, 403, 404, 405, 409, 413, 422, 429, 500, 503})


def _http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    response = _page(error.code if error.code in PAGES else 400, error=error)
    response.status_code = error.code
    return response


def _unexpected(error: Exception) -> Response:
    if current_app.testing:
        raise error
    log.exception("request %s failed", g.get("request_id", ""))
    db.db.session.rollback()
    _ask_for_nothing()
    return _page(500)


def _ask_for_nothing() -> None:
    """The page of a failing system must not fail again by asking the database who is signed in."""
    g.actor = ANONYMOUS


def _handle_errors(app: Flask) -> None:
    """Which error of the domain is which answer of HTTP; the most specific class wins."""
    handlers: dict[type[Exception], Callable[[Any], Response]] = {
        SignInRequired: _ask_to_sign_in,
        Forbidden: lambda error: _page(403),
        NotFound: lambda error: _page(404),
        InvalidTransition: lambda error: _page(409, error=error),
        StaleVersion: lambda error: _page(409, error=error),
        Obstructed: lambda error: _page(422, obstacles=error.obstacles),
        CSRFError: lambda error: _page(400, error=error),
        OperationalError: _database_away,
        HTTPException: _http_error,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.register_error_handler(kind, handler)
