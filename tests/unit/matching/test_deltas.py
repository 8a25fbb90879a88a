"""Deltas and weighed seekers in files: found again whole, refused when damaged, never half there."""

import random
import shutil
from pathlib import Path

import pytest

from marketplace.matching.engine import deltas, weighed
from marketplace.matching.engine.deltas import Delta
from marketplace.matching.engine.index import ForeignIndexError
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.segments import Segment
from marketplace.matching.engine.weighed import WeighedFiles
from tests.unit.matching.conftest import NOW
from tests.unit.matching.test_index import capability, seeker


@pytest.fixture
def ranker() -> Ranker:
    random_ = random.Random(1)
    return Ranker().fit([capability(random_, number) for number in range(1, 30)])


def a_delta(ranker: Ranker, first: int, last: int, *ids: int) -> Delta:
    random_ = random.Random(last)
    return Delta(first, last, ranker.index_.delta([capability(random_, id) for id in ids]), (1, 2))


def test_a_delta_read_again_ranks_as_the_one_that_was_written(ranker, tmp_path):
    made = a_delta(ranker, 5, 9, 3, 40, 41)
    deltas.write(tmp_path, made, ranker.index_.made_by)
    read = deltas.read(tmp_path, 5, 9, ranker.index_.made_by)
    assert read.removed == (1, 2)
    one = seeker(random.Random(3), 1)
    ranked = [
        ranker.over(ranker.index_.with_delta(delta.segment, delta.removed)).rank(one, now=NOW)
        for delta in (made, read)
        if delta.segment is not None
    ]
    assert len(ranked) == 2
    assert ranked[0] == ranked[1]


def test_a_delta_of_nothing_but_removals_has_no_segment(ranker, tmp_path):
    deltas.write(tmp_path, Delta(1, 2, None, (7,)), ranker.index_.made_by)
    assert deltas.read(tmp_path, 1, 2, ranker.index_.made_by) == Delta(1, 2, None, (7,))


def test_a_chain_goes_by_the_widest_steps_and_stops_at_a_gap(ranker, tmp_path):
    for first, last in ((0, 3), (0, 5), (3, 8), (5, 8), (8, 9), (12, 15)):
        deltas.write(tmp_path, Delta(first, last, None, (1,)), ranker.index_.made_by)
    assert deltas.chain(tmp_path, 0, 15) == [(0, 5), (5, 8), (8, 9)]
    assert deltas.chain(tmp_path, 0, 8) == [(0, 5), (5, 8)]
    assert deltas.chain(tmp_path, 0, 4) == [(0, 3)]
    assert deltas.chain(tmp_path / "nowhere", 0, 4) == []


def test_what_one_delta_covers_is_forgotten_and_nothing_else(ranker, tmp_path):
    for first, last in ((0, 3), (3, 8), (0, 8), (8, 9)):
        deltas.write(tmp_path, Delta(first, last, None, (1,)), ranker.index_.made_by)
    deltas.remove_covered(tmp_path, 0, 8)
    assert deltas.chain(tmp_path, 0, 9) == [(0, 8), (8, 9)]
    assert deltas.chain(tmp_path, 0, 3) == []


def test_writing_what_is_there_already_leaves_it_as_it_is(ranker, tmp_path):
    deltas.write(tmp_path, Delta(1, 2, None, (7,)), ranker.index_.made_by)
    deltas.write(tmp_path, Delta(1, 2, None, (8,)), ranker.index_.made_by)
    assert deltas.read(tmp_path, 1, 2, ranker.index_.made_by).removed == (7,)
    assert [path.name for path in tmp_path.iterdir()] == ["delta-1-2"]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["changes.json", "manifest.json", "segment/impacts.npy", "segment/ids.npy"])
def test_a_damaged_delta_is_refused_and_removed(ranker, tmp_path, name):
    deltas.write(tmp_path, a_delta(ranker, 1, 2, 50), ranker.index_.made_by)
    damage(tmp_path / "delta-1-2" / name)
    with pytest.raises(ForeignIndexError):
        deltas.read(tmp_path, 1, 2, ranker.index_.made_by)
    assert deltas.chain(tmp_path, 1, 2) == []


def test_a_crash_while_writing_leaves_nothing_that_looks_like_a_delta(ranker, tmp_path, monkeypatch):
    """Killed at any file: what is there was never renamed to a name that is read."""
    made = a_delta(ranker, 1, 2, 50)

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    for moment in ("save", "rename"):
        with monkeypatch.context() as patched:
            patched.setattr(Segment if moment == "save" else Path, moment, killed)
            patched.setattr(shutil, "rmtree", lambda *_args, **_more: None)
            with pytest.raises(KeyboardInterrupt):
                deltas.write(tmp_path, made, ranker.index_.made_by)
        assert deltas.chain(tmp_path, 1, 2) == []
    deltas.write(tmp_path, made, ranker.index_.made_by)
    assert deltas.chain(tmp_path, 1, 2) == [(1, 2)]


def test_weighed_seekers_are_found_by_another_process(ranker, tmp_path):
    epoch = tmp_path / "epoch"
    epoch.mkdir()
    one = seeker(random.Random(3), 1)
    query = ranker.index_.weigh(one)
    WeighedFiles(epoch / "seekers").write(one.digest(), query)
    found = WeighedFiles(epoch / "seekers").read(one.digest())
    assert found is not None
    assert (found.terms, found.full) == (query.terms, query.full)
    assert found.keys.tolist() == query.keys.tolist()
    assert found.worths.tolist() == query.worths.tolist()
    assert found.keys.dtype == query.keys.dtype
    assert found.worths.dtype == query.worths.dtype


def test_a_damaged_or_foreign_file_of_a_weighed_seeker_is_not_believed(ranker, tmp_path, monkeypatch):
    one = seeker(random.Random(3), 1)
    files = WeighedFiles(tmp_path / "seekers")
    files.write(one.digest(), ranker.index_.weigh(one))
    (path,) = (tmp_path / "seekers").glob("*/*")
    content = path.read_bytes()
    for harmed in (content[:-1] + bytes([content[-1] ^ 1]), content[: len(content) // 2], content[:5], b""):
        path.write_bytes(harmed)
        assert files.read(one.digest()) is None
    path.write_bytes(content)
    assert files.read(one.digest()) is not None
    assert files.read("0" * 64) is None
    monkeypatch.setattr(weighed, "_MADE_BY", b"another engine")
    assert files.read(one.digest()) is None


def test_nothing_is_written_beside_an_epoch_that_is_gone(ranker, tmp_path):
    one = seeker(random.Random(3), 1)
    WeighedFiles(tmp_path / "gone" / "seekers").write(one.digest(), ranker.index_.weigh(one))
    assert not (tmp_path / "gone").exists()


def test_an_index_with_files_ranks_as_one_without(ranker, tmp_path):
    one = seeker(random.Random(5), 2)
    expected = ranker.places(one, now=NOW)
    for _ in range(2):
        again = Ranker().fit(ranker.index_.documents())
        again.index_.weighed.files = WeighedFiles(tmp_path / "seekers")
        assert again.places(one, now=NOW) == expected
    assert len(list((tmp_path / "seekers").glob("*/*"))) == 1
