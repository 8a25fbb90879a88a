"""What is collected is claimed, what is entered for a firm is answered, what ends by the clock ends."""

import hashlib
import re
from dataclasses import replace
from datetime import timedelta

from flask import Flask
from sqlalchemy import insert, select

from marketplace.audit.models import AuditEvent
from marketplace.audit.services import record
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.exchange.entries import CollectedEntry, EntryKind
from marketplace.exchange.readers import Reading
from marketplace.exchange.services import import_collected
from marketplace.identity import services as identity
from marketplace.identity.models import User
from marketplace.identity.services import Person
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.needs.models import Need, NeedList
from marketplace.notifications.models import Letter
from marketplace.organisations import queries, services, sweeps
from marketplace.organisations.assisted import queries as assisted
from marketplace.organisations.claims import queries as claims
from marketplace.organisations.lifecycle import ClaimStatus, EntryStatus, OrganisationStatus
from marketplace.organisations.models import Designation, Membership, Organisation, OrganisationClaim
from tests import factories
from tests.integration.support import a_capability_form, client_of, work_for

CLAIM_WORDS = "收录的名称是我单位 2019 年更名前的曾用名"


def an_operator() -> Actor:
    with transaction():
        person = Person("operator@example.com", "平台管理员", "", "!")
        user = identity.create_user(person, by=SYSTEM, now=clock.now(), platform_role=PlatformRole.OPERATOR)
    return queries.actor_for(user, now=clock.now())


def collect(name: str) -> int:
    """An unclaimed organisation with two needs and a challenge; its id."""
    entries = [
        CollectedEntry(
            id=f"{name}-{number}",
            kind=kind,
            title=f"{name}需要耐磨衬板第{number}批",
            text="耐磨衬板，硬度不低于 58 HRC，热处理后平面度不超过 0.3 mm。",
            org=name,
        )
        for number, kind in enumerate((EntryKind.SUPPLY_NEED, EntryKind.SUPPLY_NEED, EntryKind.CHALLENGE))
    ]
    digest = hashlib.sha256(name.encode()).hexdigest()
    reading = Reading(file_name=f"{name}.jsonl", sha256=digest, entries=entries)
    with transaction():
        import_collected(reading, by=SYSTEM, now=clock.now())
    found = queries.find_unclaimed(name)
    assert found is not None
    return found.id


def amend(organisation_id: int | None, **values: object) -> None:
    """Columns of an organisation as something else would have left them."""
    with transaction():
        row = queries.get_for_change(organisation_id or 0, viewer=SYSTEM)
        for name, value in values.items():
            setattr(row, name, value)
        record("organisation.update", "organisation", row.id, by=SYSTEM, at=clock.now())


def owners_of(entity: type, *ids: int) -> dict[int, int]:
    """Organisation id → how many rows."""
    found = db.session.scalars(select(entity.organisation_id).where(entity.organisation_id.in_(ids)))
    counts: dict[int, int] = {}
    for organisation_id in found:
        counts[organisation_id] = counts.get(organisation_id, 0) + 1
    return counts


def letters_to(user_id: int | None) -> list[str]:
    return list(db.session.scalars(select(Letter.kind).where(Letter.user_id == user_id).order_by(Letter.id)))


