"""How engagement is wired into the application."""

from flask import Flask


def wire(_app: Flask) -> None:
    """Register what this feature offers."""
