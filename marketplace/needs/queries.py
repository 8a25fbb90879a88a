"""Questions about need lists and their lines. Rows are seen through `visible_to(actor)`."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, find_row, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need, NeedList
from marketplace.organisations.queries import not_suspended, whose
from marketplace.postings.matchable import Matchable, written
from marketplace.postings.queries import designations_of, is_in_good_standing, standing_of
from marketplace.postings.texts import without

# What everybody sees.
PUBLIC = (NeedStatus.PUBLISHED, NeedStatus.COLLECTED)
# Pages that are never deleted, only superseded: they stay readable with their public reason.
READABLE = (*PUBLIC, NeedStatus.WITHDRAWN)
# Taken down and what waits to be shown again: the platform sees what it decides on.
SUSPECT = (NeedStatus.TAKEN_DOWN, NeedStatus.SUBMITTED)
LINES_PER_PAGE = 100


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Once public, readable for good; everything for the owner's members."""
    own = Need.organisation_id == actor.organisation_id if actor.organisation_id else false()
    readable = Need.status.in_(READABLE)
    if actor.is_operator or actor.is_auditor:
        return or_(readable, Need.status.in_(SUSPECT), own)
    return or_(and_(readable, not_suspended(Need.organisation_id)), own)


def open_at(now: datetime) -> ColumnElement[bool]:
    """Whether a line is looking for suppliers: public, and its validity not over."""
    return or_(
        Need.status == NeedStatus.COLLECTED,
        and_(
            Need.status == NeedStatus.PUBLISHED,
            or_(Need.expires_at.is_(None), Need.expires_at > now),
            not_suspended(Need.organisation_id),
        ),
    )


def _whole() -> Select[Need]:
    return select(Need).options(
        whose(Need.organisation),
        joinedload(Need.need_list),
        selectinload(Need.indicators),
        selectinload(Need.clusters),
        selectinload(Need.chain_links),
    )


def get_need(public_no: str, *, viewer: Actor) -> Need:
    """Raises NotFound for one that does not exist or that the viewer may not know of."""
    found = db.session.scalar(
        for_change(_whole().where(Need.public_no == public_no, visible_to(viewer)), Need)
    )
    if found is None:
        raise NotFound(public_no)
    return found


def find_by_id(need_id: int) -> Need | None:
    """The row itself, for whoever has been asked about it by id; who may see it is asked of `sees`."""
    return find_row(Need, need_id)


def sees(need_id: int, viewer: Actor) -> bool:
    return db.session.scalar(select(Need.id).where(Need.id == need_id, visible_to(viewer))) is not None


def existing(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Need.id).where(Need.id.in_(ids))))


def find_gone(public_no: str) -> Need | None:
    """One that is taken down: everybody may know that it was there, and why it is gone."""
    return db.session.scalar(select(Need).where(Need.public_no == public_no, Need.status.in_(SUSPECT)))


def list_to_review() -> list[Need]:
    """What was taken down and asks to be shown again, the longest waiting first."""
    statement = _whole().where(Need.status == NeedStatus.SUBMITTED).order_by(Need.submitted_at, Need.id)
    return list(db.session.scalars(statement.limit(500)))


def count_to_review() -> int:
    statement = select(func.count()).select_from(Need).where(Need.status == NeedStatus.SUBMITTED)
    return db.session.scalar(statement) or 0


def get_own(public_no: str, *, actor: Actor) -> Need:
    """A line of the actor's own organisation; raises NotFound for any other."""
    own = Need.organisation_id == (actor.organisation_id or 0)
    found = db.session.scalar(for_change(_whole().where(Need.public_no == public_no, own), Need))
    if found is None:
        raise NotFound(public_no)
    return found


def get_own_list(public_no: str, *, actor: Actor) -> NeedList:
    """A list of the actor's own organisation; raises NotFound for any other."""
    own = NeedList.organisation_id == (actor.organisation_id or 0)
    found = db.session.scalar(
        for_change(select(NeedList).where(NeedList.public_no == public_no, own), NeedList)
    )
    if found is None:
        raise NotFound(public_no)
    return found


