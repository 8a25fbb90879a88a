"""That what is sent from a page is done for the organisation that the page was made for.

The forms of `components/ui.html` name the organisation acted for. Who has switched in another tab since, or
no longer belongs to it, is told, and may go on where that is still theirs to do. Forms about the person, and
those that name nobody, are left alone.
"""

from http import HTTPStatus

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.identity import services as identity
from marketplace.identity.sessions import signed_in
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.organisations import queries

FIELD, SWITCH = "for_organisation", "switch_organisation"
PERSONAL = ("identity", "notifications", "member_invitation")
# Where somebody says for whom they act, and whom else they would act for.
PERSONAL_PAGES = tuple(
    f"members.{page}" for page in ("own_memberships", "join_another", "join", "switch", "withdraw_request")
)
SHORTEST_TEXT = 10


def acting_for() -> str:
    """What a form names: the organisation acted for, or nothing."""
    return str(acting().organisation_id or "")


def acting_as() -> str:
    """What a form says: the organisation that it is sent for, or nothing where it is about the person."""
    return "" if _is_personal() else acting().organisation_name


def _is_personal() -> bool:
    return request.blueprint in PERSONAL or request.endpoint in PERSONAL_PAGES


def refuse_for_another() -> ResponseReturnValue | None:
    """Before any view: a form that was made for another organisation changes nothing."""
    # An address that leads nowhere is answered as such: neither the form's token nor the address has been
    # looked at there, and it may begin like that of another site.
    if request.method != "POST" or request.endpoint is None or _is_personal():
        return None
    meant, facts = request.form.get(FIELD, ""), signed_in()
    if not meant or facts is None or meant == acting_for():
        return None
    mine = {str(number): (number, name) for number, name in queries.list_organisations_of(facts.user_id)}
    number, name = mine.get(meant, (None, ""))
    if number is not None and SWITCH in request.form:
        with transaction():
            identity.act_for_organisation(facts.session_id, number)
        # The browser sends the same form again, now as somebody who acts for its organisation.
        return redirect(request.full_path, HTTPStatus.TEMPORARY_REDIRECT)
    sent = [
        (field, text) for field, text in request.form.items(multi=True) if field not in ("csrf_token", SWITCH)
    ]
    page = render_template(
        "organisations/another.html",
        meant=name,
        sent=sent if number is not None else [],
        texts=[text for _field, text in sent if len(text) >= SHORTEST_TEXT],
        switch=SWITCH,
    )
    return make_response(page, HTTPStatus.CONFLICT)
