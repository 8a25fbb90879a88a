"""通知公告: drafted, published, pinned, withdrawn by operators; read by everybody."""

from flask import Flask
from sqlalchemy import select

from marketplace.announcements.models import Announcement
from marketplace.kernel.db import db
from tests.integration.support import an_auditor, an_editor, an_operator, audit_types, client_of, footprint

TYPED = {
    "version": "0",
    "title": "关于征集需求的通知",
    "category": "notice",
    "body": "请各单位于月底前填报需求。",
}


def newest() -> Announcement:
    found = db.session.scalar(select(Announcement).order_by(Announcement.id.desc()))
    assert found is not None
    return found


def test_an_announcement_lives_its_whole_life(app: Flask) -> None:
    operator, visitor = client_of(app, an_operator()), app.test_client()
    assert "还没有公告" in operator.get("/workbench/announcements").text
    assert "没有公告" in visitor.get("/announcements").text
    assert operator.post("/workbench/announcements/new", data=TYPED).status_code == 302
    one = newest()
    page = f"/announcements/{one.id}"
    assert visitor.get(page).status_code == 404
    assert operator.post(f"{page}/pin").status_code == 409
    assert operator.post(f"{page}/publish").status_code == 302
    assert TYPED["body"] in visitor.get(page).text
    assert TYPED["title"] in visitor.get("/").text
    for url in ("/announcements", "/announcements?category=notice", "/announcements?q=征集"):
        assert TYPED["title"] in visitor.get(url).text
    for url in ("/announcements?category=policy", "/announcements?q=无此", "/announcements?category=%27"):
        assert visitor.get(url).status_code == 200
    assert TYPED["title"] not in visitor.get("/announcements?q=无此").text
    assert operator.post(f"{page}/pin").status_code == 302
    assert "置顶" in visitor.get("/announcements").text
    assert operator.post(f"{page}/withdraw", data={"reason": ""}).status_code == 422
    assert operator.post(f"{page}/withdraw", data={"reason": "另行通知"}).status_code == 302
    assert TYPED["title"] not in visitor.get("/announcements").text
    assert "另行通知" in visitor.get(page).text
    assert audit_types("announcement", one.id) == [
        f"announcement.{act}" for act in ("create", "publish", "pin", "withdraw")
    ]


def test_mistakes_are_named_and_what_was_typed_stays(app: Flask) -> None:
    operator = client_of(app, an_operator())
    before = footprint()
    refused = operator.post("/workbench/announcements/new", data={**TYPED, "title": "长" * 121})
    assert refused.status_code == 422
    assert "120" in refused.text
    assert TYPED["body"] in refused.text
    assert footprint() == before
    operator.post("/workbench/announcements/new", data={**TYPED, "body": "短"})
    one = newest()
    assert operator.post(f"/announcements/{one.id}/publish").status_code == 422
    edit = f"/workbench/announcements/{one.id}/edit"
    assert operator.post(edit, data={**TYPED, "version": "1"}).status_code == 302
    stale = operator.post(edit, data={**TYPED, "version": "1", "title": "第二个人写的标题"})
    assert stale.status_code == 409
    assert "第二个人写的标题" in stale.text
    assert newest().title == TYPED["title"]


def test_only_a_few_stand_above_the_others(app: Flask) -> None:
    operator = client_of(app, an_operator())
    for n in range(4):
        operator.post("/workbench/announcements/new", data={**TYPED, "title": f"第 {n} 条公告"})
        one = newest()
        operator.post(f"/announcements/{one.id}/publish")
        pinned = operator.post(f"/announcements/{one.id}/pin")
        assert pinned.status_code == (422 if n == 3 else 302)
    assert "最多置顶 3 条" in pinned.text


def test_nobody_else_writes_and_drafts_are_hidden(app: Flask) -> None:
    client_of(app, an_operator()).post("/workbench/announcements/new", data=TYPED)
    one = newest()
    page = f"/announcements/{one.id}"
    assert client_of(app, an_auditor()).get(page).status_code == 200
    editor = client_of(app, an_editor())
    before = footprint()
    assert editor.get(page).status_code == 404
    assert editor.get("/workbench/announcements").status_code == 403
    for client in (editor, client_of(app, an_auditor())):
        before = footprint()
        assert client.post("/workbench/announcements/new", data=TYPED).status_code == 403
        assert client.post(f"/workbench/announcements/{one.id}/edit", data=TYPED).status_code == 403
        assert client.post(f"{page}/publish").status_code == 403
        assert footprint() == before
