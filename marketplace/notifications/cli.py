"""`flask letters …`: whether mail goes out, and what was refused."""

import smtplib

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.kernel import clock
from marketplace.kernel.filters import show_datetime
from marketplace.kernel.forms import email_from
from marketplace.notifications import queries
from marketplace.notifications.composing import compose_test
from marketplace.notifications.post import Refused, open_post

letters_cli = AppGroup("letters", help="Letters and mail.")


@letters_cli.command("test")
@click.argument("address")
def send_test(address: str) -> None:
    """Mail one message now, without queue and workers; ends with 1 where it was not taken."""
    try:
        to = email_from(address)
    except ValueError as error:
        raise click.ClickException(f"“{address}”不是有效的邮箱地址") from error
    config = current_app.config
    message = compose_test(to, at=clock.now())
    try:
        with open_post(config["SMTP_URL"], instance_dir=config["INSTANCE_DIR"]) as post:
            post.hand_over(message)
    except Refused as error:
        raise click.ClickException(f"邮件服务器拒收：{error}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise click.ClickException(f"没有发出：{error}") from error
    where = (
        "邮件服务器已接收"
        if config["SMTP_URL"]
        else f"没有设置 SMTP_URL，已写入 {config['INSTANCE_DIR']}/mail"
    )
    click.echo(f"{to}：{where}")


@letters_cli.command("refused")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_refused(limit: int) -> None:
    """What mail servers will never take, newest first; neither texts nor addresses."""
    for letter in queries.list_refused(limit=limit):
        click.echo(
            f"#{letter.id}　{show_datetime(letter.created_at)}　{letter.kind}　"
            f"账号 {letter.user_id or '—'}　{letter.mail_problem}"
        )
