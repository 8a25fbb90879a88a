"""Whoever reads English meets no Chinese but what somebody wrote: postings, names, reference data."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, select

from marketplace.kernel.access import ANYONE, audience_of
from marketplace.kernel.actor import ANONYMOUS, Actor
from marketplace.kernel.db import Base, db
from marketplace.matching import runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from tests.integration.portal.conftest import build_market

HAN = re.compile(r"[\u4e00-\u9fff]+")
MARK = re.compile(r"[，。：；（）？！]")
# What the machinery writes is what the pages have to say in the reader's language.
MACHINERY = ("audit_", "letter", "outbox")
FOREIGN = re.compile(r"<(\w+)[^>]*\slang=\"zh[^>]*>.*?</\1>", re.DOTALL)
HIDDEN = re.compile(r"<(script|style|pre)\b.*?</\1>|<!--.*?-->", re.DOTALL)
SAID = re.compile(r"\s(?:aria-label|title|alt|placeholder|data-[a-z]+|summary)=\"([^\"]*)\"")
TAG = re.compile(r"<[^>]+>")


def written(metadata: MetaData) -> list[str]:
    """Every text with Chinese in it that stands in the database, longest first."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for part in value.values():
                yield from texts(part)
        elif isinstance(value, (list, tuple)):
            for part in value:
                yield from texts(part)

    found: set[str] = set()
    for table in metadata.sorted_tables:
        if not table.name.startswith(MACHINERY):
            for row in db.session.execute(select(table)):
                found.update(text for value in row for text in texts(value) if HAN.search(text))
    return sorted(found, key=len, reverse=True)


def is_written(word: str, words: set[str], ours: list[str]) -> bool:
    """A long one may be cut out of what was written; a short one has to be all of it, or two of them."""
    if len(word) > 5 and any(word in known for known in ours):
        return True
    return word in words or any(word[:cut] in words and word[cut:] in words for cut in range(2, len(word)))


def left_in_chinese(page: str, ours: list[str]) -> list[str]:
    """What of a page is Chinese, less what is in the given texts and what is marked as Chinese."""
    page = FOREIGN.sub(" ", HIDDEN.sub(" ", page))
    words = {word for text in ours for word in HAN.findall(text)}
    left = []
    for part in (*SAID.findall(page), *TAG.split(page)):
        text = unescape(part)
        found = HAN.findall(text)
        left += [word for word in found if not is_written(word, words, ours)]
        if not found and MARK.search(text) and not any(text.strip() in known for known in ours):
            left.append(text.strip())
    return left


def test_public_pages_and_those_of_companies_are_english(
    app: Flask, client: FlaskClient, as_user: Callable[[Actor], FlaskClient]
) -> None:
    market = build_market()
    capability, challenge, need = market.capability(), market.challenge(), market.need()
    draft = market.challenge(publish=False)
    runs.place_capability(capability.id)
    runs.rank_seeker(Subject(PostingKind.CHALLENGE, challenge.id))
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    numbers = {
        "challenges": challenge.public_no,
        "needs": need.public_no,
        "capabilities": capability.public_no,
    }
    public = [f"/{kind}/{number}" for kind, number in numbers.items()]
    ours = [*written(Base.metadata), *(str(v) for k, v in app.config.items() if k.startswith("SITE_"))]
    readers: dict[str, tuple[FlaskClient, Actor]] = {
        "anybody": (client, ANONYMOUS),
        "sme": (as_user(market.sme), market.sme),
        "leader": (as_user(market.leader), market.leader),
        "newcomer": (as_user(market.newcomer), market.newcomer),
    }
    own = {
        "leader": [
            f"/workbench/challenges/{draft.public_no}/{step}" for step in ("basics", "terms", "preview")
        ],
    }
    left: dict[str, list[str]] = {}
    pages = 0
    for name, (reader, actor) in readers.items():
        reader.set_cookie("language", "en")
        for path in [*plain_pages(app, actor), *public, *own.get(name, [])]:
            answer = reader.get(path)
            if answer.status_code >= 500 or answer.mimetype != "text/html":
                continue
            pages += answer.status_code == 200
            if found := left_in_chinese(answer.text, ours):
                left[f"{name} {path}"] = found[:5]
    assert left == {}
    assert pages > 60
    sample = '<p title="单位">Acme 公司</p><b>Kind：</b><i lang="zh-CN">中文</i>'
    assert left_in_chinese(sample, ["公司"]) == ["单位", "Kind："]


def plain_pages(app: Flask, actor: Actor) -> list[str]:
    """The addresses without a place in them that a reader may see; one who is signed in, beyond anybody's."""
    pages = []
    for rule in app.url_map.iter_rules():
        policy = getattr(app.view_functions[rule.endpoint], "policy", None)
        if policy is None or rule.arguments or "GET" not in (rule.methods or set()):
            continue
        audience = audience_of(*policy)
        if (audience is ANYONE) != actor.signed_in and audience.admits(actor):
            pages.append(rule.rule)
    return sorted(set(pages) - {"/language", "/display"})
