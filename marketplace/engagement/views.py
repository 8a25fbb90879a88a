"""Pages of engagement: sending, boxes, one approach, opinions and notes, and what was seen."""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.capabilities.models import Capability
from marketplace.engagement import events, presenters, queries, remarks, rules, services
from marketplace.engagement.forms import (
    AcceptForm,
    ApproachForm,
    ChallengeInvitationForm,
    NoteForm,
    reason_form,
)
from marketplace.engagement.kinds import ApproachKind, Side
from marketplace.engagement.limits import limits
from marketplace.engagement.models import Approach
from marketplace.engagement.queries import KINDS, BoxFilter
from marketplace.engagement.rules import Draft
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import InvalidTransition, NotFound, Obstacle, Obstructed
from marketplace.kernel.forms import posted_text
from marketplace.kernel.pagination import page_number
from marketplace.kernel.paths import own_path
from marketplace.kernel.texts import N_
from marketplace.matching.models import PostingKind

bp = Blueprint("engagement", __name__, url_prefix="/workbench")

LONGEST_NUMBER = 30
CHALLENGES_OR_NEEDS = "<any(challenges, needs):kind>/<public_no>"


def _may_be_number(text: str) -> bool:
    """Whether a public number could look like this; about anything else the database is not asked."""
    return 0 < len(text) <= LONGEST_NUMBER and text.isascii() and text.isprintable()


def _asked_numbers(values: Sequence[str]) -> list[str]:
    wanted = [value for value in values if _may_be_number(value)]
    return list(dict.fromkeys(wanted))[: queries.MOST_AT_ONCE]


# --- inviting ---------------------------------------------------------------------------------------------


def _invitation_form(kind: PostingKind, **kwargs: Any) -> ApproachForm:
    return (ChallengeInvitationForm if kind is PostingKind.CHALLENGE else ApproachForm)(**kwargs)


@bp.get(f"/{CHALLENGES_OR_NEEDS}/invite")
@policy("engagement", "send")
def invite(kind: str, public_no: str) -> ResponseReturnValue:
    """The capabilities named in the address, and the letter to their organisations."""
    now = clock.now()
    posting = queries.get_own_posting(KINDS[kind], public_no, actor=acting())
    capabilities = queries.list_capabilities(_asked_numbers(request.args.getlist("capability")))
    day = services.default_last_day(posting, days=limits().answer_days, now=now)
    form = _invitation_form(KINDS[kind], formdata=None, data={"expires_on": day, "contact": "organisation"})
    return _invitation_page(kind, posting, capabilities, form, now=now)


