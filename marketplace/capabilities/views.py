"""Pages of capabilities: the public list and page, and the workbench of their owners."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.capabilities import presenters, queries, rules, services
from marketplace.capabilities.forms import CapabilityForm, form_showing, read_form
from marketplace.capabilities.lifecycle import LIFECYCLE, CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import Actor, acting
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.forms import posted_text
from marketplace.kernel.pagination import page_number
from marketplace.postings.codes import ended_codes
from marketplace.postings.forms import IndicatorRows
from marketplace.postings.listing import ListQuery, build_listing
from marketplace.postings.presenters import StatusTag, countdown, source_note, status_tag
from marketplace.postings.views import conflict_page, expected_version, fields_besides, gone_page

bp = Blueprint("capabilities", __name__)


@bp.get("/capabilities")
@policy("capability", "browse")
@kept_until_something_happens
def hall() -> ResponseReturnValue:
    facets = presenters.facets()
    listing = build_listing(
        Capability,
        query=ListQuery.from_args(request.args, [f.name for f in facets]),
        visible=queries.select_public(),
        facets=facets,
        orders=presenters.orders(),
    )
    return render_template("capabilities/hall.html", listing=listing)


@bp.get("/capabilities/<public_no>")
@policy("capability", "read")
@kept_until_something_happens
def show(public_no: str) -> ResponseReturnValue:
    actor = acting()
    try:
        capability = queries.get_capability(public_no, viewer=actor)
    except NotFound:
        if (gone := queries.find_gone(public_no)) is None:
            raise
        return gone_page(gone, label=gettext("能力成果"), back_url=url_for("capabilities.hall"))
    return _page(capability, actor=actor, now=clock.now())


def _page(
    capability: Capability, *, actor: Actor, now: datetime, obstacles: tuple[Obstacle, ...] = ()
) -> ResponseReturnValue:
    owner = actor.belongs_to(capability.organisation_id)
    parties = actor.parties(capability.organisation_id)
    moves = [
        (move, url_for("capabilities.act", public_no=capability.public_no, action=move.action))
        for move in LIFECYCLE.open_to(capability.status, parties)
        if move.action in ACTS
    ]
    page = render_template(
        "capabilities/show.html",
        capability=capability,
        tag=_tag(capability, now=now),
        left=countdown(capability.expires_at, now=now),
        facts=presenters.key_facts(capability),
        parameters=[p.as_indicator() for p in capability.parameters],
        certificates=presenters.certificates(capability, today=business_date(now)),
        source=source_note(capability),
        completeness=rules.completeness(services.draft_of(capability)) if owner else None,
        may_edit=actor.edits_for(capability.organisation_id)
        and any(m.action in ("edit", "revise") for m in LIFECYCLE.open_to(capability.status, parties)),
        moves=moves,
        obstacles=obstacles,
    )
    return page, (HTTPStatus.UNPROCESSABLE_ENTITY if obstacles else HTTPStatus.OK)


@bp.get("/review/capabilities")
@policy("capability", "review")
def review_queue() -> ResponseReturnValue:
    """What was taken down and asks to be shown again."""
    rows = [(c, url_for("capabilities.show", public_no=c.public_no)) for c in queries.list_to_review()]
    return render_template("postings/review_queue.html", title=gettext("能力成果复核"), rows=rows)


def _tag(capability: Capability, *, now: datetime) -> StatusTag:
    over = capability.expires_at is not None and capability.expires_at <= now
    return status_tag(LIFECYCLE, capability.status, closed=over, closed_label=gettext("已到期"))


# --- the workbench ----------------------------------------------------------------------------------------


@bp.get("/workbench/capabilities")
@policy("capability", "list_own")
def own() -> ResponseReturnValue:
    now = clock.now()
    page = queries.page_own(acting(), page=page_number(request.args.get("page")))
    capabilities = [(c, _tag(c, now=now), rules.completeness(services.draft_of(c)).score) for c in page.items]
    return render_template("capabilities/own.html", capabilities=capabilities, page=page)


@bp.get("/workbench/capabilities/new")
@policy("capability", "create")
def new() -> ResponseReturnValue:
    form, rows = form_showing(CapabilityDraft(), version=0)
    return _form_page(form, rows, url=url_for("capabilities.create"))


@bp.post("/workbench/capabilities/new")
@policy("capability", "create")
def create() -> ResponseReturnValue:
    def save(draft: CapabilityDraft, now: datetime) -> Capability:
        return services.start_draft(draft, by=acting(), now=now)

    return _save(save, url=url_for("capabilities.create"))


@bp.get("/workbench/capabilities/<public_no>/edit")
@policy("capability", "edit")
def edit(public_no: str) -> ResponseReturnValue:
    capability = queries.get_own(public_no, actor=acting())
    draft = services.draft_of(capability)
    form, rows = form_showing(draft, version=capability.version)
    obstacles = list(ended_codes(draft))
    return _form_page(form, rows, url=_edit_url(capability), capability=capability, obstacles=obstacles)


@bp.post("/workbench/capabilities/<public_no>/edit")
@policy("capability", "edit")
def save(public_no: str) -> ResponseReturnValue:
    version = expected_version(request.form)

    def change(draft: CapabilityDraft, now: datetime) -> Capability:
        capability = queries.get_own(public_no, actor=acting())
        published = capability.status is CapabilityStatus.PUBLISHED
        act = services.revise if published else services.edit_draft
        act(capability, draft, version=version, by=acting(), now=now)
        return capability

    url = url_for("capabilities.save", public_no=public_no)
    return _save(change, url=url, capability=queries.get_own(public_no, actor=acting()))


def _edit_url(capability: Capability) -> str:
    return url_for("capabilities.save", public_no=capability.public_no)


def _form_page(
    form: CapabilityForm,
    rows: IndicatorRows,
    *,
    url: str,
    capability: Capability | None = None,
    obstacles: list[Obstacle] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    similar = (
        queries.list_similar(
            form.title.data or "", viewer=acting(), besides=capability.id if capability else None
        )
        if capability is None or capability.status is CapabilityStatus.DRAFT
        else []
    )
    page = render_template(
        "capabilities/form.html",
        form=form,
        rows=rows.padded(),
        url=url,
        capability=capability,
        obstacles=obstacles or [],
        similar=similar,
        completeness=rules.completeness(services.draft_of(capability)) if capability else None,
    )
    return page, status


def _save(
    store: Callable[[CapabilityDraft, datetime], Capability],
    *,
    url: str,
    capability: Capability | None = None,
) -> ResponseReturnValue:
    """Store what was typed, publish it where that was asked for, and lose nothing on the way."""
    form = CapabilityForm()
    rows = IndicatorRows.from_form(request.form, "parameters")
    if rows.pressed(request.form) or "add_row" in request.form:
        if "add_row" in request.form:
            form.certificates.append_entry()
        return _form_page(form, rows, url=url, capability=capability)
    valid = form.validate()
    draft, rows, obstacles = read_form(form, request.form)
    if not valid or obstacles:
        return _refused(form, rows, obstacles, url=url, capability=capability)
    try:
        with transaction():
            stored = store(draft, clock.now())
    except StaleVersion as stale:
        return _conflict(draft, stale, url=url, public_no=capability.public_no if capability else "")
    except Obstructed as error:
        return _refused(form, rows, list(error.obstacles), url=url, capability=capability)
    if request.form.get("act") != "publish":
        flash(gettext("已保存"), "success")
        return redirect(url_for("capabilities.show", public_no=stored.public_no))
    return _publish(stored.public_no)


def _publish(public_no: str) -> ResponseReturnValue:
    try:
        with transaction():
            services.publish(queries.get_own(public_no, actor=acting()), by=acting(), now=clock.now())
    except Obstructed as error:
        capability = queries.get_own(public_no, actor=acting())
        form, rows = form_showing(services.draft_of(capability), version=capability.version)
        flash(gettext("草稿已保存，尚未发布"), "warning")
        return _refused(form, rows, list(error.obstacles), url=_edit_url(capability), capability=capability)
    flash(gettext("已发布，正在与榜单和需求匹配"), "success")
    return redirect(url_for("capabilities.show", public_no=public_no))


def _refused(
    form: CapabilityForm,
    rows: IndicatorRows,
    obstacles: list[Obstacle],
    *,
    url: str,
    capability: Capability | None,
) -> ResponseReturnValue:
    return _form_page(
        form,
        rows,
        url=url,
        capability=capability,
        obstacles=obstacles,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _conflict(
    draft: CapabilityDraft, stale: StaleVersion, *, url: str, public_no: str
) -> ResponseReturnValue:
    theirs = queries.get_own(public_no, actor=acting())
    rows = presenters.conflict_rows(draft, services.draft_of(theirs))
    return conflict_page(
        subject=theirs.title,
        rows=rows,
        url=url,
        version=stale.current_version,
        hidden=fields_besides(rows, request.form),
        back_url=url_for("capabilities.show", public_no=public_no),
    )


# --- acts -------------------------------------------------------------------------------------------------


def _withdraw(capability: Capability, now: datetime) -> None:
    services.withdraw(capability, reason=posted_text("reason"), by=acting(), now=now)


def _take_down(capability: Capability, now: datetime) -> None:
    services.take_down(capability, reason=posted_text("reason"), by=acting(), now=now)


def _publish_now(capability: Capability, now: datetime) -> None:
    services.publish(capability, by=acting(), now=now)


def _renew(capability: Capability, now: datetime) -> None:
    services.renew(capability, by=acting(), now=now)


def _appeal(capability: Capability, now: datetime) -> None:
    services.appeal(capability, reason=posted_text("reason"), by=acting(), now=now)


def _restore(capability: Capability, now: datetime) -> None:
    services.restore(capability, by=acting(), now=now)


def _reject(capability: Capability, now: datetime) -> None:
    services.reject(capability, reason=posted_text("reason"), by=acting(), now=now)


ACTS = {
    "publish": _publish_now,
    "withdraw": _withdraw,
    "take_down": _take_down,
    "renew": _renew,
    "appeal": _appeal,
    "restore": _restore,
    "reject": _reject,
}


@bp.post(
    "/capabilities/<public_no>/<any(publish, withdraw, take_down, renew, appeal, restore, reject):action>"
)
@policy("capability", "act")
def act(public_no: str, action: str) -> ResponseReturnValue:
    """One act of the lifecycle; the table says whose it is."""
    try:
        with transaction():
            ACTS[action](queries.get_capability(public_no, viewer=acting()), clock.now())
    except Obstructed as error:
        capability = queries.get_capability(public_no, viewer=acting())
        return _page(capability, actor=acting(), now=clock.now(), obstacles=error.obstacles)
    flash(gettext("已办理"), "success")
    return redirect(url_for("capabilities.show", public_no=public_no))
