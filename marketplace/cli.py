"""`flask …` commands, thin: each parses, calls a service inside a transaction, prints.

Features bring their own group through `wiring.wire`; what belongs to none of them stands here.
"""

import click
from flask import Flask
from flask.cli import AppGroup

from marketplace import lifecycles
from marketplace.audit import anchor
from marketplace.config import ROOT
from marketplace.kernel import clock

audit_cli = AppGroup("audit", help="The audit chain.")


@audit_cli.command("verify")
def verify_audit() -> None:
    """Walk the whole chain, its head and its anchors; exit 1 where something does not hold."""
    from flask import current_app

    breaks = anchor.verify(anchor.anchor_file(current_app.config["INSTANCE_DIR"]))
    for found in breaks:
        click.echo(f"{found.problem} at {found.seq}")
    click.echo("审计链完整" if not breaks else f"审计链有 {len(breaks)} 处不符")
    raise SystemExit(1 if breaks else 0)


@audit_cli.command("anchor")
def anchor_audit() -> None:
    """Write the head of the chain to the anchor file."""
    from flask import current_app

    path = anchor.anchor_file(current_app.config["INSTANCE_DIR"])
    written = anchor.write_anchor(path, now=clock.now())
    click.echo(f"{path}: {'written' if written else 'nothing new'}")


docs_cli = AppGroup("docs", help="Pages of the documentation that are generated.")


@docs_cli.command("lifecycles")
def write_lifecycles() -> None:
    """Write docs/lifecycles.md from the lifecycle tables."""
    path = ROOT / lifecycles.PAGE
    path.write_text(lifecycles.page(), encoding="utf-8")
    click.echo(str(path))


def init_app(app: Flask) -> None:
    app.cli.add_command(docs_cli)
    app.cli.add_command(audit_cli)
