"""What waits for one organisation or for the platform: own things, recommendations, deadlines, queues.

Each function runs a fixed number of statements, however many rows there are. Here: questions across
features for the workbench. Not here: what one feature knows by itself, and how anything is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import joinedload

from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability, Certificate
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import taken_up_at
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.kernel.outbox import QueueState, queue_state
from marketplace.matching.models import MatchEntry, MatchRun, PostingKind
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need
from marketplace.needs.queries import open_at as need_open_at
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Designation, Membership, MembershipStatus, Organisation

DEADLINES_AHEAD = timedelta(days=45)
RUNS_OF = timedelta(days=7)
# Below this many points of 100 a shortlist has room, but a supplier has hardly a chance.
RECOMMENDED_FROM = 40.0


def get_organisation(organisation_id: int) -> Organisation:
    return db.session.execute(select(Organisation).where(Organisation.id == organisation_id)).scalar_one()


@dataclass(frozen=True, slots=True)
class OwnCounts:
    """How many things of one organisation stand where."""

    challenges: dict[ChallengeStatus, int]
    needs: dict[NeedStatus, int]
    capabilities: dict[CapabilityStatus, int]


def get_own_counts(organisation_id: int) -> OwnCounts:
    return OwnCounts(
        challenges=_by_status(Challenge, organisation_id),
        needs=_by_status(Need, organisation_id),
        capabilities=_by_status(Capability, organisation_id),
    )


def _by_status(entity: Any, organisation_id: int) -> dict[Any, int]:
    rows = db.session.execute(
        select(entity.status, func.count())
        .where(entity.organisation_id == organisation_id)
        .group_by(entity.status)
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class OwnChallenge:
    """A challenge with the state of its current shortlist, if it has been ranked."""

    challenge: Challenge
    ranked_at: datetime | None
    shortlisted: int
    best_score: float | None


def list_own_challenges(organisation_id: int, *, limit: int = 8) -> list[OwnChallenge]:
    """The newest, each with how its shortlist stands."""
    shortlisted = (
        select(func.count()).where(MatchEntry.run_id == MatchRun.id).correlate(MatchRun).scalar_subquery()
    )
    best = (
        select(func.max(MatchEntry.score))
        .where(MatchEntry.run_id == MatchRun.id)
        .correlate(MatchRun)
        .scalar_subquery()
    )
    current = and_(
        MatchRun.seeker_kind == PostingKind.CHALLENGE,
        MatchRun.seeker_id == Challenge.id,
        MatchRun.superseded_at.is_(None),
    )
    newest = (Challenge.updated_at.desc(), Challenge.id.desc())
    # The ids come first: nothing is counted for challenges that are not shown.
    shown = select(Challenge.id).where(Challenge.organisation_id == organisation_id)
    rows = db.session.execute(
        select(Challenge, MatchRun.finished_at, shortlisted, best)
        .outerjoin(MatchRun, current)
        .where(Challenge.id.in_(shown.order_by(*newest).limit(limit)))
        .order_by(*newest)
    )
    return [
        OwnChallenge(challenge, ranked_at, count or 0, score) for challenge, ranked_at, count, score in rows
    ]


@dataclass(frozen=True, slots=True)
class Recommended:
    """A challenge or need that fits a capability of the organisation, with the organisation's own line."""

    posting: Any
    entry: MatchEntry
    capability_no: str
    capability_title: str


def list_recommended_challenges(organisation_id: int, *, now: datetime, limit: int = 5) -> list[Recommended]:
    """Open challenges that the organisation stands a chance for, by its best score."""
    return _recommended(Challenge, PostingKind.CHALLENGE, taken_up_at(now), organisation_id, limit)


def list_recommended_needs(organisation_id: int, *, now: datetime, limit: int = 5) -> list[Recommended]:
    """Open needs that the organisation stands a chance for, by its best score."""
    opened = and_(need_open_at(now), Need.status == NeedStatus.PUBLISHED)
    return _recommended(Need, PostingKind.NEED, opened, organisation_id, limit)


