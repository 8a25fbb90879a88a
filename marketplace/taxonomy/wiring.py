"""How this feature is wired into the application."""

import click
from flask import Flask
from flask.cli import AppGroup

from marketplace.kernel import clock
from marketplace.kernel.db import transaction
from marketplace.taxonomy import (
    permissions,  # noqa: F401 - names the audiences
    queries,
    services,
)
from marketplace.taxonomy.views import bp

taxonomy_cli = AppGroup("taxonomy", help="Reference data.")


@taxonomy_cli.command("load")
def load_taxonomy() -> None:
    """Load the shipped versions of all schemes; what is there already stays as it is."""
    now = clock.now()
    with transaction():
        loaded = services.load_shipped(now=now)
    for one in loaded:
        click.echo(f"{one.scheme} {one.version}: {one.nodes}")
    if not loaded:
        click.echo("分类数据已是最新 / nothing new")


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    app.cli.add_command(taxonomy_cli)
    app.add_template_global(queries.name_of, "taxon")
    app.add_template_global(queries.region_name, "region_name")
    app.add_template_global(queries.find_node, "taxonomy_node")
