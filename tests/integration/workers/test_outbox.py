"""The outbox on both databases: deferred with the act, claimed once, fenced, retried, and dead in the end."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from marketplace.kernel import clock, outbox
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import LEASE, MAX_ATTEMPTS, Batch, Lease, OutboxRow, defer

ME = "0123abcd:4194304"

pytestmark = pytest.mark.usefixtures("app")


def ask(kind: str = "test.note", count: int = 1, **values: object) -> None:
    with transaction():
        for n in range(count):
            defer(kind, subject_id=n + 1, **values)  # type: ignore[arg-type]


def rows() -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


def start(batch: Batch) -> Lease:
    lease = outbox.begin(batch.kind, batch.ids, batch.token, holder=ME)
    assert lease is not None
    return lease


def age(seconds: float) -> None:
    """Let time pass for all rows, by moving what they know of it."""
    by = timedelta(seconds=seconds)
    for row in rows():
        values = {"due_at": row.due_at - by, "created_at": row.created_at - by}
        if row.leased_until:
            values["leased_until"] = row.leased_until - by
        with transaction() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id == row.id).values(**values))


def test_work_of_an_act_that_is_rolled_back_is_never_done() -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        defer("test.note", subject_id=1)
        raise ZeroDivisionError
    assert rows() == []
    assert not outbox.has_due()


def test_work_cannot_be_deferred_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="inside transaction"):
        defer("test.note", subject_id=1)


def test_rows_of_one_kind_go_together_and_kinds_apart() -> None:
    ask("test.note", count=outbox.BATCH_SIZE + 10)
    ask("test.other", count=3)
    batches = outbox.claim(max_batches=5)
    assert [(b.kind, len(b.ids)) for b in batches] == [("test.note", 50), ("test.other", 3)]
    assert [(b.kind, len(b.ids)) for b in outbox.claim(max_batches=5)] == [("test.note", 10)]
    assert outbox.claim(max_batches=5) == []
    assert outbox.offered_batches() == 3


def test_a_bulk_row_goes_alone() -> None:
    ask(count=2)
    ask("test.note", count=2, bulk=True)
    assert sorted(len(b.ids) for b in outbox.claim(max_batches=9, max_bulk=5)) == [1, 1, 2]


def test_long_runs_do_not_take_every_worker() -> None:
    ask("test.note", count=3, bulk=True)
    ask("test.note", count=2)
    first = outbox.claim(max_batches=9, max_bulk=1)
    assert sorted(len(b.ids) for b in first) == [1, 2]
    assert outbox.claim(max_batches=9, max_bulk=1) == []
    assert [len(b.ids) for b in outbox.claim(max_batches=9, max_bulk=2)] == [1]


def test_what_is_not_due_yet_is_left_alone(app: Flask) -> None:
    ask(due_at=clock.now() + timedelta(minutes=5))
    assert not outbox.has_due()
    assert outbox.claim(max_batches=1) == []
    age(301)
    assert outbox.has_due()
    assert len(outbox.claim(max_batches=1)) == 1


def test_no_more_is_claimed_than_there_is_room_for() -> None:
    ask(count=200)
    assert [len(b.ids) for b in outbox.claim(max_batches=0)] == []
    assert [len(b.ids) for b in outbox.claim(max_batches=1)] == [50]


def test_an_offer_that_nobody_took_is_made_again_and_the_first_one_is_void() -> None:
    ask(count=2)
    [first] = outbox.claim(max_batches=1)
    assert outbox.claim(max_batches=1) == []
    age(LEASE.total_seconds() + 1)
    [second] = outbox.claim(max_batches=1)
    assert second.ids == first.ids
    assert second.token != first.token
    assert outbox.begin(first.kind, first.ids, first.token, holder=ME) is None
    assert [w.attempt for w in start(second).work] == [1, 1]


def test_an_offer_the_queue_refused_is_free_at_once() -> None:
    ask()
    [batch] = outbox.claim(max_batches=1)
    outbox.release(batch)
    assert outbox.begin(batch.kind, batch.ids, batch.token, holder=ME) is None
    assert len(outbox.claim(max_batches=1)) == 1


def test_an_offer_that_is_delivered_twice_is_done_once() -> None:
    ask()
    [batch] = outbox.claim(max_batches=1)
    start(batch)
    assert outbox.begin(batch.kind, batch.ids, batch.token, holder="another:1") is None


def test_the_offers_of_an_emptied_queue_are_free_and_what_has_begun_is_not() -> None:
    ask(count=1)
    start(outbox.claim(max_batches=1)[0])
    ask(count=2)
    outbox.claim(max_batches=1)
    assert outbox.release_offers() == 2
    assert outbox.release_offers() == 0
    assert [len(b.ids) for b in outbox.claim(max_batches=9)] == [2]


def test_what_a_dead_worker_had_begun_is_free_at_once_and_its_attempt_counts() -> None:
    ask()
    lease = start(outbox.claim(max_batches=1)[0])
    assert outbox.list_holders() == [ME]
    assert outbox.release_holder("0123abcd:41943") == 0
    assert outbox.release_holder(ME) == 1
    assert start(outbox.claim(max_batches=1)[0]).work[0].attempt == 2
    with pytest.raises(outbox.LeaseLost), transaction():
        lease.finish()


def test_finished_work_is_done_and_stays_done() -> None:
    ask(count=2)
    [batch] = outbox.claim(max_batches=1)
    lease = start(batch)
    with transaction():
        lease.finish([lease.work[0].id])
    assert [row.done_at is not None for row in rows()] == [True, False]
    with transaction():
        lease.finish([lease.work[1].id])
    age(3600)
    assert outbox.claim(max_batches=1) == []
    assert outbox.begin(batch.kind, batch.ids, batch.token, holder=ME) is None


def test_a_job_that_lost_its_lease_cannot_finish_and_its_effect_is_undone() -> None:
    ask()
    lease = start(outbox.claim(max_batches=1)[0])
    age(LEASE.total_seconds() + 1)
    again = start(outbox.claim(max_batches=1)[0])
    with pytest.raises(outbox.LeaseLost), transaction():
        defer("test.effect")
        lease.finish()
    assert [row.kind for row in rows()] == ["test.note"]
    with transaction():
        defer("test.effect")
        again.finish()
    assert [row.kind for row in rows()] == ["test.note", "test.effect"]


def test_finishing_belongs_into_the_transaction_of_the_effect() -> None:
    ask()
    lease = start(outbox.claim(max_batches=1)[0])
    with pytest.raises(RuntimeError, match="transaction of the effect"):
        lease.finish()


def test_finishing_one_item_keeps_the_lease_of_the_rest_alive() -> None:
    ask(count=2)
    lease = start(outbox.claim(max_batches=1)[0])
    age(LEASE.total_seconds() - 1)
    with transaction():
        lease.finish([lease.work[0].id])
    age(2)
    assert outbox.claim(max_batches=1) == []
    with transaction():
        lease.finish([lease.work[1].id])


def test_a_long_run_renews_its_lease_and_notes_its_progress() -> None:
    ask(bulk=True)
    lease = start(outbox.claim(max_batches=1)[0])
    for done in (100, 200):
        age(LEASE.total_seconds() - 1)
        lease.renew({"done": done})
    assert rows()[0].payload == {"done": 200}
    age(LEASE.total_seconds() + 1)
    outbox.claim(max_batches=1)
    with pytest.raises(outbox.LeaseLost):
        lease.renew()


def test_a_bulk_handed_back_waits_behind_what_came_meanwhile() -> None:
    ask(bulk=True)
    lease = start(outbox.claim(max_batches=1)[0])
    ask("test.other")
    with transaction():
        lease.hand_back({"next": 200})
    first, second = outbox.claim(max_batches=2)
    assert (first.kind, second.kind) == ("test.other", "test.note")
    assert start(second).work[0].payload == {"next": 200}


def test_failed_work_waits_longer_each_time_and_dies_before_it_is_overdue() -> None:
    ask()
    waits = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        [batch] = outbox.claim(max_batches=1)
        lease = start(batch)
        assert lease.work[0].attempt == attempt
        outbox.fail(lease.token, "it broke")
        row = rows()[0]
        assert row.last_error == "it broke"
        if attempt < MAX_ATTEMPTS:
            assert row.leased_until is not None
            waits.append(round((row.leased_until - row.due_at).total_seconds()))
            assert outbox.claim(max_batches=1) == []
            age((row.leased_until - clock.now()).total_seconds() + 0.1)
    assert row.dead_at is not None
    assert waits[-1] < outbox.OVERDUE_AFTER.total_seconds()
    assert waits == sorted(waits)
    age(3600)
    assert outbox.claim(max_batches=1) == []


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 3), (3, 8), (4, 18), (5, 48), (6, 78), (7, 108)]
)
def test_the_waits_are_counted_from_when_the_work_was_due(attempts: int, seconds: int) -> None:
    due = datetime.fromisoformat("2026-11-22T08:00:00+00:00")
    assert outbox.retry_at(attempts, due_at=due, now=due) == due + timedelta(seconds=seconds)


def test_work_that_was_overdue_anyway_is_not_killed_in_seconds() -> None:
    due = datetime.fromisoformat("2026-11-22T08:00:00+00:00")
    now = due + timedelta(hours=1)
    assert outbox.retry_at(5, due_at=due, now=now) == now + timedelta(seconds=30)


def test_a_row_that_failed_goes_alone_so_that_it_takes_no_others_down() -> None:
    ask(count=3)
    lease = start(outbox.claim(max_batches=1)[0])
    with transaction():
        lease.finish([lease.work[0].id])
    outbox.fail(lease.token, "one of them is poison")
    age(5)
    assert sorted(len(b.ids) for b in outbox.claim(max_batches=9)) == [1, 1]


def test_work_that_kills_its_process_each_time_is_buried() -> None:
    ask()
    for _ in range(MAX_ATTEMPTS):
        start(outbox.claim(max_batches=1)[0])
        age(LEASE.total_seconds() + 1)
    assert outbox.claim(max_batches=1) == []
    assert outbox.bury_exhausted() == 1
    assert outbox.bury_exhausted() == 0
    assert rows()[0].dead_at is not None


def test_dead_work_can_be_given_all_its_attempts_again() -> None:
    ask()
    with transaction() as session:
        session.execute(update(OutboxRow).values(dead_at=clock.now(), attempts=MAX_ATTEMPTS))
    [dead] = db.session.scalars(outbox.select_dead())
    with transaction():
        assert outbox.retry_dead([dead.id], now=clock.now()) == 1
    assert start(outbox.claim(max_batches=1)[0]).work[0].attempt == 1


def test_overdue_is_what_is_neither_dead_nor_a_bulk_at_work() -> None:
    ask("test.late")
    ask("test.bulk", bulk=True)
    ask("test.dead")
    ask("test.done")
    age(181)
    for batch in outbox.claim(max_batches=9, max_bulk=9):
        lease = start(batch)
        if batch.kind == "test.done":
            with transaction():
                lease.finish()
    with transaction() as session:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.kind == "test.dead")
            .values(dead_at=clock.now(), lease_token=None)
        )
    now = clock.now()
    assert [row.kind for row in outbox.list_overdue(now=now)] == ["test.late"]
    assert [row.kind for row in outbox.list_overdue(now=now + LEASE * 2)] == ["test.late", "test.bulk"]
    state = outbox.queue_state(now=now)
    assert (state.open, state.running, state.dead) == (2, 2, 1)


def test_pending_is_told_per_thing() -> None:
    ask(count=2)
    assert outbox.is_pending("test.note", 1)
    assert not outbox.is_pending("test.note", 3)
    assert not outbox.is_pending("test.other", 1)
    lease = start(outbox.claim(max_batches=1)[0])
    with transaction():
        lease.finish()
    assert not outbox.is_pending("test.note", 1)


def test_old_done_work_is_forgotten_and_open_work_never() -> None:
    ask(count=2)
    lease = start(outbox.claim(max_batches=1)[0])
    with transaction():
        lease.finish([lease.work[0].id])
    assert outbox.prune(before=clock.now() - timedelta(days=1)) == 0
    assert outbox.prune(before=clock.now() + timedelta(days=1)) == 1
    assert [row.done_at for row in rows()] == [None]
