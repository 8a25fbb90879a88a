"""People publish while workers, supervisor and queue are killed, emptied, frozen and away: nothing is lost,
nothing is done twice, and the invariants hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.kernel import clock, invariants, outbox
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.matching import epochs, runs
from marketplace.matching.models import MatchRun, PostingKind, Ranking
from tests.conftest import Database
from tests.factories import a_capability, a_need, an_sme
from tests.services.valkey import QueueServer
from tests.services.workforce import Workforce, until, workforce

pytestmark = [pytest.mark.usefixtures("app"), pytest.mark.timeout(600)]

PUBLICATIONS = 200
CAPABILITIES = (
    ("旋转锻造空心电机轴", "用八模头旋锻机把无缝管近净成形为空心电机轴，壁厚渐变，材料利用率九成以上。"),
    ("铝合金压铸电机壳体", "一体化压铸水冷电机壳体，气密检漏逐件进行，年产能四十万件。"),
    ("主轴管感应淬火", "高频感应淬火生产线，硬化层深度可控，配在线涡流探伤。"),
    ("行星滚柱丝杠磨削", "螺纹磨床精磨滚柱丝杠，导程误差按 GB/T 17587 检验。"),
)
WORDS = ("旋锻主轴管毛坯", "压铸电机壳体", "感应淬火转轴", "滚柱丝杠副", "空心电机轴锻件")


@dataclass
class Stage:
    workers: Workforce
    queue: QueueServer

    def kill_workers(self) -> None:
        for process in self.workers.workers():
            process.kill()

    def kill_supervisor(self) -> None:
        self.workers.kill()

    def restart_supervisor(self) -> None:
        self.workers.start()

    def kill_queue(self) -> None:
        self.queue.kill()

    def restart_queue(self) -> None:
        self.queue.start()


# What happens after every few publications, each thing more than once.
FAULTS: tuple[Callable[[Stage], None], ...] = (
    Stage.kill_workers,
    lambda stage: stage.queue.empty(),
    Stage.kill_supervisor,
    Stage.restart_supervisor,
    Stage.kill_queue,
    Stage.restart_queue,
    lambda stage: stage.queue.freeze(),
    lambda stage: stage.queue.thaw(),
    Stage.kill_workers,
    lambda stage: stage.queue.empty(),
    Stage.kill_queue,
    Stage.kill_supervisor,
    Stage.restart_supervisor,
    Stage.restart_queue,
    lambda stage: stage.queue.empty(),
    Stage.kill_workers,
)


@pytest.fixture
def seller(app: Flask) -> Actor:
    return an_sme()


@pytest.fixture
def stage(database: Database, queue_server: QueueServer, seller: Actor) -> Iterator[Stage]:
    for title, summary in CAPABILITIES:
        a_capability(seller, title=title, summary=summary)
    runs.take_over_capabilities()
    epochs.build_epoch()
    with workforce(database.settings(redis_url=queue_server.url)) as force:
        yield Stage(force, queue_server)


def everything_is_done() -> bool:
    db.session.rollback()
    return outbox.queue_state(now=clock.now() + timedelta(days=1)).open == 0


def broken_invariants() -> dict[str, tuple[str, ...]]:
    db.session.rollback()
    return {v.name: v.violations for v in invariants.judge(now=clock.now()) if v.violations}


def test_every_acknowledged_publication_is_ranked_with_one_effect(stage: Stage, seller: Actor) -> None:
    acknowledged: dict[int, int] = {}
    faults = iter(FAULTS)
    for n in range(PUBLICATIONS):
        need = a_need(seller, title=f"{WORDS[n % len(WORDS)]} {n + 1:03d} 号", indicators=())
        acknowledged[need.id] = need.version
        if n % (PUBLICATIONS // len(FAULTS)) == 0 and (fault := next(faults, None)):
            fault(stage)
    until(everything_is_done, what=f"all is ranked; workers said: {stage.workers.log()[-1500:]}")

    versions = select(Ranking.posting_id, Ranking.ranked_version).where(Ranking.kind == PostingKind.NEED)
    ranked: dict[int, int] = {row[0]: row[1] for row in db.session.execute(versions)}
    assert {one: ranked.get(one) for one in acknowledged} == acknowledged
    effects = db.session.execute(
        select(MatchRun.seeker_id, func.count())
        .where(MatchRun.seeker_kind == PostingKind.NEED)
        .group_by(MatchRun.seeker_id)
    )
    assert {row[0]: row[1] for row in effects} == dict.fromkeys(acknowledged, 1)
    assert outbox.queue_state().dead == 0
    assert broken_invariants() == {}


def test_people_publish_as_before_while_no_queue_and_no_worker_is_there(seller: Actor) -> None:
    need = a_need(seller)
    assert outbox.is_pending("matching.rank_seeker", need.id)
    assert broken_invariants() == {}
