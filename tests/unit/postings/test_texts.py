"""Texts of postings: how they are spelled for the search, cut into keywords, and kept from the matcher."""

from dataclasses import fields

from marketplace.matching.engine import documents
from marketplace.postings import matchable
from marketplace.postings.listing import ListQuery
from marketplace.postings.texts import searchable, split_words, without


def test_the_search_reads_traditional_and_full_width_as_simplified_and_narrow() -> None:
    assert searchable("機電整合", "ＥＭＢ") == searchable("机电整合", "emb")


def test_keywords_are_separated_as_people_separate_them() -> None:
    assert split_words("线控制动、夹紧力，丝杠; 丝杠 ；\n轴承") == ["线控制动", "夹紧力", "丝杠", "轴承"]


def test_withheld_stretches_leave_the_text() -> None:
    text = "难点一。由某某大学解决。难点二。"
    assert "某某大学" not in without(text, ["由某某大学解决"])
    assert without(text, []) == text


def test_a_list_question_survives_the_way_through_the_url() -> None:
    query = ListQuery.from_args(
        {"q": " 夹紧力 ", "cluster": "A1", "sort": "budget", "page": "3", "other": "x"}, ("cluster", "region")
    )

    assert query.args() == {"q": "夹紧力", "cluster": "A1", "sort": "budget", "page": "3"}
    assert ListQuery.from_args(query.args(), ("cluster", "region")) == query


def test_what_is_handed_to_the_matcher_has_the_engines_own_fields() -> None:
    assert [f.name for f in fields(matchable.Matchable)] == [f.name for f in fields(documents.Matchable)]
    assert [f.name for f in fields(matchable.Conditions)] == [f.name for f in fields(documents.Conditions)]
    assert {s.value for s in documents.Standing} == {
        matchable.VERIFIED,
        matchable.COLLECTED,
        matchable.UNVERIFIED,
    }
