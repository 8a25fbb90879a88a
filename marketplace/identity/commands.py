"""`flask identity …`: what has to be done on the server, because nobody is in the site yet to do it."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin

import click
from flask import current_app
from flask.cli import AppGroup

from marketplace.identity import queries, second_factor, services
from marketplace.identity.models import User
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, PlatformRole
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstructed
from marketplace.kernel.forms import email_from

identity_cli = AppGroup("identity", help="Accounts.")
COMMAND_LINE = Actor(name="command line", is_system=True)


@identity_cli.command("invite-operator")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.value for role in PlatformRole]),
    default=PlatformRole.OPERATOR.value,
    show_default=True,
)
def invite_operator(email: str, role: str) -> None:
    """Print a one-time link with which EMAIL takes up a platform role; valid for 24 hours."""
    try:
        address = email_from(email)
    except ValueError:
        raise click.ClickException(f"不是有效的邮箱地址 / not a mail address: {email}") from None
    now = clock.now()
    try:
        with transaction():
            token = services.invite_platform_user(address, PlatformRole(role), by=COMMAND_LINE, now=now)
    except services.AlreadyRegistered:
        raise click.ClickException(f"该邮箱已有账号 / has an account already: {address}") from None
    site = current_app.config["PUBLIC_URL"] or "http://127.0.0.1:8000"
    click.echo(urljoin(site, f"/register/{token}"))


@identity_cli.command("disable")
@click.argument("email")
@click.option("--reason", required=True, help="Kept in the audit trail.")
def disable(email: str, reason: str) -> None:
    """Shut an account; who is signed in with it is out on the next request."""
    _switch(email, reason, on=False)


@identity_cli.command("enable")
@click.argument("email")
@click.option("--reason", required=True, help="Kept in the audit trail.")
def enable(email: str, reason: str) -> None:
    """Open a shut account again."""
    _switch(email, reason, on=True)


@identity_cli.command("reset-second-factor")
@click.argument("email")
@click.option("--reason", required=True, help="Kept in the audit trail.")
def reset_second_factor(email: str, reason: str) -> None:
    """Take a lost second factor off an account; its person sets up a new one at the next sign-in."""
    now = clock.now()
    with _told(), transaction():
        second_factor.reset(_account(email), reason=reason, by=COMMAND_LINE, now=now)
    click.echo(f"{email}: 两步验证已移除 / second factor removed")


def _switch(email: str, reason: str, *, on: bool) -> None:
    now = clock.now()
    with _told(), transaction():
        change = services.enable_user if on else services.disable_user
        change(_account(email), reason=reason, by=COMMAND_LINE, now=now)
    click.echo(f"{email}: {'已启用 / enabled' if on else '已停用 / disabled'}")


def _account(email: str) -> User:
    user = queries.find_user_by_email(email.strip().lower())
    if user is None:
        raise click.ClickException(f"没有这个账号 / no such account: {email}")
    return queries.get_user_for_change(user.id)


@contextmanager
def _told() -> Iterator[None]:
    """What stands in the way is said in a line, not in a traceback."""
    try:
        yield
    except Obstructed as error:
        messages = "；".join(obstacle.message % dict(obstacle.params) for obstacle in error.obstacles)
        raise click.ClickException(messages) from None
