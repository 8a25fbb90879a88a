"""Approaching each other: caps, lives, clocks, contacts, letters, events; and who comes second."""

from collections import Counter
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select, update

from marketplace.audit.models import AuditEvent
from marketplace.engagement import events, queries, remarks, services, sweeps
from marketplace.engagement.kinds import ContactSource, EventKind
from marketplace.engagement.lifecycle import ApproachStatus as S
from marketplace.engagement.models import Approach, MatchEvent, OpenedContact
from marketplace.engagement.rules import Limits
from marketplace.kernel import clock
from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstructed
from marketplace.matching.models import MatchEntry, MatchRun, PostingKind
from marketplace.needs import queries as need_queries
from marketplace.needs import services as needs
from marketplace.needs.models import Need
from marketplace.notifications.models import Letter
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Membership, MembershipStatus, Organisation
from tests.integration.engagement.world import (
    CANARIES,
    SEEKER_PHONE,
    SUPPLIER_PHONE,
    World,
    accept,
    act,
    invite,
    let_run_out,
    letters_of,
    reread,
    show_interest,
)
from tests.integration.support import (
    a_capability,
    a_need,
    an_editor,
    an_operator,
    audit_types,
)

LOOSE = Limits(per_posting=50, per_day=50, interests_per_day=50, answer_days=14)


@pytest.fixture
def world(app):
    return World()


def obstacles_of(caught):
    return [obstacle.message for obstacle in caught.value.obstacles]


def count(entity):
    return db.session.scalar(select(func.count()).select_from(entity))


