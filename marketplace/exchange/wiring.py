"""How importing is wired into the application."""

from flask import Flask

from marketplace.exchange.cli import import_file


def wire(app: Flask) -> None:
    app.cli.add_command(import_file)
