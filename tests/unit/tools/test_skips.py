"""A skip is a named absence at home and a fault in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SKIPPING = "import pytest\n\ndef test_that_needs_something():\n    pytest.skip('no such server here')\n"


@pytest.mark.parametrize(("ci", "code", "told"), [("", 0, "1 skipped"), ("true", 1, "1 failed")])
def test_a_skip_fails_in_ci_alone(tmp_path: Path, ci: str, code: int, told: str) -> None:
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "/dev/null", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert told in ended.stdout
    if ci:
        assert "no such server here" in ended.stdout
