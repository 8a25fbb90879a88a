"""How engagement is wired into the application."""

from collections.abc import Iterator
from datetime import datetime

from flask import Flask, g, url_for
from flask_babel import gettext

from marketplace.engagement import (
    exporting,
    lines,
    panels,
    permissions,  # noqa: F401 - names the audiences
    queries,
)
from marketplace.engagement.kinds import APPROACH_NAMES
from marketplace.engagement.queries import Waiting
from marketplace.engagement.views import bp
from marketplace.exchange import exports
from marketplace.kernel import clock, invariants, navigation, todos
from marketplace.kernel.access import MEMBER
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import days_left
from marketplace.kernel.texts import N_
from marketplace.kernel.todos import Todo
from marketplace.matching import annotations
from marketplace.notifications.kinds import Group, register_all
from marketplace.postings import concerned

# What is written to either side of an approach.
EVENTS = ("received", "accepted", "declined", "withdrawn", "reminder", "expired", "ended")


def wire(app: Flask) -> None:
    """Register what this feature offers."""
    app.register_blueprint(bp)
    panels.register()
    annotations.register(lines.annotate)
    todos.register(list_todos)
    # Whoever is in touch about a posting hears of its new closing day, and is given notice of an early one.
    concerned.register("engagement", queries.list_concerned_ids)
    for exported in exporting.lists():
        exports.register(exported)
    for kind, name in APPROACH_NAMES.items():
        register_all(Group.MATCHING, {f"{kind.value}.{event}": name for event in EVENTS})
    navigation.add_workbench(
        N_("匹配"), N_("收到的邀请"), "engagement.received", MEMBER, 16, lambda a: _waiting(a).invitations
    )
    navigation.add_workbench(N_("匹配"), N_("发出的邀请"), "engagement.sent", MEMBER, 17)
    navigation.add_workbench(
        N_("匹配"), N_("意向"), "engagement.interests", MEMBER, 18, lambda a: _waiting(a).interests
    )
    invariants.register(
        invariants.Invariant(
            "engagement.contacts",
            "contacts are open only where both sides agreed",
            lambda _now: queries.list_open_contacts_of_unsettled(),
        )
    )


def _waiting(actor: Actor) -> Waiting:
    """Asked for several entries of one page, read once."""
    if "engagement_waiting" not in g:
        g.engagement_waiting = queries.get_waiting(actor, now=clock.now())
    found: Waiting = g.engagement_waiting
    return found


def list_todos(actor: Actor, now: datetime) -> Iterator[Todo]:
    """What an editor has to answer, with the days until the first runs out."""
    if not actor.is_editor:
        return
    waiting = _waiting(actor)
    if waiting.invitations and waiting.next_invitation_at:
        yield Todo(
            days_left(waiting.next_invitation_at, now=now),
            gettext("答复 %(count)s 份邀请", count=waiting.invitations),
            gettext("接受后双方联系方式互相开放；过期自动失效"),
            url_for("engagement.received", status="sent"),
            gettext("去答复"),
        )
    if waiting.interests and waiting.next_interest_at:
        yield Todo(
            days_left(waiting.next_interest_at, now=now),
            gettext("答复 %(count)s 份意向", count=waiting.interests),
            gettext("同意后双方联系方式互相开放；过期自动失效"),
            url_for("engagement.interests", status="sent", direction="received"),
            gettext("去答复"),
        )
