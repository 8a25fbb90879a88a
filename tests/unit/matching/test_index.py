"""The index is exact: whatever its layout, its files or its loops, it gives what scoring every pair gives."""

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import log
from pathlib import Path

import numpy as np
import pytest

from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.readings import written
from marketplace.matching.engine import index as index_module
from marketplace.matching.engine import kernels, scoring, segments, weighed
from marketplace.matching.engine.documents import Conditions, Kind, Matchable, Standing
from marketplace.matching.engine.eligibility import exclusion
from marketplace.matching.engine.index import ForeignIndexError, Index
from marketplace.matching.engine.parts import offer_of
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.terms import FIELDS, field_of, term_counts
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from tests.unit.matching.conftest import NOW

_WORDS = """
轴承 减速器 镁合金 压铸 齿轮 钢 铝 测试 高 电机 控制器 夹紧力 疲劳寿命 额定负载 定位精度 brake gear motor
的 和 可靠性 传感器 涂层 防腐 焊接 机器人 液压 泵 阀 仿真
""".split()  # noqa: SIM905 - a list of words is read as words
_REGIONS = ("500112", "500103", "510100", "310000", "")
_SAYINGS = (
    "额定负载 200 kg",
    "额定负载不低于 120 公斤",
    "定位精度 ±0.02 mm",
    "疲劳寿命 100 万次",
    "型号 AB-120",
    "",
)


def capability(random_: random.Random, number: int) -> Matchable:
    body = "".join(random_.choices(_WORDS, k=random_.randint(0, 30))) + "，" + random_.choice(_SAYINGS)
    parameters = (Indicator("额定负载", Comparator.GE, value=Decimal(random_.randint(50, 300)), unit="kg"),)
    return Matchable(
        Kind.CAPABILITY,
        number,
        version=random_.randint(1, 3),
        title=" ".join(random_.choices(_WORDS, k=random_.randint(0, 4))),
        sections=(("summary", body), ("detail", random_.choice(_WORDS) * random_.randint(0, 3))),
        keywords=tuple(random_.choices(_WORDS, k=random_.randint(0, 3))),
        clusters=tuple(random_.sample(["A1", "A2", "B1", "C3"], random_.randint(0, 2))),
        region=random_.choice(_REGIONS),
        industry=random_.choice(["C36", "C3670", "C34", ""]),
        trl=random_.choice([None, 3, 6, 9]),
        indicators=parameters if random_.random() < 0.3 else (),
        cooperation=tuple(random_.sample(["joint", "supply"], random_.randint(0, 2))),
        organisation_id=random_.choice([None, 1, 2, 3, 4]),
        organisation_kind=random_.choice(["enterprise", "institute", ""]),
        organisation_size=random_.choice(["small", "large", ""]),
        designations=tuple(random_.sample(["srdi", "champion"], random_.randint(0, 2))),
        standing=random_.choice(list(Standing)),
        active=random_.random() < 0.9,
        valid_until=random_.choice([None, NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)]),
    )


def seeker(random_: random.Random, number: int) -> Matchable:
    asked = (
        Indicator("额定负载", Comparator.GE, value=Decimal(150), unit="kg", weight=50),
        Indicator("定位精度", Comparator.LE, value=Decimal("0.05"), unit="mm", weight=30),
        Indicator("疲劳寿命", Comparator.GE, value=Decimal(50), unit="万次", weight=20),
        Indicator("防护等级", Comparator.EQ, text_value="IP67"),
    )
    conditions = Conditions(
        kinds=random_.choice([(), ("enterprise",)]),
        sizes=random_.choice([(), ("small",)]),
        designations=random_.choice([(), ("srdi",)]),
        regions=random_.choice([(), (), ("500000",), ("310000", "510000")]),
        verified_only=random_.random() < 0.3,
    )
    return Matchable(
        Kind.CHALLENGE,
        number,
        title=" ".join(random_.choices(_WORDS, k=random_.randint(0, 4))),
        sections=(("background", "".join(random_.choices(_WORDS, k=random_.randint(0, 40))) + " AB-120"),),
        keywords=tuple(random_.choices(_WORDS, k=random_.randint(0, 2))),
        clusters=tuple(random_.sample(["A1", "A2", "B1"], random_.randint(0, 2))),
        region=random_.choice(_REGIONS),
        industry=random_.choice(["C36", ""]),
        trl_target=random_.choice([None, 5, 7]),
        indicators=tuple(random_.sample(asked, random_.randint(0, 4))),
        cooperation=random_.choice([(), ("joint",)]),
        organisation_id=random_.choice([None, 1]),
        conditions=random_.choice([Conditions(), conditions]),
    )


