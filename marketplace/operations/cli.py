"""`flask prepare`, `flask doctor` and `flask invariants`."""

import json

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from marketplace.kernel import clock, invariants
from marketplace.kernel.db import transaction
from marketplace.operations.doctor import examine
from marketplace.taxonomy.services import load_shipped

MARKS = {True: "好", False: "差", None: "注意"}


@click.command("prepare")
@with_appcontext
def prepare() -> None:
    """Bring the database up to this code: its tables, and the reference data that comes with it."""
    upgrade()
    with transaction():
        load_shipped(now=clock.now())
    click.echo("数据库已就绪")


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Say whether this installation is fit to serve, and what to do where it is not; exit 1 if not."""
    findings = examine(current_app.extensions["settings"])
    for finding in findings:
        click.echo(f"[{MARKS[finding.fit]}] {finding.subject}: {finding.text}")
    raise SystemExit(1 if any(finding.fit is False for finding in findings) else 0)


@click.command("invariants")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@with_appcontext
def check_invariants(as_json: bool) -> None:
    """Check what must hold of the data at any moment; exit 1 where something does not."""
    now = clock.now()
    verdicts = invariants.judge(now=now)
    broken = [verdict for verdict in verdicts if verdict.violations]
    if as_json:
        document = {
            "at": now.isoformat(),
            "ok": not broken,
            "checks": [
                {"name": v.name, "holds": v.holds, "ok": not v.violations, "violations": v.violations}
                for v in verdicts
            ],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for verdict in verdicts:
            click.echo(f"[{MARKS[not verdict.violations]}] {verdict.name}: {verdict.holds}")
            for violation in verdict.violations:
                click.echo(f"    {violation}")
    raise SystemExit(1 if broken else 0)


def init_app(app: Flask) -> None:
    app.cli.add_command(prepare)
    app.cli.add_command(doctor)
    app.cli.add_command(check_invariants)
