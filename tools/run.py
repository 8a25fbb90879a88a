"""`make run`: everything the marketplace needs on one machine, from an empty checkout to an address.

Started with any supported Python; installs into `.venv` and goes on there. Then it is the parent of the
queue server, the workers' supervisor and the web server, restarts what dies, and ends them all when it
ends. In production each of these is run by the system's own service manager instead (docs/deploy.md).
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # In the place of this folder, so that its modules have one name everywhere.
    sys.path[0] = str(ROOT)

from tools import setup  # noqa: E402
from tools.setup import say, stop  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
# Seconds that a dying earlier run gets to free its port and its files.
PATIENCE_WITH_PREDECESSOR = 12
LARGEST_LOG = 10 * 1024 * 1024


class Stopped(BaseException):
    """A signal asked for the end. Not an Exception: no handler on the way may swallow it."""


def on_signal(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Stopped


def setting(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def read_port() -> int:
    text = setting("PORT", "8000")
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        stop(f"PORT={text} 不是端口号：请用 1–65535 之间的数 / PORT is not a port number")
    return int(text)


def instance_folder() -> Path:
    folder = Path(setting("INSTANCE_DIR", str(ROOT / "instance"))).expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        stop(
            f"无法创建实例目录 {folder}：{error.strerror}；请用 INSTANCE_DIR 指定可写的目录"
            " / the instance folder cannot be created: name another"
        )
    return folder


# --- first half: any Python ----------------------------------------------------------------------------


def enter() -> None:
    """Take the instance, install what is missing, and go on in `.venv` as the same process."""
    setup.check_python()
    port = read_port()
    lock_path = instance_folder() / "run.lock"
    try:
        lock = open(lock_path, "a+")  # noqa: SIM115 - held until the process ends, across the exec below
    except OSError as error:
        stop(f"实例目录不可写 {lock_path}：{error.strerror} / the instance folder is not writable")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        running = lock.read().strip() or "…"
        stop(f"平台已在运行：{running}；先在那里按 Ctrl-C，或用 INSTANCE_DIR 另起一个实例 / already running")
    lock.truncate(0)
    lock.write(f"http://{HOST}:{port} (pid {os.getpid()})\n")
    lock.flush()
    python = setup.set_up()
    os.set_inheritable(lock.fileno(), True)
    os.execv(python, [str(python), str(Path(__file__).resolve()), "--lock", str(lock.fileno())])  # noqa: S606


# --- second half: in .venv -----------------------------------------------------------------------------


class Marketplace:
    """The running parts, what they are recorded as, and how they end."""

    def __init__(self) -> None:
        self.port = read_port()
        self.instance = instance_folder()
        self.logs = self.instance / "logs"
        self.record_path = self.instance / "run.json"
        self.environment = {
            **os.environ,
            "INSTANCE_DIR": str(self.instance),
            "PYTHONUNBUFFERED": "1",
            "FLASK_APP": "wsgi",
        }
        self.production = setting("MARKETPLACE_ENV") == "production"
        if not self.production and setting("DEMO", "1") != "0":
            # The demo's password is printed anyway; a second factor would only keep people from looking.
            self.environment.setdefault("SECOND_FACTOR_OPTIONAL", "1")
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.socket_folder: Path | None = None

    # -- before anything is started

    def outlive_predecessor(self) -> None:
        """After a killed run its parts take a moment to end; what they leave behind is cleared."""
        import psutil

        try:
            record: Mapping[str, Any] = json.loads(self.record_path.read_text())
        except (OSError, ValueError):
            return
        limit = time.monotonic() + PATIENCE_WITH_PREDECESSOR
        for pid, started in record.get("parts", {}).values():
            while time.monotonic() < limit:
                try:
                    if abs(psutil.Process(pid).create_time() - started) > 1:
                        break
                except psutil.NoSuchProcess:
                    break
                time.sleep(0.1)
        if folder := record.get("socket_folder"):
            shutil.rmtree(folder, ignore_errors=True)
        self.forget()

    def check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                other = self.port + 1 if self.port < 65535 else 8000
                stop(
                    f"端口 {self.port} 不可用 ({error.strerror})：请用 make run PORT={other} 换一个端口"
                    " / that port cannot be used: choose another"
                )

    def check_demo(self) -> None:
        if self.production and setting("DEMO", "0") != "0":
            stop("生产环境不载入演示数据：请去掉 DEMO 或设为 0 / production refuses the demo: unset DEMO")

    # -- parts

    def log(self, name: str) -> IO[bytes]:
        self.logs.mkdir(exist_ok=True)
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        return open(path, "ab")

    def start_part(self, name: str, *command: str | Path) -> None:
        from workers import processes

        with self.log(name) as log:
            self.parts[name] = processes.start(command, environment=self.environment, log=log, cwd=ROOT)
        self.record()

    def record(self) -> None:
        """What a later run has to know if this one is killed."""
        import psutil

        alive = {}
        for name, part in self.parts.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                alive[name] = [part.pid, psutil.Process(part.pid).create_time()]
        record = {
            "parts": alive,
            "socket_folder": str(self.socket_folder) if self.socket_folder else None,
            "redis_url": self.environment.get("REDIS_URL"),
            "address": f"http://{HOST}:{self.port}",
        }
        aside = self.record_path.with_suffix(".new")
        descriptor = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(record, file)
        aside.replace(self.record_path)

    def forget(self) -> None:
        self.record_path.unlink(missing_ok=True)

    def flask(self, name: str, *arguments: str, shown: bool = False) -> None:
        """Run a command of the marketplace to its end; a failure is told in one line."""
        from workers import processes

        with self.log(name) as log:
            start = log.tell()
            self.parts[name] = command = processes.start(
                [sys.executable, "-m", "flask", *arguments],
                environment=self.environment,
                log=None if shown else log,
                cwd=ROOT,
            )
            code = command.wait()
        del self.parts[name]
        if code:
            said = "" if shown else self.tail(name, start)
            stop(explain(f"flask {' '.join(arguments)}", said, self.logs / f"{name}.log"))

    def tail(self, name: str, start: int = 0) -> str:
        with open(self.logs / f"{name}.log", "rb") as log:
            log.seek(start)
            return log.read()[-20_000:].decode(errors="replace")

    def start_queue(self) -> None:
        """REDIS_URL wins; else the embedded server on a private socket."""
        if setting("REDIS_URL"):
            return
        from tools import queue_server

        program = queue_server.find_program()
        if program is None:
            stop(
                "没有可用的 Redis：请设置 REDIS_URL，或安装 redis-server 后重试"
                " / no queue server: set REDIS_URL or install redis-server"
            )
        if self.socket_folder is None:
            self.socket_folder = queue_server.make_socket_folder()
        address = self.socket_folder / "valkey.sock"
        self.environment["REDIS_URL"] = queue_server.url_of(address)
        with self.log("queue") as log:
            self.parts["queue"] = queue_server.start(
                program, socket=address, data=self.instance / "queue", log=log
            )
        self.record()
        if not queue_server.wait_until_ready(self.parts["queue"], address):
            stop(f"队列服务未能启动，详见 {self.logs / 'queue.log'} / the queue server did not start")

    def start_workers(self) -> None:
        self.start_part("workers", sys.executable, "-m", "workers")

    def start_web(self) -> None:
        self.start_part("web", sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{self.port}", "wsgi:app")

    @property
    def accounts_path(self) -> Path:
        """The demo's accounts, kept for each database that the demo was loaded into: the stamp as well."""
        database = hashlib.sha256(setting("DATABASE_URL").encode()).hexdigest()[:8]
        return self.instance / f"demo-{database}.txt"

    def load_demo(self) -> None:
        """Once per database."""
        if self.production or setting("DEMO", "1") == "0" or self.accounts_path.exists():
            return
        say("正在载入演示数据 …")
        self.flask("demo", "seed", "demo", shown=True)
        listing = subprocess.run(
            [sys.executable, "-m", "flask", "seed", "accounts"],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if listing.returncode == 0:
            self.accounts_path.write_text(listing.stdout)

    def wait_for_web(self, seconds: float = 60) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and self.parts["web"].poll() is None:
            try:
                with urllib.request.urlopen(f"http://{HOST}:{self.port}/", timeout=10):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
                break
            except OSError:
                time.sleep(0.1)
        stop(explain("gunicorn", self.tail("web"), self.logs / "web.log"))

    # -- running

    def watch(self) -> None:
        """Start again what died, except the web server: without an address there is nothing to keep up."""
        restart = {"queue": self.start_queue, "workers": self.start_workers}
        while True:
            for name, part in list(self.parts.items()):
                code = part.poll()
                if code is None:
                    continue
                if name not in restart:
                    stop(explain("gunicorn", self.tail(name), self.logs / f"{name}.log"))
                say(f"{name} 意外结束 (代码 {code})，正在重启 … / ended, starting it again")
                time.sleep(1)
                restart[name]()
            time.sleep(0.5)

    def end(self) -> None:
        from workers import processes

        for name in ("web", "workers", "demo", "prepare", "queue"):
            if part := self.parts.get(name):
                processes.stop(part, patience=10)
        if self.socket_folder:
            shutil.rmtree(self.socket_folder, ignore_errors=True)
        self.forget()

    def run(self) -> None:
        began = time.monotonic()
        self.check_demo()
        self.outlive_predecessor()
        self.check_port()
        try:
            say("正在准备数据库 …")
            self.flask("prepare", "prepare")
            self.load_demo()
            say("正在启动队列、后台与网页服务 …")
            self.start_queue()
            self.start_workers()
            self.start_web()
            self.wait_for_web()
            self.greet(time.monotonic() - began)
            self.watch()
        except Stopped:
            say("\n正在停止 … (stopping)")
        finally:
            self.end()

    def greet(self, seconds: float) -> None:
        say(f"\n揭榜挂帅平台已启动 ({seconds:.0f} 秒)：http://{HOST}:{self.port}")
        if not self.production and self.accounts_path.exists():
            say("演示账号 (邮箱、密码、角色)：")
            say("\n".join(f"  {line}" for line in self.accounts_path.read_text().splitlines()))
        say(f"日志在 {self.logs}；按 Ctrl-C 停止 (Ctrl-C stops it)")


def explain(what: str, output: str, log: Path) -> str:
    """The one line of an output that says what went wrong, and what to do about it."""
    if re.search(r"^(ModuleNotFoundError|ImportError)\b", output, flags=re.MULTILINE):
        return (
            "安装不完整：请运行 rm -rf .venv 后再次 make run"
            " / the installation is broken: remove .venv and retry"
        )
    if unfit := re.search(r"validation errors? for Settings\n(\w+)\n +(.+?) \[type=", output):
        return f"{unfit[1].upper()} 的取值不合适：{unfit[2]}；请改正该环境变量 / mend that setting"
    errors = re.findall(r"^[\w.]*(?:Error|Exception|Settings|Refused)\w*: (.+)$", output, flags=re.MULTILINE)
    lines = [line for line in output.splitlines() if line.strip()]
    reason = (errors or lines or ["?"])[-1][:300]
    return f"{what} 失败：{reason}；详见 {log} / failed, see the log"


def main() -> None:
    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    try:
        if "--lock" not in sys.argv:
            enter()
        from workers import processes

        if "MAKELEVEL" in os.environ:
            processes.die_with_parent(signal.SIGTERM)
        os.set_inheritable(int(sys.argv[sys.argv.index("--lock") + 1]), False)
        Marketplace().run()
    except Stopped:
        say("已停止 (stopped)")


if __name__ == "__main__":
    main()
