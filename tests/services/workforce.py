"""The workers' supervisor with its worker processes, as in production, for a test to use and to kill."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from marketplace.config import Settings
from workers import processes

ROOT = Path(__file__).resolve().parents[2]


# Long enough for a machine that is busy with other things; nothing is judged by how long it took.
PATIENCE = 400.0


def until(condition: Callable[[], object], *, what: str) -> None:
    """Wait for something to become true."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"{what}: not within {PATIENCE:g} s")
        time.sleep(0.1)


class Workforce:
    def __init__(self, settings: Settings, *, size: int, module: str) -> None:
        self.log_path = settings.instance_dir / "workers.log"
        self.command = [sys.executable, "-m", module]
        self.environment = {
            **os.environ,
            "MARKETPLACE_ENV": settings.marketplace_env.value,
            "DATABASE_URL": settings.database_url,
            "INSTANCE_DIR": str(settings.instance_dir),
            "SECRET_KEY": settings.secret_key,
            "REDIS_URL": settings.redis_url,
            "WORKERS": str(size),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = processes.start(self.command, environment=self.environment, log=log, cwd=ROOT)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process, patience=15)

    def workers(self) -> list[psutil.Process]:
        """The worker processes, without the children that do their jobs."""
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children()
        except psutil.NoSuchProcess:
            return []

    def everybody(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            supervisor = psutil.Process(self.process.pid)
            return [supervisor, *supervisor.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")


@contextmanager
def workforce(settings: Settings, *, size: int = 2, module: str = "workers") -> Iterator[Workforce]:
    force = Workforce(settings, size=size, module=module)
    force.start()
    try:
        yield force
    finally:
        force.stop()
