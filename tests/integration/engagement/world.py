"""A seeker, suppliers and ranked postings between whom approaches are made."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from marketplace.engagement import queries, services
from marketplace.engagement.kinds import ContactSource
from marketplace.engagement.models import Approach
from marketplace.engagement.rules import Draft, Limits
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.matching import queries as matching
from marketplace.matching import runs
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from marketplace.notifications.models import Letter
from marketplace.organisations.models import Organisation
from tests.integration.support import a_capability, a_need, an_editor, somebody

LIMITS = Limits(per_posting=3, per_day=5, interests_per_day=2, answer_days=14)
#: What nobody but the two sides may ever read, and they only after both agreed.
SEEKER_PHONE, SUPPLIER_PHONE = "023-61110001", "023-62220002"
SEEKER_NAME, SUPPLIER_NAME = "金丝雀甲", "金丝雀乙"
MESSAGE = "请就来料检验与月供货量与我们详谈，金丝雀留言。"
CANARIES = (SEEKER_PHONE, SUPPLIER_PHONE, SEEKER_NAME, SUPPLIER_NAME)


def give_contact(actor: Actor, name: str, phone: str) -> None:
    with transaction() as session:
        session.execute(
            update(Organisation)
            .where(Organisation.id == actor.organisation_id)
            .values(contact_name=name, contact_phone=phone, contact_email="")
        )


class World:
    def __init__(self, suppliers: int = 2) -> None:
        self.seeker = an_editor(name="巴都采购机械有限公司")
        self.colleague = somebody(self.seeker.organisation_id)
        self.supplier = an_editor(name="沱云供方机械有限公司")
        self.rival = an_editor(name="别家供方机械有限公司")
        self.stranger = an_editor(name="旁观单位有限公司")
        give_contact(self.seeker, SEEKER_NAME, SEEKER_PHONE)
        give_contact(self.supplier, SUPPLIER_NAME, SUPPLIER_PHONE)
        self.own = a_capability(self.supplier)
        self.other = a_capability(self.rival, title="冷旋锻空心半轴专线", parameters=())
        self.need = a_need(self.seeker)
        # Plain, for threads: a row read again in another thread would be read by this one's session.
        self.need_no, self.own_no = self.need.public_no, self.own.public_no

    def rank(self) -> Any:
        runs.take_over_capabilities()
        runs.rank_seeker(Subject(PostingKind.NEED, self.need.id))
        return matching.find_run(PostingKind.NEED, self.need.id)

    def reader_of(self, actor: Actor) -> Actor:
        return somebody(actor.organisation_id, role=OrganisationRole.READER)


def a_draft(**changes: Any) -> Draft:
    day = business_date(clock.now()) + timedelta(days=14)
    return replace(Draft(MESSAGE, ContactSource.ORGANISATION, day), **changes)


def invite(
    world: World, *capabilities: Any, by: Actor | None = None, limits: Limits = LIMITS, **changes: Any
) -> list[Approach]:
    actor = by or world.seeker
    numbers = [capability.public_no for capability in capabilities] or [world.own_no]
    with transaction():
        posting = queries.get_own_posting(PostingKind.NEED, world.need_no, actor=actor)
        chosen = queries.list_capabilities(numbers)
        return services.invite(posting, chosen, a_draft(**changes), limits=limits, by=actor, now=clock.now())


def show_interest(world: World, *, by: Actor | None = None, limits: Limits = LIMITS) -> Approach:
    actor = by or world.supplier
    with transaction():
        posting = queries.get_posting(PostingKind.NEED, world.need_no, viewer=actor)
        capability = queries.list_own_capabilities(actor)[0]
        return services.show_interest(
            posting, capability, a_draft(), limits=limits, by=actor, now=clock.now()
        )


def act(approach: Approach | str, what: Callable[..., None], *, by: Actor, **values: Any) -> None:
    number = approach if isinstance(approach, str) else approach.public_no
    with transaction():
        found = queries.get_approach(number, viewer=by)
        what(found, by=by, now=clock.now(), **values)


def accept(approach: Approach | str, *, by: Actor) -> None:
    act(approach, services.accept, by=by, contact=ContactSource.ORGANISATION)


def reread(approach: Approach) -> Approach:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Approach, approach.id)


def let_run_out(approach: Approach, *, left: timedelta = -timedelta(minutes=1)) -> None:
    """As if it had been sent so long ago that only `left` is left."""
    now = clock.now()
    with transaction() as session:
        session.execute(
            update(Approach)
            .where(Approach.id == approach.id)
            .values(sent_at=now - timedelta(days=12), expires_at=now + left)
        )


def letters_of(actor: Actor) -> list[str]:
    rows = db.session.execute(select(Letter.kind).where(Letter.user_id == actor.user_id).order_by(Letter.id))
    return [row.kind for row in rows]


def at(moment: datetime) -> str:
    return business_date(moment).isoformat()
