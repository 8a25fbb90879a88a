"""Questions about approaches, contacts, dismissals and notes. Rows are seen through `visible_to(actor)`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.challenges import queries as challenges
from marketplace.challenges.models import Challenge
from marketplace.engagement.kinds import ApproachKind, Side
from marketplace.engagement.lifecycle import ApproachStatus as S
from marketplace.engagement.models import Approach, Dismissal, Interest, Invitation, Note, OpenedContact
from marketplace.engagement.rules import REMINDED_BEFORE, Candidate, Sent
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.dates import business_date, end_of_business_day
from marketplace.kernel.db import db, for_change
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page, paginate
from marketplace.matching.models import MatchEntry, MatchRun, PostingKind
from marketplace.needs import queries as needs
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Membership, MembershipStatus, Organisation

PATHS = {PostingKind.CHALLENGE: "challenges", PostingKind.NEED: "needs"}
KINDS = {path: kind for kind, path in PATHS.items()}
WRITERS = (OrganisationRole.MANAGER, OrganisationRole.EDITOR)
MOST_AT_ONCE = 50


# --- postings ---------------------------------------------------------------------------------------------


def kind_of(posting: Any) -> PostingKind:
    return PostingKind.CHALLENGE if isinstance(posting, Challenge) else PostingKind.NEED


def get_posting(kind: PostingKind, public_no: str, *, viewer: Actor) -> Any:
    """The challenge or need, held to the end of a transaction; raises NotFound."""
    if kind is PostingKind.CHALLENGE:
        return challenges.get_challenge(public_no, viewer=viewer)
    return needs.get_need(public_no, viewer=viewer)


def get_own_posting(kind: PostingKind, public_no: str, *, actor: Actor) -> Any:
    posting = get_posting(kind, public_no, viewer=actor)
    if not actor.belongs_to(posting.organisation_id) or actor.organisation_role is None:
        raise NotFound(public_no)
    return posting


def ends_at(posting: Any) -> datetime | None:
    """The instant after the last day on which anybody may still come."""
    ends: datetime | None = posting.closes_at if isinstance(posting, Challenge) else posting.expires_at
    return ends


def is_open(posting: Any, *, now: datetime) -> bool:
    """Whether one may still approach each other about it: published, not over, its organisation verified."""
    ends = ends_at(posting)
    return (
        posting.status.value == "published"
        and (ends is None or ends > now)
        and posting.organisation.status is OrganisationStatus.VERIFIED
    )


def _is_open(entity: Any, now: datetime) -> ColumnElement[bool]:
    if entity is Challenge:
        return challenges.taken_up_at(now)
    return and_(needs.open_at(now), Need.status == NeedStatus.PUBLISHED)


def read_postings(pairs: Iterable[tuple[PostingKind, int]]) -> dict[tuple[PostingKind, int], Any]:
    """Challenges and needs by kind and id, with their organisations; two statements."""
    wanted: dict[PostingKind, set[int]] = {PostingKind.CHALLENGE: set(), PostingKind.NEED: set()}
    for kind, posting_id in pairs:
        wanted[kind].add(posting_id)
    found: dict[tuple[PostingKind, int], Any] = {}
    entities: dict[PostingKind, Any] = {PostingKind.CHALLENGE: Challenge, PostingKind.NEED: Need}
    for kind, entity in entities.items():
        statement = select(entity).options(joinedload(entity.organisation)).where(entity.id.in_(wanted[kind]))
        for posting in db.session.scalars(statement):
            found[kind, posting.id] = posting
    return found


def posting_of(approach: Approach) -> Any:
    return read_postings([(approach.posting_kind, approach.posting_id)])[
        approach.posting_kind, approach.posting_id
    ]


# --- capabilities -----------------------------------------------------------------------------------------


def list_capabilities(numbers: Collection[str]) -> list[Capability]:
    """By public number, in the order named; what does not exist or is not public is left out."""
    rows = db.session.scalars(
        select(Capability)
        .options(joinedload(Capability.organisation))
        .where(
            Capability.public_no.in_(list(numbers)[: 2 * MOST_AT_ONCE]),
            Capability.status.in_((CapabilityStatus.PUBLISHED, CapabilityStatus.COLLECTED)),
        )
    )
    found = {row.public_no: row for row in rows}
    return [found[number] for number in dict.fromkeys(numbers) if number in found]


def list_own_capabilities(actor: Actor) -> list[Capability]:
    """What an organisation can show interest with."""
    if actor.organisation_id is None:
        return []
    statement = (
        select(Capability)
        .options(joinedload(Capability.organisation))
        .where(
            Capability.organisation_id == actor.organisation_id,
            Capability.status == CapabilityStatus.PUBLISHED,
        )
        .order_by(Capability.title, Capability.id)
        .limit(200)
    )
    return list(db.session.scalars(statement))


def find_places(kind: PostingKind, posting_id: int, ids: Collection[int]) -> dict[int, MatchEntry]:
    """Capability id → its entry on the posting's current list."""
    rows = db.session.scalars(
        select(MatchEntry)
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(
            MatchRun.seeker_kind == kind,
            MatchRun.seeker_id == posting_id,
            MatchRun.superseded_at.is_(None),
            MatchEntry.capability_id.in_(list(ids)),
        )
    )
    return {row.capability_id: row for row in rows}


