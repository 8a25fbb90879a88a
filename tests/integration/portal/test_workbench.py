"""The workbench of each kind of person."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from marketplace.capabilities import services as capability_services
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import transaction
from marketplace.matching import runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from marketplace.portal import work, workbenches
from tests.integration.portal.conftest import Market

SignIn = Callable[[Actor], None]


def ranked(market: Market) -> tuple[str, str]:
    """A challenge and a need that both rank the SME's capability; their public numbers."""
    capability, challenge, need = market.capability(), market.challenge(), market.need()
    runs.place_capability(capability.id)
    runs.rank_seeker(Subject(PostingKind.CHALLENGE, challenge.id))
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    return challenge.public_no, need.public_no


def test_nobody_gets_a_workbench_without_signing_in(client: FlaskClient) -> None:
    response = client.get("/workbench")
    assert response.status_code == 302
    assert response.location.startswith("/login")


def test_a_newcomer_is_led_to_an_organisation(client: FlaskClient, market: Market, sign_in: SignIn) -> None:
    sign_in(market.newcomer)
    assert "先登记或加入一个单位" in client.get("/workbench").text


def test_an_sme_sees_what_fits_it_with_its_own_score(
    client: FlaskClient, market: Market, sign_in: SignIn
) -> None:
    challenge_no, need_no = ranked(market)
    sign_in(market.sme)
    page = client.get("/workbench").text
    for address in (f"matching/challenges/{challenge_no}", f"matching/needs/{need_no}"):
        assert f"/workbench/{address}" in page
    assert "轮端电动卡钳直线执行机构" in page
    organisation_id = market.sme.organisation_id
    assert organisation_id is not None
    (line,) = work.list_recommended_challenges(organisation_id, now=clock.now())
    assert 0 < line.entry.score <= 100
    assert work.count_recommended(organisation_id, now=clock.now()) == (1, 1)


def test_nobody_is_recommended_by_somebody_elses_score(
    client: FlaskClient, market: Market, sign_in: SignIn
) -> None:
    ranked(market)
    sign_in(market.stranger)
    page = client.get("/workbench").text
    assert "轮端电动卡钳直线执行机构" not in page
    assert "还没有匹配的榜单" in page


def test_only_the_best_of_several_capabilities_speaks_for_an_organisation(market: Market) -> None:
    for title in ("轮端电动卡钳直线执行机构", "夹紧力标定台架", "电子机械制动轮端执行器关键技术样机"):
        runs.place_capability(market.capability(title).id)
    runs.rank_seeker(Subject(PostingKind.CHALLENGE, market.challenge().id))
    assert market.sme.organisation_id is not None
    lines = work.list_recommended_challenges(market.sme.organisation_id, now=clock.now())
    assert [line.capability_title for line in lines] == ["电子机械制动轮端执行器关键技术样机"]


def test_a_leader_sees_its_challenges_and_which_shortlists_are_ready(
    client: FlaskClient, market: Market, sign_in: SignIn
) -> None:
    challenge_no, _ = ranked(market)
    waiting = market.challenge(title="线控转向双绕组电机失效安全控制")
    sign_in(market.leader)
    page = client.get("/workbench").text
    assert f"/workbench/matching/challenges/{challenge_no}" in page
    assert waiting.title in page
    assert "正在匹配" in page


def test_a_draft_is_a_to_do(client: FlaskClient, market: Market, sign_in: SignIn) -> None:
    draft = market.challenge(title="线控转向双绕组电机失效安全控制", publish=False)
    sign_in(market.leader)
    assert f"继续填写榜单：{draft.title}" in client.get("/workbench").text


def test_an_operator_sees_what_waits(client: FlaskClient, market: Market, sign_in: SignIn) -> None:
    sign_in(market.operator)
    page = client.get("/workbench").text
    assert "待审核榜单" in page
    assert "待核验单位" in page


def test_an_auditor_sees_the_latest_acts_and_the_trail(
    client: FlaskClient, market: Market, sign_in: SignIn
) -> None:
    challenge = market.challenge()
    sign_in(market.auditor)
    assert "审核通过并发榜" in client.get("/workbench").text
    assert challenge.title in client.get("/workbench/trail?kind=challenge").text
    history = client.get(f"/workbench/history/challenge/{challenge.id}")
    assert history.status_code == 200
    assert "提交审核" in history.text


@pytest.mark.parametrize("who", ["operator", "auditor"])
def test_the_history_of_a_thing_stands_on_its_page_for_the_platform(
    who: str, client: FlaskClient, market: Market, sign_in: SignIn
) -> None:
    pages = [
        f"/challenges/{market.challenge().public_no}",
        f"/needs/{market.need().public_no}",
        f"/capabilities/{market.capability().public_no}",
    ]
    sign_in(market.sme)
    assert all("操作历史" not in client.get(page).text for page in pages)
    sign_in(getattr(market, who))
    assert [page for page in pages if "操作历史" not in client.get(page).text] == []


def test_history_is_neither_for_members_nor_for_strangers(
    client: FlaskClient, market: Market, sign_in: SignIn
) -> None:
    challenge = market.challenge()
    for actor in (market.leader, market.stranger):
        sign_in(actor)
        assert client.get(f"/workbench/history/challenge/{challenge.id}").status_code == 403
        assert client.get("/workbench/trail").status_code == 403


@pytest.mark.parametrize("who", ["sme", "leader", "operator", "auditor"])
def test_the_workbench_asks_the_same_number_of_questions_however_much_there_is(
    who: str,
    client: FlaskClient,
    market: Market,
    sign_in: SignIn,
    count_statements: Callable[[], Any],
) -> None:
    ranked(market)
    sign_in(getattr(market, who))
    client.get("/workbench")
    with count_statements() as few:
        client.get("/workbench")
    for _ in range(4):
        ranked(market)
    with count_statements() as many:
        client.get("/workbench")
    assert len(many) == len(few)


def test_new_drafts_do_not_hide_how_complete_the_published_are(
    client: FlaskClient, market: Market, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbenches, "CAPABILITIES_JUDGED", 1)
    market.capability()
    with transaction():
        capability_services.start_draft(CapabilityDraft(title="草稿"), by=market.sme, now=clock.now())
    sign_in(market.sme)
    assert "登记能力后，这里提示还缺什么" not in client.get("/workbench").text
