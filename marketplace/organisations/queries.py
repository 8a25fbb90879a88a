"""Reading organisations, memberships and designations; who sees what is decided in `visible_to`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload, lazyload
from sqlalchemy.orm.interfaces import ORMOption

from marketplace.identity.models import User
from marketplace.identity.queries import SignedIn
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, for_change, in_transaction
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.organisations.kinds import LEADING, DesignationKind, OrganisationKind, OrganisationSize
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import (
    Designation,
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationCluster,
)
from marketplace.organisations.rules import REMINDERS, name_key

PUBLIC = (
    OrganisationStatus.VERIFIED,
    OrganisationStatus.SUSPENDED,
    OrganisationStatus.UNCLAIMED,
    OrganisationStatus.MERGED,
)
# What the public list shows.
LISTED = (OrganisationStatus.VERIFIED, OrganisationStatus.UNCLAIMED)
# These hold no code: a draft's is merely typed, and a collected organisation waits for its owner.
WITHOUT_CODE = (OrganisationStatus.DRAFT, OrganisationStatus.UNCLAIMED, OrganisationStatus.MERGED)


# --- who acts -------------------------------------------------------------------------------------------


def load_actor(facts: SignedIn, *, now: datetime) -> Actor:
    """The actor behind a session, with the organisation it acts for: one statement.

    That is the chosen one, and until a person has chosen, the first they belong to. Who no longer belongs to
    the chosen one acts for none: what was begun for it must not end up in another.
    """
    row = db.session.execute(
        _acting(chosen=facts.organisation_id is not None),
        {"user": facts.user_id, "organisation": facts.organisation_id, "today": business_date(now)},
    ).one_or_none()
    if row is None:
        return Actor(user_id=facts.user_id, name=facts.name, platform_role=facts.platform_role)
    role, organisation_id, name, status, kind, leading, number = row
    verified = status is OrganisationStatus.VERIFIED
    return Actor(
        user_id=facts.user_id,
        name=facts.name,
        platform_role=facts.platform_role,
        organisation_id=organisation_id,
        organisation_name=name,
        organisation_role=role,
        organisation_verified=verified,
        may_post_challenges=verified and kind is OrganisationKind.ENTERPRISE and bool(leading),
        acts_for_several=number > 1,
    )


@cache
def _acting(*, chosen: bool) -> Select[Any]:
    """Asked on every page of whoever is signed in, and so built once; its values are given when it is run."""
    user: BindParameter[int] = bindparam("user")
    today = bindparam("today", type_=Date)
    every = aliased(Membership)
    number = select(func.count(every.id)).where(
        every.user_id == user, every.status == MembershipStatus.ACTIVE
    )
    return (
        select(
            Membership.role,
            Organisation.id,
            Organisation.name,
            Organisation.status,
            Organisation.kind,
            is_leading(today).label("leading"),
            number.scalar_subquery().label("number"),
        )
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Membership.user_id == user,
            Membership.status == MembershipStatus.ACTIVE,
            Organisation.id == bindparam("organisation") if chosen else true(),
        )
        .order_by(Membership.id)
        .limit(1)
    )


def actor_for(user: User, *, now: datetime) -> Actor:
    """The actor that an account is in its first organisation: for commands that act as somebody."""
    return load_actor(SignedIn(0, "", user.id, user.name, user.email, user.platform_role, None, now), now=now)


def is_live(today: date | BindParameter[date]) -> ColumnElement[bool]:
    """A designation counts once an operator has confirmed it and until its last day."""
    return and_(
        Designation.confirmed_at.is_not(None),
        or_(Designation.valid_to.is_(None), Designation.valid_to >= today),
    )


def holds(today: date | BindParameter[date], kinds: Collection[DesignationKind]) -> ColumnElement[bool]:
    return (
        select(Designation.id)
        .where(Designation.organisation_id == Organisation.id, Designation.kind.in_(kinds), is_live(today))
        .correlate(Organisation)
        .exists()
    )


def is_leading(today: date | BindParameter[date]) -> ColumnElement[bool]:
    return holds(today, LEADING)


# --- one organisation -----------------------------------------------------------------------------------


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Verified, suspended and collected ones are public; the others are their members' and the platform's."""
    if actor.is_operator or actor.is_auditor or actor.is_system:
        return true()
    return or_(Organisation.status.in_(PUBLIC), Organisation.id == (actor.organisation_id or 0))


def get_organisation(organisation_id: int, *, viewer: Actor) -> Organisation:
    """The row; inside a transaction held to its end, so that what is judged is what is changed."""
    statement = select(Organisation).where(Organisation.id == organisation_id, visible_to(viewer))
    found = db.session.scalar(for_change(statement, Organisation))
    if found is None:
        raise NotFound(f"organisation {organisation_id}")
    return found


def get_for_change(organisation_id: int, *, viewer: Actor) -> Organisation:
    """The row, locked until the end of the transaction, so that two changes come one after the other."""
    found = db.session.scalar(
        select(Organisation)
        .where(Organisation.id == organisation_id, visible_to(viewer))
        .with_for_update(of=Organisation)
    )
    if found is None:
        raise NotFound(f"organisation {organisation_id}")
    return found


