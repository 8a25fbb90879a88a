import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from marketplace.indicators.model import Comparator, Indicator, Mark
from marketplace.matching.engine.documents import Conditions, Kind, Matchable, Standing
from marketplace.matching.engine.eligibility import Exclusion
from marketplace.matching.engine.index import ForeignIndexError
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, MICRO, PART_NAMES, Weights
from tests.unit.matching.conftest import CAPABILITIES, NOW, capability

FORCE = Indicator("夹紧力", Comparator.GE, Decimal(28), unit="kN", weight=60, mark=Mark.MUST)
WEIGHT = Indicator("质量", Comparator.LE, Decimal("6.5"), unit="kg", weight=40)


def titles(ranking):
    return [match.capability.title for match in ranking.matches]


def test_the_best_answer_comes_first_and_the_worst_last(corpus, seeker):
    ranking = Ranker().fit(corpus).rank(seeker, now=NOW)
    scores = [match.score for match in ranking.matches]
    assert scores == sorted(scores, reverse=True)
    assert set(titles(ranking)[:2]) == {"滚珠丝杠直线执行机构", "輪端電子機械制動夾鉗"}
    assert "柑橘分选设备" not in titles(ranking)[:3]


def test_traditional_and_simplified_wordings_of_one_text_score_the_same(seeker):
    simplified = capability(1, "电子机械制动执行机构", "轮端电动卡钳，夹紧力充足。")
    traditional = capability(2, "電子機械制動執行機構", "輪端電動卡鉗，夾緊力充足。")
    ranker = Ranker().fit([simplified, traditional])
    assert ranker.score(seeker, simplified).score == ranker.score(seeker, traditional).score > 0


def test_english_is_matched_by_stems(corpus):
    seeker = Matchable(
        Kind.NEED, 9, title="Brake actuators", sections=(("body", "clamped by planetary gears"),)
    )
    assert titles(Ranker().fit(corpus).rank(seeker, now=NOW))[0] == "Electro-mechanical brake actuator"


def test_ties_are_broken_by_id():
    same = [capability(number, "行星减速器", "行星减速器，传动比 10。") for number in (7, 3, 5)]
    seeker = Matchable(Kind.NEED, 1, title="行星减速器")
    ranking = Ranker().fit(same).rank(seeker, now=NOW)
    assert [match.capability.id for match in ranking.matches] == [3, 5, 7]
    assert len({match.score for match in ranking.matches}) == 1


def test_parts_add_up_exactly_and_stay_within_their_maxima(corpus, seeker):
    asked = replace(seeker, indicators=(FORCE, WEIGHT), clusters=("A1",), region="500112", trl_target=7)
    offered = [
        replace(
            document,
            indicators=(replace(FORCE, value=Decimal(30)),),
            clusters=("A1",),
            region="500112",
            trl=6,
        )
        for document in corpus
    ]
    for match in Ranker().fit(offered).rank(asked, now=NOW).matches:
        assert sum(part.points for part in match.parts) == match.score
        assert tuple(part.name for part in match.parts) == PART_NAMES
        assert all(0 <= part.points <= part.maximum for part in match.parts)


def test_a_pair_has_one_score_from_whichever_side_it_is_asked(corpus, seeker):
    ranker = Ranker().fit(corpus)
    forward = {match.capability.id: match.score for match in ranker.rank(seeker, now=NOW).matches}
    for document in corpus:
        backward = ranker.rank_seekers(document, [seeker], now=NOW)
        assert [match.score for match in backward] == [forward[n] for n in (document.id,) if n in forward]
        if document.id in forward:
            assert ranker.score(seeker, document).score == forward[document.id]
    assert len(forward) >= 2


def test_another_document_changes_nobody_elses_score(corpus, seeker):
    ranker = Ranker().fit(corpus)
    before = {match.capability.id: match.score for match in ranker.rank(seeker, now=NOW).matches}
    newcomer = capability(50, "制动卡钳钠离子镍钴", "全新的词语从未出现过，夹紧力 40 kN。")
    after = {
        match.capability.id: match.score
        for match in ranker.with_changes([newcomer]).rank(seeker, now=NOW).matches
    }
    assert after.pop(50) > 0
    assert after == before


