"""The audit trail, the history of one thing, and the funnel."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.audit import anchor
from marketplace.audit import queries as audit
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import page_number
from marketplace.oversight import funnel as figures
from marketplace.oversight import funnel_presenters as in_words
from marketplace.oversight import presenters, queries

bp = Blueprint("oversight", __name__, url_prefix="/workbench")


@bp.get("/trail")
@policy("oversight", "trail")
def trail() -> ResponseReturnValue:
    kind = request.args.get("kind", "")
    anchors = anchor.anchor_file(current_app.config["INSTANCE_DIR"])
    page = audit.page_events(
        page=page_number(request.args.get("page")), subject_kind=kind if kind in presenters.SUBJECTS else ""
    )
    return render_template(
        "oversight/trail.html",
        page=page,
        lines=[presenters.event_line(event) for event in page.items],
        kinds=presenters.SUBJECTS,
        head=audit.find_head(),
        anchored=max(anchor.read_anchors(anchors), default=0),
        # The whole chain is read only when somebody asks for it.
        breaks=anchor.verify(anchors) if "check" in request.args else None,
    )


@bp.get("/history/<kind>/<int:subject_id>")
@policy("oversight", "history")
def history(kind: str, subject_id: int) -> ResponseReturnValue:
    seen = kind in presenters.SUBJECTS and queries.may_look_back(kind, subject_id, viewer=acting())
    events = audit.list_history(kind, subject_id) if seen else []
    if not events:
        raise NotFound(f"{kind} {subject_id}")
    return render_template(
        "oversight/history.html",
        lines=[presenters.event_line(event) for event in events],
        subject=presenters.SUBJECTS[kind],
        label=events[0].subject_label,
    )


# --- the funnel -------------------------------------------------------------------------------------------


@bp.get("/funnel")
@policy("oversight", "funnel")
def funnel() -> ResponseReturnValue:
    """From publishing to agreeing, with supply, ages and exposure; figures of this very moment."""
    now = clock.now()
    scope = figures.Scope.from_args(request.args)
    wanted = request.args.get("by", "")
    dimension = wanted if wanted in figures.DIMENSIONS else figures.DIMENSIONS[0]
    stages = figures.count_stages(scope, now=now)
    exposure = figures.get_exposure(scope, now=now)
    return render_template(
        "oversight/funnel.html",
        now=now,
        scope=scope,
        query=in_words.query_of(scope),
        facets=in_words.facets(scope),
        stages=in_words.stage_lines(stages, scope),
        stage_names=in_words.STAGE_NAMES,
        dimension=dimension,
        dimensions=in_words.DIMENSION_NAMES,
        groups=in_words.group_lines(dimension, figures.count_by(dimension, scope, now=now), scope),
        capable=in_words.capable_lines(figures.count_capable(scope, now=now), scope),
        capable_from=figures.CAPABLE_FROM,
        waiting=in_words.waiting_lines(figures.count_waiting(scope, now=now), scope),
        silent=in_words.silent_lines(figures.count_silent(scope, now=now), scope),
        exposure=exposure,
        firms=in_words.firm_lines(exposure, scope),
        most_firms=figures.FIRMS_SHOWN,
    )


@bp.get("/funnel/rows")
@policy("oversight", "funnel")
def funnel_rows() -> ResponseReturnValue:
    """The postings or approaches that one figure counts."""
    now = clock.now()
    scope = figures.Scope.from_args(request.args)
    behind = figures.Behind.from_args(request.args)
    statement = figures.find_rows(behind, scope, now=now)
    firm = ""
    if behind.what == "firm":
        firm = queries.find_organisation_name(figures.organisation_id_of(behind))
    return render_template(
        "oversight/funnel_rows.html",
        now=now,
        what=behind.what,
        heading=in_words.heading(behind),
        firm=firm,
        page=figures.page_rows(statement, page=page_number(request.args.get("page"))),
        query=in_words.query_of(scope),
        words=in_words,
    )
