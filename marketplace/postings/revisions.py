"""Stored revisions: what a posting said in each version, and the difference between any two, for laymen.

A revision is kept with every save. While a posting is drafted its revisions are the owner's; what was handed
in is the platform's too; what was published is everybody's to know of. A kind of posting registers how its
revisions are found and worded. Never in a revision: a confidential annex, a hidden price.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import TypeAdapter
from sqlalchemy import select

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.postings.models import PostingRevision, RevisionAudience

MOST_LISTED = 200
_WIDTH = {audience: width for width, audience in enumerate(RevisionAudience)}


class Published(Protocol):
    """What a revision is made of."""

    id: Any
    version: Any
    published_at: Any
    updated_at: Any


@dataclass(frozen=True, slots=True)
class Revisable:
    """`find(public_no, viewer=…)` raises NotFound; `rows(draft)` words each field: (label, text)."""

    kind: str
    find: Callable[..., Any]
    draft: type[Any]
    rows: Callable[[Any], Sequence[tuple[str, str]]]
    endpoint: str


_kinds: dict[str, Revisable] = {}


def register(revisable: Revisable) -> None:
    _kinds[revisable.kind] = revisable


def kind_named(name: str) -> Revisable:
    """Raises NotFound for what has no revisions."""
    if name not in _kinds:
        raise NotFound(name)
    return _kinds[name]


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(draft: type[Any]) -> TypeAdapter[Any]:
    if draft not in _adapters:
        _adapters[draft] = TypeAdapter(draft)
    return _adapters[draft]


def packed(draft: Any) -> dict[str, Any]:
    """A draft as JSON."""
    content: dict[str, Any] = _adapter(type(draft)).dump_python(draft, mode="json")
    return content


def unpacked(kind: type[Any], content: Mapping[str, Any]) -> Any:
    """The draft again; what it had no field for then is at its default now."""
    return _adapter(kind).validate_python(dict(content))


def keep(
    kind: str,
    posting: Published,
    draft: Any,
    *,
    act: str,
    audience: RevisionAudience,
    by: Actor,
    now: datetime,
    note: str = "",
) -> None:
    """Store what the posting says in its present version; published or handed in, it is told to more."""
    found = _find(kind, posting.id, posting.version)
    if found is None:
        found = PostingRevision(kind=kind, posting_id=posting.id, number=posting.version, audience=audience)
        db.session.add(found)
    elif _WIDTH[found.audience] < _WIDTH[audience]:
        found.audience = audience
    found.act, found.at, found.by_name, found.note = act, now, by.name, note
    found.content = packed(draft)
    db.session.flush()


def keep_first(kind: str, posting: Published, draft: Any) -> None:
    """Before a change: what was published when no revisions were kept yet is kept now."""
    if _find(kind, posting.id, posting.version) is not None:
        return
    db.session.add(
        PostingRevision(
            kind=kind,
            posting_id=posting.id,
            number=posting.version,
            act="publish",
            audience=RevisionAudience.PUBLIC,
            at=posting.published_at or posting.updated_at,
            content=packed(draft),
        )
    )
    db.session.flush()


def _find(kind: str, posting_id: int, number: int) -> PostingRevision | None:
    return db.session.scalar(
        select(PostingRevision).where(
            PostingRevision.kind == kind,
            PostingRevision.posting_id == posting_id,
            PostingRevision.number == number,
        )
    )


def audience_of(actor: Actor, organisation_id: int) -> RevisionAudience:
    """As whom an actor reads the revisions of an organisation's posting."""
    if actor.belongs_to(organisation_id) and actor.organisation_role is not None:
        return RevisionAudience.OWNER
    if actor.is_operator or actor.is_auditor:
        return RevisionAudience.PLATFORM
    return RevisionAudience.PUBLIC


def list_revisions(kind: str, posting_id: int, *, audience: RevisionAudience) -> list[PostingRevision]:
    """What this audience may know of, the newest first."""
    told = [one for one in RevisionAudience if _WIDTH[one] >= _WIDTH[audience]]
    return list(
        db.session.scalars(
            select(PostingRevision)
            .where(
                PostingRevision.kind == kind,
                PostingRevision.posting_id == posting_id,
                PostingRevision.audience.in_(told),
            )
            .order_by(PostingRevision.number.desc())
            .limit(MOST_LISTED)
        )
    )
