"""What becomes of postings after they were published: more time, renewal, take-down, versions."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from marketplace.capabilities import queries as capabilities
from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge, DeadlineChange
from marketplace.kernel import clock
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.db import db, transaction, writing
from marketplace.needs import queries as need_queries
from marketplace.needs import services as needs
from marketplace.needs.models import Need
from marketplace.notifications.models import Letter
from marketplace.postings import concerned, lapses
from marketplace.postings.models import LapseStage, PostingRevision
from tests import factories
from tests.integration.support import (
    a_capability,
    a_need,
    a_need_form,
    an_auditor,
    an_editor,
    an_operator,
    audit_types,
    client_of,
    footprint,
    today,
    work_for,
)

SECRET_FEN = 7_654_321


def letters_of(kind: str) -> list[int | None]:
    return list(db.session.scalars(select(Letter.user_id).where(Letter.kind == kind).order_by(Letter.id)))


def set_expiry(entity: type, posting_id: int, moment: object) -> None:
    """As if time had gone by."""
    with writing():
        db.session.rollback()
        db.session.execute(update(entity).where(entity.id == posting_id).values(expires_at=moment))  # type: ignore[attr-defined]
        db.session.commit()


def test_a_manager_moves_the_closing_day_and_everybody_reads_why(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader, follower = factories.a_leader(), an_editor()
    challenge = factories.a_challenge(leader)
    client, visitor = client_of(app, leader), app.test_client()
    monkeypatch.setitem(concerned._finders, "tests", lambda _kind, _id: [follower.user_id or 0])
    url = f"/workbench/challenges/{challenge.public_no}"
    assert client.get(f"{url}/deadline").status_code == 200
    first = last_business_day(db.session.get_one(Challenge, challenge.id).closes_at)  # type: ignore[arg-type]
    later = (first + timedelta(days=10)).isoformat()
    before = footprint()
    for data in (
        {"closes_on": later, "reason": ""},
        {"closes_on": "", "reason": "需要"},
        {"closes_on": "坏", "reason": "需要"},
        {"closes_on": first.isoformat(), "reason": "需要"},
        {"closes_on": "2199-01-01", "reason": "需要"},
    ):
        refused = client.post(f"{url}/extend", data=data)
        assert refused.status_code == 422, data
    assert "需要" in refused.text
    assert footprint() == before
    assert (
        client.post(f"{url}/extend", data={"closes_on": later, "reason": "多家单位要求"}).status_code == 302
    )
    page = visitor.get(f"/challenges/{challenge.public_no}").text
    assert "多家单位要求" in page
    assert later in page
    row = db.session.get_one(Challenge, challenge.id, populate_existing=True)
    assert row.version == challenge.version
    assert ("matching.rank_seeker", row.version) in work_for(challenge.id)
    assert set(letters_of("challenge.extend")) == {leader.user_id, follower.user_id}
    # Somebody is known to prepare: three days' notice is too short.
    soon = (today() + timedelta(days=7)).isoformat()
    hasty = (today() + timedelta(days=4)).isoformat()
    refused = client.post(f"{url}/close_early", data={"closes_on": hasty, "reason": "已有方案"})
    assert refused.status_code == 422
    assert soon in refused.text
    assert (
        client.post(f"{url}/close_early", data={"closes_on": soon, "reason": "已有方案"}).status_code == 302
    )
    assert db.session.scalar(select(DeadlineChange.reason).order_by(DeadlineChange.id.desc())) == "已有方案"
    assert audit_types("challenge", challenge.id)[-2:] == ["challenge.extend", "challenge.close_early"]


def test_the_closing_day_is_the_owners_managers_alone(app: Flask) -> None:
    leader = factories.a_leader()
    challenge = factories.a_challenge(leader)
    before = footprint()
    data = {"closes_on": (today() + timedelta(days=80)).isoformat(), "reason": "需要"}
    for actor, status in (
        (factories.a_leader(), 404),
        (factories.a_colleague_of(leader), 403),
        (an_operator(), 403),
    ):
        client = client_of(app, actor)
        before = footprint()
        assert client.get(f"/workbench/challenges/{challenge.public_no}/deadline").status_code == status
        for action in ("extend", "close_early"):
            url = f"/workbench/challenges/{challenge.public_no}/{action}"
            assert client.post(url, data=data).status_code == status
    assert footprint() == before


@pytest.mark.parametrize("kind", ["need", "capability"])
def test_what_lapses_is_told_in_time_and_renewed_by_one_click(app: Flask, kind: str) -> None:
    editor = an_editor()
    posting = a_need(editor) if kind == "need" else a_capability(editor)
    entity, path = (Need, "needs") if kind == "need" else (Capability, "capabilities")
    now, lapsing = clock.now(), lapses._kinds[kind]
    assert lapses.tell(lapsing, LapseStage.SOON, now=now) == 0
    set_expiry(entity, posting.id, now + timedelta(days=3))
    lapses.sweep()
    lapses.sweep()
    assert letters_of(f"{kind}.lapse_soon") == [editor.user_id]
    set_expiry(entity, posting.id, now - timedelta(hours=1))
    lapses.sweep()
    lapses.sweep()
    assert letters_of(f"{kind}.lapse_over") == [editor.user_id]
    client = client_of(app, editor)
    assert "已到期" in client.get(f"/{path}/{posting.public_no}").text
    if kind == "capability":
        assert ("matching.remove", 1) in work_for(posting.id)
        assert posting.id not in capabilities.list_versions(clock.now())
        assert posting.public_no not in client.get("/capabilities").text
    assert client_of(app, an_editor()).post(f"/{path}/{posting.public_no}/renew").status_code == 403
    assert client.post(f"/{path}/{posting.public_no}/renew").status_code == 302
    row = db.session.get_one(entity, posting.id, populate_existing=True)
    assert row.expires_at is not None
    assert row.expires_at > now + timedelta(days=80)
    assert row.version == 2
    work = "matching.rank_seeker" if kind == "need" else "matching.place_capability"
    assert (work, 2) in work_for(posting.id)
    assert "已到期" not in client.get(f"/{path}/{posting.public_no}").text


def test_a_renewal_says_what_has_to_be_mended_first(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor, delivery_on=None, valid_until=today() + timedelta(days=365))
    client = client_of(app, editor)
    refused = client.post(f"/needs/{need.public_no}/renew")
    assert refused.status_code == 422
    assert "365 天" in refused.text


@pytest.mark.parametrize("kind", ["need", "capability", "challenge"])
def test_what_is_taken_down_is_gone_for_the_public_and_can_come_back(app: Flask, kind: str) -> None:
    operator, auditor = an_operator(), an_auditor()
    owner = factories.a_leader() if kind == "challenge" else an_editor()
    make: dict[str, Callable[..., object]] = {
        "need": a_need,
        "capability": a_capability,
        "challenge": factories.a_challenge,
    }
    posting = make[kind](owner)
    number, title = posting.public_no, posting.title  # type: ignore[attr-defined]
    path = {"need": "needs", "capability": "capabilities", "challenge": "challenges"}[kind]
    page = f"/{path}/{number}"
    platform, own, visitor = client_of(app, operator), client_of(app, owner), app.test_client()
    stranger = client_of(app, an_editor())
    down = f"/review/challenges/{number}/take-down" if kind == "challenge" else f"{page}/take_down"
    assert platform.post(down, data={"reason": " "}).status_code == 422
    assert own.post(down, data={"reason": "x"}).status_code in (403, 409)
    assert platform.post(down, data={"reason": "含有不实内容"}).status_code == 302
    assert letters_of(f"{kind}.take_down") == [owner.user_id]
    for client in (visitor, stranger):
        gone = client.get(page)
        assert gone.status_code == 410
        assert "含有不实内容" in gone.text
        assert title not in gone.text
        assert client.get(f"/versions/{kind}/{number}").status_code == 404
        assert title not in client.get(f"/{path}").text
    for client in (own, platform, client_of(app, auditor)):
        assert title in client.get(page).text
    if kind == "challenge":
        assert own.get(f"/workbench/challenges/{number}/preview").status_code == 200
        version = db.session.get_one(Challenge, posting.id).version  # type: ignore[attr-defined]
        data = {"version": str(version), "appeal": "已删去不实内容"}
        assert own.post(f"/workbench/challenges/{number}/submit", data=data).status_code == 302
        assert "已删去不实内容" in platform.get(f"/review/challenges/{number}").text
        assert visitor.get(page).status_code == 410
        data = {"version": str(version + 1)}
        assert platform.post(f"/review/challenges/{number}/approve", data=data).status_code == 302
    else:
        assert own.post(f"{page}/appeal", data={"reason": ""}).status_code == 422
        assert own.post(f"{page}/appeal", data={"reason": "系误会"}).status_code == 302
        assert visitor.get(page).status_code == 410
        assert "系误会" in platform.get(f"/review/{path}").text
        assert platform.post(f"{page}/reject", data={"reason": "理由不足"}).status_code == 302
        assert own.post(f"{page}/appeal", data={"reason": "附上检测报告"}).status_code == 302
        assert own.post(f"{page}/restore").status_code == 403
        assert platform.post(f"{page}/restore").status_code == 302
        assert letters_of(f"{kind}.reject") == letters_of(f"{kind}.restore") == [owner.user_id]
    assert title in visitor.get(page).text
    version = 2
    work = "matching.place_capability" if kind == "capability" else "matching.rank_seeker"
    row = db.session.get_one(type(posting), posting.id, populate_existing=True)  # type: ignore[attr-defined]
    assert (work, row.version) in work_for(row.id)
    assert row.version >= version


def test_versions_are_kept_and_compared_by_whom_they_concern(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor, max_price_fen=SECRET_FEN, max_price_hidden=True)
    own = client_of(app, editor)
    changed = a_need_form(
        version="1", title="电机主轴管旋锻毛坯（改）", max_price="76543.21", max_price_hidden="y"
    )
    assert own.post(f"/workbench/needs/{need.public_no}/edit", data=changed).status_code == 302
    url = f"/versions/need/{need.public_no}"
    page = own.get(url).text
    assert "<ins>" in page
    assert "（改）" in page
    assert own.get(f"{url}?from=2&to=1&all=1").status_code == 200
    for client in (client_of(app, an_operator()), client_of(app, an_auditor())):
        assert "（改）" in client.get(url).text.split("差异", 1)[1]
    for client in (app.test_client(), client_of(app, an_editor())):
        public = client.get(url)
        assert public.status_code == 200
        assert "第 2 版" in public.text
        assert "<ins>" not in public.text
        assert editor.name not in public.text
    for query in ("from=9&to=x", "from=1&to=1", "from=%00"):
        assert own.get(f"{url}?{query}").status_code in (200, 400)
    assert app.test_client().get("/versions/organisation/1").status_code == 404
    stored = list(db.session.scalars(select(PostingRevision)))
    assert {one.number for one in stored} == {1, 2}
    assert all(str(SECRET_FEN) not in str(one.content) for one in stored)


def test_a_draft_is_no_business_of_others_and_old_postings_get_their_first_version_late(app: Flask) -> None:
    editor = an_editor()
    draft, need = a_need(editor, published=False), a_need(editor)
    assert client_of(app, an_operator()).get(f"/versions/need/{draft.public_no}").status_code == 404
    assert "第 1 版" in client_of(app, editor).get(f"/versions/need/{draft.public_no}").text
    with writing():
        db.session.rollback()
        db.session.execute(PostingRevision.__table__.delete())
        db.session.commit()
    assert "没有版本记录" in app.test_client().get(f"/versions/need/{need.public_no}").text
    with transaction():
        needs.renew(need_queries.get_own(need.public_no, actor=editor), by=editor, now=clock.now())
    page = app.test_client().get(f"/versions/need/{need.public_no}").text
    assert "第 1 版" in page
    assert "第 2 版" in page
