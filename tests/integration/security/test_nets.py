"""The nets themselves, each seen to catch what it is there for."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from marketplace.config import ROOT
from marketplace.kernel import clock
from marketplace.kernel.access import ANYONE, allow, policy
from marketplace.kernel.db import UncommittedWork, db, transaction, writing
from marketplace.kernel.numbering import NumberSeries, next_number

pytestmark = pytest.mark.plants_routes


def planted(app: Flask, view: object) -> None:
    allow({("planted", "do"): ANYONE})
    app.add_url_rule("/planted", "planted", policy("planted", "do")(view), methods=["POST"])  # type: ignore[arg-type]


def test_a_view_that_commits_nothing_is_caught(app: Flask, client: FlaskClient) -> None:
    def forgets_the_transaction() -> str:
        db.session.add(NumberSeries(prefix="XX", year=2026, last=1))
        return "已保存"

    planted(app, forgets_the_transaction)
    with pytest.raises(UncommittedWork):
        client.post("/planted")


def test_a_view_that_flushes_and_commits_nothing_is_caught(app: Flask, client: FlaskClient) -> None:
    def flushes_only() -> str:
        db.session.rollback()
        with writing():
            next_number("XX", now=clock.now())
        return "已保存"

    planted(app, flushes_only)
    with pytest.raises(UncommittedWork):
        client.post("/planted")
    db.session.rollback()
    assert db.session.get(NumberSeries, ("XX", 2026)) is None


def test_a_view_that_commits_passes(app: Flask, client: FlaskClient) -> None:
    def commits() -> str:
        with transaction():
            return next_number("XX", now=clock.now())

    planted(app, commits)
    assert client.post("/planted").text.endswith("-0001")


def lint_imports(tree: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "."},
    )


@pytest.fixture(scope="module")
def small_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract of a feature, kept over a feature of two files."""
    tree = tmp_path_factory.mktemp("tree")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [inside] = [c for c in declared["contracts"] if c["name"] == "Inside a feature, downward only"]
    assert "marketplace.needs" in inside["containers"]
    layers = ", ".join(f'"{layer}"' for layer in inside["layers"])
    (tree / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["marketplace"]\n[[tool.importlinter.contracts]]\n'
        f'name = "inside"\ntype = "layers"\ncontainers = ["marketplace.needs"]\nlayers = [{layers}]\n',
        encoding="utf-8",
    )
    package = tree / "marketplace" / "needs"
    package.mkdir(parents=True)
    for file in (tree / "marketplace" / "__init__.py", package / "__init__.py"):
        file.write_text("")
    return tree


@pytest.mark.parametrize(
    ("service", "view", "kept"),
    [
        ("from marketplace.needs import views\n", "", False),
        ("", "from marketplace.needs import services\n", True),
    ],
)
def test_a_service_that_imports_a_view_is_caught(
    small_tree: Path, service: str, view: str, kept: bool
) -> None:
    package = small_tree / "marketplace" / "needs"
    (package / "services.py").write_text(service)
    (package / "views.py").write_text(view)
    result = lint_imports(small_tree)
    assert (result.returncode == 0) is kept, result.stdout + result.stderr
    if not kept:
        assert "marketplace.needs.services -> marketplace.needs.views" in result.stdout
