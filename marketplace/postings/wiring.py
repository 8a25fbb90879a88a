"""How this feature is wired into the application."""

from flask import Flask

from marketplace.postings import permissions  # noqa: F401 - names the audiences
from marketplace.postings.pages import bp


def wire(app: Flask) -> None:
    """Register what the feature brings; each kind of posting registers itself."""
    app.register_blueprint(bp)
