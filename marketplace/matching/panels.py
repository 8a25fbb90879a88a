"""What matching adds to the pages of challenges, needs and capabilities."""

from collections.abc import Mapping
from typing import Any

from marketplace.kernel import panels
from marketplace.kernel.actor import Actor
from marketplace.kernel.outbox import is_pending
from marketplace.matching import absences, presenters, queries
from marketplace.matching.models import PostingKind

SHOWN = 5
_PATHS = {PostingKind.CHALLENGE: "challenges", PostingKind.NEED: "needs"}


def register() -> None:
    for kind in _PATHS:
        panels.register(
            panels.Panel(
                page=f"{kind.value}.detail",
                name="shortlist",
                order=20,
                may_see=lambda _seeker, actor: actor.signed_in,
                data=lambda seeker, actor, kind=kind: data_for(kind, seeker, actor),  # type: ignore[misc]
                template="matching/panel.html",
            )
        )
    panels.register(
        panels.Panel(
            page="challenge.detail",
            name="consortium",
            order=30,
            may_see=queries.may_read,
            data=_consortium_of,
            template="matching/assembly_panel.html",
        )
    )
    panels.register(
        panels.Panel(
            page="capability.detail",
            name="places",
            order=20,
            may_see=lambda capability, actor: queries.may_read(capability, actor),
            data=_places_of,
            template="matching/places_panel.html",
        )
    )


def data_for(kind: PostingKind, seeker: Any, actor: Actor) -> Mapping[str, Any] | None:
    """The head of the shortlist, a supplier's own lines, or that the ranking is under way."""
    run = queries.find_run(kind, seeker.id)
    shared = {"kind": _PATHS[kind], "seeker": seeker, "run": run}
    if not queries.may_read(seeker, actor):
        lines = queries.list_own_lines(run.id, actor) if run is not None else []
        if run is None or run.superseded_at is not None:
            return None
        if not lines and not absences.list_own_public(actor):
            return None
        return {**shared, "rows": [presenters.row(line, own=True) for line in lines], "own": True}
    waiting = is_pending("matching.rank_seeker", seeker.id)
    if run is None and not waiting:
        return None
    lines = queries.list_lines(run.id, size=SHOWN) if run is not None else []
    return {
        **shared,
        "rows": [presenters.row(line) for line in lines],
        "own": False,
        "waiting": waiting,
        "total": queries.count_entries(run.id) if run is not None else 0,
    }


def _places_of(capability: Any, _actor: Actor) -> Mapping[str, Any] | None:
    places = queries.list_places(capability.id, limit=SHOWN)
    return {"places": places, "paths": _PATHS} if places else None


def _consortium_of(challenge: Any, _actor: Actor) -> Mapping[str, Any] | None:
    """Only where it is to be had: computing takes longer than the page, which fetches it once it is shown."""
    run = queries.find_run(PostingKind.CHALLENGE, challenge.id)
    return {"challenge": challenge, "loaded": False} if run is not None else None
