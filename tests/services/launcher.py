"""`tools/run.py` as a person starts it, on an instance folder and a port of the test's own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.services.workforce import until

ROOT = Path(__file__).resolve().parents[2]
# What would change the meaning of a run, and may be set where the tests are started.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MARKETPLACE_ENV", "MAKELEVEL", "DEMO", "WORKERS")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Launcher:
    """One run. Its output is collected as it comes."""

    def __init__(self, instance: Path, port: int, **settings: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.instance, self.port = instance, port
        self.address = f"http://127.0.0.1:{port}"
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools" / "run.py")],
            env={**environment, "INSTANCE_DIR": str(instance), "PORT": str(port), **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in self.process.stdout)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_until_up(self) -> None:
        def up() -> bool:
            assert self.process.poll() is None, f"it ended: {self.output}"
            return "已启动" in self.output

        until(up, what=f"the marketplace is up: {self.output[-500:]}")

    def family(self) -> list[psutil.Process]:
        """Everything it started, grandchildren included."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def wait(self, seconds: float = 60) -> int:
        code = self.process.wait(seconds)
        self.reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


@contextmanager
def launched(instance: Path, *, port: int | None = None, **settings: str) -> Iterator[Launcher]:
    run = Launcher(instance, port or free_port(), **settings)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.interrupt()
        elif run.process.stdout and not run.process.stdout.closed:
            run.wait()


def gone(processes: list[psutil.Process]) -> bool:
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
