"""`flask doctor`: whether this installation is fit to serve. Each finding is one line that says what to do.

The one place in the marketplace that asks the queue server anything, in a process that serves nobody.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from marketplace.attachments import queries as attachments
from marketplace.config import ROOT, Settings
from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.kernel.heartbeat import find_heartbeat
from marketplace.operations.queue_address import redis_url

LARGEST_SKEW = timedelta(seconds=5)
SILENT_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Finding:
    """`fit` is None where something is worth a look and keeps nothing from working."""

    subject: str
    fit: bool | None
    text: str


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which a person would mend them."""
    parts: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        examine_settings,
        examine_folders,
        examine_database,
        examine_files,
        examine_queue,
    )
    return [finding for part in parts for finding in part(settings)]


def examine_settings(settings: Settings) -> Iterator[Finding]:
    yield Finding("settings", True, f"MARKETPLACE_ENV={settings.marketplace_env}")


def examine_folders(settings: Settings) -> Iterator[Finding]:
    folder = settings.instance_dir
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding(
            "folders", False, f"{folder} cannot be written: {error.strerror}; mend its owner or rights"
        )
        return
    free = os.statvfs(folder)
    if free.f_bavail * free.f_frsize < 200 * 1024 * 1024:
        yield Finding("folders", False, f"less than 200 MB are free at {folder}; make room")
    key = folder / "secret_key"
    if key.exists() and key.stat().st_mode & 0o077:
        yield Finding("folders", False, f"{key} can be read by others: chmod 600 it and generate a new one")
    yield Finding("folders", True, f"{folder} can be written")


def examine_database(_settings: Settings) -> Iterator[Finding]:
    name = db.engine.url.render_as_string(hide_password=True)
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            have = set(MigrationContext.configure(connection).get_current_heads())
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        yield Finding("database", False, f"{name} cannot be reached: {reason}; check DATABASE_URL")
        return
    want = newest_revisions()
    if have != want:
        yield Finding(
            "database",
            False,
            f"{name} is at {', '.join(sorted(have)) or 'no revision'}, the code at {', '.join(sorted(want))};"
            " run flask db upgrade",
        )
        return
    yield Finding("database", True, f"{name} is reached and migrated")
    skew = abs(clock.now() - datetime.now(UTC))
    fit = skew <= LARGEST_SKEW
    yield Finding(
        "clock",
        fit,
        "this machine and the database agree"
        if fit
        else f"this machine and the database differ by {skew.total_seconds():.0f} s; synchronise both by NTP",
    )
    beat = find_heartbeat("workers")
    if beat is None or clock.now() - beat.at > SILENT_AFTER:
        since = beat.at.isoformat(timespec="seconds") if beat else "ever"
        yield Finding("workers", None, f"no sign of life since {since}; start python -m workers")
    else:
        yield Finding("workers", True, f"alive, {len(beat.detail.get('workers', []))} processes")


def examine_files(_settings: Settings) -> Iterator[Finding]:
    """Whether attached files lie where their rows say; `flask files check --whole` compares every byte."""
    try:
        faults = attachments.list_faults(whole=False)
    except SQLAlchemyError:
        # The finding on the database has said why.
        db.session.rollback()
        return
    if faults:
        named = ", ".join(fault.key for fault in faults[:3])
        yield Finding(
            "files",
            False,
            f"{len(faults)} files are missing or damaged ({named} …); restore them from a backup",
        )
    else:
        yield Finding("files", True, "every attached file is on the disk")


def newest_revisions() -> set[str]:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(ROOT) / "migrations"))
    return set(ScriptDirectory.from_config(configuration).get_heads())


def examine_queue(settings: Settings) -> Iterator[Finding]:
    address = redis_url(settings)
    if not address:
        yield Finding("queue", False, "REDIS_URL is not set and no make run is up; work waits in the outbox")
        return
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis.from_url(
        address, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    try:
        policy = client.info("memory").get("maxmemory_policy", "unknown")
    except (redis.RedisError, OSError) as error:
        yield Finding("queue", False, f"the queue server cannot be reached: {error}; check REDIS_URL")
        return
    finally:
        client.close()
    if policy != "noeviction":
        yield Finding(
            "queue",
            False,
            f"maxmemory-policy is {policy}: work would vanish in silence;"
            " set maxmemory-policy noeviction in redis.conf",
        )
        return
    yield Finding("queue", True, "reached, maxmemory-policy noeviction")
