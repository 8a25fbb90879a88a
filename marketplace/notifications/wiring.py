"""How this feature is wired into the application."""

from flask import Flask

from marketplace.kernel import navigation
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.texts import N_
from marketplace.notifications import permissions, queries  # noqa: F401 - names the audiences
from marketplace.notifications.views import bp


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    navigation.add_workbench(
        N_("总览"),
        N_("我的通知"),
        "notifications.inbox",
        SIGNED_IN,
        5,
        count=lambda actor: queries.count_unread(actor.user_id or 0),
    )
