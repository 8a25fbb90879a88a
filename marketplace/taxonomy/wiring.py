"""How this feature is wired into the application."""

from flask import Flask

from marketplace.audit import kept_pages
from marketplace.kernel import navigation
from marketplace.kernel.access import MAINTAINER
from marketplace.kernel.texts import N_
from marketplace.taxonomy import (
    permissions,  # noqa: F401 - names the audiences
    queries,
)
from marketplace.taxonomy.cli import taxonomy_cli
from marketplace.taxonomy.views import bp


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    app.cli.add_command(taxonomy_cli)
    kept_pages.before_making(queries.look_again)
    app.add_template_global(queries.name_of, "taxon")
    app.add_template_global(queries.region_name, "region_name")
    app.add_template_global(queries.find_node, "taxonomy_node")
    app.add_template_global(queries.chain_link_name, "chain_link_name")
    navigation.add_workbench(N_("监测"), N_("分类维护"), "taxonomy.manage", MAINTAINER, 64)
