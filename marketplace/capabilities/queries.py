"""Questions about capabilities. Rows are seen through `visible_to(actor)`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import selectinload

from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, find_row, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.language import normalise
from marketplace.organisations.queries import not_suspended, whose
from marketplace.postings.matchable import Matchable, written
from marketplace.postings.queries import designations_of, is_in_good_standing, standing_of
from marketplace.postings.texts import without

# What everybody sees, and what is ranked.
PUBLIC = (CapabilityStatus.PUBLISHED, CapabilityStatus.COLLECTED)
# Pages that are never deleted, only superseded: they stay readable with their public reason.
READABLE = (*PUBLIC, CapabilityStatus.WITHDRAWN)
# Taken down and what waits to be shown again: the platform sees what it decides on.
SUSPECT = (CapabilityStatus.TAKEN_DOWN, CapabilityStatus.SUBMITTED)
OWN_PER_PAGE = 100
SIMILAR_AT_LEAST = 80.0
MOST_SIMILAR = 3


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Published and collected for all; once public, readable for good; everything for the owner's members."""
    own = Capability.organisation_id == actor.organisation_id if actor.organisation_id else false()
    readable = Capability.status.in_(READABLE)
    if actor.is_operator or actor.is_auditor:
        return or_(readable, Capability.status.in_(SUSPECT), own)
    return or_(and_(readable, not_suspended(Capability.organisation_id)), own)


def public_at(now: datetime) -> ColumnElement[bool]:
    """Whether it is shown in lists and ranked: public, and its validity not over."""
    return and_(Capability.status.in_(PUBLIC), holds_at(now), not_suspended(Capability.organisation_id))


def _whole() -> Select[Capability]:
    return select(Capability).options(
        whose(Capability.organisation),
        selectinload(Capability.parameters),
        selectinload(Capability.certificates),
        selectinload(Capability.clusters),
        selectinload(Capability.chain_links),
    )


def get_capability(public_no: str, *, viewer: Actor) -> Capability:
    """Raises NotFound for one that does not exist or that the viewer may not know of."""
    found = db.session.scalar(
        for_change(_whole().where(Capability.public_no == public_no, visible_to(viewer)), Capability)
    )
    if found is None:
        raise NotFound(public_no)
    return found


def find_by_id(capability_id: int) -> Capability | None:
    """The row itself, for whoever has been asked about it by id; who may see it is asked of `sees`."""
    return find_row(Capability, capability_id)


def sees(capability_id: int, viewer: Actor) -> bool:
    statement = select(Capability.id).where(Capability.id == capability_id, visible_to(viewer))
    return db.session.scalar(statement) is not None


def existing(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Capability.id).where(Capability.id.in_(ids))))


def find_gone(public_no: str) -> Capability | None:
    """One that is taken down: everybody may know that it was there, and why it is gone."""
    statement = select(Capability).where(Capability.public_no == public_no, Capability.status.in_(SUSPECT))
    return db.session.scalar(statement)


def list_to_review() -> list[Capability]:
    """What was taken down and asks to be shown again, the longest waiting first."""
    waiting = _whole().where(Capability.status == CapabilityStatus.SUBMITTED)
    return list(db.session.scalars(waiting.order_by(Capability.submitted_at, Capability.id).limit(500)))


def count_to_review() -> int:
    waiting = Capability.status == CapabilityStatus.SUBMITTED
    return db.session.scalar(select(func.count()).select_from(Capability).where(waiting)) or 0


def holds_at(now: datetime) -> ColumnElement[bool]:
    """Whether its validity is not over."""
    return or_(Capability.expires_at.is_(None), Capability.expires_at > now)


def get_own(public_no: str, *, actor: Actor) -> Capability:
    """One of the actor's own organisation; raises NotFound for any other."""
    own = Capability.organisation_id == (actor.organisation_id or 0)
    found = db.session.scalar(for_change(_whole().where(Capability.public_no == public_no, own), Capability))
    if found is None:
        raise NotFound(public_no)
    return found


def select_public() -> Select[Capability]:
    """The rows of the public list: what has lapsed waits there no longer."""
    return (
        select(Capability)
        .options(whose(Capability.organisation), selectinload(Capability.clusters))
        .where(public_at(clock.now()))
    )


