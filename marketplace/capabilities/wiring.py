"""How this feature is wired into the application."""

from flask import Flask


def wire(app: Flask) -> None:
    """Register what the feature brings."""
