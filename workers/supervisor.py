"""The one process that moves work from the outbox to the queue and keeps the queue's workers alive.

It trusts the database only: whatever the queue loses is offered again when its lease ends, and with the
queue away it waits and goes on looking. Several supervisors on one database do not harm each other.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from types import FrameType

import psutil
from flask import Flask
from redis import RedisError
from sqlalchemy.exc import DBAPIError

from marketplace.audit import anchor
from marketplace.config import Settings
from marketplace.kernel import clock, heartbeat, outbox
from marketplace.kernel.dates import business_date
from marketplace.operations.queue_address import redis_url
from workers import broker, processes
from workers.jobs import SWEEPS, machine_name, resolve

log = logging.getLogger(__name__)

HEARTBEAT = "workers"
POLL_SECONDS = 0.2
SWEEP_SECONDS = 30.0
HEARTBEAT_SECONDS = 5.0
# Batches out at once for each worker: one that runs and one that waits, so that leases do not end in a line.
BATCHES_PER_WORKER = 2
KEEP_DONE = timedelta(days=7)
WORKER_COMMAND = (sys.executable, "-m", "workers.worker")


class Slot:
    """A place for one worker process, filled again when it empties, ever slower if it never lasts."""

    SLOWEST_SECONDS = 10.0
    LASTED_SECONDS = 30.0

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.next_start = 0.0
        self.short_lives = 0

    def keep_filled(self, now: float) -> bool:
        """Start a process where there is none; True where one was found dead."""
        found_dead = False
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return False
            found_dead = True
            lasted = now - self.started >= self.LASTED_SECONDS
            self.short_lives = 0 if lasted else self.short_lives + 1
            self.next_start = now + min(0.25 * 2**self.short_lives, self.SLOWEST_SECONDS)
            log.warning("worker %s ended with code %s", self.process.pid, code)
            self.process = None
        if now >= self.next_start:
            self.process = processes.start(self.command)
            self.started = now
            log.info("worker %s started", self.process.pid)
        return found_dead


class Supervisor:
    def __init__(
        self, app: Flask, settings: Settings, *, worker_command: Sequence[str] = WORKER_COMMAND
    ) -> None:
        self.app = app
        self.settings = settings
        self.slots = [Slot(worker_command) for _ in range(settings.workers)]
        self.queue = broker.open_queue(broker.connect(redis_url(settings)), settings.resolved_database_url)
        self.queue_is_away = False
        self.queue_asked_again_at = 0.0
        self.swept_at = self.beaten_at = float("-inf")
        self.anchored_on: date | None = None
        self.stopping = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT; then the workers finish what they are at."""
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.signal(signal.SIGINT, self._ask_to_stop)
        self._in_database(self.release_the_dead)
        try:
            while not self.stopping:
                now = time.monotonic()
                found_dead = [slot.keep_filled(now) for slot in self.slots]
                if any(found_dead):
                    self._in_database(self.release_the_dead)
                self._in_database(self.offer)
                if now - self.beaten_at >= HEARTBEAT_SECONDS:
                    self.beaten_at = now
                    self._in_database(self.beat)
                if now - self.swept_at >= SWEEP_SECONDS:
                    self.swept_at = now
                    self.sweep()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop_workers()

    def offer(self) -> None:
        """Claim what is due, as much as the workers can take, and put it into the queue."""
        if time.monotonic() < self.queue_asked_again_at or not outbox.has_due():
            return
        room = BATCHES_PER_WORKER * len(self.slots) - outbox.offered_batches()
        if room <= 0:
            return
        # Asked before claiming: with the queue away nothing has to be given back.
        if not self._queue_answers():
            return
        for batch in outbox.claim(max_batches=room, max_bulk=max(1, len(self.slots) - 1)):
            try:
                broker.offer(self.queue, batch)
            except RedisError as error:
                self._queue_went(error)
                outbox.release(batch)

    def _queue_answers(self) -> bool:
        """Whether the queue is there; if it lost its memory meanwhile, its offers are taken back at once."""
        mark = f"{self.queue.name}:mark"
        try:
            forgot = self.queue.connection.set(mark, "here", nx=True)
        except RedisError as error:
            self._queue_went(error)
            return False
        if self.queue_is_away:
            log.warning("the queue is back")
            self.queue_is_away = False
        if forgot and (released := outbox.release_offers()):
            log.warning("the queue was emptied, %s rows are offered again", released)
        return True

    def release_the_dead(self) -> None:
        """What workers of this machine had begun that are no more is free at once."""
        for holder in outbox.list_holders():
            machine, _, pid = holder.partition(":")
            if machine == machine_name() and not psutil.pid_exists(int(pid)):
                log.warning("worker %s is gone, %s rows are free again", pid, outbox.release_holder(holder))

    def sweep(self) -> None:
        """What nobody asks for by itself; one part that fails does not keep the others from being done."""
        own: list[Callable[[], object]] = [
            outbox.bury_exhausted,
            self.prune,
            self.anchor_audit_once_a_day,
        ]
        for part in own + [resolve(name) for name in SWEEPS]:
            self._in_database(part)

    def prune(self) -> None:
        outbox.prune(before=clock.now() - KEEP_DONE)

    def anchor_audit_once_a_day(self) -> None:
        now = clock.now()
        if (today := business_date(now)) != self.anchored_on:
            anchor.write_anchor(anchor.anchor_file(str(self.settings.instance_dir)), now=now)
            self.anchored_on = today

    def beat(self) -> None:
        self._queue_answers()
        heartbeat.beat(
            HEARTBEAT,
            {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "workers": [slot.process.pid for slot in self.slots if slot.process],
                "queue": "away" if self.queue_is_away else "ok",
            },
        )

    def _in_database(self, part: Callable[[], object]) -> None:
        """Run a part in a context of its own; an error is logged and the next round tries again."""
        try:
            with self.app.app_context():
                part()
        except DBAPIError as error:
            log.error("database: %s", error.orig)
            time.sleep(1)
        except Exception:
            log.exception("%s failed", getattr(part, "__name__", part))

    def _queue_went(self, error: RedisError) -> None:
        if not self.queue_is_away:
            log.warning("the queue is away, work waits in the outbox: %s", error)
        self.queue_is_away = True
        self.queue_asked_again_at = time.monotonic() + 1

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _stop_workers(self) -> None:
        running = [slot.process for slot in self.slots if slot.process]
        for process in running:
            process.terminate()
        limit = time.monotonic() + 8
        for process in running:
            processes.stop(process, patience=max(0.1, limit - time.monotonic()))
