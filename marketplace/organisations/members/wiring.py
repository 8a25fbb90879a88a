"""How members are wired into the application."""

from flask import Flask

from marketplace.organisations.members import permissions  # noqa: F401 - names the audiences
from marketplace.organisations.members.views import bp


def wire(app: Flask) -> None:
    app.register_blueprint(bp)
