"""A Dask scheduler and worker processes of a test's own, on free ports of this machine, without pages."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen

from tests.services import Missing
from tests.services.workforce import ROOT, until
from workers import processes


class DaskCluster:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.scheduler: Popen[bytes] | None = None
        self.workers: list[Popen[bytes]] = []

    def start(self, workers: int) -> None:
        options = (
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--scheduler-file",
            str(self.folder / "scheduler.json"),
        )
        self.scheduler = self._run("scheduler", *options)
        until(self._read_address, what="the scheduler's address")
        for _ in range(workers):
            self.add_worker()

    def add_worker(self) -> int:
        """One process of one thread, which nobody starts again when it dies; its number."""
        name = f"worker-{len(self.workers)}"
        options = ("--nthreads", "1", "--no-nanny", "--death-timeout", "60")
        options = (*options, "--local-directory", str(self.folder / name))
        self.workers.append(self._run("worker", self.address, "--host", "127.0.0.1", *options, log=name))
        return len(self.workers) - 1

    def kill_worker(self, number: int) -> None:
        self.workers[number].send_signal(signal.SIGKILL)
        self.workers[number].wait()

    def kill_scheduler(self) -> None:
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def stop(self) -> None:
        for process in [*self.workers, *filter(None, [self.scheduler])]:
            if process.poll() is None:
                processes.stop(process, patience=5)

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _run(self, part: str, *options: str, log: str = "scheduler") -> Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            f"distributed.cli.dask_{part}",
            *options,
            "--no-dashboard",
            "--dashboard-address",
            "127.0.0.1:0",
        ]
        with (self.folder / f"{log}.log").open("ab") as file:
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            return processes.start(command, environment=environment, log=file, cwd=ROOT)

    def _read_address(self) -> bool:
        assert self.scheduler is not None
        if self.scheduler.poll() is not None:
            raise AssertionError(self.log())
        with suppress(FileNotFoundError, ValueError):
            self.address = json.loads((self.folder / "scheduler.json").read_text())["address"]
        return bool(self.address)


@contextmanager
def dask_cluster(folder: Path, *, workers: int) -> Iterator[DaskCluster]:
    """Raises Missing where dask is not installed. Nothing of it is left at the end."""
    if find_spec("distributed") is None:
        raise Missing("dask: install requirements-dev.txt")
    cluster = DaskCluster(folder)
    try:
        cluster.start(workers)
        yield cluster
    finally:
        cluster.stop()
