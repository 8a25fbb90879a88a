"""The command group `flask match`, and how its commands name a posting."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from marketplace.matching.lookup import MOST_CANDIDATES, Named, find_named
from marketplace.matching.models import PostingKind

match_cli = AppGroup("match", help="Rank, show, replay and measure who could solve what.")

_NAMES = {PostingKind.CHALLENGE: "榜单", PostingKind.NEED: "需求", PostingKind.CAPABILITY: "能力成果"}


def resolve(kind: PostingKind, name: str) -> Named:
    """The one posting meant; lists the candidates and ends with 2 where there are several."""
    found = find_named(kind, name)
    if not found:
        raise click.ClickException(f"没有找到{_NAMES[kind]}：{name}")
    if len(found) > 1:
        click.echo(f"“{name}”不止一个{_NAMES[kind]}，请用编号指明：", err=True)
        for one in found[:MOST_CANDIDATES]:
            click.echo(f"  {one.public_no}  {one.source_id or '-'}  {one.title}", err=True)
        if len(found) > MOST_CANDIDATES:
            click.echo("  ……", err=True)
        raise SystemExit(2)
    return found[0]


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many are done, of how many, and draws it on a terminal."""
    with click.progressbar(length=1, label=label) as bar:

        def report(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos if total else 1)

        yield report