def _best_lines(kind: PostingKind, organisation_id: int) -> Select[Any]:
    """The organisation's best entry on each current shortlist: one row a seeker."""
    rank = func.row_number().over(
        partition_by=MatchRun.seeker_id, order_by=(MatchEntry.score.desc(), MatchEntry.capability_id)
    )
    ranked = (
        select(MatchEntry.id.label("entry_id"), MatchRun.seeker_id.label("seeker_id"), rank.label("rank"))
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(
            MatchEntry.organisation_id == organisation_id,
            MatchEntry.score >= RECOMMENDED_FROM,
            MatchRun.seeker_kind == kind,
            MatchRun.superseded_at.is_(None),
        )
        .subquery()
    )
    return select(ranked.c.entry_id, ranked.c.seeker_id).where(ranked.c.rank == 1)


def _recommended(
    entity: Any, kind: PostingKind, opened: Any, organisation_id: int, limit: int
) -> list[Recommended]:
    best = _best_lines(kind, organisation_id).subquery()
    rows = db.session.execute(
        select(entity, MatchEntry, Capability.public_no, Capability.title)
        .join(best, best.c.seeker_id == entity.id)
        .join(MatchEntry, MatchEntry.id == best.c.entry_id)
        .join(Capability, Capability.id == MatchEntry.capability_id)
        .options(joinedload(entity.organisation))
        .where(opened, entity.organisation_id != organisation_id)
        .order_by(MatchEntry.score.desc(), entity.id)
        .limit(limit)
    )
    return [Recommended(*row) for row in rows]


def count_recommended(organisation_id: int, *, now: datetime) -> tuple[int, int]:
    """How many open challenges and needs the organisation stands a chance for."""
    counts = []
    for entity, kind, opened in (
        (Challenge, PostingKind.CHALLENGE, taken_up_at(now)),
        (Need, PostingKind.NEED, and_(need_open_at(now), Need.status == NeedStatus.PUBLISHED)),
    ):
        best = _best_lines(kind, organisation_id).subquery()
        counts.append(
            db.session.scalar(
                select(func.count())
                .select_from(entity)
                .join(best, best.c.seeker_id == entity.id)
                .where(opened, entity.organisation_id != organisation_id)
            )
            or 0
        )
    return counts[0], counts[1]


@dataclass(frozen=True, slots=True)
class Deadline:
    """`kind`: challenge, need, certificate or designation; `on` is the last Shanghai day."""

    kind: str
    title: str
    on: date | datetime
    public_no: str = ""


def list_deadlines(organisation_id: int, *, now: datetime, limit: int = 8) -> list[Deadline]:
    """What ends for an organisation in the weeks ahead, the nearest first; four statements."""
    today, until = business_date(now), now + DEADLINES_AHEAD
    last_day = today + DEADLINES_AHEAD
    challenges = db.session.execute(
        select(Challenge.title, Challenge.closes_at, Challenge.public_no)
        .where(Challenge.organisation_id == organisation_id, taken_up_at(now), Challenge.closes_at <= until)
        .order_by(Challenge.closes_at, Challenge.id)
        .limit(limit)
    )
    needs = db.session.execute(
        select(Need.title, Need.expires_at, Need.public_no)
        .where(
            Need.organisation_id == organisation_id,
            Need.status == NeedStatus.PUBLISHED,
            Need.expires_at > now,
            Need.expires_at <= until,
        )
        .order_by(Need.expires_at, Need.id)
        .limit(limit)
    )
    certificates = db.session.execute(
        select(Certificate.name, Certificate.valid_to, Capability.public_no)
        .join(Capability, Capability.id == Certificate.capability_id)
        .where(
            Capability.organisation_id == organisation_id,
            Capability.status == CapabilityStatus.PUBLISHED,
            Certificate.valid_to.between(today, last_day),
        )
        .order_by(Certificate.valid_to, Certificate.id)
        .limit(limit)
    )
    designations = db.session.execute(
        select(Designation.kind, Designation.valid_to)
        .where(
            Designation.organisation_id == organisation_id,
            Designation.confirmed_at.is_not(None),
            Designation.valid_to.between(today, last_day),
        )
        .order_by(Designation.valid_to, Designation.id)
        .limit(limit)
    )
    found = [
        *(Deadline("challenge", title, at, number) for title, at, number in challenges if at),
        *(Deadline("need", title, at, number) for title, at, number in needs if at),
        *(Deadline("certificate", name, on, number) for name, on, number in certificates if on),
        *(Deadline("designation", kind.value, on) for kind, on in designations if on),
    ]
    return sorted(found, key=lambda d: (_day(d.on), d.kind, d.public_no))[:limit]


