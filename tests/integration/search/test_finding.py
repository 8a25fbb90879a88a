"""The same hits in the same order on both databases; nothing typed brings the page down."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.search import presenters, queries, vocabulary
from marketplace.search.asked import Asked
from marketplace.search.views import SEARCHES_A_MINUTE
from tests.integration.search.conftest import Post
from tests.integration.support import footprint

A, B, C, D, E, F, G = (
    "铝合金压铸后地板",
    "減速器殼體壓鑄件",
    "6061-T6 铝型材精加工",
    "Bearing steel heat treatment",
    "工业机器人用谐波减速器",
    "数控机床主轴动平衡",
    "壳体清洗",
)

# What is typed, and the titles in the order in which they must come. Ties: the newest first.
EXPECTED: list[tuple[str, list[str]]] = [
    ("减速器", [E, B]),
    ("減速器", [E, B]),
    ("减速机", [E, B]),
    ("铝", [C, A]),
    ("铝 -型材", [A]),
    ("压铸", [A, B, G]),
    ("压铸 壳体", [B, G]),
    ("壳体 压铸", [B, G]),
    ("壳体", [G, B]),
    ("壳体压铸件", [B]),
    ('"壳体压铸"', [B]),
    ('"压铸 壳体"', []),
    ("6061", [C, A]),
    ("6061-T6", [C, A]),
    ("6061T6", [C, A]),
    ("t6", [C, A]),
    ("bearings", [D]),
    ("treating heats", [D]),
    ('"heat treatment"', [D]),
    ('"treatment heat"', []),
    ("轴承 OR 主轴", [F]),
    ("减速器 | 铝", [E, C, B, A]),
    ('铝 -"型材精"', [A]),
    ("1600", [A]),
    ("1600吨", [A]),
    ("数控", [F]),
    ("CNC", [F]),
    ("渝州精密", [G, F, E, D, C, B, A]),
    ("不存在的东西", []),
    ("heat 减速器", []),
]

HOSTILE = [
    '"',
    "'",
    "\\",
    "%",
    "_",
    "*",
    "a*",
    "t:铝",
    "tokens:铝",
    "NEAR(铝 合)",
    "AND",
    "NOT",
    "铝 AND",
    "铝 NOT 合",
    "(",
    ")(",
    "a & b | !c",
    "<->",
    "铝:*",
    ":A",
    "\x00",
    "铝\x00合",
    "\ud800",
    "\u202e铝",
    "'; DROP TABLE search_body; --",
    '"铝" OR ""',
    "-",
    "--",
    "||||",
    "e\u0301" * 60,
    "𠮷野家",
    "😀",
    "ﷺ",
    "a" * 200,
    "长" * 200,
    " ".join("铝" * 99),
]


@pytest.fixture
def corpus(post: Post) -> None:
    post(A, "一体化压铸，锁模力 1,600 吨，材料也可用 6061-T6。压铸岛两座，压铸节拍 90 秒。", region="500112")
    post(B, "殼體採用壓鑄成形。", clusters=("A1",), trl=8)
    post(C, "铝型材。", keywords=("铝型材",), trl=5)
    post(D, "Bearings are heat-treated in a vacuum furnace.", keywords=("heat treatment",))
    post(E, "減速器樣機已完成。", keywords=("减速器",))
    post(F, "用于数控机床（CNC）。")
    post(G, "清洗压铸壳体内腔。", keywords=("壳体",))


def titles(asked: Asked) -> list[str]:
    question = queries.ask(asked.q)
    return [hit.document.title for hit in queries.find(asked, question, now=clock.now(), per_page=20).items]


def test_both_databases_give_the_same_hits_in_the_same_order(
    app: Flask, corpus: None, count_statements: Callable[[], Any]
) -> None:
    wrong = {
        q: found for q, wanted in EXPECTED if (found := titles(Asked(q=q, scope="capability"))) != wanted
    }
    assert wrong == {}
    # Of filters and orders each alone, and all of it together.
    assert titles(Asked("铝", chosen=(("trl", "4-6"),))) == [C]
    assert titles(Asked("压铸", chosen=(("standing", "closed"),))) == []
    assert titles(Asked("压铸", sort="new")) == [G, B, A]
    assert titles(Asked("", "capability", sort="money"))[:2] == [G, F]
    assert titles(Asked("压铸", chosen=(("region", "500000"), ("cluster", "A1"), ("money", "0-50")))) == []
    assert titles(Asked("渝州精密", "organisation")) == ["渝州精密机械有限公司"]
    for q, most in (("减速器", 5), ("减速器 | 铝 压铸", 6), ("", 5)):
        with count_statements() as seen:
            titles(Asked(q))
        assert len(seen) <= most, seen


def test_nothing_typed_brings_the_page_down_or_finds_everything(app: Flask, corpus: None) -> None:
    client = app.test_client()
    app.extensions["search.throttle"].searches.clear()
    for hostile in HOSTILE:
        question = queries.ask(hostile)
        found = queries.find(Asked(hostile), question, now=clock.now())
        assert found.total < 8 or not hostile.strip(), hostile
        # Some of it cannot be written into an address; the page gets what remains.
        sent = hostile.encode("utf-8", "replace").decode()
        for path in ("/search", "/capabilities", "/search/suggest"):
            status = client.get(path, query_string={"q": sent}).status_code
            assert status == (400 if "\x00" in hostile else 200), (path, hostile)
        app.extensions["search.throttle"].searches.clear()
    too_long = client.get("/search", query_string={"q": "长" * 1000})
    assert too_long.status_code == 422
    assert "关键词最多 200 个字符，您输入了 1000 个" in too_long.text
    filters = dict.fromkeys(("scope", "standing", "region", "cluster", "trl", "org"), "' OR 1=1 --%_")
    filters |= {"money": "9" * 30, "since": "-1", "sort": "x", "page": "9" * 30}
    assert client.get("/search", query_string={"q": "铝", **filters}).status_code == 200
    assert client.get("/search", query_string={"q": "铝", "cluster": "\x00"}).status_code == 400
    for number in ("0", "9" * 18, "9" * 30, "²"):
        assert client.get("/search", query_string={"org": number}).status_code == 200


def test_the_page_marks_counts_and_helps(app: Flask, corpus: None) -> None:
    client, before = app.test_client(), footprint()
    page = client.get("/search", query_string={"q": "减速器"}).text
    assert '<mark class="hl">減速器</mark>殼體壓鑄件' in page
    assert '工业机器人用谐波<mark class="hl">减速器</mark>' in page
    assert "筛选计数统计于" in page
    assert "保存检索" in page
    narrowed = client.get("/search", query_string={"q": "减速器", "trl": "7-9", "since": "7"}).text
    assert "<b>2</b> 条" in narrowed
    # A reader changes nothing: neither rows nor what others are shown.
    assert footprint() == before

    counts, documents = vocabulary.count_words()
    db.session.rollback()
    with transaction():
        vocabulary.store(counts, documents=documents, now=clock.now())
    vocabulary.forget()
    assert 'q=%E5%87%8F%E9%80%9F%E5%99%A8">减速器</a>' in client.get("/search?q=减素器").text
    assert '<option value="减速器">' in client.get("/search/suggest?q=减").text
    assert "没有可以搜索的词" in client.get("/search?q=!!!").text
    assert "没有找到" in client.get("/search?q=不存在的东西").text


def test_counts_are_kept_for_a_while_and_say_since_when(app: Flask, corpus: None, post: Post) -> None:
    asked, question = Asked("压铸"), queries.ask("压铸")
    with app.test_request_context():
        first = presenters.remembered_counts(asked, question, now=clock.now())
        post("再一件压铸件")
        assert presenters.remembered_counts(asked, question, now=clock.now()) is first
        tabs = {scope: count for scope, _label, count in presenters.tabs(first, asked)}
        assert tabs == {"": 3, "challenge": 0, "need": 0, "capability": 3, "organisation": 0}
        shown = {f.name: {o.value: o.count for o in f.options} for f in presenters.facets(first, asked)}
        assert shown["standing"] == {"open": 3}
        assert shown["trl"] == {"7-9": 3}
        assert shown["since"] == {"7": 3, "30": 3, "365": 3}
        # Beside a choice stands what the other choices leave.
        narrow = Asked("压铸", "capability", (("trl", "4-6"), ("since", "7"), ("region", "500000")))
        beside = presenters.remembered_counts(narrow, question, now=clock.now())
        assert dict(beside.numbers["scope"]) == {}
        assert dict(beside.numbers["trl"]) == {"7": 3, "8": 1}
        presenters.forget_counts()
        assert (
            sum(presenters.remembered_counts(asked, question, now=clock.now()).numbers["scope"].values()) == 4
        )


def test_an_address_may_search_so_often_a_minute(app: Flask) -> None:
    client = app.test_client()
    answers = [client.get("/search?q=a").status_code for _ in range(SEARCHES_A_MINUTE + 1)]
    assert answers == [200] * SEARCHES_A_MINUTE + [429]
    refused = client.get("/search?q=a")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    elsewhere = client.get("/search?q=a", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_the_hall_finds_what_search_finds(app: Flask, corpus: None) -> None:
    page = app.test_client().get("/capabilities", query_string={"q": "减速机"}).text
    assert E in page
    assert B in page
    assert A not in page
    assert db.session.query(Capability).count() == 7
