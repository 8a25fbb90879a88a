"""What the explanation of a place says, to whom, and that it adds up as it is shown."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from marketplace.audit.services import EVERYTHING, record
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.db import db, transaction
from marketplace.matching import absences, queries, runs, sources
from marketplace.matching.cli import match_cli
from marketplace.matching.engine.documents import Conditions, Kind, Matchable, Standing
from marketplace.matching.engine.eligibility import Exclusion, exclusion
from marketplace.matching.models import MatchEntry, PostingKind
from marketplace.matching.sources import Subject
from marketplace.organisations.kinds import DesignationKind
from marketplace.organisations.models import Designation, Organisation
from tests.integration.support import a_capability, a_need, an_editor, client_of, today


class Market:
    """A need, a capability that answers it in all, and one that leaves much unsaid: places 1 and 2."""

    def __init__(self):
        self.buyer, self.first, self.second = (an_editor() for _ in range(3))
        self.better = a_capability(self.first, title="电机主轴管旋锻毛坯专线")
        self.own = a_capability(
            self.second, title="旋锻空心半轴", parameters=(), clusters=("E5",), industry=None
        )
        self.need = a_need(self.buyer)
        self.rank()
        self.address = f"/workbench/matching/needs/{self.need.public_no}"
        self.fragment = f"/workbench/matching/runs/{self.run.public_no}/places/"

    def rank(self):
        runs.take_over_capabilities()
        runs.rank_seeker(Subject(PostingKind.NEED, self.need.id), again=True)
        self.run = queries.find_run(PostingKind.NEED, self.need.id)

    def lines(self):
        return {line.capability.id: line for line in queries.list_lines(self.run.id)}


@pytest.fixture
def market(app):
    return Market()


def text_of(response):
    assert response.status_code == 200, response.status_code
    return response.get_data(as_text=True)


def fragment_of(app, actor, market, place):
    client = client_of(app, actor)
    return text_of(client.get(f"{market.fragment}{place}", headers={"HX-Request": "true"}))


def tenths(text):
    return round(float(text) * 10)


# --- what adds up -------------------------------------------------------------------------------------------


def assert_it_adds_up(page):
    table, *rest = re.findall(r"<table.*?</table>", page, re.S)
    body, foot = table.split("<tfoot>")
    parts = [
        (tenths(p), int(m)) for p, m in re.findall(r">([\d.]+)<span class=\"mute small\"> / (\d+)<", body)
    ]
    score = tenths(re.search(r">([\d.]+)<span", foot)[1])
    assert len(parts) == 8
    assert sum(points for points, _ in parts) == score
    assert sum(most for _, most in parts) == 100
    terms, others = re.search(r"文本得 ([\d.]+) 分：.*，其他词合计 ([\d.]+)。", page).groups()
    named = re.search(r"文本得.*?其他词合计", page, re.S)[0]
    assert (
        sum(map(tenths, re.findall(r">([\d.]+)</b>", named))) + tenths(others) == tenths(terms) == parts[0][0]
    )
    if rest:
        body, foot = rest[0].split("<tfoot>")
        rows = re.findall(r">([\d.]+)<span class=\"mute small\"> / ([\d.]+)<", body)
        assert sum(tenths(points) for points, _ in rows) == parts[2][0]
        assert sum(tenths(most) for _, most in rows) == 250
        assert tenths(re.search(r'<td class="num">([\d.]+)</td>', foot)[1]) == parts[2][0]
    losses = re.findall(r"（−([\d.]+)）</li>", page)
    assert sum(map(tenths, losses)) == 1000 - score


@pytest.mark.parametrize("place", [1, 2])
def test_parts_words_indicators_and_losses_add_up_as_they_are_shown(app, market, place):
    assert_it_adds_up(fragment_of(app, market.buyer, market, place))


def test_steps_are_said_in_words(app, market):
    page = fragment_of(app, market.buyer, market, 1)
    for words in (
        "同一集群：",
        "同区县：",
        "单位已核验",
        "最能说明需求的",
        "满足 1 项，共 1 项",
        "标题相似度",
    ):
        assert words in page, words
    assert "产业集群和行业都不同" in fragment_of(app, market.buyer, market, 2)


def test_a_list_of_an_earlier_program_is_still_shown(app, market):
    with transaction():
        for entry in db.session.scalars(select(MatchEntry)):
            old = {
                name: value
                for name, value in entry.reasons.items()
                if name not in ("maxima", "coverage", "titles")
            }
            facts = {"name": "径向跳动", "mark": "must"}
            entry.reasons = {**old, "advice": [{"code": "ask", "facts": facts}]}
    page = fragment_of(app, market.buyer, market, 2)
    assert_it_adds_up(page)
    assert "到第 1 名还差" in page


# --- the way to better places -------------------------------------------------------------------------------


def test_the_owner_is_told_what_leads_to_a_better_place(app, market):
    page = fragment_of(app, market.buyer, market, 2)
    scores = [round(line.entry.score, 1) for line in queries.list_lines(market.run.id)]
    assert f"到第 1 名还差 {scores[0] - scores[1]:.1f} 分" in page
    assert "问明" in page
    assert "（如达到 ≤ " in page
    assert f"第 1 名“{market.better.title}”满足" in page
    assert "怎样才能更靠前" not in fragment_of(app, market.buyer, market, 1)


def test_distances_are_those_of_the_list_as_it_stands(app, market):
    before = fragment_of(app, market.buyer, market, 2)
    newcomer = a_capability(market.first, title="电机主轴管旋锻毛坯", parameters=())
    runs.place_capability(newcomer.id)
    places = {line.capability.id: line.entry.place for line in queries.list_lines(market.run.id)}
    after = fragment_of(app, market.buyer, market, places[market.own.id])
    assert places[market.own.id] == 3
    assert "到第 2 名还差" in after
    assert "到第 2 名还差" not in before


def test_following_the_advice_gains_at_least_what_it_promised(app, market):
    line = market.lines()[market.own.id]
    advice = next(one for one in line.entry.reasons["advice"] if one["code"] == "industry.state")
    with transaction():
        document = sources.read_one(Subject(PostingKind.CAPABILITY, market.own.id), now=clock.now())
    from marketplace.matching import epochs

    _state, ranker = epochs.open_corpus()
    seeker = Matchable.from_dict(queries.get_document(market.run.document_id))
    now = ranker.score(seeker, document).score
    stated = replace(document, industry=advice["facts"]["industry"])
    assert ranker.score(seeker, stated).score - now == round(advice["gain"] * 1_000_000)


# --- a supplier's own line ----------------------------------------------------------------------------------

#: What only those may read who may read the whole list.
ABOUT_OTHERS = ("到第 ", "还差", "名单上谁能补缺", "怎样才能更靠前", "名单小结", "未列入的原因", "合格")


@pytest.mark.parametrize("who", ["first", "second"])
def test_a_supplier_reads_nothing_of_others_in_its_own_explanation(app, market, who):
    actor = getattr(market, who)
    mine, theirs = (market.better, market.own) if who == "first" else (market.own, market.better)
    lines = market.lines()
    place, other = lines[mine.id].entry, lines[theirs.id]
    client = client_of(app, actor)
    pages = [
        fragment_of(app, actor, market, place.place),
        text_of(client.get(market.address)),
        text_of(client.get(f"/needs/{market.need.public_no}")),
        text_of(client.get(f"{market.address}/panel")),
        text_of(client.get(f"{market.address}/why")),
        text_of(client.get("/workbench/matching/fits?kind=needs")),
    ]
    for page in pages:
        assert mine.title in page or page is pages[0]
        for word in (theirs.title, theirs.public_no, other.organisation.name, f"{other.entry.score:.1f}"):
            assert word not in page, word
    for page in pages[:2]:
        assert "为什么不是更高" in page
        for word in ABOUT_OTHERS:
            assert word not in page, word
        assert_it_adds_up(page)


def test_a_supplier_is_told_its_own_gains_and_no_place_that_it_may_not_know(app, market):
    page = fragment_of(app, market.second, market, 2)
    assert re.search(r"写明★?▲?径向跳动（如达到 ≤ .*?）（\+[\d.]+）", page)
    assert "问明" not in page
    assert "名次可进入前" not in page  # it is among the first three already


def test_a_supplier_far_down_is_told_a_band(app, market):
    for number in range(4):
        a_capability(market.first, title=f"电机主轴管旋锻毛坯第{number}线", parameters=())
    market.rank()
    place = market.lines()[market.own.id].entry.place
    assert place > 3
    page = fragment_of(app, market.second, Placed(market), place)
    band = re.search(r"以上都做到，名次可进入前 (\d+) 名", page)
    assert band is None or int(band[1]) < place


class Placed:
    """The fragments of a market's newest run."""

    def __init__(self, market):
        self.fragment = f"/workbench/matching/runs/{market.run.public_no}/places/"


