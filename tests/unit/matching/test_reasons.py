from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.indicators.model import Comparator, Indicator, Mark
from marketplace.matching.engine.excerpts import excerpt
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.reasons import (
    explain,
    spread,
    strengths,
    weaknesses,
)
from marketplace.matching.engine.weights import MICRO
from tests.unit.matching.conftest import NOW

FORCE = Indicator("夹紧力", Comparator.GE, Decimal(28), unit="kN", weight=50, mark=Mark.MUST)
NOISE = Indicator("工作噪声", Comparator.LE, Decimal(55), unit="dB", weight=20)
LIFE = Indicator("耐久寿命", Comparator.GE, Decimal(100), unit="万次", weight=30, mark=Mark.KEY)


@pytest.fixture
def ranker(corpus):
    strong = replace(corpus[0], indicators=(replace(FORCE, value=Decimal(32)),))
    weak = replace(
        corpus[1], indicators=(replace(FORCE, value=Decimal(20)), replace(LIFE, value=Decimal(200)))
    )
    return Ranker().fit([strong, weak, *corpus[2:]])


@pytest.fixture
def matches(ranker, seeker):
    asked = replace(seeker, indicators=(FORCE, NOISE, LIFE), trl_target=8, region="500112")
    return ranker.rank(asked, now=NOW).matches


def test_terms_add_up_to_the_text_part(ranker, matches):
    for match in matches:
        reasons = explain(match, ranker.index_, matches)
        total = sum(term.points for term in reasons.terms) + reasons.other_terms.points
        assert total == match.part("text").points


def test_indicators_add_up_to_their_part(ranker, matches):
    for match in matches:
        reasons = explain(match, ranker.index_)
        assert sum(line.points for line in reasons.indicators) == match.part("indicators").points
        assert sum(line.maximum for line in reasons.indicators) == match.part("indicators").maximum


def test_losses_add_up_to_what_is_missing_to_a_hundred(ranker, matches):
    for match in matches:
        reasons = explain(match, ranker.index_)
        assert sum(loss.points for loss in reasons.losses) == 100 * MICRO - match.score
        assert all(loss.points > 0 for loss in reasons.losses)


def test_the_weightiest_shared_terms_are_named_in_both_texts(ranker, matches):
    match = next(m for m in matches if m.capability.title == "滚珠丝杠直线执行机构")
    terms = [term.term for term in explain(match, ranker.index_).terms]
    assert {"减速器", "滚珠丝杠"} & set(terms)
    for text in (match.seeker.body(), match.capability.body()):
        pieces = excerpt(text, terms)
        assert any(piece.number for piece in pieces)


def test_a_term_bears_the_same_number_in_both_texts(ranker, matches):
    match = matches[0]
    terms = [term.term for term in explain(match, ranker.index_).terms]
    numbered = {}
    for text in (match.seeker.body(), match.capability.body()):
        for piece in excerpt(text, terms):
            if piece.number:
                numbered.setdefault(piece.number, set()).add(terms[piece.number - 1])
    assert all(len(names) == 1 for names in numbered.values())


def test_traditional_text_is_marked_as_it_was_written(corpus):
    pieces = excerpt("電子機械制動夾鉗總成，夾緊力 30 kN。", ["制动"])
    assert [piece.text for piece in pieces if piece.number] == ["制動"]


def test_an_unmet_indicator_names_somebody_on_the_list_who_meets_it(ranker, matches):
    weak = next(m for m in matches if m.capability.title == "輪端電子機械制動夾鉗")
    reasons = explain(weak, ranker.index_, matches)
    help_for_force = [a for a in reasons.advice if a.code == "complement" and a.facts["name"] == "夹紧力"]
    assert [a.facts["title"] for a in help_for_force] == ["滚珠丝杠直线执行机构"]


def test_an_unstated_indicator_may_be_asked_about_and_earns_nothing(ranker, matches):
    reasons = explain(matches[0], ranker.index_, matches)
    noise = next(line for line in reasons.indicators if line.name == "工作噪声")
    assert (noise.verdict, noise.points) == ("unstated", 0)
    assert any(a.code == "ask" and a.facts["name"] == "工作噪声" for a in reasons.advice)


def test_strengths_and_weaknesses_part_the_indicators_with_the_musts_first(ranker, matches):
    reasons = explain(matches[0], ranker.index_)
    assert len(strengths(reasons)) + len(weaknesses(reasons)) == len(reasons.indicators)
    assert weaknesses(reasons)[-1].mark == "plain"


def test_what_the_capability_leaves_unsaid_is_told_apart_from_what_falls_short(ranker, matches):
    codes = {loss.code for loss in explain(matches[0], ranker.index_).losses}
    assert {"trl.unstated", "region.unstated", "cooperation.not_asked"} <= codes


@given(st.integers(0, 10**8), st.lists(st.floats(0, 1e6), max_size=30))
def test_spread_pieces_add_up_and_none_is_negative(points, shares):
    pieces = spread(points, shares)
    assert all(piece >= 0 for piece in pieces)
    assert sum(pieces) == (points if sum(shares) > 0 else 0)


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=6), max_size=5))
def test_an_excerpt_of_anything_is_made_of_its_own_text(text, terms):
    pieces = excerpt(text, terms)
    assert all(piece.text in text or piece.text == "……" for piece in pieces)
