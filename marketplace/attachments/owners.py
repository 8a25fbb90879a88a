"""What files may belong to. A feature above registers its kind; access to a file is access to its owner.

    owners.register("need", OwnerRule(purposes=(DRAWING,), find=…, may_read=…, may_write=…))

Nothing here knows what an owner is. An owner that `find` does not find is gone, and its files are swept.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from marketplace.attachments.rules import Purpose
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Owner:
    """What pages and records say of an owner. `url` is the page on which its files are shown."""

    id: int
    organisation_id: int | None
    label: str
    url: str


def _nothing_follows(owner_id: int, purpose: str, *, by: Actor, now: datetime) -> None:
    """For owners that do not change with their files."""


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """How one kind of owner answers for its files.

    `find(id)` gives the owner as it is, whoever asks; inside `transaction()` it should hold the row, so that
    two uploads cannot both take the last place. `may_read` and `may_write` get (owner id, purpose, actor).
    `existing(ids)` tells in one statement which ids are still there. `changed` runs in the same transaction
    after files came or went.
    """

    purposes: tuple[Purpose, ...]
    find: Callable[[int], Owner | None]
    may_read: Callable[[int, str, Actor], bool]
    may_write: Callable[[int, str, Actor], bool]
    existing: Callable[[Collection[int]], set[int]]
    changed: Callable[..., None] = _nothing_follows

    def purpose(self, name: str) -> Purpose:
        """Raises NotFound for one that this kind of owner does not have."""
        for purpose in self.purposes:
            if purpose.name == name:
                return purpose
        raise NotFound(name)


_rules: dict[str, OwnerRule] = {}


def register(kind: str, rule: OwnerRule) -> None:
    _rules[kind] = rule


def rule_for(kind: str) -> OwnerRule:
    """Raises NotFound for a kind that nobody registered."""
    if kind not in _rules:
        raise NotFound(kind)
    return _rules[kind]


def registered() -> dict[str, OwnerRule]:
    return dict(_rules)