def read_candidates(posting: Any, capabilities: Sequence[Capability]) -> dict[int, Candidate]:
    """Capability id → what has to be known before its organisation is invited; two statements."""
    organisation_ids = {capability.organisation_id for capability in capabilities}
    peopled = set(
        db.session.scalars(
            select(Membership.organisation_id)
            .where(
                Membership.organisation_id.in_(organisation_ids),
                Membership.status == MembershipStatus.ACTIVE,
                Membership.role.in_(WRITERS),
            )
            .distinct()
        )
    )
    agreed = set(
        db.session.scalars(
            select(Approach.supplier_organisation_id)
            .join(OpenedContact, OpenedContact.approach_id == Approach.id)
            .where(
                _about(kind_of(posting), posting.id),
                Approach.supplier_organisation_id.in_(organisation_ids),
                OpenedContact.closed_at.is_(None),
            )
        )
    )
    return {
        capability.id: Candidate(
            name=capability.organisation.name,
            standing=capability.organisation.status.value,
            has_people=capability.organisation_id in peopled,
            is_own=capability.organisation_id == posting.organisation_id,
            is_offered=capability.status is CapabilityStatus.PUBLISHED,
            has_agreed=capability.organisation_id in agreed,
        )
        for capability in capabilities
    }


# --- approaches -------------------------------------------------------------------------------------------


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The members of both organisations, and nobody else: a letter between two is nobody else's to read."""
    if actor.organisation_id is None or actor.organisation_role is None:
        return false()
    return or_(
        Approach.seeker_organisation_id == actor.organisation_id,
        Approach.supplier_organisation_id == actor.organisation_id,
    )


def is_waiting(now: datetime) -> ColumnElement[bool]:
    return and_(Approach.status == S.SENT, Approach.expires_at > now)


def status_at(approach: Approach, now: datetime) -> S:
    """The status as the clock has it: what ran out has expired, whether the sweep came by or not."""
    return S.EXPIRED if approach.status is S.SENT and approach.expires_at <= now else approach.status


def _about(kind: PostingKind, posting_id: int) -> ColumnElement[bool]:
    return and_(Approach.posting_kind == kind, Approach.posting_id == posting_id)


def _whole() -> Select[Approach]:
    return select(Approach).options(
        joinedload(Approach.seeker),
        joinedload(Approach.supplier),
        joinedload(Approach.capability),
        selectinload(Approach.contacts),
    )


def get_approach(public_no: str, *, viewer: Actor) -> Approach:
    """Held to the end of a transaction; raises NotFound for one that is not the viewer's to know of."""
    statement = _whole().where(Approach.public_no == public_no, visible_to(viewer))
    found = db.session.scalar(for_change(statement, Approach))
    if found is None:
        raise NotFound(public_no)
    return found


def find_for_change(approach_id: int) -> Approach | None:
    """One by id, held to the end of the transaction, for work that acts for nobody."""
    return db.session.scalar(for_change(_whole().where(Approach.id == approach_id), Approach))


def hold_status(approach_id: int) -> S | None:
    """As it stands now, and to the end of the transaction."""
    return db.session.scalar(
        select(Approach.status).where(Approach.id == approach_id).with_for_update(of=Approach)
    )


def list_open_about(kind: PostingKind, posting_id: int, organisation_ids: Collection[int]) -> list[Approach]:
    """Those not settled yet between a posting and suppliers, whether the clock has ended them or not."""
    return list(
        db.session.scalars(
            _whole()
            .where(
                _about(kind, posting_id),
                Approach.supplier_organisation_id.in_(list(organisation_ids)),
                Approach.status == S.SENT,
            )
            .order_by(Approach.id)
        )
    )


