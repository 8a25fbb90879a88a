"""`flask import FILE.jsonl`."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from marketplace.exchange import services
from marketplace.exchange.readers import LARGEST_FILE, Reading, read_jsonl
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, PlatformRole
from marketplace.kernel.db import transaction

MOST_ERRORS_SHOWN = 200
COMMAND_LINE = Actor(name="命令行操作员", platform_role=PlatformRole.OPERATOR)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@with_appcontext
def import_file(file: Path, dry_run: bool) -> None:
    """Take the entries of a JSONL FILE in as collected (收录): all of them, or none."""
    size = file.stat().st_size
    if size > LARGEST_FILE:
        raise click.ClickException(f"文件超过 {LARGEST_FILE // 1024 // 1024} MB")
    with click.progressbar(length=size, label=f"读取 {file.name}") as bar:
        reading = read_jsonl(file, tick=bar.update)
    if services.find_batch(reading.sha256) is not None:
        click.echo(f"{file.name} 已经收录过，未作改动")
        return
    reading.errors += services.find_conflicts(reading)
    if reading.errors:
        _report(reading)
        raise SystemExit(1)
    if dry_run:
        _print(services.summarise(reading.entries), "校验通过（未写入）")
        return
    with transaction():
        summary = services.import_collected(reading, by=COMMAND_LINE, now=clock.now())
    _print(summary, "已收录")


def _report(reading: Reading) -> None:
    for error in reading.errors[:MOST_ERRORS_SHOWN]:
        click.echo(str(error), err=True)
    click.echo(f"{reading.file_name}：{len(reading.errors)} 处错误，未写入任何一行", err=True)


def _print(summary: services.ImportSummary, verdict: str) -> None:
    named = {"challenge": "榜单", "supply_need": "需求", "capability": "能力成果"}
    counts = "，".join(f"{named[kind]} {count}" for kind, count in summary.counts.items())
    rest = f"仅有标题 {summary.title_only} 条；单位 {summary.organisations} 家"
    click.echo(f"{verdict} {summary.rows} 条：{counts}；{rest}")