def test_no_other_line_can_be_had_by_number_with_or_without_scripts(app, market):
    place = market.lines()[market.better.id].entry.place
    client = client_of(app, market.second)
    for headers in ({}, {"HX-Request": "true"}):
        for number in (place, 0, 99):
            assert client.get(f"{market.fragment}{number}", headers=headers).status_code == 404


def test_stored_reasons_hold_nothing_of_other_entries(market):
    lines = market.lines()
    for line in lines.values():
        stored = json.dumps(line.entry.reasons, ensure_ascii=False)
        for other in lines.values():
            if other is not line:
                assert other.capability.title not in stored
                assert other.capability.public_no not in stored
                assert f"{other.entry.score}" not in stored


# --- titles -------------------------------------------------------------------------------------------------


def _declare(actor, **facts):
    """Give the actor's organisation one title with these facts."""
    kind = DesignationKind.LITTLE_GIANT
    with transaction():
        organisation = db.session.get_one(Organisation, actor.organisation_id)
        if not organisation.designations:
            organisation.designations.append(Designation(kind=kind, number="XJR-1"))
        for name, value in facts.items():
            setattr(organisation.designations[0], name, value)
        now = clock.now()
        record("organisation.change", "organisation", organisation.id, by=SYSTEM, at=now, covers=EVERYTHING)


