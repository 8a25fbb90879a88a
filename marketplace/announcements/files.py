"""Files of an announcement: read by whoever reads it, changed by operators."""

from flask import url_for

from marketplace.announcements import queries
from marketplace.announcements.lifecycle import LIFECYCLE
from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_

OWNER = "announcement"
PUBLIC = Purpose("public", N_("附件下载"), N_("申报书模板、政策原文等。"))


def _find(announcement_id: int) -> Owner | None:
    announcement = queries.find_by_id(announcement_id)
    if announcement is None:
        return None
    return Owner(
        announcement.id,
        None,
        announcement.title,
        url_for("announcements.show", announcement_id=announcement.id),
    )


def _may_read(announcement_id: int, _purpose: str, actor: Actor) -> bool:
    return queries.sees(announcement_id, actor)


def _may_write(announcement_id: int, _purpose: str, actor: Actor) -> bool:
    announcement = queries.find_by_id(announcement_id)
    if announcement is None:
        return False
    moves = LIFECYCLE.open_to(announcement.status, actor.parties(None))
    return any(move.action in ("edit", "revise") for move in moves)


RULE = OwnerRule(
    purposes=(PUBLIC,),
    find=_find,
    may_read=_may_read,
    may_write=_may_write,
    existing=queries.existing,
)
