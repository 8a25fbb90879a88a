"""People, organisations and postings for integration tests, as plain and as few words as possible.

Here: rows that have to be there before a test begins, typed forms, and signing somebody in without the cost
of a password. Not here: what a feature does with them, which each test says itself.
"""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from stdnum.cn.uscc import calc_check_digit

from marketplace.audit.models import AuditEvent
from marketplace.audit.services import EVERYTHING, record
from marketplace.capabilities import services as capability_services
from marketplace.capabilities.kinds import CapabilityKind, IpStatus, Maturity
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft, CertificateDraft
from marketplace.identity.models import User
from marketplace.identity.services import open_session
from marketplace.indicators.model import Comparator, Indicator
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow
from marketplace.needs import services as need_services
from marketplace.needs.models import Need, NeedList
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

_numbers = count(1)


# --- people and organisations -----------------------------------------------------------------------------


def an_organisation(
    name: str = "", *, status: OrganisationStatus = OrganisationStatus.VERIFIED, leader: bool = False
) -> int:
    """The id of a new organisation."""
    n = next(_numbers)
    now = clock.now()
    with transaction():
        organisation = Organisation(
            name=name or f"试验用第{n}机械有限公司",
            kind=OrganisationKind.ENTERPRISE,
            size=OrganisationSize.LARGE if leader else OrganisationSize.SMALL,
            status=status,
            uscc=None if status is OrganisationStatus.UNCLAIMED else a_code(n),
            region="500112",
            created_at=now,
            verified_at=now if status is OrganisationStatus.VERIFIED else None,
        )
        if leader:
            organisation.designations.append(Designation(kind=DesignationKind.CHAIN_MASTER, confirmed_at=now))
        db.session.add(organisation)
        db.session.flush()
        record("organisation.create", "organisation", organisation.id, by=SYSTEM, at=now, covers=EVERYTHING)
    return organisation.id


def a_code(n: int) -> str:
    """A 统一社会信用代码 with its check digit."""
    stem = f"91500112MA{n:07d}"
    return stem + calc_check_digit(stem)


def somebody(
    organisation_id: int | None = None,
    *,
    role: OrganisationRole = OrganisationRole.EDITOR,
    platform_role: PlatformRole | None = None,
    name: str = "",
) -> Actor:
    """An account, a member of an organisation where one is named, and the actor it is."""
    n = next(_numbers)
    now = clock.now()
    with transaction():
        user = User(
            email=f"person{n}@example.com",
            name=name or f"试验员{n}",
            password_hash="!",
            platform_role=platform_role,
            created_at=now,
        )
        db.session.add(user)
        db.session.flush()
        if organisation_id is not None:
            db.session.add(
                Membership(
                    organisation_id=organisation_id,
                    user_id=user.id,
                    role=role,
                    status=MembershipStatus.ACTIVE,
                    requested_at=now,
                    decided_at=now,
                )
            )
        record("user.register", "user", user.id, by=SYSTEM, at=now, covers=EVERYTHING)
    actor = Actor(user_id=user.id, name=user.name, platform_role=platform_role)
    if organisation_id is None:
        return actor
    organisation = db.session.get_one(Organisation, organisation_id)
    verified = organisation.status is OrganisationStatus.VERIFIED
    return replace(
        actor,
        organisation_id=organisation_id,
        organisation_name=organisation.name,
        organisation_role=role,
        organisation_verified=verified,
        may_post_challenges=verified
        and any(d.kind is DesignationKind.CHAIN_MASTER for d in organisation.designations),
    )


def an_editor(**organisation: Any) -> Actor:
    """An editor of a new verified organisation."""
    return somebody(an_organisation(**organisation))


def a_leader() -> Actor:
    """A manager of a new chain-master firm, which may post challenges."""
    return somebody(an_organisation(leader=True), role=OrganisationRole.MANAGER)


def an_unverified_editor() -> Actor:
    return somebody(an_organisation(status=OrganisationStatus.PENDING))


def an_operator() -> Actor:
    return somebody(platform_role=PlatformRole.OPERATOR)


def an_auditor() -> Actor:
    return somebody(platform_role=PlatformRole.AUDITOR)


def client_of(app: Flask, actor: Actor) -> FlaskClient:
    """A browser in which the actor is signed in."""
    client = app.test_client()
    if actor.user_id is None:
        return client
    with transaction():
        user = db.session.get_one(User, actor.user_id)
        token = open_session(user, user_agent="tests", replaces=None, now=clock.now())
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
    return client


# --- postings ---------------------------------------------------------------------------------------------


def today() -> date:
    return business_date(clock.now())


RUNOUT = Indicator(
    name="径向跳动", comparator=Comparator.LE, value=Decimal("0.02"), unit="mm", method="GB/T 1958"
)


def a_need_draft(**changes: Any) -> NeedDraft:
    """A line that lacks nothing."""
    complete = NeedDraft(
        title="电机主轴管旋锻毛坯",
        specification="材料 20MnCr5，旋锻成形后正火，表面无折叠和裂纹，逐件打码追溯。",
        quantity=Decimal(12000),
        unit="件",
        region="500112",
        delivery_on=today() + timedelta(days=60),
        valid_until=today() + timedelta(days=90),
        qualification="IATF 16949",
        keywords=("旋锻", "主轴管"),
        clusters=("A1",),
        industry="C34",
        indicators=(RUNOUT,),
    )
    return replace(complete, **changes)