@bp.post(f"/{CHALLENGES_OR_NEEDS}/invite")
@policy("engagement", "send")
def send_invitations(kind: str, public_no: str) -> ResponseReturnValue:
    numbers = _asked_numbers(request.form.getlist("capability"))
    form = _invitation_form(KINDS[kind])

    def page(
        status: HTTPStatus, obstacles: Sequence[Obstacle] = (), found: Approach | None = None
    ) -> ResponseReturnValue:
        posting = queries.get_own_posting(KINDS[kind], public_no, actor=acting())
        capabilities = queries.list_capabilities(numbers)
        return _invitation_page(
            kind,
            posting,
            capabilities,
            form,
            now=clock.now(),
            obstacles=obstacles,
            in_the_way=found,
            status=status,
        )

    if not form.validate():
        return page(HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            posting = queries.get_own_posting(KINDS[kind], public_no, actor=acting())
            invitations = services.invite(
                posting,
                queries.list_capabilities(numbers),
                form.draft(),
                limits=limits(),
                by=acting(),
                now=clock.now(),
            )
            count = len(invitations)
    except Obstructed as error:
        return page(HTTPStatus.UNPROCESSABLE_ENTITY, error.obstacles)
    except services.AlreadyOpen as taken:
        return page(HTTPStatus.CONFLICT, found=taken.approach)
    flash(gettext("已发出 %(count)s 份邀请", count=count), "success")
    return redirect(url_for("engagement.sent"))


def _invitation_page(
    kind: str,
    posting: Any,
    capabilities: Sequence[Capability],
    form: ApproachForm,
    *,
    now: datetime,
    obstacles: Sequence[Obstacle] = (),
    in_the_way: Approach | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    actor = acting()
    chosen = services.one_for_each_organisation(capabilities)
    candidates = queries.read_candidates(posting, chosen)
    about = queries.list_about(KINDS[kind], posting.id, {c.organisation_id for c in chosen}, viewer=actor)
    waiting = {
        supplier: presenters.shown(approach, posting, viewer=actor, now=now)
        for supplier, approach in about.items()
        if queries.status_at(approach, now).value == "sent"
    }
    page = render_template(
        "engagement/invite.html",
        kind=kind,
        posting=posting,
        form=form,
        rows=[(c, rules.why_not_invited(candidates[c.id]), waiting.get(c.organisation_id)) for c in chosen],
        merged=len(capabilities) - len(chosen),
        contacts=presenters.own_contacts(posting, actor),
        sent=queries.count_sent(KINDS[kind], posting.id, organisation_id=posting.organisation_id, now=now),
        limits=limits(),
        is_open=queries.is_open(posting, now=now),
        obstacles=obstacles,
        in_the_way=None
        if in_the_way is None
        else presenters.shown(in_the_way, posting, viewer=actor, now=now),
    )
    return page, status


# --- showing interest -------------------------------------------------------------------------------------


@bp.get(f"/{CHALLENGES_OR_NEEDS}/interest")
@policy("engagement", "send")
def interest(kind: str, public_no: str) -> ResponseReturnValue:
    now = clock.now()
    posting = _get_for_supplier(kind, public_no)
    day = services.default_last_day(posting, days=limits().answer_days, now=now)
    form = ApproachForm(formdata=None, data={"expires_on": day, "contact": "organisation"})
    return _interest_page(kind, posting, request.args.get("capability", ""), form, now=now)


@bp.post(f"/{CHALLENGES_OR_NEEDS}/interest")
@policy("engagement", "send")
def send_interest(kind: str, public_no: str) -> ResponseReturnValue:
    form, number = ApproachForm(), request.form.get("capability", "")

    def page(
        status: HTTPStatus, obstacles: Sequence[Obstacle] = (), found: Approach | None = None
    ) -> ResponseReturnValue:
        posting = _get_for_supplier(kind, public_no)
        return _interest_page(
            kind,
            posting,
            number,
            form,
            now=clock.now(),
            obstacles=obstacles,
            in_the_way=found,
            status=status,
        )

    if not form.validate():
        return page(HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        with transaction():
            posting = _get_for_supplier(kind, public_no)
            approach = _send_interest(posting, number, form.draft(), now=clock.now())
            address = url_for("engagement.show", public_no=approach.public_no)
    except Obstructed as error:
        return page(HTTPStatus.UNPROCESSABLE_ENTITY, error.obstacles)
    except services.AlreadyOpen as taken:
        return page(HTTPStatus.CONFLICT, found=taken.approach)
    flash(gettext("意向已发出"), "success")
    return redirect(address)


def _send_interest(posting: Any, number: str, draft: Draft, *, now: datetime) -> Approach:
    actor = acting()
    own = [
        c for c in queries.list_capabilities(_asked_numbers([number])) if actor.belongs_to(c.organisation_id)
    ]
    if not own:
        raise Obstructed([Obstacle("capability", N_("请选择本单位已发布的能力"))])
    return services.show_interest(posting, own[0], draft, limits=limits(), by=actor, now=now)


def _get_for_supplier(kind: str, public_no: str) -> Any:
    """A challenge or need of somebody else."""
    posting = queries.get_posting(KINDS[kind], public_no, viewer=acting())
    if acting().belongs_to(posting.organisation_id):
        raise NotFound(public_no)
    return posting


def _interest_page(
    kind: str,
    posting: Any,
    number: str,
    form: ApproachForm,
    *,
    now: datetime,
    obstacles: Sequence[Obstacle] = (),
    in_the_way: Approach | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    actor = acting()
    found = in_the_way or queries.list_own_about(KINDS[kind], [posting.id], viewer=actor).get(posting.id)
    current = None if found is None else presenters.shown(found, posting, viewer=actor, now=now)
    page = render_template(
        "engagement/interest.html",
        kind=kind,
        posting=posting,
        posting_url=presenters.posting_url(KINDS[kind], posting),
        form=form,
        capabilities=queries.list_own_capabilities(actor),
        number=number,
        contacts=presenters.own_contacts(posting, actor),
        sent=queries.count_interests_sent(organisation_id=actor.organisation_id or 0, now=now),
        limits=limits(),
        is_open=queries.is_open(posting, now=now),
        obstacles=obstacles,
        current=current if current is not None and current.status.value in ("sent", "accepted") else None,
        conflict=in_the_way is not None,
    )
    return page, status


# --- boxes ------------------------------------------------------------------------------------------------


@bp.get("/invitations/received")
@policy("engagement", "read")
def received() -> ResponseReturnValue:
    return _box("received")


@bp.get("/invitations/sent")
@policy("engagement", "read")
def sent() -> ResponseReturnValue:
    return _box("sent")


@bp.get("/interests")
@policy("engagement", "read")
def interests() -> ResponseReturnValue:
    return _box("interests")


def _box(box: str) -> ResponseReturnValue:
    now, actor = clock.now(), acting()
    chosen = BoxFilter.from_args(request.args)
    page = queries.page_box(box, actor, chosen, now=now, page=page_number(request.args.get("page")))
    return render_template(
        "engagement/box.html",
        box=box,
        box_title=presenters.BOX_TITLES[box],
        page=page,
        rows=presenters.shown_all(page.items, viewer=actor, now=now),
        facets=presenters.box_facets(box),
        is_filtered=any((chosen.status, chosen.posting, chosen.direction)),
    )


# --- one approach -----------------------------------------------------------------------------------------


@bp.get("/approaches/<public_no>")
@policy("engagement", "read")
def show(public_no: str) -> ResponseReturnValue:
    return _page(queries.get_approach(public_no, viewer=acting()))


def _page(
    approach: Approach,
    *,
    obstacles: Sequence[Obstacle] = (),
    accept_form: AcceptForm | None = None,
    decline_form: Any = None,
    conflict: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    actor, now = acting(), clock.now()
    posting = queries.posting_of(approach)
    one = presenters.shown(approach, posting, viewer=actor, now=now)
    life = services.LIVES[approach.kind]
    moves = [move.action for move in life.open_to(one.status, services.parties_to(approach, actor))]
    side = Side.SEEKER if actor.belongs_to(approach.seeker_organisation_id) else Side.SUPPLIER
    contacts = presenters.contact_lines(approach, viewer=actor)
    notes = queries.list_notes(approach.posting_kind, [posting.id], viewer=actor)
    page = render_template(
        "engagement/show.html",
        one=one,
        approach=approach,
        posting=posting,
        kind=queries.PATHS[approach.posting_kind],
        steps=presenters.steps(approach, now),
        labels={move.action: move.label for move in life.transitions},
        moves=moves,
        is_open=queries.is_open(posting, now=now),
        accept_form=accept_form or AcceptForm(formdata=None, data={"contact": "organisation"}),
        decline_form=decline_form or reason_form(side, formdata=None),
        own_contacts=presenters.own_contacts(posting, actor) if "accept" in moves else [],
        contacts=contacts,
        may_close=actor.is_editor and any(c.is_own and c.contact.closed_at is None for c in contacts),
        notes=notes.get((posting.id, approach.capability_id), []),
        back=url_for("engagement.show", public_no=approach.public_no),
        obstacles=obstacles,
        conflict=conflict,
    )
    return page, status


Act = Callable[[Approach, datetime], None]


def _do(
    public_no: str, act: Act, done: str, *, accept_form: Any = None, decline_form: Any = None
) -> ResponseReturnValue:
    """One act on an approach; who comes too late is told so and sees how it stands now."""
    try:
        with transaction():
            act(queries.get_approach(public_no, viewer=acting()), clock.now())
    except Obstructed as error:
        return _page(
            queries.get_approach(public_no, viewer=acting()),
            obstacles=error.obstacles,
            accept_form=accept_form,
            decline_form=decline_form,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    except InvalidTransition:
        return _page(
            queries.get_approach(public_no, viewer=acting()), conflict=True, status=HTTPStatus.CONFLICT
        )
    flash(done, "success")
    return redirect(url_for("engagement.show", public_no=public_no))


@bp.post("/approaches/<public_no>/accept")
@policy("engagement", "act")
def accept(public_no: str) -> ResponseReturnValue:
    form = AcceptForm()
    form.validate()

    def act(approach: Approach, now: datetime) -> None:
        services.accept(approach, contact=form.contact.data, by=acting(), now=now)

    return _do(public_no, act, gettext("已同意，双方联系方式已互相开放"), accept_form=form)


@bp.post("/approaches/<public_no>/decline")
@policy("engagement", "act")
def decline(public_no: str) -> ResponseReturnValue:
    approach = queries.get_approach(public_no, viewer=acting())
    side = Side.SUPPLIER if approach.kind is ApproachKind.INVITATION else Side.SEEKER
    form = reason_form(side)
    form.validate()

    def act(approach: Approach, now: datetime) -> None:
        services.decline(
            approach,
            reason_code=form.reason_code.data or "",
            reason=form.reason.data,
            by=acting(),
            now=now,
        )

    return _do(public_no, act, gettext("已谢绝，理由已告知对方"), decline_form=form)


@bp.post("/approaches/<public_no>/withdraw")
@policy("engagement", "act")
def withdraw(public_no: str) -> ResponseReturnValue:
    def act(approach: Approach, now: datetime) -> None:
        services.withdraw(approach, reason=posted_text("reason"), by=acting(), now=now)

    return _do(public_no, act, gettext("已撤回"))


@bp.post("/approaches/<public_no>/close-contact")
@policy("engagement", "act")
def close_contact(public_no: str) -> ResponseReturnValue:
    def act(approach: Approach, now: datetime) -> None:
        services.close_contact(approach, by=acting(), now=now)

    return _do(public_no, act, gettext("本单位的联系方式已收回"))


# --- opinions and notes -----------------------------------------------------------------------------------


def _back(default: str) -> str:
    return own_path(request.form.get("next", "")) or default


def _get_capability(number: str) -> Capability:
    found = queries.list_capabilities(_asked_numbers([number]))
    if not found:
        raise NotFound(number)
    return found[0]


@bp.post(f"/{CHALLENGES_OR_NEEDS}/dismissals")
@policy("engagement", "remark")
def dismiss(kind: str, public_no: str) -> ResponseReturnValue:
    """A seeker passes over a capability, or a supplier a challenge or need."""
    number = request.form.get("capability", "")
    posting = queries.get_posting(KINDS[kind], public_no, viewer=acting())
    side = Side.SEEKER if acting().belongs_to(posting.organisation_id) else Side.SUPPLIER
    form = reason_form(side)
    obstacles: Sequence[Obstacle] = ()
    try:
        if form.validate():
            with transaction():
                remarks.dismiss(
                    queries.get_posting(KINDS[kind], public_no, viewer=acting()),
                    _get_capability(number),
                    reason_code=form.reason_code.data,
                    reason=form.reason.data,
                    by=acting(),
                    now=clock.now(),
                )
            return redirect(_back(_list_of(kind, posting, side)))
    except Obstructed as error:
        obstacles = error.obstacles
    title = gettext("标记不合适") if side is Side.SEEKER else gettext("暂不参与")
    return _remark_page(title, posting, number, form, obstacles)


def _list_of(kind: str, posting: Any, side: Side) -> str:
    if side is Side.SEEKER:
        return url_for("matching.shortlist", kind=kind, public_no=posting.public_no)
    return url_for("matching.fits", kind=kind)


def _remark_page(
    title: str, posting: Any, number: str, form: Any, obstacles: Sequence[Obstacle]
) -> ResponseReturnValue:
    """What was typed, with what is wrong with it, on a page of its own."""
    page = render_template(
        "engagement/remark.html",
        page_title=title,
        posting=posting,
        capability=_get_capability(number),
        form=form,
        obstacles=obstacles,
        back=_back(url_for("matching.fits")),
    )
    return page, HTTPStatus.UNPROCESSABLE_ENTITY


@bp.post("/dismissals/<int:dismissal_id>/undo")
@policy("engagement", "remark")
def undo_dismissal(dismissal_id: int) -> ResponseReturnValue:
    with transaction():
        remarks.undo(queries.get_own_dismissal(dismissal_id, actor=acting()), by=acting(), now=clock.now())
    flash(gettext("已取消标记"), "success")
    return redirect(_back(url_for("matching.fits")))


@bp.post(f"/{CHALLENGES_OR_NEEDS}/notes")
@policy("engagement", "remark")
def add_note(kind: str, public_no: str) -> ResponseReturnValue:
    number, form = request.form.get("capability", ""), NoteForm()
    obstacles: Sequence[Obstacle] = ()
    try:
        if form.validate():
            with transaction():
                posting = queries.get_posting(KINDS[kind], public_no, viewer=acting())
                remarks.add_note(
                    posting, _get_capability(number), form.text.data, by=acting(), now=clock.now()
                )
            return redirect(_back(url_for("matching.fits")))
    except Obstructed as error:
        obstacles = error.obstacles
    posting = queries.get_posting(KINDS[kind], public_no, viewer=acting())
    return _remark_page(gettext("备注"), posting, number, form, obstacles)


@bp.post("/notes/<int:note_id>/remove")
@policy("engagement", "remark")
def remove_note(note_id: int) -> ResponseReturnValue:
    with transaction():
        remarks.remove_note(queries.get_own_note(note_id, actor=acting()), by=acting(), now=clock.now())
    flash(gettext("备注已删除"), "success")
    return redirect(_back(url_for("matching.fits")))


# --- what was seen ----------------------------------------------------------------------------------------


@bp.post("/matching/seen")
@policy("engagement", "seen")
def seen() -> ResponseReturnValue:
    """A page tells that it has been read; each line counts once a day for an organisation."""
    lines = set()
    for value in request.form.getlist("line")[: events.MOST_SEEN]:
        run, _, capability = value.partition("~")
        if _may_be_number(run) and _may_be_number(capability):
            lines.add((run, capability))
    opened = request.form.get("opened") == "1"
    with transaction():
        events.record_seen(lines, opened=opened, by=acting(), now=clock.now())
    return "", HTTPStatus.NO_CONTENT
