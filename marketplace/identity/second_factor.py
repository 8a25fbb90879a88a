"""The second factor: time-based codes from an authenticator app (RFC 6238), and recovery codes in its stead.

Nothing else reads the table of keys; whether an account has a second factor at all is asked of
`User.second_factor_at`. Neither key nor code ever reaches a log, a letter or the audit trail.
"""

import hmac
import secrets
from datetime import datetime
from typing import Any, cast

import pyotp
import segno
from sqlalchemy import CursorResult, delete, func, select, update

from marketplace.audit.services import record
from marketplace.identity.credentials import hash_token
from marketplace.identity.models import RecoveryCode, SecondFactor, User
from marketplace.identity.services import actor_of, end_sessions
from marketplace.kernel import typed
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told

SECONDS_A_STEP = 30
# A phone's clock may be off by one step, before or after.
STEPS_ASKEW = (0, -1, 1)
RECOVERY_CODES = 10
# 80 random bits each: a plain digest is enough for them.
RECOVERY_CODE_LENGTH = 16
RECOVERY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
SECURITY_PAGE = "/workbench/account/security"


# --- setting up -------------------------------------------------------------------------------------------


def begin(user: User, *, now: datetime) -> None:
    """Make a key to be confirmed by a code; one that was begun and never confirmed is forgotten."""
    if user.second_factor_at is not None:
        raise Obstructed([Obstacle("", N_("两步验证已经开启"))])
    _forget(user.id)
    db.session.add(SecondFactor(user_id=user.id, secret=pyotp.random_base32(), created_at=now, last_step=0))
    db.session.flush()


def find_unconfirmed_key(user_id: int) -> str | None:
    """The key that waits for its first code; a confirmed one is never shown again."""
    return db.session.scalar(
        select(SecondFactor.secret).where(
            SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None)
        )
    )


def picture_of(key: str, *, account: str, issuer: str) -> str:
    """What an app photographs, as the address of an image."""
    uri = pyotp.TOTP(key).provisioning_uri(name=account, issuer_name=issuer)
    return str(segno.make(uri, error="m").svg_data_uri(scale=4, border=3, light="#fff"))


def in_groups(key: str) -> str:
    """A key or code as people type it: four characters at a time."""
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))


def confirm(user: User, code: str, *, now: datetime) -> list[str]:
    """Switch the second factor on by its first code; returns the recovery codes, this once."""
    factor = _locked(user.id)
    if factor is None or user.second_factor_at is not None:
        raise Obstructed([Obstacle("code", N_("请重新开始设置"))])
    step = _step_of(factor, code, now=now)
    if step is None:
        raise Obstructed([wrong_code()])
    factor.last_step, factor.confirmed_at = step, now
    user.second_factor_at = now
    codes = _new_recovery_codes(user.id, now=now)
    record("user.second_factor_on", "user", user.id, by=actor_of(user), at=now, label=user.name)
    _tell(
        user,
        "identity.second_factor_on",
        N_("两步验证已开启"),
        N_(
            "您的账号已开启两步验证，以后登录除密码外还需动态码。如果不是您本人操作，请立即更改密码并联系平台。"
        ),
        now=now,
    )
    return codes


def wrong_code() -> Obstacle:
    return Obstacle("code", N_("验证码不正确或已用过，请等下一个动态码再试"))


# --- using ------------------------------------------------------------------------------------------------


def accepts(user: User, code: str, *, now: datetime) -> bool:
    """Whether a code, or a recovery code, proves the account; either is used up by it."""
    factor = _locked(user.id)
    if factor is None or factor.confirmed_at is None:
        return False
    step = _step_of(factor, code, now=now)
    if step is not None:
        factor.last_step = step
        return True
    return _spend_recovery_code(user, code, now=now)