def list_about(
    kind: PostingKind, posting_id: int, organisation_ids: Collection[int], *, viewer: Actor
) -> dict[int, Approach]:
    """Supplier's organisation id → the newest approach about the posting that the viewer may see."""
    rows = db.session.scalars(
        _whole()
        .where(
            _about(kind, posting_id),
            Approach.supplier_organisation_id.in_(list(organisation_ids)),
            visible_to(viewer),
        )
        .order_by(Approach.id)
    )
    return {row.supplier_organisation_id: row for row in rows}


def list_own_about(kind: PostingKind, posting_ids: Collection[int], *, viewer: Actor) -> dict[int, Approach]:
    """Posting id → the newest approach between its owner and the viewer's organisation as supplier."""
    rows = db.session.scalars(
        _whole()
        .where(
            Approach.posting_kind == kind,
            Approach.posting_id.in_(list(posting_ids)),
            Approach.supplier_organisation_id == (viewer.organisation_id or 0),
            visible_to(viewer),
        )
        .order_by(Approach.id)
    )
    return {row.posting_id: row for row in rows}


def count_sent(kind: PostingKind, posting_id: int, *, organisation_id: int, now: datetime) -> Sent:
    """Invitations about a posting ever, and of the organisation today; withdrawn ones were sent as well."""
    midnight = end_of_business_day(business_date(now) - timedelta(days=1))
    row = db.session.execute(
        select(
            func.count().filter(_about(kind, posting_id)),
            func.count().filter(Approach.sent_at >= midnight),
        ).where(Approach.kind == ApproachKind.INVITATION, Approach.seeker_organisation_id == organisation_id)
    ).one()
    return Sent(*row)


def count_interests_sent(*, organisation_id: int, now: datetime) -> Sent:
    midnight = end_of_business_day(business_date(now) - timedelta(days=1))
    today = db.session.scalar(
        select(func.count()).where(
            Approach.kind == ApproachKind.INTEREST,
            Approach.supplier_organisation_id == organisation_id,
            Approach.sent_at >= midnight,
        )
    )
    return Sent(0, today or 0)


# --- boxes ------------------------------------------------------------------------------------------------

BOXES = ("received", "sent", "interests")


@dataclass(frozen=True, slots=True)
class BoxFilter:
    """What a box is narrowed down to; empty is 不限."""

    status: str = ""
    posting: str = ""
    direction: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "BoxFilter":
        return cls(args.get("status", ""), args.get("posting", ""), args.get("direction", ""))


def _in_box(box: str, actor: Actor) -> ColumnElement[bool]:
    organisation_id = actor.organisation_id or 0
    if box == "received":
        return and_(
            Approach.kind == ApproachKind.INVITATION, Approach.supplier_organisation_id == organisation_id
        )
    if box == "sent":
        return and_(
            Approach.kind == ApproachKind.INVITATION, Approach.seeker_organisation_id == organisation_id
        )
    return and_(Approach.kind == ApproachKind.INTEREST, visible_to(actor))


def _status_is(status: S, now: datetime) -> ColumnElement[bool]:
    if status is S.SENT:
        return is_waiting(now)
    if status is S.EXPIRED:
        return or_(Approach.status == S.EXPIRED, and_(Approach.status == S.SENT, Approach.expires_at <= now))
    return Approach.status == status


def select_box(box: str, actor: Actor, chosen: BoxFilter, *, now: datetime) -> Select[Approach]:
    """One box of the actor's organisation: what waits first, the nearest deadline first, then the newest."""
    where = [_in_box(box, actor), visible_to(actor)]
    if chosen.status in set(S):
        where.append(_status_is(S(chosen.status), now))
    if chosen.posting in KINDS:
        where.append(Approach.posting_kind == KINDS[chosen.posting])
    organisation_id = actor.organisation_id or 0
    if box == "interests" and chosen.direction == "received":
        where.append(Approach.seeker_organisation_id == organisation_id)
    if box == "interests" and chosen.direction == "sent":
        where.append(Approach.supplier_organisation_id == organisation_id)
    waiting = is_waiting(now)
    return (
        _whole()
        .where(*where)
        .order_by(
            case((waiting, 0), else_=1),
            case((waiting, Approach.expires_at)),
            Approach.sent_at.desc(),
            Approach.id.desc(),
        )
    )


def page_box(box: str, actor: Actor, chosen: BoxFilter, *, now: datetime, page: int) -> Page[Approach]:
    return paginate(select_box(box, actor, chosen, now=now), page=page, per_page=20)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the actor's organisation to answer, with the nearest last instant of each."""

    invitations: int
    interests: int
    next_invitation_at: datetime | None
    next_interest_at: datetime | None


