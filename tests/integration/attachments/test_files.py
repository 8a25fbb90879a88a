"""Files from the form to the disk and back: who may, what is refused, what is left behind."""

import hashlib
import io
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, stream_encode_multipart

from marketplace.attachments import queries, store, sweeps
from marketplace.attachments.models import Attachment
from marketplace.audit.models import AuditEvent
from marketplace.challenges import queries as challenge_queries
from marketplace.challenges import services as challenges
from marketplace.challenges.kinds import Publicity
from marketplace.challenges.models import Challenge
from marketplace.identity.models import AttemptWindow
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, transaction, writing
from marketplace.needs import services as needs
from tests import factories
from tests.corpus.files import CASES, TAKEN, docx, image, pdf
from tests.integration.support import (
    a_need,
    an_auditor,
    an_editor,
    an_operator,
    audit_types,
    client_of,
    count_of,
    footprint,
)


def files_on_disk() -> int:
    return sum(len(found) for _, _, found in os.walk(store.folder()))


def state() -> tuple[int, int]:
    return count_of(Attachment), files_on_disk()


def upload(client: FlaskClient, url: str, *files: tuple[bytes, str]) -> TestResponse:
    chosen = MultiDict(("files", FileStorage(io.BytesIO(content), name)) for content, name in files)
    # In memory: what the test client spools to the disk for large bodies it does not close.
    stream, _length, boundary = stream_encode_multipart(chosen, use_tempfile=False)
    return client.post(url, data=stream.read(), content_type=f'multipart/form-data; boundary="{boundary}"')


def url_for_need(need: object) -> str:
    return f"/attachments/need/{need.id}/drawing"  # type: ignore[attr-defined]


def forget_attempts() -> None:
    with transaction():
        db.session.execute(AttemptWindow.__table__.delete())


def keys_for(kind: str, owner_id: int) -> list[str]:
    rows = select(Attachment.key).where(Attachment.owner_kind == kind, Attachment.owner_id == owner_id)
    return list(db.session.scalars(rows.order_by(Attachment.id)))


@pytest.fixture
def editor(app: Flask) -> Actor:
    return an_editor()


def test_every_file_of_the_corpus_is_taken_whole_or_leaves_nothing(app: Flask, editor: Actor) -> None:
    client = client_of(app, editor)
    need = a_need(editor)
    url, whole = url_for_need(need), footprint()
    before = state()
    for case in CASES:
        forget_attempts()
        response = upload(client, url, (case.content, case.name))
        if case.status == TAKEN:
            assert response.status_code == 302, case.id
            (attachment,) = db.session.scalars(select(Attachment)).all()
            assert files_on_disk() == before[1] + 1
            assert client.post(f"/attachments/{attachment.key}/remove").status_code == 302
            assert files_on_disk() == before[1], case.id
            continue
        assert response.status_code == case.status, case.id
        assert case.says in response.text, case.id
        assert state() == before, case.id
    taken = sum(case.status == TAKEN for case in CASES)
    # Nothing but the trail of what was taken in and removed again.
    assert footprint() == {**whole, "audit_event": whole["audit_event"] + 2 * taken}


def test_a_file_comes_back_as_it_went_in_and_runs_nowhere(app: Flask, editor: Actor) -> None:
    need, content = a_need(editor), docx()
    assert upload(client_of(app, editor), url_for_need(need), (content, "技术 协议.docx")).status_code == 302
    (key,) = keys_for("need", need.id)
    path = store.path_of(key)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    assert Path(app.config["INSTANCE_DIR"]) in path.parents
    visitor = app.test_client()
    assert f"/files/{key}" in visitor.get(f"/needs/{need.public_no}").text
    response = visitor.get(f"/files/{key}", buffered=True)
    assert response.data == content
    headers = response.headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert "filename*=UTF-8''%E6%8A%80%E6%9C%AF%20%E5%8D%8F%E8%AE%AE.docx" in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert "Accept-Ranges" not in headers
    assert (
        visitor.get(f"/files/{key}", buffered=True, headers={"If-None-Match": headers["ETag"]}).status_code
        == 304
    )


