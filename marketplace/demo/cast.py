"""The people of the demonstration, as they come onto the stage, and as whom they act at a moment."""

from datetime import datetime

from marketplace.demo.accounts import Account
from marketplace.identity import services as identity
from marketplace.identity.models import User
from marketplace.identity.services import Person
from marketplace.kernel.actor import ANONYMOUS, SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.organisations.queries import actor_for


class Cast:
    """`password_hash` is everybody's: hashing is made slow on purpose, so it is done once."""

    def __init__(self, password_hash: str) -> None:
        self.password_hash = password_hash
        self._platform: dict[PlatformRole, User] = {}
        self._members: dict[tuple[str, OrganisationRole], User] = {}

    def enter(self, account: Account, *, phone: str = "", now: datetime) -> User:
        """Somebody registers."""
        user = identity.create_user(
            Person(account.email, account.name, phone, self.password_hash),
            by=SYSTEM if account.platform_role else ANONYMOUS,
            now=now,
            platform_role=account.platform_role,
        )
        if account.platform_role:
            self._platform[account.platform_role] = user
        else:
            self._members[account.organisation, account.organisation_role] = user
        return user

    @property
    def everybody(self) -> list[User]:
        return [*self._platform.values(), *self._members.values()]

    def operator(self, now: datetime) -> Actor:
        return actor_for(self._platform[PlatformRole.OPERATOR], now=now)

    def maintainer(self, now: datetime) -> Actor:
        return actor_for(self._platform[PlatformRole.MAINTAINER], now=now)

    def manager(self, organisation: str, now: datetime) -> Actor:
        return actor_for(self._members[organisation, OrganisationRole.MANAGER], now=now)

    def editor(self, organisation: str, now: datetime) -> Actor:
        """Who writes for an organisation: its editor, or its manager where there is nobody else."""
        user = self._members.get((organisation, OrganisationRole.EDITOR))
        return self.manager(organisation, now) if user is None else actor_for(user, now=now)
