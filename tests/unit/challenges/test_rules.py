"""What keeps a challenge from being submitted, all of it at once, and how its quality is scored."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from marketplace.challenges.kinds import IpTerms
from marketplace.challenges.rules import ChallengeDraft, limits, obstacles_to_submitting, quality
from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
ROW = Indicator(
    "最大夹紧力",
    Comparator.GE,
    Decimal("28"),
    unit="kN",
    condition="额定电压",
    method="台架规范",
    verifier=Verifier.THIRD_PARTY,
    weight=100,
    mark=Mark.MUST,
)
WHOLE = ChallengeDraft(
    title="电子机械制动轮端执行器关键技术",
    clusters=("A1",),
    keywords=("线控制动", "夹紧力", "丝杠"),
    background="取消制动液管路，前后轮全部改为干式线控制动。" * 8,
    problem="高温连续制动后丝杠副润滑衰退，夹紧力由 28 kN 降至 23 kN，偏差由 3% 增大到 11%。" * 4,
    trl_current=5,
    trl_target=8,
    indicators=(ROW,),
    requirements="有量产经历",
    acceptance="第三方台架检测并现场签认",
    budget_fen=80_000_000,
    closes_on=date(2026, 12, 31),
    ip_terms=IpTerms.SHARED,
)


def fields_of(draft: ChallengeDraft) -> set[str]:
    return {o.field for o in obstacles_to_submitting(draft, now=NOW)}


def test_a_whole_challenge_has_no_obstacle_and_the_full_score() -> None:
    assert fields_of(WHOLE) == set()
    assert quality(WHOLE, now=NOW).score == 100


def test_the_checks_weights_are_the_full_score() -> None:
    assert sum(check.weight for check in quality(WHOLE, now=NOW).checks) == 100


def test_an_empty_draft_scores_nothing_and_says_everything_at_once() -> None:
    found = quality(ChallengeDraft(), now=NOW)

    assert found.score == 0
    assert {o.field for o in found.obstacles} == {
        "title",
        "clusters",
        "problem",
        "indicators",
        "closes_on",
        "budget_fen",
        "ip_terms",
        "acceptance",
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "太短"}, "title"),
        ({"clusters": ()}, "clusters"),
        ({"problem": "难"}, "problem"),
        ({"background": "", "problem": "难" * 60}, "background"),
        ({"indicators": ()}, "indicators"),
        ({"indicators": (replace(ROW, name=" "),)}, "indicators.0.name"),
        ({"indicators": (replace(ROW, value=None),)}, "indicators.0.value"),
        ({"indicators": (replace(ROW, unit=""),)}, "indicators.0.unit"),
        ({"indicators": (replace(ROW, method=""),)}, "indicators.0.method"),
        ({"indicators": (replace(ROW, verifier=None),)}, "indicators.0.verifier"),
        ({"indicators": (replace(ROW, weight=90),)}, "indicators"),
        ({"indicators": (replace(ROW, mark=Mark.KEY),)}, "indicators"),
        ({"closes_on": None}, "closes_on"),
        ({"budget_fen": None}, "budget_fen"),
        ({"ip_terms": None}, "ip_terms"),
        ({"acceptance": "验收"}, "acceptance"),
    ],
)
def test_each_gap_is_named_at_its_own_field_and_lowers_the_score(
    change: dict[str, object], field: str
) -> None:
    draft = replace(WHOLE, **change)  # type: ignore[arg-type]

    assert fields_of(draft) == {field}
    assert quality(draft, now=NOW).score < 100


@pytest.mark.parametrize(
    ("last_day", "refused"),
    [
        (date(2026, 11, 28), True),
        (date(2026, 11, 29), False),
        (date(2027, 11, 22), False),
        (date(2027, 11, 23), True),
    ],
)
def test_a_call_lasts_from_seven_days_to_a_year(last_day: date, refused: bool) -> None:
    assert (fields_of(replace(WHOLE, closes_on=last_day)) == {"closes_on"}) is refused


def test_the_days_of_a_call_are_shanghai_days() -> None:
    late_evening_utc = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # already the 23rd in Shanghai
    draft = replace(WHOLE, closes_on=date(2026, 11, 29))

    assert list(obstacles_to_submitting(draft, now=NOW)) == []
    assert {o.field for o in obstacles_to_submitting(draft, now=late_evening_utc)} == {"closes_on"}


def test_negotiable_stands_in_for_a_budget_but_not_beside_one() -> None:
    assert fields_of(replace(WHOLE, budget_fen=None, negotiable=True)) == set()
    assert fields_of(replace(WHOLE, negotiable=True)) == {"budget_fen"}


def test_ranges_and_tolerances_must_make_sense() -> None:
    reversed_range = replace(
        ROW, comparator=Comparator.RANGE, value=Decimal(125), value_to=Decimal(-40), unit="℃"
    )
    no_tolerance = replace(ROW, comparator=Comparator.PM, value=Decimal(0))

    assert fields_of(replace(WHOLE, indicators=(reversed_range,))) == {"indicators.0.second"}
    assert fields_of(replace(WHOLE, indicators=(no_tolerance,))) == {"indicators.0.value"}


def test_a_grade_needs_no_unit() -> None:
    grade = replace(ROW, comparator=Comparator.EQ, value=None, text_value="ASIL D", unit="")
    assert fields_of(replace(WHOLE, indicators=(grade,))) == set()


def test_one_bad_indicator_of_two_costs_half_of_its_check() -> None:
    rows = (replace(ROW, weight=50), replace(ROW, weight=50, unit=""))
    (check,) = [c for c in quality(replace(WHOLE, indicators=rows), now=NOW).checks if c.name == "指标有单位"]
    assert check.share == 0.5


def test_without_indicators_no_check_of_indicators_is_met() -> None:
    checks = quality(replace(WHOLE, indicators=()), now=NOW).checks
    assert not any(check.met for check in checks if check.name.startswith("指标"))


def test_advice_lowers_the_score_without_standing_in_the_way() -> None:
    draft = replace(WHOLE, keywords=(), trl_current=None)

    assert fields_of(draft) == set()
    found = quality(draft, now=NOW)
    assert found.score == 94
    assert {o.field for o in found.advice} == {"keywords", "trl_target"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "题" * 101}, "title"),
        ({"problem": "难" * 4001}, "problem"),
        ({"keywords": tuple(str(n) for n in range(11))}, "keywords"),
        ({"keywords": ("词" * 31,)}, "keywords"),
        ({"clusters": tuple(f"E{n}" for n in range(6))}, "clusters"),
        ({"budget_fen": 0}, "budget_fen"),
        ({"takers_wanted": 4}, "takers_wanted"),
        ({"max_members": 10}, "max_members"),
        ({"duration_months": 61}, "duration_months"),
        ({"trl_target": 10}, "trl_target"),
        ({"indicators": (replace(ROW, method="法" * 201),)}, "indicators.0.method"),
        ({"indicators": (replace(ROW, value=Decimal("1e14")),)}, "indicators.0.value"),
        ({"indicators": (replace(ROW, value=Decimal("0.0000001")),)}, "indicators.0.value"),
        ({"indicators": (ROW,) * 41}, "indicators"),
    ],
)
def test_limits_hold_for_drafts_too(change: dict[str, object], field: str) -> None:
    assert field in {o.field for o in limits(replace(WHOLE, **change))}  # type: ignore[arg-type]


def test_a_draft_may_be_empty() -> None:
    assert list(limits(ChallengeDraft())) == []
