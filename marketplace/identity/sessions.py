"""Tying server-side sessions to requests: what the cookie carries, and who a request comes from.

Flask's signed cookie carries flask-login's user id, and that id is a random session token. Whether it still
counts is asked of the database on each request.
"""

# flask-login carries no types, hence the ignored base class.

from datetime import datetime, timedelta

from flask import Flask, Response, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from marketplace.identity import devices, presenters, queries, services
from marketplace.identity.credentials import new_token
from marketplace.identity.models import User
from marketplace.identity.queries import SignedIn
from marketplace.kernel import clock, locales
from marketplace.kernel.actor import acting, forget_actor
from marketplace.kernel.db import transaction
from marketplace.notifications.queries import languages_of

# How long the password given at sign-in, or since, counts for what is delicate.
PROOF_LASTS = timedelta(minutes=10)
DEVICE_COOKIE = "device"
SECOND_STEP = "second_step"


class SessionHolder(UserMixin):  # type: ignore[misc]
    """What flask-login takes for the user: somebody who holds a session token."""

    def __init__(self, facts: SignedIn) -> None:
        self.facts = facts

    def get_id(self) -> str:
        return self.facts.token


def _load_holder(token: str) -> SessionHolder | None:
    if len(token) > 100:
        return None
    facts = queries.find_signed_in(token, now=clock.now())
    return SessionHolder(facts) if facts else None


def signed_in() -> SignedIn | None:
    """Who holds the session of the current request."""
    return current_user.facts if current_user.is_authenticated else None


def _keep_session_alive() -> None:
    """Before anything is read: note, at most once a minute, that the session is in use."""
    if request.endpoint == "static" or "_user_id" not in session:
        return
    facts = signed_in()
    if facts is None:
        # The cookie's session has ended; its remains (CSRF token, flashes) end with it.
        session.pop("_user_id", None)
        return
    now = clock.now()
    if now - facts.last_seen_at >= services.TOUCH_INTERVAL:
        with transaction():
            services.touch_session(facts.session_id, now=now)


def begin(user: User, *, now: datetime, proved_at: datetime | None = None) -> None:
    """Sign an account in, inside `transaction()`: a new token and an emptied cookie.

    Who was signed in before as the same person goes on acting for the same organisation. `proved_at` is when
    they proved who they are, where that is not now.
    """
    facts = signed_in()
    same = facts is not None and facts.user_id == user.id
    address = presenters.masked(request.remote_addr or "")
    token = services.open_session(
        user,
        user_agent=request.user_agent.string,
        replaces=facts.token if facts else None,
        address=address,
        organisation_id=facts.organisation_id if facts is not None and same else None,
        proved_at=proved_at,
        now=now,
    )
    if not same:
        _note_device(user, address, now=now)
    if locales.chosen() is None:
        locales.choose(languages_of([user.id]).get(user.id, ""))
    session.clear()
    holder = SessionHolder(SignedIn(0, token, user.id, user.name, user.email, user.platform_role, None, now))
    login_user(holder)
    forget_actor()


def _note_device(user: User, address: str, *, now: datetime) -> None:
    known = request.cookies.get(_device_cookie(), "")
    g.device = known if 20 <= len(known) <= 100 else new_token()
    words = " · ".join(
        (presenters.device_in_words(request.user_agent.string), presenters.place_in_words(address))
    )
    devices.note_sign_in(user, token=g.device, words=words, now=now)


def _device_cookie() -> str:
    return f"__Host-{DEVICE_COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else DEVICE_COOKIE


def _keep_device(response: Response) -> Response:
    """The browser keeps what it is known by, beyond any session; it says nothing and opens nothing."""
    if "device" in g:
        response.set_cookie(
            _device_cookie(),
            g.device,
            max_age=devices.REMEMBERED,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return response


def begin_second_step(user: User, *, now: datetime) -> None:
    """The password was right and a code is wanted: nobody is signed in yet. Inside `transaction()`."""
    token = services.begin_second_step(user, now=now)
    session.clear()
    session[SECOND_STEP] = token


def second_step_token() -> str:
    """What `begin_second_step` left with this browser."""
    token = session.get(SECOND_STEP, "")
    return token if isinstance(token, str) and len(token) <= 100 else ""


def has_proved_lately(*, now: datetime) -> bool:
    """Whether the person gave their password a short while ago, or only left a browser open."""
    facts = signed_in()
    proved = facts.authenticated_at if facts else None
    return proved is not None and now - proved < PROOF_LASTS


def end(*, now: datetime) -> None:
    """Sign the current session out, inside `transaction()`."""
    facts = signed_in()
    if facts is not None:
        services.close_session(facts.token, by=acting(), now=now)
    logout_user()
    session.clear()
    forget_actor()


def init_app(app: Flask) -> None:
    manager = LoginManager()
    # The token itself is the proof; a changed address is everyday life on a phone.
    manager.session_protection = None
    manager.user_loader(_load_holder)
    manager.init_app(app)
    app.before_request(_keep_session_alive)
    app.after_request(_keep_device)
