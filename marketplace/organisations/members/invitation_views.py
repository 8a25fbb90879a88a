"""Where a link from an invitation leads: accepting with an account, or registering through it."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import services as identity
from marketplace.identity import sessions, throttling
from marketplace.identity.forms import PersonForm
from marketplace.identity.queries import find_user_by_email, get_user_for_change
from marketplace.identity.services import SpentToken
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting, forget_actor
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed, SignInRequired
from marketplace.organisations import forms
from marketplace.organisations.members import invitations, queries
from marketplace.organisations.members.invitations import Accepted
from marketplace.organisations.members.models import MemberInvitation

bp = Blueprint("member_invitation", __name__)


def _find(token: str) -> MemberInvitation | None:
    throttling.throttle([(throttling.TOKEN_ADDRESS, request.remote_addr or "unknown")])
    return queries.find_live_invitation(token, now=clock.now())


def _spent() -> ResponseReturnValue:
    return make_response(render_template("organisations/invitation_spent.html"), HTTPStatus.GONE)


def _page(invitation: MemberInvitation, token: str, **values: object) -> str:
    facts = sessions.signed_in()
    return render_template(
        "organisations/invitation.html",
        invitation=invitation,
        token=token,
        role=forms.ROLE_NAMES[invitation.role],
        facts=facts,
        matches=facts is not None and facts.email == invitation.email,
        # Who has the link reads the mail of that address; nobody else learns whether it has an account.
        has_account=find_user_by_email(invitation.email) is not None,
        **values,
    )


@bp.get("/invitations/<token>")
@policy("member_invitation", "open")
def show(token: str) -> ResponseReturnValue:
    invitation = _find(token)
    return _spent() if invitation is None else _page(invitation, token)


@bp.post("/invitations/<token>")
@policy("member_invitation", "accept")
def accept(token: str) -> ResponseReturnValue:
    facts = sessions.signed_in()
    if facts is None:
        raise SignInRequired
    if _find(token) is None:
        return _spent()
    now = clock.now()
    try:
        with transaction():
            user = get_user_for_change(facts.user_id)
            accepted = invitations.accept(token, user, by=acting(), now=now)
            if accepted.is_member:
                identity.act_for_organisation(facts.session_id, accepted.organisation_id)
    except SpentToken:
        return _spent()
    except Obstructed as error:
        invitation = queries.find_live_invitation(token, now=now)
        if invitation is None:
            return _spent()
        page = _page(invitation, token, obstacles=error.obstacles)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _welcome(accepted)


def _welcome(accepted: Accepted) -> ResponseReturnValue:
    forget_actor()
    if accepted.is_member:
        flash(_("您已加入 %(name)s，现在代表该单位", name=accepted.organisation_name), "success")
        return redirect(url_for("workbench.home"))
    flash(_("已提交给 %(name)s 的管理员确认", name=accepted.organisation_name), "success")
    return redirect(url_for("members.own_memberships"))


@bp.route("/invitations/<token>/register", methods=["GET", "POST"])
@policy("member_invitation", "open")
def register(token: str) -> ResponseReturnValue:
    """Make an account for the invited address and come in at once: the link has proved the address."""
    invitation = _find(token)
    if invitation is None:
        return _spent()
    if acting().signed_in or find_user_by_email(invitation.email) is not None:
        return redirect(url_for("member_invitation.show", token=token))
    form, email = PersonForm(), invitation.email
    page = {"form": form, "email": email, "token": token, "organisation": invitation.organisation}
    if request.method == "GET":
        return render_template("organisations/invitation_register.html", **page)
    obstacles: tuple[Obstacle, ...] = ()
    if form.validate() and form.password.data != form.again.data:
        obstacles = (Obstacle("again", _("两次输入的密码不一致")),)
    if form.errors or obstacles:
        return _refused(page, obstacles)
    try:
        hashed = identity.prepare_password(form.password.data, name=form.name.data, email=email)
    except Obstructed as error:
        return _refused(page, error.obstacles)
    now = clock.now()
    try:
        with transaction():
            user, accepted = invitations.register_and_accept(
                token, name=form.name.data, phone=form.phone.data, password_hash=hashed, now=now
            )
            sessions.begin(user, now=now)
    except SpentToken:
        return _spent()
    return _welcome(accepted)


def _refused(page: dict[str, object], obstacles: tuple[Obstacle, ...]) -> ResponseReturnValue:
    text = render_template("organisations/invitation_register.html", obstacles=obstacles, **page)
    return make_response(text, HTTPStatus.UNPROCESSABLE_ENTITY)
