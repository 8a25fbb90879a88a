"""One spelling for every text, and the way back to what its author wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.language import normal, normalise, normalise_with_offsets

ANY_TEXT = st.text(st.characters(exclude_categories=[]) | st.sampled_from("軟體資料庫⁶²①ｅ́２－～㎜網路著黏"))


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("１２００㎜", "1200mm"),
        ("（Ａ）：５０％", "(A):50%"),
        ("1.2×10⁶次", "1.2×10^6次"),
        ("比表面积50m²/g", "比表面积50m^2/g"),
        ("CO₂捕集", "CO2捕集"),
        ("①材料②工艺", "(1)材料(2)工艺"),
        ("−40～125℃", "-40~125°C"),
        ("HP—RTM", "HP-RTM"),
        ("额定负载≧180 kg", "额定负载≥180 kg"),
        ("軟體與硬體", "软件与硬件"),
        ("資料庫伺服器", "数据库服务器"),
        ("雷射切割奈米塗層", "激光切割纳米涂层"),
        ("半導體製程", "半导体工艺"),
        ("伺服馬達", "伺服电机"),
        ("附著力顯著提升", "附着力显著提升"),
        ("黏著劑", "粘着剂"),
        ("類神經網路", "神经网络"),
    ],
)
def test_the_same_thing_is_spelled_in_one_way(written: str, spelled: str) -> None:
    assert normalise(written) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "核心技术",
        "执行程序",
        "元件库文件",
        "软体机器人",
        "互联网路由器",
        "显著提高",
        "专著与名著",
        "时间序列",
        "电网路径",
    ],
)
def test_mainland_wording_is_left_as_it_is(text: str) -> None:
    assert normalise(text) == text


def test_letter_case_is_kept_because_units_need_it() -> None:
    assert normalise("１０ＭＷ与10mW") == "10MW与10mW"


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "a\udfffb", "\ufffe", "e\u0301" * 50, "\u0301\u0316" * 500]
)
def test_no_text_is_refused(text: str) -> None:
    normalise(text).encode("utf-8")


@given(ANY_TEXT)
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(ANY_TEXT)
def test_the_way_back_belongs_to_the_same_spelling(text: str) -> None:
    normalised = normalise_with_offsets(text)
    assert normalised.text == normalise(text)
    assert len(normalised.starts) == len(normalised.ends) == len(normalised.text)
    assert all(0 <= a <= b <= len(text) for a, b in zip(normalised.starts, normalised.ends, strict=True))
    assert list(normalised.starts) == sorted(normalised.starts)


@pytest.mark.parametrize(
    ("text", "spelled", "written"),
    [
        ("採用資料庫技術", "数据库", "資料庫"),
        ("轉速１２００㎜", "1200", "１２００"),
        ("寿命10⁶次", "10^6", "10⁶"),
        ("用雷射焊接", "激光", "雷射"),
        ("e\u0301té 記憶體模組", "内存模块", "記憶體模組"),
    ],
)
def test_a_place_in_the_spelling_leads_back_to_the_original(text: str, spelled: str, written: str) -> None:
    normalised = normalise_with_offsets(text)
    start = normalised.text.index(spelled)
    assert text[slice(*normalised.original_span(start, start + len(spelled)))] == written


def test_an_empty_place_leads_back_to_an_empty_place() -> None:
    assert normalise_with_offsets("軟體").original_span(2, 2) == (2, 2)
    assert normalise_with_offsets("").original_span(0, 0) == (0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "额定负载２００㎏，重复定位精度±０．０２㎜；寿命≥１００万次。",
        "軸承鋼“高潔淨度”——壽命～１０⁶次　㎛級",
        "①輕合金②鎂合金…ﬁne e\u0301tude 滑鼠",
        "㈱ﾊﾟﾜｰ ℃ ½ Ⅳ 가\u11a8 \u1100\u1161",
    ],
)
def test_the_quick_way_to_offsets_gives_what_following_every_step_gives(text, monkeypatch):
    quick = normal.normalise_with_offsets(text)
    monkeypatch.setattr(normal, "_is_one_for_one", lambda *_args: False)
    slow = normal.normalise_with_offsets(text)
    assert (quick.text, list(quick.starts), list(quick.ends)) == (
        slow.text,
        list(slow.starts),
        list(slow.ends),
    )


@given(st.text(st.characters(max_codepoint=0x1FFFF), max_size=60))
def test_the_quick_way_to_offsets_is_right_for_any_text(text):
    quick = normal.normalise_with_offsets(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(normal, "_is_one_for_one", lambda *_args: False)
        slow = normal.normalise_with_offsets(text)
    assert (quick.text, list(quick.starts), list(quick.ends)) == (
        slow.text,
        list(slow.starts),
        list(slow.ends),
    )


@pytest.mark.parametrize("text", ["软体家具", "软体沙发", "增程式电动车", "软体机器人"])
def test_mainland_words_that_look_like_taiwanese_ones_stay(text):
    assert normalise(text) == text
