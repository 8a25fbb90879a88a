"""The index as files: kept deltas, merges, crashes and damage, and what `flask match stats` says of it."""

import itertools
import json
import random

import pytest
from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.matching import corpus, epochs, inventory
from marketplace.matching.engine import deltas
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.models import CorpusEpoch, MatchDocument, PostingKind
from tests.unit.matching.conftest import NOW
from tests.unit.matching.test_index import capability, seeker

SEEKERS = [seeker(random.Random(8), number) for number in range(1, 7)]


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch):
    """So that a handful of documents makes files and merges."""
    monkeypatch.setattr(epochs, "KEPT_FROM", 2)
    monkeypatch.setattr(epochs, "MOST_DELTAS", 3)
    monkeypatch.setattr(epochs, "NEW_AT_MOST", 100)


def came(random_: random.Random, *ids: int) -> None:
    with transaction():
        corpus.put_in_force([capability(random_, id) for id in ids], now=clock.now())


def gone(id: int) -> None:
    with transaction():
        corpus.take_out(id)


def listed() -> list[list[tuple[int, int]]]:
    _, ranker = epochs.open_corpus()
    return [[(p.id, p.score) for p in ranker.places(one, now=NOW)] for one in SEEKERS]


def listed_anew() -> list[list[tuple[int, int]]]:
    """By another process, which has nothing open."""
    epochs.forget_opened()
    return listed()


def listed_without_files() -> list[list[tuple[int, int]]]:
    """From the rows alone, by the statistics of the epoch."""
    epoch = db.session.scalars(select(CorpusEpoch).order_by(CorpusEpoch.id.desc())).first()
    assert epoch is not None

    def documents(change: int) -> list[Matchable]:
        contents = db.session.scalars(
            select(MatchDocument.content).where(corpus.as_of(change)).order_by(MatchDocument.posting_id)
        )
        return [Matchable.from_dict(content) for content in contents]

    ranker = Ranker().fit(documents(epoch.corpus_change))
    state = corpus.read_state()
    assert state is not None
    standing = documents(state[0].change)
    kept = {document.id for document in standing}
    removed = [document.key for document in ranker.index_.documents() if document.id not in kept]
    later = ranker.with_changes(standing, removed)
    return [[(p.id, p.score) for p in later.places(one, now=NOW)] for one in SEEKERS]


@pytest.fixture
def epoch(app) -> CorpusEpoch:
    random_ = random.Random(1)
    came(random_, *range(1, 41))
    epochs.open_corpus()
    return db.session.scalars(select(CorpusEpoch)).one()


def chain(epoch: CorpusEpoch) -> list[tuple[int, int]]:
    return deltas.chain(epochs.folder_of(epoch), epoch.corpus_change, 10_000)


def test_every_process_ranks_the_same_from_kept_deltas_as_from_the_rows(app, epoch):
    random_ = random.Random(2)
    for step in range(10):
        came(random_, *random_.sample(range(1, 70), 3))
        gone(random_.randint(1, 70))
        now = listed_anew() if step % 2 else listed()
        assert now == listed_without_files()
    assert len(chain(epoch)) <= epochs.MOST_DELTAS + 1
    assert listed_anew() == listed_without_files()


def test_many_deltas_are_merged_into_one_that_covers_them(app, epoch):
    random_ = random.Random(3)
    seen = []
    for number in range(8):
        came(random_, 100 + number, 200 + number)
        listed_anew()
        seen.append(len(chain(epoch)))
    assert max(seen) <= epochs.MOST_DELTAS + 1
    assert chain(epoch)[0][0] == epoch.corpus_change
    assert any(later < earlier for earlier, later in itertools.pairwise(seen))


def test_what_is_learned_alone_scores_as_the_whole_and_keeps_up_with_changes(app, epoch):
    """Whoever places a capability opens no document; from time to time it takes what came into files."""
    random_ = random.Random(6)
    whole = epochs.open_corpus()
    epochs.forget_opened()
    light = epochs.open_statistics()
    assert light[0] == whole[0]
    newcomer = capability(random_, 300)
    for one in SEEKERS:
        assert light[1].score(one, newcomer) == whole[1].score(one, newcomer)
    came(random_, 301, 302)
    epochs.forget_opened()
    epochs.keep_up()
    assert chain(epoch) == []
    came(random_, 303, 304)
    assert epochs.open_statistics()[0].change == epoch.corpus_change + 2
    epochs.keep_up()
    assert chain(epoch) == [(epoch.corpus_change, epoch.corpus_change + 2)]
    assert listed_anew() == listed_without_files()


