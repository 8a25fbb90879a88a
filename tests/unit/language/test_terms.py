"""Text to terms: words, n-grams, stems, pairs, model numbers; numbers stay out."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.language import (
    LANGUAGE_VERSION,
    Dictionary,
    analyse,
    analyse_many,
    han_bigrams,
    spans,
    terms,
    words,
)

ANY_TEXT = st.text(
    st.characters(exclude_categories=[]) | st.sampled_from("軟體機 abE5-6T1.,公斤⁶٣̀\n"), max_size=120
)


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("工業機器人減速器", "工业机器人减速器"),
        ("鋁合金一體化壓鑄", "铝合金一体化压铸"),
        ("軟體與資料庫", "软件与数据库"),
        ("雷射焊接設備", "激光焊接设备"),
        ("奈米塗層材料", "纳米涂层材料"),
        ("電動車電池模組", "电动车电池模块"),
        ("無線網路通訊晶片", "无线网络通讯芯片"),
        ("感測器訊號", "传感器信号"),
        ("伺服馬達驅動", "伺服电机驱动"),
        ("人工智慧影像辨識", "人工智能图像识别"),
        ("積層製造", "增材制造"),
        ("附著力檢測", "附着力检测"),
        ("製程最佳化", "工艺优化"),
        ("生質柴油", "生物柴油"),
        ("顯示面板解析度", "显示面板分辨率"),
    ],
)
def test_both_scripts_give_the_same_terms(traditional: str, simplified: str) -> None:
    assert analyse(traditional) == analyse(simplified)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("采用6061-T6铝合金", "6061-t6"),
        ("MR-J4伺服", "mr-j4"),
        ("STM32F4单片机", "stm32f4"),
        ("Ti-6Al-4V粉末", "ti-6al-4v"),
        ("20CrMnTi齿轮", "20crmnti"),
        ("40Cr调质", "40cr"),
        ("防护等级IP67", "ip67"),
        ("5G通信模块", "5g"),
        ("3D打印砂型", "3d"),
        ("7075铝板", "7075"),
        ("18650电池", "18650"),
        ("304不锈钢", "304"),
        ("C++开发", "c++"),
        ("满足GB/T 28046.4", "gb/t28046.4"),
        ("满足GB/T28046.4", "gb/t28046.4"),
        ("通过ISO 26262", "iso26262"),
        ("谐波减速器", "谐波减速器"),
        ("谐波减速器", "减速器"),
        ("bearings", "bear"),
        ("5-axis machining", "axi"),
        ("γ射线探伤", "γ"),
    ],
)
def test_a_name_is_one_term(text: str, term: str) -> None:
    assert term in analyse(text).words


@pytest.mark.parametrize(
    "text",
    [
        "额定负载200公斤", "≥180 kg", "±0.02 mm", "0.5-2.0mm", "-40~125℃", "2023年6月", "1.2×10⁶次",
        "120万次", "35.5MPa", "12V", "1,200 r/min", "Ra0.8", "HRC58-62", "电话 023-6789",
    ],
)  # fmt: skip
def test_numbers_and_their_units_are_not_terms(text: str) -> None:
    found = analyse(text)
    assert not [term for term in found.words if any(map(str.isdigit, term))]
    assert not {"kg", "mm", "mpa", "min", "公斤", "万次"} & set(found.words)
    assert not {"公", "斤", "次", "年"} & set(found.chars)


def test_latin_words_form_pairs_of_stems_and_stop_words_do_not_count() -> None:
    found = analyse("real-time control of the bearing systems")
    assert dict(found.pairs) == {"real time": 1, "time control": 1, "bear system": 1}
    assert "of" not in found.words


def test_han_runs_give_bigrams_and_characters() -> None:
    assert han_bigrams("轴承、齿轮箱") == ["轴承", "齿轮", "轮箱"]
    assert dict(analyse("轴承轴").chars) == {"轴": 2, "承": 1}


def test_terms_are_listed_once_and_even_for_one_character() -> None:
    assert terms("轴承 轴承 bearing, bearing") == ["bear", "轴承"]
    assert terms("泵") == ["泵"]
    assert terms("200 kg") == []


def test_words_keep_repetitions() -> None:
    assert words("轴承 bearing 轴承").count("轴承") == 2


def test_many_texts_are_analysed_like_each() -> None:
    texts = ["軟體", "", "bearing 轴承", "\ud800"]
    assert analyse_many(texts) == [analyse(text) for text in texts]


@given(ANY_TEXT)
def test_no_text_is_refused_and_terms_are_lower_case_and_short(text: str) -> None:
    found = analyse(text)
    for counter in found.fields.values():
        assert all(count > 0 for count in counter.values())
    assert all(len(term) <= 60 for term in found.words if term.isascii())
    assert all(len(pair.split(" ")) == 2 for pair in found.pairs)


@given(ANY_TEXT)
def test_every_word_can_be_marked_where_it_stands(text: str) -> None:
    found = analyse(text)
    marked = spans(text, [*found.words, *found.chars])
    assert bool(marked) == bool(found.words or found.chars)
    assert all(0 <= start < end <= len(text) for start, end, _ in marked)
    assert all(before[1] <= after[0] for before, after in pairwise(marked))


@pytest.mark.parametrize(
    ("text", "wanted", "marked"),
    [
        ("基於鋁合金的壓鑄", ["铝合金", "压铸"], ["鋁合金", "壓鑄"]),
        ("採用資料庫與軟體", ["数据库", "软件"], ["資料庫", "軟體"]),
        ("ＳＴＭ３２Ｆ４主控", ["stm32f4"], ["ＳＴＭ３２Ｆ４"]),
        ("Rolling bearings here", ["bear"], ["bearings"]),
        ("Rolling bearings here", ["Bearing"], ["bearings"]),
        ("高压注胶机", ["注胶", "胶机"], ["注胶", "机"]),
        ("减速器与机器人", ["减速", "减速器", "机器人"], ["减速器", "机器人"]),
        ("bearing wear test", ["bear wear"], ["bearing wear"]),
        ("轴承", ["齿轮"], []),
        ("额定负载200公斤", ["公斤"], []),
        ("", ["轴承"], []),
        ("轴承", [], []),
    ],
)
def test_terms_are_marked_in_the_original(text: str, wanted: list[str], marked: list[str]) -> None:
    assert [text[start:end] for start, end, _ in spans(text, wanted)] == marked


def test_importing_the_library_loads_no_dictionary() -> None:
    code = (
        "import sys, marketplace.language, marketplace.indicators.model;"
        "print([m for m in ('opencc', 'rjieba', 'snowballstemmer', 'pint', 'flask', 'sqlalchemy', 'redis')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_terms_do_not_change_without_a_new_version() -> None:
    """If this fails, raise LANGUAGE_VERSION and put the new digest here: stored runs name the version.

    A bare dictionary is read here, so that other words and synonyms need another dictionary's version only.
    """
    sample = (
        "基於6061-T6鋁合金的一體化壓鑄技術,額定負載200公斤;谐波减速器满足GB/T 28046.4,5G通信与3D打印,"
        "real-time bearings of MR-J4 servo motors,伺服馬達控制軟體,产学研联合攻关永磁同步电机"
    )
    fixed = Dictionary("T-1", ("谐波减速器", "永磁同步电机"), (("增材制造", "3D打印"), ("伺服电机", "servo")))
    fields = [sorted(counter.items()) for counter in analyse(sample, fixed).fields.values()]
    digest = hashlib.sha256(repr(fields).encode()).hexdigest()[:16]
    assert (LANGUAGE_VERSION, digest) == ("2", "c6570e09a9738d96")
