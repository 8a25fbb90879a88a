"""Reading accounts, sessions and tokens."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select

from marketplace.identity.credentials import hash_token
from marketplace.identity.documents import CURRENT_VERSIONS
from marketplace.identity.models import (
    Consent,
    ConsentDocument,
    OneTimeToken,
    TokenPurpose,
    User,
    UserSession,
)
from marketplace.kernel.actor import PlatformRole
from marketplace.kernel.db import db, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate

IDLE_LIMIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who holds a live session: plain facts, so that no rollback takes them away."""

    session_id: int
    token: str
    user_id: int
    name: str
    email: str
    platform_role: PlatformRole | None
    organisation_id: int | None
    last_seen_at: datetime
    authenticated_at: datetime | None = None
    has_second_factor: bool = False
    owes_consent: bool = False


def _owes_consent(versions: tuple[tuple[ConsentDocument, str], ...]) -> ColumnElement[bool]:
    """Whether somebody has agreed to earlier versions of the documents, and not to all that hold now."""
    current = or_(
        *(and_(Consent.document == document, Consent.version == version) for document, version in versions)
    )
    agreed = select(func.count()).where(Consent.user_id == User.id).correlate(User)
    return and_(agreed.scalar_subquery() > 0, agreed.where(current).scalar_subquery() < len(versions))


@lru_cache(maxsize=4)
def _signed_in(versions: tuple[tuple[ConsentDocument, str], ...]) -> Select[*tuple[Any, ...]]:
    """Asked with every page of whoever is signed in, and so built once; values are given when it is run."""
    return (
        select(
            UserSession.id,
            User.id,
            User.name,
            User.email,
            User.platform_role,
            UserSession.organisation_id,
            UserSession.last_seen_at,
            UserSession.authenticated_at,
            User.second_factor_at.is_not(None),
            _owes_consent(versions),
        )
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.token_hash == bindparam("token_hash"),
            UserSession.expires_at > bindparam("now"),
            UserSession.last_seen_at > bindparam("idle_since"),
            User.disabled_at.is_(None),
        )
    )


def find_signed_in(token: str, *, now: datetime) -> SignedIn | None:
    """The account behind a session token that is neither expired nor idle nor of a disabled account."""
    row = db.session.execute(
        _signed_in(tuple(CURRENT_VERSIONS.items())),
        {"token_hash": hash_token(token), "now": now, "idle_since": now - IDLE_LIMIT},
    ).one_or_none()
    if row is None:
        return None
    session_id, *facts = row
    return SignedIn(session_id, token, *facts)


def list_sessions(user_id: int, *, now: datetime) -> list[UserSession]:
    """Where somebody is signed in now, the last used first."""
    return list(
        db.session.scalars(
            select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.expires_at > now,
                UserSession.last_seen_at > now - IDLE_LIMIT,
            )
            .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        )
    )


def find_user_by_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == email))


def get_user(user_id: int) -> User:
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound(f"user {user_id}")
    return user


def get_user_for_change(user_id: int) -> User:
    """The account as it now is, held to the end of the transaction."""
    user = db.session.scalar(for_change(select(User).where(User.id == user_id), User))
    if user is None:
        raise NotFound(f"user {user_id}")
    return user


def list_platform_users(*roles: PlatformRole) -> list[int]:
    """The ids of the enabled accounts that hold one of these roles: whom letters about duties go to."""
    statement = select(User.id).where(User.platform_role.in_(roles), User.disabled_at.is_(None))
    return list(db.session.scalars(statement.order_by(User.id)))


def addresses_of(user_ids: Collection[int]) -> dict[int, str]:
    statement = select(User.id, User.email).where(User.id.in_(user_ids), User.disabled_at.is_(None))
    return {row.id: row.email for row in db.session.execute(statement)}


def find_live_token(token: str, purpose: TokenPurpose, *, now: datetime) -> OneTimeToken | None:
    return db.session.scalar(
        select(OneTimeToken).where(
            OneTimeToken.token_hash == hash_token(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
    )


def list_consents(user_id: int) -> list[tuple[ConsentDocument, str]]:
    rows = db.session.execute(
        select(Consent.document, Consent.version).where(Consent.user_id == user_id).order_by(Consent.id)
    )
    return [(document, version) for document, version in rows]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list of accounts was asked for."""

    q: str = ""
    role: str = ""
    state: str = ""


def page_accounts(wanted: Wanted, *, page: int) -> Page[User]:
    """Accounts by name or address, the newest first; two statements for any number."""
    statement = select(User)
    if text := wanted.q.strip().lower():
        statement = statement.where(
            or_(
                func.lower(User.name).contains(text, autoescape=True),
                User.email.contains(text, autoescape=True),
            )
        )
    if wanted.role == "person":
        statement = statement.where(User.platform_role.is_(None))
    elif wanted.role in set(PlatformRole):
        statement = statement.where(User.platform_role == PlatformRole(wanted.role))
    if wanted.state == "disabled":
        statement = statement.where(User.disabled_at.is_not(None))
    elif wanted.state == "enabled":
        statement = statement.where(User.disabled_at.is_(None))
    elif wanted.state == "second_factor":
        statement = statement.where(User.second_factor_at.is_not(None))
    return paginate(statement.order_by(User.id.desc()), page=page, per_page=20)
