"""The public lists of needs and capabilities: facets, chips, orders, pages and words, all in the URL."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from flask import Flask

from marketplace.audit.services import EVERYTHING, record
from marketplace.capabilities.kinds import CapabilityKind, Maturity
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability, CapabilityCluster, CapabilityParameter, Certificate
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge, ChallengeCluster, ChallengeIndicator
from marketplace.indicators.model import Comparator
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor
from marketplace.kernel.db import db, transaction
from marketplace.needs import services as need_services
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need, NeedCluster, NeedIndicator, NeedList
from tests.integration.support import (
    a_capability,
    a_leader,
    a_list,
    a_need,
    a_need_draft,
    an_editor,
    an_operator,
    an_organisation,
    client_of,
)


@dataclass(frozen=True)
class Hall:
    path: str
    post: Callable[..., Any]


HALLS = {"needs": Hall("/needs", a_need), "capabilities": Hall("/capabilities", a_capability)}


@pytest.fixture(params=list(HALLS))
def hall(request: pytest.FixtureRequest) -> Hall:
    return HALLS[request.param]


def titles(page: str) -> list[str]:
    return [unescape(t).strip() for t in re.findall(r"<h2>.*?<a href=\"[^\"]+\">(.*?)</a></h2>", page)]


def links(page: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]+)"', page)]


def test_an_empty_list_says_so_and_leads_on(app: Flask, hall: Hall) -> None:
    page = app.test_client().get(f"{hall.path}?q=没有这样的东西").text
    assert "没有符合条件" in page
    assert hall.path in links(page)


def test_choosing_a_cluster_narrows_shows_a_chip_and_can_be_undone(app: Flask, hall: Hall) -> None:
    editor = an_editor()
    hall.post(editor, title="属于汽车的条目", clusters=("A1",))
    hall.post(editor, title="属于装备的条目", clusters=("B1",))
    client = app.test_client()
    page = client.get(hall.path).text
    assert set(titles(page)) == {"属于汽车的条目", "属于装备的条目"}
    [chosen] = {link for link in links(page) if link == f"{hall.path}?cluster=A1"}
    page = client.get(chosen).text
    assert titles(page) == ["属于汽车的条目"]
    assert "智能网联新能源汽车" in page.split('class="chosen"', 1)[1].split("</div>", 1)[0]
    # Counts of the other choices are what choosing them instead would show.
    assert f"{hall.path}?cluster=B1" in links(page)
    assert hall.path in links(page)


def test_facets_are_combined_with_words_and_orders_and_all_is_kept_in_the_links(
    app: Flask, hall: Hall
) -> None:
    editor = an_editor()
    hall.post(editor, title="旋锻电机轴（渝北）", clusters=("A1",), region="500112")
    hall.post(editor, title="旋锻电机轴（成都）", clusters=("A1",), region="510100")
    hall.post(editor, title="压铸后地板（渝北）", clusters=("A1",), region="500112")
    client = app.test_client()
    page = client.get(f'{hall.path}?q="旋锻电机轴"&cluster=A1&region=500000').text
    assert titles(page) == ["旋锻电机轴（渝北）"]
    for link in links(page):
        if link.startswith(f"{hall.path}?") and "sort=" in link:
            for part in ("q=", "cluster=A1", "region=500000"):
                assert part in link
    for name in ("cluster", "region", "q"):
        assert any(
            link.startswith(hall.path) and f"{name}=" not in link and "=" in link for link in links(page)
        ), f"no way to take {name} back"


@pytest.mark.parametrize(
    "asked", ["电机轴", "電機軸", "旋锻 电机", "旋鍛　電機", "ＩＡＴＦ", "iatf", "20mncr5"]
)
def test_words_are_found_in_both_scripts_and_any_width(app: Flask, hall: Hall, asked: str) -> None:
    text = "用 20MnCr5 钢管旋锻成形，质量体系按 IATF 16949 运行，逐件打码追溯。"
    body, bare = (
        ({"specification": text}, {"qualification": "", "specification": text[::-1]})
        if hall.path == "/needs"
        else ({"summary": text}, {"summary": text[::-1], "certificates": ()})
    )
    hall.post(an_editor(), title="旋鍛空心電機軸", **body)
    hall.post(an_editor(), title="压铸后地板", keywords=(), **bare)
    page = app.test_client().get(hall.path, query_string={"q": asked}).text
    assert titles(page) == ["旋鍛空心電機軸"]


@pytest.mark.parametrize("asked", ["%", "_", "\\", "100%", "' or 1=1 --"])
def test_signs_of_patterns_are_but_letters(app: Flask, hall: Hall, asked: str) -> None:
    hall.post(an_editor(), title="旋锻空心电机轴")
    assert titles(app.test_client().get(hall.path, query_string={"q": asked}).text) == []


def test_an_organisation_is_found_by_its_name(app: Flask, hall: Hall) -> None:
    hall.post(an_editor(name="独一无二机械有限公司"), title="旋锻空心电机轴")
    assert titles(app.test_client().get(f"{hall.path}?q=独一无二").text) == ["旋锻空心电机轴"]


def test_pages_neither_repeat_nor_lose_and_keep_the_rest_of_the_url(app: Flask, hall: Hall) -> None:
    editor = an_editor()
    for n in range(23):
        hall.post(editor, title=f"第{n:02d}号电机轴")
    client = app.test_client()
    seen: list[str] = []
    for number in (1, 2, 3):
        page = client.get(f"{hall.path}?q=电机轴&page={number}").text
        seen += titles(page)
        others = [link for link in links(page) if "page=" in link]
        assert others
        assert all("q=" in link for link in others)
    assert len(seen) == len(set(seen)) == 23
    assert titles(client.get(f"{hall.path}?q=电机轴&page=99").text) == seen[20:]
    assert "<b>23</b>" in client.get(hall.path).text


def test_orders_are_kept(app: Flask) -> None:
    editor = an_editor()
    now = clock.now().date()
    a_need(editor, title="先到期的电机轴", valid_until=now + timedelta(days=5))
    a_need(editor, title="后到期的电机轴", valid_until=now + timedelta(days=50))
    client = app.test_client()
    assert titles(client.get("/needs").text)[0] == "后到期的电机轴"
    assert titles(client.get("/needs?sort=expiry").text)[0] == "先到期的电机轴"
    assert titles(client.get("/needs?sort=nonsense").text)[0] == "后到期的电机轴"
    a_capability(editor, title="成熟的电机轴", trl=9)
    a_capability(editor, title="未说明的电机轴", trl=None)
    assert titles(client.get("/capabilities?sort=trl").text) == ["成熟的电机轴", "未说明的电机轴"]


def test_nobodys_draft_is_listed_or_counted(app: Flask, hall: Hall) -> None:
    editor = an_editor()
    hall.post(editor, published=False, title="还是草稿的条目")
    for viewer in (editor, an_operator(), Actor()):
        page = client_of(app, viewer).get(f"{hall.path}?q=草稿").text
        assert titles(page) == []


# --- statements -------------------------------------------------------------------------------------------


def fill(owner: Actor, first: int, last: int) -> None:
    """Challenges, needs and capabilities of the owner and of others, written in bulk."""
    now = clock.now()
    others = [an_organisation() for _ in range(5)]
    with transaction():
        for n in range(first, last):
            organisation_id = owner.organisation_id if n % 2 else others[n % 5]
            common = {
                "organisation_id": organisation_id,
                "created_at": now,
                "updated_at": now,
                "published_at": now,
                "title": f"第 {n} 号空心电机轴",
                "region": "500112",
            }
            indicator = {"position": 0, "name": "跳动", "comparator": Comparator.LE, "value": Decimal(1)}
            need_list = NeedList(
                public_no=f"QD-1-{n}", organisation_id=organisation_id, title=f"第 {n} 张清单", created_at=now
            )
            db.session.add(need_list)
            db.session.flush()
            db.session.add_all(
                (
                    Need(
                        **common,
                        public_no=f"XQ-1-{n}",
                        need_list_id=need_list.id,
                        status=NeedStatus.PUBLISHED,
                        expires_at=now + timedelta(days=3),
                        indicators=[NeedIndicator(**indicator)],
                        clusters=[NeedCluster(code="A1")],
                    ),
                    Capability(
                        **common,
                        public_no=f"NL-1-{n}",
                        status=CapabilityStatus.PUBLISHED,
                        kind=CapabilityKind.PRODUCT,
                        maturity=Maturity.MASS,
                        parameters=[CapabilityParameter(**indicator)],
                        certificates=[Certificate(name="IATF 16949")],
                        clusters=[CapabilityCluster(code="A1")],
                    ),
                    Challenge(
                        **common,
                        public_no=f"JB-1-{n}",
                        status=ChallengeStatus.PUBLISHED,
                        closes_at=now + timedelta(days=3),
                        indicators=[ChallengeIndicator(**indicator)],
                        clusters=[ChallengeCluster(code="A1")],
                    ),
                )
            )
        record("test.fill", "test", None, by=SYSTEM, at=now, covers=EVERYTHING)


LISTS = [
    "/",
    "/needs",
    "/needs?q=电机&cluster=A1&region=500000&validity=open&sort=expiry",
    "/capabilities",
    "/capabilities?q=电机&cluster=A1&kind=product&maturity=mass&sort=trl",
    "/challenges",
    "/challenges?q=电机&cluster=A1&status=open",
    "/organisations",
    "/workbench",
    "/workbench/needs",
    "/workbench/capabilities",
    "/workbench/challenges",
]


# Many requests: slow where the machine is busy with other things.
@pytest.mark.timeout(900)
def test_lists_ask_as_often_for_hundreds_of_rows_as_for_ten(
    app: Flask, count_statements: Callable[[], Any]
) -> None:
    owner = a_leader()
    browser, visitor = client_of(app, owner), app.test_client()

    def count() -> dict[str, int]:
        counted = {}
        for who, client in (("member", browser), ("visitor", visitor)):
            for url in LISTS:
                client.get(url)
                with count_statements() as seen:
                    response = client.get(url)
                assert response.status_code in (200, 302), url
                counted[f"{who} {url}"] = len(seen)
        return counted

    fill(owner, 0, 10)
    for_ten = count()
    fill(owner, 10, 300)
    for_hundreds = count()
    # The numbers of long lists are kept for a minute, so that those may ask less often.
    assert {url: n for url, n in for_hundreds.items() if n > for_ten[url]} == {}
    assert max(for_hundreds.values()) < 40


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_own_lists_have_pages_to_the_last_line(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may bring in any number of lines: none is out of reach."""
    monkeypatch.setattr("marketplace.needs.queries.LINES_PER_PAGE", 2)
    monkeypatch.setattr("marketplace.capabilities.queries.OWN_PER_PAGE", 2)
    editor = an_editor()
    need_list = a_list(editor)
    names = [f"主轴管第{n}种" for n in "甲乙丙"]
    for name in names:
        with transaction():
            need_services.start_draft(need_list, a_need_draft(title=name), by=editor, now=clock.now())
        a_capability(editor, published=False, title=name)
    browser = client_of(app, editor)
    for path in (f"/need-lists/{need_list.public_no}", "/workbench/capabilities"):
        pages = [browser.get(f"{path}?page={number}").text for number in (1, 2)]
        assert [sum(name in page for page in pages) for name in names] == [1, 1, 1], path
        assert "page=2" in pages[0]
    assert "共 3 条" in browser.get(f"/need-lists/{need_list.public_no}").text
