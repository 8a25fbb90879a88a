"""However a corpus is cut into blocks, what they say together is what the whole says."""

import random
from datetime import timedelta

import pytest

from marketplace.language import Dictionary
from marketplace.matching.engine import blocks, segments
from marketplace.matching.engine.index import ForeignIndexError
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.weights import PART_NAMES
from tests.unit.matching.conftest import NOW
from tests.unit.matching.test_index import capability, seeker


def in_blocks(folder, division, seekers, *, now=NOW, size=50):
    asked = [blocks.Asked(one, now) for one in seekers]
    ranked = [blocks.rank_block(folder, numbers, asked, size=size) for numbers in division]
    return [blocks.merge([block[place] for block in ranked], size) for place in range(len(seekers))]


def as_whole(ranker, one, *, now=NOW, size=50):
    ranking = ranker.rank(one, now=now, size=size)
    places = tuple(ranker.places(one, now=now, size=size))
    return blocks.Tally(places, ranking.considered, ranking.excluded, ranking.unrelated)


@pytest.fixture(params=range(8))
def random_(request):
    return random.Random(request.param)


@pytest.fixture
def changed(random_, monkeypatch, tmp_path):
    """A saved epoch cut at random, and a ranker on it after changes and removals in random number."""
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", random_.choice([7, 23, 64, 1000]))
    size = random_.choice([1, 30, 140])
    Ranker().fit([capability(random_, number) for number in range(1, size + 1)]).save(tmp_path / "epoch")
    ranker = Ranker().load(tmp_path / "epoch")
    for _ in range(random_.randint(0, 4)):
        coming = random_.sample(range(1, size + 30), random_.randint(0, 5))
        gone = random_.sample(range(1, size + 1), min(size, 3))
        ranker = ranker.with_changes(
            [capability(random_, number) for number in coming],
            [("capability", number) for number in gone if number not in coming],
        )
    return ranker


@pytest.mark.parametrize("size", [1, 5, 50])
def test_blocks_together_say_what_the_whole_says(random_, changed, tmp_path, size):
    rows = blocks.publish(changed, tmp_path / "epoch", tmp_path / "published")
    assert len(rows) == len(changed.index_.pieces_)
    seekers = [seeker(random_, number) for number in range(1, 8)]
    expected = [as_whole(changed, one, size=size) for one in seekers]
    for most in (1, random_.randint(2, 200), blocks.ROWS_AT_ONCE):
        division = blocks.divide(rows, most)
        random_.shuffle(division)
        assert in_blocks(tmp_path / "published", division, seekers, size=size) == expected


def test_the_full_ranking_follows_from_the_numbers(random_, changed, tmp_path):
    rows = blocks.publish(changed, tmp_path / "epoch", tmp_path / "published")
    for number in range(1, 6):
        one = seeker(random_, number)
        [tally] = in_blocks(tmp_path / "published", blocks.divide(rows, 30), [one])
        assert blocks.in_full(changed, one, tally) == changed.rank(one, now=NOW)


def test_the_instant_is_that_of_the_question(monkeypatch, tmp_path):
    random_ = random.Random(1)
    Ranker().fit([capability(random_, number) for number in range(1, 80)]).save(tmp_path / "epoch")
    ranker = Ranker().load(tmp_path / "epoch")
    rows = blocks.publish(ranker, tmp_path / "epoch", tmp_path / "published")
    one = seeker(random_, 1)
    told = []
    for now in (NOW - timedelta(days=2), NOW, NOW + timedelta(days=2)):
        told += in_blocks(tmp_path / "published", blocks.divide(rows), [one], now=now)
        assert told[-1] == as_whole(ranker, one, now=now)
    assert len({tally.excluded.get("expired", 0) for tally in told}) > 1


def test_a_block_has_no_more_rows_than_asked_for_but_for_a_segment_of_its_own():
    assert blocks.divide([], 10) == []
    assert blocks.divide([4, 4, 4, 30, 2, 3], 10) == [(0, 1), (2,), (3,), (4, 5)]
    assert blocks.divide([10, 1], 10) == [(0,), (1,)]


def test_nothing_to_rank_is_an_empty_ranking():
    assert blocks.merge([], 50) == blocks.Tally((), 0, {}, 0)


def test_weights_and_dictionary_are_those_of_the_publisher(tmp_path, corpus, seeker):
    dictionary = Dictionary("D-other", words=("夹紧力",), synonyms=(("夹钳", "卡钳"),))
    Ranker(dictionary=dictionary).fit(corpus).save(tmp_path / "epoch")
    ranker = Ranker(dictionary=dictionary).load(tmp_path / "epoch")
    rows = blocks.publish(ranker, tmp_path / "epoch", tmp_path / "published")
    [tally] = in_blocks(tmp_path / "published", blocks.divide(rows), [seeker])
    assert tally == as_whole(ranker, seeker)
    assert tally.places
    assert tally != as_whole(Ranker().fit(corpus), seeker)


def test_numbers_of_another_engine_are_refused(corpus, seeker):
    ranker = Ranker().fit(corpus)
    tally = as_whole(ranker, seeker)
    first = tally.places[0]
    points = tuple(first.points[place] + (name == "text") for place, name in enumerate(PART_NAMES))
    foreign = type(first)(first.id, first.score + 1, points)
    changed = blocks.Tally((foreign, *tally.places[1:]), tally.considered, tally.excluded, tally.unrelated)
    with pytest.raises(blocks.BlocksDisagree, match=f"capability {first.id}"):
        blocks.in_full(ranker, seeker, changed)


@pytest.mark.parametrize("name", ["blocks.json", "segment-0000.alive.npy", "manifest.json"])
def test_what_was_published_and_then_harmed_is_refused(tmp_path, corpus, seeker, name):
    Ranker().fit(corpus).save(tmp_path / "epoch")
    blocks.publish(Ranker().load(tmp_path / "epoch"), tmp_path / "epoch", tmp_path / "published")
    (tmp_path / "published" / name).write_bytes(b"{}")
    with pytest.raises(ForeignIndexError):
        blocks.rank_block(tmp_path / "published", (0,), [blocks.Asked(seeker, NOW)], size=50)


def test_an_epoch_that_is_gone_is_said(tmp_path, corpus, seeker):
    Ranker().fit(corpus).save(tmp_path / "epoch")
    blocks.publish(Ranker().load(tmp_path / "epoch"), tmp_path / "epoch", tmp_path / "published")
    (tmp_path / "epoch").rename(tmp_path / "elsewhere")
    with pytest.raises(ForeignIndexError):
        blocks.rank_block(tmp_path / "published", (0,), [blocks.Asked(seeker, NOW)], size=50)
