"""Members of an organisation in the workbench: asking to be let in, deciding, roles, leaving, switching.

Not here: the pages that a link from an invitation leads to (`invitation_views.py`).
"""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import services as identity
from marketplace.identity import throttling
from marketplace.identity.sessions import signed_in
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import OrganisationRole, acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Forbidden, NotFound, Obstacle, Obstructed
from marketplace.organisations import forms, queries
from marketplace.organisations.forms import JoinForm
from marketplace.organisations.members import invitations, rules, services
from marketplace.organisations.members import queries as members_queries
from marketplace.organisations.members.forms import InvitationForm, OtherOrganisationForm
from marketplace.organisations.models import Membership, MembershipStatus
from marketplace.organisations.rules import code_from

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
    throttling.throttle([(throttling.ASKER, str(acting().user_id))])
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


@bp.get("/workbench/memberships")
@policy("membership", "own")
def own_memberships() -> ResponseReturnValue:
    """Every organisation that the person belongs to or asks to belong to, and which one they act for."""
    return _own_memberships_page(OtherOrganisationForm(formdata=None))


def _own_memberships_page(form: OtherOrganisationForm, **values: object) -> str:
    return render_template(
        "organisations/memberships.html",
        memberships=members_queries.list_of_person(acting().user_id or 0),
        roles=forms.ROLE_NAMES,
        form=form,
        **values,
    )


@bp.post("/workbench/memberships")
@policy("organisation", "join")
def join_another() -> ResponseReturnValue:
    """Find a further organisation by its code; asking to be let in is the next page."""
    form = OtherOrganisationForm()
    if not form.validate():
        return _unprocessable(_own_memberships_page(form))
    try:
        code = code_from(form.uscc.data)
    except ValueError as error:
        return _unprocessable(_own_memberships_page(form, obstacles=[Obstacle("uscc", str(error))]))
    if queries.find_registered(code) is None:
        unknown = Obstacle("uscc", _("平台上没有这个代码的单位，请核对，或请对方先注册"))
        return _unprocessable(_own_memberships_page(form, obstacles=[unknown]))
    return redirect(url_for("members.join", code=code))


@bp.post("/workbench/memberships/<int:membership_id>/withdraw")
@policy("membership", "leave")
def withdraw_request(membership_id: int) -> ResponseReturnValue:
    """Take back a request to join, whomever one acts for."""
    now = clock.now()
    with transaction():
        actor = acting()
        membership = members_queries.get_own_request(membership_id, user_id=actor.user_id or 0)
        services.withdraw_request(membership, by=actor, now=now)
    flash(_("申请已撤回"), "success")
    return redirect(url_for("members.own_memberships"))


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
    return _members_page()


def _members_page(form: InvitationForm | None = None, **values: object) -> str:
    actor, organisation_id = acting(), _own_id()
    invited = invitations.list_with_states(organisation_id, now=clock.now()) if actor.is_manager else []
    return render_template(
        "organisations/members.html",
        members=members_queries.list_all(organisation_id),
        roles=forms.ROLE_NAMES,
        form=form or InvitationForm(formdata=None),
        invited=invited,
        states=rules.INVITATION_STATES,
        **values,
    )


@bp.post("/workbench/organisation/invitations")
@policy("member_invitation", "manage")
def invite() -> ResponseReturnValue:
    form = InvitationForm()
    if not form.validate():
        return _unprocessable(_members_page(form))
    email = form.email.data
    _throttle_letters(email)
    now = clock.now()
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(_own_id(), viewer=actor)
            invitations.invite(
                organisation, email, form.role.data, path=_invitation_path(), by=actor, now=now
            )
    except Obstructed as error:
        return _unprocessable(_members_page(form, obstacles=error.obstacles))
    flash(_("邀请已发往 %(email)s", email=email), "success")
    return redirect(url_for("members.members"))


def _invitation_path() -> str:
    return url_for("member_invitation.show", token=identity.PLACE_IN_PATH)


def _throttle_letters(email: str) -> None:
    # By the person as well: an organisation is begun and given up in a moment.
    senders = (str(_own_id()), f"#{acting().user_id}")
    throttling.throttle(
        [(throttling.LETTER_ACCOUNT, email), *((throttling.INVITER, sender) for sender in senders)]
    )


@bp.post("/workbench/organisation/invitations/<int:invitation_id>/resend")
@policy("member_invitation", "manage")
def resend_invitation(invitation_id: int) -> ResponseReturnValue:
    email = members_queries.get_invitation(invitation_id, organisation_id=_own_id()).email
    _throttle_letters(email)
    now = clock.now()
    with transaction():
        actor = acting()
        invitation = members_queries.get_invitation(invitation_id, organisation_id=_own_id())
        invitations.send_again(invitation, path=_invitation_path(), by=actor, now=now)
    flash(_("邀请已重新发往 %(email)s，先前的链接作废", email=email), "success")
    return redirect(url_for("members.members"))


@bp.post("/workbench/organisation/invitations/<int:invitation_id>/withdraw")
@policy("member_invitation", "manage")
def withdraw_invitation(invitation_id: int) -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        actor = acting()
        invitation = members_queries.get_invitation(invitation_id, organisation_id=_own_id())
        invitations.withdraw(invitation, by=actor, now=now)
    flash(_("邀请已撤回"), "success")
    return redirect(url_for("members.members"))


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


@bp.post("/workbench/organisation/members/<int:membership_id>/<any(disable, enable):action>")
@policy("membership", "manage")
def disable_member(membership_id: int, action: str) -> ResponseReturnValue:
    """Keep a member out for now, or let them in again."""
    now = clock.now()
    change = services.disable_member if action == "disable" else services.enable_member
    with transaction():
        actor = acting()
        membership = queries.get_membership(membership_id, organisation_id=_own_id())
        change(membership, by=actor, now=now)
    flash(_("成员已停用") if action == "disable" else _("成员已恢复"), "success")
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
