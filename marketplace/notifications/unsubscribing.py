"""Signed links by which a mail's reader ends such mails without signing in (RFC 8058).

A link names the person and the group, and can do nothing but end those mails; it does not expire, because
mails are kept for years. "digest" ends every group that was gathered.
"""

from dataclasses import dataclass

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from marketplace.notifications.kinds import Group, settable

DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    user_id: int
    scope: str


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="letters.unsubscribe")


def token_for(user_id: int, scope: Group | str) -> str:
    return str(_signer().dumps([user_id, str(scope)]))


def read_token(token: str) -> Unsubscribing | None:
    """None for what was not signed here, or names nothing that can be ended."""
    try:
        user_id, scope = _signer().loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    if not isinstance(user_id, int) or scope not in {DIGEST, *(group.value for group in settable())}:
        return None
    return Unsubscribing(user_id, scope)
