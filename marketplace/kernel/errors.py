"""What can go wrong in the domain, in the words of the domain. `factory.py` maps each to HTTP once."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps an act from being done, at the field where it can be mended.

    `message` is a gettext source text (marked with `N_`) with `%(name)s` places filled from `params`.
    """

    field: str
    message: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class DomainError(Exception):
    """Base of every error that a person can cause and mend."""


class NotFound(DomainError):
    """No such thing, or none that this actor may know of."""


class Forbidden(DomainError):
    """The thing is known to the actor, the act is not theirs."""


class SignInRequired(DomainError):
    """The act needs a person; nobody is signed in."""


class InvalidTransition(DomainError):
    """The thing is not in a status from which this action leads anywhere."""

    def __init__(self, thing: str, status: str, action: str) -> None:
        super().__init__(f"{thing}: no {action!r} from {status!r}")
        self.thing, self.status, self.action = thing, status, action


class StaleVersion(DomainError):
    """Somebody else changed the thing since the actor read it."""

    def __init__(self, *, current_version: int) -> None:
        super().__init__(f"the current version is {current_version}")
        self.current_version = current_version


class Obstructed(DomainError):
    """The act is theirs and the status allows it, but these obstacles stand in the way: all of them."""

    def __init__(self, obstacles: Iterable[Obstacle]) -> None:
        self.obstacles = tuple(obstacles)
        super().__init__("; ".join(f"{o.field}: {o.message}" for o in self.obstacles))
