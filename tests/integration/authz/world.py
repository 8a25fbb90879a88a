"""Everybody and everything that the authorization matrix asks about, brought there by real acts.

Here: three firms with objects in every state of their lives, one account for each role of the matrix, and
the words planted in private fields with the roles that may read each of them.
Not here: which answer a role is due (matrix.csv), and how it is asked (runner.py).
"""

import io
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.datastructures import FileStorage

from marketplace.announcements import services as announcements
from marketplace.announcements.rules import AnnouncementDraft
from marketplace.attachments import services as attachments
from marketplace.attachments.models import Attachment
from marketplace.capabilities import queries as capability_queries
from marketplace.capabilities import services as capabilities
from marketplace.challenges import queries as challenge_queries
from marketplace.challenges import services as challenges
from marketplace.challenges.files import ANNEX, PUBLIC
from marketplace.engagement import queries as approaches
from marketplace.engagement import remarks
from marketplace.engagement import services as engagement
from marketplace.engagement.kinds import ContactSource
from marketplace.engagement.rules import Draft, Limits
from marketplace.exchange import exports, imports
from marketplace.exchange.targets import all_targets
from marketplace.identity import services as identity
from marketplace.identity.credentials import hash_token
from marketplace.identity.models import User, UserSession
from marketplace.kernel import clock
from marketplace.kernel.actor import ANONYMOUS, Actor, OrganisationRole, PlatformRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.matching import queries as matching
from marketplace.matching import runs, settings
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from marketplace.needs import queries as need_queries
from marketplace.needs import services as needs
from marketplace.needs.models import NeedList
from marketplace.notifications.models import Letter
from marketplace.organisations import services as organisations
from marketplace.organisations.assisted import services as assisted
from marketplace.organisations.assisted.services import ConsentDraft
from marketplace.organisations.claims import services as claims
from marketplace.organisations.kinds import ConsentChannel
from marketplace.organisations.members import invitations
from marketplace.organisations.members import services as members
from marketplace.organisations.models import Membership, Organisation
from marketplace.organisations.queries import actor_for
from marketplace.search import services as search
from marketplace.search.asked import Asked
from marketplace.search.models import Frequency
from tests import factories
from tests.integration.support import client_of

OWNER = ("reader", "editor", "manager")
PLATFORM = ("operator", "auditor")
ROLES = (
    "anonymous",
    "newcomer",
    "invited",
    "unverified",
    *OWNER,
    "other_editor",
    "supplier",
    "suspended",
    "ex_member",
    "disabled",
    *PLATFORM,
    "maintainer",
    "expert",
)
EVERYBODY = frozenset(ROLES)
MEMBER_TOKEN, TAKEOVER_TOKEN, NO_TOKEN = "m" * 43, "t" * 43, "n" * 43
HIDDEN_PRICE_FEN = 9_876_123_450_700
HIDDEN_PRICE = "98,761,234,507"
LIMITS = Limits(per_posting=50, per_day=50, interests_per_day=50, answer_days=14)


@dataclass
class World:
    app: Flask
    actors: dict[str, Actor] = field(default_factory=dict)
    clients: dict[str, FlaskClient] = field(default_factory=dict)
    #: What may be named in addresses: kind of object → state → number, id or key.
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Planted word → the roles that may read it anywhere.
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    #: Titles and names of files, by which the audit trail names things; nothing confidential is among them.
    labels: set[str] = field(default_factory=set)
    exports: tuple[str, ...] = ()

    def plant(self, firm: str, what: str, *roles: str) -> str:
        word = f"CNRY-{firm}-{what}-YRNC"
        self.readers[word] = frozenset(roles)
        if re.search("draft|file-returned|import", what) and "annex" not in what:
            self.labels.add(word)
        return word

    def put(self, kind: str, state: str, value: Any) -> None:
        self.objects.setdefault(kind, {})[state] = value


def _file(name: str) -> FileStorage:
    return FileStorage(io.BytesIO(factories.a_scan()), name)


