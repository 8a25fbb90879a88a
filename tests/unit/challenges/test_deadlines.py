"""When a call may be given more time, and when it may end early."""

from datetime import date, timedelta

import pytest

from marketplace.challenges.rules import (
    LONGEST_CALL_DAYS,
    MOST_EXTENSIONS,
    Call,
    earliest_close,
    obstacles_to_closing_early,
    obstacles_to_extending,
)

TODAY = date(2026, 11, 20)
CALL = Call(today=TODAY, published_on=TODAY - timedelta(days=20), closes_on=TODAY + timedelta(days=30))


def days(count: int) -> date:
    return TODAY + timedelta(days=count)


@pytest.mark.parametrize(
    ("closes_on", "extensions", "says"),
    [
        (days(31), 0, ""),
        (days(LONGEST_CALL_DAYS - 20), 0, ""),
        (days(LONGEST_CALL_DAYS - 19), 0, "最晚"),
        (days(30), 0, "须晚于"),
        (None, 0, "请填写"),
        (days(40), MOST_EXTENSIONS, "最多延长"),
    ],
)
def test_more_time_is_given_within_bounds(closes_on: date | None, extensions: int, says: str) -> None:
    found = list(obstacles_to_extending(CALL, closes_on, extensions=extensions))
    assert [says in o.message for o in found] == ([True] if says else [])


def test_a_call_that_is_over_is_neither_extended_nor_closed() -> None:
    over = Call(today=days(31), published_on=CALL.published_on, closes_on=CALL.closes_on)
    assert "已过" in next(obstacles_to_extending(over, days(60), extensions=0)).message
    assert "已过" in next(obstacles_to_closing_early(over, days(29), preparing=False)).message


@pytest.mark.parametrize(
    ("closes_on", "preparing", "says"),
    [
        (days(3), False, ""),
        (days(2), False, "最早"),
        (days(7), True, ""),
        (days(6), True, "最早"),
        (days(30), False, "须早于"),
        (None, False, "请填写"),
    ],
)
def test_nobody_who_prepares_is_cut_off_by_surprise(
    closes_on: date | None, preparing: bool, says: str
) -> None:
    found = list(obstacles_to_closing_early(CALL, closes_on, preparing=preparing))
    assert [says in o.message for o in found] == ([True] if says else [])


def test_a_young_call_stays_open_for_its_shortest_time() -> None:
    young = Call(today=TODAY, published_on=TODAY, closes_on=days(30))
    assert earliest_close(young, preparing=False) == days(7)
    near = Call(today=TODAY, published_on=days(-20), closes_on=days(3))
    assert "太近" in next(obstacles_to_closing_early(near, days(2), preparing=False)).message
