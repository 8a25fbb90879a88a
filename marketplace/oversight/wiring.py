"""How this feature is wired into the application."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from marketplace.audit import queries as audit
from marketplace.exchange import exports
from marketplace.kernel import navigation, panels
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of, permits
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.oversight import (
    exporting,
    permissions,  # noqa: F401 - names the audiences
    presenters,
)
from marketplace.oversight.views import bp

WITH_HISTORY = ("challenge", "need", "capability", "organisation")
SHOWN_ON_A_PAGE = 6


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    app.register_blueprint(bp)
    for exported in exporting.lists():
        exports.register(exported)
    navigation.add_workbench(N_("审计"), N_("操作日志"), "oversight.trail", AUDITOR, 80)
    navigation.add_workbench(N_("监测"), N_("撮合漏斗"), "oversight.funnel", one_of(OPERATOR, AUDITOR), 61)
    for kind in WITH_HISTORY:
        panels.register(
            panels.Panel(
                page=f"{kind}.detail",
                name="history",
                order=90,
                may_see=lambda _subject, actor: permits("oversight", "history", actor),
                data=_history_of(kind),
                template="oversight/history_panel.html",
            )
        )


def _history_of(kind: str) -> Callable[[Any, Actor], Mapping[str, Any] | None]:
    def data(subject: Any, _actor: Actor) -> Mapping[str, Any] | None:
        events = audit.list_history(kind, subject.id, limit=SHOWN_ON_A_PAGE)
        if not events:
            return None
        lines = [presenters.event_line(event) for event in events]
        return {"lines": lines, "kind": kind, "subject_id": subject.id}

    return data
