"""Accounts: made, proven, signed in and out, their passwords changed. Each act is audited.

Nothing here tells whether an address has an account: what a stranger may ask for is answered by a letter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.identity import queries
from marketplace.identity.credentials import hash_password, hash_token, new_token
from marketplace.identity.documents import CURRENT_VERSIONS
from marketplace.identity.models import (
    Consent,
    ConsentDocument,
    OneTimeToken,
    TokenPurpose,
    User,
    UserSession,
)
from marketplace.identity.rules import obstacles_to_password
from marketplace.kernel.actor import ANONYMOUS, SYSTEM, Actor, PlatformRole
from marketplace.kernel.db import db
from marketplace.kernel.errors import DomainError, Forbidden, NotFound, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter, send_secret
from marketplace.notifications.words import told

SESSION_LIFETIME = timedelta(hours=12)
TOUCH_INTERVAL = timedelta(minutes=1)
# Where a path that a letter leads to takes its token.
PLACE_IN_PATH = "TOKEN"
REGISTRATION_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(minutes=30)
INVITATION_LIFETIME = timedelta(hours=24)
SECOND_STEP_LIFETIME = timedelta(minutes=5)


class SpentToken(NotFound):
    """The link is unknown, used or too old: which of these is nobody's business."""


@dataclass(frozen=True, slots=True)
class Person:
    """What a person gives of themself; the hash comes from `prepare_password`."""

    email: str
    name: str
    phone: str
    password_hash: str


# --- accounts -------------------------------------------------------------------------------------------


def create_user(
    person: Person,
    *,
    by: Actor,
    now: datetime,
    platform_role: PlatformRole | None = None,
    address_proven: bool = True,
) -> User:
    """Make an account with its consents; `address_proven` says that a link mailed to it was opened."""
    user = User(
        email=person.email,
        name=person.name,
        phone=person.phone,
        password_hash=person.password_hash,
        platform_role=platform_role,
        created_at=now,
        email_verified_at=now if address_proven else None,
    )
    db.session.add(user)
    db.session.flush()
    db.session.add_all(
        Consent(user_id=user.id, document=document, version=version, agreed_at=now)
        for document, version in CURRENT_VERSIONS.items()
    )
    record(
        "user.register",
        "user",
        user.id,
        by=by if by.name else actor_of(user),
        at=now,
        label=user.name,
        detail={
            "platform_role": platform_role.value if platform_role else None,
            "consents": {document.value: version for document, version in CURRENT_VERSIONS.items()},
        },
    )
    return user


def actor_of(user: User) -> Actor:
    """The account itself as the one who acts, before a request knows it."""
    return Actor(user_id=user.id, name=user.name, platform_role=user.platform_role)


def prepare_password(password: str, *, name: str, email: str) -> str:
    """The hash of a fit password. Raises Obstructed. Costly by intent, so not to be done in a transaction."""
    if obstacles := list(obstacles_to_password(password, name=name, email=email)):
        raise Obstructed(obstacles)
    return hash_password(password)


def update_profile(user: User, *, name: str, phone: str, by: Actor, now: datetime) -> None:
    before = {"name": user.name, "phone": user.phone}
    user.name, user.phone = name, phone
    changed = [field for field, value in before.items() if getattr(user, field) != value]
    if changed:
        record("user.update", "user", user.id, by=by, at=now, label=user.name, detail={"fields": changed})


def may_shut(by: Actor, user: User) -> bool:
    """Whether somebody may shut and open an account: never their own.

    Those of the platform's people only a maintainer may, so that no operator puts the auditor out.
    """
    if by.is_system:
        return True
    if by.user_id is None or by.user_id == user.id:
        return False
    return by.is_maintainer or (by.is_operator and user.platform_role is None)


def disable_user(user: User, *, reason: str, by: Actor, now: datetime) -> None:
    """Shut an account; its sessions end with it, and what was mailed to it opens nothing any more."""
    _check_may_shut(user, reason, by=by)
    if user.disabled_at is not None:
        raise Obstructed([Obstacle("", N_("该账号已经停用"))])
    user.disabled_at = now
    end_sessions(user.id)
    for purpose in (TokenPurpose.PASSWORD_RESET, TokenPurpose.EMAIL, TokenPurpose.SECOND_STEP):
        revoke_tokens(purpose, user_id=user.id, now=now)
    record("user.disable", "user", user.id, by=by, at=now, label=user.name, reason=reason)


