"""The audit trail, and the history of one thing."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.audit import anchor
from marketplace.audit import queries as audit
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import page_number
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
