"""收藏 on the pages of the things themselves, which know nothing of it."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from marketplace.kernel.actor import Actor
from marketplace.kernel.panels import Panel, register
from marketplace.search import queries

PAGES = {
    "challenge.side": "challenge",
    "need.side": "need",
    "capability.side": "capability",
    "organisation.detail": "organisation",
}


def register_panels() -> None:
    for page, kind in PAGES.items():
        register(
            Panel(
                page=page,
                name="favourite",
                order=90,
                may_see=lambda _subject, actor: actor.signed_in,
                data=_data_of(kind),
                template="search/_favourite_panel.html",
            )
        )


def _data_of(kind: str) -> Callable[[Any, Actor], Mapping[str, Any] | None]:
    def data(subject: Any, actor: Actor) -> Mapping[str, Any] | None:
        """Only what is public can be kept, or a list would tell what became of a draft."""
        if request.method != "GET" or queries.find_document(kind, subject.id) is None:
            return None
        kept = queries.is_kept(actor.user_id or 0, kind, subject.id)
        return {"kind": kind, "subject_id": subject.id, "kept": kept}

    return data
