"""The pages of challenges: the hall, the challenge, the owner's workbench, the operator's queue."""

from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.challenges import forms, presenters, queries, services
from marketplace.challenges.forms import STEPS, AnnexForm, DeadlineForm, NewForm, Step
from marketplace.challenges.lifecycle import LIFECYCLE, ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.challenges.rules import (
    LONGEST_CALL_DAYS,
    SHORTEST_CALL_DAYS,
    ChallengeDraft,
    obstacles_to_submitting,
    quality,
)
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.forms import posted_text
from marketplace.kernel.texts import N_
from marketplace.organisations.kinds import LEADING
from marketplace.organisations.queries import live_designations
from marketplace.postings.codes import ended_codes
from marketplace.postings.forms import indicators_text
from marketplace.postings.listing import ListQuery
from marketplace.postings.views import (
    conflict_page,
    conflict_rows,
    expected_version,
    facet_rows,
    gone_page,
    order_rows,
)

bp = Blueprint("challenges", __name__)

# Where an operator may say what is to be mended: field → its name.
REASON_FIELDS = {
    "title": N_("榜单题目"),
    "clusters": N_("所属产业集群"),
    "background": N_("背景"),
    "problem": N_("主要难点"),
    "indicators": N_("考核指标"),
    "budget_fen": N_("榜额"),
    "closes_on": N_("揭榜截止日期"),
    "requirements": N_("对揭榜方的要求"),
    "ip_terms": N_("成果知识产权归属"),
    "acceptance": N_("验收方式"),
}


# --- public -----------------------------------------------------------------------------------------------


@bp.get("/challenges")
@policy("challenge", "list")
@kept_until_something_happens
def hall() -> ResponseReturnValue:
    now = clock.now()
    query = ListQuery.from_args(request.args, queries.FACETS)
    listing = queries.list_hall(query, now=now)
    return render_template(
        "challenges/hall.html",
        listing=listing,
        cards=[presenters.card(challenge, now=now) for challenge in listing.page.items],
        facets=facet_rows(listing),
        orders=order_rows(listing),
    )


@bp.get("/challenges/<public_no>")
@policy("challenge", "read")
@kept_until_something_happens
def show(public_no: str) -> ResponseReturnValue:
    try:
        challenge = queries.get_challenge(public_no, viewer=acting())
    except NotFound:
        if (gone := queries.find_gone(public_no)) is None:
            raise
        return gone_page(gone, label=gettext("榜单"), back_url=url_for("challenges.hall"))
    return render_template(
        "challenges/show.html",
        **_shown(challenge),
        deadline_changes=queries.list_deadline_changes(challenge.id),
    )


def _shown(challenge: Challenge) -> dict[str, object]:
    return {
        "challenge": challenge,
        "shown": presenters.show(challenge, viewer=acting(), now=clock.now()),
        "board": presenters.board_label(challenge),
    }


# --- the owner's workbench ----------------------------------------------------------------------------------


@bp.get("/workbench/challenges")
@policy("challenge", "mine")
def own() -> ResponseReturnValue:
    now = clock.now()
    groups: dict[ChallengeStatus, list[presenters.Card]] = {}
    for challenge in queries.list_own(acting()):
        groups.setdefault(challenge.status, []).append(presenters.card(challenge, now=now))
    order = ("taken_down", "returned", "draft", "submitted", "published", "withdrawn", "collected")
    return render_template(
        "challenges/own.html",
        groups=[
            (gettext(LIFECYCLE.label(status)), status, groups[ChallengeStatus(status)])
            for status in order
            if ChallengeStatus(status) in groups
        ],
    )


@bp.get("/workbench/challenges/new")
@policy("challenge", "create")
def new() -> ResponseReturnValue:
    return _new_page(NewForm(), HTTPStatus.OK)


@bp.post("/workbench/challenges/new")
@policy("challenge", "create")
def start() -> ResponseReturnValue:
    form = NewForm()
    if not form.validate_on_submit():
        return _new_page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            draft = ChallengeDraft(title=form.title.data or "")
            challenge = services.start_draft(draft, by=acting(), now=clock.now())
    except Obstructed as obstructed:
        return _new_page(form, HTTPStatus.UNPROCESSABLE_ENTITY, obstructed.obstacles)
    return redirect(url_for(".edit", public_no=challenge.public_no, step="basics"))


