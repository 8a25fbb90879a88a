"""The tests' own PostgreSQL opens nothing to others and leaves nothing behind."""

import os
import stat
from pathlib import Path

import psycopg
import pytest

from tests.services import Missing, postgresql

ROOT = Path(__file__).resolve().parents[3]


def modes_of_parents(*paths: Path) -> dict[str, str]:
    """The mode of each folder on the way to each path."""
    folders = {parent for path in paths for parent in [path, *path.resolve().parents] if parent.is_dir()}
    return {str(folder): stat.filemode(folder.stat().st_mode) for folder in sorted(folders)}


def test_starting_a_server_changes_no_parent_folders_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    watched = [Path("/tmp"), Path.home(), ROOT]
    watched += [p for p in (postgresql.find_wheel_programs(), postgresql.find_debian_programs()) if p]
    before = modes_of_parents(*watched)
    try:
        with postgresql.server() as address:
            folder = Path(address.partition("host=")[2])
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            with psycopg.connect(address.format(database="postgres").replace("+psycopg", "")) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert modes_of_parents(*watched) == before
    except Missing as missing:
        pytest.skip(str(missing))
    assert modes_of_parents(*watched) == before
    assert not folder.exists()


def test_root_never_runs_the_wheels_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgresql, "find_debian_programs", lambda: None)
    monkeypatch.setattr(postgresql, "find_wheel_programs", lambda: pytest.fail("the wheel was asked for"))
    with pytest.raises(Missing, match="install Debian's postgresql"), postgresql.server():
        pass


def test_a_given_server_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://tester@db.example:5432/postgres")
    with postgresql.server() as address:
        assert address == "postgresql://tester@db.example:5432/{database}"
