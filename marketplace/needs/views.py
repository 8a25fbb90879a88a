"""Pages of need lists and their lines: public, and the workbench of their owners."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import Actor, acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.forms import posted_text
from marketplace.kernel.pagination import page_number
from marketplace.needs import presenters, queries, services
from marketplace.needs.forms import INDICATORS, NeedForm, NeedListForm, form_showing, read_form
from marketplace.needs.lifecycle import LIFECYCLE, NeedStatus
from marketplace.needs.models import Need, NeedList
from marketplace.needs.rules import NeedDraft
from marketplace.postings.codes import ended_codes
from marketplace.postings.forms import IndicatorRows
from marketplace.postings.listing import ListQuery, build_listing
from marketplace.postings.presenters import StatusTag, countdown, source_note, status_tag
from marketplace.postings.views import conflict_page, expected_version, fields_besides, gone_page

bp = Blueprint("needs", __name__)


def _tag(need: Need, *, now: datetime) -> StatusTag:
    over = need.expires_at is not None and need.expires_at <= now
    return status_tag(LIFECYCLE, need.status, closed=over, closed_label=gettext("已到期"))


# --- public -----------------------------------------------------------------------------------------------


@bp.get("/needs")
@policy("need", "browse")
@kept_until_something_happens
def hall() -> ResponseReturnValue:
    now = clock.now()
    facets = presenters.facets(now=now)
    listing = build_listing(
        Need,
        query=ListQuery.from_args(request.args, [f.name for f in facets]),
        visible=queries.select_public(),
        facets=facets,
        orders=presenters.orders(),
    )
    tags = {need.id: _tag(need, now=now) for need in listing.page.items}
    return render_template(
        "needs/hall.html", listing=listing, tags=tags, quantity_text=presenters.quantity_text
    )


@bp.get("/needs/<public_no>")
@policy("need", "read")
@kept_until_something_happens
def show(public_no: str) -> ResponseReturnValue:
    actor = acting()
    try:
        need = queries.get_need(public_no, viewer=actor)
    except NotFound:
        if (gone := queries.find_gone(public_no)) is None:
            raise
        return gone_page(gone, label=gettext("需求"), back_url=url_for("needs.hall"))
    return _page(need, actor=actor, now=clock.now())


@bp.get("/review/needs")
@policy("need", "review")
def review_queue() -> ResponseReturnValue:
    """What was taken down and asks to be shown again."""
    rows = [(need, url_for("needs.show", public_no=need.public_no)) for need in queries.list_to_review()]
    return render_template("postings/review_queue.html", title=gettext("需求复核"), rows=rows)


def _page(
    need: Need, *, actor: Actor, now: datetime, obstacles: tuple[Obstacle, ...] = ()
) -> ResponseReturnValue:
    moves = [
        (move, url_for("needs.act", public_no=need.public_no, action=move.action))
        for move in LIFECYCLE.open_to(need.status, actor.parties(need.organisation_id))
        if move.action in ACTS
    ]
    page = render_template(
        "needs/show.html",
        need=need,
        tag=_tag(need, now=now),
        left=countdown(need.expires_at, now=now),
        facts=presenters.key_facts(need),
        indicators=[i.as_indicator() for i in need.indicators],
        source=source_note(need),
        may_edit=actor.edits_for(need.organisation_id)
        and need.status in (NeedStatus.DRAFT, NeedStatus.PUBLISHED, NeedStatus.TAKEN_DOWN),
        moves=moves,
        obstacles=obstacles,
    )
    return page, (HTTPStatus.UNPROCESSABLE_ENTITY if obstacles else HTTPStatus.OK)


@bp.get("/need-lists/<public_no>")
@policy("need_list", "read")
@kept_until_something_happens
def show_list(public_no: str) -> ResponseReturnValue:
    actor, now = acting(), clock.now()
    need_list = queries.get_list(public_no, viewer=actor)
    page = queries.page_lines(need_list, viewer=actor, page=page_number(request.args.get("page")))
    return render_template(
        "needs/list.html",
        need_list=need_list,
        lines=[(need, _tag(need, now=now)) for need in page.items],
        page=page,
        may_edit=actor.edits_for(need_list.organisation_id),
        quantity_text=presenters.quantity_text,
    )


# --- lists on the workbench -------------------------------------------------------------------------------


@bp.get("/workbench/needs")
@policy("need_list", "list_own")
def own() -> ResponseReturnValue:
    return render_template(
        "needs/own.html", lists=queries.list_own_lists(acting()), status=NeedStatus, lifecycle=LIFECYCLE
    )


@bp.get("/workbench/need-lists/new")
@policy("need_list", "create")
def new_list() -> ResponseReturnValue:
    return _list_form_page(NeedListForm(formdata=None), url=url_for("needs.create_list"))


@bp.post("/workbench/need-lists/new")
@policy("need_list", "create")
def create_list() -> ResponseReturnValue:
    def store(form: NeedListForm, now: datetime) -> NeedList:
        return services.open_list(
            title=form.title.data or "", note=form.note.data or "", by=acting(), now=now
        )

    return _save_list(store, url=url_for("needs.create_list"))


@bp.get("/workbench/need-lists/<public_no>/edit")
@policy("need_list", "edit")
def edit_list(public_no: str) -> ResponseReturnValue:
    need_list = queries.get_own_list(public_no, actor=acting())
    return _list_form_page(
        NeedListForm(formdata=None, obj=need_list), url=_list_url(need_list), need_list=need_list
    )


@bp.post("/workbench/need-lists/<public_no>/edit")
@policy("need_list", "edit")
def save_list(public_no: str) -> ResponseReturnValue:
    def store(form: NeedListForm, now: datetime) -> NeedList:
        need_list = queries.get_own_list(public_no, actor=acting())
        services.rename_list(
            need_list,
            title=form.title.data or "",
            note=form.note.data or "",
            version=expected_version(request.form),
            by=acting(),
            now=now,
        )
        return need_list

    need_list = queries.get_own_list(public_no, actor=acting())
    return _save_list(store, url=_list_url(need_list), need_list=need_list)


def _list_url(need_list: NeedList) -> str:
    return url_for("needs.save_list", public_no=need_list.public_no)


def _list_form_page(
    form: NeedListForm,
    *,
    url: str,
    need_list: NeedList | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    return render_template("needs/list_form.html", form=form, url=url, need_list=need_list), status


def _save_list(
    store: Callable[[NeedListForm, datetime], NeedList], *, url: str, need_list: NeedList | None = None
) -> ResponseReturnValue:
    form = NeedListForm()
    if not form.validate():
        return _list_form_page(form, url=url, need_list=need_list, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            stored = store(form, clock.now())
    except StaleVersion as stale:
        theirs = queries.get_own_list(need_list.public_no if need_list else "", actor=acting())
        return conflict_page(
            subject=theirs.title,
            rows=[
                (gettext("清单名称"), "title", form.title.data, theirs.title),
                (gettext("说明"), "note", form.note.data, theirs.note),
            ],
            url=url,
            version=stale.current_version,
            back_url=url_for("needs.show_list", public_no=theirs.public_no),
        )
    flash(gettext("已保存"), "success")
    return redirect(url_for("needs.show_list", public_no=stored.public_no))


# --- lines on the workbench -------------------------------------------------------------------------------


@bp.get("/workbench/need-lists/<public_no>/lines/new")
@policy("need", "create")
def new(public_no: str) -> ResponseReturnValue:
    need_list = queries.get_own_list(public_no, actor=acting())
    form, rows = form_showing(NeedDraft(), version=0)
    return _form_page(form, rows, url=url_for("needs.create", public_no=public_no), need_list=need_list)


@bp.post("/workbench/need-lists/<public_no>/lines/new")
@policy("need", "create")
def create(public_no: str) -> ResponseReturnValue:
    def store(draft: NeedDraft, now: datetime) -> Need:
        need_list = queries.get_own_list(public_no, actor=acting())
        return services.start_draft(need_list, draft, by=acting(), now=now)

    need_list = queries.get_own_list(public_no, actor=acting())
    return _save(store, url=url_for("needs.create", public_no=public_no), need_list=need_list)


@bp.get("/workbench/needs/<public_no>/edit")
@policy("need", "edit")
def edit(public_no: str) -> ResponseReturnValue:
    need = queries.get_own(public_no, actor=acting())
    draft = services.draft_of(need)
    form, rows = form_showing(draft, version=need.version)
    return _form_page(
        form,
        rows,
        url=_edit_url(need),
        need_list=need.need_list,
        need=need,
        obstacles=list(ended_codes(draft)),
    )


@bp.post("/workbench/needs/<public_no>/edit")
@policy("need", "edit")
def save(public_no: str) -> ResponseReturnValue:
    version = expected_version(request.form)

    def store(draft: NeedDraft, now: datetime) -> Need:
        need = queries.get_own(public_no, actor=acting())
        published = need.status is NeedStatus.PUBLISHED
        change = services.revise if published else services.edit_draft
        change(need, draft, version=version, by=acting(), now=now)
        return need

    need = queries.get_own(public_no, actor=acting())
    return _save(store, url=_edit_url(need), need_list=need.need_list, need=need)


def _edit_url(need: Need) -> str:
    return url_for("needs.save", public_no=need.public_no)


def _form_page(
    form: NeedForm,
    rows: IndicatorRows,
    *,
    url: str,
    need_list: NeedList,
    need: Need | None = None,
    obstacles: list[Obstacle] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    page = render_template(
        "needs/form.html",
        form=form,
        rows=rows.padded(),
        url=url,
        need_list=need_list,
        need=need,
        obstacles=obstacles or [],
    )
    return page, status


def _save(
    store: Callable[[NeedDraft, datetime], Need],
    *,
    url: str,
    need_list: NeedList,
    need: Need | None = None,
) -> ResponseReturnValue:
    """Store what was typed, publish it where that was asked for, and lose nothing on the way."""
    form = NeedForm()
    rows = IndicatorRows.from_form(request.form, INDICATORS)
    if rows.pressed(request.form):
        return _form_page(form, rows, url=url, need_list=need_list, need=need)
    valid = form.validate()
    draft, rows, obstacles = read_form(form, request.form)
    if not valid or obstacles:
        return _refused(form, rows, obstacles, url=url, need_list=need_list, need=need)
    try:
        with transaction():
            stored = store(draft, clock.now())
    except StaleVersion as stale:
        return _conflict(draft, stale, url=url, public_no=need.public_no if need else "")
    except Obstructed as error:
        return _refused(form, rows, list(error.obstacles), url=url, need_list=need_list, need=need)
    if request.form.get("act") == "publish":
        return _publish(stored.public_no)
    flash(gettext("已保存"), "success")
    return redirect(url_for("needs.show", public_no=stored.public_no))


def _publish(public_no: str) -> ResponseReturnValue:
    try:
        with transaction():
            services.publish(queries.get_own(public_no, actor=acting()), by=acting(), now=clock.now())
    except Obstructed as error:
        need = queries.get_own(public_no, actor=acting())
        form, rows = form_showing(services.draft_of(need), version=need.version)
        flash(gettext("草稿已保存，尚未发布"), "warning")
        obstacles = list(error.obstacles)
        return _refused(form, rows, obstacles, url=_edit_url(need), need_list=need.need_list, need=need)
    flash(gettext("已发布，正在匹配供方"), "success")
    return redirect(url_for("needs.show", public_no=public_no))


def _refused(
    form: NeedForm,
    rows: IndicatorRows,
    obstacles: list[Obstacle],
    *,
    url: str,
    need_list: NeedList,
    need: Need | None,
) -> ResponseReturnValue:
    return _form_page(
        form,
        rows,
        url=url,
        need_list=need_list,
        need=need,
        obstacles=obstacles,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _conflict(draft: NeedDraft, stale: StaleVersion, *, url: str, public_no: str) -> ResponseReturnValue:
    theirs = queries.get_own(public_no, actor=acting())
    rows = presenters.conflict_rows(draft, services.draft_of(theirs))
    return conflict_page(
        subject=theirs.title,
        rows=rows,
        url=url,
        version=stale.current_version,
        hidden=fields_besides(rows, request.form),
        back_url=url_for("needs.show", public_no=public_no),
    )


# --- acts -------------------------------------------------------------------------------------------------


def _withdraw(need: Need, now: datetime) -> None:
    services.withdraw(need, reason=posted_text("reason"), by=acting(), now=now)


def _take_down(need: Need, now: datetime) -> None:
    services.take_down(need, reason=posted_text("reason"), by=acting(), now=now)


def _renew(need: Need, now: datetime) -> None:
    services.renew(need, by=acting(), now=now)


def _appeal(need: Need, now: datetime) -> None:
    services.appeal(need, reason=posted_text("reason"), by=acting(), now=now)


def _restore(need: Need, now: datetime) -> None:
    services.restore(need, by=acting(), now=now)


def _reject(need: Need, now: datetime) -> None:
    services.reject(need, reason=posted_text("reason"), by=acting(), now=now)


def _publish_now(need: Need, now: datetime) -> None:
    services.publish(need, by=acting(), now=now)


ACTS = {
    "publish": _publish_now,
    "withdraw": _withdraw,
    "take_down": _take_down,
    "renew": _renew,
    "appeal": _appeal,
    "restore": _restore,
    "reject": _reject,
}


OWN_ACTS = "publish, withdraw, renew, appeal"
PLATFORM_ACTS = "take_down, restore, reject"


@bp.post(f"/needs/<public_no>/<any({OWN_ACTS}, {PLATFORM_ACTS}):action>")
@policy("need", "act")
def act(public_no: str, action: str) -> ResponseReturnValue:
    """One act of the lifecycle; the table says whose it is."""
    try:
        with transaction():
            ACTS[action](queries.get_need(public_no, viewer=acting()), clock.now())
    except Obstructed as error:
        need = queries.get_need(public_no, viewer=acting())
        return _page(need, actor=acting(), now=clock.now(), obstacles=error.obstacles)
    flash(gettext("已办理"), "success")
    return redirect(url_for("needs.show", public_no=public_no))