def _attach(kind: str, owner_id: int, purpose: Any, name: str, *, by: Actor) -> str:
    with transaction():
        uploads = attachments.take_in([_file(name)], purpose=purpose)
        attachments.attach(kind, owner_id, purpose.name, uploads, by=by, now=clock.now())
    return db.session.scalars(select(Attachment.key).order_by(Attachment.id.desc())).first() or ""


def build(app: Flask) -> World:
    world = World(app)
    _people(world)
    _part(world)
    _challenges(world)
    _needs_and_capabilities(world)
    _matching(world)
    _approaches(world)
    _organisations(world)
    _own_things(world)
    _files(world)
    _platform(world)
    _sign_in(world)
    return world


# --- people -----------------------------------------------------------------------------------------------


def _people(world: World) -> None:
    a = factories.a_leader(
        contact_name="甲方联系人", contact_phone=world.plant("A", "phone", *OWNER, *PLATFORM, "supplier")
    )
    world.actors = {
        "anonymous": ANONYMOUS,
        "newcomer": actor_for(factories.a_person(), now=clock.now()),
        "invited": actor_for(factories.a_person(), now=clock.now()),
        "unverified": factories.a_manager(
            verified=False, name=world.plant("D", "pending-firm", "unverified", *PLATFORM)
        ),
        "reader": factories.a_colleague_of(a, OrganisationRole.READER),
        "editor": factories.a_colleague_of(a),
        "manager": a,
        "supplier": factories.an_sme(),
        "suspended": factories.a_leader(),
        "ex_member": factories.a_colleague_of(a),
        "disabled": factories.a_colleague_of(a),
        "operator": factories.an_operator(),
        "auditor": factories.an_auditor(),
        "maintainer": actor_for(factories.a_person(platform_role=PlatformRole.MAINTAINER), now=clock.now()),
        "expert": actor_for(factories.a_person(platform_role=PlatformRole.EXPERT), now=clock.now()),
    }
    b = factories.a_leader(contact_phone=world.plant("B", "phone", "other_editor", *PLATFORM))
    world.actors["other_editor"] = factories.a_colleague_of(b)
    world.put("firm", "verified", a.organisation_id)
    world.put("firm", "other", b.organisation_id)
    world.put("firm", "pending", world.actors["unverified"].organisation_id)


def _part(world: World) -> None:
    """One leaves the firm and one account is shut, with sessions open and before the firm posts anything."""
    for role in ("ex_member", "disabled"):
        world.clients[role] = client_of(world.app, world.actors[role])
    ex, shut, now = world.actors["ex_member"], world.actors["disabled"], clock.now()
    kept = db.session.scalars(select(UserSession).where(UserSession.user_id == shut.user_id)).one()
    values = {c.name: getattr(kept, c.name) for c in UserSession.__table__.columns}
    with transaction():
        members.remove_member(_membership(ex), by=world.actors["manager"], now=now)
        user = db.session.get_one(User, shut.user_id)
        identity.disable_user(user, reason="离职", by=world.actors["maintainer"], now=now)
    with transaction():
        # As if the session had been missed: the account itself has to be asked about.
        db.session.execute(insert(UserSession).values(**values))


# --- postings ---------------------------------------------------------------------------------------------


def _challenges(world: World) -> None:
    a, operator = world.actors["manager"], world.actors["operator"]
    insiders = (*OWNER, *PLATFORM)
    may_read = {
        "draft": OWNER,
        "submitted": insiders,
        # It was handed in once, and letters say so.
        "returned": insiders,
        "published": ROLES,
        "withdrawn": ROLES,
        # The page that says it is gone names it.
        "taken_down": ROLES,
    }
    for state, roles in may_read.items():
        title = world.plant("A", f"challenge-{state}", *roles)
        annex = world.plant("A", f"annex-{state}", *OWNER)
        built = "published" if state == "taken_down" else state
        made = factories.a_challenge(a, built, title=title, annex=annex)
        if state == "taken_down":
            with transaction():
                row = challenge_queries.get_challenge(made.public_no, viewer=operator)
                challenges.take_down(row, reason="附有未获授权的资料", by=operator, now=clock.now())
        world.put("challenge", state, made.public_no)
        world.put("challenge_id", state, made.id)
    b = world.actors["other_editor"]
    foreign = factories.a_challenge(
        replace(b, may_post_challenges=True),
        "draft",
        title=world.plant("B", "challenge-draft", "other_editor"),
        annex=world.plant("B", "annex", "other_editor"),
    )
    world.put("challenge", "foreign_draft", foreign.public_no)


