"""Which kind of person may reach a route at all: one question of three.

Whether the thing's status allows the act is asked of its lifecycle, and which rows are seen of
`visible_to(actor)` in the queries. Every view carries `@policy(resource, action)`; each feature's
`permissions.py` names the audience of its actions. A test walks `app.url_map` for routes that carry none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

from marketplace.kernel.actor import Actor, acting
from marketplace.kernel.errors import Forbidden, SignInRequired

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Audience:
    name: str
    admits: Callable[[Actor], bool]


ANYONE = Audience("anyone", lambda actor: True)
SIGNED_IN = Audience("signed in", lambda actor: actor.signed_in)
MEMBER = Audience("member of an organisation", lambda actor: actor.organisation_role is not None)
EDITOR = Audience("editor or manager of an organisation", lambda actor: actor.is_editor)
MANAGER = Audience("manager of an organisation", lambda actor: actor.is_manager)
OPERATOR = Audience("operator", lambda actor: actor.is_operator)
AUDITOR = Audience("auditor", lambda actor: actor.is_auditor)
MAINTAINER = Audience("maintainer", lambda actor: actor.is_maintainer)
PLATFORM = Audience(
    "operator, auditor or maintainer",
    lambda actor: actor.is_operator or actor.is_auditor or actor.is_maintainer,
)


def one_of(*audiences: Audience) -> Audience:
    return Audience(
        " or ".join(audience.name for audience in audiences),
        lambda actor: any(audience.admits(actor) for audience in audiences),
    )


_audiences: dict[tuple[str, str], Audience] = {}


def allow(table: Mapping[tuple[str, str], Audience]) -> None:
    """Take over a feature's table of (resource, action) → audience."""
    _audiences.update(table)


def audience_of(resource: str, action: str) -> Audience:
    """Raises KeyError for a pair that no feature has named: silence is not permission."""
    return _audiences[resource, action]


def permits(resource: str, action: str, actor: Actor) -> bool:
    return audience_of(resource, action).admits(actor)


def policy(resource: str, action: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only the audience of (resource, action) into a view, and leave the mark that tests look for."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            actor = acting()
            if not permits(resource, action, actor):
                raise Forbidden(f"{resource}.{action}") if actor.signed_in else SignInRequired()
            return view(*args, **kwargs)

        guarded.policy = (resource, action)  # type: ignore[attr-defined]
        return guarded

    return mark
