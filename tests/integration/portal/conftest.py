"""A small market: a leader firm that seeks, an SME that offers, and others whose things must not show up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from flask import Flask

from marketplace.audit.services import record
from marketplace.capabilities import services as capability_services
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.challenges import services as challenge_services
from marketplace.challenges.kinds import IpTerms
from marketplace.challenges.models import Challenge
from marketplace.challenges.rules import ChallengeDraft
from marketplace.identity.credentials import hash_password
from marketplace.identity.models import User
from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.kernel import actor as actors
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.needs import services as need_services
from marketplace.needs.models import Need
from marketplace.needs.rules import NeedDraft
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import (
    Designation,
    DesignationKind,
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationKind,
    OrganisationSize,
)

PASSWORD = "a long one for tests"
BACKGROUND = (
    "公司 2028 年量产车型取消制动液管路，前后轮全部改为干式线控制动，首年需求约 9 万套前轮执行器，"
    "整车踏板感模拟器和四轮协调控制软件由我方提供。"
)
PROBLEM = (
    "现有样件在连续制动后丝杠副润滑衰退，夹紧力由 28 kN 降至 23 kN，偏差由 3% 增大到 11%；"
    "无夹紧力传感器时的力估计在制动块磨损后漂移，需要可标定、可诊断的力闭环方案，并满足整车功能安全目标。"
)
SUMMARY = (
    "面向轮端电动卡钳的直线执行机构，滚珠丝杠与行星减速器同轴集成，额定夹紧力 31 kN，内置间隙自适应控制。"
)


@dataclass(frozen=True)
class Market:
    leader: Actor
    sme: Actor
    stranger: Actor
    operator: Actor
    auditor: Actor
    newcomer: Actor

    def challenge(self, *, publish: bool = True, days: int = 30, **values: Any) -> Challenge:
        now = clock.now()
        columns: dict[str, Any] = {
            "title": "电子机械制动轮端执行器关键技术",
            "clusters": ("A1",),
            "keywords": ("线控制动", "夹紧力", "丝杠"),
            "industry": "C36",
            "region": "500112",
            "background": BACKGROUND,
            "problem": PROBLEM,
            "trl_current": 5,
            "trl_target": 8,
            "indicators": (_indicator(60), _indicator(40, "夹紧响应时间", Mark.KEY)),
            "requirements": "有制动执行器量产或样机经历",
            "acceptance": "第三方台架检测并在我方试车场签认",
            "budget_fen": 8_000_000_00,
            "closes_on": business_date(now) + timedelta(days=days),
            "ip_terms": IpTerms.SHARED,
            **values,
        }
        with transaction():
            challenge = challenge_services.start_draft(ChallengeDraft(**columns), by=self.leader, now=now)
            challenge.organisation = db.session.get_one(Organisation, challenge.organisation_id)
            if publish:
                challenge_services.submit(challenge, by=self.leader, now=now)
                challenge_services.approve(challenge, by=self.operator, now=now)
        return challenge

    def capability(self, title: str = "轮端电动卡钳直线执行机构", *, by: Actor | None = None) -> Capability:
        now, owner = clock.now(), by or self.sme
        draft = CapabilityDraft(
            title=title, summary=SUMMARY, clusters=("A1",), parameters=(_indicator(0),), keywords=("夹紧力",)
        )
        with transaction():
            capability = capability_services.start_draft(draft, by=owner, now=now)
            capability.organisation = db.session.get_one(Organisation, capability.organisation_id)
            capability_services.publish(capability, by=owner, now=now)
        return capability

    def need(self, title: str = "滚珠丝杠副 Φ16×5") -> Need:
        now = clock.now()
        draft = NeedDraft(
            title=title,
            specification="轮端执行器用滚珠丝杠副，精度 C5 级，要求润滑寿命与夹紧力保持",
            quantity=Decimal(4800),
            unit="套",
            clusters=("A1",),
            delivery_on=business_date(now) + timedelta(days=120),
            valid_until=business_date(now) + timedelta(days=40),
            max_price_fen=123_456_700,
            max_price_hidden=True,
        )
        with transaction():
            need_list = need_services.open_list(title="前轮执行器配套", note="", by=self.leader, now=now)
            need = need_services.start_draft(need_list, draft, by=self.leader, now=now)
            need.organisation = db.session.get_one(Organisation, need.organisation_id)
            need_services.publish(need, by=self.leader, now=now)
        return need


def _indicator(weight: int, name: str = "最大夹紧力", mark: Mark = Mark.MUST) -> Indicator:
    return Indicator(
        name=name,
        comparator=Comparator.GE,
        value=Decimal(28),
        unit="kN",
        condition="额定电压 12 V",
        method="台架规范第 5.2 条",
        verifier=Verifier.THIRD_PARTY,
        weight=weight,
        mark=mark,
    )


def _organisation(name: str, uscc: str, *, leads: bool = False) -> Organisation:
    now = clock.now()
    # Verified at once: how an organisation gets there is not what these tests are about.
    organisation = Organisation(
        name=name,
        uscc=uscc,
        kind=OrganisationKind.ENTERPRISE,
        size=OrganisationSize.LARGE if leads else OrganisationSize.SMALL,
        status=OrganisationStatus.VERIFIED,
        region="500112",
        created_at=now,
        verified_at=now,
    )
    if leads:
        organisation.designations = [Designation(kind=DesignationKind.CHAIN_MASTER, confirmed_at=now)]
    db.session.add(organisation)
    db.session.flush()
    return organisation


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return hash_password(PASSWORD)


def _person(name: str, role: PlatformRole | None = None) -> User:
    user = User(
        email=f"{name}@example.com",
        name=name,
        password_hash=_password_hash(),
        platform_role=role,
        created_at=clock.now(),
    )
    db.session.add(user)
    db.session.flush()
    return user


def _manager(name: str, organisation: Organisation, *, leads: bool = False) -> Actor:
    user = _person(name)
    db.session.add(
        Membership(
            organisation_id=organisation.id,
            user_id=user.id,
            role=OrganisationRole.MANAGER,
            status=MembershipStatus.ACTIVE,
            requested_at=clock.now(),
        )
    )
    return Actor(
        user_id=user.id,
        name=name,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        organisation_role=OrganisationRole.MANAGER,
        organisation_verified=True,
        may_post_challenges=leads,
    )


def _official(name: str, role: PlatformRole) -> Actor:
    return Actor(user_id=_person(name, role).id, name=name, platform_role=role)


def build_market() -> Market:
    """Needs an application context."""
    with transaction():
        made = Market(
            leader=_manager(
                "leader", _organisation("渝川智驾科技有限公司", "91500112MA5U0001X1", leads=True), leads=True
            ),
            sme=_manager("sme", _organisation("渝中精驱传动有限公司", "91500112MA5U0002X2")),
            stranger=_manager("stranger", _organisation("江州重工有限公司", "91500112MA5U0003X3")),
            operator=_official("operator", PlatformRole.OPERATOR),
            auditor=_official("auditor", PlatformRole.AUDITOR),
            newcomer=Actor(user_id=_person("newcomer").id, name="newcomer"),
        )
        record("test.market", "organisation", 1, by=SYSTEM, at=clock.now(), covers="*")
    return made


@pytest.fixture
def market(app: Flask) -> Market:
    return build_market()


@pytest.fixture
def sign_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Actor], None]:
    def as_actor(actor: Actor) -> None:
        monkeypatch.setattr(actors, "_loaders", [lambda: actor])

    as_actor(actors.ANONYMOUS)
    return as_actor
