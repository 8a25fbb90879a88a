"""The supervisor and workers with jobs of the tests' own: `python -m tests.integration.workers.probe`.

The effect of a job is an outbox row that is not due for years: written with the job's own end, in one
transaction, and countable.
"""

import logging
import os
import signal
import sys
import time
from datetime import timedelta

from marketplace.config import Settings
from marketplace.factory import create_app
from marketplace.kernel import clock
from marketplace.kernel.db import transaction
from marketplace.kernel.outbox import Lease, defer
from workers import jobs, worker
from workers.supervisor import Supervisor

MODULE = "tests.integration.workers.probe"
EFFECT = "test.effect"


def note(lease: Lease) -> None:
    for work in lease.work:
        with transaction():
            defer(
                EFFECT,
                subject_id=work.subject_id,
                version=work.attempt,
                due_at=clock.now() + timedelta(days=3650),
            )
            lease.finish([work.id])


def slow(lease: Lease) -> None:
    time.sleep(3)
    note(lease)


def die(_lease: Lease) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def break_down(_lease: Lease) -> None:
    raise ValueError("broken on purpose")


def forget(_lease: Lease) -> None:
    pass


for name in ("note", "slow", "die", "break_down", "forget"):
    jobs.JOBS[f"test.{name}"] = jobs.Job(f"{MODULE}:{name}")


def main() -> None:
    if sys.argv[1:] == ["worker"]:
        worker.main()
        return
    logging.basicConfig(level=logging.INFO)
    settings = Settings()
    Supervisor(create_app(settings), settings, worker_command=(sys.executable, "-m", MODULE, "worker")).run()


if __name__ == "__main__":
    # The jobs are looked up by the name of this module, which runs under another one.
    main()
