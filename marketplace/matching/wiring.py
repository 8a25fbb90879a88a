"""How this feature is wired into the application."""

from flask import Flask

from marketplace.matching.cli import match_cli


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.cli.add_command(match_cli)
