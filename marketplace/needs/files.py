"""Files of a need: drawings and what goes with them. Read by whoever reads the need."""

from flask import url_for

from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.needs import queries
from marketplace.needs.lifecycle import LIFECYCLE

OWNER = "need"
DRAWING = Purpose("drawing", N_("图纸与附件"), N_("图纸、技术协议、包装与检验要求等，随需求公开。"))


def _find(need_id: int) -> Owner | None:
    need = queries.find_by_id(need_id)
    if need is None:
        return None
    url = url_for("needs.show", public_no=need.public_no)
    return Owner(need.id, need.organisation_id, need.title or need.public_no, url)


def _may_read(need_id: int, _purpose: str, actor: Actor) -> bool:
    return queries.sees(need_id, actor)


def _may_write(need_id: int, _purpose: str, actor: Actor) -> bool:
    """Whoever may change the text now, as a draft or published."""
    need = queries.find_by_id(need_id)
    if need is None:
        return False
    moves = LIFECYCLE.open_to(need.status, actor.parties(need.organisation_id))
    return any(move.action in ("edit", "revise") for move in moves)


RULE = OwnerRule(
    purposes=(DRAWING,),
    find=_find,
    may_read=_may_read,
    may_write=_may_write,
    existing=queries.existing,
)
