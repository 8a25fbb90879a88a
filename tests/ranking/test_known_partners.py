"""Challenges whose true solvers are known: do they stand at the head of the list?

The real entries are third-party data named by MARKETPLACE_REAL_DATA. Only title and text go in: `org` and
`extra` may name the solver and are not read.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.ranking import Ranker

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KINDS = {"challenge": Kind.CHALLENGE, "supply_need": Kind.NEED, "capability": Kind.CAPABILITY}

FOLDER = os.environ.get("MARKETPLACE_REAL_DATA", "")
if not FOLDER:
    reason = "MARKETPLACE_REAL_DATA names no folder with the real entries"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def _read(row, number):
    body = () if row["text"].strip() == row["title"].strip() else (("body", row["text"]),)
    return Matchable(
        KINDS[row["kind"]], number, title=row["title"], sections=body, standing=Standing.COLLECTED
    )


@pytest.fixture(scope="module")
def entries():
    lines = (Path(FOLDER) / "real_entries.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["id"]: _read(row, number) for number, row in enumerate(rows, start=1)}


@pytest.fixture(scope="module")
def ranker(entries):
    return Ranker(size=1000).fit(entries.values())


def places(entries, ranker, challenge):
    names = {entry.key: name for name, entry in entries.items()}
    matches = ranker.rank(entries[challenge], now=NOW).matches
    return {names[match.capability.key]: place for place, match in enumerate(matches, start=1)}


@pytest.mark.parametrize(
    ("challenge", "partners"),
    [("RE0048", ("RE0049", "RE0050")), ("RE0061", ("RE0062",)), ("RE0005", ("RE0006",))],
)
def test_the_true_partners_stand_in_the_first_five(entries, ranker, challenge, partners):
    found = places(entries, ranker, challenge)
    assert all(found.get(partner, 9999) <= 5 for partner in partners), {p: found.get(p) for p in partners}


def test_the_place_of_the_forty_character_profile_is_reported(entries, ranker, record_property):
    found = places(entries, ranker, "RE0059")
    record_property("place of RE0060 for RE0059", found.get("RE0060"))
    assert found, "nobody was ranked for RE0059"


def test_the_partners_file_and_this_test_agree():
    partners = json.loads((Path(FOLDER) / "known_partners.json").read_text(encoding="utf-8"))
    assert partners == {
        "RE0048": ["RE0049", "RE0050"],
        "RE0061": ["RE0062"],
        "RE0005": ["RE0006"],
        "RE0059": ["RE0060"],
    }


def test_every_seeker_with_a_text_finds_somebody(entries, ranker):
    for entry in entries.values():
        if entry.kind.seeks:
            assert ranker.rank(entry, now=NOW, size=5).matches
