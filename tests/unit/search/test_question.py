"""What is typed becomes what a document must hold, and what is found is marked in the text as written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.language import DEFAULT_DICTIONARY as DICTIONARY
from marketplace.search.asked import Asked
from marketplace.search.backends import _POSTGRESQL, _SQLITE
from marketplace.search.marks import EXCERPT_LENGTH, excerpt, find_spans, mark
from marketplace.search.question import MOST_UNITS, Question, read_question
from marketplace.search.tokens import clean, index_tokens


def read(text: str) -> Question:
    return read_question(text, DICTIONARY)


def spellings(question: Question) -> list[list[list[str]]]:
    return [[[unit.spelling for unit in clause.units] for clause in group] for group in question.wanted]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("铝合金压铸件供应商", [[["铝合金", "压铸件", "供应商"]]]),
        ("電機的軸", [[["电机", "轴"]]]),
        ("的", [[["的"]]]),
        ("铝", [[["铝"]]]),
        ("6061-T6 铝板", [[["6061-t6"]], [["铝板"]]]),
        ("减速器 OR 軸承 bearings", [[["减速器"], ["轴承"]], [["bearings"]]]),
        ("减速器 | 轴承 | 电机", [[["减速器"], ["轴承"], ["电机"]]]),
        ("OR 减速器 OR", [[["减速器"]]]),
        ("１５００吨", [[["1500"]]]),
        ("！！！ , 。", []),
        ("", []),
        ("-减速器", []),
    ],
)
def test_words_apart_are_all_wanted_and_either_only_where_it_is_said(
    typed: str, wanted: list[list[list[str]]]
) -> None:
    assert spellings(read(typed)) == wanted


def test_quotes_ask_for_the_letters_and_a_minus_for_their_absence() -> None:
    question = read('“空心 電機軸” -减速器 -"die casting"')
    assert question.phrases == ["空心 电机轴"]
    assert [(clause.phrase, [u.spelling for u in clause.units]) for clause in question.unwanted] == [
        ("", ["减速器"]),
        ("die casting", ["die", "casting"]),
    ]


def test_a_thing_is_looked_for_by_its_other_names_and_a_model_by_its_other_spellings() -> None:
    assert ("c:减速器",) in read("減速器").units[0][0].alternatives
    assert set(read("6061-T6").units[0][0].alternatives) == {("6061-t6",), ("6061t6",)}
    assert set(read("6061T6").units[0][0].alternatives) == {("6061t6",)}
    held = index_tokens("6061-T6 铝板", ["die casting"], "1,500 吨", DICTIONARY).split()
    assert {"6061-t6", "6061t6", "6061", "t6", "t:6061-t6", "k:cast", "1500"} <= set(held)


def test_too_many_words_are_cut_and_it_is_said() -> None:
    question = read(" ".join(f"词语{chr(0x4E00 + n)}号" for n in range(40)))
    assert question.shortened
    assert len(question.units) <= MOST_UNITS
    assert not read("铝合金 压铸").shortened


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="\"'-|()*:&!~^{}[]\\/%_ OR\x00减速器a1", max_size=60))
def test_nothing_typed_raises_or_reaches_an_index_as_anything_but_tokens(typed: str) -> None:
    question = read(typed)
    for spelling in (_SQLITE, _POSTGRESQL):
        for unit, _sure in question.units:
            for alternative in unit.alternatives:
                for token in alternative:
                    quoted = spelling.token(token)
                    assert quoted[1:-1] == clean(token)
                    assert not set(quoted[1:-1]) & set("\"'\\ \x00")
    find_spans(typed, question, DICTIONARY)


# --- marks ----------------------------------------------------------------------------------------------

TEXT = "用於新能源汽車的減速器殼體，採用鋁合金壓鑄。Bearings of 6061 T6, and 6061-T6; 減速機另計。"


def marked(text: str, typed: str) -> list[str]:
    return [text[start:end] for start, end in find_spans(text, read(typed), DICTIONARY)]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("减速器", ["減速器", "減速機"]),
        ("铝合金 bearing", ["鋁合金", "Bearings"]),
        ("6061-T6", ["6061-T6"]),
        ("6061", ["6061", "6061-T6"]),
        ('"壳体，采用"', ["殼體，採用"]),
        ("铝", ["鋁"]),
        ("没有的", []),
    ],
)
def test_hits_are_marked_in_the_text_as_it_was_written(typed: str, found: list[str]) -> None:
    assert marked(TEXT, typed) == found


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.text(max_size=30))
def test_marking_loses_no_character(text: str, typed: str) -> None:
    spans = find_spans(text, read(typed), DICTIONARY)
    assert "".join(piece for piece, _hit in mark(text, spans)) == text


def test_an_excerpt_shows_where_most_is_said() -> None:
    text = "开头。" * 60 + "这里有减速器和轴承。" + "结尾。" * 60
    pieces = excerpt(text, find_spans(text, read("减速器 轴承"), DICTIONARY))
    assert [piece for piece, hit in pieces if hit] == ["减速器", "轴承"]
    assert pieces[0] == ("…", False)
    assert pieces[-1] == ("…", False)
    assert sum(len(piece) for piece, _hit in pieces) <= EXCERPT_LENGTH + 2
    assert excerpt("短", []) == [("短", False)]


# --- addresses ------------------------------------------------------------------------------------------


def test_what_was_asked_comes_back_from_its_address() -> None:
    args = {"q": " 减速器 ", "scope": "need", "cluster": "A1", "sort": "new", "page": "3", "evil": "x"}
    asked = Asked.from_args(args, {"need": "供需清单"})
    assert asked == Asked("减速器", "need", (("cluster", "A1"),), "new", 3)
    assert asked.args() == {"q": "减速器", "scope": "need", "cluster": "A1"}
    assert Asked.from_args({"scope": "x", "sort": "x", "page": "-1"}, {}) == Asked()
