"""The sub-form of indicators: rows come and go by plain buttons, and nothing typed is lost."""

from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict

from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.postings.forms import IndicatorRow, IndicatorRows


def typed(*rows: dict[str, str], **extra: str) -> MultiDict[str, str]:
    pairs = [(f"indicators-{i}-{name}", value) for i, row in enumerate(rows) for name, value in row.items()]
    return MultiDict([*pairs, *extra.items()])


def test_what_is_shown_reads_back_to_the_same_indicators() -> None:
    indicators = [
        Indicator("最大夹紧力", Comparator.GE, Decimal("28"), unit="kN", weight=40, mark=Mark.MUST),
        Indicator("工作温度", Comparator.RANGE, Decimal("-40"), Decimal("125"), unit="℃"),
        Indicator("定位精度", Comparator.PM, Decimal("0.02"), nominal=Decimal("50"), unit="mm"),
        Indicator("功能安全等级", Comparator.EQ, text_value="ASIL D", verifier=Verifier.THIRD_PARTY),
        Indicator("节拍", Comparator.EQ, Decimal("110"), unit="s", condition="满负荷", method="计时"),
        Indicator("寿命", Comparator.GE, Decimal("1E+6"), unit="次"),
    ]
    shown = IndicatorRows.showing(indicators)

    read, obstacles = IndicatorRows.from_form(MultiDict(shown.hidden_fields())).read()

    assert obstacles == []
    assert read == indicators


def test_a_number_that_cannot_be_read_is_named_at_its_own_input_and_kept() -> None:
    rows = IndicatorRows.from_form(
        typed({"name": "甲", "value": "28"}, {"name": "乙", "value": "八百", "weight": "一半"})
    )

    _, obstacles = rows.read()

    assert {o.field for o in obstacles} == {"indicators.1.value", "indicators.1.weight"}
    assert rows.rows[1].value == "八百"


def test_blank_rows_are_left_out_and_errors_stand_at_the_rows_that_remain() -> None:
    rows = IndicatorRows.from_form(
        typed({"name": "", "comparator": "ge", "mark": "must"}, {"name": "乙", "value": "?"})
    )

    read, obstacles = rows.read()

    assert [i.name for i in read] == ["乙"]
    assert [o.field for o in obstacles] == ["indicators.0.value"]


def test_a_second_value_belongs_to_ranges_and_tolerances_only() -> None:
    rows = IndicatorRows.from_form(typed({"name": "甲", "comparator": "ge", "value": "1", "second": "2"}))

    (indicator,), obstacles = rows.read()

    assert [o.field for o in obstacles] == ["indicators.0.second"]
    assert indicator.value_to is None


def test_the_add_button_adds_a_row_and_the_remove_button_takes_the_named_one() -> None:
    form = typed({"name": "甲"}, {"name": "乙"}, {"name": "丙"}, remove="indicators-1")
    rows = IndicatorRows.from_form(form)
    assert rows.pressed(form)
    assert [row.name for row in rows.rows] == ["甲", "丙"]

    form = typed({"name": "甲"}, add="indicators")
    rows = IndicatorRows.from_form(form)
    assert rows.pressed(form)
    assert [row.name for row in rows.rows] == ["甲", ""]


@pytest.mark.parametrize("button", ["", "parameters", "indicators-9", "indicators-x", "indicators-²"])
def test_buttons_of_others_and_rows_that_are_not_there_change_nothing(button: str) -> None:
    form = typed({"name": "甲"}, remove=button)
    rows = IndicatorRows.from_form(form)
    rows.pressed(form)

    assert [row.name for row in rows.rows] == ["甲"]


def test_numbers_of_rows_may_have_gaps_and_absurd_ones_are_ignored() -> None:
    form = MultiDict(
        {
            "indicators-7-name": "乙",
            "indicators-2-name": "甲",
            "indicators-²-name": "?",
            "indicators-99999999999-name": "?",
        }
    )
    assert [row.name for row in IndicatorRows.from_form(form).rows] == ["甲", "乙"]


def test_choices_that_do_not_exist_are_refused_in_words() -> None:
    rows = IndicatorRows.from_form(
        typed({"name": "甲", "value": "1", "comparator": "about", "verifier": "me", "mark": "x"})
    )
    _, obstacles = rows.read()

    assert {o.field.rpartition(".")[2] for o in obstacles} == {"comparator", "verifier", "mark"}


def test_control_characters_and_overlong_texts_are_refused_at_their_input() -> None:
    rows = IndicatorRows.from_form(
        typed({"name": "甲\x00乙", "value": "1", "unit": "k" * 31, "method": "法\u202e"})
    )
    _, obstacles = rows.read()

    assert {o.field for o in obstacles} == {
        "indicators.0.name",
        "indicators.0.unit",
        "indicators.0.method",
    }


def test_an_empty_form_offers_a_row_to_begin_with() -> None:
    assert IndicatorRows().padded(1).rows == [IndicatorRow()]
