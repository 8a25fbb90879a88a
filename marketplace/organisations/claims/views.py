"""The pages of claims: the claimant's own, and the operator's."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from marketplace.identity import throttling
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed
from marketplace.kernel.forms import Form, LongText
from marketplace.kernel.pagination import page_number
from marketplace.organisations import holdings, licences, queries
from marketplace.organisations.claims import queries as claims
from marketplace.organisations.claims import services
from marketplace.organisations.forms import ReasonForm
from marketplace.organisations.kinds import CLAIM_BASIS_NAMES
from marketplace.organisations.lifecycle import CLAIM, ClaimStatus
from marketplace.organisations.models import Organisation, OrganisationClaim

bp = Blueprint("claims", __name__)


class ClaimForm(Form):
    statement = LongText(
        _l("认领说明"),
        limit=1000,
        rows=4,
        description=_l("说明为什么收录的单位就是贵单位，例如曾用名、简称、资料来源"),
    )


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _own_organisation() -> Organisation:
    actor = acting()
    if actor.organisation_id is None:
        raise Forbidden("no organisation")
    return queries.get_organisation(actor.organisation_id, viewer=actor)


# --- the claimant's pages ---------------------------------------------------------------------------------


@bp.get("/workbench/claims")
@policy("claim", "list_own")
def own() -> ResponseReturnValue:
    organisation = _own_organisation()
    filed = claims.list_own(organisation.id)
    waiting = {claim.organisation_id for claim in filed if claim.status is ClaimStatus.OPEN}
    candidates = [one for one in claims.list_candidates(organisation) if one.id not in waiting]
    return render_template(
        "organisations/claims/own.html",
        organisation=organisation,
        claims=filed,
        candidates=[(one, holdings.count_collected(one.id)) for one in candidates],
        labels=CLAIM.labels,
        verified=acting().organisation_verified,
    )


def _claim_page(target: Organisation, form: ClaimForm, obstacles: tuple[Obstacle, ...] = ()) -> str:
    claimant = _own_organisation()
    return render_template(
        "organisations/claims/new.html",
        target=target,
        claimant=claimant,
        form=form,
        obstacles=list(obstacles),
        verified=acting().organisation_verified,
        same_code=services.has_same_code(target, claimant),
        shelves=holdings.shelves(target.id, now=clock.now()),
    )


@bp.get("/organisations/<int:organisation_id>/claim")
@policy("claim", "create")
def new(organisation_id: int) -> ResponseReturnValue:
    return _claim_page(claims.get_claimable(organisation_id), ClaimForm(formdata=None))


@bp.post("/organisations/<int:organisation_id>/claim")
@policy("claim", "create")
def create(organisation_id: int) -> ResponseReturnValue:
    form = ClaimForm()
    if not form.validate():
        return _unprocessable(_claim_page(claims.get_claimable(organisation_id), form))
    throttling.throttle([(throttling.ASKER, str(acting().user_id))])
    try:
        with transaction():
            # The collected one first, as everybody who locks both does.
            target = claims.get_claimable(organisation_id)
            claim = services.file_claim(
                target, _own_organisation(), statement=form.statement.data, by=acting(), now=clock.now()
            )
            claim_id, done = claim.id, claim.status is ClaimStatus.ACCEPTED
    except Obstructed as error:
        return _unprocessable(_claim_page(claims.get_claimable(organisation_id), form, error.obstacles))
    if done:
        flash(_("代码一致，已认领；收录的内容已归入贵单位"), "success")
        return redirect(url_for("claims.own"))
    flash(_("认领已提交，可以继续上传证明材料"), "success")
    return redirect(url_for("claims.show", claim_id=claim_id))


@bp.get("/workbench/claims/<int:claim_id>")
@policy("claim", "show")
def show(claim_id: int) -> ResponseReturnValue:
    claim = claims.get_claim(claim_id, viewer=acting())
    return render_template(
        "organisations/claims/show.html",
        claim=claim,
        steps=CLAIM.steps(claim.status),
        basis=_(CLAIM_BASIS_NAMES[claim.basis]),
    )


@bp.post("/workbench/claims/<int:claim_id>/withdraw")
@policy("claim", "withdraw")
def withdraw(claim_id: int) -> ResponseReturnValue:
    with transaction():
        claim = claims.get_claim(claim_id, viewer=acting())
        services.withdraw_claim(claim, by=acting(), now=clock.now())
    flash(_("认领已撤回"), "success")
    return redirect(url_for("claims.own"))


# --- the operator's pages ---------------------------------------------------------------------------------


@bp.get("/workbench/verification/claims")
@policy("claim", "review")
def queue() -> ResponseReturnValue:
    status = request.args.get("status") or ClaimStatus.OPEN.value
    return render_template(
        "organisations/claims/queue.html",
        found=claims.page_claims(status, page=page_number(request.args.get("page"))),
        status=status,
        counts=claims.count_by_status(),
        labels=CLAIM.labels,
    )


def _review_page(claim: OrganisationClaim, form: ReasonForm | None = None) -> str:
    return render_template(
        "organisations/claims/review.html",
        claim=claim,
        form=form,
        steps=CLAIM.steps(claim.status),
        basis=_(CLAIM_BASIS_NAMES[claim.basis]),
        licence=licences.list_licence(claim.claimant_id),
        shelves=holdings.shelves(claim.organisation_id, now=clock.now()),
        may_decide=acting().is_operator and claim.status is ClaimStatus.OPEN,
    )


@bp.get("/workbench/verification/claims/<int:claim_id>")
@policy("claim", "review")
def review(claim_id: int) -> ResponseReturnValue:
    return _review_page(claims.get_claim(claim_id, viewer=acting()))


def _hold(claim_id: int) -> OrganisationClaim:
    """The claim with both organisations locked, the collected one first."""
    seen = claims.get_claim(claim_id, viewer=acting())
    for organisation_id in (seen.organisation_id, seen.claimant_id):
        queries.get_for_change(organisation_id, viewer=acting())
    return claims.get_claim(claim_id, viewer=acting())


@bp.post("/workbench/verification/claims/<int:claim_id>/accept")
@policy("claim", "decide")
def accept(claim_id: int) -> ResponseReturnValue:
    with transaction():
        services.accept_claim(_hold(claim_id), by=acting(), now=clock.now())
    flash(_("已同意认领，收录的内容已归入该单位"), "success")
    return redirect(url_for("claims.queue"))


@bp.post("/workbench/verification/claims/<int:claim_id>/decline")
@policy("claim", "decide")
def decline(claim_id: int) -> ResponseReturnValue:
    form = ReasonForm()
    if not form.validate():
        return _unprocessable(_review_page(claims.get_claim(claim_id, viewer=acting()), form))
    with transaction():
        services.decline_claim(_hold(claim_id), reason=form.reason.data, by=acting(), now=clock.now())
    flash(_("已处理，申请单位会收到通知"), "success")
    return redirect(url_for("claims.queue"))