def enable_user(user: User, *, reason: str, by: Actor, now: datetime) -> None:
    _check_may_shut(user, reason, by=by)
    if user.disabled_at is None:
        raise Obstructed([Obstacle("", N_("该账号没有停用"))])
    user.disabled_at = None
    record("user.enable", "user", user.id, by=by, at=now, label=user.name, reason=reason)
    send_letter(
        [user.id],
        "identity.enabled",
        N_("您的账号已重新启用"),
        told(N_("您的账号已由平台重新启用。理由：%(reason)s"), reason=reason),
        at=now,
    )


def _check_may_shut(user: User, reason: str, *, by: Actor) -> None:
    if not may_shut(by, user):
        raise Forbidden("user.disable")
    if not reason.strip():
        raise Obstructed([Obstacle("reason", N_("请写明理由"))])


def agree(user: User, versions: Mapping[ConsentDocument, str], *, by: Actor, now: datetime) -> None:
    """Note that a person agrees to these versions of the documents; those agreed to before are kept."""
    agreed = set(queries.list_consents(user.id))
    new = {document: version for document, version in versions.items() if (document, version) not in agreed}
    if not new:
        return
    db.session.add_all(
        Consent(user_id=user.id, document=document, version=version, agreed_at=now)
        for document, version in new.items()
    )
    record(
        "user.consent",
        "user",
        user.id,
        by=by,
        at=now,
        label=user.name,
        detail={"consents": {document.value: version for document, version in new.items()}},
    )


# --- sessions -------------------------------------------------------------------------------------------


def open_session(
    user: User,
    *,
    user_agent: str,
    replaces: str | None,
    now: datetime,
    address: str = "",
    organisation_id: int | None = None,
    proved_at: datetime | None = None,
) -> str:
    """Sign an account in: a new token each time, so that one known from before is worth nothing.

    `proved_at` is when the person proved who they are, where that is not now.
    """
    token = new_token()
    if replaces:
        db.session.execute(_ended(UserSession.token_hash == hash_token(replaces)))
    db.session.execute(_ended(UserSession.expires_at <= now))
    db.session.add(
        UserSession(
            token_hash=hash_token(token),
            user_id=user.id,
            organisation_id=organisation_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LIFETIME,
            authenticated_at=proved_at or now,
            user_agent=user_agent[:200],
            address=address[:60],
        )
    )
    record("user.sign_in", "user", user.id, by=actor_of(user), at=now, label=user.name)
    return token


def rehash_password(user: User, password_hash: str, *, now: datetime) -> None:
    """Take over the same password's hash at today's cost."""
    user.password_hash = password_hash
    record("user.rehash", "user", user.id, by=SYSTEM, at=now, label=user.name)


def touch_session(session_id: int, *, now: datetime) -> None:
    """Note that a session is in use, at most once a minute however many requests come at once."""
    db.session.execute(
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.last_seen_at <= now - TOUCH_INTERVAL)
        .values(last_seen_at=now),
        execution_options={"synchronize_session": False},
    )


def close_session(token: str, *, by: Actor, now: datetime) -> None:
    """Sign out: without its row a cookie is dead, also a captured one."""
    result = db.session.execute(_ended(UserSession.token_hash == hash_token(token)))
    if cast("CursorResult[Any]", result).rowcount:
        record("user.sign_out", "user", by.user_id, by=by, at=now, label=by.name)


def end_sessions(user_id: int) -> None:
    """End an account's sessions everywhere."""
    db.session.execute(_ended(UserSession.user_id == user_id))


def end_own_session(session_id: int, *, by: Actor, now: datetime) -> None:
    """Sign one's own session out on another device. Raises NotFound for anybody else's."""
    own = UserSession.user_id == by.user_id
    result = db.session.execute(_ended(UserSession.id == session_id, own))
    if not cast("CursorResult[Any]", result).rowcount:
        raise NotFound(f"session {session_id}")
    record("user.end_session", "user", by.user_id, by=by, at=now, label=by.name)


def end_other_sessions(session_id: int, *, by: Actor, now: datetime) -> int:
    """Sign out everywhere but in this session; returns in how many others."""
    result = db.session.execute(_ended(UserSession.id != session_id, UserSession.user_id == by.user_id))
    ended = int(cast("CursorResult[Any]", result).rowcount)
    if ended:
        detail = {"sessions": ended}
        record("user.end_sessions", "user", by.user_id, by=by, at=now, label=by.name, detail=detail)
    return ended