def test_a_document_is_scored_the_same_when_it_came_later(corpus, seeker):
    ranker = Ranker().fit(corpus)
    without = ranker.with_changes([], [corpus[1].key])
    again = without.with_changes([corpus[1]])
    assert [m.score for m in again.rank(seeker, now=NOW).matches] == [
        m.score for m in ranker.rank(seeker, now=NOW).matches
    ]


def test_a_replaced_text_is_scored_by_its_new_version(corpus, seeker):
    ranker = Ranker().fit(corpus)
    orange = next(document for document in corpus if document.title == "柑橘分选设备")
    turned = replace(orange, version=2, title=seeker.title, sections=seeker.sections)
    best = ranker.with_changes([turned]).rank(seeker, now=NOW).matches[0]
    assert (best.capability.id, best.capability.version) == (orange.id, 2)


def test_the_shortlist_is_the_head_of_the_full_ranking(corpus, seeker):
    ranker = Ranker().fit(corpus)
    full = [match.capability.id for match in ranker.rank(seeker, now=NOW, size=100).matches]
    for size in range(1, len(full) + 1):
        assert [m.capability.id for m in ranker.rank(seeker, now=NOW, size=size).matches] == full[:size]


def test_an_empty_corpus_ranks_nobody(seeker):
    ranking = Ranker().fit([]).rank(seeker, now=NOW)
    assert (ranking.matches, ranking.considered) == ((), 0)


def test_an_empty_seeker_finds_nobody(corpus):
    ranking = Ranker().fit(corpus).rank(Matchable(Kind.NEED, 1), now=NOW)
    assert ranking.matches == ()
    assert ranking.unrelated == len(corpus)


def test_an_empty_capability_never_stands_on_a_list(seeker):
    ranking = Ranker().fit([capability(1, "", ""), capability(2, "电子机械制动", "")]).rank(seeker, now=NOW)
    assert [match.capability.id for match in ranking.matches] == [2]


def test_a_corpus_of_one_document_gives_a_sensible_score(corpus, seeker):
    match = Ranker().fit(corpus[:1]).rank(seeker, now=NOW).matches[0]
    assert 0 < match.part("text").points <= match.part("text").maximum


def test_equal_texts_are_all_listed_with_the_same_score(seeker):
    same = [capability(number, seeker.title, seeker.body()) for number in range(1, 30)]
    ranking = Ranker().fit(same).rank(seeker, now=NOW)
    assert [match.capability.id for match in ranking.matches] == list(range(1, 30))
    assert len({match.score for match in ranking.matches}) == 1
    assert ranking.matches[0].score > 0


def test_one_word_and_one_character_texts_are_ranked(corpus):
    for title in ("丝", "丝杠", "gear"):
        ranking = Ranker().fit(corpus).rank(Matchable(Kind.NEED, 1, title=title), now=NOW)
        assert ranking.matches, title


def test_a_very_long_text_neither_breaks_nor_wins_by_length(corpus, seeker):
    rambling = capability(90, "综合服务", "行业领先的综合解决方案与优质服务。" * 4000 + "制动")
    ranking = Ranker().fit([*corpus, rambling]).rank(seeker, now=NOW)
    assert ranking.matches[0].capability.id != 90
    long_seeker = replace(seeker, sections=(("body", seeker.body() * 2000),))
    assert Ranker().fit(corpus).rank(long_seeker, now=NOW).matches


