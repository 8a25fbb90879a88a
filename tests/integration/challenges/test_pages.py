"""The pages of challenges, as each person sees them, without any script."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from marketplace.audit.services import record
from marketplace.challenges import queries, services
from marketplace.challenges.collected import ChallengeImporter
from marketplace.challenges.models import Challenge
from marketplace.exchange.entries import CollectedEntry, EntryKind
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.organisations.models import Organisation
from marketplace.postings.listing import ListQuery
from tests.integration.challenges.conftest import People, whole_draft

Make = Callable[..., Challenge]
SignIn = Callable[[Actor], None]


def own(challenge: Challenge, people: People) -> Challenge:
    """As it now stands in the database, whatever this test has made of it before."""
    db.session.expire_all()
    return queries.get_own(challenge.public_no, viewer=people.editor)


# --- who sees what ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "who"),
    [
        ("draft", {"editor", "manager", "reader"}),
        ("returned", {"editor", "manager", "reader"}),
        ("submitted", {"editor", "manager", "reader", "operator", "auditor"}),
        ("published", {"editor", "manager", "reader", "operator", "auditor", "stranger", "nobody"}),
        ("withdrawn", {"editor", "manager", "reader", "operator", "auditor", "stranger", "nobody"}),
    ],
)
def test_a_challenge_is_seen_by_whom_it_concerns_and_hidden_from_the_rest(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn, status: str, who: set[str]
) -> None:
    challenge = make_challenge(status)

    for name in ("editor", "manager", "reader", "operator", "auditor", "stranger", "nobody"):
        sign_in(people.named(name))
        response = client.get(f"/challenges/{challenge.public_no}")
        assert response.status_code == (200 if name in who else 404), name


def test_the_page_shows_indicators_terms_and_deadline(client: FlaskClient, make_challenge: Make) -> None:
    challenge = make_challenge("published")

    page = client.get(f"/challenges/{challenge.public_no}").text

    last_day = (business_date(clock.now()) + timedelta(days=30)).isoformat()
    for text in ("最大夹紧力", "≥ 28 kN", "揭榜中", "双方共有", "TRL 5 → 8", last_day, "距截止"):
        assert text in page
    assert "023-" not in page


def test_a_challenge_past_its_deadline_is_shown_as_closed(client: FlaskClient, make_challenge: Make) -> None:
    challenge = make_challenge("published")
    with transaction() as session:
        session.execute(
            update(Challenge)
            .where(Challenge.id == challenge.id)
            .values(closes_at=clock.now() - timedelta(seconds=1))
        )

    page = client.get(f"/challenges/{challenge.public_no}").text
    assert "已截止" in page
    assert "揭榜中</span>" not in page


def test_a_withdrawn_challenge_says_why(client: FlaskClient, make_challenge: Make) -> None:
    challenge = make_challenge("withdrawn")

    page = client.get(f"/challenges/{challenge.public_no}").text
    assert "技术路线已调整" in page
    assert "已撤榜" in page


def test_a_collected_challenge_names_its_source_and_is_not_open_to_be_taken_up(
    client: FlaskClient, people: People
) -> None:
    entry = CollectedEntry(
        id="RE0001",
        kind=EntryKind.CHALLENGE,
        title="高速列车轴承温升控制",
        text="轴承温升过高。由某某大学解决。",
        org="某轨道装备公司",
        source_title="公开榜单汇编",
        source_url="https://example.com/list",
    )
    now = clock.now()
    with transaction():
        ChallengeImporter().create(
            [entry],
            organisations={entry.org: people.editor.organisation_id or 0},
            withheld={entry.id: ["由某某大学解决。"]},
            now=now,
        )
        record("import", "import", 1, by=people.operator, at=now, covers="*")
    (challenge_id,) = queries.list_open_ids(now)
    (snapshot,) = queries.read_matchables([challenge_id])
    assert "某某大学" not in repr(snapshot)
    number = db.session.get_one(Challenge, challenge_id).public_no

    page = client.get(f"/challenges/{number}").text
    for text in ("收录", "公开榜单汇编", "https://example.com/list", "RE0001", "不接受揭榜"):
        assert text in page
    assert "距截止" not in page
    assert titles(client.get("/challenges?status=collected").text) == [entry.title]
    assert titles(client.get("/challenges?status=open").text) == []


def test_an_address_with_a_nul_is_no_page(client: FlaskClient) -> None:
    assert client.get("/challenges/JB%00").status_code == 404
    assert client.get("/challenges?q=%00").status_code == 400


def test_contact_data_is_for_its_own_people_until_both_sides_agree(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("published", contact_name="韦工", contact_phone="023-60000000")

    assert "韦工" not in client.get(f"/challenges/{challenge.public_no}").text
    sign_in(people.stranger)
    assert "韦工" not in client.get(f"/challenges/{challenge.public_no}").text
    sign_in(people.editor)
    assert "韦工" in client.get(f"/challenges/{challenge.public_no}").text


def test_a_canary_in_the_annex_is_on_no_page_but_its_own(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("draft")
    with transaction():
        mine = own(challenge, people)
        services.write_annex(mine, "附件金丝雀", version=mine.version, by=people.editor, now=clock.now())
    number = challenge.public_no
    private = [f"/workbench/challenges/{number}/{s}" for s in ("basics", "problem", "terms", "preview")]
    for path in (*private, "/workbench/challenges", f"/challenges/{number}"):
        sign_in(people.editor)
        response = client.get(path)
        assert response.status_code == 200
        assert "附件金丝雀" not in response.text
    assert "附件金丝雀" in client.get(f"/workbench/challenges/{number}/annex").text

    with transaction():
        mine = own(challenge, people)
        services.submit(mine, by=people.editor, now=clock.now())
    for name in ("operator", "auditor"):
        sign_in(people.named(name))
        assert "附件金丝雀" not in client.get(f"/review/challenges/{number}").text
        assert client.get(f"/workbench/challenges/{number}/annex").status_code == 403
    sign_in(people.stranger)
    assert client.get(f"/workbench/challenges/{number}/annex").status_code == 404
    assert (
        "附件金丝雀"
        not in client.get("/challenges?q=附件金丝雀").text.replace("value=", "", 1).partition("榜单结果")[2]
    )


# --- the hall ------------------------------------------------------------------------------------------


def titles(page: str) -> list[str]:
    return re.findall(r'<h2>.*?<a href="/challenges/[^"]+">([^<]+)</a></h2>', page)


def test_the_hall_finds_by_keyword_in_either_script_and_by_organisation(
    client: FlaskClient, make_challenge: Make
) -> None:
    make_challenge("published", title="线控转向双绕组电机失效安全")
    make_challenge("published", title="一体化热管理集成阀低泄漏密封")
    make_challenge("draft", title="线控转向尚未发布的草稿")

    assert titles(client.get("/challenges?q=線控轉向").text) == ["线控转向双绕组电机失效安全"]
    assert titles(client.get("/challenges?q=密封 热管理").text) == ["一体化热管理集成阀低泄漏密封"]
    assert len(titles(client.get("/challenges?q=渝川").text)) == 2
    assert "没有符合条件的榜单" in client.get("/challenges?q=100%25").text


def test_facets_narrow_and_count(client: FlaskClient, make_challenge: Make) -> None:
    make_challenge("published", title="甲：车用制动执行器技术", clusters=("A1",), region="500112")
    make_challenge(
        "published",
        title="乙：新型储能热管理技术",
        clusters=("C4",),
        region="500113",
        budget_fen=None,
        negotiable=True,
    )

    def found(args: str) -> list[str]:
        return sorted(title[0] for title in titles(client.get(f"/challenges?{args}").text))

    assert found("") == ["乙", "甲"]
    assert found("cluster=A1") == ["甲"]
    assert found("budget=negotiable") == ["乙"]
    assert found("region=500000") == ["乙", "甲"]
    assert found("region=500113") == ["乙"]
    assert found("cluster=A1&budget=negotiable") == []
    assert found("status=closed") == []
    assert found("cluster=nonsense") == []
    page = client.get("/challenges?cluster=A1").text
    assert re.search(r'href="[^"]*cluster=C4[^"]*">新型储能[^<]*|cluster=C4', page), "other choices stay"


def test_pages_neither_repeat_nor_lose(client: FlaskClient, make_challenge: Make) -> None:
    wanted = {f"第 {n:02d} 号制动执行器关键技术" for n in range(13)}
    for title in sorted(wanted):
        make_challenge("published", title=title)

    for sort in ("", "latest", "budget", "closing", "nonsense"):
        pages = [titles(client.get(f"/challenges?sort={sort}&page={n}").text) for n in (1, 2)]
        assert [len(page) for page in pages] == [10, 3], sort
        assert set(pages[0]) | set(pages[1]) == wanted, sort


def test_every_order_is_the_same_whole_and_cut_into_pages(make_challenge: Make) -> None:
    """Open ones come first: pages that they fill, the page they end on, and those after it."""
    made = [
        make_challenge("withdrawn" if n in (4, 7) else "published", budget_fen=n * 100) for n in range(1, 12)
    ]
    now = clock.now()
    with transaction() as session:
        for challenge in made[::3]:
            ends = {"closes_at": now - timedelta(days=challenge.id)}
            session.execute(update(Challenge).where(Challenge.id == challenge.id).values(ends))

    def listed(sort: str, per_page: int) -> list[int]:
        pages = range(1, -(-len(made) // per_page) + 1)
        asked = (queries.list_hall(ListQuery(sort=sort, page=n), now=now, per_page=per_page) for n in pages)
        return [challenge.id for listing in asked for challenge in listing.page.items]

    for sort in ("", "latest", "budget", "closing"):
        whole = listed(sort, 50)
        assert sorted(whole) == sorted(challenge.id for challenge in made)
        for per_page in (1, 2, 3, 4, 7):
            assert listed(sort, per_page) == whole, (sort, per_page)


def test_the_hall_takes_the_same_number_of_statements_for_ten_and_for_a_thousand(
    client: FlaskClient, make_challenge: Make, count_statements: Callable[[], Any], people: People
) -> None:
    # A browser with a choice of its own is given a page that was not kept.
    client.set_cookie("display", "usual")
    first = make_challenge("published")
    client.get("/challenges")

    def copies(count: int) -> None:
        columns = {
            column.key: getattr(first, column.key)
            for column in Challenge.__table__.columns
            if column.key not in ("id", "public_no", "search_text")
        }
        with transaction() as session:
            session.execute(
                Challenge.__table__.insert(),
                [
                    {**columns, "public_no": f"JB-2020-{count + n:05d}", "search_text": "制动"}
                    for n in range(count)
                ],
            )

    def statements() -> int:
        with count_statements() as seen:
            assert client.get("/challenges?q=制动&cluster=").status_code == 200
        return len(seen)

    copies(10)
    few = statements()
    copies(1000)
    assert statements() == few


# --- writing, step by step ----------------------------------------------------------------------------


def test_a_firm_that_may_not_post_is_told_what_is_missing(
    client: FlaskClient, people: People, sign_in: SignIn
) -> None:
    from dataclasses import replace

    with transaction():
        firm = db.session.get_one(Organisation, people.editor.organisation_id)
        firm.designations.clear()
        record("organisation.edit", "organisation", firm.id, by=people.operator, at=clock.now())
    sign_in(replace(people.editor, may_post_challenges=False))
    response = client.get("/workbench/challenges/new")

    assert response.status_code == 403
    assert "没有，或未经确认" in response.text
    assert client.post("/workbench/challenges/new", data={"title": "某某关键技术"}).status_code == 403


def test_from_the_first_title_to_the_operators_approval(
    client: FlaskClient, people: People, sign_in: SignIn
) -> None:
    sign_in(people.editor)
    response = client.post("/workbench/challenges/new", data={"title": "电子机械制动轮端执行器关键技术"})
    assert response.status_code == 302
    number = response.location.split("/")[3]
    draft = whole_draft(clock.now())

    def save(step: str, **data: Any) -> None:
        version = queries.get_own(number, viewer=people.editor).version
        sent = client.post(
            f"/workbench/challenges/{number}/{step}", data={"version": version, "then": "next", **data}
        )
        assert sent.status_code == 302, sent.text

    save(
        "basics",
        title=draft.title,
        board="enterprise",
        clusters=["A1", "E7"],
        keywords="线控制动、夹紧力",
        industry="C36",
        region="500112",
    )
    save("problem", background=draft.background, problem=draft.problem, trl_current="5", trl_target="8")
    save(
        "indicators",
        **{
            "indicators-0-name": "最大夹紧力",
            "indicators-0-comparator": "ge",
            "indicators-0-value": "28",
            "indicators-0-unit": "kN",
            "indicators-0-method": "台架规范",
            "indicators-0-verifier": "third_party",
            "indicators-0-weight": "100",
            "indicators-0-mark": "must",
            "indicators-1-name": "",
        },
    )
    assert draft.closes_on is not None
    save(
        "terms",
        budget_fen="800",
        closes_on=draft.closes_on.isoformat(),
        ip_terms="shared",
        acceptance=draft.acceptance,
        takers_wanted="1",
        max_members="4",
        consortium_allowed="y",
    )
    save("annex", annex="平台代号 K7P")
    page = client.get(f"/workbench/challenges/{number}/preview").text
    assert "处需要改正" not in page
    made = queries.get_own(number, viewer=people.editor)
    assert (made.budget_fen, made.keywords, made.publicity) == (
        800_000_000,
        ["线控制动", "夹紧力"],
        "partial",
    )

    assert (
        client.post(f"/workbench/challenges/{number}/submit", data={"version": made.version}).status_code
        == 302
    )
    sign_in(people.operator)
    assert number in client.get("/review/challenges").text
    assert client.get(f"/review/challenges/{number}").status_code == 200
    approved = client.post(f"/review/challenges/{number}/approve", data={"version": made.version})
    assert approved.status_code == 302
    sign_in(people.named("nobody"))
    assert "电子机械制动" in client.get("/challenges").text


def test_rows_of_indicators_come_and_go_without_scripts_and_nothing_is_saved_meanwhile(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("draft")
    sign_in(people.editor)
    path = f"/workbench/challenges/{challenge.public_no}/indicators"
    typed = {"version": str(challenge.version), "indicators-0-name": "甲", "indicators-1-name": "乙"}

    more = client.post(path, data={**typed, "add": "indicators"})
    fewer = client.post(path, data={**typed, "remove": "indicators-0"})

    assert more.status_code == fewer.status_code == 200
    assert "indicators-2-name" in more.text
    assert 'value="乙"' in fewer.text
    assert 'value="甲"' not in fewer.text
    assert own(challenge, people).version == challenge.version


def test_what_cannot_be_read_is_refused_beside_its_field_and_kept(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("draft")
    sign_in(people.editor)

    response = client.post(
        f"/workbench/challenges/{challenge.public_no}/indicators",
        data={"version": challenge.version, "indicators-0-name": "夹紧力", "indicators-0-value": "八百"},
    )

    assert response.status_code == 422
    assert 'href="#indicators-0-value"' in response.text
    assert 'value="八百"' in response.text
    assert [row.name for row in own(challenge, people).indicators] == ["最大夹紧力", "夹紧响应时间"]


def test_submitting_an_unfinished_draft_lists_every_gap_with_a_link_to_its_step(
    client: FlaskClient, people: People, sign_in: SignIn
) -> None:
    sign_in(people.editor)
    started = client.post("/workbench/challenges/new", data={"title": "电子机械制动关键技术"})
    number = started.location.split("/")[3]

    response = client.post(f"/workbench/challenges/{number}/submit", data={"version": 1})

    assert response.status_code == 422
    for place in ("basics#clusters", "problem#problem", "indicators#indicators", "terms#closes_on"):
        assert f"/workbench/challenges/{number}/{place}" in response.text


def test_two_people_at_one_step_both_keep_their_text(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("draft")
    read = challenge.version
    path = f"/workbench/challenges/{challenge.public_no}/problem"
    sign_in(people.manager)
    assert client.post(path, data={"version": read, "problem": "甲先保存的难点"}).status_code == 302
    sign_in(people.editor)

    refused = client.post(path, data={"version": read, "problem": "乙后写的难点", "trl_current": "4"})

    assert refused.status_code == 409
    assert "甲先保存的难点" in refused.text
    assert "乙后写的难点" in refused.text
    assert own(challenge, people).problem == "甲先保存的难点"
    fields = dict(re.findall(r'name="(version|trl_current)" value="([^"]*)"', refused.text))
    assert fields == {"version": str(read + 1), "trl_current": "4"}
    assert client.post(path, data={**fields, "problem": "合并后的难点"}).status_code == 302
    merged = own(challenge, people)
    assert (merged.problem, merged.trl_current) == ("合并后的难点", 4)


def test_two_people_at_the_indicators_are_shown_both_lists_and_can_send_theirs_again(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("draft")
    read = challenge.version
    path = f"/workbench/challenges/{challenge.public_no}/indicators"
    sign_in(people.editor)
    rows = {"indicators-0-name": "甲", "indicators-0-value": "1", "indicators-0-unit": "mm"}
    assert client.post(path, data={"version": read, **rows}).status_code == 302

    mine = {"indicators-0-name": "乙", "indicators-0-value": "2", "indicators-0-unit": "kN"}
    refused = client.post(path, data={"version": read, **mine})

    assert refused.status_code == 409
    assert "≥ 1 mm" in refused.text
    assert "≥ 2 kN" in refused.text
    again = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', refused.text))
    assert client.post(path, data=again).status_code == 302
    assert [row.name for row in own(challenge, people).indicators] == ["乙"]


def test_the_operators_reasons_stand_beside_the_fields(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("submitted")
    sign_in(people.operator)
    empty = client.post(
        f"/review/challenges/{challenge.public_no}/return", data={"version": challenge.version}
    )
    assert empty.status_code == 422
    returned = client.post(
        f"/review/challenges/{challenge.public_no}/return",
        data={"version": challenge.version, "reason": "总的意见", "reason-problem": "请写现状数值"},
    )
    assert returned.status_code == 302

    sign_in(people.editor)
    page = client.get(f"/workbench/challenges/{challenge.public_no}/problem").text
    assert "总的意见" in page
    assert re.search(r'id="problem-error">[^<]*请写现状数值', page)
    assert "按意见修改" in client.get("/workbench/challenges").text


@pytest.mark.parametrize(
    ("method", "path", "who", "answer"),
    [
        ("post", "/review/challenges/{no}/approve", "auditor", 403),
        ("post", "/review/challenges/{no}/approve", "manager", 403),
        ("post", "/review/challenges/{no}/return", "auditor", 403),
        ("post", "/workbench/challenges/{no}/submit", "reader", 403),
        ("post", "/workbench/challenges/{no}/submit", "stranger", 404),
        ("post", "/workbench/challenges/{no}/withdraw", "editor", 403),
        ("post", "/workbench/challenges/{no}/withdraw", "manager", 409),
        ("post", "/workbench/challenges/{no}/copy", "stranger", 404),
        ("post", "/workbench/challenges/{no}/basics", "stranger", 404),
        ("post", "/workbench/challenges/{no}/basics", "editor", 409),
        ("get", "/workbench/challenges/{no}/basics", "operator", 403),
        ("get", "/review/challenges/{no}", "editor", 403),
        ("get", "/review/challenges", "nobody", 302),
    ],
)
def test_nobody_does_what_is_not_theirs_to_a_submitted_challenge(
    client: FlaskClient,
    make_challenge: Make,
    people: People,
    sign_in: SignIn,
    method: str,
    path: str,
    who: str,
    answer: int,
) -> None:
    challenge = make_challenge("submitted")
    sign_in(people.named(who))

    data = {"version": challenge.version, "reason": "理由", "title": "改题"}
    response = client.open(path.format(no=challenge.public_no), method=method.upper(), data=data)

    assert response.status_code == answer
    db.session.expire_all()
    assert own(challenge, people).status == "submitted"


def test_a_published_challenge_is_withdrawn_from_its_page_with_a_reason(
    client: FlaskClient, make_challenge: Make, people: People, sign_in: SignIn
) -> None:
    challenge = make_challenge("published")
    sign_in(people.manager)
    assert "撤榜" in client.get(f"/challenges/{challenge.public_no}").text

    path = f"/workbench/challenges/{challenge.public_no}/withdraw"
    assert client.post(path, data={"reason": " "}).status_code == 422
    assert client.post(path, data={"reason": "需求取消"}).status_code == 302
    sign_in(people.named("nobody"))
    assert "需求取消" in client.get(f"/challenges/{challenge.public_no}").text
