"""Organisations from registration to verification and back, by services: guards, audit, letters, members."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.audit.services import record
from marketplace.identity import services as identity
from marketplace.identity.models import User
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstructed, StaleVersion
from marketplace.kernel.outbox import OutboxRow
from marketplace.notifications.models import Letter
from marketplace.organisations import queries, services
from marketplace.organisations.kinds import DesignationKind, OrganisationKind, OrganisationSize
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.members import services as members
from marketplace.organisations.models import Membership, MembershipStatus, Organisation
from marketplace.organisations.rules import DesignationDraft, OrganisationDraft
from tests.factories import hand_in_licence

CODES = ["91110000600037341L", "91510100MA61XWK114", "91500000MA5U4KRA60"]
_numbers = count(1)


def draft(code: str = CODES[0], **changes: object) -> OrganisationDraft:
    whole = OrganisationDraft(
        name="重庆巴渡新能源汽车股份有限公司",
        uscc=code,
        size=OrganisationSize.LARGE,
        region="500112",
        summary="整车企业，在渝北和万州各有一座整车工厂，自有五大工艺。",
        contact_name="廖启航",
        contact_phone="13800000000",
        clusters=("A1", "E2"),
        designations=(
            DesignationDraft(DesignationKind.CHAIN_MASTER, "渝链主2024-003", "某委员会", date(2099, 1, 1)),
            DesignationDraft(DesignationKind.HIGH_TECH, "GR2023", "某局", date(2099, 1, 1)),
        ),
    )
    return replace(whole, **changes)


def person(role: PlatformRole | None = None) -> User:
    email = f"p{next(_numbers)}@example.com"
    with transaction():
        return identity.create_user(
            Person(email, f"人{email[1:3]}", "", "!"), by=SYSTEM, now=clock.now(), platform_role=role
        )


def actor(user: User) -> Actor:
    return queries.actor_for(user, now=clock.now())


def status_of(organisation_id: int) -> OrganisationStatus:
    return db.session.scalars(select(Organisation.status).where(Organisation.id == organisation_id)).one()


def letters() -> list[tuple[int, str]]:
    rows = db.session.execute(select(Letter.user_id, Letter.kind).order_by(Letter.id))
    return [(user_id, kind) for user_id, kind in rows]


class World:
    """A manager with a submitted organisation, an operator, and others as noise."""

    def __init__(self) -> None:
        self.operator, self.manager, self.other = person(PlatformRole.OPERATOR), person(), person()
        with transaction():
            services.create_unclaimed("噪声机械厂", by=SYSTEM, now=clock.now())
        self.id = self.register(self.manager, draft())
        self.submit()

    def register(self, user: User, declared: OrganisationDraft) -> int:
        with transaction():
            begun = services.start_registration(declared, by=actor(user), now=clock.now())
            hand_in_licence(begun.id, by=actor(user))
            return begun.id

    def row(self) -> Organisation:
        return queries.get_for_change(self.id, viewer=SYSTEM)

    def submit(self) -> None:
        with transaction():
            services.submit_organisation(self.row(), by=actor(self.manager), now=clock.now())

    def verify(self, *kinds: DesignationKind) -> None:
        with transaction():
            row = self.row()
            ids = [d.id for d in row.designations if d.kind in kinds]
            services.verify_organisation(
                row, confirmed=ids, version=row.version, by=actor(self.operator), now=clock.now()
            )

    def decide(self, action: str, reason: str = "编号与公布名单不符") -> None:
        with transaction():
            act, row = getattr(services, f"{action}_organisation"), self.row()
            act(row, reason=reason, version=row.version, by=actor(self.operator), now=clock.now())

    def join(self, user: User, role: OrganisationRole = OrganisationRole.EDITOR) -> int:
        with transaction():
            return members.request_to_join(self.row(), role=role, by=actor(user), now=clock.now()).id

    def accept(self, membership_id: int, role: OrganisationRole) -> None:
        with transaction():
            membership = queries.get_membership(membership_id, organisation_id=self.id)
            members.accept_member(membership, role=role, by=actor(self.manager), now=clock.now())

    def membership_of(self, user: User) -> Membership:
        found = queries.find_live_membership(user.id, organisation_id=self.id)
        assert found is not None
        return found


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def test_the_whole_life_is_audited_and_told(world: World) -> None:
    world.decide("return")
    assert status_of(world.id) is OrganisationStatus.RETURNED
    world.submit()
    world.verify(DesignationKind.CHAIN_MASTER)
    world.decide("suspend")
    world.decide("reinstate")
    assert status_of(world.id) is OrganisationStatus.VERIFIED
    events = db.session.execute(
        select(AuditEvent.type, AuditEvent.from_status, AuditEvent.to_status)
        .where(AuditEvent.subject_kind == "organisation", AuditEvent.subject_id == world.id)
        .order_by(AuditEvent.seq)
    )
    assert [tuple(event) for event in events] == [
        ("organisation.register", None, "draft"),
        ("organisation.submit", "draft", "pending"),
        ("organisation.return", "pending", "returned"),
        ("organisation.submit", "returned", "pending"),
        ("organisation.verify", "pending", "verified"),
        ("organisation.suspend", "verified", "suspended"),
        ("organisation.reinstate", "suspended", "verified"),
    ]
    assert letters() == [
        (world.operator.id, "organisation.submitted"),
        (world.manager.id, "organisation.returned"),
        (world.operator.id, "organisation.submitted"),
        (world.manager.id, "organisation.verified"),
        (world.manager.id, "organisation.suspended"),
        (world.manager.id, "organisation.verified"),
    ]


def test_only_an_operator_decides_and_only_with_a_reason(world: World) -> None:
    for user in (world.manager, world.other):
        with pytest.raises(Forbidden), transaction():
            row = world.row()
            services.verify_organisation(
                row, confirmed=(), version=row.version, by=actor(user), now=clock.now()
            )
    with pytest.raises(Obstructed):
        world.decide("return", reason="  ")
    with pytest.raises(InvalidTransition):
        world.decide("suspend")
    assert status_of(world.id) is OrganisationStatus.PENDING


def test_an_unwhole_draft_is_not_submitted(world: World) -> None:
    user = person()
    organisation_id = world.register(user, OrganisationDraft(name="小厂", uscc=CODES[1]))
    with pytest.raises(Obstructed) as refused, transaction():
        row = queries.get_for_change(organisation_id, viewer=SYSTEM)
        services.submit_organisation(row, by=actor(user), now=clock.now())
    assert len(refused.value.obstacles) >= 5


@pytest.mark.parametrize(
    ("confirmed", "may"),
    [
        ((DesignationKind.CHAIN_MASTER,), True),
        ((DesignationKind.HIGH_TECH,), False),
        ((), False),
    ],
)
def test_only_a_confirmed_leading_designation_lets_post_challenges(
    world: World, confirmed: tuple[DesignationKind, ...], may: bool
) -> None:
    assert not actor(world.manager).may_post_challenges
    world.verify(*confirmed)
    found = actor(world.manager)
    assert found.organisation_verified
    assert found.may_post_challenges is may
    assert found.organisation_role is OrganisationRole.MANAGER


def test_a_designation_counts_until_its_last_day_and_for_enterprises_only(world: World) -> None:
    world.verify(DesignationKind.CHAIN_MASTER)
    today = business_date(clock.now())
    for valid_to, may in ((today, True), (today - timedelta(days=1), False), (None, True)):
        with transaction():
            row = world.row()
            row.designations[0].valid_to = valid_to
            record("organisation.update", "organisation", row.id, by=SYSTEM, at=clock.now())
        assert actor(world.manager).may_post_challenges is may
    with transaction():
        row = world.row()
        row.kind = OrganisationKind.INSTITUTE
        record("organisation.update", "organisation", row.id, by=SYSTEM, at=clock.now())
    assert not actor(world.manager).may_post_challenges


def test_a_changed_designation_has_to_be_confirmed_again(world: World) -> None:
    world.verify(DesignationKind.CHAIN_MASTER, DesignationKind.HIGH_TECH)
    master, tech = draft().designations
    changed = draft(designations=(replace(master, number="改过的编号"), tech))
    with transaction():
        row = world.row()
        services.update_organisation(
            row, changed, version=row.version, by=actor(world.manager), now=clock.now()
        )
    assert not actor(world.manager).may_post_challenges
    live = queries.live_designations(queries.get_organisation(world.id, viewer=SYSTEM), now=clock.now())
    assert [d.kind for d in live] == [DesignationKind.HIGH_TECH]
    assert queries.count_open_designations() == 1
    with transaction():
        row = world.row()
        services.confirm_designations(
            row,
            confirmed=[d.id for d in row.designations],
            version=row.version,
            by=actor(world.operator),
            now=clock.now(),
        )
    assert actor(world.manager).may_post_challenges


def test_what_was_verified_is_not_changed_by_the_manager(world: World) -> None:
    world.verify()
    with transaction():
        row = world.row()
        services.update_organisation(
            row,
            draft(CODES[1], name="冒名公司", address="新地址"),
            version=row.version,
            by=actor(world.manager),
            now=clock.now(),
        )
    row = queries.get_organisation(world.id, viewer=SYSTEM)
    assert (row.name, row.uscc, row.address) == (draft().name, CODES[0], "新地址")


def test_the_second_of_two_writers_is_told(world: World) -> None:
    world.verify()
    version = queries.get_organisation(world.id, viewer=SYSTEM).version
    for text, fine in (("甲写的地址", True), ("乙写的地址", False)):
        args = {"version": version, "by": actor(world.manager), "now": clock.now()}
        if fine:
            with transaction():
                services.update_organisation(world.row(), draft(address=text), **args)
        else:
            with pytest.raises(StaleVersion), transaction():
                services.update_organisation(world.row(), draft(address=text), **args)
    assert db.session.scalar(select(Organisation.address).where(Organisation.id == world.id)) == "甲写的地址"


def test_a_pending_organisation_is_not_changed(world: World) -> None:
    with pytest.raises(InvalidTransition), transaction():
        row = world.row()
        services.update_organisation(
            row, draft(), version=row.version, by=actor(world.manager), now=clock.now()
        )


def test_a_registered_code_is_not_registered_twice_but_a_draft_holds_none(world: World) -> None:
    with pytest.raises(Obstructed):
        world.register(world.other, draft())
    first = world.register(world.other, draft(CODES[1]))
    rival = person()
    second = world.register(rival, draft(CODES[1], name="同码公司"))
    with transaction():
        row = queries.get_for_change(second, viewer=SYSTEM)
        services.submit_organisation(row, by=actor(rival), now=clock.now())
    with pytest.raises(Obstructed) as refused, transaction():
        row = queries.get_for_change(first, viewer=SYSTEM)
        services.submit_organisation(row, by=actor(world.other), now=clock.now())
    assert [o.field for o in refused.value.obstacles] == ["uscc"]


def test_a_platform_user_and_a_member_register_nothing(world: World) -> None:
    with pytest.raises(Forbidden):
        world.register(world.operator, draft(CODES[1]))
    with pytest.raises(Obstructed):
        world.register(world.manager, draft(CODES[1]))


def test_a_discarded_draft_frees_its_person(world: World) -> None:
    organisation_id = world.register(world.other, draft(CODES[1]))
    with transaction():
        row = queries.get_for_change(organisation_id, viewer=SYSTEM)
        services.discard_draft(row, by=actor(world.other), now=clock.now())
    assert actor(world.other).organisation_id is None
    with pytest.raises(Forbidden), transaction():
        services.discard_draft(world.row(), by=actor(world.manager), now=clock.now())


def test_joining_is_asked_of_the_managers_and_given_with_a_role(world: World) -> None:
    membership_id = world.join(world.other)
    assert letters()[-1] == (world.manager.id, "membership.requested")
    assert actor(world.other).organisation_id is None
    with pytest.raises(Obstructed):
        world.join(world.other)
    with pytest.raises(Forbidden), transaction():
        membership = queries.get_membership(membership_id, organisation_id=world.id)
        members.accept_member(
            membership, role=OrganisationRole.EDITOR, by=actor(world.other), now=clock.now()
        )
    world.accept(membership_id, OrganisationRole.READER)
    found = actor(world.other)
    assert (found.organisation_id, found.organisation_role) == (world.id, OrganisationRole.READER)
    assert letters()[-1] == (world.other.id, "membership.decided")


def test_an_organisation_of_others_is_out_of_reach(world: World) -> None:
    stranger = person()
    other_id = world.register(stranger, draft(CODES[1]))
    membership_id = queries.list_members(other_id)[0].id
    with pytest.raises(NotFound):
        queries.get_membership(membership_id, organisation_id=world.id)
    with pytest.raises(NotFound):
        queries.get_organisation(other_id, viewer=actor(world.manager))
    with pytest.raises(Forbidden), transaction():
        row = queries.get_for_change(other_id, viewer=SYSTEM)
        services.update_organisation(
            row, draft(), version=row.version, by=actor(world.manager), now=clock.now()
        )


@pytest.mark.parametrize("act", ["remove", "leave", "demote"])
def test_the_last_manager_stays(world: World, act: str) -> None:
    def attempt() -> None:
        with transaction():
            mine, by, now = world.membership_of(world.manager), actor(world.manager), clock.now()
            if act == "remove":
                members.remove_member(mine, by=by, now=now)
            elif act == "leave":
                members.leave_organisation(mine, by=by, now=now)
            else:
                members.change_role(mine, role=OrganisationRole.EDITOR, by=by, now=now)

    with pytest.raises(Obstructed):
        attempt()
    world.accept(world.join(world.other), OrganisationRole.MANAGER)
    attempt()
    assert queries.list_manager_ids(world.id) == [world.other.id]


def test_who_left_may_ask_again(world: World) -> None:
    world.accept(world.join(world.other), OrganisationRole.EDITOR)
    with transaction():
        members.leave_organisation(world.membership_of(world.other), by=actor(world.other), now=clock.now())
    assert actor(world.other).organisation_id is None
    assert world.join(world.other)


def test_collected_names_are_recognised_in_any_spelling(world: World) -> None:
    with transaction():
        first = services.create_unclaimed("重慶雲脊（集團）有限公司", by=SYSTEM, now=clock.now()).id
        again = services.create_unclaimed("重庆云脊(集团)有限公司", by=SYSTEM, now=clock.now()).id
        other = services.create_unclaimed("重庆云脊重工有限公司", by=SYSTEM, now=clock.now()).id
    assert first == again != other
    assert status_of(first) is OrganisationStatus.UNCLAIMED


def test_leading_firms_stand_first_and_unverified_ones_nowhere(world: World) -> None:
    now = clock.now()
    wanted = queries.Wanted()
    assert [o.name for o in queries.page_public(wanted, page=1, now=now).items] == ["噪声机械厂"]
    world.verify(DesignationKind.CHAIN_MASTER)
    names = [o.name for o in queries.page_public(wanted, page=1, now=now).items]
    assert names == ["重庆巴渡新能源汽车股份有限公司", "噪声机械厂"]
    for narrowed, expected in (
        (queries.Wanted(q="巴渡"), 1),
        (queries.Wanted(q="巴%"), 0),
        (queries.Wanted(q="不存在"), 0),
        (queries.Wanted(clusters=("E2",)), 1),
        (queries.Wanted(regions=("500113",)), 0),
        (queries.Wanted(designation=DesignationKind.HIGH_TECH), 0),
        (queries.Wanted(designation=DesignationKind.CHAIN_MASTER), 1),
        (queries.Wanted(kind=OrganisationKind.UNIVERSITY), 0),
    ):
        assert queries.page_public(narrowed, page=1, now=now).total == expected, narrowed


def test_two_who_hand_in_one_code_at_once_are_told_apart_by_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "find_registered", lambda code: None)
    organisation_id = world.register(world.other, draft())
    with pytest.raises(Obstructed) as refused, transaction():
        row = queries.get_for_change(organisation_id, viewer=SYSTEM)
        services.submit_organisation(row, by=actor(world.other), now=clock.now())
    assert [o.field for o in refused.value.obstacles] == ["uscc"]
    assert status_of(organisation_id) is OrganisationStatus.DRAFT


def test_two_requests_of_one_person_at_once_are_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.join(world.other)
    monkeypatch.setattr(queries, "find_live_membership", lambda *_args, **_kwargs: None)
    with pytest.raises(Obstructed):
        world.join(world.other)


def test_matching_hears_of_what_changes_shortlists_and_of_nothing_else(world: World) -> None:
    def told() -> int:
        db.session.rollback()
        kind = "matching.organisation_changed"
        rows = db.session.scalars(select(OutboxRow.subject_id).where(OutboxRow.kind == kind)).all()
        assert set(rows) <= {world.id}
        return len(rows)

    def update(**changes: object) -> None:
        with transaction():
            row = world.row()
            declared = replace(services.draft_of(row), **changes)
            services.update_organisation(
                row, declared, version=row.version, by=actor(world.manager), now=clock.now()
            )

    def confirm(*kinds: DesignationKind) -> None:
        with transaction():
            row = world.row()
            ids = [d.id for d in row.designations if d.kind in kinds]
            services.confirm_designations(
                row, confirmed=ids, version=row.version, by=actor(world.operator), now=clock.now()
            )

    master, tech = draft().designations
    world.verify(DesignationKind.CHAIN_MASTER)
    update(address="新地址")
    update(designations=(master, replace(tech, number="还没有核对过的")))
    confirm(DesignationKind.CHAIN_MASTER)
    assert told() == 0
    acts = [
        lambda: update(size=OrganisationSize.MEDIUM),
        lambda: update(region="500113"),
        lambda: update(designations=(replace(master, number="改过的"),)),
        lambda: confirm(DesignationKind.CHAIN_MASTER),
        lambda: confirm(),
        lambda: world.decide("suspend"),
        lambda: world.decide("reinstate"),
    ]
    for number, act in enumerate(acts, start=1):
        act()
        assert told() == number


@pytest.mark.parametrize("slower", ["accept", "decline", "leave"])
def test_of_two_who_decide_on_one_request_at_once_one_is_told(app: Flask, world: World, slower: str) -> None:
    membership_id = world.join(world.other)
    asking, managing = actor(world.other), actor(world.manager)
    outcomes: list[str] = []
    first_has_read, second_has_read = Event(), Event()

    def decide(act: str, has_read: Event, wait_for: Event) -> None:
        with app.app_context():
            try:
                with transaction():
                    by, now = asking if act == "leave" else managing, clock.now()
                    membership = (
                        queries.find_request(asking.user_id or 0)
                        if act == "leave"
                        else queries.get_membership(membership_id, organisation_id=world.id)
                    )
                    has_read.set()
                    # The second cannot read before the first is done; where it could, both would decide.
                    wait_for.wait(1)
                    if membership is None:
                        raise NotFound("membership")
                    if act == "leave":
                        members.leave_organisation(membership, by=by, now=now)
                    elif act == "accept":
                        members.accept_member(membership, role=OrganisationRole.EDITOR, by=by, now=now)
                    else:
                        members.decline_member(membership, by=by, now=now)
                outcomes.append(act)
            except (InvalidTransition, NotFound):
                outcomes.append("too late")
            finally:
                db.session.remove()

    faster = "leave" if slower == "accept" else "accept"
    first = Thread(target=decide, args=(faster, first_has_read, second_has_read))
    first.start()
    assert first_has_read.wait(20)
    second = Thread(target=decide, args=(slower, second_has_read, first_has_read))
    second.start()
    for thread in (first, second):
        thread.join(30)
    # Who was done first may note it last.
    assert sorted(outcomes) == sorted([faster, "too late"])
    db.session.rollback()
    expected = MembershipStatus.LEFT if faster == "leave" else MembershipStatus.ACTIVE
    assert db.session.get_one(Membership, membership_id).status is expected
