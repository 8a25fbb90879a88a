"""A database of the release before comes up to this code with everything that it holds."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WHEN = "2026-11-01 00:00:00.000000"
WRITTEN = {
    "weight_set": {"weights": "{}", "author_name": "platform", "reason": "r", "accepted_at": WHEN},
    "corpus_epoch": {
        "built_at": WHEN, "corpus_change": 1, "documents": 1, "engine_version": "1", "language_version": "1",
        "folder": "epoch-1", "sha256": "0" * 64,
    },
    "match_document": {
        "kind": "need", "posting_id": 1, "version": 1, "content": "{}", "sha256": "0" * 64,
        "entered_change": 1, "created_at": WHEN,
    },
    "match_run": {
        "public_no": "MR-2026-000001", "seeker_kind": "need", "seeker_id": 1, "seeker_version": 1,
        "epoch_id": 1, "weight_set_id": 1, "engine_version": "1", "document_id": 1, "corpus_change": 1,
        "input_sha256": "0" * 64, "output_sha256": "0" * 64, "candidates": 1, "eligible": 1, "excluded": "{}",
        "started_at": WHEN, "finished_at": WHEN,
    },
    "match_entry": {
        "run_id": 1, "place": 1, "capability_id": 2, "capability_version": 1, "organisation_id": 1,
        "score": 1.0, "parts": "{}", "reasons": "{}",
    },
    "match_change": {
        "run_id": 1, "capability_id": 2, "capability_version": 1, "corpus_change": 1, "place_after": 1,
        "cause": "placed", "at": WHEN,
    },
}  # fmt: skip


def _flask(folder, *arguments):
    environment = os.environ | {"INSTANCE_DIR": str(folder), "FLASK_APP": "wsgi", "PYTHONPATH": str(ROOT)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "flask", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)


def test_shortlists_of_the_first_release_survive_the_upgrade(tmp_path):
    _flask(tmp_path, "db", "upgrade", "0001")
    (path,) = tmp_path.glob("*.sqlite3")
    with sqlite3.connect(path) as database:
        for table, row in WRITTEN.items():
            places = ", ".join("?" for _ in row)
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", list(row.values()))
    database.close()
    _flask(tmp_path, "db", "upgrade")
    database = sqlite3.connect(path)
    for table in WRITTEN:
        assert database.execute(f"SELECT count(*) FROM {table} WHERE id = 1").fetchone() == (1,), table
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()