def _needs_and_capabilities(world: World) -> None:
    a, operator = world.actors["manager"], world.actors["operator"]
    suspended, b = world.actors["suspended"], world.actors["other_editor"]
    price = {"max_price_fen": HIDDEN_PRICE_FEN, "max_price_hidden": True}
    world.readers[HIDDEN_PRICE] = frozenset(OWNER)
    states: dict[str, tuple[str, ...]] = {
        "draft": OWNER,
        "published": ROLES,
        "withdrawn": ROLES,
        "taken_down": ROLES,
        "appealed": ROLES,
    }
    for state, roles in states.items():
        built = "taken_down" if state == "appealed" else state
        need = factories.a_need(a, built, title=world.plant("A", f"need-{state}", *roles), **price)
        capability = factories.a_capability(a, built, title=world.plant("A", f"capability-{state}", *roles))
        if state == "appealed":
            with transaction():
                row = need_queries.get_own(need.public_no, actor=a)
                needs.appeal(row, reason="资料已取得授权，请复核", by=a, now=clock.now())
                own = capability_queries.get_own(capability.public_no, actor=a)
                capabilities.appeal(own, reason="资料已取得授权，请复核", by=a, now=clock.now())
        world.put("need", state, need.public_no)
        world.put("need_id", state, need.id)
        world.put("need_list", state, db.session.get_one(NeedList, need.need_list_id).public_no)
        world.put("capability", state, capability.public_no)
        world.put("capability_id", state, capability.id)
    draft = factories.a_need(b, "draft", title=world.plant("B", "need-draft", "other_editor"))
    world.put("need", "foreign_draft", draft.public_no)
    mine = factories.a_capability(b, "draft", title=world.plant("B", "capability-draft", "other_editor"))
    world.put("capability", "foreign_draft", mine.public_no)
    # Posted while the firm stood well; it is suspended now.
    world.put("capability", "of_suspended", factories.a_capability(suspended).public_no)
    factories.suspend(suspended)
    del operator


def _matching(world: World) -> None:
    supplier = world.actors["supplier"]
    world.put("capability", "supplier", factories.a_capability(supplier).public_no)
    runs.take_over_capabilities()
    for kind, name in ((PostingKind.CHALLENGE, "challenge_id"), (PostingKind.NEED, "need_id")):
        runs.rank_seeker(Subject(kind, world.objects[name]["published"]))
        run = matching.find_run(kind, world.objects[name]["published"])
        assert run is not None
        world.put("run", kind.value, run.public_no)
        places = {line.entry.organisation_id: line.entry.place for line in matching.list_lines(run.id)}
        world.put("place", kind.value, places[supplier.organisation_id or 0])


