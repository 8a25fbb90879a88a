from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.indicators.model import Comparator, Indicator, Mark
from marketplace.matching.engine.advice import SAID, WORKED_FOR, applied, titles
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.excerpts import excerpt
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.reasons import explain, explain_all, stored
from marketplace.matching.engine.rounding import in_units, spread
from marketplace.matching.engine.weights import MICRO
from marketplace.matching.engine.wording import Wording
from tests.unit.matching.conftest import CAPABILITIES, NOW, capability

FORCE = Indicator("夹紧力", Comparator.GE, Decimal(28), unit="kN", weight=50, mark=Mark.MUST)
NOISE = Indicator("工作噪声", Comparator.LE, Decimal(55), unit="dB", weight=20)
LIFE = Indicator("耐久寿命", Comparator.GE, Decimal(100), unit="万次", weight=30, mark=Mark.KEY)
GRADE = Indicator("防护等级", Comparator.EQ, text_value="IP67", weight=10)


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


def all_reasons(ranker, matches):
    return list(zip(matches, explain_all(matches, ranker.index_), strict=True))


# --- sums ---------------------------------------------------------------------------------------------------


def test_terms_add_up_to_the_text_part(ranker, matches):
    for match, reasons in all_reasons(ranker, matches):
        total = sum(term.points for term in reasons.terms) + reasons.other_terms.points
        assert total == match.part("text").points


def test_indicators_add_up_to_their_part(ranker, matches):
    for match, reasons in all_reasons(ranker, matches):
        assert sum(line.points for line in reasons.indicators) == match.part("indicators").points
        assert sum(line.maximum for line in reasons.indicators) == match.part("indicators").maximum
        assert all(0 <= line.points <= line.maximum for line in reasons.indicators)


def test_losses_add_up_to_what_is_missing_to_a_hundred(ranker, matches):
    for match, reasons in all_reasons(ranker, matches):
        assert sum(loss.points for loss in reasons.losses) == 100 * MICRO - match.score
        assert all(loss.points > 0 for loss in reasons.losses)


_TEXTS = [*CAPABILITIES, ("制动", "耐久寿命 200 万次，工作噪声 60 dB。"), ("brake", "")]
_REQUIREMENTS = (
    FORCE,
    NOISE,
    LIFE,
    GRADE,
    replace(LIFE, name="循环寿命", weight=33),
    Indicator("稿", Comparator.GE),
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(_REQUIREMENTS), max_size=7),
    st.lists(st.integers(0, 100), min_size=7, max_size=7),
    st.lists(st.sampled_from(_REQUIREMENTS[:3]), max_size=3),
    st.integers(0, len(_TEXTS) - 1),
)
def test_every_sum_is_exact_to_the_millionth(asked, weights, offered, which):
    documents = [capability(n, title, body) for n, (title, body) in enumerate(_TEXTS, start=1)]
    documents[which] = replace(documents[which], indicators=tuple(offered), region="500105", trl=5)
    seeker = Matchable(
        Kind.NEED,
        1,
        title="电子机械制动 brake actuator",
        sections=(("body", "滚珠丝杠与行星减速器一体化的制动执行机构"),),
        indicators=tuple(replace(one, weight=w) for one, w in zip(asked, weights, strict=False)),
        trl_target=8,
        region="500112",
    )
    ranker = Ranker().fit(documents)
    for match, reasons in all_reasons(ranker, ranker.rank(seeker, now=NOW).matches):
        assert (
            sum(one.points for one in reasons.terms) + reasons.other_terms.points == match.part("text").points
        )
        assert sum(loss.points for loss in reasons.losses) == 100 * MICRO - match.score
        if reasons.indicators:
            assert sum(line.points for line in reasons.indicators) == match.part("indicators").points
            assert all(0 <= line.points <= line.maximum for line in reasons.indicators)
        kept = stored(match, reasons)
        assert sum(round(loss["points"] * MICRO) for loss in kept["losses"]) == 100 * MICRO - match.score


@settings(deadline=None)
@given(st.integers(0, 10**8), st.lists(st.integers(0, 10**12), max_size=30))
def test_spread_pieces_add_up_and_none_is_negative(points, shares):
    pieces = spread(points, shares)
    assert all(piece >= 0 for piece in pieces)
    assert sum(pieces) == (points if sum(shares) > 0 else 0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=12), st.integers(-1, 1))
