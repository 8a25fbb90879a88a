"""The letter box of the person who is signed in."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.pagination import page_number
from marketplace.kernel.paths import own_path
from marketplace.notifications import queries, services

bp = Blueprint("notifications", __name__)


@bp.get("/workbench/letters")
@policy("letter", "list")
def inbox() -> ResponseReturnValue:
    user_id = acting().user_id or 0
    unread_only = request.args.get("unread") == "1"
    letters = queries.page_letters(
        user_id, page=page_number(request.args.get("page")), unread_only=unread_only
    )
    unread = queries.count_unread(user_id)
    return render_template(
        "notifications/inbox.html", letters=letters, unread=unread, unread_only=unread_only
    )


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
