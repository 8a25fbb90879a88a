"""Questions about challenges. Rows are seen through `visible_to(actor)`; the annex has a query of its own."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import selectinload

from marketplace.challenges.kinds import BOARD_LABELS
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import (
    Challenge,
    ChallengeAnnex,
    ChallengeChainLink,
    ChallengeCluster,
    DeadlineAct,
    DeadlineChange,
)
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, find_row, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.money import FEN_PER_WAN
from marketplace.kernel.texts import N_
from marketplace.organisations.models import Organisation
from marketplace.organisations.queries import not_suspended, whose
from marketplace.postings import matchable
from marketplace.postings.codes import chain_facets
from marketplace.postings.listing import (
    Facet,
    Listing,
    ListQuery,
    Option,
    Order,
    build_listing,
    group_by,
    in_industry,
    in_region,
    wider_industries,
)
from marketplace.postings.matchable import Conditions, Matchable
from marketplace.postings.queries import designations_of, is_in_good_standing, standing_of
from marketplace.postings.texts import without
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.regions import province_of, wider_regions

S = ChallengeStatus
# Once public, readable for good.
READABLE = (S.PUBLISHED, S.WITHDRAWN, S.COLLECTED)
# What the matcher must know of, were it only that it is over.
KNOWN = (*READABLE, S.TAKEN_DOWN)
# Band → (from, below), in 万元.
BUDGETS = {
    "0-50": (0, 50),
    "50-100": (50, 100),
    "100-500": (100, 500),
    "500-1000": (500, 1000),
    "1000-": (1000, None),
}
TRLS = {"1-3": (1, 3), "4-6": (4, 6), "7-9": (7, 9)}
FACETS = ("status", "board", "cluster", "chain", "budget", "trl", "form", "region", "industry")


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Once public, readable for good; all of the owner's for its members; the platform sees what to check."""
    readable: ColumnElement[bool] = Challenge.status.in_(READABLE)
    if not (actor.is_operator or actor.is_auditor):
        readable = and_(readable, not_suspended(Challenge.organisation_id))
    rules: list[ColumnElement[bool]] = [readable]
    if actor.organisation_id is not None and actor.organisation_role is not None:
        rules.append(Challenge.organisation_id == actor.organisation_id)
    if actor.is_operator or actor.is_auditor:
        rules.append(Challenge.status.in_((S.SUBMITTED, S.TAKEN_DOWN)))
    return or_(*rules)


def taken_up_at(now: datetime) -> ColumnElement[bool]:
    """Whether it may be taken up: published and not yet closed by the clock. Collected ones never are."""
    return and_(
        Challenge.status == S.PUBLISHED,
        Challenge.closes_at > now,
        not_suspended(Challenge.organisation_id),
    )


def matched_at(now: datetime) -> ColumnElement[bool]:
    """Whether capabilities are ranked for it."""
    return or_(Challenge.status == S.COLLECTED, taken_up_at(now))


def _whole() -> Select[Challenge]:
    return select(Challenge).options(
        whose(Challenge.organisation),
        selectinload(Challenge.indicators),
        selectinload(Challenge.clusters),
        selectinload(Challenge.chain_links),
    )


def get_challenge(public_no: str, *, viewer: Actor) -> Challenge:
    """Raises NotFound for one that does not exist or that the viewer may not know of."""
    statement = _whole().where(Challenge.public_no == public_no, visible_to(viewer))
    found = db.session.scalar(for_change(statement, Challenge))
    if found is None:
        raise NotFound(public_no)
    return found


def find_by_id(challenge_id: int) -> Challenge | None:
    """The row itself, for whoever has been asked about it by id; who may see it is asked of `sees`."""
    return find_row(Challenge, challenge_id)


def sees(challenge_id: int, viewer: Actor) -> bool:
    statement = select(Challenge.id).where(Challenge.id == challenge_id, visible_to(viewer))
    return db.session.scalar(statement) is not None


def existing(ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(select(Challenge.id).where(Challenge.id.in_(ids))))


def find_gone(public_no: str) -> Challenge | None:
    """One that was public and is taken down: everybody may know that it was there, and why it is gone."""
    return db.session.scalar(
        select(Challenge).where(
            Challenge.public_no == public_no,
            Challenge.published_at.is_not(None),
            Challenge.status.in_((S.TAKEN_DOWN, S.SUBMITTED, S.RETURNED)),
        )
    )


def list_deadline_changes(challenge_id: int) -> list[DeadlineChange]:
    """How often and why the closing day was moved, the latest first."""
    statement = select(DeadlineChange).where(DeadlineChange.challenge_id == challenge_id)
    return list(db.session.scalars(statement.order_by(DeadlineChange.id.desc()).limit(20)))


def count_extensions(challenge_id: int) -> int:
    """How often it was given more time."""
    statement = select(func.count()).select_from(DeadlineChange)
    extended = (DeadlineChange.challenge_id == challenge_id, DeadlineChange.act == DeadlineAct.EXTEND)
    return db.session.scalar(statement.where(*extended)) or 0


