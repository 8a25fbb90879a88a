"""What the home page shows: the marketplace in figures and its newest things, public rows only.

Each function runs a fixed number of statements, however many rows there are. What one feature knows by
itself is asked of that feature's queries; here is what no feature owns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import selectinload

from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.queries import PUBLIC as PUBLIC_CAPABILITIES
from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import taken_up_at
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.kernel.kept import kept
from marketplace.matching.models import MatchRun
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need
from marketplace.needs.queries import open_at as need_open_at
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Organisation
from marketplace.organisations.queries import is_leading, not_suspended, whose


@dataclass(frozen=True, slots=True)
class Figures:
    #: Where fewer are public, counting is cheap and is done each time.
    FEW: ClassVar[int] = 500

    open_challenges: int
    open_budget_fen: int
    capabilities: int
    needs: int
    organisations: int
    runs: int

    def are_many(self) -> bool:
        return self.open_challenges + self.capabilities + self.needs > self.FEW


def get_figures(now: datetime) -> Figures:
    """The marketplace in six numbers; one statement."""
    opened = taken_up_at(now)
    row = db.session.execute(
        select(
            select(func.count()).select_from(Challenge).where(opened).scalar_subquery(),
            select(func.coalesce(func.sum(Challenge.budget_fen), 0)).where(opened).scalar_subquery(),
            select(func.count())
            .select_from(Capability)
            .where(Capability.status.in_(PUBLIC_CAPABILITIES), not_suspended(Capability.organisation_id))
            .scalar_subquery(),
            select(func.count()).select_from(Need).where(need_open_at(now)).scalar_subquery(),
            select(func.count())
            .select_from(Organisation)
            .where(Organisation.status == OrganisationStatus.VERIFIED)
            .scalar_subquery(),
            select(func.count()).select_from(MatchRun).scalar_subquery(),
        )
    ).one()
    return Figures(*(int(value) for value in row))


def list_latest_challenges(now: datetime, *, limit: int = 6) -> Sequence[Challenge]:
    """The newest challenges that may be taken up."""
    return db.session.scalars(
        select(Challenge)
        .options(whose(Challenge.organisation), selectinload(Challenge.clusters))
        .where(taken_up_at(now))
        .order_by(Challenge.published_at.desc(), Challenge.id.desc())
        .limit(limit)
    ).all()


def list_closing_challenges(now: datetime, *, limit: int = 4) -> Sequence[Challenge]:
    """Those that close next, the nearest first."""
    return db.session.scalars(
        select(Challenge).where(taken_up_at(now)).order_by(Challenge.closes_at, Challenge.id).limit(limit)
    ).all()


@dataclass(frozen=True, slots=True)
class Move:
    """Something newly wanted (need) or offered (capability)."""

    kind: str
    public_no: str
    title: str
    organisation_name: str
    published_at: datetime


def list_moves(now: datetime, *, limit: int = 6) -> list[Move]:
    """The newest needs and capabilities together, newest first; one statement."""
    wanted = (
        select(literal("need"), Need.public_no, Need.title, Organisation.name, Need.published_at)
        .join(Organisation, Organisation.id == Need.organisation_id)
        .where(need_open_at(now), Need.status == NeedStatus.PUBLISHED)
        .order_by(Need.published_at.desc(), Need.id.desc())
        .limit(limit)
        .subquery()
    )
    offered = (
        select(
            literal("capability"),
            Capability.public_no,
            Capability.title,
            Organisation.name,
            Capability.published_at,
        )
        .join(Organisation, Organisation.id == Capability.organisation_id)
        .where(Capability.status == CapabilityStatus.PUBLISHED, not_suspended(Capability.organisation_id))
        .order_by(Capability.published_at.desc(), Capability.id.desc())
        .limit(limit)
        .subquery()
    )
    both = union_all(select(wanted), select(offered)).subquery()
    newest = select(both).order_by(both.c[4].desc(), both.c[1].desc()).limit(limit)
    return [Move(*row) for row in db.session.execute(newest)]


@dataclass(frozen=True, slots=True)
class LeaderFirm:
    organisation_id: int
    name: str
    cluster: str
    challenges: int
    needs: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the home page counts over everything."""

    figures: Figures
    leaders: Sequence[LeaderFirm]


def get_standing(now: datetime) -> Standing:
    """Kept for a minute once the marketplace is large; a firm that is suspended is named no longer."""
    found = kept(
        "portal.standing",
        lambda: Standing(get_figures(now), list_leaders(now)),
        worth=lambda standing: standing.figures.are_many(),
    )
    if found.since is None:
        return found.value
    ids = [leader.organisation_id for leader in found.value.leaders]
    verified = Organisation.status == OrganisationStatus.VERIFIED
    left = set(db.session.scalars(select(Organisation.id).where(Organisation.id.in_(ids), verified)))
    return replace(found.value, leaders=[one for one in found.value.leaders if one.organisation_id in left])


def list_leaders(now: datetime, *, limit: int = 10) -> list[LeaderFirm]:
    """Verified firms with a confirmed leading title that still holds, the busiest first."""
    challenges = (
        select(func.count())
        .where(Challenge.organisation_id == Organisation.id, taken_up_at(now))
        .scalar_subquery()
    )
    needs = (
        select(func.count())
        .where(
            Need.organisation_id == Organisation.id, need_open_at(now), Need.status == NeedStatus.PUBLISHED
        )
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Organisation, challenges.label("challenges"), needs.label("needs"))
        .where(Organisation.status == OrganisationStatus.VERIFIED, is_leading(business_date(now)))
        .order_by(challenges.desc(), needs.desc(), Organisation.id)
        .limit(limit)
    )
    return [
        LeaderFirm(
            organisation.id,
            organisation.short_name or organisation.name,
            organisation.clusters[0].code if organisation.clusters else "",
            open_challenges,
            open_needs,
        )
        for organisation, open_challenges, open_needs in rows
    ]
