"""The proposed consortium of a challenge: who reads it, what it says, and what may be wished."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from marketplace.indicators.model import Comparator, Mark
from marketplace.kernel.db import db, transaction
from marketplace.matching import consortium, queries, runs
from marketplace.matching.models import PostingKind, WeightSet
from marketplace.matching.sources import Subject
from marketplace.organisations.models import Organisation, OrganisationKind
from tests.factories import a_challenge, a_leader, a_manager, an_indicator
from tests.integration.support import a_capability, an_auditor, an_editor, an_operator, client_of

FORCE = an_indicator(weight=40)
RESPONSE = an_indicator("夹紧响应时间", comparator=Comparator.LE, value=Decimal(130), unit="ms", weight=40)
LIFE = an_indicator("耐久次数", value=Decimal(100), unit="万次", weight=20, mark=Mark.PLAIN)
SECRET = "内部成本每套三百二十元"
SUMMARY = "用于线控制动轮端的电子机械执行器，丝杠与行星减速器一体，可标定夹紧力，已为两家整车厂供样。"


class Market:
    """Two firms of which each meets one ★, a college that speaks of the rest, and a stranger to the list."""

    def __init__(self, **changes):
        self.owner = a_leader()
        self.strong, self.quick, self.stranger = (an_editor() for _ in range(3))
        self.college = a_manager(kind=OrganisationKind.UNIVERSITY, name="嘉陵试验大学")
        title = "电子机械制动轮端执行器"
        a_capability(
            self.strong,
            title=f"{title}总成",
            summary=SUMMARY,
            parameters=(replace(FORCE, value=Decimal(30)),),
        )
        a_capability(
            self.quick,
            title=f"快响应{title}",
            summary=SUMMARY,
            parameters=(replace(RESPONSE, value=Decimal(90)), replace(FORCE, value=Decimal(20))),
        )
        a_capability(
            self.college,
            title=f"{title}寿命试验",
            summary=f"{SUMMARY}研究其耐久次数与润滑的关系，有台架可用。",
            parameters=(),
        )
        self.challenge = a_challenge(self.owner, annex=SECRET, indicators=(FORCE, RESPONSE, LIFE), **changes)
        self.number = self.challenge.public_no
        self.page = f"/challenges/{self.number}"
        self.address = f"/workbench/matching/challenges/{self.number}/consortium"

    def rank(self):
        runs.take_over_capabilities()
        runs.rank_seeker(Subject(PostingKind.CHALLENGE, self.challenge.id))
        return self

    def name(self, actor):
        return db.session.get_one(Organisation, actor.organisation_id).name


@pytest.fixture
def market(app):
    return Market().rank()


def text_of(response, status=200):
    assert response.status_code == status, response.status_code
    return response.get_data(as_text=True)


def members_in(page):
    """The names of the proposed consortium, the lead's first."""
    listed = page[page.index("建议组合") : page.index("覆盖表")]
    return re.findall(r'<b><a href="/organisations/\d+">(.*?)</a></b>', listed)


@pytest.mark.parametrize("who", ["owner", "operator", "auditor"])
def test_owner_operator_and_auditor_read_the_proposal(app, market, who):
    actor = {"owner": lambda: market.owner, "operator": an_operator, "auditor": an_auditor}[who]()
    client = client_of(app, actor)
    page = text_of(client.get(market.address))
    assert set(members_in(page)) == {
        market.name(one) for one in (market.strong, market.quick, market.college)
    }
    assert "不是邀请" in page
    assert market.address in text_of(client.get(market.page))
    assert market.name(market.strong) in text_of(client.get(f"{market.address}/panel"))


def test_nobody_else_learns_of_it(app, market):
    for actor in (market.strong, market.stranger):
        client = client_of(app, actor)
        assert client.get(market.address).status_code == 404
        assert client.get(f"{market.address}/panel").status_code == 404
        assert market.address not in text_of(client.get(market.page))
    visitor = app.test_client()
    assert visitor.get(market.address).status_code == 302
    assert market.address not in text_of(visitor.get(market.page))


