"""Which function does which kind of work, and the one function that the queue calls.

A job is named by a string, "module:function", and gets a `Lease`. Safe to run twice: it reads, computes with
no transaction open, then writes its effect and `lease.finish()` in one short transaction.
"""

import logging
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


JOBS: dict[str, Job] = {}

# Called by the supervisor every half minute: each asks for work that should be there and is not.
SWEEPS: list[str] = []

_application: list[Flask] = []


def prepare(app: Flask) -> None:
    """Import whatever the jobs need before any fork, so that each job starts with it in memory."""
    _application[:] = [app]
    for job in JOBS.values():
        resolve(job.function)


def resolve(name: str) -> Callable[..., object]:
    module, _, function = name.partition(":")
    return cast("Callable[..., object]", getattr(import_module(module), function))


def seconds_for(kind: str) -> int:
    return JOBS[kind].seconds if kind in JOBS else Job("").seconds


def run(kind: str, ids: list[int], token: str) -> None:
    """Do a claimed batch, unless it was claimed anew since; what stays undone is to be tried again."""
    with _application[0].app_context():
        # The parent has no connections; should it ever, they are not this process's to close.
        db.engine.dispose(close=False)
        lease = outbox.begin(kind, ids, token)
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
        outbox.fail(token, error)


def note_death(kind: str, token: str, reason: str) -> None:
    """Give back the work of a process that died over it."""
    with _application[0].app_context():
        db.engine.dispose(close=False)
        log.error("%s: %s", kind, reason)
        outbox.fail(token, reason)
