"""Accounts and what proves who somebody is.

Secrets are stored only as hashes. The one that has to be kept as it is, the key of a second factor, stands in
a table of its own without a relationship, which `second_factor.py` alone reads.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.kernel.actor import PlatformRole
from marketplace.kernel.db import Base, Id, Identified, UTCDateTime, enum_column


class TokenPurpose(StrEnum):
    REGISTRATION = "registration"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose, not a password
    PLATFORM_INVITATION = "platform_invitation"
    EMAIL = "email"
    # Between the password and the code of the second factor.
    SECOND_STEP = "second_step"


class ConsentDocument(StrEnum):
    TERMS = "terms"
    PRIVACY = "privacy"


class User(Identified, Base):
    __tablename__ = "app_user"
    __audited__ = "user"

    email: Mapped[str] = mapped_column(String(254), nullable=False, unique=True)
    name: Mapped[str] = mapped_column(String(60), nullable=False)
    phone: Mapped[str] = mapped_column(String(20), nullable=False, default="")
    password_hash: Mapped[str] = mapped_column(String(200), nullable=False)
    platform_role: Mapped[PlatformRole | None] = mapped_column(enum_column(PlatformRole))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # When a link mailed to the address was opened; never for who came by a link printed on the server.
    email_verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Since when signing in needs a code beside the password.
    second_factor_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class UserSession(Identified, Base):
    """One signed-in browser. Deleting the row signs it out on its next request."""

    __tablename__ = "user_session"

    # SHA-256 of the random token that the browser holds.
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False, index=True)
    organisation_id: Mapped[int | None] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False, index=True)
    # When the person last proved who they are in it: what is delicate asks for more than an open browser.
    authenticated_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    user_agent: Mapped[str] = mapped_column(String(200), nullable=False, default="")
    # Where it was begun, without the part of the address that tells one machine from another.
    address: Mapped[str] = mapped_column(String(60), nullable=False, default="")


class SecondFactor(Base):
    """The key that an authenticator app shares with the site; unconfirmed until a code has proved it.

    `last_step` is the time step of the last code taken, so that no code works twice.
    """

    __tablename__ = "second_factor"

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    secret: Mapped[str] = mapped_column(String(64), nullable=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_step: Mapped[int] = mapped_column(Id, nullable=False, default=0)


class RecoveryCode(Identified, Base):
    """Stands in for the second factor, once."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    code_hash: Mapped[str] = mapped_column(String(64), nullable=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class KnownDevice(Identified, Base):
    """A browser in which somebody has signed in before, known by a random cookie."""

    __tablename__ = "known_device"
    __table_args__ = (UniqueConstraint("user_id", "token_hash"),)

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False)
    first_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)


class OneTimeToken(Identified, Base):
    """What a link in a letter carries, once and not for long: for an account or a mere address."""

    __tablename__ = "one_time_token"
    __table_args__ = (CheckConstraint("user_id IS NOT NULL OR email <> ''", name="for_somebody"),)

    purpose: Mapped[TokenPurpose] = mapped_column(enum_column(TokenPurpose), nullable=False)
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("app_user.id"), index=True)
    email: Mapped[str] = mapped_column(String(254), nullable=False, default="")
    platform_role: Mapped[PlatformRole | None] = mapped_column(enum_column(PlatformRole))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AttemptWindow(Base):
    """Counts attempts per key (address or account, hashed) in a window, for throttling."""

    __tablename__ = "attempt_window"
    __table_args__ = (CheckConstraint("count >= 0", name="count_not_negative"),)

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
    count: Mapped[int] = mapped_column(Integer, nullable=False)


class Consent(Identified, Base):
    """That a person agreed to a version of a document, and when."""

    __tablename__ = "consent"
    __table_args__ = (
        UniqueConstraint("user_id", "document", "version"),
        Index("ix_consent_user", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("app_user.id"), nullable=False)
    document: Mapped[ConsentDocument] = mapped_column(enum_column(ConsentDocument), nullable=False)
    version: Mapped[str] = mapped_column(String(20), nullable=False)
    agreed_at: Mapped[datetime] = mapped_column(UTCDateTime, nullable=False)