def test_a_draft_has_files_for_its_own_people_alone(app: Flask, editor: Actor) -> None:
    need = a_need(editor, published=False)
    upload(client_of(app, editor), url_for_need(need), (pdf(), "图纸.pdf"))
    (key,) = keys_for("need", need.id)
    missing = "0" * 32
    for actor in (an_editor(), an_operator(), an_auditor()):
        client = client_of(app, actor)
        denied, absent = (
            client.get(f"/files/{key}", buffered=True),
            client.get(f"/files/{missing}", buffered=True),
        )
        assert denied.status_code == absent.status_code == 404
        for url in (f"/attachments/need/{need.id}/drawing", "/attachments/need/999999/drawing"):
            assert client.get(url).status_code == upload(client, url, (pdf(), "x.pdf")).status_code == 404
        assert client.post(f"/attachments/{key}/remove").status_code == 404
        assert client.post(f"/attachments/{missing}/remove").status_code == 404
    response = client_of(app, editor).get(f"/files/{key}", buffered=True)
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in response.headers
    assert app.test_client().get(f"/files/{key}", buffered=True).status_code == 404
    assert keys_for("need", need.id) == [key]


def test_the_files_of_an_annex_are_the_owners_and_every_taking_is_on_record(app: Flask) -> None:
    leader = factories.a_leader()
    challenge = factories.a_challenge(leader, "draft")
    own = client_of(app, leader)
    url = f"/attachments/challenge/{challenge.id}/annex"
    assert upload(own, url, (pdf(), "机密图号7788.pdf")).status_code == 302
    assert db.session.get_one(Challenge, challenge.id).publicity is Publicity.PARTIAL
    (key,) = keys_for("challenge", challenge.id)
    assert own.get(f"/files/{key}", buffered=True).mimetype == "text/html"
    assert own.post(f"/files/{key}", buffered=True).data == pdf()
    attachment = db.session.scalar(select(Attachment).where(Attachment.key == key))
    assert attachment is not None
    assert audit_types("attachment", attachment.id) == ["attachment.attach", "attachment.download"]
    trail = list(db.session.scalars(select(AuditEvent)))
    assert not any("7788" in f"{row.subject_label}{row.detail}" for row in trail)
    assert not any(attachment.sha256 in str(row.detail) for row in trail)
    for actor in (an_operator(), an_auditor(), factories.a_leader()):
        client = client_of(app, actor)
        for response in (
            client.get(f"/files/{key}", buffered=True),
            client.post(f"/files/{key}", buffered=True),
            client.get(url),
        ):
            assert response.status_code == 404
            assert "7788" not in response.text
    assert own.post(f"/attachments/{key}/remove").status_code == 302
    assert db.session.get_one(Challenge, challenge.id).publicity is Publicity.PUBLIC


def test_a_published_challenge_keeps_the_files_that_were_checked(app: Flask) -> None:
    leader = factories.a_leader()
    operator = an_operator()
    challenge = factories.a_challenge(leader, "draft")
    own, url = client_of(app, leader), f"/attachments/challenge/{challenge.id}/public"
    upload(own, url, (pdf(), "现状.pdf"))
    (key,) = keys_for("challenge", challenge.id)
    assert app.test_client().get(f"/files/{key}", buffered=True).status_code == 404
    now = clock.now()
    with transaction():
        row = challenge_queries.get_own(challenge.public_no, viewer=leader)
        challenges.submit(row, by=leader, now=now)
        challenges.approve(row, by=operator, now=now)
    assert app.test_client().get(f"/files/{key}", buffered=True).data == pdf()
    assert upload(own, url, (pdf(), "新.pdf")).status_code == 404
    assert own.post(f"/attachments/{key}/remove").status_code == 404
    assert "现状.pdf" in app.test_client().get(f"/challenges/{challenge.public_no}").text


