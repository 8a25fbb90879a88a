"""How this feature is wired into the application."""

from collections.abc import Iterable
from datetime import datetime

from flask import Flask, url_for
from flask_babel import gettext

from marketplace.kernel import navigation, todos
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.actor import Actor
from marketplace.kernel.security import csrf
from marketplace.kernel.texts import N_
from marketplace.kernel.todos import Todo
from marketplace.notifications import permissions, queries  # noqa: F401 - names the audiences
from marketplace.notifications.cli import letters_cli
from marketplace.notifications.kinds import Group
from marketplace.notifications.views import bp, end_mails


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    # Mail programs have no cookie and no token: the signed address is the proof.
    csrf.exempt(end_mails)
    app.cli.add_command(letters_cli)
    navigation.add_workbench(
        N_("总览"),
        N_("我的通知"),
        "notifications.inbox",
        SIGNED_IN,
        5,
        count=lambda actor: queries.count_unread(actor.user_id or 0),
    )
    todos.register(_todos)


def _todos(actor: Actor, now: datetime) -> Iterable[Todo]:
    """Decisions that nobody has read yet, and mail that does not reach the person."""
    user_id = actor.user_id or 0
    if problem := queries.find_refusal(user_id):
        yield Todo(
            None,
            gettext("发给您的邮件被拒收"),
            gettext("请核对账号里的邮箱：%(problem)s", problem=problem),
            url_for("notifications.settings"),
            gettext("查看"),
        )
    if unread := queries.count_unread(user_id, group=Group.BINDING):
        yield Todo(
            None,
            gettext("有 %(count)s 封审核或核验结果未读", count=unread),
            "",
            url_for("notifications.inbox", box="unread", group=Group.BINDING.value),
            gettext("查看"),
        )
