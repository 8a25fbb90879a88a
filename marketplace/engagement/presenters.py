"""How approaches are listed and shown: in words, with what is left of the time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext

from marketplace.engagement import queries, services
from marketplace.engagement.kinds import (
    APPROACH_NAMES,
    CONTACT_NAMES,
    REASONS,
    ApproachKind,
    ContactSource,
    Side,
)
from marketplace.engagement.lifecycle import INVITATION
from marketplace.engagement.lifecycle import ApproachStatus as S
from marketplace.engagement.models import Approach, OpenedContact
from marketplace.identity.models import User
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import days_left
from marketplace.kernel.db import db
from marketplace.kernel.lifecycle import Step
from marketplace.kernel.texts import N_
from marketplace.matching.models import PostingKind
from marketplace.organisations.models import Organisation

TAGS = {
    S.SENT: "wait",
    S.ACCEPTED: "ok",
    S.DECLINED: "bad",
    S.WITHDRAWN: "",
    S.EXPIRED: "",
    S.ENDED: "",
}
POSTING_NAMES = {PostingKind.CHALLENGE: N_("榜单"), PostingKind.NEED: N_("需求")}
BOX_TITLES = {"received": N_("收到的邀请"), "sent": N_("发出的邀请"), "interests": N_("意向")}


def posting_url(kind: PostingKind, posting: Any) -> str:
    endpoint = "challenges.show" if kind is PostingKind.CHALLENGE else "needs.show"
    return url_for(endpoint, public_no=posting.public_no)


@dataclass(frozen=True, slots=True)
class Shown:
    """An approach as its reader sees it."""

    approach: Approach
    posting: Any
    posting_url: str
    url: str
    status: S
    status_label: str
    tag: str
    kind_label: str
    posting_label: str
    other: Organisation
    sent_by_us: bool
    days: int
    waits_for_us: bool
    reason: str


def shown(approach: Approach, posting: Any, *, viewer: Actor, now: datetime) -> Shown:
    status = queries.status_at(approach, now)
    sent_by_us = viewer.belongs_to(approach.sender_organisation_id)
    as_seeker = viewer.belongs_to(approach.seeker_organisation_id)
    return Shown(
        approach=approach,
        posting=posting,
        posting_url=posting_url(approach.posting_kind, posting),
        url=url_for("engagement.show", public_no=approach.public_no),
        status=status,
        status_label=gettext(INVITATION.label(status)),
        tag=TAGS[status],
        kind_label=gettext(APPROACH_NAMES[approach.kind]),
        posting_label=gettext(POSTING_NAMES[approach.posting_kind]),
        other=approach.supplier if as_seeker else approach.seeker,
        sent_by_us=sent_by_us,
        days=days_left(approach.expires_at, now=now),
        waits_for_us=status is S.SENT and not sent_by_us,
        reason=reason_text(approach),
    )


def reason_text(approach: Approach) -> str:
    """The reason of a refusal, or what was said at a withdrawal."""
    if approach.reason_code is None:
        return approach.reason
    side = Side.SUPPLIER if approach.kind is ApproachKind.INVITATION else Side.SEEKER
    return in_words(side, approach.reason_code, approach.reason)


def in_words(side: Side, code: Any, text: str) -> str:
    label = gettext(REASONS[side].get(code, code.value))
    return gettext("%(label)s：%(text)s", label=label, text=text) if text else str(label)


def shown_all(approaches: Sequence[Approach], *, viewer: Actor, now: datetime) -> list[Shown]:
    postings = queries.read_postings((one.posting_kind, one.posting_id) for one in approaches)
    return [
        shown(one, postings[one.posting_kind, one.posting_id], viewer=viewer, now=now) for one in approaches
    ]


def steps(approach: Approach, now: datetime) -> list[Step]:
    return services.LIVES[approach.kind].steps(queries.status_at(approach, now))


@dataclass(frozen=True, slots=True)
class ContactLine:
    """What one side opened to the other; the data are empty once it is closed."""

    contact: OpenedContact
    owner: str
    to: str
    source: str
    is_own: bool


def contact_lines(approach: Approach, *, viewer: Actor) -> list[ContactLine]:
    names = {
        approach.seeker_organisation_id: approach.seeker.name,
        approach.supplier_organisation_id: approach.supplier.name,
    }
    return [
        ContactLine(
            contact,
            names[contact.owner_organisation_id],
            names[contact.shown_to_organisation_id],
            gettext(CONTACT_NAMES[contact.source]),
            viewer.belongs_to(contact.owner_organisation_id),
        )
        for contact in approach.contacts
    ]


def own_contacts(posting: Any, actor: Actor) -> list[tuple[str, str]]:
    """The actor's own contacts to choose from, as they would be opened."""
    if actor.organisation_id is None or actor.user_id is None:
        return []
    owner = db.session.get_one(Organisation, actor.organisation_id)
    person = db.session.get_one(User, actor.user_id)
    lines = []
    for source, label in CONTACT_NAMES.items():
        found = services.contact_details(ContactSource(source), posting, owner, person)
        if found is not None:
            parts = [part for part in (found.name, found.phone, found.email) if part]
            lines.append((gettext(label), "　".join(parts) or gettext("没有填写")))
    return lines


def box_facets(box: str) -> list[dict[str, Any]]:
    """The filters of a box, in the shape of `ui.facets`."""
    statuses = [{"value": status.value, "label": INVITATION.labels[status], "count": None} for status in S]
    rows: list[dict[str, Any]] = [
        {"name": "status", "label": N_("状态"), "options": statuses},
        {
            "name": "posting",
            "label": N_("对象"),
            "options": [
                {"value": queries.PATHS[kind], "label": label, "count": None}
                for kind, label in POSTING_NAMES.items()
            ],
        },
    ]
    if box == "interests":
        options = [
            {"value": "received", "label": N_("收到的"), "count": None},
            {"value": "sent", "label": N_("发出的"), "count": None},
        ]
        rows.insert(0, {"name": "direction", "label": N_("方向"), "options": options})
    return rows


def reason_options(side: Side) -> list[tuple[str, str]]:
    return [(reason.value, str(gettext(label))) for reason, label in REASONS[side].items()]


def direction_of(one: Shown) -> str:
    return str(gettext("发出") if one.sent_by_us else gettext("收到"))
