"""Organisations in public, the own organisation in the workbench, and the operator's verification."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.identity import services as identity
from marketplace.identity.sessions import signed_in
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting, forget_actor
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.pagination import page_number
from marketplace.organisations import forms, presenters, queries, services
from marketplace.organisations.forms import CodeForm, OrganisationForm
from marketplace.organisations.lifecycle import LIFECYCLE, OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.organisations.rules import OrganisationDraft, code_from

bp = Blueprint("organisations", __name__)
workbench_bp = Blueprint("own_organisation", __name__)
verification_bp = Blueprint("verification", __name__)


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


# --- in public ------------------------------------------------------------------------------------------


@bp.get("/organisations")
@policy("organisation", "list")
def hall() -> ResponseReturnValue:
    now = clock.now()
    found = queries.page_public(
        presenters.wanted_from(request.args), page=page_number(request.args.get("page")), now=now
    )
    return render_template(
        "organisations/hall.html",
        found=found,
        facets=presenters.facets(),
        live={
            organisation.id: queries.live_designations(organisation, now=now) for organisation in found.items
        },
    )


@bp.get("/organisations/<int:organisation_id>")
@policy("organisation", "show")
def show(organisation_id: int) -> ResponseReturnValue:
    organisation = queries.get_organisation(organisation_id, viewer=acting())
    return render_template(
        "organisations/show.html",
        organisation=organisation,
        live=queries.live_designations(organisation, now=clock.now()),
    )


# --- registering and joining ----------------------------------------------------------------------------


@workbench_bp.route("/workbench/organisation/register", methods=["GET", "POST"])
@policy("organisation", "register")
def register() -> ResponseReturnValue:
    """Third step of a registration: which organisation? A known code leads to a request to join."""
    actor = acting()
    if queries.find_live_membership(actor.user_id or 0):
        return redirect(url_for("own_organisation.own"))
    form = CodeForm()
    if request.method == "GET":
        return render_template("organisations/register.html", form=form)
    if not form.validate():
        return _unprocessable(render_template("organisations/register.html", form=form))
    try:
        code = code_from(form.uscc.data)
    except ValueError as error:
        page = render_template(
            "organisations/register.html", form=form, obstacles=[Obstacle("uscc", str(error))]
        )
        return _unprocessable(page)
    if queries.find_registered(code):
        return redirect(url_for("members.join", code=code))
    draft, now = OrganisationDraft(name=form.name.data, uscc=code), clock.now()
    facts = signed_in()
    try:
        with transaction():
            organisation = services.start_registration(draft, by=acting(), now=now)
            if facts is not None:
                identity.act_for_organisation(facts.session_id, organisation.id)
    except Obstructed as error:
        if queries.find_live_membership(actor.user_id or 0):
            return redirect(url_for("own_organisation.own"))
        page = render_template("organisations/register.html", form=form, obstacles=error.obstacles)
        return _unprocessable(page)
    forget_actor()
    return redirect(url_for("own_organisation.edit"))


# --- the own organisation -------------------------------------------------------------------------------


@workbench_bp.get("/workbench/organisation")
@policy("organisation", "own")
def own() -> ResponseReturnValue:
    actor = acting()
    user_id = actor.user_id or 0
    if actor.organisation_id is None:
        if choices := queries.list_organisations_of(user_id):
            return render_template("organisations/choose.html", organisations=choices)
        request_to_join = queries.find_request(user_id)
        if request_to_join is None:
            return redirect(url_for("own_organisation.register"))
        return render_template("organisations/waiting.html", membership=request_to_join)
    organisation = queries.get_organisation(actor.organisation_id, viewer=actor)
    now = clock.now()
    return render_template(
        "organisations/own.html",
        organisation=organisation,
        steps=LIFECYCLE.steps(organisation.status),
        states={d.id: presenters.designation_state(d, now=now) for d in organisation.designations},
        members=queries.list_members(organisation.id),
        organisations=queries.list_organisations_of(user_id),
        roles=forms.ROLE_NAMES,
        may_edit=actor.is_manager and organisation.status in services.OPEN_TO_CHANGE,
        may_submit=actor.is_manager and LIFECYCLE.find(organisation.status, "submit") is not None,
    )


def _own_id() -> int:
    organisation_id = acting().organisation_id
    if organisation_id is None:
        raise Forbidden("no organisation")
    return organisation_id


def _edit_page(form: OrganisationForm, organisation: Organisation, **values: object) -> str:
    return render_template(
        "organisations/edit.html",
        form=form,
        organisation=organisation,
        locked=organisation.status is OrganisationStatus.VERIFIED,
        **values,
    )


@workbench_bp.route("/workbench/organisation/edit", methods=["GET", "POST"])
@policy("organisation", "update")
def edit() -> ResponseReturnValue:
    actor = acting()
    organisation = queries.get_organisation(_own_id(), viewer=actor)
    if request.method == "GET":
        form = forms.form_of(services.draft_of(organisation), version=organisation.version)
        return _edit_page(form, organisation)
    form = OrganisationForm()
    if "add_row" in request.form:
        form.designations.append_entry()
        return _edit_page(form, organisation)
    if not form.validate():
        return _unprocessable(_edit_page(form, organisation))
    draft, now = forms.draft_from(form), clock.now()
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(_own_id(), viewer=actor)
            services.update_organisation(
                organisation, draft, version=form.version.data or 0, by=actor, now=now
            )
    except Obstructed as error:
        organisation = queries.get_organisation(_own_id(), viewer=actor)
        obstacles = forms.at_rows(error.obstacles, form)
        return _unprocessable(_edit_page(form, organisation, obstacles=obstacles))
    except StaleVersion:
        return _conflict(form, draft)
    if request.form.get("act") == "submit":
        return _submit(form)
    flash(_("已保存"), "success")
    return redirect(url_for("own_organisation.own"))


def _conflict(form: OrganisationForm, mine: OrganisationDraft) -> ResponseReturnValue:
    organisation = queries.get_organisation(_own_id(), viewer=acting())
    labels = {field.name: str(field.label.text) for field in form}
    page = render_template(
        "errors/409_conflict.html",
        subject=organisation.name,
        rows=presenters.conflict_rows(labels, mine, services.draft_of(organisation)),
        url=url_for("own_organisation.edit"),
        fields=presenters.sent_along(mine, version=organisation.version),
        back_url=url_for("own_organisation.own"),
    )
    return make_response(page, HTTPStatus.CONFLICT)


def _submit(form: OrganisationForm | None) -> ResponseReturnValue:
    """Hand in what is saved; what is missing is told beside the fields, and the draft stays."""
    now = clock.now()
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(_own_id(), viewer=actor)
            services.submit_organisation(organisation, by=actor, now=now)
    except Obstructed as error:
        organisation = queries.get_organisation(_own_id(), viewer=actor)
        form = form or forms.form_of(services.draft_of(organisation), version=organisation.version)
        form.version.raw_data, form.version.data = None, organisation.version
        obstacles = forms.at_rows(error.obstacles, form)
        return _unprocessable(_edit_page(form, organisation, obstacles=obstacles, saved=True))
    flash(_("已提交核验，结果会通过通知告诉您"), "success")
    return redirect(url_for("own_organisation.own"))


@workbench_bp.post("/workbench/organisation/submit")
@policy("organisation", "update")
def submit() -> ResponseReturnValue:
    return _submit(None)


@workbench_bp.post("/workbench/organisation/discard")
@policy("organisation", "update")
def discard() -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        actor = acting()
        organisation = queries.get_for_change(_own_id(), viewer=actor)
        services.discard_draft(organisation, by=actor, now=now)
    flash(_("草稿已放弃"), "success")
    return redirect(url_for("own_organisation.register"))


# --- verification ---------------------------------------------------------------------------------------


@verification_bp.get("/workbench/verification")
@policy("organisation", "review")
def queue() -> ResponseReturnValue:
    status = request.args.get("status") or OrganisationStatus.PENDING.value
    return render_template(
        "organisations/queue.html",
        found=queries.page_queue(status, page=page_number(request.args.get("page"))),
        status=status,
        counts=queries.count_by_status(),
        open_designations=queries.count_open_designations(),
        labels=LIFECYCLE.labels,
    )


def _review_page(organisation: Organisation, **values: object) -> str:
    actor, now = acting(), clock.now()
    moves = LIFECYCLE.open_to(organisation.status, actor.parties(organisation.id))
    return render_template(
        "organisations/review.html",
        organisation=organisation,
        steps=LIFECYCLE.steps(organisation.status),
        states={d.id: presenters.designation_state(d, now=now) for d in organisation.designations},
        members=queries.list_members(organisation.id),
        has_manager=bool(queries.list_manager_ids(organisation.id)),
        moves=[
            (move, url_for("verification.decide", organisation_id=organisation.id, action=move.action))
            for move in moves
            if move.action != "verify"
        ],
        may_verify=any(move.action == "verify" for move in moves),
        may_confirm=actor.is_operator and organisation.status is OrganisationStatus.VERIFIED,
        roles=forms.ROLE_NAMES,
        **values,
    )


@verification_bp.get("/workbench/verification/<int:organisation_id>")
@policy("organisation", "review")
def review(organisation_id: int) -> ResponseReturnValue:
    return _review_page(queries.get_organisation(organisation_id, viewer=acting()))


def _read_version() -> int:
    """The version that the operator has looked at; none counts as an old one."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _outdated(organisation_id: int) -> ResponseReturnValue:
    """What was declared has changed since the page was read: here it is anew, and nothing was decided."""
    organisation = queries.get_organisation(organisation_id, viewer=acting())
    return make_response(_review_page(organisation, outdated=True), HTTPStatus.CONFLICT)


