"""How this feature is wired into the application."""

from flask import Flask

from marketplace.kernel import invariants
from marketplace.operations import checks, cli


def wire(app: Flask) -> None:
    """Register the commands and the checks that belong to no single feature."""
    for invariant in checks.INVARIANTS:
        invariants.register(invariant)
    cli.init_app(app)
