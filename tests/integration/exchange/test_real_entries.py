"""The 700 real entries come in whole, and nothing that names a solver can be matched.

They are third-party data in the folder that MARKETPLACE_REAL_DATA names.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.capabilities import queries as capabilities
from marketplace.capabilities.models import Capability
from marketplace.challenges import queries as challenges
from marketplace.challenges.models import Challenge
from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.needs import queries as needs
from marketplace.needs.models import Need
from marketplace.postings.matchable import Matchable
from tests.integration.support import footprint

FOLDER = os.environ.get("MARKETPLACE_REAL_DATA", "")
if not FOLDER:
    reason = "MARKETPLACE_REAL_DATA names no folder with the real entries"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)

FILE = Path(FOLDER) / "real_entries.jsonl"
KINDS = {"challenge": Challenge, "supply_need": Need, "capability": Capability}


def entries() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines() if line.strip()]


@pytest.fixture
def imported(app: Flask) -> Flask:
    result = app.test_cli_runner().invoke(args=["import", str(FILE)])
    assert result.exit_code == 0, result.output
    db.session.rollback()
    return app


def documents() -> dict[str, Matchable]:
    """Source id → what the matcher is handed over of it."""
    now = clock.now()
    found = [
        *challenges.read_matchables(challenges.list_open_ids(now), now=now),
        *needs.read_matchables(needs.list_open_ids(now), now=now),
        *capabilities.read_matchables(capabilities.list_open_ids(), now=now),
    ]
    names = {
        (kind, row.id): row.source_id
        for kind, entity in (("challenge", Challenge), ("need", Need), ("capability", Capability))
        for row in db.session.execute(select(entity.id, entity.source_id))
    }
    return {names[document.kind, document.id]: document for document in found}


def test_every_row_comes_in_once_is_shown_and_handed_over_to_be_ranked(imported: Flask) -> None:
    rows = entries()
    assert len(rows) == 700
    for kind, entity in KINDS.items():
        stored = set(db.session.scalars(select(entity.source_id)))
        assert stored == {row["id"] for row in rows if row["kind"] == kind}
    bare = {row["id"] for row in rows if row.get("extra", {}).get("title_only")}
    flagged = {
        source_id
        for entity in KINDS.values()
        for source_id in db.session.scalars(select(entity.source_id).where(entity.title_only))
    }
    assert bare <= flagged
    handed_over = documents()
    assert set(handed_over) == {row["id"] for row in rows}
    for source_id, document in handed_over.items():
        assert document.title.strip()
        if source_id in flagged:
            assert not document.sections, source_id
    # A body is missing only where all of it, one sentence long, tells who solved the challenge.
    bodiless = {source_id for source_id, document in handed_over.items() if not document.sections}
    assert bodiless - flagged <= {"RE0006", "RE0011", "RE0012"}
    client = imported.test_client()
    for path, entity in (("/challenges", Challenge), ("/needs", Need), ("/capabilities", Capability)):
        total = db.session.scalar(select(func.count()).select_from(entity))
        page = client.get(path)
        assert page.status_code == 200
        assert f"<b>{total}</b>" in page.text, path
    before = footprint()
    again = imported.test_cli_runner().invoke(args=["import", str(FILE)])
    assert again.exit_code == 0
    db.session.rollback()
    assert footprint() == before


def test_names_of_solvers_and_withheld_stretches_are_in_no_matchable_text(imported: Flask) -> None:
    handed_over = documents()
    solved = [row for row in entries() if row.get("extra", {}).get("solved_by")]
    assert solved
    for row in solved:
        told = repr(handed_over[row["id"]])
        for name in re.split(r"[+、]", row["extra"]["solved_by"]):
            assert name.strip() not in told, row["id"]
    withheld = 0
    for entity in KINDS.values():
        for source_id, stretches in db.session.execute(select(entity.source_id, entity.withheld)):
            document = handed_over[source_id]
            text = "\n".join((document.title, *(text for _name, text in document.sections)))
            for stretch in stretches:
                withheld += 1
                assert stretch not in text, source_id
    assert withheld > 0
