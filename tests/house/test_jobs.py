"""Work is named by strings; each of them leads somewhere."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.matching.presenters import WORK
from workers.jobs import JOBS, SWEEPS, resolve

ROOT = Path(__file__).resolve().parents[2]
# Tests of the workers bring kinds of their own into the same process.
KINDS = sorted(kind for kind in JOBS if not kind.startswith("test."))
SOURCES = sorted((ROOT / "marketplace").rglob("*.py"))


def deferred_kinds(source: str) -> Iterator[str]:
    """Every kind that a call of `defer` names literally."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "defer" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_a_function_that_takes_a_lease_alone(kind: str) -> None:
    function = resolve(JOBS[kind].function)
    assert list(inspect.signature(function).parameters) == ["lease"]


def test_every_job_has_a_name_for_people() -> None:
    assert sorted(WORK) == KINDS


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_is_a_function_that_needs_nothing(name: str) -> None:
    assert not inspect.signature(resolve(name)).parameters


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_work_is_deferred_that_nobody_does(source: Path) -> None:
    assert set(deferred_kinds(source.read_text())) <= JOBS.keys()


def test_a_kind_that_nobody_does_would_be_found() -> None:
    assert list(deferred_kinds('defer("nobody.does_this", subject_id=1)')) == ["nobody.does_this"]
