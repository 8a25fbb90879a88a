"""How this feature is wired into the application."""

from flask import Flask

from marketplace.challenges.collected import ChallengeImporter
from marketplace.exchange import importers
from marketplace.exchange.entries import EntryKind


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    importers.register(EntryKind.CHALLENGE, ChallengeImporter())
