"""An operator enters a need for a firm that agreed to it; marked, told to the firm, and left to it."""

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.needs import services
from marketplace.needs.forms import INDICATORS, NeedForm, form_showing, read_form
from marketplace.needs.rules import NeedDraft
from marketplace.needs.views import bp
from marketplace.organisations.assisted import queries as assisted
from marketplace.organisations.assisted import services as entering
from marketplace.postings.forms import IndicatorRows

KIND = "need"
LIST_TITLE = N_("平台代录入的需求")


@bp.get("/workbench/assisted/<int:consent_id>/need")
@policy("need", "enter_for")
def enter_for(consent_id: int) -> ResponseReturnValue:
    entering.acting_for_firm(assisted.get_consent(consent_id), KIND, by=acting())
    form, rows = form_showing(NeedDraft(), version=0)
    return _page(consent_id, form, rows)


@bp.post("/workbench/assisted/<int:consent_id>/need")
@policy("need", "enter_for")
def save_for(consent_id: int) -> ResponseReturnValue:
    """Store and, where that was asked for, publish it: both or neither: the operator edits nothing later."""
    entering.acting_for_firm(assisted.get_consent(consent_id), KIND, by=acting())
    form = NeedForm()
    rows = IndicatorRows.from_form(request.form, INDICATORS)
    if rows.pressed(request.form):
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
            need_list = services.open_list(title=LIST_TITLE, note="", by=actor, now=now)
            need = services.start_draft(need_list, draft, by=actor, now=now)
            if request.form.get("act") == "publish":
                services.publish(need, by=actor, now=now)
            entering.note_entry(consent, KIND, need.id, by=actor, now=now)
    except Obstructed as error:
        return _page(consent_id, form, rows, list(error.obstacles), HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(gettext("已代录入，单位会收到通知"), "success")
    return redirect(url_for("assisted.show", consent_id=consent_id))


def _page(
    consent_id: int,
    form: NeedForm,
    rows: IndicatorRows,
    obstacles: list[Obstacle] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    consent = assisted.get_consent(consent_id)
    page = render_template(
        "needs/form.html",
        form=form,
        rows=rows.padded(),
        url=url_for("needs.save_for", consent_id=consent_id),
        back_url=url_for("assisted.show", consent_id=consent_id),
        entered_for=consent.organisation.name,
        need_list=None,
        need=None,
        obstacles=obstacles or [],
    )
    return page, status
