"""Weights from before they had versions are taken over, on both databases, there and back."""

import json
import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask_migrate import downgrade, upgrade

from marketplace.kernel.db import db
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from tests.conftest import Database, build_app
from tests.services import postgresql

_AT = "2026-11-01 08:00:00"


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Database("sqlite", f"sqlite:///{tmp_path / 'm.sqlite3'}", tmp_path)
        return
    address = request.getfixturevalue("postgres_address")
    name = f"jb_settings_{os.environ.get('PYTEST_XDIST_WORKER', 'only')}_{os.getpid()}"
    with postgresql.database(address, name) as url:
        yield Database("postgres", url, tmp_path)


def rows(url: str, statement: str) -> list[dict]:
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            found = connection.execute(sa.text(statement))
            return [dict(row) for row in found.mappings()] if found.returns_rows else []
    finally:
        engine.dispose()


def test_sets_of_before_are_accepted_versions_and_runs_know_when_they_were_ranked(empty):
    app = build_app(empty.settings())
    weights = json.dumps(DEFAULT_WEIGHTS.to_dict()).replace(":", r"\:")
    with app.app_context():
        upgrade(revision="0001")
        for id in (1, 2):
            rows(
                empty.url,
                "insert into weight_set (id, weights, author_name, reason, accepted_at) values "
                f"({id}, '{weights}', 'platform', 'x', '{_AT}')",
            )
        rows(
            empty.url,
            "insert into corpus_epoch (id, built_at, corpus_change, documents, engine_version,"
            f" language_version, folder, sha256) values (1, '{_AT}', 3, 4, '1', '1', 'epoch-3', 'a')",
        )
        rows(
            empty.url,
            "insert into match_document (id, kind, posting_id, version, content, sha256, entered_change,"
            f" created_at) values (1, 'need', 7, 1, '{{}}', 'b', 1, '{_AT}')",
        )
        rows(
            empty.url,
            "insert into match_run (id, public_no, seeker_kind, seeker_id, seeker_version, epoch_id,"
            " weight_set_id, engine_version, document_id, corpus_change, input_sha256, output_sha256,"
            " candidates, eligible, excluded, started_at, finished_at) values (1, 'MR-1', 'need', 7, 1, 1, 2,"
            f" '1', 1, 5, 'c', 'd', 4, 4, '{{}}', '{_AT}', '{_AT}')",
        )
        rows(
            empty.url,
            "insert into match_entry (id, run_id, place, capability_id, capability_version, organisation_id,"
            " score, parts, reasons) values (1, 1, 1, 9, 1, 2, 1.0, '{}', '{}')",
        )
        upgrade(revision="0002")
        sets = rows(empty.url, "select version, digest, status, author_id from weight_set order by id")
        assert sets == [
            {"version": version, "digest": DEFAULT_WEIGHTS.digest(), "status": "accepted", "author_id": None}
            for version in (DEFAULT_WEIGHTS.version, f"{DEFAULT_WEIGHTS.version}-2")
        ]
        run = rows(empty.url, "select ranked_change, ranked_at = started_at as begun from match_run")[0]
        assert (run["ranked_change"], bool(run["begun"])) == (5, True)
        assert rows(empty.url, "select sha256 from match_entry") == [{"sha256": ""}]
        with pytest.raises(sa.exc.IntegrityError):
            rows(empty.url, "update weight_set set status = 'proposed' where id = 1")
        rows(
            empty.url,
            "update weight_set set status = 'proposed', accepted_at = null where id = 1",
        )
        downgrade(revision="0001")
        assert rows(empty.url, "select id, author_name from weight_set") == [
            {"id": 2, "author_name": "platform"}
        ]
        upgrade()
        assert rows(empty.url, "select version from weight_set")[0]["version"] == DEFAULT_WEIGHTS.version
        db.session.remove()
        db.engine.dispose()