def _locked(user_id: int) -> SecondFactor | None:
    """The row, held to the end of the transaction: of two who send one code at once, one is late."""
    return db.session.scalar(
        select(SecondFactor)
        .where(SecondFactor.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _step_of(factor: SecondFactor, code: str, *, now: datetime) -> int | None:
    """The time step that a code belongs to, if it is a later one than any code taken before."""
    typed_code = typed.plain(code).replace(" ", "")
    if len(typed_code) != 6 or not (typed_code.isascii() and typed_code.isdigit()):
        return None
    generator = pyotp.TOTP(factor.secret)
    here = int(now.timestamp()) // SECONDS_A_STEP
    for step in (here + askew for askew in STEPS_ASKEW):
        fits = hmac.compare_digest(generator.at(step * SECONDS_A_STEP), typed_code)
        if fits and step > factor.last_step:
            return step
    return None


def _spend_recovery_code(user: User, code: str, *, now: datetime) -> bool:
    plain = typed.plain(code).upper().replace(" ", "").replace("-", "")
    if len(plain) != RECOVERY_CODE_LENGTH:
        return False
    result = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == hash_token(plain),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now),
        execution_options={"synchronize_session": False},
    )
    if not cast("CursorResult[Any]", result).rowcount:
        return False
    left = count_recovery_codes(user.id)
    record(
        "user.recovery_code_used",
        "user",
        user.id,
        by=actor_of(user),
        at=now,
        label=user.name,
        detail={"left": left},
    )
    _tell(
        user,
        "identity.recovery_code_used",
        N_("有人用恢复码登录了您的账号"),
        told(
            N_("一个恢复码已用掉，还剩 %(left)s 个。如果不是您本人操作，请立即更改密码并重新生成恢复码。"),
            left=left,
        ),
        now=now,
    )
    return True


# --- afterwards -------------------------------------------------------------------------------------------


def count_recovery_codes(user_id: int) -> int:
    statement = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(statement) or 0


def renew_recovery_codes(user: User, *, now: datetime) -> list[str]:
    """New codes in place of all earlier ones, shown this once."""
    if user.second_factor_at is None:
        raise Obstructed([Obstacle("", N_("尚未开启两步验证"))])
    codes = _new_recovery_codes(user.id, now=now)
    record("user.recovery_codes", "user", user.id, by=actor_of(user), at=now, label=user.name)
    _tell(
        user,
        "identity.recovery_codes",
        N_("恢复码已重新生成"),
        N_("您的账号已重新生成恢复码，旧的全部作废。如果不是您本人操作，请立即更改密码并联系平台。"),
        now=now,
    )
    return codes


def switch_off(user: User, *, required: bool, now: datetime) -> None:
    """Do without the second factor from now on; `required` says that this account may not."""
    if required:
        raise Obstructed([Obstacle("", N_("平台角色必须使用两步验证，不能关闭"))])
    if user.second_factor_at is None:
        raise Obstructed([Obstacle("", N_("尚未开启两步验证"))])
    _drop(user)
    record("user.second_factor_off", "user", user.id, by=actor_of(user), at=now, label=user.name)
    _tell(
        user,
        "identity.second_factor_off",
        N_("两步验证已关闭"),
        N_("您的账号已关闭两步验证，登录只需密码。如果不是您本人操作，请立即更改密码并重新开启。"),
        now=now,
    )


def reset(user: User, *, reason: str, by: Actor, now: datetime) -> None:
    """Take a lost second factor off an account; all its sessions end, and the reason is kept."""
    if not (by.is_system or by.is_maintainer) or (by.user_id is not None and by.user_id == user.id):
        raise Forbidden("user.second_factor_reset")
    if not reason.strip():
        raise Obstructed([Obstacle("reason", N_("请写明理由"))])
    if user.second_factor_at is None:
        raise Obstructed([Obstacle("", N_("该账号没有开启两步验证"))])
    _drop(user)
    end_sessions(user.id)
    record("user.second_factor_reset", "user", user.id, by=by, at=now, label=user.name, reason=reason)
    _tell(
        user,
        "identity.second_factor_reset",
        N_("您的两步验证已被系统管理员重置"),
        N_(
            "两步验证已移除，所有登录已退出。下次登录只需密码，请尽快重新设置。如果您没有申请过，请立即联系平台。"
        ),
        now=now,
    )


def _drop(user: User) -> None:
    user.second_factor_at = None
    _forget(user.id)


def _forget(user_id: int) -> None:
    factor = db.session.get(SecondFactor, user_id)
    if factor is not None:
        db.session.delete(factor)
        db.session.flush()
    _forget_recovery_codes(user_id)


def _forget_recovery_codes(user_id: int) -> None:
    db.session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


def _new_recovery_codes(user_id: int, *, now: datetime) -> list[str]:
    _forget_recovery_codes(user_id)
    codes = [
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    db.session.add_all(
        RecoveryCode(user_id=user_id, code_hash=hash_token(code), created_at=now) for code in codes
    )
    return codes


def _tell(user: User, kind: str, subject: str, body: str, *, now: datetime) -> None:
    send_letter([user.id], kind, subject, body, SECURITY_PAGE, at=now)
