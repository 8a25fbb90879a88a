"""Organisations in public, and the own organisation in the workbench.

Not here: verification, claims, members and assisted entry, which have folders of their own.
"""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.identity import services as identity
from marketplace.identity.sessions import signed_in
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting, forget_actor
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed
from marketplace.kernel.pagination import page_number
from marketplace.organisations import (
    filling,
    forms,
    holdings,
    licences,
    presenters,
    profile,
    queries,
    services,
)
from marketplace.organisations.assisted import queries as assisted
from marketplace.organisations.claims import queries as claims
from marketplace.organisations.filling import Desk
from marketplace.organisations.forms import CodeForm
from marketplace.organisations.lifecycle import LIFECYCLE, OrganisationStatus
from marketplace.organisations.rules import OrganisationDraft, code_from

bp = Blueprint("organisations", __name__)
workbench_bp = Blueprint("own_organisation", __name__)


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


# --- in public ------------------------------------------------------------------------------------------


@bp.get("/organisations")
@policy("organisation", "list")
@kept_until_something_happens
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
@kept_until_something_happens
def show(organisation_id: int) -> ResponseReturnValue:
    actor, now = acting(), clock.now()
    organisation = queries.get_organisation(organisation_id, viewer=actor)
    if organisation.merged_into_id is not None:
        return redirect(url_for("organisations.show", organisation_id=organisation.merged_into_id))
    insider = actor.is_operator or actor.is_auditor or actor.belongs_to(organisation.id)
    suspended = organisation.status is OrganisationStatus.SUSPENDED
    return render_template(
        "organisations/show.html",
        organisation=organisation,
        live=queries.live_designations(organisation, now=now),
        shelves=holdings.shelves(organisation.id, now=now) if insider or not suspended else [],
        may_claim=organisation.status is OrganisationStatus.UNCLAIMED and actor.is_manager,
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
    licence, certificates = licences.list_licence(organisation.id), licences.list_certificates(organisation)
    shelves = holdings.shelves(organisation.id, now=now)
    return render_template(
        "organisations/own.html",
        organisation=organisation,
        profile=profile.judge(
            services.draft_of(organisation),
            papers=len(licence),
            certified=all(certificates.values()),
            posted=profile.count_posted(shelves),
        ),
        candidates=claims.list_candidates(organisation) if actor.is_manager else [],
        entered=len(assisted.list_entries(organisation.id)),
        waiting=assisted.count_waiting(organisation.id),
        steps=LIFECYCLE.steps(organisation.status),
        returned=filling.list_returned(organisation, _own_desk()),
        states={d.id: presenters.designation_state(d, now=now) for d in organisation.designations},
        figures=services.figures_of(organisation),
        licence=licence,
        certificates=certificates,
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


def _own_desk() -> Desk:
    return Desk(
        load=lambda: queries.get_organisation(_own_id(), viewer=acting()),
        url=lambda step: url_for("own_organisation.edit_step", step=step),
        submit_url=url_for("own_organisation.submit"),
        done_url=url_for("own_organisation.own"),
        crumbs=[(_("我的单位"), url_for("own_organisation.own"))],
    )


@workbench_bp.get("/workbench/organisation/edit")
@policy("organisation", "update")
def edit() -> ResponseReturnValue:
    """Go on where something is missing."""
    organisation = queries.get_organisation(_own_id(), viewer=acting())
    step = filling.first_open_step(organisation, now=clock.now())
    return redirect(url_for("own_organisation.edit_step", step=step))


@workbench_bp.get("/workbench/organisation/edit/<any(basics, contact, designations, files, confirm):step>")
@policy("organisation", "update")
def edit_step(step: str) -> ResponseReturnValue:
    return filling.show_step(_own_desk(), step)


@workbench_bp.post("/workbench/organisation/edit/<any(basics, contact, designations):step>")
@policy("organisation", "update")
def save_step(step: str) -> ResponseReturnValue:
    return filling.save_step(_own_desk(), step)


@workbench_bp.post("/workbench/organisation/submit")
@policy("organisation", "update")
def submit() -> ResponseReturnValue:
    return filling.submit(_own_desk())


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