def lock_organisation(organisation_id: int) -> None:
    """Wait for whoever changes this organisation or its members, and keep others waiting."""
    db.session.execute(
        select(Organisation.id).where(Organisation.id == organisation_id).with_for_update(of=Organisation)
    )


def whose(owner: InstrumentedAttribute[Organisation]) -> ORMOption:
    """Load the organisation a row belongs to with the row, for its name and standing.

    Its clusters and designations, which few pages show beside a posting, come when they are asked for.
    """
    return joinedload(owner).options(lazyload(Organisation.clusters), lazyload(Organisation.designations))


def not_suspended(organisation_id: Any) -> ColumnElement[bool]:
    """Whether what an organisation posted is shown: not while it is suspended. Takes the column of its id."""
    suspended = select(Organisation.id).where(Organisation.status == OrganisationStatus.SUSPENDED)
    return cast(ColumnElement[bool], organisation_id.not_in(suspended))


def find_registered(uscc: str) -> Organisation | None:
    """The organisation that holds a code; drafts and collected ones do not."""
    return db.session.scalar(
        select(Organisation).where(Organisation.uscc == uscc, Organisation.status.not_in(WITHOUT_CODE))
    )


def find_unclaimed(name: str) -> Organisation | None:
    return db.session.scalar(
        select(Organisation)
        .where(
            Organisation.name_key == name_key(name)[:240],
            Organisation.status == OrganisationStatus.UNCLAIMED,
        )
        .order_by(Organisation.id)
        .limit(1)
    )


def live_designations(organisation: Organisation, *, now: datetime) -> list[Designation]:
    """Confirmed and unexpired: the ones that are shown and that count."""
    today = business_date(now)
    return [
        designation
        for designation in organisation.designations
        if designation.confirmed_at is not None
        and (designation.valid_to is None or designation.valid_to >= today)
    ]


def may_post_challenges(organisation: Organisation, *, now: datetime) -> bool:
    """Whether the organisation has the right to post now: a verified enterprise with a live leading title."""
    return (
        organisation.status is OrganisationStatus.VERIFIED
        and organisation.kind is OrganisationKind.ENTERPRISE
        and any(d.kind in LEADING for d in live_designations(organisation, now=now))
    )


# --- lists ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the public list was asked for."""

    q: str = ""
    kind: OrganisationKind | None = None
    clusters: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    designation: DesignationKind | None = None
    size: OrganisationSize | None = None
    # verified or unclaimed; both where nothing is said.
    standing: OrganisationStatus | None = None
    order: str = ""


def page_public(wanted: Wanted, *, page: int, now: datetime, per_page: int = 20) -> Page[Organisation]:
    """One page of the public list; the same statements for any number."""
    return paginate(select_public(wanted, now=now), page=page, per_page=per_page)


def select_public(wanted: Wanted, *, now: datetime) -> Select[Organisation]:
    """Verified and collected organisations, leading firms first."""
    today = business_date(now)
    statement = select(Organisation).where(
        Organisation.status.in_((wanted.standing,) if wanted.standing else LISTED)
    )
    if key := name_key(wanted.q):
        statement = statement.where(Organisation.name_key.contains(key, autoescape=True))
    if wanted.kind:
        statement = statement.where(Organisation.kind == wanted.kind)
    if wanted.regions:
        statement = statement.where(Organisation.region.in_(wanted.regions))
    if wanted.clusters:
        statement = statement.where(_in_clusters(wanted.clusters))
    if wanted.designation:
        statement = statement.where(holds(today, (wanted.designation,)))
    if wanted.size:
        statement = statement.where(Organisation.size == wanted.size)
    leading = case((is_leading(today), 0), else_=1)
    verified = case((Organisation.status == OrganisationStatus.VERIFIED, 0), else_=1)
    orders: dict[str, tuple[Any, ...]] = {
        "": (leading, verified, Organisation.name),
        "latest": (verified, Organisation.verified_at.desc()),
        "name": (Organisation.name,),
    }
    return statement.order_by(*orders.get(wanted.order, orders[""]), Organisation.id)


def _in_clusters(codes: Sequence[str]) -> ColumnElement[bool]:
    return (
        select(OrganisationCluster.code)
        .where(OrganisationCluster.organisation_id == Organisation.id, OrganisationCluster.code.in_(codes))
        .correlate(Organisation)
        .exists()
    )


def _with_open_designations() -> ColumnElement[bool]:
    return (
        select(Designation.id)
        .where(Designation.organisation_id == Organisation.id, Designation.confirmed_at.is_(None))
        .correlate(Organisation)
        .exists()
    )


def _with_lapsing_designations(today: date) -> ColumnElement[bool]:
    """A confirmed title that has lapsed or lapses within the first reminder's days."""
    return (
        select(Designation.id)
        .where(
            Designation.organisation_id == Organisation.id,
            Designation.confirmed_at.is_not(None),
            Designation.valid_to <= today + timedelta(REMINDERS[0]),
        )
        .correlate(Organisation)
        .exists()
    )


