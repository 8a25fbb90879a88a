"""How the demonstration is wired into the application: by its commands, and nothing else."""

from flask import Flask

from marketplace.demo.cli import seed_cli


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.cli.add_command(seed_cli)
