"""A ranking on a real Dask cluster is that of one process, and a worker's death changes nothing of it."""

import random
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.config import Settings, UnfitSettings
from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.matching import epochs, jobs, queries, runs, sources
from marketplace.matching.engine import blocks, cluster, segments
from marketplace.matching.engine.blocks import Asked
from marketplace.matching.engine.cluster import ClusterUnavailable
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.models import CorpusEpoch, MatchRun
from marketplace.matching.sources import Subject
from tests.integration.support import a_capability, a_need, an_editor
from tests.services import Missing
from tests.services.dask_cluster import DaskCluster, dask_cluster
from tests.services.launcher import free_port
from tests.services.workforce import until
from tests.unit.matching.conftest import NOW
from tests.unit.matching.test_index import capability, seeker

SEEKERS = 240
TRADES = ("轴承", "减速器", "镁合金压铸", "电机控制器", "液压阀", "焊接机器人", "传感器")


@pytest.fixture(scope="module")
def servers() -> Iterator[DaskCluster]:
    """A scheduler and one worker."""
    with started(workers=1) as cluster_:
        yield cluster_


@contextmanager
def started(*, workers: int) -> Iterator[DaskCluster]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            with dask_cluster(Path(folder), workers=workers) as servers:
                yield servers
        except Missing as missing:
            pytest.skip(str(missing))


def test_a_worker_killed_half_way_changes_no_place_and_no_score(servers, tmp_path, monkeypatch):
    random_ = random.Random(1)
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", 80)
    Ranker().fit([capability(random_, number) for number in range(1, 301)]).save(tmp_path / "epoch")
    ranker = Ranker().load(tmp_path / "epoch")
    ranker = ranker.with_changes(
        [capability(random_, number) for number in (5, 200, 700)], [("capability", 17)]
    )
    rows = blocks.publish(ranker, tmp_path / "epoch", tmp_path / "published")
    division = blocks.divide(rows, 80)
    assert len(division) == 4
    asked = [Asked(seeker(random_, number), NOW) for number in range(1, SEEKERS + 1)]
    read: list[Asked] = []

    def reading() -> Iterator[Asked]:
        for one in asked:
            read.append(one)
            yield one

    got = []
    second = servers.add_worker()
    with cluster.connected(servers.address) as client:
        until(lambda: client.count_workers() == 2, what="the second worker")
        ranked = client.rank_many(tmp_path / "published", division, reading(), size=50)
        for one in ranked:
            got.append(one)
            if len(got) == 40:
                assert len(read) < SEEKERS
                servers.kill_worker(second)
    assert [one for one, _ in got] == asked
    for one, tally in got:
        assert list(tally.places) == ranker.places(one.seeker, now=NOW)
    for one, tally in got[::20]:
        assert blocks.in_full(ranker, one.seeker, tally) == ranker.rank(one.seeker, now=NOW)
    assert sum(len(tally.places) for _, tally in got) > SEEKERS


@pytest.fixture
def on_cluster(servers, make_app, monkeypatch):
    """An application that ranks everything on the cluster, and may not do it itself."""

    def forbidden(*_args, **_values):
        raise AssertionError("ranked in this process")

    app = make_app(match_engine="dask", dask_scheduler=servers.address)
    with app.app_context():
        for number, trade in enumerate(TRADES * 2):
            text = (
                f"批量供应{trade}，夹紧力 {20 + number} kN，寿命 100 万次，按客户图样制造，随货提供检测报告。"
            )
            a_capability(an_editor(), title=f"{trade}的设计与制造{number}", summary=text, parameters=())
        buyer = an_editor()
        for trade in TRADES:
            a_need(buyer, title=f"{trade}配套", specification=f"需要{trade}，夹紧力不低于 25 kN，寿命长。")
        runs.take_over_capabilities()
        epochs.open_corpus()
        with monkeypatch.context() as patch:
            patch.setattr(Ranker, "rank", forbidden)
            yield patch


def as_one_process_says(run: MatchRun) -> tuple[str, int, int, dict[str, int]]:
    """Output, candidates, eligible and excluded of a run, computed here on what it was computed on."""
    state, ranker = epochs.open_corpus()
    assert state.change == run.corpus_change
    seeker = sources.read_one(Subject(run.seeker_kind, run.seeker_id), now=run.ranked_at)
    assert seeker is not None
    shortlist = runs.compute(seeker, ranker, state, now=run.ranked_at)
    ranked = shortlist.ranked
    eligible = ranked.considered - sum(ranked.excluded.values())
    excluded = {**ranked.excluded, "unrelated": ranked.unrelated}
    return runs.output_of(shortlist), ranked.considered, eligible, excluded


