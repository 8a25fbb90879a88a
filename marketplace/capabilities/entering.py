"""An operator enters a capability for a firm that agreed to it; marked, told to the firm, and left to it."""

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.capabilities import services
from marketplace.capabilities.forms import CapabilityForm, form_showing, read_form
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.capabilities.views import bp
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed
from marketplace.organisations.assisted import queries as assisted
from marketplace.organisations.assisted import services as entering
from marketplace.postings.forms import IndicatorRows

KIND = "capability"


@bp.get("/workbench/assisted/<int:consent_id>/capability")
@policy("capability", "enter_for")
def enter_for(consent_id: int) -> ResponseReturnValue:
    entering.acting_for_firm(assisted.get_consent(consent_id), KIND, by=acting())
    form, rows = form_showing(CapabilityDraft(), version=0)
    return _page(consent_id, form, rows)


@bp.post("/workbench/assisted/<int:consent_id>/capability")
@policy("capability", "enter_for")
def save_for(consent_id: int) -> ResponseReturnValue:
    """Store and, where that was asked for, publish it: both or neither: the operator edits nothing later."""
    entering.acting_for_firm(assisted.get_consent(consent_id), KIND, by=acting())
    form = CapabilityForm()
    rows = IndicatorRows.from_form(request.form, "parameters")
    if rows.pressed(request.form) or "add_row" in request.form:
        if "add_row" in request.form:
            form.certificates.append_entry()
        return _page(consent_id, form, rows)
    valid = form.validate()
    draft, rows, obstacles = read_form(form, request.form)
    if not valid or obstacles:
        return _page(consent_id, form, rows, obstacles, HTTPStatus.UNPROCESSABLE_ENTITY)
    now = clock.now()
    try:
        with transaction():
            consent = assisted.get_consent(consent_id)
            actor = entering.acting_for_firm(consent, KIND, by=acting())
            capability = services.start_draft(draft, by=actor, now=now)
            if request.form.get("act") == "publish":
                services.publish(capability, by=actor, now=now)
            entering.note_entry(consent, KIND, capability.id, by=actor, now=now)
    except Obstructed as error:
        return _page(consent_id, form, rows, list(error.obstacles), HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(gettext("已代录入，单位会收到通知"), "success")
    return redirect(url_for("assisted.show", consent_id=consent_id))


def _page(
    consent_id: int,
    form: CapabilityForm,
    rows: IndicatorRows,
    obstacles: list[Obstacle] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    consent = assisted.get_consent(consent_id)
    page = render_template(
        "capabilities/form.html",
        form=form,
        rows=rows.padded(),
        url=url_for("capabilities.save_for", consent_id=consent_id),
        back_url=url_for("assisted.show", consent_id=consent_id),
        entered_for=consent.organisation.name,
        capability=None,
        obstacles=obstacles or [],
        similar=[],
        completeness=None,
    )
    return page, status
