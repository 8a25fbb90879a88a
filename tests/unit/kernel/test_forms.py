"""Forms judge what is typed without losing it."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from werkzeug.datastructures import MultiDict

from marketplace.kernel import forms


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Measure(forms.RowForm):
    name = forms.Text("指标", limit=5, required=True)
    comparator = forms.Choice("比较", pairs=[("ge", "≥"), ("le", "≤")], default="ge")
    value = forms.Number("数值")


class Sheet(forms.Form):
    title = forms.Text("标题", limit=8, required=True)
    body = forms.LongText("正文", limit=20)
    email = forms.Email("邮箱")
    phone = forms.Phone("电话")
    count = forms.Integer("数量", most=100)
    budget = forms.Money("榜额")
    closes_on = forms.Date("截止日期")
    colour = forms.Choice("颜色", pairs=[("red", "红"), ("blue", "蓝")], kind=Colour, required=True)
    colours = forms.Choices("颜色们", pairs=lambda: [("red", "红"), ("blue", "蓝")], kind=Colour, most=1)
    agreed = forms.Flag("同意", required=True)
    measures = forms.Rows(Measure, "指标", most=3, offered=2)


FINE = {"title": "轴承", "colour": "red", "agreed": "y"}


@pytest.fixture(scope="module")
def app() -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="x", WTF_CSRF_ENABLED=False, BABEL_DEFAULT_LOCALE="zh_Hans")
    Babel(app)
    return app


def judged(app: Flask, pairs: dict[str, Any]) -> Sheet:
    with app.test_request_context("/", method="POST", data=MultiDict({**FINE, **pairs})):
        sheet = Sheet()
        sheet.valid = sheet.validate_on_submit()
        sheet.html = "".join(str(field()) for field in sheet if field.name != "measures")
        return sheet


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("title", "", "请填写“标题”"),
        ("title", "一二三四五六七八九", "“标题”最多 8 个字，现有 9 个"),
        ("title", "a\x00b", "“标题”含有控制字符或不可见字符，请删除后重新输入"),
        ("title", "a\u202eb", "“标题”含有控制字符或不可见字符，请删除后重新输入"),
        ("title", "a\nb", "“标题”只能是一行，不能含有换行或制表符"),
        ("title", "a\ufffdb", "“标题”含有乱码，请重新输入"),
        ("body", "字" * 21, "“正文”最多 20 个字，现有 21 个"),
        ("email", "nobody", "“邮箱”不是有效的邮箱地址"),
        ("phone", "12345", "“电话”不是有效的电话号码，例如 13800000000 或 023-60000000"),
        ("count", "²", "“数量”须为整数，例如 12"),
        ("count", "101", "“数量”须在 0 与 100 之间"),
        ("count", "9" * 5000, "“数量”最多 200 个字，现有 5000 个"),
        ("budget", "-1", "“榜额”须为以万元为单位的金额，不小于 0，精确到分，例如 80 或 80.5"),
        ("budget", "0.0000001", "“榜额”须为以万元为单位的金额，不小于 0，精确到分，例如 80 或 80.5"),
        ("closes_on", "2026-02-30", "“截止日期”须为日期，例如 2026-11-22"),
        ("colour", "green", "请从列表中选择“颜色”"),
        ("colours", "green", "请从列表中选择“颜色们”"),
        ("measures-0-value", "1e9", "“数值”须为数字，例如 28 或 0.02，最多 15 位整数和 9 位小数"),
    ],
)
def test_bad_input_is_told_with_field_and_limit(app: Flask, name: str, text: str, message: str) -> None:
    sheet = judged(app, {name: text})
    assert not sheet.valid
    found = sheet.measures.errors[0]["value"] if name.startswith("measures") else sheet[name].errors
    assert found == [message]


def test_everything_wrong_is_told_at_once(app: Flask) -> None:
    sheet = judged(app, {"title": "", "count": "x", "colour": "green", "agreed": ""})
    assert {name for name, errors in sheet.errors.items() if errors} == {"title", "count", "colour", "agreed"}


def test_what_was_typed_is_shown_again(app: Flask) -> None:
    sheet = judged(
        app, {"title": "一二三四五六七八九", "count": "twelve", "closes_on": "明天", "email": "No@"}
    )
    for text in ("一二三四五六七八九", "twelve", "明天", "No@"):
        assert text in sheet.html


def test_full_width_digits_and_chinese_dates_are_read(app: Flask) -> None:
    sheet = judged(
        app,
        {
            "count": "１２",
            "budget": "８０．５",
            "closes_on": "2026年1月2日",
            "phone": "１３８００００００００",
        },
    )
    assert sheet.valid, sheet.errors
    assert (sheet.count.data, sheet.budget.data, sheet.phone.data) == (12, 80_500_000, "13800000000")
    assert sheet.closes_on.data.isoformat() == "2026-01-02"
    assert sheet.colour.data is Colour.RED


def test_line_ends_count_once_and_prose_is_kept_as_typed(app: Flask) -> None:
    sheet = judged(app, {"body": "第一行\r\n第２行 "})
    assert sheet.valid
    assert sheet.body.data == "第一行\n第２行 "


def test_empty_values_are_none_and_empty_texts_empty(app: Flask) -> None:
    sheet = judged(app, {})
    assert sheet.valid, sheet.errors
    assert (sheet.body.data, sheet.count.data, sheet.budget.data, sheet.closes_on.data) == (
        "",
        None,
        None,
        None,
    )
    assert sheet.colours.data == []


def test_an_untouched_row_is_no_row_but_a_touched_one_is_judged(app: Flask) -> None:
    sheet = judged(
        app,
        {
            "measures-0-name": "寿命",
            "measures-0-comparator": "le",
            "measures-0-value": "28",
            "measures-1-name": "",
            "measures-1-comparator": "ge",
            "measures-1-value": "",
        },
    )
    assert sheet.valid, sheet.errors
    assert sheet.measures.filled == [{"name": "寿命", "comparator": "le", "value": Decimal(28)}]
    touched = judged(app, {"measures-0-comparator": "le"})
    assert touched.measures.errors[0]["name"] == ["请填写“指标”"]


def test_rows_beyond_the_limit_are_refused_and_not_cut(app: Flask) -> None:
    sheet = judged(app, {f"measures-{i}-name": "寿命" for i in range(4)})
    assert not sheet.valid
    assert "“指标”最多 3 项" in sheet.measures.errors
    assert len(sheet.measures.entries) == 4


@pytest.mark.parametrize("index", ["²", "9" * 5000, "-1", "x"])
def test_strange_row_numbers_are_no_rows(app: Flask, index: str) -> None:
    assert judged(app, {f"measures-{index}-name": "寿命"}).measures.filled == []
