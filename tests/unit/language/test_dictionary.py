"""The dictionary: what it refuses, how it cuts words, and which names it takes for one thing."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.language import DEFAULT_DICTIONARY, Dictionary, analyse, normalise, spans, terms, words
from marketplace.language.dictionary import (
    GROUPS_AT_MOST,
    LETTERS_AT_MOST,
    WORDS_AT_MOST,
    find_problems,
    lower,
)
from marketplace.language.terms import occurrences

FIXED = Dictionary(
    "T-1",
    ("谐波减速器",),
    (
        ("轴承", "培林", "bearing"),
        ("电池管理系统", "BMS"),
        ("轴承钢", "轴承用钢"),
        ("数字孪生", "digital twin"),
    ),
)


def test_the_shipped_dictionary_is_sound_and_reads_back_to_itself() -> None:
    assert find_problems(DEFAULT_DICTIONARY.words, DEFAULT_DICTIONARY.synonyms) == []
    again = Dictionary.from_dict(json.loads(json.dumps(DEFAULT_DICTIONARY.to_dict())))
    assert again == DEFAULT_DICTIONARY
    assert again.digest() == DEFAULT_DICTIONARY.digest()


def test_every_difference_is_another_digest() -> None:
    others = [
        Dictionary("T-2", FIXED.words, FIXED.synonyms),
        Dictionary("T-1", (*FIXED.words, "永磁电机"), FIXED.synonyms),
        Dictionary("T-1", FIXED.words, FIXED.synonyms[1:]),
        Dictionary("T-1", FIXED.words, (FIXED.synonyms[0][::-1], *FIXED.synonyms[1:])),
    ]
    assert len({one.digest() for one in (FIXED, *others)}) == 5
    assert all(one != FIXED for one in others)


@pytest.mark.parametrize(
    ("given_words", "synonyms", "code"),
    [
        (["轴"], [], "length"),
        (["轴" * (LETTERS_AT_MOST + 1)], [], "length"),
        (["bearing"], [], "not_han"),
        (["轴承 "], [], "not_han"),
        (["軸承"], [], "not_normal"),
        (["轴承", "轴承"], [], "twice"),
        (["轴承"] * (WORDS_AT_MOST + 1), [], "too_many"),
        ([], [["轴承"]], "one_member"),
        ([], [["轴承", "培林"], ["培林", "滚动体"]], "two_groups"),
        ([], [["BMS", "电池管理系统"], ["bms", "楼宇管理"]], "two_groups"),
        ([], [["轴承", "轴承"]], "twice"),
        ([], [["轴承", "BEARING", "bearing"]], "twice"),
        ([], [["轴承", "軸承"]], "not_normal"),
        ([], [["轴承", "a  b"]], "not_name"),
        ([], [["轴承", "(轴)"]], "not_name"),
        ([], [["轴承", ""]], "length"),
        ([], [["轴承"] + [f"轴承{n}" for n in range(40)]], "too_many_members"),
        ([], [["轴承", "培林"]] * (GROUPS_AT_MOST + 1), "too_many"),
    ],
)
def test_what_is_no_dictionary_is_refused_with_its_reason(
    given_words: list[str], synonyms: list[list[str]], code: str
) -> None:
    assert code in [problem.code for problem in find_problems(given_words, synonyms)]
    with pytest.raises(ValueError, match=code):
        Dictionary.from_dict({"version": "T", "words": given_words, "synonyms": synonyms})


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": "T", "words": []},
        {"version": "T", "words": [], "synonyms": [], "more": 1},
        {"version": 1, "words": [], "synonyms": []},
        {"version": "", "words": [], "synonyms": []},
        {"version": "T", "words": "轴承", "synonyms": []},
        {"version": "T", "words": [1], "synonyms": []},
        {"version": "T", "words": [], "synonyms": ["轴承"]},
        {"version": "T", "words": [], "synonyms": [[None, "轴承"]]},
        [],
    ],
)
def test_what_has_another_form_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Dictionary.from_dict(data)  # type: ignore[arg-type]


def test_a_compound_is_cut_as_one_word_by_the_dictionary_that_has_it() -> None:
    without = Dictionary("T-0")
    assert "谐波减速器" in words("新型谐波减速器", FIXED)
    assert "谐波减速器" not in words("新型谐波减速器", without)
    assert "谐波减速器" in terms("新型谐波减速器", FIXED)


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("培林与軸承", {"轴承": 2}),
        ("Bearing、BEARINGS", {"轴承": 1}),
        ("BMS系统的bms", {"电池管理系统": 2}),
        ("BMS2、ABMS、BMSA", {}),
        ("轴承钢", {"轴承钢": 1}),
        ("轴承轴承钢", {"轴承": 1, "轴承钢": 1}),
        ("a Digital\nTwin", {"数字孪生": 1}),
        ("digital twins", {}),
        ("", {}),
    ],
)
def test_names_of_one_thing_are_one_concept(text: str, concepts: dict[str, int]) -> None:
    assert dict(analyse(text, FIXED).concepts) == concepts


def test_another_name_is_marked_where_it_stands() -> None:
    text = "採用培林與 BMS"
    assert [text[a:b] for a, b, _ in spans(text, ["轴承", "电池管理系统"], FIXED)] == ["培林", "BMS"]


NAMES = [name for group in FIXED.synonyms for name in group]
MIXED = st.lists(
    st.sampled_from([*NAMES, "钢", "用", "B", "2", " ", "İ", "ß", "軸", "\n", "轴"]), max_size=30
)


@given(MIXED.map("".join))
def test_mentions_are_what_a_plain_search_finds(text: str) -> None:
    """Against the definition: leftmost, longest, whole words, not overlapping."""
    text = normalise(text)
    low = lower(text)
    assert len(low) == len(text)
    concept = {lower(name): lower(group[0]) for group in FIXED.synonyms for name in group}
    expected, place = [], 0
    while place < len(low):
        here = [name for name in concept if low.startswith(name, place) and _stands_alone(low, place, name)]
        if here:
            longest = max(here, key=len)
            expected.append((concept[longest], place, place + len(longest)))
            place += len(longest)
        else:
            place += 1
    assert [tuple(one) for one in FIXED.mentions(text)] == expected


def _stands_alone(text: str, start: int, name: str) -> bool:
    def spaced(letter: str) -> bool:
        return (letter.isascii() and letter.isalnum()) or letter in "ßİ"

    end = start + len(name)
    before = start > 0 and spaced(text[start - 1]) and spaced(name[0])
    after = end < len(text) and spaced(text[end]) and spaced(name[-1])
    return not before and not after


@given(MIXED.map("".join))
def test_concepts_lie_where_they_are_said_to(text: str) -> None:
    text = normalise(text)
    found = [one for one in occurrences(text, FIXED) if one.field == "concept"]
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert len(found) == analyse(text, FIXED).concepts.total()


@pytest.mark.parametrize("kept", [(), ("旋锻主轴",)])
def test_without_synonyms_a_text_is_read_and_names_nothing(kept: tuple[str, ...]) -> None:
    found = analyse("旋锻主轴用 IGBT 驱动", Dictionary("D-T", kept, ()))
    assert not found.concepts
    assert found.words["旋锻主轴"] == len(kept)