def test_a_claim_is_decided_by_an_operator_and_moves_what_was_collected(app: Flask) -> None:
    collected = collect("旧名衬板厂")
    manager, rival, operator = factories.an_sme(), factories.an_sme(), an_operator()
    waiting = factories.a_manager(verified=False)
    mine, theirs, page = client_of(app, manager), client_of(app, rival), client_of(app, operator)
    address = f"/organisations/{collected}/claim"
    assert "认领这个单位" in mine.get(f"/organisations/{collected}").text
    assert client_of(app, waiting).post(address, data={"statement": CLAIM_WORDS}).status_code == 403
    assert mine.post(address, data={"statement": "短"}).status_code == 422
    for client in (mine, theirs):
        assert client.post(address, data={"statement": CLAIM_WORDS}).status_code == 302
    assert mine.post(address, data={"statement": CLAIM_WORDS}).status_code == 422
    own, other = db.session.scalars(select(OrganisationClaim).order_by(OrganisationClaim.id)).all()
    assert theirs.get(f"/workbench/claims/{own.id}").status_code == 404
    review = f"/workbench/verification/claims/{own.id}"
    assert CLAIM_WORDS in page.get(review).text
    assert mine.post(f"{review}/accept").status_code == 403
    assert page.post(f"{review}/decline", data={"reason": ""}).status_code == 422
    assert page.post(f"{review}/accept").status_code == 302
    home = manager.organisation_id or 0
    assert owners_of(Need, collected, home) == {home: 2}
    assert owners_of(NeedList, collected, home) == {home: 1}
    target = db.session.get_one(Organisation, collected)
    assert (target.status, target.merged_into_id) == (OrganisationStatus.MERGED, home)
    assert db.session.get_one(OrganisationClaim, other.id).status is ClaimStatus.DECLINED
    assert ("matching.organisation_changed", None) in work_for(home)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.type == "organisation.claim")).one()
    assert event.detail["moved"] == {"challenge": 1, "need": 2}
    assert letters_to(manager.user_id)[-1] == "claim.accepted"
    told = select(Letter.body).where(Letter.user_id == manager.user_id, Letter.kind == "claim.accepted")
    assert db.session.scalars(told).one() == "收录的 3 条内容已归入贵单位。"
    assert letters_to(rival.user_id)[-1] == "claim.declined"
    # The old page leads to the new one, which shows what came with it.
    led = app.test_client().get(f"/organisations/{collected}")
    assert led.headers["Location"] == f"/organisations/{home}"
    assert "旧名衬板厂需要耐磨衬板第0批" in app.test_client().get(f"/organisations/{home}").text
    # Nobody claims twice what is claimed.
    assert page.post(f"/workbench/verification/claims/{other.id}/accept").status_code == 409
    assert theirs.post(address, data={"statement": CLAIM_WORDS}).status_code == 404


def test_the_same_verified_code_claims_at_once_and_a_suspended_firm_claims_nothing(app: Flask) -> None:
    manager, collected, operator = factories.an_sme(), collect("同码衬板厂"), an_operator()
    # As an import that names the code leaves it.
    amend(collected, uscc=db.session.get_one(Organisation, manager.organisation_id).uscc)
    client = client_of(app, manager)
    assert "同码衬板厂" in client.get("/workbench/claims").text
    factories.suspend(manager)
    assert client.post(f"/organisations/{collected}/claim", data={}).status_code == 403
    with transaction():
        row = queries.get_for_change(manager.organisation_id or 0, viewer=SYSTEM)
        services.reinstate_organisation(
            row, reason="已补正", version=row.version, by=operator, now=clock.now()
        )
    assert client.post(f"/organisations/{collected}/claim", data={}).status_code == 302
    assert db.session.scalars(select(OrganisationClaim.status)).all() == [ClaimStatus.ACCEPTED]
    assert not claims.list_candidates(db.session.get_one(Organisation, manager.organisation_id))


CONSENT = {
    "name": "巴南小试热处理厂",
    "given_by": "田厂长",
    "given_position": "厂长",
    "channel": "on_site",
    "scope": ["organisation", "capability"],
    "note": "走访车间时当面同意",
}


