"""Tying server-side sessions to requests: what the cookie carries, and who a request comes from.

Flask's signed cookie carries flask-login's user id, and that id is a random session token. Whether it still
counts is asked of the database on each request.
"""

# flask-login carries no types, hence the ignored base class.

from datetime import datetime

from flask import Flask, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from marketplace.identity import queries, services
from marketplace.identity.models import User
from marketplace.identity.queries import SignedIn
from marketplace.kernel import clock
from marketplace.kernel.actor import acting, forget_actor
from marketplace.kernel.db import transaction


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


def begin(user: User, *, now: datetime) -> None:
    """Sign an account in, inside `transaction()`: a new token and an emptied cookie."""
    facts = signed_in()
    token = services.open_session(
        user,
        user_agent=request.user_agent.string,
        replaces=facts.token if facts else None,
        now=now,
    )
    session.clear()
    holder = SessionHolder(SignedIn(0, token, user.id, user.name, user.email, user.platform_role, None, now))
    login_user(holder)
    forget_actor()


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
