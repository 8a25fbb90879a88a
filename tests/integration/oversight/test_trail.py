"""The audit trail as the auditor reads it, and what it says when somebody has tampered with it."""

from flask import Flask
from sqlalchemy import text

from marketplace.kernel.db import db, transaction
from tests.integration.support import a_capability, an_auditor, an_editor, an_operator, client_of


def test_the_auditor_reads_the_trail_and_finds_it_whole(app: Flask) -> None:
    a_capability(an_editor())
    page = client_of(app, an_auditor()).get("/workbench/trail?check=1")
    assert page.status_code == 200
    assert "审计链完整" in page.text
    assert "能力成果" in page.text


def test_a_row_that_was_changed_afterwards_is_shown(app: Flask) -> None:
    a_capability(an_editor())
    auditor = an_auditor()
    with transaction():
        db.session.execute(text("update audit_event set reason = '改写' where seq = 1"))
    page = client_of(app, auditor).get("/workbench/trail?check=1").text
    assert "第 1 条（被改动）" in page
    assert "审计链完整" not in page


def test_without_being_asked_the_chain_is_not_judged(app: Flask) -> None:
    page = client_of(app, an_auditor()).get("/workbench/trail").text
    assert "审计链完整" not in page
    assert "核验全链" in page


def test_an_operator_does_not_learn_of_drafts_by_their_history(app: Flask) -> None:
    owner = an_editor()
    draft, public = a_capability(owner, published=False), a_capability(owner)
    operator = client_of(app, an_operator())
    missing = operator.get("/workbench/history/capability/999999")
    assert operator.get(f"/workbench/history/capability/{public.id}").status_code == 200
    hidden = operator.get(f"/workbench/history/capability/{draft.id}")
    assert (hidden.status_code, missing.status_code) == (404, 404)


def test_the_trail_names_a_draft_by_its_number_only(app: Flask) -> None:
    draft = a_capability(an_editor(), published=False, title="尚未公开的转子平衡工艺")
    page = client_of(app, an_auditor()).get("/workbench/trail").text
    assert draft.public_no in page
    assert "尚未公开的转子平衡工艺" not in page


def test_an_organisation_does_not_read_the_trail(app: Flask) -> None:
    assert client_of(app, an_editor()).get("/workbench/trail").status_code == 403
