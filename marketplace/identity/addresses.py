"""The mail address of an account: proving it, and changing it to another that has been proved.

The link goes to the address that is to be proved, and the one that is given up hears of it.
"""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.identity import queries
from marketplace.identity.models import OneTimeToken, TokenPurpose, User
from marketplace.identity.services import (
    PLACE_IN_PATH,
    SpentToken,
    actor_of,
    issue,
    revoke_tokens,
    spend,
)
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter, send_secret
from marketplace.notifications.words import told

CONFIRMATION_LIFETIME = timedelta(hours=24)
NOT_ME = N_("如果不是您本人操作，请立即更改密码并联系平台。")


def request_proof(user: User, email: str, *, path: str, by: Actor, now: datetime) -> None:
    """Mail a link to `email` that makes it the account's proved address.

    What is answered does not depend on whether somebody else has that address: its letter says so.
    """
    changes = email != user.email
    if not changes and user.email_verified_at is not None:
        raise Obstructed([Obstacle("email", N_("这就是您现在的邮箱，已经验证过"))])
    revoke_tokens(TokenPurpose.EMAIL, user_id=user.id, now=now)
    record("user.request_email", "user", user.id, by=by, at=now, label=user.name, detail={"changes": changes})
    if changes:
        send_letter(
            [user.id],
            "identity.email_change_requested",
            N_("有人申请更换您账号的邮箱"),
            told(N_("您的账号申请把登录邮箱换成 %(email)s。新邮箱确认之前，一切照旧。"), email=email)
            + told(NOT_ME),
            at=now,
        )
    if changes and (holder := queries.find_user_by_email(email)) is not None:
        send_secret(
            user_id=holder.id,
            kind="identity.already_registered",
            subject=N_("您的邮箱已有账号"),
            body=N_(
                "有人想把另一个账号的邮箱换成您的邮箱。该邮箱已有账号，没有任何变化；如果是您本人操作，请换一个邮箱。"
            ),
            link="/login",
            at=now,
        )
        return
    token = issue(TokenPurpose.EMAIL, now=now, lifetime=CONFIRMATION_LIFETIME, user_id=user.id, email=email)
    send_secret(
        address=email,
        kind="identity.email",
        subject=N_("请确认邮箱"),
        body=N_(
            "请在 24 小时内打开下面的链接，确认这是您的邮箱。链接只能使用一次。\n"
            "如果不是您本人操作，请忽略本邮件。"
        ),
        link=path.replace(PLACE_IN_PATH, token),
        at=now,
    )


def confirm(token: str, *, now: datetime) -> User:
    """Make the address that a link proves the account's own. Raises SpentToken."""
    spent: OneTimeToken = spend(token, (TokenPurpose.EMAIL,), now=now)
    user = queries.get_user_for_change(spent.user_id or 0)
    if user.disabled_at is not None:
        raise SpentToken("the account is disabled")
    former = user.email
    user.email, user.email_verified_at = spent.email, now
    try:
        db.session.flush()
    except IntegrityError as error:
        raise SpentToken("somebody else has the address by now") from error
    if former == user.email:
        record("user.verify_email", "user", user.id, by=actor_of(user), at=now, label=user.name)
        return user
    revoke_tokens(TokenPurpose.PASSWORD_RESET, user_id=user.id, now=now)
    record("user.change_email", "user", user.id, by=actor_of(user), at=now, label=user.name)
    send_secret(
        address=former,
        kind="identity.email_changed",
        subject=N_("您账号的邮箱已更换"),
        body=told(N_("您的账号已改用邮箱 %(email)s 登录和接收通知，本邮箱不再与账号关联。"), email=user.email)
        + told(NOT_ME),
        link="",
        at=now,
    )
    send_letter(
        [user.id],
        "identity.email_changed",
        N_("登录邮箱已更换"),
        told(N_("您的账号已改用邮箱 %(email)s 登录和接收通知。"), email=user.email) + told(NOT_ME),
        "/workbench/account/security",
        at=now,
    )
    return user
