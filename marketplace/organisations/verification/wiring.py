"""How verification is wired into the application."""

from flask import Flask

from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.organisations import queries
from marketplace.organisations.verification.views import bp


def _count_to_verify(actor: Actor) -> int:
    return queries.count_pending() + queries.count_open_designations() if actor.is_operator else 0


def wire(app: Flask) -> None:
    app.register_blueprint(bp)
    navigation.add_workbench(
        N_("审核"),
        N_("单位核验"),
        "verification.queue",
        one_of(OPERATOR, AUDITOR),
        22,
        count=_count_to_verify,
    )