def select_public() -> Select[Need]:
    """The rows of the public list."""
    return (
        select(Need)
        .options(whose(Need.organisation), selectinload(Need.clusters))
        .where(Need.status.in_(PUBLIC), not_suspended(Need.organisation_id))
    )


def get_list(public_no: str, *, viewer: Actor) -> NeedList:
    """A list with at least one line that the viewer may see, or the viewer's own."""
    own = NeedList.organisation_id == viewer.organisation_id if viewer.organisation_id else false()
    shown = select(Need.id).where(Need.need_list_id == NeedList.id, visible_to(viewer)).exists()
    statement = select(NeedList).options(joinedload(NeedList.organisation))
    found = db.session.scalar(statement.where(NeedList.public_no == public_no, or_(own, shown)))
    if found is None:
        raise NotFound(public_no)
    return found


def page_lines(need_list: NeedList, *, viewer: Actor, page: int) -> Page[Need]:
    """The lines of a list that the viewer may see, in the order in which they were written."""
    statement = _whole().where(Need.need_list_id == need_list.id, visible_to(viewer)).order_by(Need.id)
    return paginate(statement, page=page, per_page=LINES_PER_PAGE)


def list_own_lists(actor: Actor) -> list[tuple[NeedList, dict[NeedStatus, int]]]:
    """The lists of the actor's organisation with how many lines stand in which status; two statements."""
    if actor.organisation_id is None:
        return []
    lists = list(
        db.session.scalars(
            select(NeedList)
            .where(NeedList.organisation_id == actor.organisation_id)
            .order_by(NeedList.id.desc())
            .limit(200)
        )
    )
    counted = db.session.execute(
        select(Need.need_list_id, Need.status, func.count())
        .where(Need.organisation_id == actor.organisation_id)
        .group_by(Need.need_list_id, Need.status)
    )
    counts: dict[int, dict[NeedStatus, int]] = {}
    for list_id, status, count in counted:
        counts.setdefault(list_id, {})[status] = count
    return [(one, counts.get(one.id, {})) for one in lists]


def list_open_ids(now: datetime) -> list[int]:
    """The lines that suppliers are ranked for now."""
    return list(db.session.scalars(select(Need.id).where(open_at(now)).order_by(Need.id)))


def list_versions(now: datetime) -> dict[int, int]:
    """Open need id → version, for finding what has changed since it was last ranked."""
    rows = db.session.execute(select(Need.id, Need.version).where(open_at(now)).order_by(Need.id))
    return {row.id: row.version for row in rows}


def list_whole(ids: Sequence[int]) -> list[Need]:
    """Lines with everything that belongs to them, by id."""
    found: list[Need] = []
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        found += db.session.scalars(_whole().where(Need.id.in_(chunk)).order_by(Need.id))
    return found


def read_matchables(ids: Sequence[int], *, now: datetime) -> list[Matchable]:
    """What the matcher is handed over of these lines: never a price, hidden or not."""
    return [_matchable(need, now=now) for need in list_whole(ids)]


def _matchable(need: Need, *, now: datetime) -> Matchable:
    organisation = need.organisation
    return Matchable(
        kind="need",
        id=need.id,
        version=need.version,
        title=without(need.title, need.withheld),
        sections=written(
            [
                ("specification", without(need.specification, need.withheld)),
                ("qualification", need.qualification),
            ]
        ),
        keywords=tuple(need.keywords),
        clusters=tuple(c.code for c in need.clusters),
        region=need.region or organisation.region or "",
        industry=need.industry or "",
        indicators=tuple(i.as_indicator() for i in need.indicators),
        organisation_id=organisation.id,
        organisation_kind=organisation.kind.value,
        organisation_size=organisation.size.value if organisation.size else "",
        designations=designations_of(organisation, now=now),
        standing=standing_of(organisation),
        active=need.status in PUBLIC and is_in_good_standing(organisation),
        valid_until=need.expires_at,
    )
