"""How importing and exporting are wired into the application."""

from flask import Flask

from marketplace.exchange import exports, imports, lists, permissions, targets
from marketplace.exchange.cli import import_file
from marketplace.exchange.collected_target import CollectedTarget
from marketplace.exchange.organisation_target import OrganisationTarget
from marketplace.exchange.views import bp
from marketplace.kernel import clock, navigation
from marketplace.kernel.texts import N_


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    app.cli.add_command(import_file)
    targets.register(OrganisationTarget())
    targets.register(CollectedTarget())
    for exported in lists.lists(clock.now):
        exports.register(exported)
    navigation.add_workbench(
        N_("供应链"),
        N_("批量导入"),
        "exchange.index",
        permissions.IMPORTER,
        45,
        count=imports.count_waiting,
    )
