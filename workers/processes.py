"""Child processes that never outlive their parent, however it ended."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a forked child of a process with threads should not have to load libraries.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: int = signal.SIGTERM, *, parent: int | None = None) -> None:
    """Have the kernel send this process a signal when the thread that started it ends.

    `parent` is the process that did: had it gone before the request was made, nobody would send anything.
    Processes are therefore started from main threads only.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def start(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    log: IO[Any] | int | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in its own session, so that a Ctrl-C reaches only the one that stops it in order."""
    parent = os.getpid()
    return subprocess.Popen(  # noqa: S603 - commands are our own
        [str(part) for part in command],
        env=dict(environment) if environment is not None else None,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT if log is not None else None,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent=parent),
    )


def stop(process: subprocess.Popen[bytes], *, patience: float) -> None:
    """Ask a process to end, and end it with all that it started if it does not within `patience` seconds."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
