"""The shipped reference data is whole."""

from collections import Counter

import pytest

from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.shipped import ShippedScheme, read_schemes

SCHEMES = {shipped.scheme: shipped for shipped in read_schemes()}


def test_every_scheme_is_shipped_once() -> None:
    assert set(SCHEMES) == {scheme.value for scheme in Scheme}


@pytest.mark.parametrize("shipped", SCHEMES.values(), ids=SCHEMES)
def test_every_node_has_a_source_a_parent_that_exists_and_fits_its_columns(shipped: ShippedScheme) -> None:
    codes = Counter(node.code for node in shipped.nodes)
    assert max(codes.values()) == 1
    for node in shipped.nodes:
        assert node.parent_code is None or node.parent_code in codes
        assert node.name
        assert len(node.name) <= 80
        assert len(node.code) <= 20
        assert node.source
        assert len(node.source) <= 300


def test_the_clusters_are_three_three_six_and_eighteen() -> None:
    tiers = Counter(node.parent_code for node in SCHEMES["cluster"].nodes if node.parent_code)
    assert tiers == {"A": 3, "B": 3, "C": 6, "D": 6, "E": 12}


def test_clusters_without_a_public_source_say_so() -> None:
    unconfirmed = {node.code for node in SCHEMES["cluster"].nodes if not node.confirmed}
    expected = {"C5", "C6", "D3", "D4", "D5", "D6", *(f"E{n}" for n in range(1, 13))}
    assert unconfirmed == expected


def test_all_provinces_and_the_districts_of_chongqing_are_there() -> None:
    regions = {node.code: node for node in SCHEMES["region"].nodes}
    assert sum(node.parent_code is None for node in regions.values()) == 34
    assert regions["500112"].name == "渝北区"
    assert regions["500112"].parent_code == "500000"
    assert sum(node.parent_code == "500000" for node in regions.values()) == 38
