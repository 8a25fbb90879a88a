"""How attachments is wired into the application."""

from flask import Flask

from marketplace.attachments import (
    permissions,  # noqa: F401 - names the audiences
    presenters,
    queries,
)
from marketplace.attachments.cli import files_cli
from marketplace.attachments.views import bp
from marketplace.kernel import invariants
from marketplace.kernel.invariants import Invariant


def wire(app: Flask) -> None:
    """Register what the feature brings; owners register themselves."""
    app.register_blueprint(bp)
    app.cli.add_command(files_cli)
    app.jinja_env.globals["attached_files"] = presenters.attached_files
    app.jinja_env.filters["filesize"] = presenters.size_text
    invariants.register(
        Invariant(
            "files.present",
            "every row of a file has its file, of the size that was stored",
            lambda _now: (f"{f.key}: {f.problem}" for f in queries.list_faults(whole=False)),
        )
    )