def test_a_damaged_delta_is_computed_again(app, epoch):
    came(random.Random(4), 60, 61, 62)
    expected = listed()
    (link,) = chain(epoch)
    path = epochs.folder_of(epoch) / f"delta-{link[0]}-{link[1]}" / "segment" / "impacts.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00\x00")
    assert listed_anew() == expected
    assert chain(epoch) == [link]
    assert listed_anew() == expected


def test_an_epoch_killed_while_it_is_written_leaves_the_old_one_serving(app, epoch, monkeypatch):
    expected = listed()

    class KilledError(BaseException):
        pass

    def killed(*_args, **_more):
        raise KilledError

    came(random.Random(5), 90, 91)
    expected = listed()
    for target, name in ((epochs, "_write_files"), (Ranker, "save"), (epochs, "sync_folder")):
        with monkeypatch.context() as patched:
            patched.setattr(target, name, killed)
            with pytest.raises(KilledError):
                epochs.build_epoch(again=True)
        db.session.rollback()
        assert listed_anew() == expected
        assert db.session.scalars(select(CorpusEpoch.id)).all() == [epoch.id]
    epochs.build_epoch(again=True)
    assert len(db.session.scalars(select(CorpusEpoch.id)).all()) == 2
    assert sorted(len(one) for one in listed_anew()) == sorted(len(one) for one in listed())


def test_an_epoch_made_from_counts_is_the_one_that_reading_every_text_makes(app, epoch):
    random_ = random.Random(6)
    came(random_, *range(30, 60))
    gone(2)
    from_counts = epochs.build_epoch(again=True)
    state = corpus.read_state()
    assert state is not None
    documents = [
        Matchable.from_dict(content)
        for content in db.session.scalars(select(MatchDocument.content).where(corpus.as_of(state[0].change)))
    ]
    read_anew = Ranker().fit(documents)
    opened = Ranker().load(epochs.folder_of(from_counts))
    assert [opened.places(one, now=NOW) for one in SEEKERS] == [
        read_anew.places(one, now=NOW) for one in SEEKERS
    ]
    folder = epochs.folder_of(from_counts).with_name("anew")
    read_anew.save(folder)
    manifests = [path / "manifest.json" for path in (folder, epochs.folder_of(from_counts))]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()


def test_the_kept_digest_of_the_corpus_is_that_of_its_documents(app, epoch):
    random_ = random.Random(7)
    for _ in range(5):
        came(random_, *random_.sample(range(1, 60), 4))
        gone(random_.randint(1, 60))
        hashes = db.session.scalars(
            select(MatchDocument.sha256).where(
                MatchDocument.kind == PostingKind.CAPABILITY, MatchDocument.left_change.is_(None)
            )
        )
        total = sum(int(one, 16) for one in hashes) % (1 << 256)
        assert db.session.scalars(select(corpus.Corpus.digest)).one() == f"{total:064x}"


def test_stats_say_what_is_there(app, epoch):
    came(random.Random(9), 71, 72, 73)
    gone(5)
    listed()
    result = app.test_cli_runner().invoke(args=["match", "stats", "--format", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    standing = len(corpus.list_in_force(found["change"]))
    assert found["epoch"]["documents"] == epoch.documents
    assert found["documents"] == standing
    assert found["segments"][0]["base"]
    assert sum(segment["documents"] - segment["dead"] for segment in found["segments"]) == standing
    assert found["compiled"]
    text = app.test_cli_runner().invoke(args=["match", "stats"]).output
    assert f"能力在列 {standing}" in text


def test_stats_find_a_damaged_byte_and_mend_nothing(app, epoch):
    path = epochs.folder_of(epoch) / "segment-0000" / "rows.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    result = app.test_cli_runner().invoke(args=["match", "stats", "--verify", "--format", "json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["damaged"] == ["segment-0000/rows.npy"]
    assert path.read_bytes() == bytes(content)
    expected = listed_without_files()
    assert listed_anew() == expected
    assert inventory.take(verify=True)["damaged"] == []


def test_stats_of_an_empty_instance_say_so(app):
    assert "还没有语料统计" in app.test_cli_runner().invoke(args=["match", "stats"]).output
