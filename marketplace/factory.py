"""The one place where parts are wired: settings, database, sign-in, features, error pages."""

import importlib
import logging
from http import HTTPStatus

from flask import Flask, g, make_response, redirect, render_template, request, url_for
from flask_babel import Babel
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from marketplace import tables  # noqa: F401 - all tables are known before the first query
from marketplace.audit import services as audit
from marketplace.config import ROOT, Settings
from marketplace.kernel import assets, db, filters, navigation, panels, security
from marketplace.kernel.access import permits
from marketplace.kernel.actor import acting
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
    "organisations",
    "exchange",
    "capabilities",
    "needs",
    "challenges",
    "matching",
    "oversight",
    "portal",
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
    Migrate(app, db.db, directory=str(ROOT / "migrations"), render_as_batch=True)
    Babel(app)
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


def _handle_errors(app: Flask) -> None:
    def page(status: int, **values: object) -> Response:
        return make_response(render_template(f"errors/{status}.html", **values), status)

    @app.errorhandler(SignInRequired)
    def sign_in(_error: SignInRequired) -> Response:
        target = request.full_path.rstrip("?") if request.method == "GET" else "/"
        address = url_for("identity.sign_in", next=target)
        if request.headers.get("HX-Request"):
            response = make_response("", HTTPStatus.UNAUTHORIZED)
            response.headers["HX-Redirect"] = address
            return response
        return redirect(address)

    @app.errorhandler(Forbidden)
    def forbidden(_error: Forbidden) -> Response:
        return page(403)

    @app.errorhandler(NotFound)
    def not_found(_error: NotFound) -> Response:
        return page(404)

    @app.errorhandler(InvalidTransition)
    @app.errorhandler(StaleVersion)
    def conflict(error: InvalidTransition | StaleVersion) -> Response:
        return page(409, error=error)

    @app.errorhandler(Obstructed)
    def obstructed(error: Obstructed) -> Response:
        return page(422, obstacles=error.obstacles)

    @app.errorhandler(CSRFError)
    def csrf_failed(error: CSRFError) -> Response:
        return page(400, error=error)

    @app.errorhandler(OperationalError)
    def database_away(error: OperationalError) -> Response:
        log.error("database unavailable: %s", error.orig)
        db.db.session.rollback()
        response = page(503)
        response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        known = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)
        if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
            return error.get_response()
        response = page(error.code if error.code in known else 400, error=error)
        response.status_code = error.code
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        if app.testing and app.config.get("PROPAGATE_EXCEPTIONS", True):
            raise error
        log.exception("request %s failed", g.get("request_id", ""))
        db.db.session.rollback()
        return page(500)