def get_waiting(actor: Actor, *, now: datetime) -> Waiting:
    """One statement."""
    if actor.organisation_id is None or actor.organisation_role is None:
        return Waiting(0, 0, None, None)
    mine = {
        Invitation: and_(
            Approach.kind == ApproachKind.INVITATION,
            Approach.supplier_organisation_id == actor.organisation_id,
        ),
        Interest: and_(
            Approach.kind == ApproachKind.INTEREST, Approach.seeker_organisation_id == actor.organisation_id
        ),
    }
    row = db.session.execute(
        select(
            func.count().filter(mine[Invitation]),
            func.count().filter(mine[Interest]),
            func.min(Approach.expires_at).filter(mine[Invitation]),
            func.min(Approach.expires_at).filter(mine[Interest]),
        ).where(is_waiting(now), or_(*mine.values()))
    ).one()
    return Waiting(*row)


# --- dismissals and notes ---------------------------------------------------------------------------------


def list_dismissals(
    kind: PostingKind, posting_id: int, capability_ids: Collection[int], *, viewer: Actor
) -> list[Dismissal]:
    """In force, for the seeker's members: their own, and what suppliers answered them."""
    return list(
        db.session.scalars(
            select(Dismissal)
            .where(
                Dismissal.posting_kind == kind,
                Dismissal.posting_id == posting_id,
                Dismissal.capability_id.in_(list(capability_ids)),
                Dismissal.undone_at.is_(None),
                or_(
                    Dismissal.organisation_id == (viewer.organisation_id or 0),
                    Dismissal.side == Side.SUPPLIER,
                ),
            )
            .order_by(Dismissal.id)
        )
    )


def list_own_dismissals(
    kind: PostingKind, posting_ids: Collection[int], *, viewer: Actor
) -> dict[int, Dismissal]:
    """Posting id → the viewer's organisation's own, as a supplier, in force."""
    rows = db.session.scalars(
        select(Dismissal)
        .where(
            Dismissal.side == Side.SUPPLIER,
            Dismissal.organisation_id == (viewer.organisation_id or 0),
            Dismissal.posting_kind == kind,
            Dismissal.posting_id.in_(list(posting_ids)),
            Dismissal.undone_at.is_(None),
        )
        .order_by(Dismissal.id)
    )
    return {row.posting_id: row for row in rows}


def get_own_dismissal(dismissal_id: int, *, actor: Actor) -> Dismissal:
    """Of the actor's own organisation, held to the end of the transaction; raises NotFound."""
    statement = select(Dismissal).where(
        Dismissal.id == dismissal_id, Dismissal.organisation_id == (actor.organisation_id or 0)
    )
    found = db.session.scalar(for_change(statement, Dismissal))
    if found is None:
        raise NotFound(f"dismissal {dismissal_id}")
    return found


def find_dismissal(
    organisation_id: int, kind: PostingKind, posting_id: int, capability_id: int
) -> Dismissal | None:
    return db.session.scalar(
        select(Dismissal).where(
            Dismissal.organisation_id == organisation_id,
            Dismissal.posting_kind == kind,
            Dismissal.posting_id == posting_id,
            Dismissal.capability_id == capability_id,
            Dismissal.undone_at.is_(None),
        )
    )


#: A seeker's opinions reach a supplier as numbers only, and only where so many seekers stand behind them.
FEWEST_SEEKERS = 3
COUNTED_FOR = timedelta(days=365)


def count_reasons_against(organisation_id: int, *, now: datetime) -> list[tuple[str, int]]:
    """(reason, how many seekers) why seekers passed over an organisation's capabilities; most first.

    A seeker counts once a reason. A reason that fewer than `FEWEST_SEEKERS` gave is not told at all.
    """
    seekers = func.count(Dismissal.organisation_id.distinct())
    rows = db.session.execute(
        select(Dismissal.reason_code, seekers)
        .join(Capability, Capability.id == Dismissal.capability_id)
        .where(
            Capability.organisation_id == organisation_id,
            Dismissal.side == Side.SEEKER,
            Dismissal.undone_at.is_(None),
            Dismissal.made_at > now - COUNTED_FOR,
        )
        .group_by(Dismissal.reason_code)
        .having(seekers >= FEWEST_SEEKERS)
        .order_by(seekers.desc(), Dismissal.reason_code)
    )
    return [(row[0].value, row[1]) for row in rows]


