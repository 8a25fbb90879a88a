"""What a scheme is held to, and how two versions of it differ."""

from typing import Any

import pytest

from marketplace.taxonomy.rules import Fault, Line, NodeFacts, difference, faults


def node(code: str, parent: str | None = None, **values: Any) -> NodeFacts:
    return NodeFacts(
        **{"code": code, "name": f"节点{code}", "parent_code": parent, "source": "试验", **values}
    )


def lines(*nodes: NodeFacts, **ended: str | None) -> list[Line]:
    found = [Line(number, one) for number, one in enumerate(nodes, start=2)]
    return [
        *found,
        *(
            Line(len(found) + number, node(code), ended=True, successor=successor)
            for number, (code, successor) in enumerate(ended.items(), start=2)
        ),
    ]


def places(found: list[Fault]) -> list[tuple[int, str]]:
    return [(fault.row, fault.column) for fault in found]


CHAIN = (
    node("H"),
    node("H1", "H"),
    node("H1-1", "H1", stage="upstream"),
    node("H1-2", "H1", stage="midstream"),
    node("H1-3", "H1", stage="downstream"),
)


def test_a_chain_with_links_at_their_stages_has_no_fault() -> None:
    assert faults("chain", lines(*CHAIN)) == []


@pytest.mark.parametrize(
    ("scheme", "given", "expected"),
    [
        ("chain", lines(node("H"), node("H1", "H"), node("L", "H1")), [(4, "stage")]),
        ("chain", lines(node("H", stage="upstream")), [(2, "stage")]),
        ("cluster", lines(node("A"), node("A1", "A", stage="upstream")), [(3, "stage")]),
        ("cluster", lines(node("A"), node("B1", "A")), [(3, "code")]),
        ("cluster", lines(node("A1", "A")), [(2, "parent")]),
        ("cluster", lines(node("A"), node("A1", "A"), node("A11", "A1")), [(4, "parent")]),
        ("cluster", lines(node("A", "B"), node("B", "A")), [(2, "parent"), (3, "parent")]),
        ("cluster", lines(node("A"), node("A")), [(3, "code")]),
        ("cluster", lines(node("A", name="")), [(2, "name")]),
        ("cluster", lines(node("A", name="甲" * 81)), [(2, "name")]),
        ("cluster", lines(node("A", source="")), [(2, "source")]),
        ("cluster", lines(node("A B")), [(2, "code")]),
        ("cluster", lines(node("A\u202e", name="甲")), [(2, "code")]),
        ("cluster", lines(node("..")), [(2, "code")]),
        ("region", lines(node("50001")), [(2, "code")]),
        ("cluster", lines(node("A"), B="C"), [(3, "successor")]),
        ("cluster", lines(node("A"), A="A"), [(3, "code")]),
        ("cluster", [], [(0, "")]),
    ],
)
def test_what_a_version_must_not_hold_is_found_by_line_and_column(
    scheme: str, given: list[Line], expected: list[tuple[int, str]]
) -> None:
    assert places(faults(scheme, given)) == expected


def test_a_difference_tells_added_changed_moved_and_ended() -> None:
    before = {one.code: one for one in CHAIN}
    after = [
        node("H"),
        node("H1", "H", name="改名的链"),
        node("H1-1", "H1", stage="midstream"),
        node("H1-2", "H1", stage="midstream"),
        node("H1-4", "H1", stage="downstream"),
    ]
    found = difference(before, after, successors={"H1-3": "H1-4"}, used={"H1-3": 2}, ordered=True)
    assert found.counts == {"added": 1, "changed": 1, "moved": 1, "ended": 1}
    assert found.changed[0].fields == (("name", "节点H1", "改名的链"),)
    assert found.moved[0].fields == (("stage", "upstream", "midstream"),)
    assert (found.ended[0].node.code, found.ended[0].successor, found.ended[0].used) == ("H1-3", "H1-4", 2)
    assert not found.blocked


def test_what_is_in_use_and_has_no_successor_is_blocked_and_not_ended() -> None:
    before = {one.code: one for one in CHAIN}
    found = difference(before, list(CHAIN[:-1]), used={"H1-3": 1})
    assert [ending.node.code for ending in found.blocked] == ["H1-3"]
    assert not found.ended
    assert not found.is_empty


def test_order_counts_only_where_it_means_something_and_not_for_what_is_put_between() -> None:
    before = {one.code: one for one in CHAIN}
    swapped = [*CHAIN[:2], CHAIN[3], CHAIN[2], CHAIN[4]]
    assert difference(before, swapped).is_empty
    assert {c.node.code for c in difference(before, swapped, ordered=True).moved} == {"H1-1", "H1-2"}
    between = [*CHAIN[:3], node("H1-9", "H1", stage="upstream"), *CHAIN[3:]]
    assert difference(before, between, ordered=True).counts["moved"] == 0
