"""Which function does which kind of work, and the one function that the queue calls.

A job is named by a string, "module:function", and gets a `Lease`. Safe to run twice: it reads, computes with
no transaction open, then writes its effect and `lease.finish()` in one short transaction.
"""

import hashlib
import logging
import os
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from flask import Flask

from marketplace.kernel import outbox
from marketplace.kernel.db import db

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`seconds` is when the queue cuts a run off; a lease that is not renewed ends long before."""

    function: str
    seconds: int = 600


JOBS: dict[str, Job] = {
    "matching.rank_seeker": Job("marketplace.matching.jobs:rank_seeker"),
    "matching.place_capability": Job("marketplace.matching.jobs:place_capability"),
    "matching.remove": Job("marketplace.matching.jobs:remove"),
    "matching.organisation_changed": Job("marketplace.matching.jobs:organisation_changed"),
    "matching.build_epoch": Job("marketplace.matching.jobs:build_epoch", seconds=3600),
    "matching.rank_import": Job("marketplace.matching.jobs:rank_import", seconds=3600),
    "matching.rerank_batch": Job("marketplace.matching.jobs:rerank_batch", seconds=3600),
    "matching.preview_settings": Job("marketplace.matching.jobs:preview_settings", seconds=3600),
    "matching.taxonomy_changed": Job("marketplace.matching.jobs:taxonomy_changed", seconds=3600),
    "exchange.inspect": Job("marketplace.exchange.jobs:inspect"),
    "exchange.check": Job("marketplace.exchange.jobs:check", seconds=1800),
    "exchange.apply": Job("marketplace.exchange.jobs:apply"),
    "exchange.forget": Job("marketplace.exchange.jobs:forget"),
    "search.catch_up": Job("marketplace.search.jobs:catch_up", seconds=3600),
    "search.count_words": Job("marketplace.search.jobs:count_words", seconds=1800),
    "search.write_letters": Job("marketplace.search.jobs:write_letters"),
    "notifications.mail": Job("marketplace.notifications.jobs:mail_letters", seconds=120),
    "notifications.digest": Job("marketplace.notifications.jobs:mail_digests", seconds=120),
}

# Called once in each worker before it forks: what a child would else have to do anew for every job.
PREPARATIONS: list[str] = ["marketplace.matching.engine.ranking:warm_up"]

# Called by the supervisor every half minute: each asks for work that should be there and is not.
SWEEPS: list[str] = [
    "marketplace.matching.sweeps:sweep",
    "marketplace.attachments.sweeps:sweep",
    "marketplace.notifications.sweeps:sweep",
    "marketplace.postings.lapses:sweep",
    "marketplace.exchange.sweeps:sweep",
    "marketplace.engagement.sweeps:sweep",
    "marketplace.search.sweeps:sweep",
    "marketplace.organisations.sweeps:sweep",
]

_application: list[Flask] = []


def prepare(app: Flask) -> None:
    """Import whatever the jobs need before any fork, so that each job starts with it in memory."""
    _application[:] = [app]
    for job in JOBS.values():
        resolve(job.function)
    for preparation in PREPARATIONS:
        resolve(preparation)()


def resolve(name: str) -> Callable[..., object]:
    module, _, function = name.partition(":")
    return cast("Callable[..., object]", getattr(import_module(module), function))


def holder_name(worker_pid: int) -> str:
    """Who does a job: the worker process on this machine, short enough for a token."""
    return f"{machine_name()}:{worker_pid}"


def machine_name() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def seconds_for(kind: str) -> int:
    return JOBS[kind].seconds if kind in JOBS else Job("").seconds


def run(kind: str, ids: list[int], token: str) -> None:
    """Do a claimed batch, unless it was claimed anew since; what stays undone is to be tried again."""
    with _application[0].app_context():
        # The parent has no connections; should it ever, they are not this process's to close.
        db.engine.dispose(close=False)
        lease = outbox.begin(kind, ids, token, holder=holder_name(os.getppid()))
        if lease is None:
            log.info("%s: the offer of %s rows is void", kind, len(ids))
            return
        try:
            resolve(JOBS[kind].function)(lease)
            error = "the job ended and left this undone"
        except outbox.LeaseLost as lost:
            log.warning("%s", lost)
            return
        except BaseException as raised:
            error = traceback.format_exc()
            log.warning("%s failed: %s", kind, error)
            if not isinstance(raised, Exception):
                raise
        finally:
            db.session.remove()
        outbox.fail(lease.token, error)


def note_death(kind: str, token: str, reason: str) -> None:
    """Give back the work of a process that died over it; told by another child of the same worker."""
    with _application[0].app_context():
        db.engine.dispose(close=False)
        log.error("%s: %s", kind, reason)
        outbox.fail(outbox.begun_token(token, holder_name(os.getppid())), reason)