def test_rounded_pieces_add_up_to_a_total_that_was_itself_rounded(values, off_by_one):
    unit = 100_000
    total = max(0, sum(values) // unit + off_by_one)
    pieces = in_units(values, unit, total)
    assert sum(pieces) == total
    assert all(piece >= 0 for piece in pieces)
    if total * unit <= sum(values) < (total + 1) * unit:
        assert all(abs(piece * unit - value) < unit for piece, value in zip(pieces, values, strict=True))


def test_bounds_of_pieces_are_kept_or_refused():
    assert in_units([15, 15, 15], 10, 5, least=[2, 0, 0], most=[2, 1, None]) == [2, 1, 2]
    with pytest.raises(ValueError, match="bounds"):
        in_units([15], 10, 3, most=[1])


# --- words --------------------------------------------------------------------------------------------------


def test_the_weightiest_shared_terms_are_named_and_marked_in_both_texts(ranker, matches):
    match = next(m for m in matches if m.capability.title == "滚珠丝杠直线执行机构")
    terms = [term.term for term in explain(match, ranker.index_).terms]
    assert {"减速器", "滚珠丝杠"} & set(terms)
    for text in (match.seeker.body(), match.capability.body()):
        pieces = excerpt(text, terms)
        assert any(piece.number for piece in pieces)


def test_a_reader_sees_words_and_no_fragments_of_them():
    seeker = Matchable(Kind.NEED, 1, title="混合动力专用变速器", sections=(("body", "面向混合动力乘用车。"),))
    answer = capability(1, "混合动力变速箱", "混合动力系统总成。")
    ranker = Ranker().fit([answer])
    match = ranker.rank(seeker, now=NOW).matches[0]
    names = [term.term for term in explain(match, ranker.index_).terms]
    assert "合动" not in names
    assert "力专" not in names
    assert "混合" in "".join(names)
    assert all(name in seeker.body() for name in names)


def test_a_word_that_no_dictionary_knows_is_named_as_both_write_it():
    products = {"b:微弧": 5, "b:弧氧": 4, "c:微": 1, "c:弧": 1}
    wording = Wording(Matchable(Kind.NEED, 1, title="镁合金微弧氧化"))
    folded, rest = wording.fold(products, "表面微弧氧化处理")
    assert sum(folded.values()) + rest == sum(products.values())
    assert all(len(name) > 1 and name in "镁合金微弧氧化" for name in folded)


def test_a_part_of_a_shared_word_counts_with_the_word(ranker, matches):
    match = next(m for m in matches if m.capability.title == "滚珠丝杠直线执行机构")
    names = [term.term for term in explain(match, ranker.index_).terms]
    assert not [(a, b) for a in names for b in names if a != b and a in b]


def test_an_english_word_is_shown_as_it_was_written(corpus):
    seeker = Matchable(Kind.NEED, 9, title="Brake actuators", sections=(("body", "planetary gears"),))
    ranker = Ranker().fit(corpus)
    match = ranker.rank(seeker, now=NOW).matches[0]
    names = [term.term for term in explain(match, ranker.index_).terms]
    assert {"Brake", "actuators", "planetary", "gears"} == set(names)
    assert any(piece.number for piece in excerpt(match.capability.body(), names))


def test_coverage_counts_the_words_that_are_said_and_names_what_is_not(ranker, matches):
    for match, reasons in all_reasons(ranker, matches):
        missing = next((loss.facts["missing"] for loss in reasons.losses if loss.code == "text"), [])
        assert 0 <= reasons.coverage.said <= reasons.coverage.asked
        assert len(missing) <= reasons.coverage.asked - reasons.coverage.said
        assert all(word in match.seeker.body() for word in missing)


def test_a_term_bears_the_same_number_in_both_texts(ranker, matches):
    match = matches[0]
    terms = [term.term for term in explain(match, ranker.index_).terms]
    numbered = {}
    for text in (match.seeker.body(), match.capability.body()):
        for piece in excerpt(text, terms):
            if piece.number:
                numbered.setdefault(piece.number, set()).add(terms[piece.number - 1])
    assert all(len(names) == 1 for names in numbered.values())


def test_traditional_text_is_marked_as_it_was_written():
    pieces = excerpt("電子機械制動夾鉗總成，夾緊力 30 kN。", ["制动"])
    assert [piece.text for piece in pieces if piece.number] == ["制動"]


@settings(deadline=None)
@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=6), max_size=5))
def test_an_excerpt_of_anything_is_made_of_its_own_text(text, terms):
    pieces = excerpt(text, terms)
    assert all(piece.text in text or piece.text == "……" for piece in pieces)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="混合动力减速器的AB brake 滚珠1，", max_size=60), st.text(max_size=40))