def test_an_invitation_lives_from_sending_to_opened_and_closed_contacts(world):
    (invitation,) = invite(world, world.own)
    assert invitation.public_no.startswith("YQ-")
    assert letters_of(world.supplier) == ["invitation.received"]
    assert count(OpenedContact) == 0
    for outsider in (world.stranger, world.rival, an_operator()):
        with pytest.raises(NotFound):
            queries.get_approach(invitation.public_no, viewer=outsider)
    with pytest.raises(Forbidden):
        accept(invitation, by=world.colleague)
    with pytest.raises(Forbidden):
        accept(invitation, by=world.reader_of(world.supplier))
    accept(invitation, by=world.supplier)
    opened = {c.owner_organisation_id: c for c in db.session.scalars(select(OpenedContact))}
    assert opened[world.seeker.organisation_id].phone == SEEKER_PHONE
    assert opened[world.seeker.organisation_id].shown_to_organisation_id == world.supplier.organisation_id
    assert opened[world.supplier.organisation_id].phone == SUPPLIER_PHONE
    assert letters_of(world.seeker) == ["invitation.accepted"]
    # What is on the trail and in the letters says who and when, never the data.
    texts = [f"{row.subject_label}{row.reason}{row.detail}" for row in db.session.scalars(select(AuditEvent))]
    texts += [letter.subject + letter.body for letter in db.session.scalars(select(Letter))]
    assert not [text for text in texts for canary in CANARIES if canary in text]
    assert audit_types("invitation", invitation.id) == ["invitation.send", "invitation.accept"]
    with pytest.raises(Obstructed):
        invite(world, world.own)
    act(invitation, services.close_contact, by=world.colleague)
    closed = db.session.scalars(select(OpenedContact).order_by(OpenedContact.id)).all()
    assert {c.phone for c in closed} == {"", SUPPLIER_PHONE}
    with pytest.raises(InvalidTransition):
        act(invitation, services.close_contact, by=world.seeker)
    assert Counter(row.kind for row in db.session.scalars(select(MatchEvent))) == dict.fromkeys(EventKind, 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_has_left_is_not_opened_to_the_other_side(world):
    (invitation,) = invite(world, world.own, by=world.colleague, contact=ContactSource.PERSON)
    with transaction() as session:
        mine = Membership.user_id == world.colleague.user_id
        session.execute(update(Membership).where(mine).values(status=MembershipStatus.DISABLED))
    accept(invitation, by=world.supplier)
    seeker = OpenedContact.owner_organisation_id == world.seeker.organisation_id
    opened = db.session.scalars(select(OpenedContact).where(seeker)).one()
    assert (opened.source, opened.phone, opened.email) == (ContactSource.ORGANISATION, SEEKER_PHONE, "")


def test_an_interest_is_declined_with_a_reason_that_its_sender_is_told(world):
    interest = show_interest(world)
    assert letters_of(world.colleague) == ["interest.received"]
    with pytest.raises(services.AlreadyOpen):
        invite(world, world.own)
    with pytest.raises(Obstructed):
        act(interest, services.decline, by=world.seeker, reason_code="other", reason=" ")
    with pytest.raises(Obstructed):
        act(interest, services.decline, by=world.seeker, reason_code="price", reason="不是发布方的理由")
    act(interest, services.decline, by=world.seeker, reason_code="capacity", reason="月产能要两万件")
    told = db.session.scalars(select(Letter).where(Letter.kind == "interest.declined")).one()
    assert "产能或规模不合适：月产能要两万件" in told.body
    assert count(OpenedContact) == 0
    again = show_interest(world)
    act(again, services.withdraw, by=world.supplier, reason="")
    with pytest.raises(Obstructed) as caught:
        show_interest(world, limits=Limits(3, 5, 2, 14))
    assert "今天已发" in obstacles_of(caught)[0]


def test_invitations_are_capped_and_whom_nobody_reaches_is_not_invited(world):
    others = [a_capability(an_editor()) for _ in range(3)]
    with pytest.raises(Obstructed) as caught:
        invite(world, world.own, world.other, *others)
    assert "每项最多邀请" in obstacles_of(caught)[0]
    assert count(Approach) == 0
    invite(world, world.own, a_capability(world.supplier, title="同一单位的另一项能力"), world.other)
    assert count(Approach) == 2
    with pytest.raises(Obstructed) as caught:
        invite(world, others[0], limits=Limits(9, 2, 2, 14))
    assert "每天最多发出" in obstacles_of(caught)[0]
    with pytest.raises(Obstructed):
        invite(world, others[0], message="短")
    with pytest.raises(Obstructed):
        invite(world, others[0], expires_on=business_date(clock.now()) + timedelta(days=61))
    with pytest.raises(Obstructed) as caught:
        invite(world, others[0], contact=ContactSource.POSTING)
    assert "所选联系方式没有填写" in obstacles_of(caught)[0]
    unreachable = a_capability(world.stranger)
    for status, said in (
        (OrganisationStatus.SUSPENDED, "已被暂停"),
        (OrganisationStatus.UNCLAIMED, "尚未入驻认领"),
    ):
        set_standing(world.stranger, status)
        with pytest.raises(Obstructed) as caught:
            invite(world, unreachable, limits=LOOSE)
        assert said in obstacles_of(caught)[0]
    nobody = a_capability(an_editor())
    with transaction() as session:
        session.execute(
            update(Membership)
            .where(Membership.organisation_id == nobody.organisation_id)
            .values(role=OrganisationRole.READER)
        )
    with pytest.raises(Obstructed) as caught:
        invite(world, nobody, limits=LOOSE)
    assert "没有可以办理的人员" in obstacles_of(caught)[0]
    with pytest.raises(Obstructed):
        invite(world, a_capability(an_editor()), limits=LOOSE, message="请尽快联系我们" * 200)


def set_standing(actor, status):
    with transaction() as session:
        session.execute(
            update(Organisation).where(Organisation.id == actor.organisation_id).values(status=status)
        )


def test_the_clock_ends_what_nobody_answers_and_reminds_once_before(world):
    (invitation,) = invite(world)
    let_run_out(invitation, left=timedelta(days=2))
    sweeps.sweep()
    sweeps.sweep()
    assert letters_of(world.supplier) == ["invitation.received", "invitation.reminder"]
    let_run_out(invitation)
    # The clock is asked before the status: it cannot be answered although no sweep has come by.
    with pytest.raises(InvalidTransition):
        accept(invitation, by=world.supplier)
    assert queries.get_waiting(world.supplier, now=clock.now()).invitations == 0
    (again,) = invite(world)
    assert reread(invitation).status is S.EXPIRED
    assert again.status is S.SENT
    let_run_out(again)
    # The last day of both is the same: it ran out, whatever else ended then.
    with transaction() as session:
        session.execute(update(Need).values(expires_at=reread(again).expires_at))
    sweeps.sweep()
    sweeps.sweep()
    assert reread(again).status is S.EXPIRED
    assert reread(again).settled_by_id is None
    assert letters_of(world.seeker) == ["invitation.expired"] * 2


def test_the_end_of_the_posting_or_of_a_standing_ends_what_waits(world):
    (first,), (second,) = invite(world, world.own), invite(world, world.other)
    set_standing(world.rival, OrganisationStatus.SUSPENDED)
    sweeps.sweep()
    assert reread(second).status is S.ENDED
    assert reread(first).status is S.SENT
    with transaction():
        need = need_queries.get_own(world.need.public_no, actor=world.seeker)
        needs.withdraw(need, reason="改为自制", by=world.seeker, now=clock.now())
    with pytest.raises(InvalidTransition):
        accept(first, by=world.supplier)
    sweeps.sweep()
    assert reread(first).status is S.ENDED
    assert letters_of(world.supplier)[-1] == "invitation.ended"
    with pytest.raises(Obstructed):
        show_interest(world)


def test_no_contact_is_opened_to_who_was_suspended_before_the_sweep_came_by(world):
    interest = show_interest(world)
    set_standing(world.supplier, OrganisationStatus.SUSPENDED)
    with pytest.raises(InvalidTransition):
        accept(interest, by=world.seeker)
    assert count(OpenedContact) == 0


def test_an_answer_before_the_last_day_of_the_posting(world):
    with pytest.raises(Obstructed):
        invite(world, expires_on=business_date(world.need.expires_at))
    (invitation,) = invite(world, expires_on=business_date(clock.now()) + timedelta(days=30))
    assert invitation.expires_at <= world.need.expires_at


def test_opinions_fold_and_are_undone_and_notes_stay_at_home(world):
    run = world.rank()

    def remark(actor, what, **values):
        with transaction():
            posting = queries.get_posting(PostingKind.NEED, world.need.public_no, viewer=actor)
            (capability,) = queries.list_capabilities([world.own.public_no])
            return what(posting, capability, by=actor, now=clock.now(), **values)

    ids, need = [world.own.id, world.other.id], world.need
    before = [
        (e.place, e.capability_id, e.score)
        for e in db.session.scalars(select(MatchEntry).where(MatchEntry.run_id == run.id))
    ]
    mine = remark(world.seeker, remarks.dismiss, reason_code="region", reason="太远")
    with pytest.raises(InvalidTransition):
        remark(world.colleague, remarks.dismiss, reason_code="region", reason="")
    theirs = remark(world.supplier, remarks.dismiss, reason_code="price", reason="")
    with pytest.raises(NotFound):
        remark(world.stranger, remarks.dismiss, reason_code="price", reason="")
    with pytest.raises(Forbidden):
        remark(world.reader_of(world.seeker), remarks.dismiss, reason_code="region", reason="")
    assert [d.id for d in queries.list_dismissals(PostingKind.NEED, need.id, ids, viewer=world.seeker)] == [
        mine.id,
        theirs.id,
    ]
    assert set(queries.list_own_dismissals(PostingKind.NEED, [need.id], viewer=world.supplier)) == {need.id}
    after = [
        (e.place, e.capability_id, e.score)
        for e in db.session.scalars(select(MatchEntry).where(MatchEntry.run_id == run.id))
    ]
    assert after == before
    # One seeker's opinion tells who it was: nothing is told before three of them share it.
    assert queries.count_reasons_against(world.supplier.organisation_id, now=clock.now()) == []
    for _ in range(2):
        seeker = an_editor()
        posting = a_need(seeker)
        with transaction():
            found = queries.get_own_posting(PostingKind.NEED, posting.public_no, actor=seeker)
            (capability,) = queries.list_capabilities([world.own.public_no])
            remarks.dismiss(found, capability, reason_code="region", reason="", by=seeker, now=clock.now())
    assert queries.count_reasons_against(world.supplier.organisation_id, now=clock.now()) == [("region", 3)]
    with transaction():
        remarks.undo(
            queries.get_own_dismissal(mine.id, actor=world.colleague), by=world.colleague, now=clock.now()
        )
    with pytest.raises(NotFound):
        queries.get_own_dismissal(theirs.id, actor=world.seeker)
    note = remark(world.seeker, remarks.add_note, text="电话沟通过一次")
    assert queries.list_notes(PostingKind.NEED, [need.id], viewer=world.supplier) == {}
    assert len(queries.list_notes(PostingKind.NEED, [need.id], viewer=world.colleague)) == 1
    with pytest.raises(Forbidden), transaction():
        remarks.remove_note(
            queries.get_own_note(note.id, actor=world.colleague), by=world.colleague, now=clock.now()
        )
    with pytest.raises(NotFound):
        queries.get_own_note(note.id, actor=world.supplier)


def test_what_is_seen_counts_once_a_day_for_an_organisation(world):
    run = world.rank()
    lines = {(run.public_no, world.own.public_no), (run.public_no, world.other.public_no)}

    def see(actor, opened=False, seen=lines):
        with transaction():
            return events.record_seen(seen, opened=opened, by=actor, now=clock.now())

    assert see(world.seeker) == 2
    assert see(world.colleague) == 0
    assert see(world.colleague, opened=True) == 2
    # A supplier tells of its own line only, others of none; nobody counts who is paid to look.
    assert see(world.supplier) == 1
    assert see(world.stranger) == 0
    assert see(an_operator()) == 0
    assert see(world.seeker, seen={("MR-1", world.own.public_no), (run.public_no, "NL-1")}) == 0
    # A list that another has replaced is shown to nobody any more.
    with transaction() as session:
        session.execute(update(MatchRun).values(superseded_at=clock.now()))
    assert see(world.supplier, opened=True) == 0


# --- two at once ------------------------------------------------------------------------------------------


def both_at_once(app, *acts):
    """Each act in a thread of its own; for each its error, or None."""
    found, barrier = [None] * len(acts), Barrier(len(acts))

    def run(place, act_):
        with app.app_context():
            try:
                barrier.wait(10)
                act_()
            except Exception as error:
                found[place] = error
            finally:
                db.session.remove()

    threads = [Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # What the threads wrote is not in the snapshot that this session may have begun.
    db.session.rollback()
    return found


def test_of_two_editors_who_invite_at_once_one_is_told_that_it_is_done(app, world):
    found = both_at_once(app, lambda: invite(world), lambda: invite(world, by=world.colleague))
    assert sorted(type(one).__name__ for one in found) == ["AlreadyOpen", "NoneType"], found
    assert count(Approach) == 1


def test_of_an_invitation_and_an_interest_at_once_one_stands(app, world):
    found = both_at_once(app, lambda: invite(world), lambda: show_interest(world))
    assert sorted(type(one).__name__ for one in found) == ["AlreadyOpen", "NoneType"], found
    assert count(Approach) == 1


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_a_sweep_has_just_ended_is_not_ended_again(app, world, monkeypatch):
    (invitation,) = invite(world)
    let_run_out(invitation)
    listed = queries.list_open_about

    def swept():
        with app.app_context():
            sweeps.sweep()

    def swept_meanwhile(*about):
        found = listed(*about)
        sweeping = Thread(target=swept)
        sweeping.start()
        sweeping.join(30)
        return found

    monkeypatch.setattr(queries, "list_open_about", swept_meanwhile)
    invite(world)
    assert letters_of(world.seeker) == ["invitation.expired"]


def test_of_accepting_and_withdrawing_at_once_one_wins(app, world):
    (invitation,) = invite(world)
    number = invitation.public_no
    found = both_at_once(
        app,
        lambda: accept(number, by=world.supplier),
        lambda: act(number, services.withdraw, by=world.seeker, reason=""),
    )
    assert sorted(type(one).__name__ for one in found) == ["InvalidTransition", "NoneType"]
    assert count(OpenedContact) == (2 if reread(invitation).status is S.ACCEPTED else 0)
    assert queries.list_open_contacts_of_unsettled() == []