def _confirmed_ids() -> set[int]:
    ids = request.form.getlist("confirmed")
    return {int(text) for text in ids if text.isascii() and text.isdigit() and len(text) < 18}


@verification_bp.post("/workbench/verification/<int:organisation_id>/verify")
@policy("organisation", "decide")
def verify(organisation_id: int) -> ResponseReturnValue:
    now = clock.now()
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.verify_organisation(
                organisation, confirmed=_confirmed_ids(), version=_read_version(), by=actor, now=now
            )
    except StaleVersion:
        return _outdated(organisation_id)
    flash(_("已核验通过"), "success")
    return redirect(url_for("verification.queue"))


@verification_bp.post("/workbench/verification/<int:organisation_id>/designations")
@policy("organisation", "decide")
def confirm_designations(organisation_id: int) -> ResponseReturnValue:
    now = clock.now()
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.confirm_designations(
                organisation, confirmed=_confirmed_ids(), version=_read_version(), by=actor, now=now
            )
    except StaleVersion:
        return _outdated(organisation_id)
    flash(_("称号核对结果已保存"), "success")
    return redirect(url_for("verification.review", organisation_id=organisation_id))


DECISIONS = {
    "return": services.return_organisation,
    "suspend": services.suspend_organisation,
    "reinstate": services.reinstate_organisation,
}


@verification_bp.post(
    "/workbench/verification/<int:organisation_id>/<any('return', 'suspend', 'reinstate'):action>"
)
@policy("organisation", "decide")
def decide(organisation_id: int, action: str) -> ResponseReturnValue:
    """A decision that owes a reason."""
    now = clock.now()
    form = forms.ReasonForm()
    if not form.validate():
        organisation = queries.get_organisation(organisation_id, viewer=acting())
        return _unprocessable(_review_page(organisation, form=form))
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            DECISIONS[action](
                organisation, reason=form.reason.data, version=_read_version(), by=actor, now=now
            )
    except StaleVersion:
        return _outdated(organisation_id)
    flash(_("已处理，单位会收到通知"), "success")
    return redirect(url_for("verification.review", organisation_id=organisation_id))
