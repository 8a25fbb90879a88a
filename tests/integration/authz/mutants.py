"""Take each permission away in turn and see that the matrix notices: `make mutants`, or with names of some.

A mutant is one route whose policy lets everybody in, or one rule about rows or files that lets everybody
pass. It survives where no cell of the matrix changes: then a cell is missing, or something else stands behind
the rule, which the report leaves for somebody to judge.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import true

from marketplace.attachments import owners
from marketplace.kernel.access import ANYONE, audience_of, permits
from marketplace.kernel.actor import Actor
from marketplace.kernel.party import Party
from tests.integration.authz.runner import Rows, Runner, read_matrix, running_alone

#: Tried in every test run; the others by `make mutants`.
SAMPLE = {
    "policy of challenges.annex",
    "policy of oversight.trail",
    "policy of needs.save",
    "policy of engagement.accept",
    "policy of verification.verify",
    "policy of matching.decide_setting",
    "marketplace.challenges.queries.visible_to",
    "marketplace.engagement.queries.visible_to",
    "file rule may_read of challenge",
}
#: The functions that say who sees a row or may act on it, and what they say when they refuse nobody.
RULES: dict[str, Callable[..., Any]] = {
    "visible_to": lambda *_args, **_kwargs: true(),
    "may_read": lambda *_args, **_kwargs: True,
    "may_see": lambda *_args, **_kwargs: True,
    "may_shut": lambda *_args, **_kwargs: True,
    "may_fill": lambda *_args, **_kwargs: True,
    "may_enter": lambda *_args, **_kwargs: True,
    "may_enter_for": lambda *_args, **_kwargs: True,
    "may_look_back": lambda *_args, **_kwargs: True,
}
ACTOR_RULES: dict[str, Callable[..., Any]] = {
    "belongs_to": lambda *_args: True,
    "edits_for": lambda *_args: True,
    "manages": lambda *_args: True,
    "parties": lambda *_args: frozenset(Party),
}
#: Let in by their policy, people are turned away with the same answer by what stands behind it: the view asks
#: for the account that is signed in, or the service for a person without a platform role.
SECOND_GUARD = {
    *(
        f"policy of identity.{view}"
        for view in (
            "account",
            "change_password",
            "end_other_sessions",
            "end_session",
            "prove",
            "second_factor",
            "security",
            "update_account",
            "verify_email",
        )
    ),
    "policy of member_invitation.accept",
}
ROW_ROLES = ("other_editor", "supplier", "anonymous", "operator", "auditor", "reader", "maintainer")


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    apply: Callable[[], Any]
    #: The route whose policy is gone; a rule may be noticed anywhere.
    endpoint: str = ""


def all_mutants(runner: Runner) -> list[Mutant]:
    return [*_policies(runner), *_rules(), *_file_rules(), *_actor_rules()]


def _policies(runner: Runner) -> Iterator[Mutant]:
    views = runner.world.app.view_functions
    for endpoint, view in sorted(views.items()):
        # What is open to anybody has nothing to be taken away.
        if hasattr(view, "policy") and audience_of(*view.policy) is not ANYONE:
            yield Mutant(
                f"policy of {endpoint}",
                partial(_swapped, views, endpoint, vars(view)["__wrapped__"]),
                endpoint,
            )


@contextmanager
def _swapped(mapping: Any, key: str, value: Any) -> Iterator[None]:
    kept = mapping[key]
    mapping[key] = value
    try:
        yield
    finally:
        mapping[key] = kept


def _modules() -> list[Any]:
    return [m for name, m in sorted(sys.modules.items()) if name.startswith("marketplace.") and m is not None]


def _rules() -> Iterator[Mutant]:
    for module in _modules():
        for name, open_to_all in RULES.items():
            rule = vars(module).get(name)
            if inspect.isfunction(rule) and rule.__module__ == module.__name__:
                yield Mutant(f"{module.__name__}.{name}", partial(_everywhere, rule, open_to_all))


@contextmanager
def _everywhere(rule: Any, instead: Any) -> Iterator[None]:
    """Put something else wherever a function was imported to."""
    places = [(vars(m), name) for m in _modules() for name, value in list(vars(m).items()) if value is rule]
    for space, name in places:
        space[name] = instead
    try:
        yield
    finally:
        for space, name in places:
            space[name] = rule


def _file_rules() -> Iterator[Mutant]:
    for kind, rule in sorted(owners._rules.items()):
        for field in ("may_read", "may_write"):
            anybody: dict[str, Any] = {field: lambda *_args: True}
            opened = replace(rule, **anybody)
            yield Mutant(
                f"file rule {field} of {kind}",
                partial(_swapped, owners._rules, kind, opened),
            )


def _actor_rules() -> Iterator[Mutant]:
    for name, open_to_all in ACTOR_RULES.items():
        yield Mutant(f"Actor.{name}", partial(_attribute, name, open_to_all))


@contextmanager
def _attribute(name: str, instead: Any) -> Iterator[None]:
    kept = getattr(Actor, name)
    setattr(Actor, name, instead)
    try:
        yield
    finally:
        setattr(Actor, name, kept)


def is_noticed(mutant: Mutant, runner: Runner, rows: Rows) -> bool:
    """Whether any cell is answered otherwise than is due."""
    runner.forget_missing()
    try:
        with mutant.apply():
            if mutant.endpoint:
                return _is_policy_missed(mutant.endpoint, runner, rows)
            return next(_faults(mutant, runner, rows), None) is not None
    except Exception:
        # What cannot be answered at all is noticed as well.
        return True
    finally:
        runner.forget_missing()


def _is_policy_missed(endpoint: str, runner: Runner, rows: Rows) -> bool:
    for case in runner.cases:
        if case.endpoint == endpoint:
            for role, actor in runner.world.actors.items():
                if permits(case.resource, case.action, actor):
                    continue
                if next(runner.faults(role, case, rows[case.key][role]), None) is not None:
                    return True
    return False


def _faults(mutant: Mutant, runner: Runner, rows: Rows) -> Iterator[str]:
    # First the pages of the rule's own feature, which are the likeliest to tell.
    feature = mutant.name.removeprefix("marketplace.").partition(".")[0]
    if mutant.name.startswith("file rule"):
        feature = "attachments"
    order = sorted(runner.cases, key=lambda case: not case.endpoint.startswith(feature))
    yield from runner.faults_of(order, rows, ROW_ROLES)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    wanted = [part for part in sys.argv[1:] if part]
    with running_alone() as runner:
        rows = read_matrix()
        chosen = [m for m in all_mutants(runner) if not wanted or any(part in m.name for part in wanted)]
        survivors = []
        for mutant in chosen:
            noticed = is_noticed(mutant, runner, rows)
            behind = mutant.name in SECOND_GUARD
            say(f"{'noticed' if noticed else 'second guard' if behind else 'SURVIVES':<12} {mutant.name}")
            survivors += [] if noticed or behind else [mutant.name]
    say(f"{len(chosen)} mutants, {len(survivors)} survive")
    for name in survivors:
        say(f"  {name}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
