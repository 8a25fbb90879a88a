"""How this feature is wired into the application."""

from flask import Flask

from marketplace.exchange import importers
from marketplace.exchange.entries import EntryKind
from marketplace.needs.collected import NeedImporter


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    importers.register(EntryKind.SUPPLY_NEED, NeedImporter())
