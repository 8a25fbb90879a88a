"""`flask doctor` and `flask invariants` on both databases."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from marketplace.audit.models import AuditEvent
from marketplace.audit.services import record
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow, defer
from tests.services.valkey import QueueServer

MakeApp = Callable[..., Flask]


def invariants(app: Flask) -> tuple[int, dict[str, list[str]]]:
    result = app.test_cli_runner().invoke(args=["invariants", "--json"])
    checks = json.loads(result.output)["checks"]
    return result.exit_code, {check["name"]: check["violations"] for check in checks}


def test_an_empty_marketplace_breaks_no_invariant(app: Flask) -> None:
    code, violations = invariants(app)
    assert code == 0
    assert {"work.overdue", "audit.chain", "lifecycle.status"} <= violations.keys()
    assert not any(violations.values())


def test_overdue_work_is_a_violation(app: Flask) -> None:
    with transaction():
        defer("test.note", subject_id=7, due_at=clock.now() - timedelta(seconds=181))
        defer("test.note", subject_id=8, due_at=clock.now() - timedelta(seconds=100))
    code, violations = invariants(app)
    assert code == 1
    [found] = violations["work.overdue"]
    assert "subject 7" in found


def test_dead_work_is_an_operators_matter_and_no_violation(app: Flask) -> None:
    with transaction() as session:
        defer("test.note", due_at=clock.now() - timedelta(seconds=181))
        session.flush()
        session.execute(update(OutboxRow).values(dead_at=clock.now()))
    assert invariants(app)[0] == 0


def test_a_changed_audit_row_is_a_violation(app: Flask) -> None:
    with transaction():
        record("test.act", "test", 1, by=SYSTEM, at=clock.now(), reason="as it was")
    assert invariants(app)[0] == 0
    with transaction() as session:
        session.execute(update(AuditEvent).values(reason="as somebody would like it"))
    code, violations = invariants(app)
    assert code == 1
    assert violations["audit.chain"]


@pytest.mark.parametrize("planted", ["no row at all", "a row that no action explains"])
def test_a_status_without_its_audited_way_is_a_violation(app: Flask, planted: str) -> None:
    from marketplace.organisations.models import Organisation

    with transaction() as session:
        organisation = Organisation(
            name="无迹可寻精密", kind="enterprise", status="draft", created_at=clock.now()
        )
        session.add(organisation)
        session.flush()
        record(
            "organisation.create",
            "organisation",
            organisation.id,
            by=SYSTEM,
            at=clock.now(),
            to_status="draft" if planted == "no row at all" else "verified",
        )
    db.session.expire_all()
    with transaction() as session:
        session.execute(update(Organisation).values(status="verified"))
    code, violations = invariants(app)
    assert code == 1
    assert f"organisation #{organisation.id}" in violations["lifecycle.status"][0]


def test_the_doctor_finds_a_fit_installation_fit(make_app: MakeApp, queue_server: QueueServer) -> None:
    result = make_app(redis_url=queue_server.url).test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 0, result.output
    assert "noeviction" in result.output
    assert "migrated" in result.output


def test_the_doctor_refuses_a_queue_that_evicts(make_app: MakeApp, queue_server: QueueServer) -> None:
    queue_server.connect().config_set("maxmemory-policy", "allkeys-lru")
    result = make_app(redis_url=queue_server.url).test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 1
    assert "allkeys-lru" in result.output


def test_the_doctor_names_what_cannot_be_reached(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(
        redis_url=f"unix://{tmp_path}/nobody.sock",
        database_url="postgresql+psycopg://nobody:secret@127.0.0.1:1/nothing",
    )
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 1
    assert "queue server cannot be reached" in result.output
    assert "cannot be reached" in result.output
    assert "secret" not in result.output


def test_the_doctor_tells_an_unmigrated_database(app: Flask) -> None:
    from sqlalchemy import text

    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        result = app.test_cli_runner().invoke(args=["doctor"])
        assert result.exit_code == 1
        assert "flask db upgrade" in result.output
    finally:
        from marketplace.operations.doctor import newest_revisions

        with transaction() as session:
            [head] = newest_revisions()
            session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
