"""What a person is told who starts with the wrong Python, no venv support or a broken installation."""

import subprocess
from pathlib import Path

import pytest

from tools import run, setup

ROOT = Path(__file__).resolve().parents[3]


def test_another_python_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.version_info", (3, 10, 1, "final", 0))
    with pytest.raises(SystemExit) as ended:
        setup.check_python()
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told.count("\n") == 1
    assert "3.11–3.13" in told
    assert "3.10.1" in told


@pytest.mark.parametrize("named", ["python2", "/nowhere/python3"])
def test_a_named_python_that_does_not_fit_is_refused_in_one_line(named: str) -> None:
    found = subprocess.run(
        ["sh", ROOT / "tools" / "find-python"],
        env={"PYTHON": named, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert named in found.stderr


def test_without_venv_support_a_plain_user_is_told_the_line_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "VENV_PYTHON", tmp_path / "none")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(setup, "is_root", lambda: False)
    with pytest.raises(SystemExit):
        setup.ensure_venv()
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "sudo apt-get install python3." in told


def test_a_lock_that_is_installed_is_not_installed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("flask==1 --hash=sha256:0\n")
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "BUILD", tmp_path)
    calls: list[object] = []

    class Pip:
        returncode = 0
        stdout = ("Collecting flask==1\n", "Installing collected packages: flask\n")

        def __init__(self, command: object, **_options: object) -> None:
            calls.append(command)

        def __enter__(self) -> "Pip":
            return self

        def __exit__(self, *_error: object) -> None:
            pass

    monkeypatch.setattr(subprocess, "Popen", Pip)
    setup.ensure_packages(lock)
    setup.ensure_packages(lock)
    assert len(calls) == 1
    lock.write_text("flask==2 --hash=sha256:0\n")
    setup.ensure_packages(lock)
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("Traceback\n  ...\nModuleNotFoundError: No module named 'flask'\n", "rm -rf .venv"),
        (
            "Traceback\n  ...\nmarketplace.config.UnfitSettings: SECRET_KEY: too short\n",
            "SECRET_KEY: too short",
        ),
        (
            "ValidationError: 1 validation error for Settings\nworkers\n  Should be a number [type=int]\n",
            "WORKERS 的取值不合适：Should be a number",
        ),
        ("", "?"),
    ],
)
def test_a_failed_command_is_told_in_one_line(output: str, told: str) -> None:
    line = run.explain("flask prepare", output, Path("x.log"))
    assert told in line
    assert "\n" not in line


def test_the_locks_name_no_index_and_hash_every_package() -> None:
    for lock in (ROOT / f"requirements{name}.txt" for name in ("", "-dask", "-dev")):
        text = lock.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        pins = [line for line in text.splitlines() if line[:1].isalnum()]
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
