"""Settings from the environment alone.

A default stands here only if it is fit for production and for the public. What is not (secrets, addresses)
has none, and `check()` refuses to start production without it.
"""

import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class MatchEngine(StrEnum):
    """Where everything is ranked anew: in the job's own process, or on a Dask cluster."""

    INPROCESS = "inprocess"
    DASK = "dask"


class UnfitSettings(ValueError):
    """The settings do not allow a start; the message names the variable and what to do."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="", extra="ignore", frozen=True)

    marketplace_env: Environment = Environment.DEVELOPMENT
    instance_dir: Path = ROOT / "instance"
    database_url: str = ""
    redis_url: str = ""
    secret_key: str = ""
    public_url: str = ""
    trusted_hosts: str = ""
    # For demonstrations and tests alone, whose passwords are printed anyway.
    second_factor_optional: bool = False
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    smtp_url: str = ""
    mail_from: str = "noreply@example.com"
    mail_name: str = ""
    letters_digest_hour: int = Field(default=8, ge=0, le=23)
    workers: int = Field(default=2, ge=1, le=32)
    match_engine: MatchEngine = MatchEngine.INPROCESS
    dask_scheduler: str = ""

    # How many organisations a seeker may approach, and a supplier may write to; how long an answer may take.
    invitations_per_posting: int = Field(default=20, ge=1, le=500)
    invitations_per_day: int = Field(default=30, ge=1, le=1000)
    interests_per_day: int = Field(default=20, ge=1, le=1000)
    answer_days: int = Field(default=14, ge=1, le=90)

    # How much room the files of one organisation may take together.
    file_quota_mb: int = Field(default=1024, ge=1)

    site_name: str = "制造业揭榜挂帅平台"
    site_owner: str = "示例市经济和信息化委员会"
    site_support: str = "示例市中小企业服务中心"
    site_organiser: str = "示例市工业和信息化研究院"
    site_icp: str = "示例ICP备00000000号"
    site_police: str = ""
    # Websites at the foot of each page: name=https://address, separated by semicolons.
    site_links: str = ""
    site_hotline: str = "000-0000-0000"

    @property
    def is_production(self) -> bool:
        return self.marketplace_env is Environment.PRODUCTION

    @property
    def resolved_database_url(self) -> str:
        if self.database_url:
            return self.database_url
        return f"sqlite:///{self.instance_dir.resolve() / 'marketplace.sqlite3'}"

    def resolved_secret_key(self) -> str:
        """The key from the environment, else one generated once into the instance folder (0600)."""
        if self.secret_key:
            return self.secret_key
        path = self.instance_dir / "secret_key"
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_text().strip()

    def footer_links(self) -> list[tuple[str, str]]:
        """The websites at the foot of each page; what is no name with an http address is left out."""
        pairs = (entry.partition("=") for entry in self.site_links.split(";"))
        named = [(name.strip(), url.strip()) for name, _, url in pairs]
        return [(name, url) for name, url in named if name and url.startswith(("https://", "http://"))]

    def check(self) -> None:
        """Raise UnfitSettings for what cannot run, and for what must never run in production."""
        if self.match_engine is MatchEngine.DASK and "://" not in self.dask_scheduler:
            raise UnfitSettings(
                "DASK_SCHEDULER: MATCH_ENGINE=dask needs the scheduler's address, tcp://host:8786"
            )
        if not self.is_production:
            return
        if len(self.secret_key) < 32:
            raise UnfitSettings("SECRET_KEY: production needs an own key of at least 32 characters")
        if not self.database_url.startswith("postgresql"):
            raise UnfitSettings("DATABASE_URL: production runs on postgresql://…")
        if not self.public_url.startswith("https://"):
            raise UnfitSettings("PUBLIC_URL: production needs the https:// address that people use")
        if self.second_factor_optional:
            raise UnfitSettings("SECOND_FACTOR_OPTIONAL: in production platform roles need a second factor")

    def flask(self) -> dict[str, Any]:
        """The settings in Flask's and its extensions' names."""
        secure = self.is_production
        return {
            "ENV_NAME": self.marketplace_env.value,
            "TESTING": self.marketplace_env is Environment.TEST,
            "SECRET_KEY": self.resolved_secret_key(),
            "INSTANCE_DIR": str(self.instance_dir.resolve()),
            "REDIS_URL": self.redis_url,
            "MATCH_ENGINE": self.match_engine.value,
            "SECOND_FACTOR_OPTIONAL": self.second_factor_optional,
            "DASK_SCHEDULER": self.dask_scheduler,
            "PUBLIC_URL": self.public_url,
            "SMTP_URL": self.smtp_url,
            "MAIL_FROM": self.mail_from,
            "MAIL_NAME": self.mail_name or self.site_name,
            "LETTERS_DIGEST_HOUR": self.letters_digest_hour,
            "SQLALCHEMY_DATABASE_URI": self.resolved_database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True},
            "SESSION_COOKIE_NAME": "__Host-session" if secure else "session",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_PATH": "/",
            "PERMANENT_SESSION_LIFETIME": 12 * 3600,
            "TRUSTED_HOSTS": [h.strip() for h in self.trusted_hosts.split(",") if h.strip()] or None,
            "TRUSTED_PROXIES": self.trusted_proxies,
            "FILE_QUOTA_MB": self.file_quota_mb,
            "MAX_CONTENT_LENGTH": 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
            "MAX_FORM_PARTS": 2000,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_SSL_STRICT": secure,
            "BABEL_DEFAULT_LOCALE": "zh_Hans",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
            "INVITATIONS_PER_POSTING": self.invitations_per_posting,
            "INVITATIONS_PER_DAY": self.invitations_per_day,
            "INTERESTS_PER_DAY": self.interests_per_day,
            "ANSWER_DAYS": self.answer_days,
            "SITE_NAME": self.site_name,
            "SITE_OWNER": self.site_owner,
            "SITE_SUPPORT": self.site_support,
            "SITE_ORGANISER": self.site_organiser,
            "SITE_ICP": self.site_icp,
            "SITE_POLICE": self.site_police,
            "SITE_LINKS": self.footer_links(),
            "SITE_HOTLINE": self.site_hotline,
        }
