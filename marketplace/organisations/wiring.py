"""How this feature is wired into the application."""

from flask import Flask

from marketplace.identity import onboarding
from marketplace.identity.sessions import signed_in
from marketplace.kernel import clock, navigation
from marketplace.kernel.actor import ANONYMOUS, Actor, load_with
from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register_all
from marketplace.organisations import acting_for, codes, licences, presenters, queries
from marketplace.organisations.assisted import wiring as assisted
from marketplace.organisations.assisted.queries import count_waiting
from marketplace.organisations.claims import wiring as claims
from marketplace.organisations.members import wiring as members
from marketplace.organisations.permissions import PERSON
from marketplace.organisations.verification import wiring as verification
from marketplace.organisations.views import bp, workbench_bp
from marketplace.taxonomy import uses

DECISIONS = {
    "organisation.verified": N_("单位通过核验或恢复"),
    "organisation.returned": N_("单位信息被退回"),
    "organisation.suspended": N_("单位被暂停"),
    "organisation.designations": N_("称号核对结果"),
}
LAPSES = {
    "organisation.designation_remind": N_("称号即将到期"),
    "organisation.designation_lapse": N_("称号已到期"),
}


def _load_actor() -> Actor:
    facts = signed_in()
    return queries.load_actor(facts, now=clock.now()) if facts else ANONYMOUS


def _count_own_work(actor: Actor) -> int:
    """What waits for the manager: people who ask to join, and what the platform entered."""
    if not actor.organisation_id or not actor.is_manager:
        return 0
    return queries.count_requests(actor.organisation_id) + count_waiting(actor.organisation_id)


def wire(app: Flask) -> None:
    """Register what the feature brings."""
    load_with(_load_actor)
    onboarding.continue_at("own_organisation.register")
    for blueprint in (bp, workbench_bp):
        app.register_blueprint(blueprint)
    members.wire(app)
    verification.wire(app)
    licences.register()
    uses.register(codes.USE)
    register_all(Group.BINDING, DECISIONS)
    register_all(Group.WORK, {"organisation.submitted": N_("有单位等待核验")})
    register_all(Group.POSTINGS, LAPSES)
    claims.wire(app)
    assisted.wire(app)
    app.before_request(acting_for.refuse_for_another)
    app.add_template_global(acting_for.acting_for)
    app.add_template_global(acting_for.acting_as)
    navigation.add_public(N_("单位名录"), "organisations.hall", 50)
    navigation.add_workbench(
        N_("账户"), N_("我的单位"), "own_organisation.own", PERSON, 90, count=_count_own_work
    )
    app.add_template_global(presenters.kind_name, "organisation_kind")
    app.add_template_global(presenters.size_name, "organisation_size")
    app.add_template_global(presenters.designation_name, "designation_name")
    app.add_template_global(presenters.cluster_text, "cluster_text")
