"""Who sees which shortlist, and what stands on it."""

import re

import pytest
from sqlalchemy import select

from marketplace.kernel import clock, outbox
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow
from marketplace.language import DEFAULT_DICTIONARY
from marketplace.matching import queries, runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from marketplace.needs import queries as needs
from marketplace.needs import services as need_services
from tests.integration.support import (
    a_capability,
    a_need,
    an_auditor,
    an_editor,
    an_operator,
    client_of,
)


class Market:
    def __init__(self):
        self.buyer, self.supplier, self.rival, self.stranger = (an_editor() for _ in range(4))
        self.own = a_capability(self.supplier)
        self.other = a_capability(self.rival, title="冷旋锻空心半轴专线", parameters=())
        self.need = a_need(self.buyer)
        runs.take_over_capabilities()
        runs.rank_seeker(Subject(PostingKind.NEED, self.need.id))
        self.run = queries.find_run(PostingKind.NEED, self.need.id)
        self.address = f"/workbench/matching/needs/{self.need.public_no}"
        self.page = f"/needs/{self.need.public_no}"


@pytest.fixture
def market(app):
    return Market()


def text_of(response):
    assert response.status_code == 200, response.status_code
    return response.get_data(as_text=True)


@pytest.mark.parametrize("who", ["buyer", "operator", "auditor"])
def test_owner_operator_and_auditor_see_the_whole_list(app, market, who):
    actor = {"buyer": lambda: market.buyer, "operator": an_operator, "auditor": an_auditor}[who]()
    page = text_of(client_of(app, actor).get(market.address))
    assert market.own.title in page
    assert market.other.title in page
    assert "为什么不是更高" in page


def test_a_supplier_sees_its_own_line_with_reasons_and_nobody_elses(app, market):
    client = client_of(app, market.supplier)
    for address in (market.address, market.page):
        page = text_of(client.get(address))
        assert market.own.title in page
        assert market.other.title not in page
    places = {line.capability.id: line.entry.place for line in queries.list_lines(market.run.id)}
    other = f"/workbench/matching/runs/{market.run.public_no}/places/{places[market.other.id]}"
    own = f"/workbench/matching/runs/{market.run.public_no}/places/{places[market.own.id]}"
    assert client.get(other, headers={"HX-Request": "true"}).status_code == 404
    assert "为什么不是更高" in text_of(client.get(own, headers={"HX-Request": "true"}))
    # What is kept of a run is no way to a text that was taken down.
    operator = an_operator()
    with transaction():
        need = needs.get_need(market.need.public_no, viewer=market.buyer)
        need_services.take_down(need, reason="含有不实内容", by=operator, now=clock.now())
    for address in (market.address, own):
        assert client.get(address, headers={"HX-Request": "true"}).status_code == 404
    buyer = client_of(app, market.buyer)
    assert buyer.get(own, headers={"HX-Request": "true"}).status_code == 200


def test_a_stranger_and_a_visitor_see_no_list(app, market):
    assert client_of(app, market.stranger).get(market.address).status_code == 404
    assert market.own.title not in text_of(client_of(app, market.stranger).get(market.page))
    assert app.test_client().get(market.address).status_code == 302
    assert market.own.title not in text_of(app.test_client().get(market.page))


def test_every_place_can_be_expanded_with_and_without_scripts(app, market):
    client = client_of(app, market.buyer)
    fragment = f"/workbench/matching/runs/{market.run.public_no}/places/2"
    part = text_of(client.get(fragment, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "可以怎么补" in part
    redirect = client.get(fragment)
    assert redirect.status_code == 302
    assert redirect.location == f"{market.address}?page=1&open=2#place-2"
    page = text_of(client.get(f"{market.address}?page=1&open=2"))
    assert page.index('id="place-2"') < page.index("为什么不是更高")


def test_shown_parts_add_up_to_the_shown_score(app, market):
    page = text_of(client_of(app, market.buyer).get(market.address))
    legends = re.findall(r'<ul class="legend">(.*?)</ul>', page, re.S)
    assert legends
    for legend in legends:
        points = [round(float(one) * 10) for one in re.findall(r"<b>([\d.]+)</b>", legend)]
        assert sum(points[:-1]) == points[-1]


def test_shown_losses_add_up_to_what_is_missing(app, market):
    page = text_of(client_of(app, market.buyer).get(market.address))
    losses = [round(float(one) * 10) for one in re.findall(r"（−([\d.]+)）</li>", page)]
    total, score = re.search(r"合计 −([\d.]+)，即 100 − ([\d.]+)", page).groups()
    assert sum(losses) == round(float(total) * 10)
    assert round(float(total) * 10) + round(float(score) * 10) == 1000


def test_the_matched_terms_are_marked_in_both_texts(app, market):
    page = text_of(client_of(app, market.buyer).get(market.address))
    left, right = re.search(r'<div class="pair"><div>(.*?)</div><div>(.*?)</div></div>', page, re.S).groups()
    assert '<mark class="hl">' in left
    assert '<mark class="hl">' in right


def test_a_page_waits_for_its_list_and_says_so(app):
    buyer = an_editor()
    need = a_need(buyer)
    page = text_of(client_of(app, buyer).get(f"/needs/{need.public_no}"))
    assert 'hx-trigger="every 2s"' in page
    runs.rank_seeker(Subject(PostingKind.NEED, need.id))
    with transaction():
        for row in db.session.scalars(select(OutboxRow)):
            row.done_at = clock.now()
    panel = client_of(app, buyer).get(f"/workbench/matching/needs/{need.public_no}/panel")
    assert "every 2s" not in text_of(panel)


def test_a_supplier_finds_the_needs_that_fit_it(app, market):
    page = text_of(client_of(app, market.supplier).get("/workbench/matching/fits?kind=needs"))
    assert market.need.title in page
    assert market.other.title not in page
    assert market.need.title not in text_of(
        client_of(app, market.buyer).get("/workbench/matching/fits?kind=needs")
    )


def test_the_monitor_shows_runs_to_the_operator_and_lets_dead_work_live_again(app, market):
    operator = an_operator()
    with transaction():
        outbox.defer("matching.rank_seeker", subject_id=market.need.id, version=9, payload={"kind": "need"})
    with transaction():
        dead = db.session.scalars(select(OutboxRow).where(OutboxRow.version == 9)).one()
        dead.dead_at, dead.last_error = clock.now(), "ValueError: kaputt"
    client = client_of(app, operator)
    page = text_of(client.get("/workbench/matching/monitor"))
    assert market.run.public_no in page
    assert "kaputt" in page
    assert client.post("/workbench/matching/monitor/retry", data={"id": str(dead.id)}).status_code == 302
    assert db.session.scalars(select(OutboxRow.dead_at).where(OutboxRow.id == dead.id)).one() is None


def test_an_auditor_may_look_at_the_monitor_and_not_retry(app, market):
    client = client_of(app, an_auditor())
    page = text_of(client.get("/workbench/matching/monitor"))
    assert market.run.public_no in page
    assert DEFAULT_DICTIONARY.version in page
    assert client.post("/workbench/matching/monitor/retry", data={"id": "1"}).status_code == 403


def test_the_list_costs_the_same_however_long_it_is(app, market, count_statements):
    client = client_of(app, market.buyer)
    client.get(market.address)
    with count_statements() as few:
        client.get(market.address)
    for number in range(9):
        a_capability(market.rival, title=f"旋锻轴管第{number}线")
    runs.take_over_capabilities()
    runs.rank_seeker(Subject(PostingKind.NEED, market.need.id), again=True)
    with count_statements() as many:
        client.get(market.address)
    assert len(many) == len(few)
