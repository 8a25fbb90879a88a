"""Pages of announcements: the public list and page, and the operator's drafts."""

from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.announcements import queries, services
from marketplace.announcements.forms import AnnouncementForm
from marketplace.announcements.kinds import CATEGORY_LABELS
from marketplace.announcements.lifecycle import LIFECYCLE
from marketplace.announcements.models import Announcement, AnnouncementCategory
from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Obstacle, Obstructed, StaleVersion
from marketplace.kernel.forms import posted_text
from marketplace.kernel.pagination import page_number

bp = Blueprint("announcements", __name__)


@bp.get("/announcements")
@policy("announcement", "browse")
@kept_until_something_happens
def hall() -> ResponseReturnValue:
    asked = request.args.get("category", "")
    known = {category.value for category in AnnouncementCategory}
    q = request.args.get("q", "").strip()[:100]
    page = queries.page_published(
        page=page_number(request.args.get("page")),
        category=AnnouncementCategory(asked) if asked in known else None,
        q=q,
    )
    facets = [
        {
            "name": "category",
            "label": gettext("类别"),
            "options": [
                {"value": value.value, "label": gettext(label), "count": None}
                for value, label in CATEGORY_LABELS.items()
            ],
        }
    ]
    return render_template("announcements/hall.html", page=page, facets=facets, categories=CATEGORY_LABELS)


@bp.get("/announcements/<int:announcement_id>")
@policy("announcement", "read")
@kept_until_something_happens
def show(announcement_id: int) -> ResponseReturnValue:
    return _page(queries.get_announcement(announcement_id, viewer=acting()))


def _page(announcement: Announcement, obstacles: Iterable[Obstacle] = ()) -> ResponseReturnValue:
    found = list(obstacles)
    moves = [
        (move, url_for(".act", announcement_id=announcement.id, action=move.action))
        for move in LIFECYCLE.open_to(announcement.status, acting().parties(None))
        if move.action in ACTS and (move.action not in ("pin", "unpin") or _fits(move.action, announcement))
    ]
    page = render_template(
        "announcements/show.html",
        announcement=announcement,
        category=CATEGORY_LABELS[announcement.category],
        label=LIFECYCLE.label(announcement.status),
        moves=moves,
        obstacles=found,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if found else HTTPStatus.OK)


def _fits(action: str, announcement: Announcement) -> bool:
    """Of pinning and unpinning only the one that changes something is offered."""
    return announcement.pinned is (action == "unpin")


# --- the operator's ---------------------------------------------------------------------------------------


@bp.get("/workbench/announcements")
@policy("announcement", "list_all")
def own() -> ResponseReturnValue:
    rows = [(one, LIFECYCLE.label(one.status), CATEGORY_LABELS[one.category]) for one in queries.list_all()]
    return render_template("announcements/own.html", rows=rows)


@bp.get("/workbench/announcements/new")
@policy("announcement", "write")
def new() -> ResponseReturnValue:
    return _form_page(AnnouncementForm(formdata=None, data={"version": 0}), url=url_for(".create"))


@bp.post("/workbench/announcements/new")
@policy("announcement", "write")
def create() -> ResponseReturnValue:
    form = AnnouncementForm()
    url = url_for(".create")
    if not form.validate():
        return _form_page(form, url=url, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    with transaction():
        made = services.start_draft(form.draft(), by=acting(), now=clock.now())
    return _stored(made.id)


@bp.get("/workbench/announcements/<int:announcement_id>/edit")
@policy("announcement", "write")
def edit(announcement_id: int) -> ResponseReturnValue:
    announcement = queries.get_announcement(announcement_id, viewer=acting())
    form = AnnouncementForm(formdata=None, obj=announcement)
    return _form_page(form, url=url_for(".save", announcement_id=announcement_id), announcement=announcement)


@bp.post("/workbench/announcements/<int:announcement_id>/edit")
@policy("announcement", "write")
def save(announcement_id: int) -> ResponseReturnValue:
    form = AnnouncementForm()
    announcement = queries.get_announcement(announcement_id, viewer=acting())
    url = url_for(".save", announcement_id=announcement_id)
    if not form.validate():
        return _form_page(form, url=url, announcement=announcement, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            announcement = queries.get_announcement(announcement_id, viewer=acting())
            services.change(
                announcement, form.draft(), version=form.version.data or 0, by=acting(), now=clock.now()
            )
    except StaleVersion as stale:
        # What was typed stays in the form; sending again is a decision made with both in sight.
        theirs = queries.get_announcement(announcement_id, viewer=acting())
        return _form_page(form, url=url, announcement=theirs, stale=stale, status=HTTPStatus.CONFLICT)
    except Obstructed as obstructed:
        return _form_page(
            form,
            url=url,
            announcement=announcement,
            obstacles=obstructed.obstacles,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    return _stored(announcement_id)


def _stored(announcement_id: int) -> ResponseReturnValue:
    flash(gettext("已保存"), "success")
    return redirect(url_for(".show", announcement_id=announcement_id))


def _form_page(
    form: AnnouncementForm,
    *,
    url: str,
    announcement: Announcement | None = None,
    obstacles: Iterable[Obstacle] = (),
    stale: StaleVersion | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    page = render_template(
        "announcements/form.html",
        form=form,
        url=url,
        announcement=announcement,
        obstacles=list(obstacles),
        stale=stale,
        version=stale.current_version if stale else form.version.data,
    )
    return make_response(page, status)


def _withdraw(announcement: Announcement, now: datetime) -> None:
    services.withdraw(announcement, reason=posted_text("reason"), by=acting(), now=now)


def _publish(announcement: Announcement, now: datetime) -> None:
    services.publish(announcement, by=acting(), now=now)


def _pin(announcement: Announcement, now: datetime) -> None:
    services.pin(announcement, by=acting(), now=now)


def _unpin(announcement: Announcement, now: datetime) -> None:
    services.unpin(announcement, by=acting(), now=now)


ACTS: dict[str, Callable[[Announcement, datetime], None]] = {
    "publish": _publish,
    "pin": _pin,
    "unpin": _unpin,
    "withdraw": _withdraw,
}


@bp.post("/announcements/<int:announcement_id>/<any(publish, pin, unpin, withdraw):action>")
@policy("announcement", "act")
def act(announcement_id: int, action: str) -> ResponseReturnValue:
    """One act of the lifecycle; the table says whose it is."""
    try:
        with transaction():
            ACTS[action](queries.get_announcement(announcement_id, viewer=acting()), clock.now())
    except Obstructed as error:
        return _page(queries.get_announcement(announcement_id, viewer=acting()), error.obstacles)
    flash(gettext("已办理"), "success")
    return redirect(url_for(".show", announcement_id=announcement_id))
