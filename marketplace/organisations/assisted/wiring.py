"""How assisted entry is wired into the application."""

from flask import Flask

from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of
from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register_all
from marketplace.organisations.assisted import files, marks, permissions  # noqa: F401 - names the audiences
from marketplace.organisations.assisted.views import bp


def wire(app: Flask) -> None:
    app.register_blueprint(bp)
    files.register()
    register_all(Group.BINDING, {"assisted.entered": N_("平台代为录入")})
    register_all(Group.WORK, {"assisted.objected": N_("对代录入提出异议")})
    app.add_template_global(marks.note_of, "assisted_note")
    navigation.add_workbench(N_("审核"), N_("代录入"), "assisted.consents", one_of(OPERATOR, AUDITOR), 26)