def scored_one_by_one(ranker: Ranker, one: Matchable, corpus: list[Matchable]) -> list[tuple[int, int]]:
    found = []
    for other in corpus:
        if exclusion(one, other, now=NOW) is None:
            match = ranker.score(one, other)
            if match.agreement >= ranker.weights.least_agreement:
                found.append((-match.score, other.id))
    return [(id, -score) for score, id in sorted(found)]


def as_listed(ranker: Ranker, one: Matchable, size: int = 50) -> list[tuple[int, int]]:
    return [(match.capability.id, match.score) for match in ranker.rank(one, now=NOW, size=size).matches]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [3, 50])
def test_the_ranking_is_that_of_scoring_every_pair(seed, size):
    random_ = random.Random(seed)
    corpus = [capability(random_, number) for number in range(1, random_.choice([2, 40, 120]))]
    ranker = Ranker().fit(corpus)
    for number in range(6):
        one = seeker(random_, number + 1)
        assert as_listed(ranker, one, size) == scored_one_by_one(ranker, one, corpus)[:size]


@pytest.mark.parametrize(
    "texts",
    [
        ["的高和" * 3] * 40,
        ["钢"] * 60,
        [""] * 20 + ["钢铝"],
        ["轴承减速器镁合金"] * 30 + ["轴承"] * 30,
        [" ".join(f"term{n}" for n in range(100_000)), "轴承", "gear"],
        ["𠀀𠀁" * 5, "ＡＢ－１２０", "\ud800", "a" * 300],
    ],
    ids=[
        "frequent words only",
        "one character",
        "mostly empty",
        "duplicates",
        "100k terms",
        "odd characters",
    ],
)
def test_adversarial_corpora_are_ranked_exactly(texts):
    corpus = [
        Matchable(
            Kind.CAPABILITY,
            number,
            sections=(("summary", text),),
            standing=Standing.VERIFIED,
            organisation_id=9,
        )
        for number, text in enumerate(texts, start=1)
    ]
    ranker = Ranker().fit(corpus)
    for text in {*texts, "的", "轴承", "term7 term8 gear"}:
        one = Matchable(Kind.NEED, 1, sections=(("summary", text),))
        assert as_listed(ranker, one) == scored_one_by_one(ranker, one, corpus)[:50]


def test_every_layout_every_thread_and_the_files_give_the_same(monkeypatch, tmp_path):
    random_ = random.Random(7)
    corpus = [capability(random_, number) for number in range(1, 150)]
    seekers = [seeker(random_, number) for number in range(1, 15)]
    whole = Ranker().fit(corpus)
    expected = [whole.places(one, now=NOW) for one in seekers]
    assert any(expected)
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", 17)
    cut = Ranker().fit(corpus)
    assert len(cut.index_.pieces_) == 9
    assert list(cut.rank_many(seekers, now=NOW)) == expected
    assert list(cut.rank_many(seekers, now=NOW, threads=3)) == expected
    cut.save(tmp_path)
    assert list(Ranker().load(tmp_path).rank_many(seekers, now=NOW)) == expected
    monkeypatch.setattr(segments, "_DENSE_FROM", 10**9)
    assert list(Ranker().fit(corpus).rank_many(seekers, now=NOW)) == expected


def test_texts_read_by_several_processes_make_the_same_files(monkeypatch, tmp_path):
    random_ = random.Random(19)
    corpus = [capability(random_, number) for number in range(1, 60)]
    monkeypatch.setattr(index_module, "_READ_AT_ONCE", 10)
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", 25)
    told = []
    Ranker().fit(corpus).save(tmp_path / "one")
    Ranker().fit(corpus, processes=2, progress=lambda *so_far: told.append(so_far)).save(tmp_path / "two")
    files = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert len(files) > 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
    assert told[:2] == [(0, 59), (10, 59)]
    assert told[-1] == (59, 59)


def test_numbers_of_places_are_those_of_matches():
    random_ = random.Random(11)
    ranker = Ranker().fit([capability(random_, number) for number in range(1, 100)])
    for number in range(1, 20):
        one = seeker(random_, number)
        places = ranker.places(one, now=NOW)
        matches = ranker.rank(one, now=NOW).matches
        assert [(p.id, p.score, list(p.points)) for p in places] == [
            (m.capability.id, m.score, [part.points for part in m.parts]) for m in matches
        ]
        assert all(sum(place.points) == place.score for place in places)