def select_queue(status: str) -> Select[Organisation]:
    """The operator's list, unpaged."""
    statement = select(Organisation)
    if status == "lapsing":
        first = (
            select(func.min(Designation.valid_to))
            .where(Designation.organisation_id == Organisation.id, Designation.confirmed_at.is_not(None))
            .correlate(Organisation)
            .scalar_subquery()
        )
        today = business_date(clock.now())
        return statement.where(
            Organisation.status.in_((OrganisationStatus.VERIFIED, OrganisationStatus.SUSPENDED)),
            _with_lapsing_designations(today),
        ).order_by(first, Organisation.id)
    if status == "designations":
        return statement.where(
            Organisation.status == OrganisationStatus.VERIFIED, _with_open_designations()
        ).order_by(Organisation.id)
    if status in set(OrganisationStatus):
        statement = statement.where(Organisation.status == OrganisationStatus(status))
    return statement.order_by(Organisation.submitted_at, Organisation.id)


def page_queue(status: str, *, page: int) -> Page[Organisation]:
    """The operator's list: by status, or those whose titles wait to be confirmed or are about to lapse."""
    return paginate(select_queue(status), page=page, per_page=20)


def count_by_status() -> dict[str, int]:
    rows = db.session.execute(select(Organisation.status, func.count()).group_by(Organisation.status))
    return {status.value: count for status, count in rows}


def count_open_designations() -> int:
    return _count(select_queue("designations"))


def count_lapsing_designations() -> int:
    return _count(select_queue("lapsing"))


def count_pending() -> int:
    return _count(select_queue(OrganisationStatus.PENDING.value))


def _count(statement: Select[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0


# --- memberships ----------------------------------------------------------------------------------------


def list_members(organisation_id: int) -> list[Membership]:
    """Those who belong and those who ask to, managers first."""
    order = case(
        (Membership.role == OrganisationRole.MANAGER, 0),
        (Membership.role == OrganisationRole.EDITOR, 1),
        else_=2,
    )
    return list(
        db.session.scalars(
            select(Membership)
            .where(
                Membership.organisation_id == organisation_id,
                Membership.status.in_((MembershipStatus.REQUESTED, MembershipStatus.ACTIVE)),
            )
            .order_by(Membership.status, order, Membership.id)
        )
    )


def get_membership(membership_id: int, *, organisation_id: int) -> Membership:
    """The membership; inside a transaction held to its end, so that what is judged is what is changed."""
    if in_transaction():
        # Before the membership, as in every act that holds both.
        lock_organisation(organisation_id)
    statement = select(Membership).where(
        Membership.id == membership_id, Membership.organisation_id == organisation_id
    )
    found = db.session.scalar(for_change(statement, Membership))
    if found is None:
        raise NotFound(f"membership {membership_id}")
    return found


def find_live_membership(user_id: int, *, organisation_id: int | None = None) -> Membership | None:
    """Where a person belongs or asks to belong, the older first; held to the end of a transaction."""
    return _find_membership(user_id, organisation_id, MembershipStatus.REQUESTED, MembershipStatus.ACTIVE)


def find_request(user_id: int) -> Membership | None:
    """A person's request to join that nobody has answered; held to the end of a transaction."""
    return _find_membership(user_id, None, MembershipStatus.REQUESTED)


def _find_membership(
    user_id: int, organisation_id: int | None, *statuses: MembershipStatus
) -> Membership | None:
    statement = select(Membership).where(Membership.user_id == user_id, Membership.status.in_(statuses))
    if organisation_id is not None:
        if in_transaction():
            lock_organisation(organisation_id)
        statement = statement.where(Membership.organisation_id == organisation_id)
    statement = statement.order_by(Membership.status, Membership.id).limit(1)
    return db.session.scalar(for_change(statement, Membership))


def list_organisations_of(user_id: int) -> list[tuple[int, str]]:
    """(id, name) of every organisation that a person may act for."""
    rows = db.session.execute(
        select(Organisation.id, Organisation.name)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.user_id == user_id, Membership.status == MembershipStatus.ACTIVE)
        .order_by(Organisation.name, Organisation.id)
    )
    return [(organisation_id, name) for organisation_id, name in rows]


def list_manager_ids(organisation_id: int) -> list[int]:
    return list(
        db.session.scalars(
            select(Membership.user_id)
            .join(User, User.id == Membership.user_id)
            .where(
                Membership.organisation_id == organisation_id,
                Membership.status == MembershipStatus.ACTIVE,
                Membership.role == OrganisationRole.MANAGER,
                # A shut account manages nothing.
                User.disabled_at.is_(None),
            )
            .order_by(Membership.user_id)
        )
    )


def count_requests(organisation_id: int) -> int:
    return _count(
        select(Membership.id).where(
            Membership.organisation_id == organisation_id, Membership.status == MembershipStatus.REQUESTED
        )
    )
