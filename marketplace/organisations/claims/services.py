"""What is done with claims: made, decided, taken back; and the merging that follows.

The same verified code decides at once. Everything else is decided by an operator on the papers. Merging moves
what was collected and keeps the collected row, which from then on leads to the organisation it went into.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from marketplace.audit.services import record
from marketplace.identity.queries import list_platform_users
from marketplace.kernel.actor import Actor, PlatformRole
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, InvalidTransition, Obstacle, Obstructed
from marketplace.kernel.outbox import defer
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.organisations import holdings, queries
from marketplace.organisations.claims import queries as claims
from marketplace.organisations.kinds import ClaimBasis
from marketplace.organisations.lifecycle import CLAIM, LIFECYCLE, ClaimStatus, OrganisationStatus
from marketplace.organisations.models import Organisation, OrganisationClaim

OWN_CLAIMS = "/workbench/claims"
SHORTEST_STATEMENT = 10
# Named one by one in the trail up to here; beyond it the counts say it.
MOST_NUMBERS_RECORDED = 200


def has_same_code(target: Organisation, claimant: Organisation) -> bool:
    return target.uscc is not None and target.uscc == claimant.uscc


def file_claim(
    target: Organisation, claimant: Organisation, *, statement: str, by: Actor, now: datetime
) -> OrganisationClaim:
    """Say that a collected organisation is one's own; with the same code it is so from then on.

    Both rows are locked. Raises Obstructed where the claimant waits for an answer already or says too little.
    """
    if not by.manages(claimant.id) or claimant.status is not OrganisationStatus.VERIFIED:
        raise Forbidden("claim.create")
    if target.status is not OrganisationStatus.UNCLAIMED:
        raise InvalidTransition("organisation", target.status, "claim")
    same_code = has_same_code(target, claimant)
    if not same_code and len(statement.strip()) < SHORTEST_STATEMENT:
        raise Obstructed(
            [Obstacle("statement", N_("“认领说明”至少 %(least)s 个字"), {"least": SHORTEST_STATEMENT})]
        )
    waiting = Obstacle("statement", N_("您已提交过认领，正在等待平台审核"))
    if claims.find_open(target.id, claimant.id) is not None:
        raise Obstructed([waiting])
    claim = OrganisationClaim(
        organisation_id=target.id,
        claimant_id=claimant.id,
        user_id=by.user_id,
        basis=ClaimBasis.CODE if same_code else ClaimBasis.EVIDENCE,
        statement=statement.strip(),
        status=ClaimStatus.OPEN,
        created_at=now,
        organisation=target,
        claimant=claimant,
    )
    db.session.add(claim)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Obstructed([waiting]) from error
    _note("create", claim, by=by, now=now)
    if same_code:
        _accept(claim, by=by, parties=frozenset({Party.MANAGER}), now=now)
        return claim
    send_letter(
        list_platform_users(PlatformRole.OPERATOR),
        "claim.created",
        told(N_("%(name)s 申请认领收录单位"), name=claimant.name),
        told(N_("认领的收录单位：%(name)s。请核对证明材料后决定。"), name=target.name),
        f"/workbench/verification/claims/{claim.id}",
        at=now,
    )
    return claim


def accept_claim(claim: OrganisationClaim, *, by: Actor, now: datetime) -> None:
    """An operator finds the papers sufficient."""
    if not by.is_operator:
        raise Forbidden("claim.accept")
    _accept(claim, by=by, parties=by.parties(claim.claimant_id), now=now)


def _accept(claim: OrganisationClaim, *, by: Actor, parties: frozenset[Party], now: datetime) -> None:
    before = claim.status
    status = CLAIM.advance(before, "accept", by=parties)
    target, claimant = claim.organisation, claim.claimant
    if claimant.status is not OrganisationStatus.VERIFIED:
        raise InvalidTransition("organisation", claimant.status, "claim")
    counts = _merge(target, claimant, parties=parties, by=by, now=now)
    claim.status, claim.decided_at = ClaimStatus(status), now
    _note("accept", claim, by=by, now=now, before=before, detail={"moved": counts})
    for other in claims.list_open_about(target.id):
        if other.id != claim.id:
            _close(other, "decline", N_("该收录单位已由其他单位认领"), by=by, now=now, checked=False)
    send_letter(
        queries.list_manager_ids(claimant.id),
        "claim.accepted",
        told(N_("已认领 %(name)s"), name=target.name),
        told(N_("收录的 %(count)s 条内容已归入贵单位。"), count=sum(counts.values())),
        f"/organisations/{claimant.id}",
        at=now,
    )


def _merge(
    target: Organisation, claimant: Organisation, *, parties: frozenset[Party], by: Actor, now: datetime
) -> dict[str, int]:
    """Hand over what was collected; how many of each kind."""
    before = target.status
    status = LIFECYCLE.advance(before, "claim", by=parties)
    moved = {keeper.kind: keeper.move_collected(target.id, claimant.id) for keeper in holdings.keepers()}
    counts = {kind: len(numbers) for kind, numbers in moved.items() if numbers}
    target.status, target.merged_into_id = OrganisationStatus(status), claimant.id
    target.version += 1
    numbers = [number for kind in moved.values() for number in kind]
    record(
        LIFECYCLE.audit_type("claim"),
        "organisation",
        target.id,
        by=by,
        at=now,
        label=target.name,
        organisation_id=claimant.id,
        from_status=before,
        to_status=target.status,
        detail={"into": claimant.id, "moved": counts, "numbers": numbers[:MOST_NUMBERS_RECORDED]},
    )
    if counts:
        defer("matching.organisation_changed", subject_id=claimant.id)
    return counts


def decline_claim(claim: OrganisationClaim, *, reason: str, by: Actor, now: datetime) -> None:
    if not reason.strip():
        raise Obstructed([Obstacle("reason", N_("请写明理由"))])
    _close(claim, "decline", reason.strip(), by=by, now=now)


def withdraw_claim(claim: OrganisationClaim, *, by: Actor, now: datetime) -> None:
    _close(claim, "withdraw", "", by=by, now=now)


def _close(
    claim: OrganisationClaim, action: str, reason: str, *, by: Actor, now: datetime, checked: bool = True
) -> None:
    """End a claim that is open. What falls away with another's success is nobody's own act: not `checked`."""
    before = claim.status
    parties = by.parties(claim.claimant_id) if checked else frozenset({Party.OPERATOR})
    status = CLAIM.advance(before, action, by=parties)
    claim.status, claim.decided_at, claim.reason = ClaimStatus(status), now, reason
    _note(action, claim, by=by, now=now, before=before, reason=reason)
    if action == "decline":
        send_letter(
            queries.list_manager_ids(claim.claimant_id),
            "claim.declined",
            told(N_("认领未通过：%(name)s"), name=claim.organisation.name),
            told(N_("理由：%(reason)s"), reason=reason),
            OWN_CLAIMS,
            at=now,
        )


def _note(
    action: str,
    claim: OrganisationClaim,
    *,
    by: Actor,
    now: datetime,
    before: ClaimStatus | None = None,
    reason: str = "",
    detail: dict[str, object] | None = None,
) -> None:
    record(
        CLAIM.audit_type(action),
        "claim",
        claim.id,
        by=by,
        at=now,
        label=claim.organisation.name,
        organisation_id=claim.claimant_id,
        from_status=before,
        to_status=claim.status,
        reason=reason,
        detail={"basis": claim.basis.value, **(detail or {})},
    )