def test_plain_loops_give_what_compiled_ones_give():
    if not kernels.is_compiled():
        pytest.fail("numba is a requirement and cannot be imported")
    root = Path(__file__).parents[3]
    program = (
        "import random\n"
        "from tests.unit.matching.test_index import capability, seeker, NOW\n"
        "from marketplace.matching.engine import kernels\n"
        "from marketplace.matching.engine.ranking import Ranker\n"
        "r = random.Random(3)\n"
        "ranker = Ranker().fit([capability(r, n) for n in range(1, 120)])\n"
        "print(kernels.is_compiled())\n"
        "for n in range(1, 12):\n"
        "    print([(p.id, p.points) for p in ranker.places(seeker(r, n), now=NOW)])\n"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"MATCH_ENGINE_PLAIN": plain, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\n", 1)
        for plain in ("0", "1")
    ]
    assert [first for first, _ in printed] == ["True", "False"]
    assert printed[0][1] == printed[1][1]


def test_kept_readings_are_those_of_the_texts_in_every_layout(monkeypatch, tmp_path):
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", 60)
    random_ = random.Random(11)
    corpus = [capability(random_, number) for number in range(1, 151)]
    later = [capability(random_, number) for number in range(140, 171)]
    index = Ranker().fit(corpus).index_
    changed = index.with_changes(later[:20]).with_changes(later[20:], [("capability", 3)])
    changed.save(tmp_path)
    read = 0
    for one in (index, changed, changed.compacted(), changed.refit(), Index.load(tmp_path)):
        for piece in one.pieces_:
            for row in range(len(piece.segment)):
                reading = piece.segment.reading(row)
                assert reading == written(offer_of(piece.segment.document(row)))
                read += reading != b""
    assert read > 100


@pytest.mark.parametrize("seed", range(6))
def test_any_series_of_changes_ends_where_starting_with_the_outcome_does(seed):
    """The statistics stay those of the epoch; what is in the index, and its scores, are those of the end."""
    random_ = random.Random(seed)
    standing = {number: capability(random_, number) for number in range(1, 60)}
    seekers = [seeker(random_, number) for number in range(1, 6)]
    first = Ranker().fit(standing.values())
    index = first.index_
    for step in range(8):
        changed = [capability(random_, random_.randint(1, 90)) for _ in range(random_.randint(0, 6))]
        changed = list({one.id: one for one in changed}.values())
        removed = random_.sample(sorted(standing), 3)
        removed = [id for id in removed if id not in {one.id for one in changed}]
        index = index.with_changes(changed, [("capability", id) for id in removed])
        standing = {id: one for id, one in standing.items() if id not in removed} | {
            one.id: one for one in changed
        }
        if step % 3 == 2:
            index = index.compacted()
            assert len(index.pieces_) <= index.base_ + 1
    assert len(index) == len(standing)
    assert sorted(one.id for one in index.documents()) == sorted(standing)
    ended = first.over(index)
    for one in seekers:
        assert as_listed(ended, one) == scored_one_by_one(first, one, list(standing.values()))[:50]
    anew, kept = Ranker().fit(standing.values()), first.over(index.refit())
    assert [kept.places(one, now=NOW) for one in seekers] == [anew.places(one, now=NOW) for one in seekers]


def test_more_changes_than_a_segment_holds_are_laid_out_in_several(monkeypatch):
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", 16)
    random_ = random.Random(3)
    corpus = [capability(random_, number) for number in range(1, 80)]
    seekers = [seeker(random_, number) for number in range(1, 8)]
    ranker = Ranker().fit(corpus[:20])
    everybody = ranker.alone(*corpus)
    index = ranker.index_.with_changes(corpus[20:60])
    for document in corpus[60:]:
        index = index.with_changes([document]).compacted()
    assert len(everybody.index_) == len(index) == len(corpus)
    assert len(index.pieces_) - index.base_ <= 6
    for one in seekers:
        expected = scored_one_by_one(ranker, one, corpus)[:50]
        assert as_listed(everybody, one) == as_listed(ranker.over(index), one) == expected


def test_an_indicator_with_a_name_of_a_thousand_characters_is_compared():
    name = "".join(chr(ord("一") + 7 * place) for place in range(1000))
    stated = Matchable(
        Kind.CAPABILITY, 1, title="轴承", sections=(("body", f"{name}30kN"),), standing=Standing.VERIFIED
    )
    asked = Indicator(name, Comparator.GE, value=Decimal(10), unit="kN")
    one = Matchable(Kind.NEED, 1, title="轴承", indicators=(asked,))
    ranker = Ranker().fit([stated])
    assert as_listed(ranker, one) == scored_one_by_one(ranker, one, [stated])


