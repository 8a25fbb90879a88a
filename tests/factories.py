"""Things in a status, brought there by the moves of their life; for tests that need them to begin with.

Here: people, organisations and postings, made through the features' own services inside `transaction()`.
Not here: what a single act does, which its own tests say. Everything needs an application context.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from PIL import Image
from stdnum.cn.uscc import calc_check_digit
from werkzeug.datastructures import FileStorage

from marketplace.attachments import services as attachment_services
from marketplace.capabilities import services as capability_services
from marketplace.capabilities.kinds import IpStatus, Maturity
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.challenges import queries as challenge_queries
from marketplace.challenges import services as challenge_services
from marketplace.challenges.kinds import Activity, IpTerms
from marketplace.challenges.models import Challenge
from marketplace.challenges.rules import ChallengeDraft
from marketplace.identity import services as identity_services
from marketplace.identity.models import User
from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.kernel import clock
from marketplace.kernel.actor import ANONYMOUS, SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.needs import services as need_services
from marketplace.needs.models import Need
from marketplace.needs.rules import NeedDraft
from marketplace.organisations import services as organisation_services
from marketplace.organisations.kinds import DesignationKind, OrganisationKind, OrganisationSize
from marketplace.organisations.licences import LICENCE
from marketplace.organisations.members import services as member_services
from marketplace.organisations.models import Organisation
from marketplace.organisations.queries import actor_for
from marketplace.organisations.rules import DesignationDraft, OrganisationDraft

_numbers = count(1)


@cache
def a_scan() -> bytes:
    """A picture that stands for any paper."""
    made = io.BytesIO()
    Image.new("RGB", (32, 24), "white").save(made, "PNG")
    return made.getvalue()


# --- people and organisations -----------------------------------------------------------------------------


def a_person(name: str = "", *, platform_role: PlatformRole | None = None) -> User:
    """An account that belongs to no organisation yet; nobody can sign in to it with a password."""
    n = next(_numbers)
    person = identity_services.Person(f"someone{n}@example.com", name or f"试用人{n}", "", "!")
    with transaction():
        return identity_services.create_user(
            person, by=SYSTEM if platform_role else ANONYMOUS, now=clock.now(), platform_role=platform_role
        )


def an_operator() -> Actor:
    return actor_for(a_person(platform_role=PlatformRole.OPERATOR), now=clock.now())


def an_auditor() -> Actor:
    return actor_for(a_person(platform_role=PlatformRole.AUDITOR), now=clock.now())


def an_organisation_draft(**changes: Any) -> OrganisationDraft:
    """A registration that lacks nothing."""
    n = next(_numbers)
    stem = f"91500112MB{n:07d}"
    complete = OrganisationDraft(
        name=f"渝试第{n}机电有限公司",
        uscc=stem + calc_check_digit(stem),
        size=OrganisationSize.SMALL,
        region="500112",
        summary="为整车和装备企业配套加工精密机电零部件，自有检测室和热处理线。",
        contact_name="程试",
        contact_phone="023-01234567",
        clusters=("A1",),
    )
    return replace(complete, **changes)


def a_manager(*, verified: bool = True, **changes: Any) -> Actor:
    """The manager of a new organisation, registered, submitted and, unless told otherwise, verified."""
    user = a_person()
    with transaction():
        now = clock.now()
        founder = actor_for(user, now=now)
        organisation = organisation_services.start_registration(
            an_organisation_draft(**changes), by=founder, now=now
        )
        manager = actor_for(user, now=now)
        hand_in_licence(organisation.id, by=manager)
        organisation_services.submit_organisation(organisation, by=manager, now=now)
        if verified:
            declared = [designation.id for designation in organisation.designations]
            organisation_services.verify_organisation(
                organisation, confirmed=declared, version=organisation.version, by=_operating(), now=now
            )
    return actor_for(user, now=clock.now())


def hand_in_licence(organisation_id: int, *, by: Actor) -> None:
    """The scan without which nobody is verified."""
    scan = FileStorage(io.BytesIO(a_scan()), "营业执照.png")
    uploads = attachment_services.take_in([scan], purpose=LICENCE)
    attachment_services.attach("organisation", organisation_id, LICENCE.name, uploads, by=by, now=clock.now())


def an_sme(**changes: Any) -> Actor:
    return a_manager(**changes)


def a_leader(**changes: Any) -> Actor:
    """The manager of a verified chain-master firm, which may post challenges."""
    master = DesignationDraft(DesignationKind.CHAIN_MASTER, "渝链主-试-01", "重庆市经济和信息化委员会")
    return a_manager(**{"size": OrganisationSize.LARGE, "designations": (master,), **changes})


def an_institute(**changes: Any) -> Actor:
    return a_manager(**{"kind": OrganisationKind.INSTITUTE, "size": None, **changes})


def a_colleague_of(manager: Actor, role: OrganisationRole = OrganisationRole.EDITOR) -> Actor:
    """Somebody who asked to join the manager's organisation and was let in."""
    user = a_person()
    now = clock.now()
    with transaction():
        organisation = db.session.get_one(Organisation, manager.organisation_id)
        asked = member_services.request_to_join(organisation, role=role, by=actor_for(user, now=now), now=now)
        member_services.accept_member(asked, role=role, by=manager, now=now)
    return actor_for(user, now=clock.now())


