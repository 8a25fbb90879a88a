"""Favourites and saved searches: one's own, once, and politely silent about what is gone."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select, update

from marketplace.capabilities import services as capability_services
from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import defer
from marketplace.notifications.composing import spoken
from marketplace.notifications.models import Letter
from marketplace.search import queries, services, sweeps
from marketplace.search.asked import Asked
from marketplace.search.models import Favourite, Frequency, SavedSearch
from marketplace.search.presenters import scopes
from tests.integration.search.conftest import Post
from tests.integration.search.test_index import _do
from tests.integration.support import client_of, count_of, footprint, somebody


def test_a_favourite_is_kept_listed_let_go_and_gone_with_the_thing(
    app: Flask, owner: Actor, post: Post
) -> None:
    shaft, cover = post("旋锻空心电机轴"), post("壳体压铸件")
    person, other = client_of(app, somebody()), client_of(app, somebody())
    assert "收藏" not in app.test_client().get("/search?q=旋锻").text
    page = person.get("/search?q=旋锻").text
    assert "收藏" in page
    for thing in (shaft, cover, shaft):
        kept = person.post(
            "/workbench/favourites",
            data={"kind": "capability", "subject_id": thing.id, "next": "/search?q=x"},
        )
        assert kept.location == "/search?q=x"
    own = person.get("/workbench/favourites").text
    assert re.findall(r'capabilities/NL[^"]*">([^<]*)', own) == ["壳体压铸件", "旋锻空心电机轴"]
    assert "还没有收藏" in other.get("/workbench/favourites").text
    assert "取消收藏" in person.get(f"/capabilities/{shaft.public_no}").text
    assert "取消收藏" not in other.get(f"/capabilities/{shaft.public_no}").text
    with transaction():
        gone = db.session.get_one(Capability, cover.id)
        capability_services.withdraw(gone, reason="产线停产，不再提供", by=owner, now=clock.now())
    own = person.get("/workbench/favourites").text
    assert "有 1 项收藏已不再公开" in own
    assert "壳体压铸件" not in own
    person.post("/workbench/favourites/forget")
    assert "不再公开" not in person.get("/workbench/favourites").text
    person.post("/workbench/favourites", data={"kind": "capability", "subject_id": shaft.id, "act": "drop"})
    assert count_of(Favourite) == 0
    before = footprint()
    for data in (
        {"kind": "capability", "subject_id": cover.id},
        {"kind": "capability", "subject_id": 10**17},
        {"kind": "capability", "subject_id": "x"},
        {"kind": "user", "subject_id": 1},
        {},
    ):
        assert person.post("/workbench/favourites", data=data).status_code == 404
    assert footprint() == before


def a_saved_search(by: Actor, asked: dict[str, str], frequency: Frequency) -> int:
    with transaction():
        return services.save_search(
            f"检索 {frequency}", Asked.from_args(asked, scopes()), frequency, by=by, now=clock.now()
        ).id


def letters() -> list[str]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Letter.body).where(Letter.kind == services.LETTER).order_by(Letter.id))
    )


def test_each_new_hit_is_written_about_once(app: Flask, owner: Actor, post: Post) -> None:
    person = somebody()
    old = post("旋锻旧轴")
    at_once = a_saved_search(person, {"q": "旋锻", "scope": "capability"}, Frequency.AT_ONCE)
    daily = a_saved_search(person, {"q": "旋锻", "trl": "7-9"}, Frequency.DAILY)
    a_saved_search(person, {"q": "旋锻"}, Frequency.NEVER)
    sweeps.sweep()
    assert _do("search.write_letters") == 0
    post("旋锻新轴")
    post("壳体压铸件")
    sweeps.sweep()
    sweeps.sweep()
    assert _do("search.write_letters") == 1
    assert len(letters()) == 1
    with force_locale("en"):
        said = spoken(db.session.scalars(select(Letter).where(Letter.kind == services.LETTER)).one())
    assert said.subject.startswith("1 new results for the search")
    assert said.body.startswith("旋锻新轴 (渝州精密机械有限公司)\n\nIf you no longer want these")
    assert "旋锻新轴（渝州精密机械有限公司）" in letters()[0]
    assert "旧轴" not in letters()[0]
    # The same work again, as a queue may bring it, and the overlap of looking back: nothing is told twice.
    news = services.look_for_news(at_once, now=clock.now())
    assert news is not None
    assert news.hits == ()
    with transaction():
        defer("search.write_letters", subject_id=at_once)
    assert _do("search.write_letters") == 1
    with transaction():
        thing = db.session.get_one(Capability, old.id)
        capability_services.withdraw(thing, reason="产线停产，不再提供", by=owner, now=clock.now())
    sweeps.sweep()
    _do("search.write_letters")
    assert len(letters()) == 1
    # The daily one has its hour; what it has found by then it tells in one letter.
    with transaction():
        db.session.execute(update(SavedSearch).where(SavedSearch.id == daily).values(next_at=clock.now()))
    sweeps.sweep()
    assert _do("search.write_letters") == 1
    assert len(letters()) == 2
    saved = db.session.get_one(SavedSearch, daily)
    assert saved.next_at is not None
    assert saved.next_at > clock.now()


def test_of_two_that_look_at_the_same_moment_one_writes(app: Flask, owner: Actor, post: Post) -> None:
    person = somebody()
    saved_id = a_saved_search(person, {"q": "旋锻"}, Frequency.AT_ONCE)
    post("旋锻新轴")
    now = clock.now()
    first, second = services.look_for_news(saved_id, now=now), services.look_for_news(saved_id, now=now)
    assert first is not None
    assert second is not None
    told = []
    for news in (first, second):
        db.session.rollback()
        with transaction():
            told.append(services.tell(news, looked_at=now, now=now))
    assert told == [True, False]
    assert len(letters()) == 1
    client = client_of(app, person)
    client.post(f"/workbench/searches/{saved_id}/frequency", data={"frequency": "never"})
    assert services.look_for_news(saved_id, now=clock.now()) is None


def test_searches_are_saved_changed_and_deleted_by_their_owner_alone(app: Flask) -> None:
    actor = somebody()
    person, other = client_of(app, actor), client_of(app, somebody())
    url = "/workbench/searches/new?q=旋锻&cluster=A1&scope=need"
    assert 'value="旋锻"' in person.get(url).text
    assert person.post(url, data={"name": "旋锻", "frequency": "daily"}).status_code == 302
    page = person.get("/workbench/searches").text
    assert "“旋锻”，供需清单，" in page
    saved = db.session.scalars(select(SavedSearch)).one()
    assert person.get(f"/workbench/searches/{saved.id}").location == (
        "/search?q=%E6%97%8B%E9%94%BB&scope=need&cluster=A1&sort=new"
    )
    for path in ("frequency", "delete"):
        data = {"frequency": "weekly"}
        assert other.post(f"/workbench/searches/{saved.id}/{path}", data=data).status_code == 404
        assert person.post(f"/workbench/searches/{10**9}/{path}", data=data).status_code == 404
    assert other.get(f"/workbench/searches/{saved.id}").status_code == 404
    for data, said in (
        ({"name": "", "frequency": "daily"}, "请填写“名称”"),
        ({"name": "旋锻", "frequency": "daily"}, "已有同名的检索"),
        ({"name": "长" * 61, "frequency": "daily"}, "60"),
        ({"name": "甲", "frequency": "hourly"}, "提醒"),
        ({"name": "甲"}, "提醒"),
    ):
        refused = person.post(url, data=data)
        assert refused.status_code == 422, data
        assert said in refused.text, data
    empty = person.post("/workbench/searches/new", data={"name": "乙", "frequency": "daily"})
    assert empty.status_code == 422
    assert "请先填写关键词或选择条件" in empty.text
    for number in range(services.MOST_SAVED - 1):
        assert person.post(url, data={"name": f"第{number}个", "frequency": "never"}).status_code == 302
    full = person.post(url, data={"name": "再一个", "frequency": "never"})
    assert f"最多保存 {services.MOST_SAVED} 个检索" in full.text
    assert len(queries.list_saved(actor.user_id or 0)) == services.MOST_SAVED
    person.post(f"/workbench/searches/{saved.id}/delete")
    assert len(queries.list_saved(actor.user_id or 0)) == services.MOST_SAVED - 1


@pytest.mark.parametrize(
    ("frequency", "day"), [(Frequency.DAILY, "2026-11-24"), (Frequency.WEEKLY, "2026-11-30")]
)
def test_letters_come_in_the_morning(frequency: Frequency, day: str) -> None:
    monday_evening = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    at: Any = services.next_letter(frequency, now=monday_evening)
    assert at.isoformat() == f"{day}T08:00:00+08:00"
    assert services.next_letter(Frequency.AT_ONCE, now=monday_evening) is None
    assert at - monday_evening > timedelta(hours=1)
