"""Every form of the application, each filled in well by somebody who may post it.

A form that is missing here fails the test, and so does a field that the good example does not hold: one
good example is all that a new form needs. Not here: how they are sent and judged (`hostile_sender`).
"""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from marketplace.announcements import services as announcements
from marketplace.announcements.rules import AnnouncementDraft
from marketplace.attachments.models import Attachment
from marketplace.challenges.models import Challenge
from marketplace.engagement.models import Approach, Dismissal, Note
from marketplace.exchange.models import StagedImport
from marketplace.identity import services as identity
from marketplace.identity.models import SecondFactor, TokenPurpose, User, UserSession
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM, Actor, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.matching.forms import DictionaryForm, WeightsForm
from marketplace.matching.settings import dictionary_in_force, weights_in_force
from marketplace.notifications import kinds, unsubscribing
from marketplace.notifications.models import Letter
from marketplace.organisations import services as organisations
from marketplace.organisations.members.models import MemberInvitation
from marketplace.organisations.models import (
    AssistedConsent,
    AssistedEntry,
    Membership,
    Organisation,
    OrganisationClaim,
)
from marketplace.organisations.queries import actor_for
from marketplace.search.models import SavedSearch
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.queries import find_newest_version
from tests import factories
from tests.integration.exchange.test_staged import work as do_imports
from tests.integration.security.hostile_sender import (
    CHOICE,
    COMPARED,
    IGNORED,
    REFERENCE,
    Example,
    FieldFacts,
    errors_in,
    reason,
)
from tests.integration.support import (
    a_capability_form,
    a_code,
    a_list,
    a_need_form,
    client_of,
    indicator_fields,
    somebody,
    today,
)

PASSWORD = "三棵松树与一台压铸机，很好"
NEW_PASSWORD = "五只白鹭和两台注塑机，不坏"
WHY = "资料与公布名单不符，请核对。"
MESSAGE = "请就来料检验与月供货量与我们详谈，期待您的答复。"
PROSE = FieldFacts("prose")
BOXES = FieldFacts("flag")


def a_paper() -> dict[str, Any]:
    return {"files": (io.BytesIO(factories.a_scan()), "营业执照.png")}


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