def suspend(manager: Actor, reason: str = "资质过期未补正") -> None:
    with transaction():
        organisation = db.session.get_one(Organisation, manager.organisation_id)
        organisation_services.suspend_organisation(
            organisation, reason=reason, version=organisation.version, by=_operating(), now=clock.now()
        )


def _operating() -> Actor:
    """An operator of whom only the role matters."""
    return Actor(name="平台管理员", platform_role=PlatformRole.OPERATOR)


# --- postings ---------------------------------------------------------------------------------------------


def an_indicator(name: str = "最大夹紧力", **values: Any) -> Indicator:
    columns: dict[str, Any] = {
        "comparator": Comparator.GE,
        "value": Decimal(28),
        "unit": "kN",
        "condition": "额定电压 12 V",
        "method": "台架规范第 5.2 条",
        "verifier": Verifier.THIRD_PARTY,
        "mark": Mark.MUST,
        **values,
    }
    return Indicator(name=name, **columns)


def a_challenge_draft(**changes: Any) -> ChallengeDraft:
    """A challenge that may be submitted as it stands."""
    complete = ChallengeDraft(
        title="电子机械制动轮端执行器关键技术",
        activity=Activity.DEVELOPMENT,
        clusters=("A1", "E7"),
        keywords=("线控制动", "夹紧力", "丝杠"),
        industry="C36",
        region="500112",
        background="公司 2028 年量产车型取消制动液管路，"
        "前后轮全部改为干式线控制动，首年需求约 9 万套前轮执行器。",
        problem="现有样件在连续制动后丝杠副润滑衰退，夹紧力由 28 kN 降至 23 kN，偏差由 3% 增大到 11%；"
        "无夹紧力传感器时的力估计在制动块磨损后漂移，需要可标定、可诊断的力闭环方案。",
        trl_current=5,
        trl_target=8,
        indicators=(
            an_indicator(weight=60),
            an_indicator("夹紧响应时间", comparator=Comparator.LE, value=Decimal(130), unit="ms", weight=40),
        ),
        requirements="有制动执行器量产或样机经历",
        acceptance="第三方台架检测并在我方试车场签认",
        budget_fen=800_0000_00,
        closes_on=business_date(clock.now()) + timedelta(days=30),
        ip_terms=IpTerms.SHARED,
    )
    return replace(complete, **changes)


def a_challenge(
    by: Actor | None = None, status: str = "published", *, annex: str = "", **changes: Any
) -> Challenge:
    """A challenge of `by` (a new leader, where nobody is named) in a status of its life."""
    owner, operator, now = by or a_leader(), _operating(), clock.now()
    with transaction():
        number = challenge_services.start_draft(a_challenge_draft(**changes), by=owner, now=now).public_no
        challenge = challenge_queries.get_own(number, viewer=owner)
        if annex:
            challenge_services.write_annex(challenge, annex, version=challenge.version, by=owner, now=now)
        for move in _CHALLENGE_PATHS[status]:
            move(challenge, owner, operator, now)
    return challenge


Move = Callable[[Challenge, Actor, Actor, datetime], None]


def _submit(challenge: Challenge, owner: Actor, _operator: Actor, now: datetime) -> None:
    challenge_services.submit(challenge, by=owner, now=now)