def test_own_capabilities_expired_withdrawn_and_unverified_ones_are_left_out(corpus, seeker):
    own = replace(corpus[0], organisation_id=seeker.organisation_id)
    expired = replace(corpus[1], valid_until=NOW)
    withdrawn = replace(corpus[2], active=False)
    unverified = replace(corpus[3], standing=Standing.UNVERIFIED)
    ranking = Ranker().fit([own, expired, withdrawn, unverified, corpus[4]]).rank(seeker, now=NOW)
    assert {match.capability.id for match in ranking.matches} <= {corpus[4].id}
    assert ranking.excluded == {
        Exclusion.OWN: 1,
        Exclusion.EXPIRED: 1,
        Exclusion.INACTIVE: 1,
        Exclusion.UNVERIFIED: 1,
    }


@pytest.mark.parametrize(
    ("conditions", "admitted"),
    [
        (Conditions(sizes=("small", "micro")), {"organisation_size": "small"}),
        (Conditions(kinds=("university",)), {"organisation_kind": "university"}),
        (Conditions(designations=("srdi", "little_giant")), {"designations": ("little_giant",)}),
        (Conditions(regions=("500000",)), {"region": "500112"}),
        (Conditions(verified_only=True), {"standing": Standing.VERIFIED}),
    ],
)
def test_an_unknown_fact_never_satisfies_a_condition(seeker, conditions, admitted):
    unknown = capability(1, "电子机械制动", "", standing=Standing.COLLECTED)
    known = replace(unknown, id=2, **admitted)
    ranking = Ranker().fit([unknown, known]).rank(replace(seeker, conditions=conditions), now=NOW)
    assert [match.capability.id for match in ranking.matches] == [2]


def test_a_closed_seeker_is_not_offered_to_suppliers(corpus, seeker):
    closed = replace(seeker, valid_until=NOW - timedelta(days=1))
    assert Ranker().fit(corpus).rank_seekers(corpus[0], [closed], now=NOW) == []


def test_nothing_but_the_text_counts_for_a_capability_that_shares_no_term(seeker):
    near = capability(1, "榨菜包装", "榨菜真空包装产线", clusters=("A1",), region="500112", trl=9)
    asked = replace(seeker, clusters=("A1",), region="500112", trl_target=7)
    match = Ranker().fit([near]).score(asked, near)
    assert match.score < 10 * MICRO


FULL = capability(
    1,
    "轮端电子机械制动执行器 EMB-300",
    "滚珠丝杠与行星减速器一体化的制动执行机构，夹紧力 30 kN。",
    keywords=("线控制动", "电动卡钳"),
    clusters=("A1", "E5"),
    region="500112",
    industry="C36",
    trl=7,
    indicators=(replace(FORCE, value=Decimal(30)),),
    cooperation=("joint", "supply"),
    organisation_kind="enterprise",
    organisation_size="small",
    designations=("srdi",),
)
ASKING = Matchable(
    Kind.CHALLENGE,
    1,
    title="电子机械制动执行器 EMB-300",
    sections=(("body", "轮端电动卡钳，夹紧力不足，线控制动，滚珠丝杠。"),),
    clusters=("A1",),
    region="500112",
    industry="C36",
    trl_target=8,
    indicators=(FORCE, WEIGHT),
    cooperation=("joint",),
    organisation_id=1,
    standing=Standing.VERIFIED,
)
DELETABLE = (
    "title", "sections", "keywords", "clusters", "region", "industry", "trl", "indicators", "cooperation",
    "designations", "organisation_kind", "organisation_size", "standing",
)  # fmt: skip
EMPTY = Matchable(Kind.CAPABILITY, 0)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(DELETABLE)), st.sampled_from(DELETABLE))
def test_deleting_a_field_of_a_capability_never_raises_its_score(already, deleted):
    ranker = Ranker().fit([FULL, *(capability(n, t, b) for n, (t, b) in enumerate(CAPABILITIES, start=10))])
    poorer = replace(FULL, **{name: getattr(EMPTY, name) for name in already})
    poorest = replace(poorer, **{deleted: getattr(EMPTY, deleted)})
    assert ranker.score(ASKING, poorest).score <= ranker.score(ASKING, poorer).score


