"""`flask seed demo`: once, never in production, and everything where its file says it is."""

from collections import Counter
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.audit.models import AuditEvent
from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge, ChallengeAnnex
from marketplace.demo import loader
from marketplace.demo.accounts import ACCOUNTS, PASSWORD
from marketplace.demo.content import read_content
from marketplace.identity.credentials import is_password
from marketplace.identity.models import User
from marketplace.identity.rules import obstacles_to_password
from marketplace.kernel import clock, invariants
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.kernel.outbox import OutboxRow
from marketplace.needs.models import Need, NeedHiddenPrice
from marketplace.organisations.models import Organisation
from marketplace.search import index
from tests.integration.support import count_of, footprint


def statuses(entity: type) -> Counter[str]:
    return Counter(status.value for status in db.session.scalars(select(entity.status)))  # type: ignore[attr-defined]


def ignore(_done: int, _total: int) -> None:
    pass


# On SQLite it is loaded by every marketplace that `make run` starts for a test.
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_everything_lives_where_its_file_says_and_a_second_run_changes_nothing(app: Flask) -> None:
    now = clock.now()
    content = read_content(business_date(now))
    prepared = db.session.scalar(select(func.max(AuditEvent.seq))) or 0
    loader.load(now=now, report=ignore)

    needs = [need for need_list in content.need_lists for need in need_list.needs]
    challenges = Counter(entry.state for entry in content.challenges)
    challenges["published"] += challenges.pop("closed")
    # One firm was entered by the platform, with a capability that is left to it.
    organisations = Counter(entry.state.value for entry in content.organisations)
    assert statuses(Organisation) == organisations + Counter(verified=1)
    capabilities = Counter(entry.state.value for entry in content.capabilities)
    assert statuses(Capability) == capabilities + Counter(draft=1)
    assert statuses(Need) == Counter(need.state.value for need in needs)
    assert statuses(Challenge) == challenges

    annexes = [entry.annex for entry in content.challenges if entry.annex]
    assert Counter(db.session.scalars(select(ChallengeAnnex.text))) == Counter(annexes)
    assert count_of(NeedHiddenPrice) == sum(need.draft.max_price_hidden for need in needs)

    lived = select(AuditEvent.at).where(AuditEvent.seq > prepared).order_by(AuditEvent.seq)
    moments = list(db.session.scalars(lived))
    assert moments == sorted(moments)
    assert moments[-1] < now
    published = db.session.scalars(select(Challenge.published_at).where(Challenge.published_at.is_not(None)))
    assert all(3 <= (now - moment).days <= 65 for moment in published)

    assert sorted(db.session.scalars(select(OutboxRow.kind))) == [loader.RANKING, index.CATCH_UP]
    assert [verdict.name for verdict in invariants.judge(now=now) if verdict.violations] == []

    before = footprint()
    again = app.test_cli_runner().invoke(args=["seed", "demo"])
    assert (again.exit_code, "未作改动" in again.output) == (0, True)
    assert footprint() == before
    listed = app.test_cli_runner().invoke(args=["seed", "accounts"])
    assert all(account.email in listed.output for account in ACCOUNTS)
    assert PASSWORD in listed.output
    hashes = set(db.session.scalars(select(User.password_hash)))
    assert len(hashes) == 1
    assert is_password(PASSWORD, hashes.pop())


def test_production_refuses_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "settings", SimpleNamespace(is_production=True))
    before = footprint()
    refused = app.test_cli_runner().invoke(args=["seed", "demo"])
    assert refused.exit_code != 0
    assert "生产环境" in refused.output
    assert footprint() == before


def test_without_a_demonstration_there_are_no_accounts_to_list(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["seed", "accounts"]).exit_code != 0


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.email)
def test_the_shared_password_is_one_that_people_might_choose(account: object) -> None:
    assert list(obstacles_to_password(PASSWORD, name=account.name, email=account.email)) == []  # type: ignore[attr-defined]