def _return(challenge: Challenge, _owner: Actor, operator: Actor, now: datetime) -> None:
    challenge_services.return_to_seeker(
        challenge, reason="请补充", field_reasons={"problem": "现状数值不清"}, by=operator, now=now
    )


def _approve(challenge: Challenge, _owner: Actor, operator: Actor, now: datetime) -> None:
    challenge_services.approve(challenge, by=operator, now=now)


def _withdraw(challenge: Challenge, owner: Actor, _operator: Actor, now: datetime) -> None:
    challenge_services.withdraw(challenge, reason="技术路线已调整", by=owner, now=now)


_CHALLENGE_PATHS: dict[str, tuple[Move, ...]] = {
    "draft": (),
    "submitted": (_submit,),
    "returned": (_submit, _return),
    "published": (_submit, _approve),
    "withdrawn": (_submit, _approve, _withdraw),
}


def a_need_draft(**changes: Any) -> NeedDraft:
    """A line that may be published as it stands."""
    today = business_date(clock.now())
    complete = NeedDraft(
        title="滚珠丝杠副 Φ16×5",
        specification="轮端执行器用滚珠丝杠副，精度 C5 级，要求润滑寿命与夹紧力保持，逐件打码追溯。",
        quantity=Decimal(4800),
        unit="套",
        region="500112",
        delivery_on=today + timedelta(days=120),
        valid_until=today + timedelta(days=40),
        keywords=("丝杠", "夹紧力"),
        clusters=("A1",),
        industry="C34",
        indicators=(an_indicator("额定动载荷", weight=0),),
    )
    return replace(complete, **changes)


def a_need(by: Actor | None = None, status: str = "published", **changes: Any) -> Need:
    """A line in a new list of `by` (a new SME, where nobody is named) in a status of its life."""
    owner, now = by or an_sme(), clock.now()
    with transaction():
        need_list = need_services.open_list(title="前轮执行器配套件寻源", note="", by=owner, now=now)
        need = need_services.start_draft(need_list, a_need_draft(**changes), by=owner, now=now)
        if status != "draft":
            need_services.publish(need, by=owner, now=now)
        if status == "withdrawn":
            need_services.withdraw(need, reason="已由框架协议覆盖", by=owner, now=now)
        if status == "taken_down":
            need_services.take_down(need, reason="附有未获授权的资料", by=_operating(), now=now)
    return need


def a_capability_draft(**changes: Any) -> CapabilityDraft:
    """A capability that may be published as it stands."""
    complete = CapabilityDraft(
        title="轮端电动卡钳直线执行机构",
        summary="面向轮端电动卡钳的直线执行机构，"
        "滚珠丝杠与行星减速器同轴集成，额定夹紧力 31 kN，内置间隙自适应控制。",
        trl=7,
        maturity=Maturity.PILOT,
        ip_status=IpStatus.GRANTED,
        cooperation=("joint", "supply"),
        keywords=("夹紧力", "丝杠"),
        clusters=("A1",),
        industry="C36",
        region="500112",
        parameters=(an_indicator(value=Decimal(31), weight=0, mark=Mark.PLAIN, verifier=None),),
    )
    return replace(complete, **changes)


def a_capability(by: Actor | None = None, status: str = "published", **changes: Any) -> Capability:
    """A capability of `by` (a new SME, where nobody is named) in a status of its life."""
    owner, now = by or an_sme(), clock.now()
    with transaction():
        capability = capability_services.start_draft(a_capability_draft(**changes), by=owner, now=now)
        if status != "draft":
            capability_services.publish(capability, by=owner, now=now)
        if status == "withdrawn":
            capability_services.withdraw(capability, reason="产线已停", by=owner, now=now)
        if status == "taken_down":
            capability_services.take_down(capability, reason="附有未获授权的资料", by=_operating(), now=now)
    return capability


def noise() -> None:
    """Things of other owners in every status, which must not show up where they do not belong."""
    seeker, offerer = a_leader(), an_sme()
    for status in _CHALLENGE_PATHS:
        a_challenge(seeker, status, title=f"别家的榜单（{status}）：湿法冶金萃取剂再生")
    for status in ("draft", "published", "withdrawn", "taken_down"):
        a_need(offerer, status, title=f"别家的需求（{status}）：耐酸泵")
        a_capability(offerer, status, title=f"别家的能力（{status}）：陶瓷过滤板")
