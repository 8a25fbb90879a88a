"""What the web process may not carry, seen by starting it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def modules_of_the_web_process(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", "import json, sys, wsgi; print(json.dumps(sorted(sys.modules)))"],
        cwd=ROOT,
        env={"INSTANCE_DIR": str(tmp_path_factory.mktemp("instance")), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(told.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["redis", "rq", "workers"])
def test_the_web_process_knows_no_queue(modules_of_the_web_process: set[str], name: str) -> None:
    assert name not in modules_of_the_web_process


@pytest.mark.parametrize("name", ["sklearn", "scipy", "numba"])
def test_the_web_process_starts_without_the_heavy_libraries(
    modules_of_the_web_process: set[str], name: str
) -> None:
    assert name not in modules_of_the_web_process