def _approaches(world: World) -> None:
    a, supplier = world.actors["manager"], world.actors["supplier"]
    two_sides = (*OWNER, "supplier")
    for state in ("sent", "accepted", "declined", "withdrawn"):
        need = factories.a_need(a, title=f"轮端丝杠副（{state}）")
        word = world.plant("A", f"message-{state}", *two_sides)
        draft = Draft(
            f"请就来料检验与月供货量与我们详谈。{word}",
            ContactSource.ORGANISATION,
            business_date(clock.now()) + timedelta(days=14),
        )
        now = clock.now()
        with transaction():
            posting = approaches.get_own_posting(PostingKind.NEED, need.public_no, actor=a)
            chosen = approaches.list_capabilities([world.objects["capability"]["supplier"]])
            [made] = engagement.invite(posting, chosen, draft, limits=LIMITS, by=a, now=now)
            number = made.public_no
        with transaction():
            row = approaches.get_approach(number, viewer=supplier)
            if state == "accepted":
                engagement.accept(row, contact=ContactSource.ORGANISATION, by=supplier, now=now)
            if state == "declined":
                engagement.decline(row, reason_code="capacity", reason="产能已排满", by=supplier, now=now)
        if state == "withdrawn":
            with transaction():
                row = approaches.get_approach(number, viewer=a)
                engagement.withdraw(row, reason="计划调整", by=a, now=now)
        world.put("approach", state, number)
    with transaction():
        posting = need_queries.get_own(world.objects["need"]["published"], actor=a)
        [capability] = approaches.list_capabilities([world.objects["capability"]["supplier"]])
        note = remarks.add_note(posting, capability, world.plant("A", "note", *OWNER), by=a, now=clock.now())
        dismissal = remarks.dismiss(
            posting,
            capability,
            reason_code="other",
            reason=world.plant("A", "dismissal", *OWNER),
            by=a,
            now=clock.now(),
        )
        db.session.flush()
        world.put("note", "own", note.id)
        world.put("dismissal", "own", dismissal.id)


# --- organisations ----------------------------------------------------------------------------------------


def _organisations(world: World) -> None:
    actors, now = world.actors, clock.now()
    a, operator = actors["manager"], actors["operator"]
    invited_email = db.session.get_one(User, actors["invited"].user_id).email
    asking = factories.a_person(world.plant("A", "asks-to-join", *OWNER, *PLATFORM, "maintainer"))
    with transaction():
        firm = db.session.get_one(Organisation, a.organisation_id)
        sent = invitations.invite(
            firm, invited_email, OrganisationRole.EDITOR, path="/invitations/", by=a, now=now
        )
        sent.token_hash = hash_token(MEMBER_TOKEN)
        asked = members.request_to_join(
            firm, role=OrganisationRole.READER, by=actor_for(asking, now=now), now=now
        )
        world.put("member_invitation", "sent", sent.id)
        world.put("membership", "asked", asked.id)
        world.put("membership", "active", _membership(actors["editor"]).id)
        world.put("membership", "reader", _membership(actors["reader"]).id)
        world.put("firm_code", "verified", firm.uscc)
    with transaction():
        collected = organisations.create_unclaimed("云阳某锻造厂", by=operator, now=now)
        db.session.flush()
        statement = world.plant("A", "claim-statement", *OWNER, *PLATFORM)
        claim = claims.file_claim(
            collected,
            db.session.get_one(Organisation, a.organisation_id),
            statement=f"本单位二〇一九年由该厂改制而来，附工商变更通知书。{statement}",
            by=a,
            now=now,
        )
        world.put("claim", "open", claim.id)
        world.put("firm", "unclaimed", collected.id)
    draft = ConsentDraft(
        given_by="李厂长",
        given_on=business_date(now),
        channel=next(iter(ConsentChannel)),
        scope=tuple(assisted.scopes()),
        note=world.plant("P", "consent", *PLATFORM),
    )
    with transaction():
        consent, _new = assisted.start_for(
            "城口试用机械厂", factories.an_organisation_draft().uscc or "", draft, by=operator, now=now
        )
        consent.takeover_hash = hash_token(TAKEOVER_TOKEN)
        consent.takeover_expires_at = now + assisted.TAKEOVER_LASTS
        world.put("consent", "new_firm", consent.id)
        world.put("firm", "assisted", consent.organisation_id)
    with transaction():
        firm = db.session.get_one(Organisation, a.organisation_id)
        own = assisted.record_consent(firm, draft, by=operator, now=now)
        need = need_queries.get_own(world.objects["need"]["published"], actor=a)
        assisted.note_entry(own, "need", need.id, by=operator, now=now)
        db.session.flush()
        world.put("consent", "own_firm", own.id)
        from marketplace.organisations.models import AssistedEntry

        entry = db.session.scalars(select(AssistedEntry.id).where(AssistedEntry.consent_id == own.id)).one()
        world.put("entry", "waiting", entry)