def get_own(public_no: str, *, viewer: Actor) -> Challenge:
    """One of the viewer's own organisation; raises NotFound for any other."""
    challenge = get_challenge(public_no, viewer=viewer)
    if not viewer.belongs_to(challenge.organisation_id):
        raise NotFound(public_no)
    return challenge


def find_annex(challenge: Challenge, *, viewer: Actor) -> str | None:
    """The confidential text, for the owner's members alone: neither operator nor auditor reads it.

    Raises NotFound for everybody else, whether there is an annex or not.
    """
    if not viewer.belongs_to(challenge.organisation_id) or viewer.organisation_role is None:
        raise NotFound(challenge.public_no)
    return db.session.scalar(select(ChallengeAnnex.text).where(ChallengeAnnex.challenge_id == challenge.id))


def find_organisation(organisation_id: int | None) -> Organisation | None:
    return None if organisation_id is None else db.session.get(Organisation, organisation_id)


def list_own(viewer: Actor) -> list[Challenge]:
    """The challenges of the viewer's organisation, the last changed first."""
    if viewer.organisation_id is None:
        return []
    statement = (
        _whole()
        .where(Challenge.organisation_id == viewer.organisation_id)
        .order_by(Challenge.updated_at.desc(), Challenge.id.desc())
        .limit(500)
    )
    return list(db.session.scalars(statement))


def list_submitted() -> list[Challenge]:
    """What waits to be checked, the longest waiting first."""
    statement = _whole().where(Challenge.status == S.SUBMITTED).order_by(Challenge.submitted_at, Challenge.id)
    return list(db.session.scalars(statement.limit(500)))


def count_submitted() -> int:
    return _count(Challenge.status == S.SUBMITTED)


def count_returned(organisation_id: int | None) -> int:
    return _count(Challenge.organisation_id == organisation_id, Challenge.status == S.RETURNED)


def _count(*where: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(Challenge).where(*where)) or 0


# --- the hall ---------------------------------------------------------------------------------------------


def list_hall(query: ListQuery, *, now: datetime, per_page: int = 10) -> Listing:
    """揭榜大厅: everything that is or was public, what is open first."""
    visible, facets, orders = hall_parts(now=now)
    return build_listing(
        Challenge, query=query, visible=visible, facets=facets, orders=orders, per_page=per_page
    )


def hall_parts(*, now: datetime) -> tuple[Select[Challenge], list[Facet], tuple[Order, ...]]:
    """What the hall is made of: its rows, its facets and its orders."""
    closed = and_(Challenge.status == S.PUBLISHED, Challenge.closes_at <= now)
    standing = (taken_up_at(now), Challenge.status == S.COLLECTED, closed)
    conditions = {
        "open": taken_up_at(now),
        "closed": closed,
        "collected": Challenge.status == S.COLLECTED,
        "withdrawn": Challenge.status == S.WITHDRAWN,
    }
    newest = Challenge.published_at.desc()
    return (
        # Everybody sees the same hall: own drafts stand in the workbench.
        select(Challenge)
        .options(whose(Challenge.organisation), selectinload(Challenge.clusters))
        .where(Challenge.status.in_(READABLE), not_suspended(Challenge.organisation_id)),
        _facets(conditions),
        (
            Order("", N_("综合"), (newest,), standing),
            Order("latest", N_("最新发布"), (newest,)),
            Order("budget", N_("榜额最高"), (func.coalesce(Challenge.budget_fen, 0).desc(), newest)),
            Order("closing", N_("即将截止"), (Challenge.closes_at.asc(),), standing),
        ),
    )


def _facets(statuses: dict[str, ColumnElement[bool]]) -> list[Facet]:
    names = {
        "open": N_("揭榜中"),
        "closed": N_("已截止"),
        "collected": N_("收录"),
        "withdrawn": N_("已撤榜"),
    }
    forms = {
        "sme": (N_("仅限中小企业"), Challenge.sme_only.is_(True)),
        "consortium": (N_("可联合体"), Challenge.consortium_allowed.is_(True)),
        "race": (N_("取多家"), Challenge.takers_wanted > 1),
    }
    clusters = [Option(code, name) for code, name, _tier in taxonomy.cluster_pairs()]
    return [
        Facet(
            "status",
            N_("揭榜状态"),
            [Option(value, label) for value, label in names.items()],
            lambda value: statuses[value],
        ),
        Facet(
            "board",
            N_("榜单类型"),
            [Option(board.value, label) for board, label in BOARD_LABELS.items()],
            lambda value: Challenge.board == value,
            column=Challenge.board,
        ),
        Facet(
            "cluster",
            N_("产业集群"),
            clusters,
            lambda value: Challenge.id.in_(
                select(ChallengeCluster.challenge_id).where(ChallengeCluster.code == value)
            ),
            group=group_by(ChallengeCluster.code, ChallengeCluster.challenge_id),
        ),
        *chain_facets(ChallengeChainLink, ChallengeChainLink.challenge_id, Challenge.id),
        Facet("budget", N_("榜额区间"), _budget_options(), _in_budget),
        Facet(
            "trl",
            N_("目标成熟度"),
            [Option(value, f"TRL {value.replace('-', '–')}") for value in TRLS],
            lambda value: Challenge.trl_target.between(*TRLS[value]),
        ),
        Facet(
            "form",
            N_("揭榜形式"),
            [Option(value, label) for value, (label, _) in forms.items()],
            lambda value: and_(forms[value][1], Challenge.status != S.COLLECTED),
        ),
        Facet(
            "region",
            N_("地区"),
            [
                Option(code, name, parent="" if code == province_of(code) else province_of(code))
                for code, name, _province in taxonomy.region_pairs()
            ],
            in_region(Challenge.region),
            column=Challenge.region,
            stands_for=wider_regions,
        ),
        Facet(
            "industry",
            N_("行业"),
            [Option(code, f"{code} {name}") for code, name, _ in taxonomy.grouped_pairs(Scheme.INDUSTRY)],
            in_industry(Challenge.industry),
            column=Challenge.industry,
            stands_for=wider_industries,
        ),
    ]


