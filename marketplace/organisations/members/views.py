"""Members of an organisation in the workbench: asking to be let in, deciding, roles, leaving, switching."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import services as identity
from marketplace.identity.sessions import signed_in
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import OrganisationRole, acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Forbidden, NotFound, Obstacle, Obstructed
from marketplace.organisations import forms, queries
from marketplace.organisations.forms import JoinForm
from marketplace.organisations.members import services
from marketplace.organisations.models import Membership, MembershipStatus

bp = Blueprint("members", __name__)


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _own_id() -> int:
    organisation_id = acting().organisation_id
    if organisation_id is None:
        raise Forbidden("no organisation")
    return organisation_id


# --- the own person: joining, switching, leaving ----------------------------------------------------------


@bp.route("/workbench/organisation/join/<code>", methods=["GET", "POST"])
@policy("organisation", "join")
def join(code: str) -> ResponseReturnValue:
    """Ask to be let into an organisation that is registered already."""
    organisation = queries.find_registered(code)
    if organisation is None:
        raise NotFound(code)
    form = JoinForm()
    page = {"form": form, "organisation": organisation}
    if request.method == "GET":
        return render_template("organisations/join.html", **page)
    if not form.validate():
        return _unprocessable(render_template("organisations/join.html", **page))
    now = clock.now()
    try:
        with transaction():
            found = queries.find_registered(code)
            if found is None:
                raise NotFound(code)
            services.request_to_join(found, role=form.role.data, by=acting(), now=now)
    except Obstructed as error:
        page["organisation"] = queries.find_registered(code)
        return _unprocessable(render_template("organisations/join.html", obstacles=error.obstacles, **page))
    flash(_("申请已提交，等待单位管理员确认"), "success")
    return redirect(url_for("own_organisation.own"))


@bp.post("/workbench/organisation/switch")
@policy("organisation", "switch")
def switch() -> ResponseReturnValue:
    """Act for another of one's organisations, in this session alone."""
    facts = signed_in()
    chosen = request.form.get("organisation_id", "")
    mine = {str(organisation_id): organisation_id for organisation_id, _name in _own_organisations()}
    if facts is None or chosen not in mine:
        raise NotFound("organisation")
    with transaction():
        identity.act_for_organisation(facts.session_id, mine[chosen])
    return redirect(url_for("own_organisation.own"))


def _own_organisations() -> list[tuple[int, str]]:
    return queries.list_organisations_of(acting().user_id or 0)


@bp.post("/workbench/organisation/leave")
@policy("membership", "leave")
def leave() -> ResponseReturnValue:
    """Leave the organisation acted for, or take back the request to join one."""
    now = clock.now()
    with transaction():
        actor = acting()
        membership = (
            queries.find_live_membership(actor.user_id or 0, organisation_id=actor.organisation_id)
            if actor.organisation_id
            else queries.find_request(actor.user_id or 0)
        )
        if membership is None:
            raise NotFound("membership")
        was_member = membership.status is MembershipStatus.ACTIVE
        services.leave_organisation(membership, by=actor, now=now)
    flash(_("您已退出该单位") if was_member else _("申请已撤回"), "success")
    return redirect(url_for("workbench.home"))


# --- the manager ------------------------------------------------------------------------------------------


@bp.get("/workbench/organisation/members")
@policy("membership", "list")
def members() -> ResponseReturnValue:
    organisation_id = _own_id()
    return render_template(
        "organisations/members.html",
        members=queries.list_members(organisation_id),
        roles=forms.ROLE_NAMES,
    )


def _role_from(text: str) -> OrganisationRole:
    for role in OrganisationRole:
        if role.value == text:
            return role
    raise Obstructed([Obstacle("role", _("请选择角色"))])


def _decide_member(membership: Membership, *, accepted: bool) -> None:
    actor, now = acting(), clock.now()
    if accepted:
        role = _role_from(request.form.get("role", ""))
        services.accept_member(membership, role=role, by=actor, now=now)
    else:
        services.decline_member(membership, by=actor, now=now)


@bp.post("/workbench/organisation/members/<int:membership_id>/<any(accept, decline):answer>")
@policy("membership", "manage")
def decide_request(membership_id: int, answer: str) -> ResponseReturnValue:
    with transaction():
        membership = queries.get_membership(membership_id, organisation_id=_own_id())
        _decide_member(membership, accepted=answer == "accept")
    flash(_("已同意加入") if answer == "accept" else _("已拒绝加入申请"), "success")
    return redirect(url_for("members.members"))


@bp.post("/workbench/organisation/members/<int:membership_id>/role")
@policy("membership", "manage")
def change_role(membership_id: int) -> ResponseReturnValue:
    now = clock.now()
    role = _role_from(request.form.get("role", ""))
    with transaction():
        actor = acting()
        membership = queries.get_membership(membership_id, organisation_id=_own_id())
        services.change_role(membership, role=role, by=actor, now=now)
    flash(_("角色已更改"), "success")
    return redirect(url_for("members.members"))


@bp.post("/workbench/organisation/members/<int:membership_id>/remove")
@policy("membership", "manage")
def remove_member(membership_id: int) -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        actor = acting()
        membership = queries.get_membership(membership_id, organisation_id=_own_id())
        services.remove_member(membership, by=actor, now=now)
    flash(_("成员已移出"), "success")
    return redirect(url_for("members.members"))


# --- the operator -----------------------------------------------------------------------------------------


@bp.post(
    "/workbench/verification/<int:organisation_id>/members/<int:membership_id>/<any(accept, decline):answer>"
)
@policy("organisation", "decide")
def decide_request_for(organisation_id: int, membership_id: int, answer: str) -> ResponseReturnValue:
    """An operator answers a request to join, such as where an organisation has no manager any more."""
    with transaction():
        membership = queries.get_membership(membership_id, organisation_id=organisation_id)
        _decide_member(membership, accepted=answer == "accept")
    flash(_("已处理，申请人会收到通知"), "success")
    return redirect(url_for("verification.review", organisation_id=organisation_id))
