"""Who acts: plain facts about the person behind a request, a job or a command.

Services take an `Actor` as `by=`. Only views call `acting()`; the loader behind it is registered by the
feature that knows memberships, so that the kernel does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from flask import g

from marketplace.kernel.party import Party


class PlatformRole(StrEnum):
    OPERATOR = "operator"
    AUDITOR = "auditor"
    MAINTAINER = "maintainer"
    EXPERT = "expert"


class OrganisationRole(StrEnum):
    MANAGER = "manager"
    EDITOR = "editor"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class Actor:
    user_id: int | None = None
    name: str = ""
    platform_role: PlatformRole | None = None
    organisation_id: int | None = None
    organisation_name: str = ""
    organisation_role: OrganisationRole | None = None
    organisation_verified: bool = False
    may_post_challenges: bool = False
    # There are others that this person may act for, one at a time.
    acts_for_several: bool = False
    is_system: bool = False

    @property
    def signed_in(self) -> bool:
        return self.user_id is not None

    @property
    def is_operator(self) -> bool:
        return self.platform_role is PlatformRole.OPERATOR

    @property
    def is_auditor(self) -> bool:
        return self.platform_role is PlatformRole.AUDITOR

    @property
    def is_maintainer(self) -> bool:
        return self.platform_role is PlatformRole.MAINTAINER

    @property
    def is_manager(self) -> bool:
        return self.organisation_role is OrganisationRole.MANAGER

    @property
    def is_editor(self) -> bool:
        """May write for the organisation; a manager may do all that an editor may."""
        return self.organisation_role in (OrganisationRole.EDITOR, OrganisationRole.MANAGER)

    def belongs_to(self, organisation_id: int | None) -> bool:
        return organisation_id is not None and self.organisation_id == organisation_id

    def edits_for(self, organisation_id: int | None) -> bool:
        return self.is_editor and self.belongs_to(organisation_id)

    def manages(self, organisation_id: int | None) -> bool:
        return self.is_manager and self.belongs_to(organisation_id)

    def parties(self, organisation_id: int | None) -> frozenset[Party]:
        """Every capacity in which this actor stands to a thing that `organisation_id` owns."""
        return frozenset(
            party
            for party, holds in (
                (Party.EDITOR, self.edits_for(organisation_id)),
                (Party.MANAGER, self.manages(organisation_id)),
                (Party.OPERATOR, self.is_operator),
                (Party.SYSTEM, self.is_system),
            )
            if holds
        )


ANONYMOUS = Actor()
SYSTEM = Actor(name="system", is_system=True)

_loaders: list[Callable[[], Actor]] = []


def load_with(loader: Callable[[], Actor]) -> None:
    """Name the one function that finds out who is behind the current request."""
    _loaders[:] = [loader]


def acting() -> Actor:
    """The actor of the current request, found once."""
    if "actor" not in g:
        g.actor = _loaders[0]() if _loaders else ANONYMOUS
    actor: Actor = g.actor
    return actor


def forget_actor() -> None:
    """Ask again: after signing in or out, or after changing the organisation acted for."""
    g.pop("actor", None)