def _budget_options() -> list[Option]:
    labels = {
        "0-50": N_("50 万元以下"),
        "50-100": N_("50–100 万元"),
        "100-500": N_("100–500 万元"),
        "500-1000": N_("500–1000 万元"),
        "1000-": N_("1000 万元以上"),
        "negotiable": N_("面议"),
    }
    return [Option(value, label) for value, label in labels.items()]


def _in_budget(value: str) -> ColumnElement[bool]:
    if value == "negotiable":
        return Challenge.negotiable.is_(True)
    least, below = BUDGETS[value]
    found = Challenge.budget_fen >= least * FEN_PER_WAN
    return found if below is None else and_(found, Challenge.budget_fen < below * FEN_PER_WAN)


# --- for matching: public fields only ---------------------------------------------------------------------

SECTIONS = ("background", "problem", "existing_basis", "effect_goals", "requirements", "acceptance")


def list_open_ids(now: datetime) -> list[int]:
    """The challenges that capabilities are ranked for now."""
    return list(db.session.scalars(select(Challenge.id).where(matched_at(now)).order_by(Challenge.id)))


def list_versions(now: datetime) -> dict[int, int]:
    """Matched challenge id → version, for finding what has changed since it was last ranked."""
    rows = db.session.execute(
        select(Challenge.id, Challenge.version).where(matched_at(now)).order_by(Challenge.id)
    )
    return {row.id: row.version for row in rows}


def read_matchables(ids: Sequence[int], *, now: datetime | None = None) -> list[Matchable]:
    """Challenges that are or were public as the matcher may know them, by id; three statements a 500.

    Withdrawn and taken down ones come as inactive. Drafts are left out: nobody ranks for what is none.
    """
    now = now or clock.now()
    found: list[Matchable] = []
    for start in range(0, len(ids), 500):
        statement = _whole().where(Challenge.id.in_(ids[start : start + 500]), Challenge.status.in_(KNOWN))
        found += [_matchable(row, now=now) for row in db.session.scalars(statement.order_by(Challenge.id))]
    return found


def _matchable(challenge: Challenge, *, now: datetime) -> Matchable:
    organisation, withheld = challenge.organisation, challenge.withheld
    indicators = tuple(row.as_indicator() for row in challenge.indicators)
    sections = [(name, without(getattr(challenge, name), withheld)) for name in SECTIONS]
    return Matchable(
        kind="challenge",
        id=challenge.id,
        version=challenge.version,
        title=without(challenge.title, withheld),
        sections=matchable.written(sections),
        keywords=tuple(challenge.keywords),
        clusters=tuple(cluster.code for cluster in challenge.clusters),
        region=challenge.region or "",
        industry=challenge.industry or "",
        trl=challenge.trl_current,
        trl_target=challenge.trl_target,
        indicators=indicators,
        cooperation=tuple(challenge.cooperation),
        organisation_id=challenge.organisation_id,
        organisation_kind=organisation.kind.value,
        organisation_size=organisation.size.value if organisation.size else "",
        designations=designations_of(organisation, now=now),
        standing=standing_of(organisation),
        active=challenge.status not in (S.WITHDRAWN, S.TAKEN_DOWN) and is_in_good_standing(organisation),
        valid_until=challenge.closes_at,
        conditions=_conditions(challenge),
    )


def _conditions(challenge: Challenge) -> Conditions:
    # Where a consortium may answer, only its lead has to be an SME: institutes, testers and large firms may
    # be its members, and a shortlist without them would hide the partners that the seeker needs.
    if challenge.sme_only and not challenge.consortium_allowed:
        return Conditions(kinds=("enterprise",), sizes=matchable.SME_SIZES)
    return Conditions()
