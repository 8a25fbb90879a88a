"""How members are wired into the application."""

from flask import Flask

from marketplace.identity.models import User
from marketplace.kernel import navigation, panels
from marketplace.kernel.access import MEMBER
from marketplace.kernel.actor import Actor, acting
from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register, register_all
from marketplace.organisations.forms import ROLE_NAMES
from marketplace.organisations.members import permissions, queries  # noqa: F401 - names the audiences
from marketplace.organisations.members.invitation_views import bp as invitation_bp
from marketplace.organisations.members.views import bp
from marketplace.organisations.permissions import PERSON
from marketplace.organisations.queries import list_organisations_of


def wire(app: Flask) -> None:
    register_all(
        Group.WORK,
        {
            "membership.requested": N_("有人申请加入单位"),
            "membership.invitation_accepted": N_("成员邀请被接受"),
        },
    )
    register("membership.decided", N_("您在单位的成员资格"), Group.BINDING)
    for blueprint in (bp, invitation_bp):
        app.register_blueprint(blueprint)
    app.add_template_global(own_organisations)
    navigation.add_workbench(N_("账户"), N_("成员"), "members.members", MEMBER, 91)
    navigation.add_workbench(N_("账户"), N_("我所属的单位"), "members.own_memberships", PERSON, 92)
    panels.register(
        panels.Panel(
            page="identity.account_of",
            name="memberships",
            order=10,
            may_see=lambda _user, actor: actor.is_operator or actor.is_maintainer,
            data=_memberships_of,
            template="organisations/_memberships_of.html",
        )
    )


def own_organisations() -> list[tuple[int, str]]:
    """What the switch in the bar offers; asked only where there is a choice."""
    actor = acting()
    return list_organisations_of(actor.user_id or 0) if actor.acts_for_several else []


def _memberships_of(user: User, _actor: Actor) -> dict[str, object] | None:
    found = queries.list_of_person(user.id)
    return {"memberships": found, "roles": ROLE_NAMES} if found else None
