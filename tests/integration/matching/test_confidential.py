"""What is confidential stands in no row, on no page and in no command of matching, for anybody."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.matching import epochs, preview, queries, runs, settings
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from marketplace.matching.models import (
    MatchChange,
    MatchDocument,
    MatchEntry,
    MatchRun,
    PostingKind,
    WeightSet,
)
from marketplace.matching.sources import Subject
from tests.factories import a_challenge, a_leader
from tests.integration.support import a_capability, a_need, an_auditor, an_editor, an_operator, client_of

ANNEX, PRICE_FEN = "附件金丝雀", 7_654_321_00
SECRETS = (ANNEX, "7654321", "7,654,321", "765.4321", "765432100")
TITLE = "电机主轴管旋锻毛坯"


class Market:
    """A challenge with a confidential annex and a need with a hidden price, each ranked twice."""

    def __init__(self):
        self.owner, self.supplier, self.operator = a_leader(), an_editor(), an_operator()
        self.capability = a_capability(self.supplier, title=TITLE)
        self.other = a_capability(an_editor(), title="旋锻空心轴管")
        self.challenge = a_challenge(self.owner, annex=ANNEX, title=TITLE)
        self.need = a_need(self.owner, max_price_fen=PRICE_FEN, max_price_hidden=True)
        before = self.rank()
        a_capability(self.supplier, title="汽车主轴旋锻空心轴管毛坯")
        self.runs = list(zip(before, self.rank(), strict=True))
        weights = replace(
            DEFAULT_WEIGHTS,
            version="P-C.1",
            parts=MappingProxyType(dict(DEFAULT_WEIGHTS.parts) | {"text": 20, "region": 24}),
        )
        with transaction():
            self.setting = settings.propose(
                "weights", weights, reason="试算", by=self.operator, now=clock.now()
            ).id
        preview.compute_preview("weights", self.setting, report=lambda *_: None, finish=lambda: None)

    def rank(self):
        """The numbers of new runs for both."""
        runs.take_over_capabilities()
        epochs.build_epoch(again=True)
        subjects = (
            Subject(PostingKind.CHALLENGE, self.challenge.id),
            Subject(PostingKind.NEED, self.need.id),
        )
        for one in subjects:
            runs.rank_seeker(one, again=True)
        return [queries.find_run(one.kind, one.id).public_no for one in subjects]


@pytest.fixture
def market(app):
    return Market()


def assert_silent(text, where):
    assert not [secret for secret in SECRETS if secret in text], where


def test_no_row_of_matching_holds_it(market):
    for entity, columns in (
        (MatchDocument, ("content",)),
        (MatchEntry, ("reasons", "parts")),
        (MatchRun, ("excluded",)),
        (MatchChange, ("cause",)),
        (WeightSet, ("preview",)),
    ):
        for row in db.session.scalars(select(entity)):
            assert_silent(" ".join(str(getattr(row, name)) for name in columns), entity.__name__)


@pytest.mark.parametrize("who", ["owner", "supplier", "operator", "auditor"])
def test_no_page_of_matching_shows_it(app, market, who):
    client = client_of(app, an_auditor() if who == "auditor" else getattr(market, who))
    root = "/workbench/matching"
    pages = [
        f"{root}/{kind}/{number}{page}"
        for kind, number in (("challenges", market.challenge.public_no), ("needs", market.need.public_no))
        for page in ("", "/why", "/panel", "/consortium", "/consortium/panel")
    ]
    pages += [f"{root}/runs/{before}/diff/{after}" for before, after in market.runs]
    pages += [f"{root}/runs/{run}/places/{place}" for _, run in market.runs for place in (1, 2, 3)]
    pages += [
        f"{root}/settings/weights/{market.setting}",
        f"{root}/monitor",
        f"{root}/fits",
        "/ranking-rules",
    ]
    seen = 0
    for page in pages:
        answer = client.get(page, headers={"HX-Request": "true"})
        seen += answer.status_code == 200
        assert answer.status_code in (200, 403, 404), page
        assert_silent(answer.get_data(as_text=True), page)
    assert seen >= {"owner": 12, "supplier": 8, "operator": 12, "auditor": 12}[who]


def test_no_command_of_matching_prints_it(app, market):
    challenge, need = market.challenge.public_no, market.need.public_no
    commands = [["stats"], ["assemble", "--challenge", challenge]]
    for kind, number in (("challenge", challenge), ("need", need)):
        commands += [
            ["show", f"--{kind}", number],
            ["why", f"--{kind}", number, "--capability", market.capability.public_no],
        ]
    for before, after in market.runs:
        commands += [["diff", before, after], ["replay", before], ["replay", after]]
    runner = app.test_cli_runner()
    for command in commands:
        for form in ("text", "json"):
            done = runner.invoke(args=["match", *command, "--format", form])
            assert done.exit_code == 0, (command, done.output)
            assert_silent(done.output, command)
