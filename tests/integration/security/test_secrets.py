"""Words planted in confidential annexes and a hidden price are found where they belong and nowhere else."""

import re
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from itertools import chain, zip_longest
from pathlib import Path
from urllib.parse import unquote, urljoin
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.challenges.models import ChallengeAnnex
from marketplace.kernel.db import Base, db
from marketplace.matching.models import MatchDocument, MatchEntry
from marketplace.needs.models import NeedHiddenPrice
from tests.integration.security.world import World, build, rules_for, urls_of
from tests.integration.support import a_capability, a_need_form, values_in

# Written so that no text, date, hash or number of a page can hold them by chance.
WORDS = ("鼹鼠鬃毛合金", "qzx7301vv")
ANNEX = f"保密配方：{WORDS[0]} 3.7%，内部代号 {WORDS[1].upper()}，夹紧力丝杠润滑脂。"
PRICE_FEN = 98_761_234_507
PRICES = ("98761234507", "987612345.07", "987,612,345.07", "98761.234507", "98,761.234507")
HOMES = {ChallengeAnnex.__tablename__, NeedHiddenPrice.__tablename__}
MOST_PAGES = 300


def secrets_in(text: str) -> list[str]:
    text = unescape(unquote(text)).casefold()
    return [secret for secret in (*WORDS, *PRICES) if secret in text]


def text_of(response: TestResponse) -> str:
    """What an answer says; of a workbook, what its parts say."""
    if not response.data.startswith(b"PK"):
        return response.data.decode(errors="replace")
    with ZipFile(BytesIO(response.data)) as parts:
        return "\n".join(parts.read(name).decode() for name in parts.namelist())


def homes_of(world: World) -> set[str]:
    """Where members of the owner are shown them."""
    kinds = {"JB": "/workbench/challenges/{}/annex", "XQ": "/workbench/needs/{}/edit"}
    return {kinds[kind].format(number) for number in world.ids if (kind := number.partition("-")[0]) in kinds}


def pages(world: World, client: FlaskClient) -> Iterator[tuple[str, str]]:
    """(address, all that is answered): the owner's pages, every GET route, and whatever those pages lead to.

    Each route once before any route twice, because there are more addresses than are asked.
    """
    ids = world.ids_of_each_kind(most=2)
    routes = [
        urls_of(rule, [*ids, "challenge", "need"], [1, 2, 3]) for rule in rules_for(world.app.url_map, "GET")
    ]
    rounds = chain.from_iterable(zip_longest(*routes))
    waiting = ["/", "/workbench", *sorted(homes_of(world)), *(url for url in rounds if url)]
    seen: set[str] = set()
    while waiting and len(seen) < MOST_PAGES:
        url = waiting.pop(0)
        if url in seen or url.startswith("/static/"):
            continue
        seen.add(url)
        response = client.get(url)
        text = text_of(response)
        yield url, f"{response.headers}\n{text}"
        for link in re.findall(r'(?:href|action|hx-get)="([^"#]+)', text):
            target = urljoin(url, unescape(link))
            # Lists have no end of filters; one page of each is the same code.
            if target.startswith("/") and "?" not in target:
                waiting.append(target)


def ranked_world(app: Flask) -> World:
    world = build(app, annex=ANNEX, hidden_price_fen=PRICE_FEN)
    a_capability(world.foreign_sme, title="丝杠润滑与夹紧力保持方案")
    result = app.test_cli_runner().invoke(args=["match", "rank", "--all"])
    assert result.exit_code == 0, result.output
    assert secrets_in(result.output) == []
    db.session.rollback()
    return world


def test_no_table_holds_them_but_their_own(app: Flask) -> None:
    ranked_world(app)
    assert db.session.scalars(select(MatchDocument.id)).all()
    assert db.session.scalars(select(MatchEntry.id)).all()
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(table.select()).mappings():
            if table.name in HOMES:
                assert secrets_in(repr(dict(row)))
            else:
                assert secrets_in(repr(dict(row))) == [], table.name


def test_no_file_holds_them(app: Flask) -> None:
    ranked_world(app)
    files = [
        path
        for path in Path(app.config["INSTANCE_DIR"]).rglob("*")
        if path.is_file() and "sqlite3" not in path.name
    ]
    # The files that the index of the matcher lives in are among them.
    assert any("matching" in path.parts for path in files)
    for path in files:
        content = path.read_bytes()
        for encoding in ("utf-8", "utf-16-le", "utf-32-le", "gb18030"):
            for secret in (*WORDS, WORDS[1].upper(), *PRICES):
                assert secret.encode(encoding) not in content, path


# Many requests: slow where the machine is busy with other things.
@pytest.mark.timeout(900)
def test_nobody_but_their_owner_is_shown_them(app: Flask) -> None:
    world = ranked_world(app)
    homes = homes_of(world)
    viewers = world.viewers()
    if db.engine.dialect.name != "sqlite":
        # Pages are the same on both databases; what differs is how rows are read, and for these two.
        viewers = {who: viewers[who] for who in ("leader", "foreign leader")}
    for who, client in viewers.items():
        shown = {url for url, answer in pages(world, client) if secrets_in(answer)}
        if who == "leader":
            assert shown
            assert shown <= homes
        else:
            assert shown == set(), who


def test_no_search_and_no_similarity_finds_them(app: Flask) -> None:
    world = ranked_world(app)
    for who, client in world.viewers().items():
        for secret in (*WORDS, "98761234507", "987612345.07"):
            for path in ("/challenges", "/needs", "/capabilities"):
                page = client.get(path, query_string={"q": secret}).text
                assert "<b>0</b>" in page, f"{who}: {path} found {secret}"


def test_no_error_page_tells_them(app: Flask) -> None:
    world = ranked_world(app)
    viewers = world.viewers()
    for who in ("visitor", "foreign leader", "operator", "auditor"):
        for number in world.ids:
            for url in (
                f"/workbench/needs/{number}/edit",
                f"/workbench/challenges/{number}/annex",
                f"/workbench/challenges/{number}/submit",
                f"/needs/{number}/publish",
                f"/needs/{number}/take_down",
            ):
                response = viewers[who].post(url, data=a_need_form(version="0", annex="x"))
                assert secrets_in(response.text) == [], f"{who}: {url}"


def test_what_the_owners_colleagues_are_told_apart_keeps_the_price_among_them(app: Flask) -> None:
    # Somebody was faster: the page with both texts shows the price to the owner's members, whose it is.
    world = ranked_world(app)
    browser = world.viewers()["leader"]
    number = next(n for n in world.ids if n.startswith("XQ-"))
    url = f"/workbench/needs/{number}/edit"
    assert values_in(browser.get(url).text, "max_price") == ["987,612,345.07"]
    response = browser.post(url, data=a_need_form(version="99", max_price="1", max_price_hidden="y"))
    assert response.status_code == 409
    assert secrets_in(response.text)