def test_more_names_of_sections_than_a_posting_can_tell_apart_are_refused():
    named = Matchable(
        Kind.CAPABILITY, 1, sections=tuple((f"section {number}", "轴承") for number in range(257))
    )
    with pytest.raises(ValueError, match="256 names of sections"):
        Ranker().fit([named])


def test_terms_that_weigh_nothing_are_discounted_by_nothing():
    """A section of nothing but names of parameters has no words whose number could discount it."""
    parameter = Indicator("额定负载", Comparator.GE, value=Decimal(50), unit="kg")
    stated = Matchable(Kind.CAPABILITY, 1, title="轴承", indicators=(parameter,))
    whole_length = replace(DEFAULT_WEIGHTS, text=replace(DEFAULT_WEIGHTS.text, b=1.0))
    with np.errstate(all="raise"):
        assert len(Ranker(whole_length).fit([stated, replace(stated, id=2, indicators=())]).index_) == 2


def test_half_a_character_in_a_fact_is_kept(tmp_path):
    """What was cut out of the middle of a character elsewhere is no UTF-8."""
    half = Matchable(Kind.CAPABILITY, 1, title="轴承\ud800", clusters=("\udfff",), standing=Standing.VERIFIED)
    Ranker().fit([half]).save(tmp_path / "epoch")
    assert list(Ranker().load(tmp_path / "epoch").index_.documents()) == [half]


def test_pairs_scored_in_several_threads_at_once_score_as_ever(monkeypatch):
    every_step = sys.getswitchinterval()
    monkeypatch.setattr(weighed, "_REMEMBERED", 3)
    random_ = random.Random(13)
    pairs = [
        (seeker(random_, number), replace(capability(random_, number), region=f"{500000 + number % 97}"))
        for number in range(1, 300)
    ]
    ranker = Ranker().fit([capability(random_, number) for number in range(1, 20)])
    expected = [scored_one_by_one(ranker, one, [other]) for one, other in pairs]

    def listed_alone(number: int) -> list[tuple[int, int]]:
        one, other = pairs[number]
        return as_listed(shared.alone(other), one)

    shared = Ranker().fit(list(ranker.index_.documents()))
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(listed_alone, range(len(pairs)))) == expected
    finally:
        sys.setswitchinterval(every_step)


def test_what_is_not_listed_is_counted_by_its_first_reason():
    random_ = random.Random(5)
    corpus = [capability(random_, number) for number in range(1, 120)]
    ranker = Ranker().fit(corpus)
    for number in range(1, 10):
        one = seeker(random_, number)
        ranking = ranker.rank(one, now=NOW, size=1000)
        reasons = Counter(reason.value for other in corpus if (reason := exclusion(one, other, now=NOW)))
        assert ranking.excluded == dict(reasons)
        assert ranking.considered == len(corpus)
        assert len(ranking.matches) + ranking.unrelated + sum(reasons.values()) == len(corpus)


def test_a_sum_is_that_of_the_formula():
    """BM25F and its query weights, written out once more with plain dictionaries."""
    random_ = random.Random(2)
    corpus = [capability(random_, number) for number in range(1, 60)]
    ranker = Ranker().fit(corpus)
    weights = ranker.weights.text
    counted = {one.id: {name: term_counts(text) for name, text in one.text_sections()} for one in corpus}
    frequency = Counter(term for of in counted.values() for term in {t for c in of.values() for t in c})

    def length(counter, field):
        return sum(count for term, count in counter.items() if field_of(term) == field)

    usual = {}
    for name in {name for of in counted.values() for name in of}:
        for field in range(len(FIELDS)):
            lengths = [length(of[name], field) for of in counted.values() if name in of]
            used = [one for one in lengths if one]
            usual[name, field] = sum(used) / len(used) if used else 1.0

    def impact(of, term):
        field = field_of(term)
        total = 0.0
        for name, counter in sorted(of.items()):
            weight = {"title": weights.title, "keywords": weights.keywords}.get(name, weights.body)
            relative = length(counter, field) / usual[name, field]
            total += weight * counter[term] / (1 - weights.b + weights.b * relative)
        return total / (weights.k1 + total)

    one = seeker(random_, 1)
    query = ranker.index_.weigh(one)
    size = len(corpus) + weights.background
    for other in corpus:
        products = ranker.index_.products(query, other.id)
        for term, product in products.items():
            worth = query.worth_of[term]
            assert abs(product - worth * 255 * impact(counted[other.id], term)) <= worth * 0.51 + 1
        unshared = set(query.terms) - set(products)
        assert not any(term in counter for counter in counted[other.id].values() for term in unshared)
    rare, common = sorted(
        (term for term in query.terms if field_of(term) == 0), key=lambda term: frequency[term]
    )[:: max(1, sum(field_of(term) == 0 for term in query.terms) - 1)][:2]
    idf = {t: log(1 + (size - frequency[t] + 0.5) / (frequency[t] + 0.5)) for t in (rare, common)}
    assert idf[rare] >= idf[common]


