"""`flask seed …`: the demonstration marketplace and who may sign in to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.demo import loader
from marketplace.demo.accounts import ACCOUNTS, PASSWORD
from marketplace.kernel import clock

seed_cli = AppGroup("seed", help="The demonstration marketplace.")


@seed_cli.command("demo")
def seed_demo() -> None:
    """Load the demonstration marketplace, once, and rank it. Refused in production."""
    if current_app.extensions["settings"].is_production:
        raise click.ClickException("生产环境不载入演示数据 / the demonstration is refused in production")
    if loader.is_loaded():
        click.echo("演示数据已经载入过，未作改动 / loaded before, nothing changed")
        return
    with _bar("载入演示数据") as report:
        loader.load(now=clock.now(), report=report)
    with _bar("匹配") as report:
        loader.rank(report=report)
    with _bar("检索索引") as report:
        loader.make_findable(report=report)
    click.echo("演示数据已载入 / the demonstration is loaded")


@seed_cli.command("accounts")
def list_accounts() -> None:
    """Print the demonstration's accounts, one for each role."""
    if not loader.is_loaded():
        raise click.ClickException("没有演示数据：先运行 flask seed demo / no demonstration here")
    widest = max(len(account.email) for account in ACCOUNTS)
    for account in ACCOUNTS:
        click.echo(f"{account.email:<{widest}}  {PASSWORD}  {account.duty}")


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    with click.progressbar(length=1, label=label) as bar:  # its length is known with the first report

        def report(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield report
        bar.finish()
