"""The first funnel: from a published challenge or need to an agreement; supply, ages and exposure.

Numbers come from the database in a fixed number of statements, however much there is. Not here: how they
are put into words (`funnel_presenters`), who may see them (`permissions`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import Boolean

from marketplace.challenges.models import Challenge, ChallengeCluster
from marketplace.challenges.queries import taken_up_at
from marketplace.engagement.kinds import EventKind, Side
from marketplace.engagement.lifecycle import ApproachStatus
from marketplace.engagement.models import Approach, MatchEvent
from marketplace.kernel.dates import SHANGHAI, business_date
from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import DEEPEST_PAGE, Page
from marketplace.matching.models import MatchEntry, MatchRun, PostingKind
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need, NeedCluster
from marketplace.needs.queries import open_at
from marketplace.organisations.models import Organisation

STAGES = ("posted", "ranked", "shown", "opened", "invited", "replied", "agreed")
#: A supplier counts as capable from so many points on, with no must-have unmet.
CAPABLE_FROM = 40.0
CAPABLE_BANDS = ("0", "1", "2", "3")
#: Where the next band of whole days begins; the last one is open.
WAITING_BANDS = (3, 7, 14)
SILENT_BANDS = (7, 14, 30)
MONTHS = (3, 6, 12, 24)
DIMENSIONS = ("month", "cluster", "region")
FIRMS_SHOWN = 10
MOST_GROUPS = 60
LONGEST_ID = 18


def _code(text: str) -> str:
    """A code as it comes in an address; what cannot be one asks for nothing."""
    return text if re.fullmatch("[A-Za-z0-9-]{1,20}", text) else ""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the figures are narrowed down to; empty is 不限. `months` counts back from the current one."""

    kind: str = ""
    cluster: str = ""
    region: str = ""
    months: int = 12

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "Scope":
        months = args.get("months", "")
        known = months.isascii() and months.isdigit() and len(months) <= 2 and int(months) in MONTHS
        return cls(
            kind=args.get("kind", "") if args.get("kind") in ("challenge", "need") else "",
            cluster=_code(args.get("cluster", "")),
            region=_code(args.get("region", "")),
            months=int(months) if known else 12,
        )


def months_back(now: datetime, count: int) -> list[date]:
    """The first days of the last `count` Shanghai months, oldest first, the current one last."""
    day = business_date(now).replace(day=1)
    found = [day]
    while len(found) < count:
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(day)
    return found[::-1]