def prove_again(session_id: int, *, now: datetime) -> None:
    """Note that the person behind a session has just given their password anew."""
    db.session.execute(
        update(UserSession).where(UserSession.id == session_id).values(authenticated_at=now),
        execution_options={"synchronize_session": False},
    )


def begin_second_step(user: User, *, now: datetime) -> str:
    """The password was right: a token with which the code may be given, for a few minutes."""
    revoke_tokens(TokenPurpose.SECOND_STEP, user_id=user.id, now=now)
    return issue(TokenPurpose.SECOND_STEP, now=now, lifetime=SECOND_STEP_LIFETIME, user_id=user.id)


def finish_second_step(token: str, *, now: datetime) -> User:
    """The account whose second step this is, held to the end of the transaction. Raises SpentToken."""
    spent = spend(token, (TokenPurpose.SECOND_STEP,), now=now)
    user = queries.get_user_for_change(spent.user_id or 0)
    if user.disabled_at is not None:
        raise SpentToken("the account is disabled")
    return user


def _ended(*conditions: Any) -> Any:
    return delete(UserSession).where(*conditions).execution_options(synchronize_session=False)


def act_for_organisation(session_id: int, organisation_id: int) -> None:
    """Have a session act for another of its person's organisations; whether it is theirs is asked above."""
    db.session.execute(
        update(UserSession).where(UserSession.id == session_id).values(organisation_id=organisation_id),
        execution_options={"synchronize_session": False},
    )


# --- links in letters -----------------------------------------------------------------------------------


def request_registration(email: str, *, path: str, now: datetime) -> None:
    """Mail a link to go on registering; an address that has an account gets a letter that says so.

    `path` is the page the link leads to, with `PLACE_IN_PATH` where the token goes.
    """
    user = queries.find_user_by_email(email)
    if user is not None:
        send_secret(
            user_id=user.id,
            kind="identity.already_registered",
            subject=N_("您的邮箱已有账号"),
            body=N_(
                "有人（可能是您本人）用这个邮箱申请注册。该邮箱已有账号，请直接登录；忘记密码可在登录页重置。\n"
                "如果不是您本人操作，请忽略本邮件，账号没有任何变化。"
            ),
            link="/login",
            at=now,
        )
        return
    token = issue(TokenPurpose.REGISTRATION, now=now, lifetime=REGISTRATION_LIFETIME, email=email)
    send_secret(
        address=email,
        kind="identity.registration",
        subject=N_("请继续完成注册"),
        body=N_(
            "请在 24 小时内打开下面的链接，填写个人和单位信息。链接只能使用一次。\n"
            "如果不是您本人操作，请忽略本邮件。"
        ),
        link=path.replace(PLACE_IN_PATH, token),
        at=now,
    )


def request_password_reset(email: str, *, path: str, now: datetime) -> None:
    """Mail a reset link to an enabled account; do nothing for any other address."""
    user = queries.find_user_by_email(email)
    if user is None or user.disabled_at is not None:
        return
    revoke_tokens(TokenPurpose.PASSWORD_RESET, user_id=user.id, now=now)
    token = issue(TokenPurpose.PASSWORD_RESET, now=now, lifetime=RESET_LIFETIME, user_id=user.id)
    send_secret(
        user_id=user.id,
        kind="identity.password_reset",
        subject=N_("重置密码"),
        body=N_(
            "请在 30 分钟内打开下面的链接设置新密码。链接只能使用一次。\n"
            "如果不是您本人操作，请忽略本邮件，密码不会改变。"
        ),
        link=path.replace(PLACE_IN_PATH, token),
        at=now,
    )
    # Anybody may type an address: that it was its owner who asked is not known.
    record("user.request_reset", "user", user.id, by=ANONYMOUS, at=now, label=user.name)


def invite_platform_user(email: str, role: PlatformRole, *, by: Actor, now: datetime) -> str:
    """The token of a one-time link with which somebody takes up a platform role; older ones are void."""
    if queries.find_user_by_email(email) is not None:
        raise AlreadyRegistered(email)
    db.session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.purpose == TokenPurpose.PLATFORM_INVITATION,
            OneTimeToken.email == email,
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    token = issue(
        TokenPurpose.PLATFORM_INVITATION, now=now, lifetime=INVITATION_LIFETIME, email=email, role=role
    )
    record("user.invite", "user", None, by=by, at=now, label=email, detail={"platform_role": role.value})
    return token