FILES = (
    "manifest.json",
    "epoch.json",
    "keys.npy",
    "frequency.npy",
    "segment-0000.alive.npy",
    "segment-0000/manifest.json",
    "segment-0000/impacts.npy",
    "segment-0000/rows.npy",
    "segment-0000/dense.npy",
    "segment-0000/codes.npy",
    "segment-0000/documents.npy",
    "segment-0000/readings.npy",
    "segment-0000/facts.json",
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_a_damaged_file_is_refused(tmp_path, corpus, name, harm):
    Ranker().fit(corpus * 1).save(tmp_path)
    Ranker().load(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    if harm == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif harm == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    with pytest.raises(ForeignIndexError):
        Ranker().load(tmp_path)


def test_a_folder_without_its_manifest_is_not_whole(tmp_path, corpus):
    """The manifest is written last: a crash before leaves a folder that nobody opens."""
    Ranker().fit(corpus).save(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "crashed")
    (tmp_path / "crashed" / "segment-0000" / "manifest.json").unlink()
    with pytest.raises(ForeignIndexError):
        Ranker().load(tmp_path / "crashed")


def test_a_damaged_byte_is_found_by_reading_all_even_where_size_and_time_are_the_same(tmp_path, corpus):
    Ranker().fit(corpus).save(tmp_path)
    path = tmp_path / "segment-0000" / "impacts.npy"
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert segments.verify(tmp_path / "segment-0000") == ["impacts.npy"]


def test_another_dictionary_is_another_index(tmp_path, corpus):
    Ranker().fit(corpus).save(tmp_path)
    other = Ranker()
    other.dictionary = replace(other.dictionary, version="D-other", words=("夹紧力",))
    with pytest.raises(ForeignIndexError):
        other.load(tmp_path)


def test_statistics_alone_are_enough_to_score_a_pair(tmp_path, corpus):
    ranker = Ranker().fit(corpus)
    ranker.save(tmp_path)
    light = Ranker().load_statistics(tmp_path)
    one = seeker(random.Random(1), 1)
    assert len(light.index_) == 0
    assert [light.score(one, other) for other in corpus] == [ranker.score(one, other) for other in corpus]


@pytest.mark.parametrize("within", [(0, 0), (0, 199), (3, 4), (50, 120), (198, 199)])
def test_sums_of_a_stretch_of_rows_are_those_of_the_whole(within):
    random_ = random.Random(9)
    ranker = Ranker().fit([capability(random_, number) for number in range(1, 200)])
    (piece,) = ranker.index_.pieces_
    for number in range(1, 6):
        query = ranker.index_.weigh(seeker(random_, number))
        whole = scoring.sums(query, piece.segment)
        stretch = np.zeros_like(whole)
        stretch[slice(*within)] = whole[slice(*within)]
        assert scoring.sums(query, piece.segment, within).tolist() == stretch.tolist()


def test_only_capabilities_are_indexed_and_each_once(corpus):
    with pytest.raises(ValueError, match="twice"):
        Index().fit([*corpus, corpus[0]])
    with pytest.raises(ValueError, match="capabilities"):
        Index().fit([Matchable(Kind.NEED, 1)])


def test_progress_is_told_up_to_the_end(corpus, monkeypatch):
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(index_module, "_READ_AT_ONCE", 2)
    Index().fit(corpus, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 6), (2, 6), (4, 6), (6, 6), (6, 6)]


def test_a_condition_on_the_region_reads_no_segment_of_another_region(monkeypatch):
    random_ = random.Random(4)
    corpus = [replace(capability(random_, n), standing=Standing.VERIFIED) for n in range(1, 200)]
    monkeypatch.setattr(segments, "MOST_DOCUMENTS", 25)
    ranker = Ranker().fit(corpus)
    read: list[int] = []
    whole = kernels.accumulate
    monkeypatch.setattr(kernels, "accumulate", lambda *args: (read.append(args[-1].size), whole(*args)))
    one = replace(seeker(random_, 1), conditions=Conditions(regions=("310000",)))
    listed = ranker.places(one, now=NOW)
    assert 0 < len(read) < len(ranker.index_.pieces_)
    assert listed == Ranker().fit(corpus).places(one, now=NOW)
    assert np.all([ranker.index_.find(place.id) is not None for place in listed])