def test_a_declared_title_that_is_not_confirmed_would_help(app, market):
    _declare(market.second)
    assert re.search(
        r"小巨人”企业证书经核对（\+[\d.]+）",
        fragment_of(app, market.second, market, 2),
    )


def test_an_expired_title_is_to_be_renewed(app, market):
    _declare(market.second, confirmed_at=clock.now(), valid_to=today() - timedelta(days=1))
    assert re.search(r"更新.*小巨人”企业证书并经核对（\+[\d.]+）", fragment_of(app, market.second, market, 2))


def test_a_title_that_ends_before_the_call_closes_is_warned_of(app, market):
    _declare(market.second, confirmed_at=clock.now(), valid_to=today() + timedelta(days=5))
    market.rank()
    page = fragment_of(app, market.second, Placed(market), market.lines()[market.own.id].entry.place)
    assert "编号 XJR-1" in page
    assert re.search(r"到期，早于截止日 [\d-]+；不续期将少 [\d.]+ 分", page)
    _declare(market.second, confirmed_at=clock.now(), valid_to=today() + timedelta(days=400))
    market.rank()
    page = fragment_of(app, market.second, Placed(market), market.lines()[market.own.id].entry.place)
    assert "不续期" not in page


ODD = {
    "summary": "真空袋封口、巴氏杀菌，每小时装袋六千包，已在三家腌制厂投用两年。",
    "keywords": ("榨菜", "杀菌"),
}

# --- why one is on no list ----------------------------------------------------------------------------------


def test_a_supplier_reads_why_its_own_are_not_on_the_list(app, market):
    odd = a_capability(market.second, title="榨菜包装", parameters=(), **ODD)
    client = client_of(app, market.second)
    assert "正在匹配" in text_of(client.get(f"{market.address}/why"))
    runs.place_capability(odd.id)
    page = text_of(client.get(f"{market.address}/why"))
    assert "文字与需求相符太少" in page
    assert "第 2 名" in page
    assert market.better.title not in page


