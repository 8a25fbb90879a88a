"""One command from an empty folder to an address, one line where it cannot be, and no trace at the end."""

import json
import os
import signal
import socket
from pathlib import Path

from tests.services.launcher import free_port, gone, launched
from tests.services.workforce import until


def content(folder: Path) -> dict[str, bytes]:
    """What a run is not to change when there is nothing to do: everything but logs, locks and the queue."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix not in {".lock", ".json"} and "sqlite3" not in path.name
    }


def test_an_empty_folder_becomes_a_marketplace_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    with launched(instance, DEMO="0") as run:
        run.wait_until_up()
        assert run.get("/")[0] == 200
        assert (instance / "secret_key").stat().st_mode & 0o777 == 0o600
        assert instance.stat().st_mode & 0o777 == 0o700
        assert (instance / "run.json").stat().st_mode & 0o777 == 0o600
        address = json.loads((instance / "run.json").read_text())["redis_url"].removeprefix("unix://")
        assert len(address) < 108
        assert Path(address).parent.stat().st_mode & 0o777 == 0o700
        family = run.family()
        assert run.interrupt() == 0
    assert gone(family)
    assert not Path(address).parent.exists()
    before = content(instance)
    with launched(instance, DEMO="0") as run:
        run.wait_until_up()
        assert run.get("/")[0] == 200
    assert content(instance) == before


def test_a_killed_launcher_leaves_no_orphan_and_the_next_run_starts_at_once(tmp_path: Path) -> None:
    port = free_port()
    with launched(tmp_path, port=port, DEMO="0") as run:
        run.wait_until_up()
        # The web answers before the supervisor has forked its workers.
        until(lambda: len(run.family()) >= 5, what="every part of the run")
        family = run.family()
        run.kill()
        with launched(tmp_path, port=port, DEMO="0") as second:
            second.wait_until_up()
            assert second.get("/")[0] == 200
        until(lambda: gone(family), what="the end of the killed run's family")


def test_a_second_run_beside_the_first_says_so_in_one_line(tmp_path: Path) -> None:
    with launched(tmp_path, DEMO="0") as run:
        run.wait_until_up()
        with launched(tmp_path, DEMO="0") as second:
            assert second.wait() == 1
            [line] = second.lines
            assert run.address in line
        assert run.get("/")[0] == 200


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    def pids() -> dict[str, int]:
        parts = json.loads((tmp_path / "run.json").read_text())["parts"]
        return {name: pid for name, (pid, _started) in parts.items()}

    with launched(tmp_path, DEMO="0") as run:
        run.wait_until_up()
        before = pids()
        for name in ("workers", "queue"):
            os.kill(before[name], signal.SIGKILL)
        until(
            lambda: all(pids()[name] != before[name] for name in ("workers", "queue")), what="both are back"
        )
        assert pids()["web"] == before["web"]
        assert "workers 意外结束" in run.output
        assert run.get("/")[0] == 200


def test_a_busy_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with launched(tmp_path, port=taken.getsockname()[1], DEMO="0") as run:
            assert run.wait() == 1
            assert f"PORT={taken.getsockname()[1] + 1}" in run.lines[-1]


def test_a_port_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    with launched(tmp_path, DEMO="0", PORT="eighty") as run:
        assert run.wait() == 1
        [line] = run.lines
        assert "PORT=eighty" in line


def test_production_refuses_the_demo_and_a_missing_key(tmp_path: Path) -> None:
    with launched(tmp_path, MARKETPLACE_ENV="production", DEMO="1") as run:
        assert run.wait() == 1
        assert "DEMO" in run.lines[-1]
    with launched(tmp_path, MARKETPLACE_ENV="production") as run:
        assert run.wait() == 1
        assert "SECRET_KEY" in run.lines[-1]


def test_a_database_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path) -> None:
    with launched(tmp_path, DEMO="0", DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/nothing") as run:
        assert run.wait() == 1
        assert "127.0.0.1" in run.lines[-1]
        assert len(run.lines) == 2