def test_folding_loses_no_point_whatever_the_text(title, other):
    from marketplace.matching.engine.terms import section_terms

    products = {term: number for number, term in enumerate(section_terms(title), start=1)}
    folded, rest = Wording(Matchable(Kind.NEED, 1, title=title)).fold(products, other)
    assert sum(folded.values()) + rest == sum(products.values())


# --- what would help ----------------------------------------------------------------------------------------


def test_an_unstated_indicator_earns_nothing_and_stating_it_would(ranker, matches):
    reasons = explain(matches[0], ranker.index_)
    noise = next(line for line in reasons.indicators if line.name == "工作噪声")
    assert (noise.verdict, noise.points) == ("unstated", 0)
    advice = next(one for one in reasons.advice if one.facts.get("name") == "工作噪声")
    assert (advice.code, advice.facts["requirement"]) == ("indicator.state", "≤ 55 dB")
    assert advice.gain > 0


def test_what_only_has_to_be_said_comes_before_what_has_to_be_worked_for(ranker, matches):
    weak = next(m for m in matches if m.capability.title == "輪端電子機械制動夾鉗")
    codes = [one.code for one in explain(weak, ranker.index_).advice]
    assert "indicator.reach" in codes
    said = [place for place, code in enumerate(codes) if code in SAID]
    assert max(said) < min(place for place, code in enumerate(codes) if code in WORKED_FOR)


def _asking(seeker):
    return replace(
        seeker,
        indicators=(FORCE, NOISE, LIFE, GRADE),
        trl_target=8,
        region="500112",
        clusters=("A1",),
        industry="C36",
        cooperation=("joint", "supply"),
    )


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"standing": Standing.COLLECTED},
        {"trl": 5, "cooperation": ("licence",), "industry": "C36"},
        {"clusters": ("B2",), "region": "110105", "trl": 9, "designations": ("srdi",)},
        {"indicators": (replace(FORCE, value=Decimal(20)), replace(NOISE, value=Decimal(50)))},
    ],
)
def test_a_gain_is_what_the_score_function_gives_to_the_changed_facts(corpus, seeker, facts):
    asked = _asking(seeker)
    offered = replace(corpus[0], **facts)
    ranker = Ranker().fit([offered, *corpus[1:]])
    match = ranker.score(asked, offered)
    for advice in explain(match, ranker.index_).advice:
        changed = ranker.score(asked, applied(match, advice))
        assert changed.score - match.score == advice.gain, advice
        assert changed.part("text") == match.part("text")
    for code, points in titles(match).items():
        held = replace(offered, designations=(code,) if code else ())
        assert ranker.score(asked, held).part("designations").points == points


def test_gains_of_several_changes_add_up_to_a_millionth_each(corpus, seeker):
    asked, ranker = _asking(seeker), Ranker().fit(corpus)
    match = ranker.score(asked, corpus[0])
    promised, changed = 0, match
    advice = explain(match, ranker.index_).advice
    for one in advice:
        promised += one.gain
        changed = ranker.score(asked, applied(changed, one))
    assert len(advice) >= 6
    assert abs(changed.score - match.score - promised) <= len(advice)


def test_nobody_is_told_to_move_to_change_the_trade_or_to_do_what_gains_nothing(corpus, seeker):
    facts = {"clusters": ("B2",), "industry": "C27", "trl": 8, "cooperation": ("joint",)}
    elsewhere = replace(corpus[0], region="110105", **facts)
    ranker = Ranker().fit([elsewhere, *corpus[1:]])
    advice = explain(ranker.score(_asking(seeker), elsewhere), ranker.index_).advice
    assert {one.code for one in advice} == {"indicator.state"}
    assert all(one.gain > 0 for one in advice)


def test_a_requirement_without_a_value_is_nothing_to_be_stated(corpus, seeker):
    draft = Indicator("未定", Comparator.GE, weight=10)
    ranker = Ranker().fit(corpus)
    match = ranker.score(replace(seeker, indicators=(draft, FORCE)), corpus[0])
    assert "未定" not in {one.facts.get("name") for one in explain(match, ranker.index_).advice}


def test_what_the_capability_leaves_unsaid_is_told_apart_from_what_falls_short(ranker, matches):
    codes = {loss.code for loss in explain(matches[0], ranker.index_).losses}
    assert {"trl.unstated", "region.unstated", "cooperation.not_asked"} <= codes


def test_reasons_of_one_are_those_that_it_has_among_many(ranker, matches):
    assert [reasons for _, reasons in all_reasons(ranker, matches)] == [
        explain(match, ranker.index_) for match in matches
    ]
