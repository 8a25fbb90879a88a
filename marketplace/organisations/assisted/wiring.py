"""How assisted entry is wired into the application."""

from flask import Flask

from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of
from marketplace.kernel.texts import N_
from marketplace.organisations.assisted import files, marks, permissions  # noqa: F401 - names the audiences
from marketplace.organisations.assisted.views import bp


def wire(app: Flask) -> None:
    app.register_blueprint(bp)
    files.register()
    app.add_template_global(marks.note_of, "assisted_note")
    navigation.add_workbench(N_("审核"), N_("代录入"), "assisted.consents", one_of(OPERATOR, AUDITOR), 26)