class World:
    """Somebody for every form, and something for every act, each in the status in which the act is open."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.clients: dict[str, FlaskClient] = {"visitor": app.test_client()}
        self.actors: dict[str, Actor] = {}
        self.ids: dict[str, Any] = {}
        self._people()
        self._postings()
        self._organisations()
        self._approaches()
        self._others()

    def enter(self, name: str, actor: Actor) -> Actor:
        self.actors[name], self.clients[name] = actor, client_of(self.app, actor)
        return actor

    def post(self, who: str, url: str, form: Mapping[str, Any] | None = None, **more: Any) -> Any:
        response = self.clients[who].post(url, data=dict(form or {}), **more)
        assert 300 <= response.status_code < 400, (
            f"{who} {url}: {response.status_code} {errors_in(response.text) or response.text[-900:]}"
        )
        return response

    def newest(self, entity: Any, column: Any = None) -> Any:
        found = db.session.scalar(select(column or entity.id).order_by(entity.id.desc()).limit(1))
        assert found is not None, entity
        return found

    def _people(self) -> None:
        for name, actor in (
            ("leader", factories.a_leader()),
            ("sme", factories.an_sme()),
            ("other sme", factories.an_sme()),
            ("operator", factories.an_operator()),
            ("maintainer", somebody(platform_role=PlatformRole.MAINTAINER)),
        ):
            self.enter(name, actor)
        with transaction():
            person = identity.Person(
                "liao@example.com",
                "廖启航",
                "13800000000",
                identity.prepare_password(PASSWORD, name="x", email="y"),
            )
            user = identity.create_user(person, by=SYSTEM, now=clock.now())
            session = select(User).where(User.id == user.id)
        self.ids["person"] = db.session.scalars(session).one().id
        self.enter("person", actor_for(db.session.get_one(User, self.ids["person"]), now=clock.now()))
        self.enter("newcomer", actor_for(factories.a_person(), now=clock.now()))
        self.enter("guarded", somebody())

    def _postings(self) -> None:
        leader, sme = self.actors["leader"], self.actors["sme"]
        for status in ("draft", "submitted", "published"):
            made = factories.a_challenge(leader, status)
            self.ids[f"challenge {status}"], self.ids[f"challenge {status} version"] = (
                made.public_no,
                made.version,
            )
        made = factories.a_challenge(leader)
        self.post("operator", f"/review/challenges/{made.public_no}/take-down", {"reason": WHY})
        self.ids["challenge taken_down"] = made.public_no
        self.ids["challenge taken_down version"] = db.session.scalar(
            select(Challenge.version).where(Challenge.public_no == made.public_no)
        )
        for status in ("draft", "published", "taken_down"):
            need = factories.a_need(sme, status)
            capability = factories.a_capability(sme, status)
            self.ids[f"need {status}"], self.ids[f"capability {status}"] = (
                need.public_no,
                capability.public_no,
            )
            self.ids[f"need {status} version"] = need.version
            self.ids[f"capability {status} version"] = capability.version
            if status == "published":
                self.ids["need published id"] = need.id
        for kind, path in (("need", "needs"), ("capability", "capabilities")):
            made = getattr(factories, f"a_{kind}")(sme, "taken_down")
            self.post("sme", f"/{path}/{made.public_no}/appeal", {"reason": WHY})
            self.ids[f"{kind} appealed"] = made.public_no
        self.ids["capability other"] = factories.a_capability(self.actors["other sme"]).public_no
        made = a_list(sme)
        self.ids["list"], self.ids["list version"] = made.public_no, made.version
        self.ids["need spare"] = factories.a_need(sme).public_no
        self.ids["need spare other"] = factories.a_need(self.actors["other sme"]).public_no
        self.ids["need other"] = factories.a_need(self.actors["other sme"]).public_no

    def _organisations(self) -> None:
        self.ids["code"] = db.session.get_one(Organisation, self.actors["leader"].organisation_id).uscc
        pending = self.enter("pending", factories.a_manager(verified=False))
        self.ids["pending"] = pending.organisation_id
        self.ids["pending version"] = db.session.get_one(Organisation, pending.organisation_id).version
        suspended = factories.an_sme()
        factories.suspend(suspended)
        self.ids["suspended"] = suspended.organisation_id
        self.ids["suspended version"] = db.session.get_one(Organisation, suspended.organisation_id).version
        for name in ("sme", "leader"):
            organisation = db.session.get_one(Organisation, self.actors[name].organisation_id)
            self.ids[f"{name} organisation"], self.ids[f"{name} version"] = (
                organisation.id,
                organisation.version,
            )
        founder = factories.a_person()
        with transaction():
            draft = organisations.start_registration(
                factories.an_organisation_draft(), by=actor_for(founder, now=clock.now()), now=clock.now()
            )
            self.ids["draft organisation"] = draft.id
        self.ids["draft version"] = db.session.get_one(Organisation, self.ids["draft organisation"]).version
        manager = self.enter("drafting", actor_for(founder, now=clock.now()))
        with transaction():
            factories.hand_in_licence(self.ids["draft organisation"], by=manager)
            for name in ("unclaimed", "claimed", "claimed too"):
                self.ids[name] = organisations.create_unclaimed(
                    f"旧名{name}厂", by=SYSTEM, now=clock.now()
                ).id
        for name in ("claimed", "claimed too"):
            self.post(
                "sme",
                f"/organisations/{self.ids[name]}/claim",
                {"statement": "我单位前身即该厂，二〇一九年更名并迁址。"},
            )
            self.ids[f"{name} claim"] = self.newest(OrganisationClaim)
        self._members()
        self._assisted()

    def _members(self) -> None:
        manager = self.actors["sme"]
        colleague = self.enter("colleague", factories.a_colleague_of(manager))
        disabled = factories.a_colleague_of(manager)
        for name, actor in (("colleague", colleague), ("disabled", disabled)):
            self.ids[f"{name} membership"] = db.session.scalar(
                select(Membership.id).where(Membership.user_id == actor.user_id)
            )
        self.post("sme", f"/workbench/organisation/members/{self.ids['disabled membership']}/disable")
        code = db.session.get_one(Organisation, manager.organisation_id).uscc
        self.enter("asking", actor_for(factories.a_person(), now=clock.now()))
        self.post("asking", f"/workbench/organisation/join/{code}", {"role": "editor"})
        self.ids["asked"] = self.newest(Membership)
        for email in ("someone@invited.example", ""):
            invited = db.session.get_one(User, self.actors["newcomer"].user_id).email
            self.post(
                "sme", "/workbench/organisation/invitations", {"email": email or invited, "role": "editor"}
            )
            link = db.session.scalar(select(Letter.link).order_by(Letter.id.desc()).limit(1))
            self.ids["accept" if not email else "invited"] = link
        self.ids["invitation"] = self.newest(MemberInvitation)

    def _assisted(self) -> None:
        uscc = db.session.get_one(Organisation, self.actors["sme"].organisation_id).uscc
        consent = {**CONSENT, "uscc": uscc, "name": "渝试机电有限公司"}
        self.post("operator", "/workbench/assisted/new", consent)
        self.ids["consent"] = self.newest(AssistedConsent)
        self.post("operator", f"/workbench/assisted/{self.ids['consent']}/need", a_need_form())
        self.ids["entry"] = self.newest(AssistedEntry)
        self.post(
            "operator",
            "/workbench/assisted/new",
            {**consent, "uscc": a_code(880_001), "name": "渝代录精密铸件有限公司"},
        )
        self.ids["new consent"] = self.newest(AssistedConsent)
        found = db.session.get_one(AssistedConsent, self.ids["new consent"]).organisation_id
        self.ids["assisted"] = found
        contact = {**CONTACT, "contact_email": "firm@taken.example", "version": self.version_of(found)}
        self.post("operator", f"/workbench/assisted/organisations/{found}/contact", contact)
        self.post("operator", f"/workbench/assisted/{self.ids['new consent']}/tell")
        for step, form in (("basics", BASICS), ("designations", DESIGNATIONS)):
            url = f"/workbench/assisted/organisations/{found}/{step}"
            self.post("operator", url, {**form, "version": self.version_of(found)})
        self.post("operator", f"/attachments/organisation/{found}/licence", a_paper())
        self.ids["takeover"] = db.session.scalar(select(Letter.link).order_by(Letter.id.desc()).limit(1))
        self.ids["assisted version"] = self.version_of(found)

    def version_of(self, organisation_id: int) -> int:
        db.session.rollback()
        return db.session.get_one(Organisation, organisation_id, populate_existing=True).version

    def _approaches(self) -> None:
        number = self.ids["need published"]
        for who, capability, name in (("sme", "capability other", "invited"),):
            self.post(
                who, f"/workbench/needs/{number}/invite", {**APPROACH, "capability": self.ids[capability]}
            )
            self.ids[f"approach {name}"] = self.newest(Approach, Approach.public_no)
        self.post(
            "sme",
            f"/workbench/needs/{self.ids['need other']}/interest",
            {**APPROACH, "capability": self.ids["capability published"]},
        )
        self.ids["approach agreed"] = self.newest(Approach, Approach.public_no)
        self.post(
            "other sme",
            f"/workbench/approaches/{self.ids['approach agreed']}/accept",
            {"contact": "organisation"},
        )
        url = f"/workbench/needs/{number}"
        given = {"capability": self.ids["capability other"]}
        self.post("sme", f"{url}/notes", {**given, "text": "报价偏高，先看样件。"})
        self.ids["note"] = self.newest(Note)
        published = factories.a_need(self.actors["sme"]).public_no
        self.post(
            "sme",
            f"/workbench/needs/{published}/dismissals",
            {**given, "reason_code": "other", "reason": WHY},
        )
        self.ids["dismissal"] = self.newest(Dismissal)

    def _others(self) -> None:
        draft = AnnouncementDraft("开榜通知", "notice", "本期榜单即日起受理。\n\n请各单位按期提交。")
        for name in ("draft", "published", "pinned"):
            with transaction():
                made = announcements.start_draft(draft, by=self.actors["operator"], now=clock.now())
                if name != "draft":
                    announcements.publish(made, by=self.actors["operator"], now=clock.now())
                if name == "pinned":
                    announcements.pin(made, by=self.actors["operator"], now=clock.now())
            self.ids[f"announcement {name}"], self.ids[f"announcement {name} version"] = made.id, made.version
        self.ids["letter"] = db.session.scalar(
            select(Letter.id).where(Letter.user_id == self.actors["sme"].user_id).limit(1)
        )
        self.post("sme", "/workbench/searches/new?q=锻造", {"name": "锻造", "frequency": "daily"})
        self.ids["saved"] = self.newest(SavedSearch)
        self.ids["file"] = db.session.scalar(
            select(Attachment.key).where(
                Attachment.owner_kind == "organisation", Attachment.owner_id == self.ids["draft organisation"]
            )
        )
        # One that may go: what is on the disk does not come back.
        self.post(
            "drafting", f"/attachments/organisation/{self.ids['draft organisation']}/licence", a_paper()
        )
        self.ids["file to go"] = self.newest(Attachment, Attachment.key)
        self._accounts()
        self._settings()
        self._imports()

    def _accounts(self) -> None:
        with transaction():
            for purpose, email, user in (
                (TokenPurpose.REGISTRATION, "new@example.com", None),
                (TokenPurpose.PASSWORD_RESET, "", self.ids["person"]),
                (TokenPurpose.EMAIL, "next@example.com", self.ids["person"]),
            ):
                self.ids[f"token {purpose.value}"] = identity.issue(
                    purpose, now=clock.now(), lifetime=timedelta(hours=3), email=email, user_id=user
                )
            for name in ("guarded", "shut"):
                person = identity.Person(
                    f"{name}@example.com",
                    "何试",
                    "13800000000",
                    identity.prepare_password(PASSWORD, name="x", email="y"),
                )
                self.ids[name] = identity.create_user(person, by=SYSTEM, now=clock.now()).id
        for name in ("guarded", "shut"):
            self.enter(name, actor_for(db.session.get_one(User, self.ids[name]), now=clock.now()))
        self.post("guarded", "/workbench/account/second-factor/begin")
        self.ids["secret"] = db.session.scalar(
            select(SecondFactor.secret).where(SecondFactor.user_id == self.ids["guarded"])
        )
        answer = self.clients["guarded"].post(
            "/workbench/account/second-factor/confirm", data={"code": self.code()}
        )
        assert answer.status_code == 200, answer.text[-2000:]
        with transaction():
            db.session.execute(update(SecondFactor).values(last_step=0))
            db.session.execute(
                update(User).where(User.id == self.ids["person"]).values(email_verified_at=None)
            )
        self.post("person", "/workbench/account/second-factor/begin")
        self.ids["unconfirmed"] = db.session.scalar(
            select(SecondFactor.secret).where(SecondFactor.user_id == self.ids["person"])
        )
        self.clients["half in"] = self.app.test_client()
        self.post("half in", "/login", {"email": "guarded@example.com", "password": PASSWORD})
        self.post("operator", f"/workbench/accounts/{self.ids['shut']}/disable", {"reason": WHY})
        client_of(self.app, self.actors["sme"])
        self.ids["session"] = self.newest(UserSession)

    def code(self, secret: str = "secret") -> str:
        return pyotp.TOTP(self.ids[secret]).at(clock.now())

    def _settings(self) -> None:
        for kind, form in (("weights", self.weights()), ("dictionary", self.dictionary())):
            answer = self.post(
                "operator", f"/workbench/matching/settings/{kind}/new", {**form, "version": "P-2026.8"}
            )
            self.ids[f"setting {kind}"] = answer.location

    def weights(self) -> dict[str, str]:
        with self.app.test_request_context():
            form = WeightsForm.beginning_with(weights_in_force()[1], typed=None)
            values = {field.name: field._value() for field in form if field.name != "csrf_token"}
        return {**values, "text_keywords": "1.7", "version": "P-2026.9", "reason": WHY}

    def dictionary(self) -> dict[str, str]:
        with self.app.test_request_context():
            form = DictionaryForm.beginning_with(dictionary_in_force()[1], typed=None)
            values = {field.name: field._value() for field in form if field.name != "csrf_token"}
        return {**values, "words": "夹紧力\n轮端执行器", "version": "P-2026.9", "reason": WHY}

    def sheet(self) -> str:
        """The clusters as they are, but for one name."""
        text = self.clients["visitor"].get("/taxonomy/cluster/export.csv").text.removeprefix("\ufeff")
        lines = text.splitlines()
        lines[1] = lines[1].replace(lines[1].split(",")[2], "另一个名称")
        return "\n".join(lines)

    def base_id(self) -> str:
        base = find_newest_version(Scheme.CLUSTER)
        assert base is not None
        return str(base.id)

    def _imports(self) -> None:
        for name, content in (
            ("import", "名称,简介\n轮端执行机构,面向轮端电动卡钳\n"),
            ("import other", "名称\n丝杠\n"),
        ):
            file = {"file": (io.BytesIO(content.encode()), "清单.csv")}
            self.post("sme", "/workbench/imports/new/capability", file)
            self.ids[name] = self.newest(StagedImport)
            if name == "import":
                do_imports()


CONSENT = {
    "given_by": "陈工",
    "given_position": "总经理",
    "given_on": "2026-01-05",
    "channel": "written",
    "scope": ["organisation", "need", "capability"],
    "note": "在园区服务站当面签署。",
}
APPROACH = {"message": MESSAGE, "contact": "organisation", "expires_on": in_days(10)}
CONTACT = {
    "region": "500112",
    "address": "建新东路 1 号",
    "contact_name": "程试",
    "contact_phone": "023-01234567",
    "contact_email": "c@example.com",
}
PERSON = {
    "name": "廖启航",
    "phone": "13800000000",
    "password": NEW_PASSWORD,
    "again": NEW_PASSWORD,
    "terms": "y",
    "privacy": "y",
}
REASON = {"reason": reason()}
BASICS = {
    "name": "渝改精密机电有限公司",
    "uscc": a_code(770_001),
    "short_name": "渝改",
    "kind": "enterprise",
    "employees": "120",
    "revenue_fen": "8000",
    "size": "small",
    "clusters": ["A1"],
    "website": "https://example.com",
    "summary": "为整车企业配套加工精密零部件，自有检测室和热处理线。",
}
DESIGNATIONS = {
    "designations-0-kind": "little_giant",
    "designations-0-number": "渝专-01",
    "designations-0-issuer": "市经信委",
    "designations-0-issued_on": "2024-01-01",
    "designations-0-valid_to": in_days(300),
}


def reviewed(fields: tuple[str, ...], *, limit: int) -> tuple[dict[str, str], dict[str, FieldFacts]]:
    """What a reviewer says of each field, and of all; one of them will do."""
    return (
        {"reason": WHY, **{f"reason-{name}": "" for name in fields}},
        {
            "reason": FieldFacts("prose", "理由", 1000),
            **{f"reason-{name}": FieldFacts("prose", "理由", limit) for name in fields},
        },
    )


def examples(world: World) -> list[Example]:
    found: list[Example] = []
    ids = world.ids

    def add(key: str, who: str, url: str, fields: Mapping[str, Any] | None = None, **more: Any) -> None:
        for name in ("unkept", "unshown"):
            more[name] = frozenset(more.get(name, ()))
        found.append(Example(key, who, url, dict(fields or {}), **more))

    _of_postings(add, ids)
    _of_organisations(add, world)
    _of_accounts(add, world)
    _of_engagement(add, ids)
    _of_operation(add, world)
    return found


def _of_postings(add: Any, ids: Mapping[str, Any]) -> None:
    version = {"version": REFERENCE}
    steps: dict[str, dict[str, Any]] = {
        "basics": {
            "title": "电子机械制动执行器",
            "board": "enterprise",
            "activity": "development",
            "clusters": ["A1"],
            "chain_links": [],
            "industry": "C36",
            "region": "500112",
            "keywords": "线控制动、夹紧力、丝杠",
            "contact_name": "程试",
            "contact_phone": "13800000000",
        },
        "problem": {
            "background": "量产车型取消制动液管路。",
            "problem": "夹紧力由 28 kN 降至 23 kN。",
            "existing_basis": "有台架。",
            "effect_goals": "降本一成。",
            "trl_current": "5",
            "trl_target": "8",
        },
        "indicators": {
            **indicator_fields("indicators", 0),
            "indicators-0-mark": "must",
            "indicators-0-verifier": "third_party",
            "indicators-0-weight": "60",
        },
        "terms": {
            "budget_fen": "800",
            "negotiable": "",
            "closes_on": in_days(40),
            "duration_months": "18",
            "takers_wanted": "1",
            "sme_only": "",
            "consortium_allowed": "y",
            "max_members": "3",
            "requirements": "有量产经历",
            "cooperation": ["joint"],
            "ip_terms": "shared",
            "ip_note": "另行约定",
            "acceptance": "第三方台架检测",
        },
    }
    number = ids["challenge draft"]
    for step, fields in steps.items():
        fields = {**fields, "version": ids["challenge draft version"]}
        unkept = {"keywords"} if step == "basics" else set()
        add(
            f"challenges.save {step}",
            "leader",
            f"/workbench/challenges/{number}/{step}",
            fields,
            facts=version,
            unkept=unkept,
        )
    add("challenges.start", "leader", "/workbench/challenges/new", {"title": "湿式离合器摩擦片"})
    add(
        "challenges.save_annex",
        "leader",
        f"/workbench/challenges/{number}/annex",
        {"annex": "目标成本 1200 元。", "version": ids["challenge draft version"]},
        facts=version,
    )
    add("challenges.copy", "leader", f"/workbench/challenges/{number}/copy")
    url, standing = f"/workbench/challenges/{number}/submit", ids["challenge draft version"]
    add("challenges.submit", "leader", url, {"version": standing}, facts={**version, "appeal": IGNORED})
    url = f"/workbench/challenges/{ids['challenge taken_down']}/submit"
    again = {"version": ids["challenge taken_down version"], "appeal": WHY}
    add(
        "challenges.submit again",
        "leader",
        url,
        again,
        facts={**version, "appeal": reason(label="整改说明或申诉理由")},
    )
    published = ids["challenge published"]
    add(
        "challenges.withdraw",
        "leader",
        f"/workbench/challenges/{published}/withdraw",
        {"reason": WHY},
        facts=REASON,
    )
    for action, day in (("extend", in_days(60)), ("close_early", in_days(12))):
        fields = {"closes_on": day, "reason": WHY}
        add(
            f"challenges.move_deadline {action}",
            "leader",
            f"/workbench/challenges/{published}/{action}",
            fields,
        )
    add(
        "challenges.take_down",
        "operator",
        f"/review/challenges/{published}/take-down",
        {"reason": WHY},
        facts=REASON,
    )
    submitted, standing = (
        f"/review/challenges/{ids['challenge submitted']}",
        ids["challenge submitted version"],
    )
    add("challenges.approve", "operator", f"{submitted}/approve", {"version": standing}, facts=version)
    names = (
        "title",
        "clusters",
        "background",
        "problem",
        "indicators",
        "budget_fen",
        "closes_on",
        "requirements",
        "ip_terms",
        "acceptance",
    )
    fields, facts = reviewed(names, limit=1000)
    add(
        "challenges.return_to_seeker",
        "operator",
        f"{submitted}/return",
        {**fields, "version": standing},
        facts={**facts, **version},
    )
    need = a_need_form(
        **{
            "indicators-0-mark": "plain",
            "indicators-0-verifier": "",
            "indicators-0-weight": "",
            "chain_links": [],
            "max_price_hidden": "",
        }
    )
    capability = a_capability_form(
        **{
            "parameters-0-mark": "plain",
            "parameters-0-verifier": "",
            "parameters-0-weight": "",
            "chain_links": [],
        }
    )
    cut = {"keywords"}
    unweighted = {
        f"{rows}-0-{column}"
        for rows in ("indicators", "parameters")
        for column in ("mark", "verifier", "weight")
    }
    add(
        "needs.create",
        "sme",
        f"/workbench/need-lists/{ids['list']}/lines/new",
        need,
        unkept=cut,
        unshown=unweighted,
    )
    add(
        "needs.save",
        "sme",
        f"/workbench/needs/{ids['need draft']}/edit",
        {**need, "version": ids["need draft version"]},
        unkept=cut,
        unshown=unweighted,
    )
    add(
        "needs.save_for",
        "operator",
        f"/workbench/assisted/{ids['consent']}/need",
        need,
        unkept=cut,
        unshown=unweighted,
    )
    add(
        "capabilities.create",
        "sme",
        "/workbench/capabilities/new",
        capability,
        unkept=cut,
        unshown=unweighted,
    )
    url = f"/workbench/capabilities/{ids['capability draft']}/edit"
    add(
        "capabilities.save",
        "sme",
        url,
        {**capability, "version": ids["capability draft version"]},
        unkept=cut,
        unshown=unweighted,
    )
    add(
        "capabilities.save_for",
        "operator",
        f"/workbench/assisted/{ids['consent']}/capability",
        capability,
        unkept=cut,
        unshown=unweighted,
    )
    listed = {"title": "年度寻源清单", "note": "按图报价", "version": "0"}
    add("needs.create_list", "sme", "/workbench/need-lists/new", listed)
    add(
        "needs.save_list",
        "sme",
        f"/workbench/need-lists/{ids['list']}/edit",
        {**listed, "version": ids["list version"]},
    )
    for kind, path in (("need", "needs"), ("capability", "capabilities")):
        for action, who, status, owes in (
            ("publish", "sme", "draft", False),
            ("withdraw", "sme", "published", True),
            ("renew", "sme", "published", False),
            ("appeal", "sme", "taken_down", True),
            ("take_down", "operator", "published", True),
            ("restore", "operator", "appealed", False),
            ("reject", "operator", "appealed", True),
        ):
            url = f"/{path}/{ids[f'{kind} {status}']}/{action}"
            add(
                f"{path}.act {action}",
                who,
                url,
                {"reason": WHY} if owes else {},
                facts=REASON if owes else {},
            )


def _of_organisations(add: Any, world: World) -> None:
    ids = world.ids
    version = {"version": REFERENCE, "then": IGNORED}
    for step, fields in (("basics", BASICS), ("contact", CONTACT), ("designations", DESIGNATIONS)):
        add(
            f"own_organisation.save_step {step}",
            "drafting",
            f"/workbench/organisation/edit/{step}",
            {**fields, "version": ids["draft version"]},
            facts=version,
            unkept={"uscc"},
        )
        add(
            f"assisted.save {step}",
            "operator",
            f"/workbench/assisted/organisations/{ids['assisted']}/{step}",
            {**fields, "version": ids["assisted version"]},
            facts=version,
            unkept={"uscc"},
        )
    add(
        "own_organisation.register",
        "newcomer",
        "/workbench/organisation/register",
        {"uscc": a_code(770_002), "name": "渝新注册机电有限公司"},
        unkept={"uscc"},
    )
    add(
        "own_organisation.submit",
        "drafting",
        "/workbench/organisation/submit",
        {"truthful": "y", "version": ids["draft version"]},
        facts=version,
    )
    add("own_organisation.discard", "drafting", "/workbench/organisation/discard")
    add("members.join", "newcomer", f"/workbench/organisation/join/{ids['code']}", {"role": "editor"})
    add(
        "members.switch",
        "sme",
        "/workbench/organisation/switch",
        {"organisation_id": ids["sme organisation"]},
        facts={"organisation_id": REFERENCE},
    )
    add("members.join_another", "newcomer", "/workbench/memberships", {"uscc": ids["code"]}, unkept={"uscc"})
    add("members.withdraw_request", "asking", f"/workbench/memberships/{ids['asked']}/withdraw")
    add("members.leave", "colleague", "/workbench/organisation/leave")
    add(
        "members.invite",
        "sme",
        "/workbench/organisation/invitations",
        {"email": "next@invited.example", "role": "editor"},
    )
    for action in ("resend", "withdraw"):
        add(
            f"members.{action}_invitation",
            "sme",
            f"/workbench/organisation/invitations/{ids['invitation']}/{action}",
        )
    role = {"role": CHOICE}
    for answer in ("accept", "decline"):
        given = {"role": "editor"} if answer == "accept" else {}
        add(
            f"members.decide_request {answer}",
            "sme",
            f"/workbench/organisation/members/{ids['asked']}/{answer}",
            given,
            facts=role,
        )
        url = f"/workbench/verification/{ids['sme organisation']}/members/{ids['asked']}/{answer}"
        add(f"members.decide_request_for {answer}", "operator", url, given, facts=role)
    member = f"/workbench/organisation/members/{ids['colleague membership']}"
    add("members.change_role", "sme", f"{member}/role", {"role": "reader"}, facts=role)
    add("members.remove_member", "sme", f"{member}/remove")
    add("members.disable_member disable", "sme", f"{member}/disable")
    add(
        "members.disable_member enable",
        "sme",
        f"/workbench/organisation/members/{ids['disabled membership']}/enable",
    )
    add("member_invitation.accept", "newcomer", ids["accept"])
    add("member_invitation.register", "visitor", f"{ids['invited']}/register", PERSON)
    add(
        "claims.create",
        "sme",
        f"/organisations/{ids['unclaimed']}/claim",
        {"statement": "我单位前身即该厂，二〇一九年更名并迁址。"},
    )
    add("claims.withdraw", "sme", f"/workbench/claims/{ids['claimed claim']}/withdraw")
    claim = f"/workbench/verification/claims/{ids['claimed too claim']}"
    add("claims.accept", "operator", f"{claim}/accept")
    add("claims.decline", "operator", f"{claim}/decline", {"reason": WHY})
    queue = f"/workbench/verification/{ids['pending']}"
    standing = {"version": ids["pending version"]}
    checks = {"checked": ["licence", "identity", "size", "contact"], "confirmed": []}
    add(
        "verification.verify",
        "operator",
        f"{queue}/verify",
        {**checks, **standing},
        facts={**version, "checked": BOXES, "confirmed": REFERENCE},
    )
    names = (
        "name",
        "uscc",
        "kind",
        "size",
        "clusters",
        "summary",
        "region",
        "contact_name",
        "contact_phone",
        "designations",
        "licence",
    )
    fields, facts = reviewed(names, limit=300)
    add(
        "verification.send_back",
        "operator",
        f"{queue}/return",
        {**fields, **standing},
        facts={**facts, **version},
    )
    verified = f"/workbench/verification/{ids['sme organisation']}"
    held = {"version": ids["sme version"]}
    add(
        "verification.suspend",
        "operator",
        f"{verified}/suspend",
        {"reason": WHY, "until": in_days(30), **held},
        facts=version,
    )
    url = f"/workbench/verification/{ids['leader organisation']}/designations"
    add(
        "verification.confirm_designations",
        "operator",
        url,
        {"confirmed": [], "version": ids["leader version"]},
        facts={**version, "confirmed": REFERENCE},
    )
    url = f"/workbench/verification/{ids['suspended']}/reinstate"
    add(
        "verification.reinstate",
        "operator",
        url,
        {"reason": WHY, "version": ids["suspended version"]},
        facts=version,
    )
    add(
        "assisted.create",
        "operator",
        "/workbench/assisted/new",
        {**CONSENT, "uscc": a_code(770_003), "name": "渝同意机电有限公司"},
        unkept={"uscc"},
    )
    add("assisted.end", "operator", f"/workbench/assisted/{ids['consent']}/end")
    add("assisted.tell", "operator", f"/workbench/assisted/{ids['consent']}/tell")
    url = f"/workbench/assisted/organisations/{ids['assisted']}/submit"
    add(
        "assisted.submit",
        "operator",
        url,
        {"truthful": "y", "version": ids["assisted version"]},
        facts=version,
    )
    add("assisted.confirm", "sme", f"/workbench/organisation/assisted/{ids['entry']}/confirm")
    add(
        "assisted.object_to",
        "sme",
        f"/workbench/organisation/assisted/{ids['entry']}/object",
        {"reason": WHY},
        facts=REASON,
    )
    add("assisted.take_over", "newcomer", ids["takeover"])


def _of_accounts(add: Any, world: World) -> None:
    ids = world.ids
    next_ = {"next": REFERENCE}
    proving = {**next_, "password": COMPARED}
    secret = {"password": PASSWORD}
    add(
        "identity.sign_in_post",
        "visitor",
        "/login",
        {"email": "liao@example.com", "next": "/", **secret},
        facts=proving,
    )
    add(
        "identity.second_step",
        "half in",
        "/login/code",
        {"code": world.code(), "next": "/"},
        facts=next_,
        unkept={"code"},
        unshown={"code"},
    )
    add("identity.sign_out", "person", "/logout")
    for key, url in (("register", "/register"), ("forgot_password", "/password/forgot")):
        add(f"identity.{key}", "visitor", url, {"email": "liao@example.com"}, answers=200)
    add("identity.complete_registration", "visitor", f"/register/{ids['token registration']}", PERSON)
    changed = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
    add("identity.reset_password", "visitor", f"/password/reset/{ids['token password_reset']}", changed)
    add("identity.confirm_email", "visitor", f"/email/confirm/{ids['token email']}")
    own = "/workbench/account"
    add("identity.update_account", "person", own, {"name": "廖启航", "phone": "13900000000"})
    current = {"current": COMPARED}
    add(
        "identity.change_password",
        "person",
        f"{own}/password",
        {"current": PASSWORD, **changed},
        facts=current,
    )
    add("identity.prove", "person", f"{own}/prove", {**secret, "next": "/workbench"}, facts=proving)
    add(
        "identity.prove two",
        "guarded",
        f"{own}/prove",
        {**secret, "code": world.code(), "next": "/workbench"},
        facts=proving,
        unkept={"code"},
        unshown={"code"},
    )
    add(
        "identity.consent",
        "person",
        f"{own}/consent",
        {"terms": "y", "privacy": "y", "next": "/workbench"},
        facts=next_,
    )
    add("identity.change_email", "person", f"{own}/email", {"email": "later@example.com"}, answers=200)
    add("identity.verify_email", "person", f"{own}/email/verify", answers=200)
    factor = f"{own}/second-factor"
    add("identity.begin_second_factor", "person", f"{factor}/begin")
    add(
        "identity.confirm_second_factor",
        "person",
        f"{factor}/confirm",
        {"code": world.code("unconfirmed")},
        answers=200,
        unkept={"code"},
        unshown={"code"},
    )
    add("identity.renew_recovery_codes", "guarded", f"{factor}/codes", answers=200)
    add("identity.switch_off_second_factor", "guarded", f"{factor}/off")
    add("identity.end_session", "sme", f"{own}/sessions/{ids['session']}/end")
    add("identity.end_other_sessions", "sme", f"{own}/sessions/end-others")
    account = "/workbench/accounts"
    add("identity.shut_account disable", "operator", f"{account}/{ids['person']}/disable", {"reason": WHY})
    add("identity.shut_account enable", "operator", f"{account}/{ids['shut']}/enable", {"reason": WHY})
    add(
        "identity.reset_second_factor",
        "maintainer",
        f"{account}/{ids['guarded']}/second-factor/reset",
        {"reason": WHY},
    )


def _of_engagement(add: Any, ids: Mapping[str, Any]) -> None:
    number = {"capability": REFERENCE, "next": REFERENCE}
    need = f"/workbench/needs/{ids['need published']}"
    challenge = f"/workbench/challenges/{ids['challenge published']}"
    theirs, own = {"capability": ids["capability other"]}, {"capability": ids["capability published"]}
    add(
        "engagement.send_invitations challenges",
        "leader",
        f"{challenge}/invite",
        {**APPROACH, **theirs},
        facts=number,
    )
    add(
        "engagement.send_invitations needs",
        "sme",
        f"/workbench/needs/{ids['need spare']}/invite",
        {**APPROACH, **theirs},
        facts=number,
    )
    add(
        "engagement.send_interest challenges",
        "sme",
        f"{challenge}/interest",
        {**APPROACH, **own},
        facts=number,
    )
    add(
        "engagement.send_interest needs",
        "sme",
        f"/workbench/needs/{ids['need spare other']}/interest",
        {**APPROACH, **own},
        facts=number,
    )
    said = {"reason_code": "other", "reason": WHY, "next": ""}
    add("engagement.dismiss needs", "sme", f"{need}/dismissals", {**said, **theirs}, facts=number)
    add("engagement.dismiss challenges", "sme", f"{challenge}/dismissals", {**said, **own}, facts=number)
    add(
        "engagement.add_note needs",
        "sme",
        f"{need}/notes",
        {"text": "先看样件。", "next": "", **theirs},
        facts=number,
    )
    add(
        "engagement.add_note challenges",
        "leader",
        f"{challenge}/notes",
        {"text": "先看样件。", "next": "", **theirs},
        facts=number,
    )
    add(
        "engagement.undo_dismissal",
        "sme",
        f"/workbench/dismissals/{ids['dismissal']}/undo",
        {"next": ""},
        facts=number,
    )
    add("engagement.remove_note", "sme", f"/workbench/notes/{ids['note']}/remove", {"next": ""}, facts=number)
    approach = f"/workbench/approaches/{ids['approach invited']}"
    add("engagement.accept", "other sme", f"{approach}/accept", {"contact": "organisation"})
    add("engagement.decline", "other sme", f"{approach}/decline", {"reason_code": "other", "reason": WHY})
    add(
        "engagement.withdraw",
        "sme",
        f"{approach}/withdraw",
        {"reason": WHY},
        facts={"reason": FieldFacts("prose", "说明", 500)},
    )
    add("engagement.close_contact", "sme", f"/workbench/approaches/{ids['approach agreed']}/close-contact")
    seen = {"line": ["R-2026-00001~NL-2026-00001"], "opened": "1"}
    add(
        "engagement.seen",
        "sme",
        "/workbench/matching/seen",
        seen,
        facts={"line": REFERENCE, "opened": BOXES},
        answers=204,
    )


def _of_operation(add: Any, world: World) -> None:
    ids = world.ids
    announced = {"title": "开榜通知", "category": "notice", "body": "本期榜单即日起受理。", "version": "0"}
    add("announcements.create", "operator", "/workbench/announcements/new", announced)
    url = f"/workbench/announcements/{ids['announcement draft']}/edit"
    add("announcements.save", "operator", url, {**announced, "version": ids["announcement draft version"]})
    for action, status in (("publish", "draft"), ("pin", "published"), ("unpin", "pinned")):
        add(
            f"announcements.act {action}",
            "operator",
            f"/announcements/{ids[f'announcement {status}']}/{action}",
        )
    url = f"/announcements/{ids['announcement published']}/withdraw"
    add("announcements.act withdraw", "operator", url, {"reason": WHY}, facts=REASON)
    letters = "/workbench/letters"
    add("notifications.open_letter", "sme", f"{letters}/{ids['letter']}/open")
    add("notifications.read_all", "sme", f"{letters}/read")
    wishes = {f"mailing-{group.value}": "daily" for group in kinds.settable()}
    boxes = {f"site-{group.value}": "y" for group in kinds.settable()}
    add(
        "notifications.save_settings",
        "sme",
        f"{letters}/settings",
        {**wishes, **boxes, "language": "zh_Hans"},
        facts={**dict.fromkeys((*wishes, "language"), CHOICE), **dict.fromkeys(boxes, BOXES)},
    )
    sorted_ = {"id": [ids["letter"]], "page_ids": "", "box": "", "group": "", "q": "", "page": ""}
    add(
        "notifications.sort_letters",
        "sme",
        f"{letters}/sort",
        {**sorted_, "act": "read"},
        facts=dict.fromkeys(sorted_, REFERENCE),
    )
    add(
        "notifications.end_mails",
        "visitor",
        f"/letters/unsubscribe/{unsubscribing.token_for(world.actors['sme'].user_id or 0, 'digest')}",
        answers=200,
    )
    add(
        "search.keep",
        "sme",
        "/workbench/favourites",
        {"kind": "need", "subject_id": ids["need published id"], "act": "keep", "next": ""},
        facts={"kind": REFERENCE, "subject_id": REFERENCE, "next": REFERENCE},
    )
    add("search.forget_gone", "sme", "/workbench/favourites/forget")
    add("search.save", "sme", "/workbench/searches/new?q=旋锻", {"name": "旋锻", "frequency": "daily"})
    add(
        "search.set_frequency",
        "sme",
        f"/workbench/searches/{ids['saved']}/frequency",
        {"frequency": "weekly"},
    )
    add("search.delete_saved", "sme", f"/workbench/searches/{ids['saved']}/delete")
    add(
        "matching.retry",
        "operator",
        "/workbench/matching/monitor/retry",
        {"id": ["1"]},
        facts={"id": REFERENCE},
    )
    settings = "/workbench/matching/settings"
    add(
        "matching.propose_setting weights",
        "operator",
        f"{settings}/weights/new",
        world.weights(),
        speaks_at={"part_": "part_text", "mark_": "mark_must", "limit_": "limit_least_agreement"},
    )
    add(
        "matching.propose_setting dictionary",
        "operator",
        f"{settings}/dictionary/new",
        world.dictionary(),
        unkept={"words", "synonyms"},
    )
    for kind in ("weights", "dictionary"):
        for action in ("withdraw", "preview"):
            given = {"reason": WHY} if action == "withdraw" else {"reason": ""}
            add(
                f"matching.decide_setting {kind} {action}",
                "operator",
                f"{ids[f'setting {kind}']}/{action}",
                given,
                facts=REASON if action == "withdraw" else {"reason": IGNORED},
            )
    upload = lambda name="清单.csv": {"file": (io.BytesIO("名称\n丝杠\n".encode()), name)}  # noqa: E731
    add(
        "exchange.upload",
        "sme",
        "/workbench/imports/new/capability",
        {"scope": ""},
        facts={"scope": REFERENCE},
        files=upload,
    )
    staged = f"/workbench/imports/{ids['import']}"
    columns = {"sheet": "", "header_row": "1", "column-0": "title", "column-1": "summary"}
    add(
        "exchange.assign_columns",
        "sme",
        f"{staged}/columns",
        columns,
        facts=dict.fromkeys(columns, REFERENCE),
    )
    add("exchange.accept", "sme", f"{staged}/accept", {"withdraw": ""}, facts={"withdraw": BOXES})
    add("exchange.cancel", "sme", f"/workbench/imports/{ids['import other']}/cancel")
    add(
        "exchange.export",
        "operator",
        "/exports/capabilities.hall",
        {"format": "csv"},
        facts={"format": REFERENCE},
        answers=200,
    )
    owner = f"/attachments/organisation/{ids['draft organisation']}/licence"
    add("attachments.download_confidential", "drafting", f"/files/{ids['file']}", answers=200)
    add("attachments.upload", "drafting", owner, files=a_paper)
    add("attachments.remove", "drafting", f"/attachments/{ids['file to go']}/remove")
    sheet = {
        "number": "2027",
        "valid_from": today().isoformat(),
        "reason": WHY,
        "source": "渝经信〔2026〕1 号",
        "content": world.sheet(),
        "base_id": world.base_id(),
    }
    url, facts = (
        "/workbench/taxonomy/cluster/import",
        {"file": IGNORED, "base_id": REFERENCE, "content": REFERENCE},
    )
    add(
        "taxonomy.import_sheet",
        "maintainer",
        url,
        {**sheet, "act": ""},
        facts=facts,
        answers=200,
        unkept=sheet,
    )
    add("taxonomy.import_sheet accept", "maintainer", url, {**sheet, "act": "accept"}, facts=facts)