def a_capability_draft(**changes: Any) -> CapabilityDraft:
    """A capability that lacks nothing."""
    complete = CapabilityDraft(
        title="旋转锻造空心电机轴",
        kind=CapabilityKind.CAPABILITY,
        summary="用八模头旋锻机把无缝管近净成形为空心电机轴，壁厚渐变，材料利用率九成以上，已为三家电驱企业供样。",
        trl=7,
        maturity=Maturity.PILOT,
        ip_status=IpStatus.GRANTED,
        cooperation=("supply", "joint"),
        keywords=("旋锻", "空心轴"),
        clusters=("A1",),
        industry="C34",
        region="500112",
        parameters=(RUNOUT,),
        certificates=(
            CertificateDraft("IATF 16949 质量管理体系", "T-2024-117", today() + timedelta(days=400)),
        ),
    )
    return replace(complete, **changes)


def a_list(by: Actor, title: str = "三合一电驱总成年度寻源清单") -> NeedList:
    with transaction():
        return need_services.open_list(title=title, note="", by=by, now=clock.now())


def a_need(by: Actor, *, published: bool = True, **changes: Any) -> Need:
    now = clock.now()
    need_list = a_list(by)
    with transaction():
        need = need_services.start_draft(need_list, a_need_draft(**changes), by=by, now=now)
        if published:
            need_services.publish(need, by=by, now=now)
    return need


def a_capability(by: Actor, *, published: bool = True, **changes: Any) -> Capability:
    now = clock.now()
    with transaction():
        capability = capability_services.start_draft(a_capability_draft(**changes), by=by, now=now)
        if published:
            capability_services.publish(capability, by=by, now=now)
    return capability


# --- what people type -------------------------------------------------------------------------------------


def a_need_form(**changes: Any) -> dict[str, Any]:
    """The fields of a line as a browser sends them; a change to None leaves a field out."""
    typed = {
        "version": "0",
        "title": "电机主轴管旋锻毛坯",
        "specification": "材料 20MnCr5，旋锻成形后正火，\r\n表面无折叠和裂纹。",
        "quantity": "12,000",
        "unit": "件",
        "region": "500112",
        "delivery_on": (today() + timedelta(days=60)).isoformat(),
        "valid_until": (today() + timedelta(days=90)).isoformat(),
        "qualification": "IATF 16949",
        "max_price": "",
        "keywords": "旋锻、主轴管",
        "clusters": ["A1"],
        "industry": "C34",
        **indicator_fields("indicators", 0),
        "act": "save",
    }
    return {name: value for name, value in {**typed, **changes}.items() if value is not None}


def a_capability_form(**changes: Any) -> dict[str, Any]:
    typed = {
        "version": "0",
        "kind": "capability",
        "title": "旋转锻造空心电机轴",
        "summary": "用八模头旋锻机把无缝管近净成形为空心电机轴，壁厚渐变。\r\n已为三家电驱企业供样。",
        "keywords": "旋锻，空心轴",
        "clusters": ["A1"],
        "industry": "C34",
        "region": "500112",
        "trl": "7",
        "maturity": "pilot",
        "ip_status": "granted",
        "cooperation": ["supply", "joint"],
        "certificates-0-name": "IATF 16949 质量管理体系",
        "certificates-0-number": "T-2024-117",
        "certificates-0-valid_to": (today() + timedelta(days=400)).isoformat(),
        **indicator_fields("parameters", 0),
        "act": "save",
    }
    return {name: value for name, value in {**typed, **changes}.items() if value is not None}


def indicator_fields(prefix: str, number: int, **changes: str) -> dict[str, str]:
    row = {
        "name": "径向跳动",
        "comparator": "le",
        "value": "0.02",
        "second": "",
        "unit": "mm",
        "condition": "",
        "method": "GB/T 1958",
        **changes,
    }
    return {f"{prefix}-{number}-{column}": value for column, value in row.items()}


# --- what came of it --------------------------------------------------------------------------------------


def count_of(entity: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(entity)) or 0


def values_in(page: str, name: str) -> list[str]:
    """What the inputs of this name hold, as typed."""
    inputs = re.findall(rf'<input[^>]* name="{re.escape(name)}"[^>]*>', page)
    held = [found[1] for tag in inputs if (found := re.search(r'value="([^"]*)"', tag))]
    areas = re.findall(rf'<textarea[^>]* name="{re.escape(name)}"[^>]*>\r?\n?(.*?)</textarea>', page, re.S)
    selects = re.findall(rf'<select[^>]* name="{re.escape(name)}"[^>]*>(.*?)</select>', page, re.S)
    chosen = [c for options in selects for c in re.findall(r'<option selected value="([^"]*)"', options)]
    chosen += [c for options in selects for c in re.findall(r'<option value="([^"]*)" selected', options)]
    return [unescape(text) for text in (*held, *areas, *chosen)]


def plain(page: str, url: str) -> str:
    """A page without what differs from request to request."""
    page = re.sub(r"<code>[0-9a-f]{16}</code>|content=\"[^\"]+\"|value=\"[^\"]{40,}\"", "", page)
    return page.replace(url, "URL").replace(url.replace("/", "%2F"), "URL")


def audit_types(kind: str, subject_id: int) -> list[str]:
    rows = select(AuditEvent.type).where(AuditEvent.subject_kind == kind, AuditEvent.subject_id == subject_id)
    return list(db.session.scalars(rows.order_by(AuditEvent.seq)))


def work_for(subject_id: int) -> list[tuple[str, int | None]]:
    """(kind, version) of the work that was asked for."""
    rows = select(OutboxRow.kind, OutboxRow.version).where(OutboxRow.subject_id == subject_id)
    return [(row.kind, row.version) for row in db.session.execute(rows.order_by(OutboxRow.id))]


def footprint() -> dict[str, int]:
    """How many rows each table that a person can write to holds: nothing half-written leaves it equal."""
    from marketplace.kernel.db import Base

    skipped = {"user_session", "attempt_window"}
    return {t.name: count_of(t) for t in Base.metadata.sorted_tables if t.name not in skipped}