def _new_page(form: NewForm, status: HTTPStatus, obstacles: tuple[Obstacle, ...] = ()) -> ResponseReturnValue:
    actor = acting()
    if not actor.may_post_challenges:
        organisation = queries.find_organisation(actor.organisation_id)
        titles = live_designations(organisation, now=clock.now()) if organisation else []
        page = render_template(
            "challenges/may_not_post.html",
            verified=actor.organisation_verified,
            entitled=any(title.kind in LEADING for title in titles),
        )
        return make_response(page, HTTPStatus.FORBIDDEN)
    return make_response(render_template("challenges/new.html", form=form, obstacles=obstacles), status)


@bp.get("/workbench/challenges/<public_no>/<any(basics, problem, indicators, terms):step>")
@policy("challenge", "edit")
def edit(public_no: str, step: str) -> ResponseReturnValue:
    challenge = queries.get_own(public_no, viewer=acting())
    if (elsewhere := _unless_editable(challenge)) is not None:
        return elsewhere
    return _step_page(challenge, Step.showing(step, services.draft_of(challenge)))


@bp.post("/workbench/challenges/<public_no>/<any(basics, problem, indicators, terms):step>")
@policy("challenge", "edit")
def save(public_no: str, step: str) -> ResponseReturnValue:
    typed = Step.from_request(step, request.form)
    if typed.rows is not None and typed.rows.pressed(request.form):
        return _step_page(queries.get_own(public_no, viewer=acting()), typed)
    try:
        with transaction():
            challenge = queries.get_own(public_no, viewer=acting())
            draft = typed.read(services.draft_of(challenge))
            if draft is None:
                raise Obstructed(typed.obstacles)
            services.edit_draft(
                challenge,
                draft,
                version=expected_version(request.form),
                step=step,
                by=acting(),
                now=clock.now(),
            )
    except StaleVersion:
        return _conflict(queries.get_own(public_no, viewer=acting()), typed)
    except Obstructed as obstructed:
        typed.obstacles = list(obstructed.obstacles)
        challenge = queries.get_own(public_no, viewer=acting())
        return _step_page(challenge, typed, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _after_saving(public_no, step)


def _after_saving(public_no: str, step: str) -> ResponseReturnValue:
    flash(gettext("草稿已保存"), "success")
    onward = forms.next_step(step) if request.form.get("then") == "next" else step
    return redirect(_step_url(public_no, onward))


def _unless_editable(challenge: Challenge) -> ResponseReturnValue | None:
    parties = acting().parties(challenge.organisation_id)
    if any(move.action == "edit" for move in LIFECYCLE.open_to(challenge.status, parties)):
        return None
    flash(
        gettext("榜单现为“%(status)s”，不能修改", status=gettext(LIFECYCLE.label(challenge.status))),
        "warning",
    )
    return redirect(url_for(".show", public_no=challenge.public_no))


def _step_url(public_no: str, step: str, anchor: str | None = None) -> str:
    if step in ("annex", "preview"):
        return url_for(f".{step}", public_no=public_no, _anchor=anchor)
    return url_for(".edit", public_no=public_no, step=step, _anchor=anchor)


def _step_bar(challenge: Challenge, current: str, gaps: list[Obstacle]) -> list[tuple[str, str, str, str]]:
    """(label, url, state, note) of each step; one that was begun and lacks something is bad."""
    draft, bar = services.draft_of(challenge), []
    for step, label in STEPS.items():
        missing = len(forms.obstacles_at(step, gaps)) if step in forms.FORMS else 0
        begun = step in forms.FORMS and not forms.is_blank(step, draft)
        if step == current:
            state = "current"
        elif missing and (begun or current == "preview"):
            state = "bad"
        else:
            state = "done" if begun else "todo"
        note = gettext("%(n)s 处待改", n=missing) if missing and (begun or current == "preview") else ""
        bar.append((gettext(label), _step_url(challenge.public_no, step), state, note))
    return bar


def _step_page(challenge: Challenge, typed: Step, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    draft, now = services.draft_of(challenge), clock.now()
    found = quality(draft, now=now)
    obstacles = typed.obstacles
    if status is HTTPStatus.OK and not typed.is_blank(draft):
        obstacles = forms.obstacles_at(typed.name, [*found.obstacles, *ended_codes(draft)])
    returned = forms.obstacles_at(typed.name, _returned(challenge))
    if typed.rows is not None:
        typed.rows = typed.rows.padded(1)
    page = render_template(
        "challenges/step.html",
        challenge=challenge,
        step=typed.name,
        form=typed.form,
        rows=typed.rows,
        refused=status is not HTTPStatus.OK,
        obstacles=[*returned, *obstacles],
        version=expected_version(request.form) if request.method == "POST" else challenge.version,
        quality=found,
        bar=_step_bar(challenge, typed.name, found.obstacles),
        first_day=business_date(now) + timedelta(days=SHORTEST_CALL_DAYS),
        last_day=business_date(now) + timedelta(days=LONGEST_CALL_DAYS),
    )
    return make_response(page, status)


def _returned(challenge: Challenge) -> list[Obstacle]:
    """What the operator asked to be mended, at the fields it was said of."""
    return [
        Obstacle(field, N_("审核意见：%(reason)s"), {"reason": reason})
        for field, reason in challenge.return_reasons.items()
    ]


def _conflict(challenge: Challenge, typed: Step) -> ResponseReturnValue:
    standing = services.draft_of(challenge)
    rows, hidden = conflict_rows(typed.form, Step.showing(typed.name, standing).form)
    if typed.rows is not None:
        mine, _ = typed.rows.read()
        rows.append((gettext("考核指标"), None, indicators_text(mine), indicators_text(standing.indicators)))
        hidden += typed.rows.hidden_fields()
    url = _step_url(challenge.public_no, typed.name)
    return conflict_page(
        subject=f"{challenge.public_no}　{challenge.title}",
        rows=rows,
        url=url,
        version=challenge.version,
        hidden=hidden,
        back_url=url,
    )


@bp.get("/workbench/challenges/<public_no>/annex")
@policy("challenge", "read_annex")
def annex(public_no: str) -> ResponseReturnValue:
    challenge = queries.get_own(public_no, viewer=acting())
    text = queries.find_annex(challenge, viewer=acting()) or ""
    return _annex_page(challenge, AnnexForm(formdata=None, data={"annex": text}))


@bp.post("/workbench/challenges/<public_no>/annex")
@policy("challenge", "annex")
def save_annex(public_no: str) -> ResponseReturnValue:
    form = AnnexForm()
    if not form.validate_on_submit():
        challenge = queries.get_own(public_no, viewer=acting())
        return _annex_page(challenge, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            challenge = queries.get_own(public_no, viewer=acting())
            services.write_annex(
                challenge,
                form.annex.data or "",
                version=expected_version(request.form),
                by=acting(),
                now=clock.now(),
            )
    except StaleVersion:
        challenge = queries.get_own(public_no, viewer=acting())
        standing = queries.find_annex(challenge, viewer=acting()) or ""
        rows, hidden = conflict_rows(form, AnnexForm(formdata=None, data={"annex": standing}))
        url = _step_url(public_no, "annex")
        return conflict_page(
            subject=f"{public_no}　{challenge.title}",
            rows=rows,
            url=url,
            version=challenge.version,
            hidden=hidden,
            back_url=url,
        )
    return _after_saving(public_no, "annex")


def _annex_page(
    challenge: Challenge, form: AnnexForm, status: HTTPStatus = HTTPStatus.OK
) -> ResponseReturnValue:
    found = presenters.quality_of(challenge, now=clock.now())
    moves = LIFECYCLE.open_to(challenge.status, acting().parties(challenge.organisation_id))
    page = render_template(
        "challenges/annex.html",
        challenge=challenge,
        form=form,
        editable=any(move.action == "edit" for move in moves),
        version=expected_version(request.form) if request.method == "POST" else challenge.version,
        bar=_step_bar(challenge, "annex", found.obstacles),
    )
    return make_response(page, status)


@bp.get("/workbench/challenges/<public_no>/preview")
@policy("challenge", "edit")
def preview(public_no: str) -> ResponseReturnValue:
    challenge = queries.get_own(public_no, viewer=acting())
    if (elsewhere := _unless_editable(challenge)) is not None:
        return elsewhere
    return _preview_page(challenge)


def _preview_page(
    challenge: Challenge, obstacles: tuple[Obstacle, ...] = (), status: HTTPStatus = HTTPStatus.OK
) -> ResponseReturnValue:
    found = presenters.quality_of(challenge, now=clock.now())
    gaps = list(obstacles) or found.obstacles
    links = [
        (o, _step_url(challenge.public_no, forms.step_of(o.field), o.field.replace(".", "-"))) for o in gaps
    ]
    page = render_template(
        "challenges/preview.html",
        **_shown(challenge),
        quality=found,
        links=links,
        refused=status is not HTTPStatus.OK,
        bar=_step_bar(challenge, "preview", found.obstacles),
    )
    return make_response(page, status)


@bp.post("/workbench/challenges/<public_no>/submit")
@policy("challenge", "submit")
def submit(public_no: str) -> ResponseReturnValue:
    try:
        with transaction():
            challenge = queries.get_own(public_no, viewer=acting())
            version = expected_version(request.form)
            services.submit(
                challenge,
                version=version,
                appeal=posted_text("appeal"),
                by=acting(),
                now=clock.now(),
            )
    except StaleVersion:
        flash(gettext("榜单刚被同事修改过，请核对下面的最新内容后再提交"), "warning")
        challenge = queries.get_own(public_no, viewer=acting())
        return _preview_page(challenge, status=HTTPStatus.CONFLICT)
    except Obstructed as obstructed:
        challenge = queries.get_own(public_no, viewer=acting())
        return _preview_page(challenge, obstructed.obstacles, HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(gettext("榜单已提交，等待平台审核"), "success")
    return redirect(url_for(".own"))


@bp.post("/workbench/challenges/<public_no>/withdraw")
@policy("challenge", "withdraw")
def withdraw(public_no: str) -> ResponseReturnValue:
    with transaction():
        challenge = queries.get_own(public_no, viewer=acting())
        services.withdraw(challenge, reason=posted_text("reason"), by=acting(), now=clock.now())
    flash(gettext("榜单已撤回，理由已公开"), "success")
    return redirect(url_for(".show", public_no=public_no))


@bp.get("/workbench/challenges/<public_no>/deadline")
@policy("challenge", "deadline")
def deadline(public_no: str) -> ResponseReturnValue:
    """Where a manager gives more time or ends the call early."""
    return _deadline_page(queries.get_own(public_no, viewer=acting()))


@bp.post("/workbench/challenges/<public_no>/<any(extend, close_early):action>")
@policy("challenge", "deadline")
def move_deadline(public_no: str, action: str) -> ResponseReturnValue:
    form = DeadlineForm()
    act = services.extend if action == "extend" else services.close_early
    if not form.validate():
        challenge = queries.get_own(public_no, viewer=acting())
        return _deadline_page(challenge, form, action, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            challenge = queries.get_own(public_no, viewer=acting())
            act(challenge, form.closes_on.data, reason=form.reason.data or "", by=acting(), now=clock.now())
    except Obstructed as obstructed:
        challenge = queries.get_own(public_no, viewer=acting())
        return _deadline_page(challenge, form, action, obstructed.obstacles, HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(gettext("截止日期已改为 %(day)s，理由已公开", day=form.closes_on.data), "success")
    return redirect(url_for(".show", public_no=public_no))


def _deadline_page(
    challenge: Challenge,
    form: DeadlineForm | None = None,
    action: str = "",
    obstacles: tuple[Obstacle, ...] = (),
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    now = clock.now()
    parties = acting().parties(challenge.organisation_id)
    moves = {move.action: move for move in LIFECYCLE.open_to(challenge.status, parties)}
    if not {"extend", "close_early"} & moves.keys():
        raise NotFound(challenge.public_no)
    page = render_template(
        "challenges/deadline.html",
        challenge=challenge,
        call=presenters.call(challenge, now=now),
        form=form or DeadlineForm(formdata=None),
        blank=DeadlineForm(formdata=None),
        action=action,
        obstacles=obstacles,
        changes=queries.list_deadline_changes(challenge.id),
    )
    return make_response(page, status)


@bp.post("/review/challenges/<public_no>/take-down")
@policy("challenge", "take_down")
def take_down(public_no: str) -> ResponseReturnValue:
    with transaction():
        challenge = queries.get_challenge(public_no, viewer=acting())
        services.take_down(challenge, reason=posted_text("reason"), by=acting(), now=clock.now())
    flash(gettext("%(number)s 已下架，理由已告知发榜单位", number=public_no), "success")
    return redirect(url_for(".show", public_no=public_no))


@bp.post("/workbench/challenges/<public_no>/copy")
@policy("challenge", "copy")
def copy(public_no: str) -> ResponseReturnValue:
    with transaction():
        challenge = queries.get_own(public_no, viewer=acting())
        made = services.copy_as_new(challenge, by=acting(), now=clock.now())
    flash(gettext("已复制为新草稿；截止日期和保密附件没有复制，请重新填写"), "success")
    return redirect(_step_url(made.public_no, "basics"))


# --- the operator's queue -----------------------------------------------------------------------------------


@bp.get("/review/challenges")
@policy("challenge", "review")
def review_queue() -> ResponseReturnValue:
    now = clock.now()
    rows = [
        (challenge, presenters.quality_of(challenge, now=now).score, _age_days(challenge))
        for challenge in queries.list_submitted()
    ]
    return render_template("challenges/review_queue.html", rows=rows)


def _age_days(challenge: Challenge) -> int:
    since = challenge.submitted_at or challenge.updated_at
    return (business_date(clock.now()) - business_date(since)).days


@bp.get("/review/challenges/<public_no>")
@policy("challenge", "review")
def review(public_no: str) -> ResponseReturnValue:
    return _review_page(_get_submitted(public_no))


def _get_submitted(public_no: str) -> Challenge:
    challenge = queries.get_challenge(public_no, viewer=acting())
    if challenge.status is not ChallengeStatus.SUBMITTED:
        raise NotFound(public_no)
    return challenge


def _review_page(
    challenge: Challenge, obstacles: tuple[Obstacle, ...] = (), status: HTTPStatus = HTTPStatus.OK
) -> ResponseReturnValue:
    now = clock.now()
    draft = services.draft_of(challenge)
    page = render_template(
        "challenges/review.html",
        **_shown(challenge),
        quality=quality(draft, now=now),
        # What the clock has made impossible since it was submitted, such as too short a call.
        hindrances=list(obstacles_to_submitting(draft, now=now)),
        obstacles=obstacles,
        reason_fields=[(field, gettext(label)) for field, label in REASON_FIELDS.items()],
        typed=request.form,
    )
    return make_response(page, status)


@bp.post("/review/challenges/<public_no>/approve")
@policy("challenge", "approve")
def approve(public_no: str) -> ResponseReturnValue:
    try:
        with transaction():
            challenge = queries.get_challenge(public_no, viewer=acting())
            version = expected_version(request.form)
            services.approve(challenge, version=version, by=acting(), now=clock.now())
    except Obstructed as obstructed:
        return _review_page(_get_submitted(public_no), obstructed.obstacles, HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(gettext("%(number)s 已发布，推荐名单正在生成", number=public_no), "success")
    return redirect(url_for(".review_queue"))


@bp.post("/review/challenges/<public_no>/return")
@policy("challenge", "return")
def return_to_seeker(public_no: str) -> ResponseReturnValue:
    reasons = {field: posted_text(f"reason-{field}") for field in REASON_FIELDS}
    try:
        with transaction():
            challenge = queries.get_challenge(public_no, viewer=acting())
            services.return_to_seeker(
                challenge,
                reason=posted_text("reason"),
                field_reasons=reasons,
                version=expected_version(request.form),
                by=acting(),
                now=clock.now(),
            )
    except Obstructed as obstructed:
        return _review_page(_get_submitted(public_no), obstructed.obstacles, HTTPStatus.UNPROCESSABLE_ENTITY)
    flash(gettext("%(number)s 已退回，意见已发给发榜单位", number=public_no), "success")
    return redirect(url_for(".review_queue"))