def test_a_firm_entered_by_the_platform_is_marked_told_taken_over_and_answers(app: Flask) -> None:
    operator = an_operator()
    page = client_of(app, operator)
    code = factories.an_organisation_draft().uscc
    today = business_date(clock.now()).isoformat()
    bad = page.post("/workbench/assisted/new", data={**CONSENT, "uscc": "123", "given_on": "2999-01-01"})
    assert bad.status_code == 422
    assert "田厂长" in bad.text
    sent = {**CONSENT, "uscc": code, "given_on": today}
    address = page.post("/workbench/assisted/new", data=sent).headers["Location"]
    consent_id = int(address.rsplit("/", 1)[1])
    organisation_id = db.session.scalars(select(Organisation.id).where(Organisation.uscc == code)).one()
    fill = f"/workbench/assisted/organisations/{organisation_id}"

    def save(step: str, **values: object) -> int:
        version = db.session.get_one(Organisation, organisation_id).version
        return page.post(f"{fill}/{step}", data={"version": version, **values}).status_code

    basics = {
        "name": CONSENT["name"], "uscc": code, "kind": "enterprise", "size": "small", "clusters": ["A1"],
        "summary": "承接中小批量渗碳、渗氮和高频淬火，自有金相和硬度检测。",
    }  # fmt: skip
    assert save("basics", **basics) == 302
    contact = {"region": "500113", "contact_name": "田厂长", "contact_phone": "13800000000"}
    assert save("contact", **contact, contact_email="boss@small.example.com") == 302
    with transaction():
        factories.hand_in_licence(organisation_id, by=operator)
    version = db.session.get_one(Organisation, organisation_id).version
    assert page.post(f"{fill}/submit", data={"version": version, "truthful": "y"}).status_code == 302
    with transaction():
        row = queries.get_for_change(organisation_id, viewer=SYSTEM)
        services.verify_organisation(row, confirmed=(), version=row.version, by=operator, now=clock.now())
    # The consent covers capabilities and no needs.
    assert page.get(f"{address}/need").status_code == 403
    entered = page.post(f"{address}/capability", data=a_capability_form(act="publish"))
    assert entered.headers["Location"] == address
    capability = db.session.scalars(select(Capability)).one()
    number = capability.public_no
    assert (capability.organisation_id, capability.status) == (organisation_id, CapabilityStatus.PUBLISHED)
    assert "由平台代录入" in app.test_client().get(f"/capabilities/{number}").text
    assert "由平台代录入" in app.test_client().get(f"/organisations/{organisation_id}").text
    assert "田厂长" not in app.test_client().get(f"/organisations/{organisation_id}").text
    trail = db.session.execute(
        select(AuditEvent.type, AuditEvent.actor_role).where(AuditEvent.organisation_id == organisation_id)
    )
    assert {role for _type, role in trail} == {"operator"}
    # The newest mailed link makes whoever holds it the manager, once.
    links = db.session.scalars(select(Letter.link).where(Letter.kind == "assisted.takeover")).all()
    assert len(links) == 2
    owner = factories.a_person()
    client = client_of(app, Actor(user_id=owner.id))
    assert client.get(links[0]).status_code == 404
    assert "登录后接管" in app.test_client().get(links[1]).text
    assert page.post(links[1]).status_code == 403
    # Having been disabled by managers who are gone is no hindrance: the link was mailed to the firm.
    with transaction():
        gone = {"organisation_id": organisation_id, "user_id": owner.id, "requested_at": clock.now()}
        db.session.execute(insert(Membership).values(**gone, role="reader", status="disabled"))
    assert client.post(links[1]).headers["Location"] == "/workbench/organisation/assisted"
    assert client.post(links[1]).status_code == 404
    entries = assisted.list_entries(organisation_id)
    about_it, about_capability = sorted(entries, key=lambda entry: entry.id)
    answers = "/workbench/organisation/assisted"
    assert client.post(f"{answers}/{about_it.id}/confirm").status_code == 302
    assert client.post(f"{answers}/{about_capability.id}/object", data={"reason": ""}).status_code == 422
    stranger = client_of(app, factories.an_sme())
    assert stranger.post(f"{answers}/{about_capability.id}/confirm").status_code == 404
    sent = {"reason": "参数不是我们测的"}
    assert client.post(f"{answers}/{about_capability.id}/object", data=sent).status_code == 302
    assert db.session.scalars(select(Capability.status)).one() is CapabilityStatus.WITHDRAWN
    assert assisted.find_entry("capability", capability.id).status is EntryStatus.OBJECTED
    assert letters_to(operator.user_id)[-1] == "assisted.objected"
    assert page.post(f"{address}/end").status_code == 302
    assert page.get(f"{address}/capability").status_code == 403
    assert page.get(f"{fill}/basics").status_code == 404
    assert re.search(r"单位有异议", page.get(f"/workbench/assisted/{consent_id}").text)


def test_an_operator_fills_in_nobodys_organisation_without_a_consent(app: Flask) -> None:
    draft = factories.a_manager(verified=False)
    page = client_of(app, an_operator())
    address = f"/workbench/assisted/organisations/{draft.organisation_id}"
    assert page.get(f"{address}/basics").status_code == 404
    assert page.post(f"{address}/submit", data={"truthful": "y"}).status_code == 404
    assert page.post(f"/attachments/organisation/{draft.organisation_id}/licence").status_code == 404