@pytest.mark.parametrize("field", ["clusters", "region", "industry", "trl_target", "cooperation"])
def test_a_fact_that_the_seeker_leaves_out_never_raises_a_score(corpus, field):
    ranker = Ranker().fit([FULL, *corpus[1:]])
    less = replace(ASKING, **{field: getattr(EMPTY, field)})
    assert ranker.score(less, FULL).score <= ranker.score(ASKING, FULL).score


def test_every_stated_fact_counts(corpus):
    ranker = Ranker().fit([FULL, *corpus[1:]])
    match = ranker.score(ASKING, FULL)
    assert all(part.points > 0 for part in match.parts), [(p.name, p.points) for p in match.parts]


def test_a_shared_model_number_earns_the_whole_title_part(corpus):
    other = replace(FULL, title="完全不同的名称 EMB-300")
    ranker = Ranker().fit([other, *corpus[1:]])
    assert ranker.score(ASKING, other).part("title").facts == {"models": ["emb-300"]}


def test_a_standard_or_a_grade_is_no_model_number(corpus):
    ranker = Ranker().fit(corpus)
    seeker = Matchable(Kind.NEED, 1, title="防护等级 IP67 的外壳 ISO9001")
    other = capability(1, "咖啡机 IP67 ISO9001", "")
    assert "models" not in ranker.score(seeker, other).part("title").facts


def test_a_saved_epoch_ranks_identically(tmp_path, corpus, seeker):
    ranker = Ranker().fit(corpus)
    ranker.save(tmp_path / "epoch")
    opened = Ranker().load(tmp_path / "epoch")
    assert opened.rank(seeker, now=NOW) == ranker.rank(seeker, now=NOW)
    newcomer = capability(70, "电动卡钳", "驻车")
    assert opened.with_changes([newcomer]).rank(seeker, now=NOW) == ranker.with_changes([newcomer]).rank(
        seeker, now=NOW
    )


def test_a_missing_epoch_and_one_of_another_weighting_are_refused(tmp_path, corpus):
    with pytest.raises(ForeignIndexError):
        Ranker().load(tmp_path / "nowhere")
    Ranker().fit(corpus).save(tmp_path)
    other = Weights(text=replace(DEFAULT_WEIGHTS.text, k1=2.0))
    with pytest.raises(ForeignIndexError):
        Ranker(other).load(tmp_path)


def test_weights_that_do_not_add_up_to_a_hundred_are_refused():
    with pytest.raises(ValueError, match="100"):
        Weights(parts=dict(DEFAULT_WEIGHTS.parts) | {"text": 41})


_PROGRAM = """
from tests.unit.matching.conftest import CAPABILITIES, NOW, capability
from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.engine.ranking import Ranker
keywords = ("夹紧力", "镁合金")
corpus = [capability(n, t, b, keywords=keywords) for n, (t, b) in enumerate(CAPABILITIES, start=1)]
body = ("body", "夹紧力与镁合金压铸")
seeker = Matchable(Kind.NEED, 1, title="电子机械制动 brake actuator", sections=(body,))
print([(m.capability.id, m.score) for m in Ranker().fit(corpus).rank(seeker, now=NOW).matches])
"""


def test_every_process_ranks_the_same_whatever_its_hash_seed():
    root = Path(__file__).parents[3]
    path = f"{root}:{os.environ.get('PYTHONPATH', '')}"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(outputs) == 1
    assert outputs.pop().startswith("[(")


def test_a_ranker_is_an_estimator_as_scikit_learn_knows_it(corpus, seeker):
    made = Ranker(size=2)
    again = clone(made)
    assert again.get_params() == made.get_params()
    assert "size=2" in repr(again)
    for ask in (lambda: again.rank(seeker, now=NOW), lambda: again.score(seeker, corpus[0])):
        with pytest.raises(NotFittedError):
            ask()
    assert len(again.set_params(size=1).fit(corpus).rank(seeker, now=NOW).matches) == 1
