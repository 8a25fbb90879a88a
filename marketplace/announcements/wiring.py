"""How this feature is wired into the application."""

from flask import Flask

from marketplace.announcements import (
    files,
    permissions,  # noqa: F401 - names the audiences
)
from marketplace.announcements.views import bp
from marketplace.attachments import owners
from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of
from marketplace.kernel.texts import N_


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    owners.register(files.OWNER, files.RULE)
    navigation.add_public(N_("通知公告"), "announcements.hall", 70)
    navigation.add_workbench(N_("审核"), N_("通知公告"), "announcements.own", one_of(OPERATOR, AUDITOR), 40)
