"""Where the demonstration is loaded its printed password is enough; nowhere else."""

from pathlib import Path

import pytest

from tools.run import Marketplace


@pytest.mark.parametrize(
    ("given", "set_to"),
    [
        ({}, "1"),
        ({"DEMO": "0"}, None),
        ({"MARKETPLACE_ENV": "production"}, None),
        ({"SECOND_FACTOR_OPTIONAL": "0"}, "0"),
    ],
    ids=["demo", "no demo", "production", "said otherwise"],
)
def test_only_the_demonstration_does_without(
    given: dict[str, str], set_to: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DEMO", "MARKETPLACE_ENV", "SECOND_FACTOR_OPTIONAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Marketplace().environment.get("SECOND_FACTOR_OPTIONAL") == set_to