def test_a_mention_is_said_as_such_and_a_miss_covers_nothing(app, market):
    run = queries.find_run(PostingKind.CHALLENGE, market.challenge.id)
    pool = consortium.read_pool(run)
    verdicts = {
        actor: {key: shown.proof.verdict for key, shown in pool.proofs[actor.organisation_id].items()}
        for actor in (market.strong, market.quick, market.college)
    }
    assert verdicts[market.strong]["i0"] == "met"
    assert verdicts[market.quick]["i0"] == "unmet"
    assert verdicts[market.quick]["i1"] == "met"
    assert verdicts[market.college]["i2"] == "text"
    found = consortium.propose(market.challenge, pool, consortium.Wishes()).assembly
    assert {key: grade.name for key, grade in found.best.grades.items()} == {
        "i0": "MET", "i1": "MET", "i2": "TEXT",
    }  # fmt: skip
    page = text_of(client_of(app, market.owner).get(market.address))
    assert "耐久次数与润滑的关系" in page
    assert re.search(r"仅文本提及，未证实</dt><dd>.*?耐久次数", page, re.S)
    assert "✕" not in page
    assert "不满足" in page


def test_nothing_confidential_is_shown(app, market):
    client = client_of(app, market.owner)
    for address in (market.address, f"{market.address}/panel"):
        assert SECRET not in text_of(client.get(address))


def test_pins_exclusions_kinds_and_seats_are_kept_and_shown(app, market):
    client = client_of(app, market.owner)
    strong, quick, college = (one.organisation_id for one in (market.strong, market.quick, market.college))
    page = text_of(client.get(f"{market.address}?exclude={college}"))
    assert set(members_in(page)) == {market.name(market.strong), market.name(market.quick)}
    assert "排除了" in page
    page = text_of(client.get(f"{market.address}?partners=0&pin={college}"))
    assert members_in(page) == [market.name(market.college)]
    assert "若不指定" in page
    assert "若再多一家" in page
    page = text_of(client.get(f"{market.address}?partners=1&need=university"))
    assert len(members_in(page)) == 2
    assert market.name(market.college) in members_in(page)
    links = re.findall(rf'href="({market.address}\?[^"]*)"', page)
    assert any(f"exclude={strong}" in link or f"exclude={quick}" in link for link in links)
    assert all("need=university" in link and "partners=1" in link for link in links)


def test_what_cannot_be_is_said_with_the_rules_that_clash(app, market):
    college = market.college.organisation_id
    page = text_of(client_of(app, market.owner).get(f"{market.address}?pin={college}&exclude={college}"))
    assert "互相冲突的规则" in page
    assert f"必须有 {market.name(market.college)}" in page
    page = text_of(client_of(app, market.owner).get(f"{market.address}?need=service"))
    assert "至少一家检测与服务机构" in page


@pytest.mark.parametrize(
    "query",
    [
        "pin=abc",
        "pin=1%20or%201",
        "exclude=-1",
        "pin=" + "9" * 30,
        "partners=9",
        "partners=x",
        "need=bank",
        "&".join(f"pin={n}" for n in range(1, 12)),
        "&".join(f"exclude={n}" for n in range(1, 52)),
    ],
)
def test_wishes_that_make_no_sense_are_refused_with_a_reason(app, market, query):
    page = text_of(client_of(app, market.owner).get(f"{market.address}?{query}"), 400)
    assert 'role="alert"' in page


def test_somebody_who_is_not_on_the_list_is_named_by_number_alone(app, market):
    stranger = market.stranger.organisation_id
    page = text_of(client_of(app, market.owner).get(f"{market.address}?pin={stranger}&exclude=999999"))
    assert f"{stranger}、999999" in page
    assert market.name(market.stranger) not in page
    assert len(members_in(page)) == 3


