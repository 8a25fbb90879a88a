"""What a signed-in person owes before they go on: a second factor where one is required, and their consent
where a document has changed.

Here: what is owed, and leading there. Not here: how either is done (`own_views.py`).
"""

from http import HTTPStatus

from flask import current_app, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.identity.queries import SignedIn
from marketplace.identity.sessions import signed_in

SECOND_FACTOR, CONSENT = "identity.second_factor", "identity.consent"
# What may be opened whatever is owed: going away, and reading what one is asked to agree to.
ALWAYS_OPEN = frozenset({"static", "identity.sign_out", "identity.terms", "identity.privacy"})
# The pages of a duty, with those that belong to doing it.
PAGES = {
    SECOND_FACTOR: frozenset(
        {SECOND_FACTOR, "identity.begin_second_factor", "identity.confirm_second_factor", "identity.prove"}
    ),
    CONSENT: frozenset({CONSENT}),
}


def requires_second_factor(platform_role: object) -> bool:
    """Whoever works for the platform needs one; a setting relaxes that, and production refuses it."""
    return platform_role is not None and not current_app.config["SECOND_FACTOR_OPTIONAL"]


def owed_by(facts: SignedIn) -> str | None:
    """The page of what is owed first, if anything is."""
    if requires_second_factor(facts.platform_role) and not facts.has_second_factor:
        return SECOND_FACTOR
    return CONSENT if facts.owes_consent else None


def lead_to_duties() -> ResponseReturnValue | None:
    """Before any view. What was typed before a document changed may still be sent: only pages are held up."""
    endpoint = request.endpoint or ""
    facts = signed_in() if endpoint not in ALWAYS_OPEN else None
    duty = owed_by(facts) if facts is not None else None
    if duty is None or endpoint in PAGES[duty]:
        return None
    reads = request.method in ("GET", "HEAD")
    if duty == CONSENT and not reads:
        return None
    target = request.full_path.rstrip("?") if reads else None
    address = url_for(duty, next=target)
    if request.headers.get("HX-Request"):
        response = make_response("", HTTPStatus.FORBIDDEN)
        response.headers["HX-Redirect"] = address
        return response
    return redirect(address, HTTPStatus.SEE_OTHER)