def _day(moment: date | datetime) -> date:
    return business_date(moment) if isinstance(moment, datetime) else moment


def list_unfinished_challenges(organisation_id: int, *, limit: int = 5) -> Sequence[Challenge]:
    """Returned ones first, then drafts: what the seeker's editors have to go on with."""
    return db.session.scalars(
        select(Challenge)
        .where(
            Challenge.organisation_id == organisation_id,
            Challenge.status.in_((ChallengeStatus.RETURNED, ChallengeStatus.DRAFT)),
        )
        .order_by(
            (Challenge.status == ChallengeStatus.RETURNED).desc(), Challenge.updated_at.desc(), Challenge.id
        )
        .limit(limit)
    ).all()


def count_join_requests(organisation_id: int) -> int:
    return (
        db.session.scalar(
            select(func.count()).where(
                Membership.organisation_id == organisation_id,
                Membership.status == MembershipStatus.REQUESTED,
            )
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class PlatformWork:
    """What waits for the operator, and how the ranking is doing."""

    submitted: int
    oldest_submitted_at: datetime | None
    pending: int
    oldest_pending_at: datetime | None
    runs: int
    recent_runs: int
    last_run_at: datetime | None
    collected: int
    queue: QueueState


def get_platform_work(now: datetime) -> PlatformWork:
    """Two statements."""
    submitted = Challenge.status == ChallengeStatus.SUBMITTED
    pending = Organisation.status == OrganisationStatus.PENDING
    row = db.session.execute(
        select(
            select(func.count()).select_from(Challenge).where(submitted).scalar_subquery(),
            select(func.min(Challenge.submitted_at)).where(submitted).scalar_subquery(),
            select(func.count()).select_from(Organisation).where(pending).scalar_subquery(),
            select(func.min(Organisation.submitted_at)).where(pending).scalar_subquery(),
            select(func.count()).select_from(MatchRun).scalar_subquery(),
            select(func.count())
            .select_from(MatchRun)
            .where(MatchRun.finished_at > now - RUNS_OF)
            .scalar_subquery(),
            select(func.max(MatchRun.finished_at)).scalar_subquery(),
            select(func.count())
            .select_from(Challenge)
            .where(Challenge.status == ChallengeStatus.COLLECTED)
            .scalar_subquery(),
        )
    ).one()
    names = [field.name for field in fields(PlatformWork) if field.name != "queue"]
    return PlatformWork(**dict(zip(names, row, strict=True)), queue=queue_state(now=now))


def list_submitted_challenges(*, limit: int = 6) -> Sequence[Challenge]:
    """The review queue, the longest waiting first."""
    return db.session.scalars(
        select(Challenge)
        .options(joinedload(Challenge.organisation))
        .where(Challenge.status == ChallengeStatus.SUBMITTED)
        .order_by(Challenge.submitted_at, Challenge.id)
        .limit(limit)
    ).all()


def list_pending_organisations(*, limit: int = 6) -> Sequence[Organisation]:
    """Those that wait to be verified, the longest waiting first."""
    return db.session.scalars(
        select(Organisation)
        .where(Organisation.status == OrganisationStatus.PENDING)
        .order_by(Organisation.submitted_at, Organisation.id)
        .limit(limit)
    ).all()
