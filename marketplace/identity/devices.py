"""Which browsers somebody has signed in with before, so that a new one can be told to its owner.

A browser is known by a random cookie of its own, not by its name or address: both are easily shared, and
the address of a phone changes by the hour.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from marketplace.identity.credentials import hash_token
from marketplace.identity.models import KnownDevice, User
from marketplace.kernel.db import db
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told

REMEMBERED = timedelta(days=365)


def note_sign_in(user: User, *, token: str, words: str, now: datetime) -> None:
    """Remember a browser; where the account has others and not this one, its owner gets a letter.

    `words` say what and where it is.
    """
    db.session.execute(
        delete(KnownDevice)
        .where(KnownDevice.user_id == user.id, KnownDevice.last_seen_at <= now - REMEMBERED)
        .execution_options(synchronize_session=False)
    )
    known = set(db.session.scalars(select(KnownDevice.token_hash).where(KnownDevice.user_id == user.id)))
    digest = hash_token(token)
    if digest in known:
        db.session.execute(
            update(KnownDevice)
            .where(KnownDevice.user_id == user.id, KnownDevice.token_hash == digest)
            .values(last_seen_at=now),
            execution_options={"synchronize_session": False},
        )
        return
    db.session.add(KnownDevice(user_id=user.id, token_hash=digest, first_seen_at=now, last_seen_at=now))
    if known:
        send_letter(
            [user.id],
            "identity.new_device",
            N_("您的账号在新设备上登录"),
            told(
                N_(
                    "%(device)s。如果是您本人，请忽略；如果不是，请立即更改密码，并在“登录与安全”中退出该设备。"
                ),
                device=words,
            ),
            "/workbench/account/security",
            at=now,
        )
