import re
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.matching.engine.ranking import SHORTLIST_SIZE
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, MICRO, PART_NAMES
from marketplace.matching.explanations import PART_LABELS, rounded_parts
from marketplace.matching.prospects import BANDS, Board, Change, band_of, fewest, list_goals
from marketplace.matching.queries import PLACES
from marketplace.matching.shown import millionths, tenths, tenths_of


def change(points, effort=0):
    return Change(f"{points}", round(points * MICRO), effort, round(points * 10))


def an_entry(place, score, id=7):
    return SimpleNamespace(place=place, score=score, capability_id=id)


LADDER = Board(
    [(1, 90 * MICRO, 1), (2, 80 * MICRO, 2), (3, 60 * MICRO, 3), (4, 55 * MICRO, 4), (5, 50 * MICRO, 7)]
)


def test_the_web_process_knows_how_many_places_the_engine_keeps():
    assert PLACES == SHORTLIST_SIZE


def test_every_part_of_a_score_has_a_name():
    assert set(PART_LABELS) == set(PART_NAMES) == set(DEFAULT_WEIGHTS.parts)


def test_one_easy_change_that_is_enough_goes_before_a_greater_effort():
    changes = [change(6.3), change(5.0), change(20.0, effort=2)]
    assert fewest(changes, round(4.2 * MICRO), 42, wins_ties=False) == changes[:1]
    assert fewest(changes, round(15.0 * MICRO), 150, wins_ties=False) == changes[2:]


def test_several_changes_are_taken_where_none_alone_is_enough_and_none_too_many():
    changes = [change(6.0), change(3.0), change(0.5), change(2.0, effort=2)]
    assert fewest(changes, 8 * MICRO, 80, wins_ties=False) == changes[:2]
    assert fewest(changes, round(10.9 * MICRO), 109, wins_ties=False) == [*changes[:2], changes[3]]


def test_nothing_is_promised_where_all_changes_fall_short():
    assert fewest([change(1.0), change(2.0)], 4 * MICRO, 40, wins_ties=False) == []
    assert fewest([], 1, 0, wins_ties=False) == []


def test_a_tie_is_won_by_the_older_number_only():
    exactly = [Change("", 1 * MICRO + 1, 0, 10)]
    assert fewest(exactly, 1 * MICRO, 10, wins_ties=True) == exactly
    assert fewest(exactly, 1 * MICRO, 10, wins_ties=False) == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30 * MICRO), st.integers(0, 2)), max_size=8),
    st.integers(0, 60 * MICRO),
    st.booleans(),
)
def test_what_is_promised_closes_the_gap_even_if_each_gain_is_a_millionth_less(several, gap, wins_ties):
    changes = sorted((Change(str(g), g, e, tenths(g)) for g, e in several), key=lambda c: (c.effort, -c.gain))
    chosen = fewest(changes, gap, gap // (MICRO // 10), wins_ties=wins_ties)
    reached = sum(one.gain - 1 for one in chosen)
    if chosen:
        assert reached >= gap if wins_ties else reached > gap
        for left_out in chosen:
            rest = [one for one in chosen if one is not left_out]
            sure, shown = sum(c.gain - 1 for c in rest), sum(c.points_in_tenths for c in rest)
            assert sure < gap or (sure == gap and not wins_ties) or shown < gap // (MICRO // 10) or not rest


def test_goals_are_the_next_place_and_places_three_and_one():
    goals = list(list_goals(an_entry(5, 50.0), [change(6.0), change(5.0)], LADDER))
    assert [(goal.place, goal.gap) for goal in goals] == [(4, 5.0), (3, 10.0), (1, 40.0)]
    assert [[one.text for one in goal.changes] for goal in goals] == [["6.0"], ["6.0", "5.0"], []]
    assert [goal.score for goal in goals] == [56.0, 61.0, 61.0]
    assert list(list_goals(an_entry(1, 90.0, id=1), [change(6.0)], LADDER)) == []


def test_a_goal_is_reached_as_it_is_shown():
    for goal in list_goals(an_entry(5, 50.04), [change(5.0), change(0.1)], LADDER):
        if goal.changes:
            assert sum(one.points for one in goal.changes) + 1e-9 >= goal.gap


@pytest.mark.parametrize(
    ("place", "score", "gains", "band"),
    [
        (5, 50.0, [4.0], 0),  # no further up
        (5, 50.0, [6.0], 0),  # from 5 to 4: still among the first five
        (5, 50.0, [11.0], 3),
        (5, 50.0, [60.0], 3),  # first, and told no more than that
        (2, 80.0, [60.0], 0),
    ],
)
def test_a_supplier_is_told_a_coarse_band_and_only_one_further_up(place, score, gains, band):
    board = Board([one for one in LADDER.scores if one[0] != place] + [(place, round(score * MICRO), 7)])
    assert band_of(an_entry(place, score), [change(gain) for gain in gains], board) == band
    assert band in (0, *BANDS)


@settings(deadline=None)
@given(st.lists(st.integers(0, 12 * MICRO), min_size=len(PART_NAMES), max_size=len(PART_NAMES)))
def test_shown_parts_add_up_to_the_shown_score(values):
    parts = {name: value / MICRO for name, value in zip(PART_NAMES, values, strict=True)}
    shown = rounded_parts(parts)
    assert sum(round(points * 10) for _, points in shown) == tenths_of(sum(values) / MICRO)
    assert all(
        abs(points * MICRO - value) < MICRO / 10 + 1 for (_, points), value in zip(shown, values, strict=True)
    )
    assert [millionths(points) for points in parts.values()] == values


def test_the_modules_of_words_hold_no_jargon():
    from pathlib import Path

    import marketplace.matching as package

    folder = Path(package.__file__).parent
    for name in ("explanations.py", "prospects.py", "absences.py"):
        for text in re.findall(r'(?:_|N_)\(\s*"([^"]+)"', (folder / name).read_text(encoding="utf-8")):
            assert not re.search("agreement|support|阈值|向量|权重集|epoch|JSON|语料|bigram|置信", text), text
