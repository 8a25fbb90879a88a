"""Makes `.venv` and installs the locked packages; with --dev also what checks and tests need.

Standard library only: nothing is installed yet when this runs. Everything a person can mend is told in one
plain line. The lock's hash is stamped into `.venv`, so that a second run has nothing to do.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
BUILD = ROOT / "build"
TRANSLATIONS = ROOT / "marketplace" / "translations"
OLDEST, NEWEST = (3, 11), (3, 13)


def say(message: str) -> None:
    print(message, flush=True)


def stop(message: str) -> NoReturn:
    """End with one line that says what to do."""
    print(message, file=sys.stderr, flush=True)
    sys.exit(1)


def is_root() -> bool:
    return os.geteuid() == 0


class Progress:
    """One line that counts up: rewritten in a terminal, repeated now and then in a log."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.count = label, total, 0
        self.rewrites = sys.stdout.isatty()
        self.last_shown = 0.0

    def step(self, detail: str = "") -> None:
        self.count = min(self.count + 1, self.total)
        now = time.monotonic()
        if self.rewrites:
            print(f"\r\033[K{self.label} {self.count}/{self.total} {detail}"[:100], end="", flush=True)
        elif now - self.last_shown > 5:
            say(f"{self.label} {self.count}/{self.total}")
            self.last_shown = now

    def done(self, message: str) -> None:
        say(f"\r\033[K{message}" if self.rewrites else message)


def check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        here = ".".join(map(str, sys.version_info[:3]))
        stop(
            f"需要 Python 3.11–3.13，现为 {here}：请用 make run PYTHON=python3.12 指定一个合适的版本"
            f" / Python 3.11 to 3.13 is needed, this is {here}: name another with PYTHON=…"
        )


def install_system_packages(*names: str) -> bool:
    """Install Debian packages; False where this user may not or the installation fails."""
    apt = shutil.which("apt-get")
    if not is_root() or apt is None:
        return False
    say(f"正在安装系统软件包 {' '.join(names)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "apt.log", "ab") as log:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
            # Somebody else may be installing too: wait for the lock instead of failing.
            options = ["-o", "DPkg::Lock::Timeout=300"]
            if subprocess.run(
                [apt, *options, *command], env=environment, stdout=log, stderr=log, check=False
            ).returncode:
                say(f"系统软件包安装失败，详见 {BUILD / 'apt.log'} / installing system packages failed")
                return False
    return True


def ensure_venv() -> None:
    """A `.venv` with a supported, working Python and pip."""
    if VENV_PYTHON.exists():
        probe = "import sys, pip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
        if subprocess.run([VENV_PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0:
            return
        say("现有 .venv 已损坏或版本不符，正在重建 …")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        installed = install_system_packages(package) or install_system_packages("python3-venv")
        if not installed:
            stop(
                f"缺少 Python 的 venv 组件：请运行 sudo apt-get install {package} 后重试"
                f" / Python's venv support is missing: run that command and try again"
            )
    say(f"正在创建虚拟环境 .venv (Python {sys.version_info[0]}.{sys.version_info[1]}) …")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        reason = (made.stderr or made.stdout).strip().splitlines()[-1:] or ["?"]
        stop(
            f"无法创建 .venv：{reason[0]}；请检查磁盘空间与权限后重试"
            " / .venv could not be made: check disk space and permissions"
        )


def ensure_packages(lock: Path) -> None:
    """Install a lock file unless its stamp says that it is installed already."""
    stamp = VENV / f".{lock.stem}.stamp"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    with contextlib.suppress(FileNotFoundError):
        if stamp.read_text() == digest:
            return
    pinned = len(re.findall(r"^[A-Za-z0-9]", lock.read_text(), flags=re.MULTILINE))
    progress = Progress("正在安装依赖", pinned)
    command: list[str | Path] = [
        *(VENV_PYTHON, "-m", "pip", "install", "--require-hashes", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "off", "-r", lock),
    ]
    log_path = BUILD / "pip.log"
    errors: list[str] = []
    with (
        open(log_path, "w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            if match := re.match(r"(?:Collecting|Requirement already satisfied:) ([^\s=<>]+)", line):
                progress.step(match[1])
            elif line.startswith("Installing collected"):
                progress.step("写入文件 …")
            elif line.startswith("ERROR:"):
                errors.append(line.removeprefix("ERROR:").strip())
    if pip.returncode:
        progress.done("")
        stop(
            f"依赖安装失败：{(errors or ['pip'])[0][:200]}；请检查网络与 pip 配置后重试，详见 {log_path}"
            " / installing the packages failed: check the network and pip's configuration, then retry"
        )
    stamp.write_text(digest)
    progress.done(f"依赖已安装 ({lock.name})")


def ensure_catalogues() -> None:
    """The compiled catalogue of each language; only what is older than its source is made anew."""
    for source in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        # In the place of the old one at once: a site that is being started may be reading it.
        fresh = compiled.with_suffix(f".{os.getpid()}")
        command: list[str | Path] = [
            VENV_PYTHON,
            "-m",
            "babel.messages.frontend",
            "-q",
            "compile",
            "-i",
            source,
            "-o",
            fresh,
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            stop(f"无法编译译文 {source}：{made.stderr.strip()[-200:]} / the catalogue could not be compiled")
        fresh.replace(compiled)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two commands may be started at once; the second waits for the first to have installed."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "setup.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("另一个命令正在安装，等待中 … (another command is installing, waiting)")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(*, dev: bool = False) -> Path:
    """Everything in place; returns the Python to run with."""
    check_python()
    try:
        with only_one():
            ensure_venv()
            ensure_packages(ROOT / ("requirements-dev.txt" if dev else "requirements.txt"))
            ensure_catalogues()
    except PermissionError as error:
        stop(f"没有写入权限：{error.filename}；请换一个目录或修正其所有者 / no permission to write there")
    except OSError as error:
        stop(f"无法准备运行环境：{error} / the environment could not be set up")
    return VENV_PYTHON


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what checks and tests need")
    set_up(dev=parser.parse_args().dev)
