"""Finding the posting that a command names: by id, public number, source id or part of a title."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from marketplace.capabilities.models import Capability
from marketplace.capabilities.queries import READABLE as CAPABILITY_READABLE
from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import READABLE as CHALLENGE_READABLE
from marketplace.kernel.db import db
from marketplace.matching.models import PostingKind
from marketplace.needs.models import Need
from marketplace.needs.queries import READABLE as NEED_READABLE

MOST_CANDIDATES = 20

ENTITIES: dict[PostingKind, Any] = {
    PostingKind.CHALLENGE: Challenge,
    PostingKind.NEED: Need,
    PostingKind.CAPABILITY: Capability,
}
_READABLE: dict[PostingKind, Any] = {
    PostingKind.CHALLENGE: CHALLENGE_READABLE,
    PostingKind.NEED: NEED_READABLE,
    PostingKind.CAPABILITY: CAPABILITY_READABLE,
}


@dataclass(frozen=True, slots=True)
class Named:
    """A posting as it is listed where a name is ambiguous."""

    id: int
    public_no: str
    source_id: str | None
    title: str


def find_named(kind: PostingKind, name: str) -> list[Named]:
    """Every public posting that `name` may mean: a number names one, part of a title perhaps many."""
    entity = ENTITIES[kind]
    columns = (entity.id, entity.public_no, entity.source_id, entity.title)
    statement = select(*columns).where(entity.status.in_(_READABLE[kind])).order_by(entity.id)
    name = name.strip()
    exact = [entity.public_no == name.upper(), entity.source_id == name]
    if name.isascii() and name.isdigit() and len(name) < 10:
        exact.append(entity.id == int(name))
    for condition in exact:
        if found := db.session.execute(statement.where(condition)).all():
            return [Named(*row) for row in found]
    if not name:
        return []
    rows = db.session.execute(
        statement.where(entity.title.contains(name, autoescape=True)).limit(MOST_CANDIDATES + 1)
    )
    found_by_title = [Named(*row) for row in rows]
    whole = [one for one in found_by_title if one.title == name]
    return whole or found_by_title