def list_notes(
    kind: PostingKind, posting_ids: Collection[int], *, viewer: Actor
) -> dict[tuple[int, int], list[Note]]:
    """(posting id, capability id) → the notes of the viewer's own organisation, oldest first."""
    if viewer.organisation_id is None or viewer.organisation_role is None:
        return {}
    rows = db.session.scalars(
        select(Note)
        .where(
            Note.organisation_id == viewer.organisation_id,
            Note.posting_kind == kind,
            Note.posting_id.in_(list(posting_ids)),
        )
        .order_by(Note.id)
        .limit(1000)
    )
    found: dict[tuple[int, int], list[Note]] = {}
    for row in rows:
        found.setdefault((row.posting_id, row.capability_id), []).append(row)
    return found


def get_own_note(note_id: int, *, actor: Actor) -> Note:
    found = db.session.scalar(
        select(Note).where(Note.id == note_id, Note.organisation_id == (actor.organisation_id or 0))
    )
    if found is None:
        raise NotFound(f"note {note_id}")
    return found


# --- who is to hear, and what is due ------------------------------------------------------------------------


def list_concerned_ids(kind: str, posting_id: int) -> list[int]:
    """The people of suppliers that are asked or wish to be asked about a posting and have not declined."""
    known = {one.value for one in PostingKind}
    if kind not in known:
        return []
    suppliers = (
        select(Approach.supplier_organisation_id)
        .where(_about(PostingKind(kind), posting_id), Approach.status.in_((S.SENT, S.ACCEPTED)))
        .distinct()
    )
    return list(
        db.session.scalars(
            select(Membership.user_id)
            .where(
                Membership.organisation_id.in_(suppliers),
                Membership.status == MembershipStatus.ACTIVE,
                Membership.role.in_(WRITERS),
            )
            .order_by(Membership.user_id)
        )
    )


def list_writer_ids(organisation_id: int) -> list[int]:
    """The people who can act on a letter."""
    return list(
        db.session.scalars(
            select(Membership.user_id)
            .where(
                Membership.organisation_id == organisation_id,
                Membership.status == MembershipStatus.ACTIVE,
                Membership.role.in_(WRITERS),
            )
            .order_by(Membership.user_id)
        )
    )


def list_due(*, now: datetime, limit: int = 200) -> list[int]:
    """Approaches whose time ran out."""
    return _ids(Approach.expires_at <= now, limit=limit)


def list_to_remind(*, now: datetime, limit: int = 200) -> list[int]:
    """Approaches that run out soon, have waited for a day, and whose recipient was not reminded."""
    return _ids(
        Approach.expires_at > now,
        Approach.expires_at <= now + REMINDED_BEFORE,
        Approach.sent_at <= now - timedelta(days=1),
        Approach.reminded_at.is_(None),
        limit=limit,
    )


def list_orphans(*, now: datetime, limit: int = 200) -> list[int]:
    """Approaches whose posting was withdrawn, taken down or closed, or one of whose sides was suspended."""
    found: list[int] = []
    entities: dict[PostingKind, Any] = {PostingKind.CHALLENGE: Challenge, PostingKind.NEED: Need}
    for kind, entity in entities.items():
        alive = select(entity.id).where(_is_open(entity, now), entity.id == Approach.posting_id).exists()
        sides = (Approach.seeker_organisation_id, Approach.supplier_organisation_id)
        lost = [
            select(Organisation.id)
            .where(Organisation.id == side, Organisation.status != OrganisationStatus.VERIFIED)
            .exists()
            for side in sides
        ]
        found += _ids(Approach.posting_kind == kind, or_(~alive, *lost), limit=limit)
    return found


def _ids(*where: ColumnElement[bool], limit: int) -> list[int]:
    return list(
        db.session.scalars(
            select(Approach.id).where(Approach.status == S.SENT, *where).order_by(Approach.id).limit(limit)
        )
    )


def list_open_contacts_of_unsettled() -> list[str]:
    """Contacts that are open although nobody agreed: there must be none."""
    rows = db.session.execute(
        select(OpenedContact.id, Approach.public_no)
        .join(Approach, Approach.id == OpenedContact.approach_id)
        .where(Approach.status != S.ACCEPTED)
        .order_by(OpenedContact.id)
    )
    return [f"opened_contact {row.id}: {row.public_no} was not accepted" for row in rows]


@dataclass(frozen=True, slots=True)
class Touch:
    """How many organisations are in touch about a posting."""

    total: int
    waiting: int
    agreed: int


def count_about(kind: PostingKind, posting_id: int, *, now: datetime) -> Touch:
    """For the posting's owner alone; one statement."""
    row = db.session.execute(
        select(
            func.count(),
            func.count().filter(is_waiting(now)),
            func.count().filter(Approach.status == S.ACCEPTED),
        )
        .select_from(Approach)
        .where(_about(kind, posting_id))
    ).one()
    return Touch(*row)
