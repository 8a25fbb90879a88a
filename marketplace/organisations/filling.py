"""The pages on which an organisation is filled in, one step a page: by its manager, or on its behalf.

A step is stored as soon as it is sent, whole or not; what is still missing is counted at each step and told
at the last. Not here: which routes lead here (`views`, `assisted.views`), and what is asked (`rules`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from marketplace.kernel import clock
from marketplace.kernel.actor import acting
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed, StaleVersion
from marketplace.kernel.texts import N_
from marketplace.organisations import forms, licences, presenters, services
from marketplace.organisations.forms import FORMS, STEPS, ConfirmForm, StepForm
from marketplace.organisations.lifecycle import LIFECYCLE, OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.organisations.rules import OrganisationDraft, obstacles_at, obstacles_to_submitting
from marketplace.organisations.sizes import size_by_figures


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an organisation is filled in: how it is loaded, where each step lies, where it ends.

    `load` is called inside the transaction that changes the row, so that what is judged is what is changed.
    """

    load: Callable[[], Organisation]
    url: Callable[[str], str]
    submit_url: str
    done_url: str
    crumbs: list[tuple[str, str | None]]
    on_behalf: bool = False


def read_version() -> int:
    """The version that the person has looked at; none counts as an old one."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def gaps_of(organisation: Organisation, *, now: datetime) -> list[Obstacle]:
    """All that keeps an organisation from being handed in."""
    draft = services.draft_of(organisation)
    return [
        *obstacles_to_submitting(draft, today=business_date(now)),
        *licences.obstacles_to_submitting(organisation),
    ]


def first_open_step(organisation: Organisation, *, now: datetime) -> str:
    """Where to go on: the first step at which something is missing or was asked to be mended."""
    found = [*gaps_of(organisation, now=now), *_returned(organisation)]
    open_steps = (step for step in STEPS if obstacles_at(step, found))
    return next(open_steps, "basics" if organisation.status is OrganisationStatus.VERIFIED else "confirm")


def show_step(desk: Desk, step: str) -> ResponseReturnValue:
    organisation = desk.load()
    if (elsewhere := _unless_open(organisation, desk)) is not None:
        return elsewhere
    if step == "confirm":
        return _confirm_page(desk, organisation, ConfirmForm(formdata=None))
    form = forms.form_showing(step, services.draft_of(organisation)) if step in FORMS else None
    return _step_page(desk, organisation, step, form)


def save_step(desk: Desk, step: str) -> ResponseReturnValue:
    """Store what was typed at one step; nothing typed is lost where it cannot be stored."""
    form = FORMS[step]()
    if "add_row" in request.form:
        assert isinstance(form, forms.DesignationsForm)
        form.designations.append_entry()
        return _step_page(desk, desk.load(), step, form)
    if not form.validate():
        return _step_page(desk, desk.load(), step, form, refused=True)
    mine: OrganisationDraft | None = None
    try:
        with transaction():
            organisation = desk.load()
            mine = _draft_from(form, services.draft_of(organisation))
            services.update_organisation(
                organisation,
                mine,
                version=read_version(),
                step=step,
                by=acting(),
                now=clock.now(),
            )
    except Obstructed as error:
        return _step_page(desk, desk.load(), step, form, refused=True, obstacles=form.placed(error.obstacles))
    except StaleVersion:
        assert mine is not None
        return _conflict(desk, step, mine)
    flash(_("已保存"), "success")
    return redirect(desk.url(forms.next_step(step) if request.form.get("then") == "next" else step))


def _draft_from(form: StepForm, standing: OrganisationDraft) -> OrganisationDraft:
    draft = form.applied_to(standing)
    if request.form.get("then") == "adopt":
        hinted = size_by_figures(draft.kind, draft.employees, draft.revenue_fen)
        draft = draft if hinted is None else services.with_size(draft, hinted)
    return draft


def _unless_open(organisation: Organisation, desk: Desk) -> ResponseReturnValue | None:
    if organisation.status in services.OPEN_TO_CHANGE:
        return None
    flash(
        _("单位信息现在不能修改，当前状态：%(status)s", status=_(LIFECYCLE.label(organisation.status))),
        "warning",
    )
    return redirect(desk.done_url)


def step_bar(
    desk: Desk, organisation: Organisation, current: str, gaps: list[Obstacle]
) -> list[tuple[str, str, str, str]]:
    """(label, url, state, note) of each step; one that was begun and lacks something is bad."""
    draft, bar = services.draft_of(organisation), []
    verified = organisation.status is OrganisationStatus.VERIFIED
    for step, label in STEPS.items():
        if step == "confirm" and verified:
            continue
        missing = len(obstacles_at(step, gaps))
        begun = verified or not (forms.is_blank(step, draft) if step in FORMS else missing)
        counted = missing and (begun or current == "confirm" or bool(organisation.return_reasons))
        if step == current:
            state = "current"
        elif counted:
            state = "bad"
        else:
            state = "done" if begun and step != "confirm" and not missing else "todo"
        bar.append((_(label), desk.url(step), state, _("%(n)s 处待改", n=missing) if counted else ""))
    return bar


def _returned(organisation: Organisation) -> list[Obstacle]:
    """What the operator asked to be mended, at the fields it was said of."""
    return [
        Obstacle(field, N_("核验意见：%(reason)s"), {"reason": reason})
        for field, reason in organisation.return_reasons.items()
    ]


def list_returned(organisation: Organisation, desk: Desk) -> list[tuple[str, str, str]]:
    """What the operator asked to be mended: the name of the field, what was said of it, where it stands."""
    return [
        (
            _(presenters.REASON_FIELDS[said.field]),
            said.params["reason"],
            f"{desk.url(_at(said))}#{said.field}",
        )
        for said in _returned(organisation)
    ]


def _step_page(
    desk: Desk,
    organisation: Organisation,
    step: str,
    form: StepForm | None,
    *,
    refused: bool = False,
    obstacles: list[Obstacle] | None = None,
) -> ResponseReturnValue:
    now = clock.now()
    draft, gaps = services.draft_of(organisation), gaps_of(organisation, now=now)
    shown = obstacles or []
    if not refused and form is not None and request.method == "GET" and not forms.is_blank(step, draft):
        shown = form.placed(obstacles_at(step, gaps))
    if form is None:
        shown = [one for one in obstacles_at(step, gaps) if request.args.get("missing")]
    page = render_template(
        "organisations/step.html",
        organisation=organisation,
        desk=desk,
        step=step,
        form=form,
        obstacles=[*obstacles_at(step, _returned(organisation)), *shown],
        refused=refused,
        version=read_version() if request.method == "POST" else organisation.version,
        bar=step_bar(desk, organisation, step, gaps),
        locked=organisation.status is OrganisationStatus.VERIFIED,
        hint=size_by_figures(draft.kind, draft.employees, draft.revenue_fen),
        licence=licences.list_licence(organisation.id),
        certificates=licences.list_certificates(organisation),
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _conflict(desk: Desk, step: str, mine: OrganisationDraft) -> ResponseReturnValue:
    organisation = desk.load()
    standing = services.draft_of(organisation)
    labels = {field.name: str(field.label.text) for field in FORMS[step](formdata=None)}
    fields = FORMS[step].FIELDS
    page = render_template(
        "errors/409_conflict.html",
        subject=organisation.name,
        rows=presenters.conflict_rows(labels, fields, mine, standing),
        url=desk.url(step),
        fields=presenters.sent_along(fields, mine, version=organisation.version),
        back_url=desk.url(step),
    )
    return make_response(page, HTTPStatus.CONFLICT)


def _confirm_page(
    desk: Desk,
    organisation: Organisation,
    form: ConfirmForm,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    now = clock.now()
    gaps = gaps_of(organisation, now=now)
    draft = services.draft_of(organisation)
    hint = size_by_figures(draft.kind, draft.employees, draft.revenue_fen)
    page = render_template(
        "organisations/confirm.html",
        organisation=organisation,
        desk=desk,
        form=form,
        links=[(gap, desk.url(_at(gap)) + f"#{gap.field.replace('.', '-')}") for gap in gaps],
        returned=list_returned(organisation, desk),
        bar=step_bar(desk, organisation, "confirm", gaps),
        refused=status is not HTTPStatus.OK,
        figures=services.figures_of(organisation),
        hint=hint if hint is not draft.size else None,
        states={d.id: presenters.designation_state(d, now=now) for d in organisation.designations},
        licence=licences.list_licence(organisation.id),
        certificates=licences.list_certificates(organisation),
    )
    return make_response(page, status)


def _at(gap: Obstacle) -> str:
    return next(step for step in STEPS if obstacles_at(step, [gap]) or step == "confirm")


def submit(desk: Desk) -> ResponseReturnValue:
    """Hand in what is saved; what is missing is told with links to the steps, and the draft stays."""
    form = ConfirmForm()
    if not form.validate():
        return _confirm_page(desk, desk.load(), form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            organisation = desk.load()
            services.submit_organisation(
                organisation,
                version=read_version(),
                by=acting(),
                now=clock.now(),
            )
    except StaleVersion:
        flash(_("单位信息刚被他人修改过，请核对下面的最新内容后再提交"), "warning")
        return _confirm_page(desk, desk.load(), form, status=HTTPStatus.CONFLICT)
    except Obstructed:
        return _confirm_page(desk, desk.load(), form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(_("已提交核验，结果会通过通知告诉您"), "success")
    return redirect(desk.done_url)