def _membership(actor: Actor) -> Membership:
    return db.session.scalars(select(Membership).where(Membership.user_id == actor.user_id)).one()


# --- what people keep for themselves ----------------------------------------------------------------------


def _own_things(world: World) -> None:
    editor, now = world.actors["editor"], clock.now()
    with transaction():
        saved = search.save_search(
            world.plant("A", "saved-search", "editor"), Asked(q="丝杠"), Frequency.DAILY, by=editor, now=now
        )
        search.keep("challenge", world.objects["challenge_id"]["published"], by=editor, now=now)
        world.put("saved_search", "own", saved.id)
    letter = db.session.scalars(select(Letter.id).where(Letter.user_id == editor.user_id)).first()
    world.put("letter", "own", letter)
    stored = imports.store_file(io.BytesIO("标的名称,数量,单位\n主轴管,12,件\n".encode()))
    need_list = need_queries.get_own_list(world.objects["need_list"]["published"], actor=editor)
    with transaction():
        staged = imports.receive(
            all_targets()["need"],
            file_name=world.plant("A", "import", *OWNER) + ".csv",
            stored=stored,
            scope_id=need_list.id,
            by=editor,
            now=now,
        )
        world.put("import", "received", staged.id)


def _files(world: World) -> None:
    a = world.actors["manager"]
    for state in ("draft", "returned"):
        owner = world.objects["challenge_id"][state]
        word = world.plant("A", f"file-{state}", *OWNER)
        world.put("file", f"public_of_{state}", _attach("challenge", owner, PUBLIC, f"{word}.png", by=a))
        word = world.plant("A", f"annex-file-{state}", *OWNER)
        world.put("file", f"annex_of_{state}", _attach("challenge", owner, ANNEX, f"{word}.png", by=a))
    licence = db.session.scalars(
        select(Attachment.key).where(
            Attachment.owner_kind == "organisation", Attachment.owner_id == a.organisation_id
        )
    ).first()
    world.put("file", "licence", licence)


def _platform(world: World) -> None:
    operator, now = world.actors["operator"], clock.now()
    with transaction():
        for state in ("draft", "published", "withdrawn"):
            roles = PLATFORM if state == "draft" else ROLES
            word = world.plant("P", f"announcement-{state}", *roles)
            draft = AnnouncementDraft(
                title=f"关于征集需求的通知 {word}", body="各有关单位：现征集技术需求。" * 5
            )
            made = announcements.start_draft(draft, by=operator, now=now)
            if state != "draft":
                announcements.publish(made, by=operator, now=now)
            if state == "withdrawn":
                announcements.withdraw(made, reason="内容有误，另行发布", by=operator, now=now)
            db.session.flush()
            world.put("announcement", state, made.id)
    with transaction():
        weights = replace(DEFAULT_WEIGHTS, version="matrix-1", full_support=0.3)
        reason = world.plant("P", "setting", *PLATFORM)
        row = settings.propose("weights", weights, reason=f"按季度复盘调整。{reason}", by=operator, now=now)
        db.session.flush()
        world.put("setting", "proposed", row.id)


# --- signing in -------------------------------------------------------------------------------------------


def _sign_in(world: World) -> None:
    """Everybody else signs in, and is known from then on as who they are by now."""
    now = clock.now()
    for role, actor in world.actors.items():
        if role not in world.clients:
            world.clients[role] = client_of(world.app, actor)
    editors = select(UserSession.id).where(UserSession.user_id == world.actors["editor"].user_id)
    world.put("session", "editor", db.session.scalars(editors).one())
    world.exports = tuple(sorted(exports.all_lists()))
    for role, actor in world.actors.items():
        if actor.user_id is not None:
            world.actors[role] = actor_for(db.session.get_one(User, actor.user_id), now=now)
    world.actors["disabled"] = ANONYMOUS
