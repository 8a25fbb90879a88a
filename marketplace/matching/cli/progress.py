"""`flask match progress`: how far the long runs have come, such as after a new version of the taxonomy."""

import click
from flask_babel import gettext

from marketplace.kernel.filters import show_datetime
from marketplace.matching import presenters, queries
from marketplace.matching.cli.group import match_cli


@match_cli.command("progress")
def progress() -> None:
    """Every bulk that waits or runs, with its stage and how much of it is done."""
    running = queries.list_running_bulk()
    for work in running:
        total, done = work.payload.get("total"), work.payload.get("done", 0)
        stage = "读取文本" if work.payload.get("stage") == "texts" else "匹配名单"
        how_far = f"{stage} {done} / {total}" if total is not None else "等待开始"
        name = gettext(presenters.WORK.get(work.kind, work.kind))
        click.echo(f"#{work.id}　{name}　{how_far}　提出于 {show_datetime(work.created_at)}")
    if not running:
        click.echo("没有进行中的批量作业")
