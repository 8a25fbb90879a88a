"""The letter box of the person who is signed in, how they want letters, and the links that end mails."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.kernel import clock, locales
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle
from marketplace.kernel.pagination import page_number
from marketplace.kernel.paths import own_path
from marketplace.kernel.texts import N_
from marketplace.notifications import kinds, presenters, queries, services, unsubscribing
from marketplace.notifications.kinds import GROUPS, Group
from marketplace.notifications.models import GATHERED, Mailing
from marketplace.notifications.queries import Asked

bp = Blueprint("notifications", __name__)

# Digits that fit a key of the database.
LONGEST_ID = 18
MOST_AT_ONCE = 100


# --- the box ----------------------------------------------------------------------------------------------


def _asked() -> Asked:
    args = request.args
    # `unread=1` is what links from before ask for.
    box = "unread" if args.get("unread") == "1" else args.get("box", "")
    group = args.get("group", "")
    return Asked(
        box=box if box in queries.BOXES else "",
        group=group if group in {one.value for one in Group} else "",
        q=args.get("q", "").strip()[: queries.LONGEST_QUESTION],
    )


@bp.get("/workbench/letters")
@policy("letter", "list")
def inbox() -> ResponseReturnValue:
    user_id = acting().user_id or 0
    asked = _asked()
    letters = queries.page_letters(user_id, asked, page=page_number(request.args.get("page")))
    return render_template(
        "notifications/inbox.html",
        letters=letters,
        lines=presenters.lines(list(letters.items)),
        unread=queries.count_unread(user_id),
        asked=asked,
        facets=[
            {"name": "box", "label": gettext("状态"), "options": _options(presenters.BOXES)},
            {
                "name": "group",
                "label": gettext("类别"),
                "options": _options({group.value: facts.label for group, facts in GROUPS.items()}),
            },
        ],
        problem=queries.find_refusal(user_id),
    )


def _options(labels: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": gettext(label)} for value, label in labels.items()]


@bp.post("/workbench/letters/<int:letter_id>/open")
@policy("letter", "read")
def open_letter(letter_id: int) -> ResponseReturnValue:
    """Mark a letter read and go where it leads."""
    user_id = acting().user_id or 0
    now = clock.now()
    with transaction():
        letter = queries.get_letter(letter_id, user_id=user_id)
        link = letter.link
        services.mark_read(user_id, letter_id=letter_id, now=now)
    return redirect(own_path(link) or url_for("notifications.inbox"))


@bp.post("/workbench/letters/read")
@policy("letter", "read")
def read_all() -> ResponseReturnValue:
    now = clock.now()
    with transaction():
        services.mark_read(acting().user_id or 0, now=now)
    return redirect(url_for("notifications.inbox"))


@bp.post("/workbench/letters/sort")
@policy("letter", "read")
def sort_letters() -> ResponseReturnValue:
    """Mark the chosen letters, or put them away; then the same page again."""
    act = request.form.get("act", "")
    if act not in services.ACTS:
        raise NotFound(act)
    named = ",".join([*request.form.getlist("id"), request.form.get("page_ids", "")]).split(",")
    digits = {one for one in named if one.isascii() and one.isdigit() and len(one) <= LONGEST_ID}
    chosen = sorted(map(int, digits))[:MOST_AT_ONCE]
    now = clock.now()
    with transaction():
        count = services.sort_letters(acting().user_id or 0, chosen, act, now=now)
    flash(
        gettext("已处理 %(count)s 封", count=count) if count else gettext("请先勾选要处理的通知"),
        "success" if count else "warning",
    )
    back = {name: value for name in ("box", "group", "q", "page") if (value := request.form.get(name, ""))}
    return redirect(url_for("notifications.inbox") + (f"?{urlencode(back)}" if back else ""))


# --- how letters are wanted -------------------------------------------------------------------------------


@bp.get("/workbench/letters/settings")
@policy("letter", "set")
def settings() -> ResponseReturnValue:
    return _settings_page()


def _settings_page(obstacles: Sequence[Obstacle] = ()) -> ResponseReturnValue:
    """What was chosen is shown again where it was not taken."""
    user_id = acting().user_id or 0
    page = render_template(
        "notifications/settings.html",
        rows=presenters.wish_rows(queries.list_wishes(user_id)),
        mailings=presenters.MAILINGS,
        language=queries.languages_of([user_id]).get(user_id, locales.current()),
        languages=services.LANGUAGES,
        refused=queries.find_refusal(user_id),
        obstacles=obstacles,
        chosen=request.form,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if obstacles else HTTPStatus.OK)


@bp.post("/workbench/letters/settings")
@policy("letter", "set")
def save_settings() -> ResponseReturnValue:
    """Groups that the form does not name stay as they are; binding ones cannot be named."""
    user_id, now = acting().user_id or 0, clock.now()
    named = {
        group: request.form[f"mailing-{group.value}"]
        for group in kinds.settable()
        if f"mailing-{group.value}" in request.form
    }
    language = request.form.get("language", next(iter(services.LANGUAGES)))
    unknown = {
        f"mailing-{group.value}": GROUPS[group].label
        for group, value in named.items()
        if value not in set(Mailing)
    }
    if language not in services.LANGUAGES:
        unknown["language"] = N_("邮件的语言")
    if unknown:
        return _settings_page(
            [
                Obstacle(field, N_("请从列表中选择“%(label)s”"), {"label": label})
                for field, label in unknown.items()
            ]
        )
    with transaction():
        for group, value in named.items():
            in_site = f"site-{group.value}" in request.form
            services.set_wish(user_id, group, Mailing(value), in_site=in_site)
        services.set_language(user_id, language)
        detail = {group.value: value for group, value in named.items()}
        services.note_wishes(user_id, {**detail, "language": language}, by=acting(), now=now)
    flash(gettext("已保存"), "success")
    return redirect(url_for("notifications.settings"))


# --- ending mails by a link -------------------------------------------------------------------------------


def _named(token: str) -> unsubscribing.Unsubscribing:
    found = unsubscribing.read_token(token)
    if found is None:
        raise NotFound("unsubscribe")
    return found


def _scope_label(scope: str) -> str:
    if scope == unsubscribing.DIGEST:
        return str(gettext("通知汇总"))
    return str(gettext(GROUPS[Group(scope)].label))


@bp.get("/letters/unsubscribe/<token>")
@policy("letter", "unsubscribe")
def unsubscribe(token: str) -> ResponseReturnValue:
    """What the link would end, and a button: looking at it ends nothing."""
    named = _named(token)
    return render_template(
        "notifications/unsubscribe.html", token=token, label=_scope_label(named.scope), done=False
    )


@bp.post("/letters/unsubscribe/<token>")
@policy("letter", "unsubscribe")
def end_mails(token: str) -> ResponseReturnValue:
    """Mail programs post here by themselves (RFC 8058), with no cookie: the signed link is the proof."""
    named, now = _named(token), clock.now()
    with transaction():
        _end(named, now=now)
    return render_template(
        "notifications/unsubscribe.html", token=token, label=_scope_label(named.scope), done=True
    )


def _end(named: unsubscribing.Unsubscribing, *, now: datetime) -> None:
    wishes = queries.list_wishes(named.user_id)
    ended = [
        group
        for group, wish in wishes.items()
        if group.value == named.scope or (named.scope == unsubscribing.DIGEST and wish.mailing in GATHERED)
    ]
    for group in ended:
        services.set_wish(named.user_id, group, Mailing.OFF, in_site=wishes[group].in_site)
    detail = {group.value: Mailing.OFF.value for group in ended}
    services.note_wishes(named.user_id, {**detail, "by": "link"}, by=acting(), now=now)
