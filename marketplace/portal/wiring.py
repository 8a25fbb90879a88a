"""How this feature is wired into the application."""

from flask import Flask

from marketplace.audit import kept_pages
from marketplace.kernel import navigation
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.texts import N_
from marketplace.portal import permissions  # noqa: F401 - names the audiences
from marketplace.portal.views import DISPLAY, bp, help_bp, workbench_bp


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    for blueprint in (bp, workbench_bp, help_bp):
        app.register_blueprint(blueprint)
    kept_pages.tell_apart_by(DISPLAY)
    navigation.add_public(N_("首页"), "portal.home", 0)
    navigation.add_public(N_("工作台"), "workbench.home", 90)
    navigation.add_public(N_("办事指南"), "help.guide", 80)
    navigation.add_workbench(N_("总览"), N_("我的工作台"), "workbench.home", SIGNED_IN, 0)