def _own(actor: Actor) -> Select[Capability]:
    return (
        select(Capability)
        .options(selectinload(Capability.clusters), selectinload(Capability.parameters))
        .options(selectinload(Capability.chain_links))
        .options(selectinload(Capability.certificates))
        .where(Capability.organisation_id == (actor.organisation_id or 0))
        .order_by(Capability.updated_at.desc(), Capability.id.desc())
    )


def list_own(actor: Actor) -> list[Capability]:
    """Those of the actor's organisation that were changed last, the newest change first."""
    return list(db.session.scalars(_own(actor).limit(500)))


def list_own_published(actor: Actor, *, limit: int) -> list[Capability]:
    """The published of the actor's organisation, the newest change first."""
    published = _own(actor).where(Capability.status == CapabilityStatus.PUBLISHED)
    return list(db.session.scalars(published.limit(limit)))


def page_own(actor: Actor, *, page: int) -> Page[Capability]:
    """All of the actor's organisation, newest change first; a file may have brought in any number."""
    return paginate(_own(actor), page=page, per_page=OWN_PER_PAGE)


def list_open_ids() -> list[int]:
    """The capabilities that can be on a shortlist now."""
    return list(
        db.session.scalars(select(Capability.id).where(Capability.status.in_(PUBLIC)).order_by(Capability.id))
    )


def list_versions(now: datetime) -> dict[int, int]:
    """Open capability id → version, for finding what has changed since it was last ranked."""
    rows = db.session.execute(
        select(Capability.id, Capability.version)
        .where(Capability.status.in_(PUBLIC), holds_at(now))
        .order_by(Capability.id)
    )
    return {row.id: row.version for row in rows}


def list_whole(ids: Sequence[int]) -> list[Capability]:
    """Capabilities with everything that belongs to them, by id."""
    found: list[Capability] = []
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        found += db.session.scalars(_whole().where(Capability.id.in_(chunk)).order_by(Capability.id))
    return found


def read_matchables(ids: Sequence[int], *, now: datetime) -> list[Matchable]:
    """What the matcher is handed over of these capabilities."""
    return [_matchable(capability, now=now) for capability in list_whole(ids)]


def _matchable(capability: Capability, *, now: datetime) -> Matchable:
    organisation = capability.organisation
    return Matchable(
        kind="capability",
        id=capability.id,
        version=capability.version,
        title=without(capability.title, capability.withheld),
        sections=written([("summary", without(capability.summary, capability.withheld))]),
        keywords=tuple(capability.keywords),
        clusters=tuple(c.code for c in capability.clusters),
        region=capability.region or organisation.region or "",
        industry=capability.industry or "",
        trl=capability.trl,
        indicators=tuple(p.as_indicator() for p in capability.parameters),
        cooperation=tuple(capability.cooperation),
        organisation_id=organisation.id,
        organisation_kind=organisation.kind.value,
        organisation_size=organisation.size.value if organisation.size else "",
        designations=designations_of(organisation, now=now),
        standing=standing_of(organisation),
        active=capability.status in PUBLIC and is_in_good_standing(organisation),
        valid_until=capability.expires_at,
    )


@dataclass(frozen=True, slots=True)
class Similar:
    public_no: str
    title: str
    likeness: float


def list_similar(title: str, *, viewer: Actor, besides: int | None = None) -> list[Similar]:
    """Public or own capabilities whose title is much like `title`: perhaps the same thing posted twice."""
    asked = normalise(title)
    if len(asked) < 4:
        return []
    statement = select(Capability.id, Capability.public_no, Capability.title).where(visible_to(viewer))
    scored = [
        Similar(row.public_no, row.title, fuzz.token_set_ratio(asked, normalise(row.title)))
        for row in db.session.execute(statement.order_by(Capability.id))
        if row.id != besides
    ]
    likely = sorted(
        (s for s in scored if s.likeness >= SIMILAR_AT_LEAST), key=lambda s: (-s.likeness, s.public_no)
    )
    return likely[:MOST_SIMILAR]