def test_a_suspended_firms_postings_are_hidden_until_its_day_is_over(app: Flask) -> None:
    leader = factories.a_leader()
    challenge, need = factories.a_challenge(leader), factories.a_need(leader)
    capability = factories.a_capability(leader, title="停产前的热压成形单元")
    pages = (
        f"/challenges/{challenge.public_no}", f"/needs/{need.public_no}",
        f"/capabilities/{capability.public_no}",
    )  # fmt: skip
    halls = {"/challenges": challenge.title, "/needs": need.title, "/capabilities": capability.title}
    public, own, page = app.test_client(), client_of(app, leader), client_of(app, an_operator())
    profile = f"/organisations/{leader.organisation_id}"
    assert all(title in public.get(profile).text for title in halls.values())
    review = f"/workbench/verification/{leader.organisation_id}"
    version = db.session.get_one(Organisation, leader.organisation_id).version
    today = business_date(clock.now())
    past = {"reason": "失信", "until": (today - timedelta(days=1)).isoformat(), "version": version}
    assert page.post(f"{review}/suspend", data=past).status_code == 422
    until = {"reason": "失信", "until": today.isoformat(), "version": version}
    assert page.post(f"{review}/suspend", data=until).status_code == 302
    for address in pages:
        assert public.get(address).status_code == 404
        assert own.get(address).status_code == 200
        assert page.get(address).status_code == 200
    for hall, title in halls.items():
        assert title not in public.get(hall).text
        assert title not in public.get(profile).text
    assert "期满自动恢复" in own.get("/workbench/organisation").text
    sweeps.sweep()
    assert public.get(pages[0]).status_code == 404
    amend(leader.organisation_id, suspended_until=today - timedelta(days=1))
    sweeps.sweep()
    assert all(public.get(address).status_code == 200 for address in pages)
    assert all(title in public.get(hall).text for hall, title in halls.items())
    assert letters_to(leader.user_id)[-2:] == ["organisation.suspended", "organisation.verified"]


def test_managers_hear_of_a_lapsing_title_once_each_time(app: Flask) -> None:
    leader = factories.a_leader()
    user = db.session.get_one(User, leader.user_id)
    today = business_date(clock.now())
    heard = len(letters_to(user.id))
    for days, reminded, letters in (
        (91, None, 0), (90, 90, 1), (40, 90, 0), (30, 30, 1), (7, 7, 1), (0, 7, 0), (-1, 7, 1),
    ):  # fmt: skip
        with transaction():
            row = queries.get_for_change(leader.organisation_id or 0, viewer=SYSTEM)
            row.designations[0].valid_to = today + timedelta(days=days)
            record("organisation.update", "organisation", row.id, by=SYSTEM, at=clock.now())
        for _ in range(2):
            sweeps.sweep()
        title = db.session.scalars(select(Designation).execution_options(populate_existing=True)).one()
        assert (days, title.reminded_days, len(letters_to(user.id)) - heard) == (days, reminded, letters)
        heard = len(letters_to(user.id))
        assert (title.lapsed_at is not None) is (days < 0)
        assert queries.actor_for(user, now=clock.now()).may_post_challenges is (days >= 0)
        listed = [one.id for one in queries.page_queue("lapsing", page=1).items]
        assert (leader.organisation_id in listed) is (days <= 90)
    assert work_for(leader.organisation_id or 0)[-1] == ("matching.organisation_changed", None)
    # What is renewed has to be confirmed again, and is reminded of anew.
    with transaction():
        row = queries.get_for_change(leader.organisation_id or 0, viewer=SYSTEM)
        draft = services.draft_of(row)
        renewed = replace(draft.designations[0], valid_to=today + timedelta(days=20))
        services.update_organisation(
            row,
            replace(draft, designations=(renewed,)),
            version=row.version,
            step="designations",
            by=leader,
            now=clock.now(),
        )
        title = row.designations[0]
        assert (title.confirmed_at, title.reminded_days, title.lapsed_at) == (None, None, None)