def test_who_has_nothing_public_is_told_so_and_a_visitor_signs_in(app, market):
    stranger = client_of(app, an_editor())
    assert "还没有公开的能力" in text_of(stranger.get(f"{market.address}/why"))
    assert app.test_client().get(f"{market.address}/why").status_code == 302
    assert stranger.get("/workbench/matching/needs/XQ-0000-0/why").status_code == 404


def test_a_supplier_on_no_list_finds_the_way_to_the_reasons(app, market):
    supplier = an_editor()
    a_capability(supplier, title="榨菜包装", parameters=(), **ODD)
    page = text_of(client_of(app, supplier).get(f"/needs/{market.need.public_no}"))
    assert "本单位的能力不在这份名单上" in page
    assert f"{market.address}/why" in page


SEEKER = Matchable(Kind.CHALLENGE, 1, organisation_id=1)
ANSWER = Matchable(Kind.CAPABILITY, 2, organisation_id=2, standing=Standing.VERIFIED)


@pytest.mark.parametrize(
    ("conditions", "facts", "reason", "words"),
    [
        ({}, {"organisation_id": 1}, "own", "本单位自己发布"),
        ({}, {"active": False}, "inactive", "下架"),
        ({}, {"valid_until": datetime(2020, 1, 1, tzinfo=UTC)}, "expired", "有效期"),
        ({}, {"standing": Standing.UNVERIFIED}, "unverified", "还没有通过核验"),
        ({"verified_only": True}, {"standing": Standing.COLLECTED}, "unverified", "只接受已核验"),
        ({"kinds": ("university",)}, {"organisation_kind": "enterprise"}, "kind", "只接受高校"),
        ({"sizes": ("small", "micro")}, {"organisation_size": "large"}, "size", "只接受小型、微型企业"),
        ({"sizes": ("small",)}, {}, "size", "没有注明规模"),
        ({"regions": ("500000",)}, {"region": "110101"}, "region", "的单位"),
        ({"regions": ("500000",)}, {}, "region", "没有注明所在地"),
        ({"designations": ("srdi",)}, {}, "designation", "没有申报"),
        ({"designations": ("little_giant",)}, {}, "designation", "已于"),
    ],
)
def test_every_condition_is_said_with_the_facts(app, conditions, facts, reason, words):
    seeker = replace(SEEKER, conditions=Conditions(**conditions))
    answer = replace(ANSWER, **facts)
    expired = Designation(
        kind=DesignationKind.LITTLE_GIANT, confirmed_at=clock.now(), valid_to=today() - timedelta(days=1)
    )
    found = exclusion(seeker, answer, now=clock.now())
    assert found is Exclusion(reason)
    with app.test_request_context():
        organisation = Organisation(name="甲", designations=[expired])
        assert words in absences.reason_text(found, seeker, answer, organisation, now=clock.now())


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_explains_any_pair(app, market):
    runner = app.test_cli_runner()
    asked = ["why", "--need", market.need.public_no, "--capability", market.own.public_no]
    told = json.loads(runner.invoke(match_cli, [*asked, "--format", "json"]).output)
    entry = market.lines()[market.own.id].entry
    assert (told["place"], told["score"], told["parts"]) == (2, entry.score, entry.parts)
    assert told["reasons"]["terms"] == entry.reasons["terms"]
    assert told["missing_words"]["gain"] > 0
    text = runner.invoke(match_cli, asked).output
    assert "第 2 名" in text
    assert "到第 1 名还差" in text


def test_the_command_explains_whom_no_list_holds(app, market):
    own = a_capability(market.buyer, title="自家旋锻轴")
    asked = ["why", "--need", market.need.public_no, "--capability", own.public_no]
    result = app.test_cli_runner().invoke(match_cli, asked)
    assert result.exit_code == 0, result.output
    assert "不参与排名：这是本单位自己发布的" in result.output
    refused = app.test_cli_runner().invoke(match_cli, ["why", "--capability", own.public_no])
    assert refused.exit_code == 2
