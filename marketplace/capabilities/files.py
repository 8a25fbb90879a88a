"""Files of a capability: certificates, product sheets. Read by whoever reads the capability."""

from flask import url_for

from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.capabilities import queries
from marketplace.capabilities.lifecycle import LIFECYCLE
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_

OWNER = "capability"
CERTIFICATE = Purpose("certificate", N_("证书与报告"), N_("体系证书、检测报告的扫描件，随能力公开。"))
SHEET = Purpose("sheet", N_("产品资料"), N_("样本、参数表、实物照片，随能力公开。"))


def _find(capability_id: int) -> Owner | None:
    capability = queries.find_by_id(capability_id)
    if capability is None:
        return None
    url = url_for("capabilities.show", public_no=capability.public_no)
    return Owner(capability.id, capability.organisation_id, capability.title or capability.public_no, url)


def _may_read(capability_id: int, _purpose: str, actor: Actor) -> bool:
    return queries.sees(capability_id, actor)


def _may_write(capability_id: int, _purpose: str, actor: Actor) -> bool:
    """Whoever may change the text now, as a draft or published."""
    capability = queries.find_by_id(capability_id)
    if capability is None:
        return False
    moves = LIFECYCLE.open_to(capability.status, actor.parties(capability.organisation_id))
    return any(move.action in ("edit", "revise") for move in moves)


RULE = OwnerRule(
    purposes=(CERTIFICATE, SHEET),
    find=_find,
    may_read=_may_read,
    may_write=_may_write,
    existing=queries.existing,
)