def as_stored(run: MatchRun) -> tuple[str, int, int, dict[str, int]]:
    return run.output_sha256, run.candidates, run.eligible, dict(run.excluded)


def current() -> list[MatchRun]:
    return list(
        db.session.scalars(
            select(MatchRun).where(MatchRun.superseded_at.is_(None)).order_by(MatchRun.id)
        ).all()
    )


def test_shortlists_from_the_cluster_are_byte_for_byte_those_of_one_process(on_cluster):
    # What came after the epoch lies in a segment that only the corpus as it stands has.
    a_capability(an_editor(), title="镁合金压铸件焊接机器人")
    runs.take_over_capabilities()
    told: list[tuple[int, int]] = []
    assert jobs.rank_everything(lambda done, total: told.append((done, total))) == len(TRADES)
    on_cluster.undo()
    assert told[0] == (0, len(TRADES))
    assert told[-1] == (len(TRADES), len(TRADES))
    stored = current()
    assert len(stored) == len(TRADES)
    assert min(queries.count_entries(run.id) for run in stored) > 0
    assert [as_stored(run) for run in stored] == [as_one_process_says(run) for run in stored]
    assert runs.list_unranked(now=clock.now()) == []
    assert not list(
        (epochs.folder_of(db.session.scalars(select(CorpusEpoch)).one()).parent).glob(".cluster-*")
    )


def test_when_the_corpus_changes_meanwhile_the_rest_is_ranked_on_the_corpus_as_it_then_is(on_cluster):
    def report(done: int, total: int) -> None:
        if done == 3 and not told:
            a_capability(an_editor(), title="镁合金压铸件焊接机器人")
            runs.take_over_capabilities()
            told.append(done)

    told: list[int] = []
    assert jobs.rank_everything(report) == len(TRADES)
    on_cluster.undo()
    latest = [run for run in current() if run.corpus_change == epochs.open_corpus()[0].change]
    assert len(latest) == len(TRADES) - 3
    assert [as_stored(run) for run in latest] == [as_one_process_says(run) for run in latest]


def test_without_a_worker_and_without_its_scheduler_it_says_so(tmp_path):
    random_ = random.Random(2)
    Ranker().fit([capability(random_, number) for number in range(1, 30)]).save(tmp_path / "epoch")
    ranker = Ranker().load(tmp_path / "epoch")
    rows = blocks.publish(ranker, tmp_path / "epoch", tmp_path / "published")
    with started(workers=0) as servers:
        with (
            pytest.raises(ClusterUnavailable, match="has no worker"),
            cluster.connected(servers.address, patience=1.0),
        ):
            pytest.fail("connected to nobody")
        servers.add_worker()
        with cluster.connected(servers.address, patience=5.0) as client:
            endless = (Asked(seeker(random_, 1), NOW) for _ in iter(int, 1))
            ranked = client.rank_many(tmp_path / "published", blocks.divide(rows), endless, size=50)
            next(ranked)
            servers.kill_scheduler()
            with pytest.raises(ClusterUnavailable, match="was lost"):
                list(ranked)


def test_a_job_whose_cluster_is_away_fails_and_ranks_nothing(make_app, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    app = make_app(match_engine="dask", dask_scheduler=f"tcp://127.0.0.1:{free_port()}")
    with app.app_context():
        a_capability(an_editor())
        a_need(an_editor())
        runs.take_over_capabilities()
        with pytest.raises(ClusterUnavailable, match="no Dask scheduler answers"):
            jobs.rank_everything(lambda done, total: None)
        assert current() == []


def test_something_else_that_listens_is_no_scheduler():
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with (
            pytest.raises(ClusterUnavailable, match="no Dask scheduler answers"),
            cluster.connected(address, patience=0.5),
        ):
            pytest.fail("connected to something else")


def test_without_dask_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ClusterUnavailable, match="pip install -r requirements-dask"),
        cluster.connected("tcp://127.0.0.1:1"),
    ):
        pytest.fail("connected without dask")


@pytest.mark.parametrize("address", ["", "10.0.0.5:8786"])
def test_a_cluster_without_its_address_is_refused_at_the_start(tmp_path, address):
    settings = Settings(instance_dir=tmp_path, match_engine="dask", dask_scheduler=address)
    with pytest.raises(UnfitSettings, match="DASK_SCHEDULER"):
        settings.check()
    Settings(instance_dir=tmp_path, dask_scheduler=address).check()
