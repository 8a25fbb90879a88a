"""How far two orders are from each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from marketplace.matching.engine.documents import Kind, Matchable
from marketplace.matching.preview import Board, Move, kendall_tau, overlap_at, sample, summarise

ORDERS = st.lists(st.integers(1, 30), unique=True, max_size=20)


def board(number: int, order: tuple[int, ...] = ()) -> Board:
    return Board(number, f"MR-{number}", Matchable(Kind.NEED, number), order)


@given(ORDERS, ORDERS)
def test_tau_is_kendall_s_over_what_both_hold(before: list[int], after: list[int]) -> None:
    common = [one for one in before if one in after]
    if len(common) < 2:
        assert kendall_tau(before, after) == 1.0
        return
    expected = kendalltau(range(len(common)), [after.index(one) for one in common]).statistic
    assert kendall_tau(before, after) == pytest.approx(expected)


@given(ORDERS)
def test_the_same_order_has_not_moved_and_the_reverse_has_most(order: list[int]) -> None:
    assert Move.between(order, order) == Move(tuple(order), tuple(order), 1.0, 1.0)
    assert not Move.between(order, order).moved
    if len(order) > 1:
        assert kendall_tau(order, order[::-1]) == -1.0


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [
        ([], [], 1.0),
        ([1], [], 0.0),
        ([1, 2], [2, 3], 0.5),
        ([1, 2, 3], [3, 2, 1], 1.0),
        ([1, 2, 3, 4], [1], 0.25),
    ],
)
def test_overlap_is_the_share_of_the_longer_head(before: list[int], after: list[int], share: float) -> None:
    assert overlap_at(before, after, 10) == share


def test_a_sample_is_spread_evenly_and_small_numbers_are_taken_whole() -> None:
    boards = [board(number) for number in range(10)]
    assert sample(boards, 10) == boards
    assert [one.run_id for one in sample(boards, 4)] == [0, 2, 5, 7]


def test_the_summary_counts_and_names_who_enters_and_leaves_the_first_five() -> None:
    still = (board(1), Move.between([1, 2], [1, 2]))
    swapped = (board(2), Move.between([1, 2, 3, 4, 5, 6], [6, 1, 2, 3, 4, 5]))
    found = summarise([still, swapped])
    assert (found["looked_at"], found["moved"], found["heads_changed"], found["first_changed"]) == (
        2,
        1,
        1,
        1,
    )
    assert found["tau"] == pytest.approx((1 + (15 - 10) / 15) / 2)
    told = found["most_moved"][0]
    assert told["entering"] == [{"capability": 6, "before": 6, "after": 1}]
    assert told["leaving"] == [{"capability": 5, "before": 5, "after": 6}]
    assert summarise([])["overlap"] == 1.0
