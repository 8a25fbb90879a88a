"""The operator's pages: the queue of organisations, one of them with its checklist, and the decisions."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed, StaleVersion
from marketplace.kernel.forms import posted_text
from marketplace.kernel.pagination import page_number
from marketplace.organisations import forms, licences, presenters, queries, services
from marketplace.organisations.filling import read_version
from marketplace.organisations.forms import SuspendForm
from marketplace.organisations.lifecycle import LIFECYCLE, OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.organisations.verification import checklist

bp = Blueprint("verification", __name__)


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


@bp.get("/workbench/verification")
@policy("organisation", "review")
def queue() -> ResponseReturnValue:
    status = request.args.get("status") or OrganisationStatus.PENDING.value
    return render_template(
        "organisations/queue.html",
        found=queries.page_queue(status, page=page_number(request.args.get("page"))),
        status=status,
        counts=queries.count_by_status(),
        open_designations=queries.count_open_designations(),
        lapsing=queries.count_lapsing_designations(),
        labels=LIFECYCLE.labels,
    )


def _review_page(organisation: Organisation, **values: object) -> str:
    actor, now = acting(), clock.now()
    open_moves = {m.action for m in LIFECYCLE.open_to(organisation.status, actor.parties(organisation.id))}
    confirming = actor.is_operator and organisation.status is OrganisationStatus.VERIFIED
    defaults: dict[str, object] = {
        "obstacles": [],
        "typed": {},
        "suspend_form": SuspendForm(formdata=None),
    }
    return render_template(
        "organisations/review.html",
        organisation=organisation,
        steps=LIFECYCLE.steps(organisation.status),
        states={d.id: presenters.designation_state(d, now=now) for d in organisation.designations},
        figures=services.figures_of(organisation),
        licence=licences.list_licence(organisation.id),
        certificates=licences.list_certificates(organisation),
        members=queries.list_members(organisation.id),
        has_manager=bool(queries.list_manager_ids(organisation.id)),
        checks=checklist.lines(organisation, now=now),
        reason_fields=[(name, _(label)) for name, label in presenters.REASON_FIELDS.items()],
        may={action: action in open_moves for action in ("verify", "return", "suspend", "reinstate")},
        may_confirm=confirming,
        roles=forms.ROLE_NAMES,
        **{**defaults, **values},
    )


@bp.get("/workbench/verification/<int:organisation_id>")
@policy("organisation", "review")
def review(organisation_id: int) -> ResponseReturnValue:
    return _review_page(queries.get_organisation(organisation_id, viewer=acting()))


def _outdated(organisation_id: int) -> ResponseReturnValue:
    """What was declared has changed since the page was read: here it is anew, and nothing was decided."""
    organisation = queries.get_organisation(organisation_id, viewer=acting())
    return make_response(_review_page(organisation, outdated=True), HTTPStatus.CONFLICT)


def _confirmed_ids() -> set[int]:
    ids = request.form.getlist("confirmed")
    return {int(text) for text in ids if text.isascii() and text.isdigit() and len(text) < 18}


@bp.post("/workbench/verification/<int:organisation_id>/verify")
@policy("organisation", "decide")
def verify(organisation_id: int) -> ResponseReturnValue:
    now = clock.now()
    checked = set(request.form.getlist("checked"))
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.verify_organisation(
                organisation,
                confirmed=_confirmed_ids(),
                checked=sorted(checked),
                version=read_version(),
                by=actor,
                now=now,
            )
            # The status is judged first: nobody is asked to tick what cannot be decided any more.
            if obstacles := checklist.missing(checked):
                raise Obstructed(obstacles)
    except StaleVersion:
        return _outdated(organisation_id)
    except Obstructed as error:
        return _refused(organisation_id, list(error.obstacles))
    flash(_("已核验通过"), "success")
    return redirect(url_for("verification.queue"))


@bp.post("/workbench/verification/<int:organisation_id>/designations")
@policy("organisation", "decide")
def confirm_designations(organisation_id: int) -> ResponseReturnValue:
    now = clock.now()
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.confirm_designations(
                organisation, confirmed=_confirmed_ids(), version=read_version(), by=actor, now=now
            )
    except StaleVersion:
        return _outdated(organisation_id)
    flash(_("称号核对结果已保存"), "success")
    return redirect(url_for("verification.review", organisation_id=organisation_id))


@bp.post("/workbench/verification/<int:organisation_id>/return")
@policy("organisation", "decide")
def send_back(organisation_id: int) -> ResponseReturnValue:
    """Return it with what is to be mended, field by field where that helps."""
    now = clock.now()
    said = {name: posted_text(f"reason-{name}").strip() for name in presenters.REASON_FIELDS}
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.return_organisation(
                organisation,
                reason=posted_text("reason"),
                field_reasons={name: text for name, text in said.items() if text},
                version=read_version(),
                by=actor,
                now=now,
            )
    except StaleVersion:
        return _outdated(organisation_id)
    except Obstructed as error:
        return _refused(organisation_id, list(error.obstacles))
    flash(_("已退回，单位会收到通知"), "success")
    return redirect(url_for("verification.queue"))


@bp.post("/workbench/verification/<int:organisation_id>/suspend")
@policy("organisation", "decide")
def suspend(organisation_id: int) -> ResponseReturnValue:
    now = clock.now()
    form = SuspendForm()
    if not form.validate():
        organisation = queries.get_organisation(organisation_id, viewer=acting())
        return _unprocessable(_review_page(organisation, suspend_form=form))
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.suspend_organisation(
                organisation,
                reason=form.reason.data,
                until=form.until.data,
                version=read_version(),
                by=actor,
                now=now,
            )
    except StaleVersion:
        return _outdated(organisation_id)
    except Obstructed as error:
        organisation = queries.get_organisation(organisation_id, viewer=acting())
        page = _review_page(organisation, suspend_form=form, obstacles=list(error.obstacles))
        return _unprocessable(page)
    flash(_("资格已暂停，单位会收到通知"), "success")
    return redirect(url_for("verification.review", organisation_id=organisation_id))


@bp.post("/workbench/verification/<int:organisation_id>/reinstate")
@policy("organisation", "decide")
def reinstate(organisation_id: int) -> ResponseReturnValue:
    now = clock.now()
    form = forms.ReasonForm()
    if not form.validate():
        organisation = queries.get_organisation(organisation_id, viewer=acting())
        return _unprocessable(_review_page(organisation, form=form))
    try:
        with transaction():
            actor = acting()
            organisation = queries.get_for_change(organisation_id, viewer=actor)
            services.reinstate_organisation(
                organisation, reason=form.reason.data, version=read_version(), by=actor, now=now
            )
    except StaleVersion:
        return _outdated(organisation_id)
    flash(_("资格已恢复，单位会收到通知"), "success")
    return redirect(url_for("verification.review", organisation_id=organisation_id))


def _refused(organisation_id: int, obstacles: list[Obstacle]) -> ResponseReturnValue:
    """Nothing was done; what was typed and ticked is shown again."""
    organisation = queries.get_organisation(organisation_id, viewer=acting())
    return _unprocessable(
        _review_page(
            organisation,
            obstacles=obstacles,
            typed=request.form,
            typed_checks=request.form.getlist("checked"),
        )
    )
