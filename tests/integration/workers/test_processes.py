"""A real supervisor, real workers and a real queue server, on both databases, through kills and outages."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.kernel.db import db, transaction
from marketplace.kernel.heartbeat import find_heartbeat
from marketplace.kernel.outbox import OutboxRow, defer
from tests.conftest import Database
from tests.integration.workers import probe
from tests.services.valkey import QueueServer
from tests.services.workforce import Workforce, until, workforce

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def workers(database: Database, queue_server: QueueServer) -> Iterator[Workforce]:
    settings = database.settings(redis_url=queue_server.url)
    with workforce(settings, module=probe.MODULE) as force:
        yield force


def ask(kind: str, count: int = 1) -> None:
    with transaction():
        for n in range(count):
            defer(kind, subject_id=n + 1)


def effects() -> dict[int | None, int]:
    """How often each thing was done."""
    db.session.rollback()
    rows = db.session.execute(
        select(OutboxRow.subject_id, func.count())
        .where(OutboxRow.kind == probe.EFFECT)
        .group_by(OutboxRow.subject_id)
    )
    return {row[0]: row[1] for row in rows}


def rows_of(kind: str) -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow).where(OutboxRow.kind == kind).order_by(OutboxRow.id)))


def all_done(kind: str) -> Callable[[], bool]:
    return lambda: all(row.done_at for row in rows_of(kind))


def once_each(count: int) -> dict[int, int]:
    return dict.fromkeys(range(1, count + 1), 1)


def test_deferred_work_is_done_once_by_a_worker(workers: Workforce) -> None:
    ask("test.note", 120)
    until(all_done("test.note"), what="120 notes")
    assert effects() == once_each(120)


def test_the_supervisor_shows_that_it_lives(workers: Workforce) -> None:
    def beat() -> bool:
        db.session.rollback()
        found = find_heartbeat("workers")
        return found is not None and len(found.detail["workers"]) == 2

    until(beat, what="a heartbeat with two workers")


def test_a_job_that_raises_is_tried_again_and_keeps_its_reason(workers: Workforce) -> None:
    ask("test.break_down")
    ask("test.note")
    until(lambda: rows_of("test.break_down")[0].attempts >= 2, what="a second attempt")
    assert "broken on purpose" in (rows_of("test.break_down")[0].last_error or "")
    until(all_done("test.note"), what="the note beside it")


def test_a_job_that_kills_its_process_holds_nobody_up(workers: Workforce) -> None:
    ask("test.die")
    ask("test.note", 5)
    until(lambda: rows_of("test.die")[0].attempts >= 3, what="a third attempt")
    until(all_done("test.note"), what="the notes beside it")
    assert "died" in (rows_of("test.die")[0].last_error or "")


def test_a_job_that_ends_without_finishing_is_not_taken_for_done(workers: Workforce) -> None:
    ask("test.forget")
    until(lambda: rows_of("test.forget")[0].attempts >= 1, what="an attempt")
    until(lambda: rows_of("test.forget")[0].last_error is not None, what="its reason")
    assert rows_of("test.forget")[0].done_at is None


def test_work_of_an_unknown_kind_is_kept_with_its_reason(workers: Workforce) -> None:
    ask("test.nobody_knows")
    until(lambda: rows_of("test.nobody_knows")[0].last_error is not None, what="a reason")


def test_a_killed_worker_is_replaced_and_its_job_done_once(workers: Workforce, app: Flask) -> None:
    ask("test.slow", 2)
    until(lambda: rows_of("test.slow")[0].attempts == 1, what="the job has begun")
    victims = workers.everybody()[1:]
    for victim in victims:
        victim.kill()
    until(all_done("test.slow"), what="the slow jobs")
    assert effects() == once_each(2)
    assert not [victim for victim in victims if victim.is_running() and victim.status() != "zombie"]


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_goes_on(workers: Workforce) -> None:
    ask("test.slow", 2)
    until(lambda: rows_of("test.slow")[0].attempts == 1, what="the job has begun")
    family = workers.everybody()[1:]
    assert len(family) >= 3
    workers.kill()
    until(lambda: not [p for p in family if p.is_running()], what="the end of its family")
    workers.start()
    until(all_done("test.slow"), what="the slow jobs")
    assert effects() == once_each(2)


def test_an_emptied_queue_loses_nothing(workers: Workforce, queue_server: QueueServer) -> None:
    ask("test.slow")
    ask("test.note", 60)
    until(lambda: rows_of("test.slow")[0].attempts == 1, what="the job has begun")
    queue_server.empty()
    until(all_done("test.note"), what="60 notes")
    until(all_done("test.slow"), what="the slow job")
    assert effects() == once_each(60) | {1: 2}


def test_work_waits_for_a_queue_that_is_away(workers: Workforce, queue_server: QueueServer) -> None:
    queue_server.kill()
    ask("test.note", 60)
    until(lambda: "the queue is away" in workers.log(), what="the outage is noticed")
    assert effects() == {}
    queue_server.start()
    until(all_done("test.note"), what="60 notes")
    assert effects() == once_each(60)


def test_work_survives_a_queue_that_hangs(workers: Workforce, queue_server: QueueServer) -> None:
    ask("test.note", 3)
    until(all_done("test.note"), what="the workers are up")
    queue_server.freeze()
    ask("test.slow", 4)
    until(lambda: "the queue is away" in workers.log(), what="the outage is noticed")
    queue_server.thaw()
    until(all_done("test.slow"), what="the work of the outage")
    assert effects() == {1: 2, 2: 2, 3: 2, 4: 1}
