"""How claims are wired into the application."""

from flask import Flask

from marketplace.kernel import navigation
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register_all
from marketplace.organisations.claims import files, permissions, queries  # noqa: F401 - names the audiences
from marketplace.organisations.claims.views import bp


def _count_open(actor: Actor) -> int:
    return queries.count_open() if actor.is_operator else 0


def wire(app: Flask) -> None:
    app.register_blueprint(bp)
    files.register()
    register_all(Group.WORK, {"claim.created": N_("有单位申请认领")})
    decisions = {"claim.accepted": N_("认领已通过"), "claim.declined": N_("认领未通过")}
    register_all(Group.BINDING, decisions)
    navigation.add_workbench(
        N_("审核"), N_("认领审核"), "claims.queue", one_of(OPERATOR, AUDITOR), 24, count=_count_open
    )
