"""What a claimant brings to prove that a collected organisation is its own; for itself and who decides."""

from marketplace.attachments import owners
from marketplace.attachments.owners import Owner, OwnerRule
from marketplace.attachments.rules import Purpose
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, find_row
from marketplace.kernel.texts import N_
from marketplace.organisations.claims import queries
from marketplace.organisations.lifecycle import ClaimStatus
from marketplace.organisations.models import OrganisationClaim

OWNER = "claim"
EVIDENCE = Purpose(
    "evidence",
    N_("证明材料"),
    hint=N_("能说明两者是同一单位的材料，如更名通知、资料来源页面、盖章说明"),
    most_files=5,
)


def register() -> None:
    owners.register(
        OWNER,
        OwnerRule(
            purposes=(EVIDENCE,),
            find=_find,
            may_read=_may_read,
            may_write=_may_write,
            existing=queries.existing,
        ),
    )


def _find(claim_id: int) -> Owner | None:
    claim = find_row(OrganisationClaim, claim_id)
    if claim is None:
        return None
    return Owner(claim_id, claim.claimant_id, claim.organisation.name, f"/workbench/claims/{claim_id}")


def _may_read(claim_id: int, _purpose: str, actor: Actor) -> bool:
    claim = db.session.get(OrganisationClaim, claim_id)
    return claim is not None and (
        actor.is_operator or actor.is_auditor or actor.belongs_to(claim.claimant_id)
    )


def _may_write(claim_id: int, _purpose: str, actor: Actor) -> bool:
    claim = db.session.get(OrganisationClaim, claim_id)
    return claim is not None and claim.status is ClaimStatus.OPEN and actor.manages(claim.claimant_id)
