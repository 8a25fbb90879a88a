"""Files of a challenge: public ones beside the text, and those of the confidential annex.

A public file is read by whoever reads the challenge; an annex file by the owner's members alone, like the
annex itself. Both come and go only while the text may be edited.
"""

from datetime import datetime

from flask import url_for

from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.challenges import queries, services
from marketplace.challenges.lifecycle import LIFECYCLE
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_

OWNER = "challenge"
PUBLIC = Purpose("public", N_("公开附件"), N_("图样、技术协议样稿、现状数据等，随榜单公开。"))
ANNEX = Purpose("annex", N_("保密附件的文件"), N_("不公开的图纸和数据。"), confidential=True)


def _find(challenge_id: int) -> Owner | None:
    challenge = queries.find_by_id(challenge_id)
    if challenge is None:
        return None
    url = url_for("challenges.show", public_no=challenge.public_no)
    return Owner(challenge.id, challenge.organisation_id, challenge.title or challenge.public_no, url)


def _may_read(challenge_id: int, purpose: str, actor: Actor) -> bool:
    if purpose == ANNEX.name:
        challenge = queries.find_by_id(challenge_id)
        return (
            challenge is not None
            and actor.belongs_to(challenge.organisation_id)
            and actor.organisation_role is not None
        )
    return queries.sees(challenge_id, actor)


def _may_write(challenge_id: int, _purpose: str, actor: Actor) -> bool:
    challenge = queries.find_by_id(challenge_id)
    if challenge is None:
        return False
    moves = LIFECYCLE.open_to(challenge.status, actor.parties(challenge.organisation_id))
    return any(move.action == "edit" for move in moves)


def _changed(challenge_id: int, purpose: str, *, by: Actor, now: datetime) -> None:
    challenge = queries.find_by_id(challenge_id)
    if challenge is not None and purpose == ANNEX.name:
        services.note_annex_files(challenge, by=by, now=now)


RULE = OwnerRule(
    purposes=(PUBLIC, ANNEX),
    find=_find,
    may_read=_may_read,
    may_write=_may_write,
    existing=queries.existing,
    changed=_changed,
)
