"""A leader firm, its people, and the others who must not meddle."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from stdnum.cn import uscc

from marketplace.audit.services import record
from marketplace.challenges import services
from marketplace.challenges.kinds import IpTerms
from marketplace.challenges.models import Challenge
from marketplace.challenges.rules import ChallengeDraft
from marketplace.identity.models import User
from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.kernel import actor as actors
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
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
from marketplace.taxonomy.services import load_shipped

PROBLEM = (
    "现有样件在连续制动后丝杠副润滑衰退，夹紧力由 28 kN 降至 23 kN，偏差由 3% 增大到 11%；"
    "无夹紧力传感器时的力估计在制动块磨损后漂移，需要可标定、可诊断的力闭环方案，并满足整车功能安全目标。"
)
BACKGROUND = (
    "公司 2028 年量产车型取消制动液管路，前后轮全部改为干式线控制动，首年需求约 9 万套前轮执行器，"
    "整车踏板感模拟器和四轮协调控制软件由我方提供。"
)


@dataclass(frozen=True)
class People:
    editor: Actor
    manager: Actor
    reader: Actor
    stranger: Actor
    operator: Actor
    auditor: Actor

    def named(self, name: str) -> Actor:
        return actors.ANONYMOUS if name == "nobody" else getattr(self, name)


def _organisation(name: str, code: str, now: datetime) -> Organisation:
    # Verified at once: how an organisation gets there is not what these tests are about.
    organisation = Organisation(
        name=name,
        uscc=code + uscc.calc_check_digit(code),
        kind=OrganisationKind.ENTERPRISE,
        size=OrganisationSize.LARGE,
        status=OrganisationStatus.VERIFIED,
        region="500112",
        created_at=now,
        verified_at=now,
        designations=[Designation(kind=DesignationKind.CHAIN_MASTER, confirmed_at=now)],
    )
    db.session.add(organisation)
    db.session.flush()
    return organisation


def _person(name: str, now: datetime, role: PlatformRole | None = None) -> User:
    user = User(email=f"{name}@example.com", name=name, password_hash="-", platform_role=role, created_at=now)
    db.session.add(user)
    db.session.flush()
    return user


def _member(name: str, organisation: Organisation, role: OrganisationRole, now: datetime) -> Actor:
    user = _person(name, now)
    db.session.add(
        Membership(
            organisation_id=organisation.id,
            user_id=user.id,
            role=role,
            status=MembershipStatus.ACTIVE,
            requested_at=now,
        )
    )
    return Actor(
        user_id=user.id,
        name=name,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        organisation_role=role,
        organisation_verified=True,
        may_post_challenges=True,
    )


@pytest.fixture
def people(app: Flask) -> People:
    now = clock.now()
    with transaction():
        load_shipped(now=now)
        seeker = _organisation("渝川智驾科技有限公司", "91500112MA5U00001", now)
        other = _organisation("江州重工有限公司", "91500112MA5U00002", now)
        made = People(
            editor=_member("editor", seeker, OrganisationRole.EDITOR, now),
            manager=_member("manager", seeker, OrganisationRole.MANAGER, now),
            reader=_member("reader", seeker, OrganisationRole.READER, now),
            stranger=_member("stranger", other, OrganisationRole.MANAGER, now),
            operator=Actor(
                user_id=_person("operator", now, PlatformRole.OPERATOR).id,
                name="operator",
                platform_role=PlatformRole.OPERATOR,
            ),
            auditor=Actor(
                user_id=_person("auditor", now, PlatformRole.AUDITOR).id,
                name="auditor",
                platform_role=PlatformRole.AUDITOR,
            ),
        )
        record("test.people", "organisation", seeker.id, by=SYSTEM, at=now, covers="*")
    return made


@pytest.fixture
def sign_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Actor], None]:
    def as_actor(actor: Actor) -> None:
        monkeypatch.setattr(actors, "_loaders", [lambda: actor])

    as_actor(actors.ANONYMOUS)
    return as_actor


def indicator(name: str = "最大夹紧力", **values: Any) -> Indicator:
    columns: dict[str, Any] = {
        "comparator": Comparator.GE,
        "value": Decimal("28"),
        "unit": "kN",
        "condition": "额定电压 12 V",
        "method": "台架规范第 5.2 条",
        "verifier": Verifier.THIRD_PARTY,
        "weight": 100,
        "mark": Mark.MUST,
        **values,
    }
    return Indicator(name=name, **columns)


def whole_draft(now: datetime, **values: Any) -> ChallengeDraft:
    columns: dict[str, Any] = {
        "title": "电子机械制动轮端执行器关键技术",
        "clusters": ("A1", "E7"),
        "keywords": ("线控制动", "夹紧力", "丝杠"),
        "industry": "C36",
        "region": "500112",
        "background": BACKGROUND,
        "problem": PROBLEM,
        "trl_current": 5,
        "trl_target": 8,
        "indicators": (indicator(weight=60), indicator("夹紧响应时间", unit="ms", weight=40, mark=Mark.KEY)),
        "requirements": "有制动执行器量产或样机经历",
        "acceptance": "第三方台架检测并在我方试车场签认",
        "budget_fen": 80_000_000_00,
        "closes_on": business_date(now) + timedelta(days=30),
        "ip_terms": IpTerms.SHARED,
        **values,
    }
    return ChallengeDraft(**columns)


@pytest.fixture
def make_challenge(app: Flask, people: People) -> Callable[..., Challenge]:
    """A challenge brought to a status by the moves of its life."""

    def make(status: str = "published", *, by: Actor | None = None, **values: Any) -> Challenge:
        now, editor = clock.now(), by or people.editor
        with transaction():
            challenge = services.start_draft(whole_draft(now, **values), by=editor, now=now)
            challenge.organisation = db.session.get_one(Organisation, challenge.organisation_id)
            if status != "draft":
                services.submit(challenge, by=editor, now=now)
            if status == "returned":
                services.return_to_seeker(
                    challenge,
                    reason="请补充",
                    field_reasons={"problem": "现状数值不清"},
                    by=people.operator,
                    now=now,
                )
            if status in ("published", "withdrawn"):
                services.approve(challenge, by=people.operator, now=now)
            if status == "withdrawn":
                services.withdraw(challenge, reason="技术路线已调整", by=people.manager, now=now)
        return challenge

    return make