def test_without_a_ranking_the_page_says_so(app):
    market = Market()
    client = client_of(app, market.owner)
    assert "推荐名单还没有生成" in text_of(client.get(market.address))
    assert "推荐名单还没有生成" in text_of(client.get(f"{market.address}/panel"))
    assert "consortium-panel" not in text_of(client.get(market.page))


def test_reading_a_proposal_writes_nothing_and_costs_the_same_however_long_the_list(
    app, market, count_statements
):
    client = client_of(app, market.owner)
    client.get(market.address)
    with count_statements() as few:
        client.get(market.address)
    for number in range(8):
        a_capability(market.strong, title=f"电子机械制动轮端执行器第{number}型", summary=SUMMARY)
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.CHALLENGE, market.challenge.id), again=True)
    with count_statements() as many:
        client.get(market.address)
    assert len(many) == len(few)
    assert not [one for one in many if one.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]


def test_a_list_by_weights_that_this_program_cannot_read_has_its_proposal_all_the_same(app, market):
    run = queries.find_run(PostingKind.CHALLENGE, market.challenge.id)
    with transaction():
        row = db.session.get_one(WeightSet, run.weight_set_id)
        row.weights, row.digest = {**row.weights, "text": {"luck": 1.0}}, "f" * 64
    client = client_of(app, market.owner)
    assert len(members_in(text_of(client.get(market.address)))) == 3
    assert "建议组合" not in text_of(client.get(f"{market.address}/panel"))


def test_the_seeker_and_its_branches_are_one_party(app):
    def keys(name, code=None):
        return consortium.relations(Organisation(name=name, uscc=code))

    whole = keys("重庆巴渡新能源汽车股份有限公司", "91500112MA0000001X")
    assert keys("重庆巴渡新能源汽车股份有限公司（合川）分公司") & whole
    assert keys("别的名字", "91500112MA0000001X") & whole
    assert not keys("重庆巴渡新能源汽车零部件有限公司") & whole


def test_only_sme_firms_lead_where_the_challenge_asks_for_them(app):
    market = Market(sme_only=True).rank()
    pool = consortium.read_pool(queries.find_run(PostingKind.CHALLENGE, market.challenge.id))
    wishes = consortium.Wishes(partners=0, pinned=(market.college.organisation_id,))
    found = consortium.propose(market.challenge, pool, wishes).assembly
    assert found.best is None
    assert {one.rule.value for one in found.clash} == {"partners", "lead", "pinned"}


def test_the_command_proposes_the_same_in_words_and_as_json(app, market):
    runner = app.test_cli_runner()
    asked = ["match", "assemble", "--challenge", market.number]
    told = json.loads(runner.invoke(args=[*asked, "--format", "json"]).output)
    assert told["status"] == "optimal"
    assert {one["id"] for one in told["proposals"][0]["members"]} == {
        one.organisation_id for one in (market.strong, market.quick, market.college)
    }
    assert [row["grade"] for row in told["proposals"][0]["rows"]] == ["met", "met", "text"]
    text = runner.invoke(args=asked).output
    assert "建议仅供参考，不是邀请" in text
    assert market.name(market.strong) in text
    afresh = json.loads(runner.invoke(args=[*asked, "--candidates", "50", "--format", "json"]).output)
    assert afresh["run"] is None
    assert afresh["proposals"] == told["proposals"]


def test_the_command_refuses_whom_it_does_not_find(app, market):
    runner = app.test_cli_runner()
    asked = ["match", "assemble", "--challenge", market.number]
    assert "名单上没有这个单位" in runner.invoke(args=[*asked, "--pin", "无此公司"]).output
    several = runner.invoke(args=[*asked, "--exclude", "机械有限公司"])
    assert several.exit_code == 1
    assert "不止一个单位" in several.output
    assert runner.invoke(args=[*asked, "--require", "bank"]).exit_code == 2
    one = runner.invoke(args=[*asked, "--pin", market.name(market.college), "--partners", "0"])
    assert one.exit_code == 0
    assert market.name(market.quick) not in one.output.split("备选")[0].split("起约束作用")[0]