class AlreadyRegistered(ValueError):
    """The address has an account; told only to somebody who works on the server."""


def issue(
    purpose: TokenPurpose,
    *,
    now: datetime,
    lifetime: timedelta,
    user_id: int | None = None,
    email: str = "",
    role: PlatformRole | None = None,
) -> str:
    token = new_token()
    db.session.add(
        OneTimeToken(
            purpose=purpose,
            token_hash=hash_token(token),
            user_id=user_id,
            email=email,
            platform_role=role,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    return token


def revoke_tokens(purpose: TokenPurpose, *, user_id: int, now: datetime) -> None:
    db.session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.purpose == purpose,
            OneTimeToken.user_id == user_id,
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )


def spend(token: str, purposes: Iterable[TokenPurpose], *, now: datetime) -> OneTimeToken:
    """Use a token up; of two who try at once one gets it. Raises SpentToken."""
    for purpose in purposes:
        found = queries.find_live_token(token, purpose, now=now)
        if found is None:
            continue
        result = db.session.execute(
            update(OneTimeToken)
            .where(OneTimeToken.id == found.id, OneTimeToken.used_at.is_(None))
            .values(used_at=now),
            execution_options={"synchronize_session": False},
        )
        if cast("CursorResult[Any]", result).rowcount:
            return found
    raise SpentToken("token")


def register_with_token(token: str, *, name: str, phone: str, password_hash: str, now: datetime) -> User:
    """Make the account that a registration link or a platform invitation stands for."""
    spent = spend(token, (TokenPurpose.REGISTRATION, TokenPurpose.PLATFORM_INVITATION), now=now)
    if queries.find_user_by_email(spent.email) is not None:
        raise SpentToken("the address has an account by now")
    person = Person(spent.email, name, phone, password_hash)
    try:
        return create_user(
            person,
            by=Actor(),
            now=now,
            platform_role=spent.platform_role,
            # An invitation is printed on the server and handed over; nothing was mailed.
            address_proven=spent.purpose is TokenPurpose.REGISTRATION,
        )
    except IntegrityError as error:
        raise SpentToken("the address got an account in this very moment") from error


def reset_password(token: str, password_hash: str, *, now: datetime) -> User:
    """Set a new password by a reset link; every session of the account ends."""
    spent = spend(token, (TokenPurpose.PASSWORD_RESET,), now=now)
    user = queries.get_user_for_change(spent.user_id or 0)
    if user.disabled_at is not None:
        raise SpentToken("the account is disabled")
    # The link was mailed to the address, and came back.
    user.email_verified_at = user.email_verified_at or now
    _set_password(user, password_hash, type_="user.reset_password", now=now)
    end_sessions(user.id)
    return user


def get_unchanged(user_id: int, *, verified_hash: str) -> User:
    """The account whose password was verified before the transaction, held to its end. Raises StalePassword.

    Verifying takes long by intent; meanwhile the password may have been changed and all sessions ended, or
    the account shut.
    """
    user = queries.get_user_for_change(user_id)
    if user.password_hash != verified_hash or user.disabled_at is not None:
        raise StalePassword
    return user


class StalePassword(DomainError):
    """What was verified is no longer the account's password, or the account no longer in use."""


def change_password(user: User, password_hash: str, *, now: datetime) -> None:
    """Set a new password; every session ends (who asked begins a new one), open reset links are void."""
    _set_password(user, password_hash, type_="user.change_password", now=now)
    end_sessions(user.id)


def _set_password(user: User, password_hash: str, *, type_: str, now: datetime) -> None:
    user.password_hash = password_hash
    # Who was in the account may have asked for another address: this is what the owner is told to do then.
    for purpose in (TokenPurpose.PASSWORD_RESET, TokenPurpose.SECOND_STEP, TokenPurpose.EMAIL):
        revoke_tokens(purpose, user_id=user.id, now=now)
    record(type_, "user", user.id, by=actor_of(user), at=now, label=user.name)
    send_letter(
        [user.id],
        "identity.password_changed",
        N_("您的密码已更改"),
        N_("您的账号密码已更改，其他设备上的登录已全部退出。如果不是您本人操作，请立即重置密码并联系平台。"),
        at=now,
    )
