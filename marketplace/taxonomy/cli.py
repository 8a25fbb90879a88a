"""`flask taxonomy …`: loading what is shipped; exporting, importing and comparing versions."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from flask_babel import gettext

from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstructed
from marketplace.taxonomy import queries, rules, services, sheets
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.presenters import field_changes

taxonomy_cli = AppGroup("taxonomy", help="Reference data.")

ALL = click.Choice([scheme.value for scheme in Scheme])
EDITABLE = click.Choice(rules.EDITABLE)


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


@taxonomy_cli.command("versions")
@click.argument("scheme", type=ALL)
def list_versions(scheme: str) -> None:
    """The versions of a scheme, newest first."""
    for version in queries.list_versions(Scheme(scheme)):
        counts = " ".join(f"{name} {count}" for name, count in version.counts.items())
        click.echo(
            f"{version.number}　{version.valid_from}　{version.author_name}　{version.reason}　"
            f"{version.source}　{counts}"
        )


@taxonomy_cli.command("export")
@click.argument("scheme", type=ALL)
@click.option("--version", "number", help="A version as it was, instead of what holds now.")
@click.option("--to", "path", type=click.Path(dir_okay=False, path_type=Path), help="Else it is printed.")
def export(scheme: str, number: str | None, path: Path | None) -> None:
    """Write a scheme as CSV."""
    named = Scheme(scheme)
    try:
        version = queries.get_version(named, number) if number else None
    except NotFound as error:
        raise click.ClickException(f"没有版本 {number}") from error
    text = sheets.write(queries.read_for_export(named, version))
    if path is None:
        click.echo(text, nl=False)
    else:
        path.write_text("\ufeff" + text, encoding="utf-8", newline="")
        click.echo(str(path))


@taxonomy_cli.command("diff")
@click.argument("scheme", type=ALL)
@click.argument("before")
@click.argument("after")
def diff(scheme: str, before: str, after: str) -> None:
    """What changed between two versions."""
    named = Scheme(scheme)
    try:
        old, new = queries.get_version(named, before), queries.get_version(named, after)
    except NotFound as error:
        raise click.ClickException(f"没有版本 {error}") from error
    found = rules.difference(
        queries.state_at(old),
        list(queries.state_at(new).values()),
        successors=queries.successors_between(old, new),
    )
    _print_difference(found)


@taxonomy_cli.command("import")
@click.argument("scheme", type=EDITABLE)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--number", help="The new version's number.")
@click.option("--reason", default="", help="Why.")
@click.option("--source", default="", help="On what authority; shown to everybody.")
@click.option("--author", default="", help="Who brings it in.")
@click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day from which it holds; today.")
@click.option("--apply", "apply_it", is_flag=True, help="Take it over; else only the difference is shown.")
def import_sheet(
    scheme: str,
    file: Path,
    number: str | None,
    reason: str,
    source: str,
    author: str,
    day: datetime | None,
    apply_it: bool,
) -> None:
    """Show what a CSV would change and, with --apply, make it the next version, whole or not at all."""
    named = Scheme(scheme)
    content = file.read_bytes()
    if len(content) > sheets.MOST_BYTES:
        raise click.ClickException(f"文件最大 {sheets.MOST_BYTES // 1024} KB")
    try:
        text = sheets.decode(content)
    except ValueError as error:
        raise click.ClickException("文件须为 UTF-8 或 GB18030 编码的 CSV") from error
    plan = services.plan_import(named, text)
    for fault in plan.faults:
        click.echo(
            f"第 {fault.row} 行 {fault.column}：{fault.value}　{gettext(fault.message, **fault.params)}",
            err=True,
        )
    if plan.faults:
        raise click.ClickException(f"文件有 {len(plan.faults)} 处错误，没有导入")
    _print_difference(plan.difference)
    if not apply_it:
        click.echo("以上是差异，没有导入；加 --apply 启用")
        return
    now = clock.now()
    edition = services.Edition(
        number=number or "",
        reason=reason,
        source=source,
        valid_from=day.date() if day else business_date(now),
    )
    by = Actor(name=author.strip() or "system", is_system=True)
    try:
        with transaction():
            version = services.take_over(named, text, edition, base_id=plan.base_id, by=by, now=now)
    except Obstructed as error:
        said = "；".join(gettext(o.message, **o.params) for o in error.obstacles)
        raise click.ClickException(said) from error
    click.echo(f"已启用 {scheme} {version.number}")


def _print_difference(found: rules.Difference) -> None:
    counts = found.counts
    click.echo("　".join(f"{name} {counts[name]}" for name in counts))
    for node in found.added:
        click.echo(f"+ {node.code} {node.name}")
    for change in (*found.changed, *found.moved):
        for name, before, after in field_changes(change):
            click.echo(f"~ {change.node.code} {change.node.name}　{_told(name, before, after)}")
    for ending in found.ended:
        click.echo(f"- {ending.node.code} {ending.node.name}　→ {ending.successor or '—'}")


def _told(name: str, before: Any, after: Any) -> str:
    return f"{name}：{before} → {after}" if before or after else name
