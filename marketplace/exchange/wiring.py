"""How importing and exporting are wired into the application."""

from flask import Flask

from marketplace.exchange import targets
from marketplace.exchange.cli import import_file
from marketplace.exchange.collected_target import CollectedTarget
from marketplace.exchange.organisation_target import OrganisationTarget


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.cli.add_command(import_file)
    targets.register(OrganisationTarget())
    targets.register(CollectedTarget())