def _begins(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


class has_unmet_must(FunctionElement[bool]):  # noqa: N801 - reads as a function in a statement
    """Whether the stored reasons of an entry name a ★ indicator that is not met."""

    type = Boolean()
    inherit_cache = True


@compiles(has_unmet_must, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **kwargs: Any) -> str:
    reasons = compiler.process(element.clauses, **kwargs)
    source = f"json_each({reasons}, '$.indicators')"
    named = "json_extract(value, '$.mark') = 'must' AND json_extract(value, '$.verdict') = 'unmet'"
    return f"EXISTS (SELECT 1 FROM {source} WHERE {named})"  # noqa: S608 - a column, and nobody's input


@compiles(has_unmet_must, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **kwargs: Any) -> str:
    reasons = compiler.process(element.clauses, **kwargs)
    return f"""({reasons} @> '{{"indicators": [{{"mark": "must", "verdict": "unmet"}}]}}'::jsonb)"""


# --- one row for each posting -----------------------------------------------------------------------------


def _postings(scope: Scope, now: datetime) -> Any:
    """Every posting that was ever published in the months asked for, with how far it came.

    A posting counts as having come to a stage when it came to that stage or to a later one.
    """
    since = _begins(months_back(now, scope.months)[0])
    parts = [
        _of_kind(kind, entity, scope, since, now)
        for kind, entity in ((PostingKind.CHALLENGE, Challenge), (PostingKind.NEED, Need))
        if scope.kind in ("", kind.value)
    ]
    return union_all(*parts).subquery("postings")


def _of_kind(kind: PostingKind, entity: Any, scope: Scope, since: datetime, now: datetime) -> Select[Any]:
    seen = (
        select(
            MatchEvent.posting_id,
            func.max(case((MatchEvent.kind == EventKind.OPENED, 3), else_=2)).label("stage"),
        )
        .where(MatchEvent.posting_kind == kind, MatchEvent.kind.in_((EventKind.SHOWN, EventKind.OPENED)))
        .group_by(MatchEvent.posting_id)
        .subquery(f"seen_{kind.value}")
    )
    asked = (
        select(
            Approach.posting_id,
            func.max(
                case(
                    (Approach.status == ApproachStatus.ACCEPTED, 6),
                    (Approach.status == ApproachStatus.DECLINED, 5),
                    else_=4,
                )
            ).label("stage"),
        )
        .where(Approach.posting_kind == kind)
        .group_by(Approach.posting_id)
        .subquery(f"asked_{kind.value}")
    )
    ranked = (
        select(MatchEntry.id)
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(MatchRun.seeker_kind == kind, MatchRun.seeker_id == entity.id)
        .exists()
    )
    is_open = (
        taken_up_at(now) if entity is Challenge else and_(open_at(now), Need.status == NeedStatus.PUBLISHED)
    )
    reached = case(
        (asked.c.stage.is_not(None), asked.c.stage),
        (seen.c.stage.is_not(None), seen.c.stage),
        (ranked, 1),
        else_=0,
    )
    region = func.coalesce(entity.region, Organisation.region, "")
    statement = (
        select(
            _kind(kind).label("kind"),
            entity.id.label("id"),
            entity.public_no.label("public_no"),
            entity.title.label("title"),
            entity.organisation_id.label("organisation_id"),
            Organisation.name.label("organisation"),
            region.label("region"),
            entity.published_at.label("published_at"),
            case((is_open, 1), else_=0).label("is_open"),
            cast(reached, Integer).label("reached"),
        )
        .join(Organisation, Organisation.id == entity.organisation_id)
        .outerjoin(seen, seen.c.posting_id == entity.id)
        .outerjoin(asked, asked.c.posting_id == entity.id)
        # What was brought in by import was published by nobody here and is open to nobody.
        .where(entity.published_at >= since, entity.source_id.is_(None))
    )
    if scope.cluster:
        of, column = _clusters_of(entity)
        statement = statement.where(entity.id.in_(select(column).where(of.code == scope.cluster)))
    if scope.region:
        statement = statement.where(region == scope.region)
    return statement


def _kind(kind: PostingKind) -> Any:
    """A kind as a column that compares with those of the tables."""
    return type_coerce(cast(literal(kind.value), String), MatchRun.seeker_kind.type)


def _clusters_of(entity: Any) -> tuple[Any, Any]:
    if entity is Challenge:
        return ChallengeCluster, ChallengeCluster.challenge_id
    return NeedCluster, NeedCluster.need_id


# --- the funnel -------------------------------------------------------------------------------------------


def count_stages(scope: Scope, *, now: datetime) -> list[int]:
    """How many postings came at least as far as each stage."""
    postings = _postings(scope, now)
    rows = db.session.execute(select(postings.c.reached, func.count()).group_by(postings.c.reached))
    return _at_least({row[0]: row[1] for row in rows})


def _at_least(counted: Mapping[int, int]) -> list[int]:
    return [
        sum(count for reached, count in counted.items() if reached >= stage) for stage in range(len(STAGES))
    ]


def count_by(dimension: str, scope: Scope, *, now: datetime) -> dict[str, list[int]]:
    """The same for each month, cluster or region; a posting counts in each of its clusters."""
    postings = _postings(scope, now)
    statement = select(postings.c.reached, func.count())
    if dimension == "cluster":
        clusters = _all_clusters()
        key: Any = clusters.c.code
        statement = statement.join(
            clusters, and_(clusters.c.kind == postings.c.kind, clusters.c.id == postings.c.id)
        )
    elif dimension == "region":
        key = postings.c.region
    else:
        key = _month_of(postings.c.published_at, months_back(now, scope.months))
    rows = db.session.execute(statement.add_columns(key.label("key")).group_by(key, postings.c.reached))
    groups: dict[str, dict[int, int]] = {}
    for reached, count, name in rows:
        groups.setdefault(name, {})[reached] = count
    found = {name: _at_least(counted) for name, counted in groups.items()}
    if dimension == "month":
        return dict(sorted(found.items()))
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    return dict(ordered[:MOST_GROUPS])


def _all_clusters() -> Any:
    return union_all(
        select(
            _kind(PostingKind.CHALLENGE).label("kind"),
            ChallengeCluster.challenge_id.label("id"),
            ChallengeCluster.code.label("code"),
        ),
        select(_kind(PostingKind.NEED), NeedCluster.need_id, NeedCluster.code),
    ).subquery("clusters")


def _month_of(column: Any, months: Sequence[date]) -> Any:
    """The Shanghai month of an instant, told by where months begin: the databases need no calendar."""
    newest_first = [(column >= _begins(day), day.strftime("%Y-%m")) for day in reversed(months)]
    return case(*newest_first, else_="")


# --- supply -----------------------------------------------------------------------------------------------


def _capable(postings: Any) -> Any:
    """Open postings with how many different suppliers on their current list are capable."""
    capable = case(
        (
            and_(MatchEntry.score >= CAPABLE_FROM, ~has_unmet_must(MatchEntry.reasons)),
            MatchEntry.organisation_id,
        )
    )
    return (
        select(
            postings.c.kind,
            postings.c.id,
            func.count(capable.distinct()).label("capable"),
        )
        .select_from(postings)
        .outerjoin(
            MatchRun,
            and_(
                MatchRun.seeker_kind == postings.c.kind,
                MatchRun.seeker_id == postings.c.id,
                MatchRun.superseded_at.is_(None),
            ),
        )
        .outerjoin(MatchEntry, MatchEntry.run_id == MatchRun.id)
        .where(postings.c.is_open == 1)
        .group_by(postings.c.kind, postings.c.id)
        .subquery("supply")
    )


def _capable_band(supply: Any) -> Any:
    return case((supply.c.capable >= 3, 3), else_=supply.c.capable)


def count_capable(scope: Scope, *, now: datetime) -> dict[tuple[str, str], int]:
    """(kind, "0" | "1" | "2" | "3" and more) → open postings with so many capable suppliers."""
    supply = _capable(_postings(scope, now))
    band = _capable_band(supply)
    rows = db.session.execute(
        select(supply.c.kind, band.label("band"), func.count()).group_by(supply.c.kind, band)
    )
    return {(kind, str(count)): postings for kind, count, postings in rows}


# --- ages -------------------------------------------------------------------------------------------------


def _band(column: Any, ends: Sequence[int], now: datetime) -> Any:
    """The number of the band of days in which an instant lies."""
    return case(
        *((column > now - timedelta(days=days), place) for place, days in enumerate(ends)),
        else_=len(ends),
    )


def _in_scope(postings: Any) -> ColumnElement[bool]:
    return and_(Approach.posting_kind == postings.c.kind, Approach.posting_id == postings.c.id)


def count_waiting(scope: Scope, *, now: datetime) -> dict[tuple[str, int], int]:
    """(kind of approach, band of days) → how many wait for an answer for so long."""
    postings, band = _postings(scope, now), _band(Approach.sent_at, WAITING_BANDS, now)
    rows = db.session.execute(
        select(Approach.kind, band.label("band"), func.count())
        .join(postings, _in_scope(postings))
        .where(Approach.status == ApproachStatus.SENT, Approach.expires_at > now)
        .group_by(Approach.kind, band)
    )
    return {(kind.value, place): count for kind, place, count in rows}


def count_silent(scope: Scope, *, now: datetime) -> dict[tuple[str, int], int]:
    """(kind, band of days) → open postings for which nobody has invited or shown interest for so long."""
    postings = _postings(scope, now)
    band = _band(postings.c.published_at, SILENT_BANDS, now)
    rows = db.session.execute(
        select(postings.c.kind, band.label("band"), func.count())
        .where(postings.c.is_open == 1, postings.c.reached < 4)
        .group_by(postings.c.kind, band)
    )
    return {(kind, place): count for kind, place, count in rows}


# --- exposure ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Firm:
    """How often one supplier was shown to seekers, asked by them, and agreed with."""

    organisation_id: int
    name: str
    shown: int
    invited: int
    agreed: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """Over all suppliers that were shown at all; shares are between 0 and 1."""

    firms: list[Firm]
    total_firms: int
    total_shown: int
    top_share: float
    concentration: float


def _firms(scope: Scope, now: datetime) -> Any:
    """One row for each supplier that was shown to a seeker or asked in the months asked for."""
    postings = _postings(scope, now)
    shown = and_(MatchEvent.kind == EventKind.SHOWN, MatchEvent.side == Side.SEEKER)
    invited = and_(MatchEvent.kind == EventKind.INVITED, MatchEvent.side == Side.SEEKER)
    return (
        select(
            MatchEvent.organisation_id.label("organisation_id"),
            func.count().filter(shown).label("shown"),
            func.count().filter(invited).label("invited"),
            func.count().filter(MatchEvent.kind == EventKind.AGREED).label("agreed"),
        )
        .join(
            postings,
            and_(
                MatchEvent.posting_kind == postings.c.kind,
                MatchEvent.posting_id == postings.c.id,
            ),
        )
        .where(or_(shown, invited, MatchEvent.kind == EventKind.AGREED))
        .group_by(MatchEvent.organisation_id)
        .subquery("firms")
    )


def get_exposure(scope: Scope, *, now: datetime) -> Exposure:
    """Two statements: those shown most, and how the rest stands to them (Herfindahl index)."""
    firms = _firms(scope, now)
    rows = db.session.execute(
        select(firms, Organisation.name)
        .join(Organisation, Organisation.id == firms.c.organisation_id)
        .order_by(firms.c.shown.desc(), firms.c.invited.desc(), firms.c.organisation_id)
        .limit(FIRMS_SHOWN)
    ).all()
    found = [Firm(r.organisation_id, r.name, r.shown, r.invited, r.agreed) for r in rows]
    count, total, squares = db.session.execute(
        select(
            func.count().filter(firms.c.shown > 0),
            func.coalesce(func.sum(firms.c.shown), 0),
            func.coalesce(func.sum(firms.c.shown * firms.c.shown), 0),
        ).select_from(firms)
    ).one()
    total = int(total)
    return Exposure(
        firms=found,
        total_firms=count,
        total_shown=total,
        top_share=sum(firm.shown for firm in found) / total if total else 0.0,
        concentration=float(squares) / (total * total) if total else 0.0,
    )


# --- rows behind a figure ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Behind:
    """Which figure somebody wants to see the rows of: what it counts, and the value of its cell."""

    what: str
    value: str = ""
    dimension: str = ""
    key: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "Behind":
        dimension = args.get("by", "")
        return cls(
            what=args.get("what", "stage"),
            value=_code(args.get("value", "")),
            dimension=dimension if dimension in DIMENSIONS else "",
            key=_code(args.get("key", "")),
        )


def number_of(text: str, *, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 3 else 0


def select_postings(behind: Behind, scope: Scope, *, now: datetime) -> Select[Any]:
    """The postings that a figure counts, newest first."""
    postings = _postings(scope, now)
    statement = select(postings)
    if behind.what == "capable":
        supply = _capable(postings)
        statement = (
            statement.add_columns(supply.c.capable)
            .join(supply, and_(supply.c.kind == postings.c.kind, supply.c.id == postings.c.id))
            .where(_capable_band(supply) == number_of(behind.value, most=3))
        )
    elif behind.what == "silent":
        band = _band(postings.c.published_at, SILENT_BANDS, now)
        place = number_of(behind.value, most=len(SILENT_BANDS))
        statement = statement.where(postings.c.is_open == 1, postings.c.reached < 4, band == place)
    else:
        stage = STAGES.index(behind.value) if behind.value in STAGES else 0
        statement = statement.where(postings.c.reached >= stage, _in_group(behind, postings, scope, now))
    return statement.order_by(postings.c.published_at.desc(), postings.c.kind, postings.c.id.desc())


def _in_group(behind: Behind, postings: Any, scope: Scope, now: datetime) -> ColumnElement[bool]:
    if not behind.dimension:
        return true()
    if behind.dimension == "cluster":
        clusters = _all_clusters()
        return (
            select(clusters.c.id)
            .where(
                clusters.c.kind == postings.c.kind,
                clusters.c.id == postings.c.id,
                clusters.c.code == behind.key,
            )
            .exists()
        )
    if behind.dimension == "region":
        found: ColumnElement[bool] = postings.c.region == behind.key
        return found
    month: ColumnElement[bool] = (
        _month_of(postings.c.published_at, months_back(now, scope.months)) == behind.key
    )
    return month


def select_approaches(behind: Behind, scope: Scope, *, now: datetime) -> Select[Any]:
    """The approaches that wait for so long, the longest first: who and when, never what was written."""
    postings = _postings(scope, now)
    supplier = Organisation
    return (
        select(
            Approach.public_no,
            Approach.kind.label("approach_kind"),
            Approach.sent_at,
            Approach.expires_at,
            supplier.name.label("supplier"),
            postings.c.kind,
            postings.c.public_no.label("posting_no"),
            postings.c.title,
            postings.c.organisation,
        )
        .join(postings, _in_scope(postings))
        .join(supplier, supplier.id == Approach.supplier_organisation_id)
        .where(
            Approach.status == ApproachStatus.SENT,
            Approach.expires_at > now,
            _band(Approach.sent_at, WAITING_BANDS, now) == number_of(behind.value, most=len(WAITING_BANDS)),
        )
        .order_by(Approach.sent_at, Approach.id)
    )


def select_firm(organisation_id: int, scope: Scope, *, now: datetime) -> Select[Any]:
    """For which postings one supplier was shown and asked, most often first."""
    postings = _postings(scope, now)
    shown = func.count().filter(MatchEvent.kind == EventKind.SHOWN, MatchEvent.side == Side.SEEKER)
    return (
        select(
            postings.c.kind,
            postings.c.public_no,
            postings.c.title,
            postings.c.organisation,
            postings.c.published_at,
            postings.c.reached,
            shown.label("shown"),
        )
        .join(
            MatchEvent,
            and_(
                MatchEvent.posting_kind == postings.c.kind,
                MatchEvent.posting_id == postings.c.id,
            ),
        )
        .where(MatchEvent.organisation_id == organisation_id)
        .group_by(
            postings.c.kind,
            postings.c.id,
            postings.c.public_no,
            postings.c.title,
            postings.c.organisation,
            postings.c.published_at,
            postings.c.reached,
        )
        .order_by(shown.desc(), postings.c.kind, postings.c.id)
    )


def find_rows(behind: Behind, scope: Scope, *, now: datetime) -> Select[Any]:
    """The rows behind a figure; raises NotFound for a supplier that is none."""
    if behind.what == "firm":
        return select_firm(organisation_id_of(behind), scope, now=now)
    if behind.what == "waiting":
        return select_approaches(behind, scope, now=now)
    return select_postings(behind, scope, now=now)


def organisation_id_of(behind: Behind) -> int:
    """Raises NotFound for what cannot be a key of the database."""
    if not (behind.value.isascii() and behind.value.isdigit() and len(behind.value) <= LONGEST_ID):
        raise NotFound(behind.value)
    return int(behind.value)


def page_rows(statement: Select[Any], *, page: int, per_page: int = 20) -> Page[Any]:
    """One page of rows that are no entities: two statements."""
    total = db.session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    page = min(page, max(1, -(-total // per_page)), DEEPEST_PAGE)
    rows = db.session.execute(statement.limit(per_page).offset((page - 1) * per_page)).all()
    return Page(rows, page, per_page, total)
