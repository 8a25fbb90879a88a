"""Families of products: a member is found whatever its script, as a whole name, the longest one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketplace.language
from marketplace.language import analyse, normalise, spans
from marketplace.language.families import members

FILE = Path(marketplace.language.__file__).parent / "data" / "families.txt"


def families(text: str) -> set[str]:
    return set(analyse(text).families)


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        ("涤纶长丝", "锦纶切片"),
        ("电池隔膜", "锂离子电池正极材料"),
        ("滚动轴承", "关节轴承及保持架"),
        ("變壓器", "互感器、电抗器"),
        ("PCB", "覆铜板"),
        ("螺栓", "铆钉与标准件"),
    ],
)
def test_two_products_of_one_branch_share_a_family_though_no_word(wanted: str, made: str) -> None:
    assert families(wanted) & families(made)


@pytest.mark.parametrize(
    ("one", "other"), [("涤纶长丝", "商业银行贷款"), ("疫苗", "高速公路收费"), ("轴承", "白酒")]
)
def test_products_of_different_branches_share_none(one: str, other: str) -> None:
    assert families(one)
    assert not families(one) & families(other)


def test_a_latin_name_inside_a_longer_word_is_no_member() -> None:
    assert families("LED灯")
    assert not list(members("called"))


def test_the_longest_name_counts_and_what_lies_in_it_does_not() -> None:
    found = list(members("汽车零部件"))
    assert [(one.start, one.end) for one in found] == [(0, 5)]


def test_a_family_is_marked_where_its_member_stands() -> None:
    text = "本厂生產滾動軸承。"
    (family,) = (name for name in families(text) if name == "轴承类")
    assert [text[start:end] for start, end, _ in spans(text, [family])] == ["滾動軸承"]


def test_each_family_has_members_that_a_normalised_text_can_hold() -> None:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    names = [line.partition("：")[0] for line in lines]
    assert len(names) == len(set(names)) > 300
    for line in lines:
        listed = line.partition("：")[2].split()
        assert len(listed) >= 2, line
        for name in listed:
            assert len(name) >= 2, line
            assert normalise(name) == name, line


@given(st.text(max_size=200))
def test_members_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    text = normalise(text)
    past = 0
    for one in members(text):
        assert past <= one.start < one.end <= len(text)
        past = one.end