def test_one_unfit_file_keeps_all_out_and_each_is_named(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    client = client_of(app, editor)
    before = state()
    response = upload(client, url_for_need(need), (pdf(), "好.pdf"), (b"MZ" * 500, "坏.pdf"), (b"", "空.png"))
    assert response.status_code == 415
    assert "坏.pdf" in response.text
    assert "空.png" in response.text
    assert "好.pdf" not in response.text
    assert upload(client, url_for_need(need)).status_code == 422
    assert state()[1] == before[1]
    assert keys_for("need", need.id) == []


def test_the_numbers_of_files_of_attempts_and_of_bytes_are_bounded(
    app: Flask, editor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = a_need(editor)
    client, url = client_of(app, editor), url_for_need(need)
    ten = [(image("PNG"), f"{n}.png") for n in range(10)]
    assert upload(client, url, *ten).status_code == 302
    full = upload(client, url, (pdf(), "多.pdf"))
    assert full.status_code == 422
    assert "最多保存 10 个文件" in full.text
    forget_attempts()
    monkeypatch.setitem(app.config, "FILE_QUOTA_MB", 0)
    other = a_need(editor)
    over = upload(client, url_for_need(other), (pdf(), "超.pdf"))
    assert over.status_code == 422
    assert "文件空间共 0 MB" in over.text
    for _ in range(3):
        upload(client, url_for_need(other), *ten)
    assert upload(client, url_for_need(other), (pdf(), "频.pdf")).status_code == 429
    assert files_on_disk() == 10


def test_a_request_has_room_for_files_only_where_files_are_taken(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    big = b"x" * (2 * 1024 * 1024)
    client = client_of(app, editor)
    assert upload(client, f"/needs/{need.public_no}/withdraw", (big, "x.pdf")).status_code == 413
    assert upload(client, url_for_need(need), (big, "x.pdf")).status_code == 415
    # Nobody who is not signed in makes the server read more than any other page.
    assert upload(app.test_client(), url_for_need(need), (big, "x.pdf")).status_code in (302, 413)
    whole = upload(client, url_for_need(need), (b"x" * (52 * 1024 * 1024), "x.pdf"))
    assert whole.status_code == 413
    assert "51 MB" in whole.text


def test_what_a_crash_leaves_is_swept_and_what_is_young_is_not(
    app: Flask, editor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    need, gone = a_need(editor), a_need(editor)
    client = client_of(app, editor)
    upload(client, url_for_need(need), (pdf(), "留.pdf"))
    upload(client, url_for_need(gone), (pdf(), "去.pdf"))
    orphan = store.write(io.BytesIO(b"nobody's")).key
    half = store.path_of(orphan).with_suffix(".part")
    half.write_bytes(b"ha")
    now = clock.now()
    assert (sweeps.sweep_rows(now=now), sweeps.sweep_files(now=now)) == (0, 0)
    with writing():
        db.session.rollback()
        db.session.execute(update(Attachment).where(Attachment.owner_id == gone.id).values(owner_id=10**9))
        db.session.commit()
    later = now + timedelta(hours=2)
    assert sweeps.sweep_files(now=later) == 2
    assert sweeps.sweep_rows(now=later) == 1
    assert sweeps.sweep_files(now=later) == 1
    assert files_on_disk() == 1
    assert len(keys_for("need", need.id)) == 1


def test_a_missing_or_changed_file_is_found_and_honestly_said(
    app: Flask, editor: Actor, client: FlaskClient
) -> None:
    need = a_need(editor)
    upload(client_of(app, editor), url_for_need(need), (pdf(), "一.pdf"), (pdf(b"% 2\n"), "二.pdf"))
    one, two = keys_for("need", need.id)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["files", "check", "--whole"]).exit_code == 0
    changed = bytearray(store.path_of(two).read_bytes())
    changed[20] ^= 1
    store.path_of(two).write_bytes(changed)
    assert queries.list_faults(whole=False) == []
    assert [(f.key, f.problem) for f in queries.list_faults(whole=True)] == [(two, "hash")]
    store.delete(one)
    assert one in runner.invoke(args=["files", "check"]).output
    assert "files are missing or damaged" in runner.invoke(args=["doctor"]).output
    response = client.get(f"/files/{one}", buffered=True)
    assert response.status_code == 410
    assert "一.pdf" in response.text


def test_a_failure_while_storing_leaves_neither_row_nor_file(
    app: Flask, editor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = a_need(editor)
    client = client_of(app, editor)
    before = files_on_disk()

    def fails(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr("marketplace.attachments.services.record", fails)
        with pytest.raises(RuntimeError):
            upload(client, url_for_need(need), (pdf(), "一.pdf"))
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fails)
        with pytest.raises(RuntimeError):
            upload(client, url_for_need(need), (pdf(), "一.pdf"))
    db.session.rollback()
    assert files_on_disk() == before
    assert keys_for("need", need.id) == []


def test_a_withdrawn_need_keeps_its_files_and_takes_no_more(app: Flask, editor: Actor) -> None:
    need = a_need(editor)
    client = client_of(app, editor)
    upload(client, url_for_need(need), (pdf(), "一.pdf"))
    with transaction():
        needs.withdraw(db.session.get_one(type(need), need.id), reason="已采购", by=editor, now=clock.now())
    assert upload(client, url_for_need(need), (pdf(), "二.pdf")).status_code == 404
    page = client.get(f"/needs/{need.public_no}").text
    assert "一.pdf" in page
    assert not re.search(r'type="file"', page)


def test_the_form_works_without_scripts_and_names_its_limits(
    app: Flask, editor: Actor, as_user: Callable[[Actor], FlaskClient]
) -> None:
    need = a_need(editor)
    page = as_user(editor).get(url_for_need(need)).text
    assert 'enctype="multipart/form-data"' in page
    assert 'name="csrf_token"' in page
    assert "20 MB" in page
    assert "pdf、docx、xlsx、png、jpg、zip" in page
