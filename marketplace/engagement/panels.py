"""What engagement adds to the pages of challenges, needs and capabilities."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from marketplace.engagement import presenters, queries
from marketplace.engagement.kinds import SEEKER_REASONS, Reason
from marketplace.engagement.lines import seen
from marketplace.kernel import clock, panels
from marketplace.kernel.actor import Actor
from marketplace.matching import queries as matching
from marketplace.matching.models import PostingKind


def register() -> None:
    for kind in queries.PATHS:
        panels.register(
            panels.Panel(
                page=f"{kind.value}.detail",
                name="engagement",
                order=25,
                may_see=lambda _posting, actor: actor.organisation_role is not None,
                data=lambda posting, actor, kind=kind: _about(kind, posting, actor),  # type: ignore[misc]
                template="engagement/panel.html",
            )
        )
    panels.register(
        panels.Panel(
            page="capability.detail",
            name="opinions",
            order=30,
            may_see=lambda capability, actor: (
                actor.belongs_to(capability.organisation_id) and actor.organisation_role is not None
            ),
            data=_opinions,
            template="engagement/opinions_panel.html",
        )
    )


def _about(kind: PostingKind, posting: Any, actor: Actor) -> Mapping[str, Any] | None:
    """For a supplier how it stands to the posting; for the owner how many are in touch about it."""
    now = clock.now()
    shared = {"kind": queries.PATHS[kind], "posting": posting}
    if actor.belongs_to(posting.organisation_id):
        counts = queries.count_about(kind, posting.id, now=now)
        return {**shared, "own": True, "counts": counts} if counts.total else None
    found = queries.list_own_about(kind, [posting.id], viewer=actor).get(posting.id)
    is_open = queries.is_open(posting, now=now)
    if found is None and not (is_open and queries.list_own_capabilities(actor)):
        return None
    run = matching.find_run(kind, posting.id)
    lines = [] if run is None or run.superseded_at else matching.list_own_lines(run.id, actor)
    tell = Markup("")
    if run is not None and lines:
        tell = seen([(run.public_no, line.capability.public_no) for line in lines], opened=True)
    return {
        **shared,
        "own": False,
        "one": None if found is None else presenters.shown(found, posting, viewer=actor, now=now),
        "may_send": is_open and actor.is_editor and actor.organisation_verified,
        "seen": tell,
        "number": lines[0].capability.public_no if lines else "",
    }


def _opinions(capability: Any, _actor: Actor) -> Mapping[str, Any] | None:
    counted = queries.count_reasons_against(capability.organisation_id, now=clock.now())
    if not counted:
        return None
    return {
        "rows": [(SEEKER_REASONS[Reason(code)], count) for code, count in counted],
        "fewest": queries.FEWEST_SEEKERS,
    }
