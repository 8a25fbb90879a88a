"""Shortlists, and the challenges and needs that fit a supplier."""

from collections.abc import Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.challenges.queries import get_challenge
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import Actor, acting
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import page_number
from marketplace.matching import absences, panels, presenters, queries
from marketplace.matching.annotations import Lines, ListedLine, annotate
from marketplace.matching.models import MatchRun, PostingKind
from marketplace.matching.prospects import Board
from marketplace.matching.queries import Line
from marketplace.matching.views.blueprint import bp
from marketplace.needs.queries import get_need
from marketplace.organisations.queries import get_organisation

PER_PAGE = 10
_KINDS = {"challenges": PostingKind.CHALLENGE, "needs": PostingKind.NEED}


def _get_seeker(kind: str, public_no: str, viewer: Actor) -> Any:
    if kind == "challenges":
        return get_challenge(public_no, viewer=viewer)
    return get_need(public_no, viewer=viewer)


@bp.get("/<any(challenges, needs):kind>/<public_no>")
@policy("match", "read")
def shortlist(kind: str, public_no: str) -> ResponseReturnValue:
    """The whole list for the owner, operator and auditor; for a supplier its own lines."""
    actor = acting()
    seeker = _get_seeker(kind, public_no, actor)
    run = queries.find_run(_KINDS[kind], seeker.id)
    if not queries.may_read(seeker, actor):
        return _own_lines(kind, seeker, run, actor)
    if run is None:
        return render_template("matching/shortlist.html", kind=kind, seeker=seeker, run=None)
    total = queries.count_entries(run.id)
    page = min(page_number(request.args.get("page")), max(1, -(-total // PER_PAGE)))
    lines = queries.list_lines(run.id, first=(page - 1) * PER_PAGE + 1, size=PER_PAGE)
    asked = opened = page_number(request.args.get("open"))
    if opened not in [line.entry.place for line in lines]:
        opened = lines[0].entry.place if lines else 0
    texts = queries.read_texts(run, [line.entry for line in lines if line.entry.place == opened])
    everybody = queries.list_lines(run.id)
    board = Board(queries.list_scores(run.id), everybody)
    return render_template(
        "matching/shortlist.html",
        kind=kind,
        seeker=seeker,
        run=run,
        rows=[
            presenters.row(line, texts=texts if line.entry.place == opened else None, board=board)
            for line in lines
        ],
        marks=_annotated(seeker, run, lines, actor, opened=[asked] if "open" in request.args else []),
        total=total,
        page={"page": page, "pages": max(1, -(-total // PER_PAGE)), "total": total, "per_page": PER_PAGE},
        summary=presenters.summary(everybody),
        changes=queries.list_changes(run.id),
        previous=queries.find_run_before(run),
        causes=presenters.CAUSES,
        excluded=presenters.excluded(run),
        epoch=queries.get_epoch(run.epoch_id),
        weights=queries.get_weights_version(run.weight_set_id),
        dictionary=queries.get_dictionary_version(run.epoch_id),
    )


def _own_lines(kind: str, seeker: Any, run: MatchRun | None, actor: Actor) -> ResponseReturnValue:
    lines = queries.list_own_lines(run.id, actor) if run is not None else []
    if run is None or not lines:
        raise NotFound(seeker.public_no)
    texts = queries.read_texts(run, [line.entry for line in lines])
    board = Board(queries.list_scores(run.id))
    rows = [presenters.row(line, texts=texts, board=board, own=True) for line in lines]
    marks = _annotated(seeker, run, lines, actor, opened=[line.entry.place for line in lines], own=True)
    return render_template(
        "matching/own_lines.html", kind=kind, seeker=seeker, run=run, rows=rows, marks=marks
    )


def _annotated(
    seeker: Any,
    run: MatchRun,
    lines: Sequence[Line],
    actor: Actor,
    *,
    opened: Sequence[int] = (),
    own: bool = False,
) -> Lines:
    """What other features show on these lines; `opened` are the places that somebody asked to read."""
    listed = [_listed(seeker, run, line, opened=line.entry.place in opened) for line in lines]
    return annotate(Lines(run.seeker_kind, listed, actor, own=own))


def _listed(seeker: Any, run: MatchRun, line: Line, *, opened: bool = False) -> ListedLine:
    return ListedLine(seeker, run, line.capability, line.organisation, line.entry.place, opened)


@bp.get("/runs/<run_no>/places/<int:place>")
@policy("match", "read")
def explanation(run_no: str, place: int) -> ResponseReturnValue:
    """The explanation of one place, as a fragment; without scripts the page that has it open."""
    actor = acting()
    run = queries.get_run(run_no)
    kind = next(name for name, value in _KINDS.items() if value is run.seeker_kind)
    # As the reader may see it now: what a run has kept of a text is no way around its being taken down.
    seeker = _get_seeker(kind, queries.get_seeker(run.seeker_kind, run.seeker_id).public_no, actor)
    line = queries.find_line(run.id, place)
    if line is None or not _may_read_line(seeker, line, actor):
        raise NotFound(run_no)
    if not request.headers.get("HX-Request"):
        page = -(-place // PER_PAGE)
        address = url_for(
            ".shortlist",
            kind=kind,
            public_no=seeker.public_no,
            page=page,
            open=place,
            _anchor=f"place-{place}",
        )
        return redirect(address)
    own = not queries.may_read(seeker, actor)
    board = Board(queries.list_scores(run.id), [] if own else queries.list_lines(run.id))
    row = presenters.row(line, texts=queries.read_texts(run, [line.entry]), board=board, own=own)
    marks = _annotated(seeker, run, [line], actor, opened=[place], own=own)
    return render_template("matching/explanation.html", row=row, own=own, marks=marks)


def _may_read_line(seeker: Any, line: Line, actor: Actor) -> bool:
    return queries.may_read(seeker, actor) or actor.belongs_to(line.entry.organisation_id)


@bp.get("/<any(challenges, needs):kind>/<public_no>/why")
@policy("match", "fits")
def why(kind: str, public_no: str) -> ResponseReturnValue:
    """For a supplier: where its own public capabilities stand for one challenge or need, or why not."""
    actor = acting()
    seeker = _get_seeker(kind, public_no, actor)
    run = queries.find_run(_KINDS[kind], seeker.id)
    if run is None or run.superseded_at is not None:
        raise NotFound(public_no)
    own = absences.list_own_public(actor)
    organisation = get_organisation(actor.organisation_id or 0, viewer=actor)
    found = absences.list_for(run, own, organisation, now=clock.now()) if own else []
    return render_template("matching/why.html", kind=kind, seeker=seeker, absences=found)


@bp.get("/<any(challenges, needs):kind>/<public_no>/panel")
@policy("match", "read")
def panel(kind: str, public_no: str) -> ResponseReturnValue:
    """The panel of a challenge or need by itself, for a page that waits for its shortlist."""
    actor = acting()
    seeker = _get_seeker(kind, public_no, actor)
    data = panels.data_for(_KINDS[kind], seeker, actor)
    if data is None:
        raise NotFound(public_no)
    return render_template("matching/panel.html", **data)


@bp.get("/fits")
@policy("match", "fits")
def fits() -> ResponseReturnValue:
    """The open challenges and needs on whose shortlists the reader's organisation stands."""
    actor = acting()
    kind = "needs" if request.args.get("kind") == "needs" else "challenges"
    page = queries.page_fits(
        _KINDS[kind], actor, now=clock.now(), page=page_number(request.args.get("page")), per_page=PER_PAGE
    )
    rows = [(fit, presenters.row(fit.line, own=True)) for fit in page.items]
    listed = [_listed(fit.seeker, fit.run, fit.line) for fit in page.items]
    marks = annotate(Lines(_KINDS[kind], listed, actor, own=True))
    return render_template("matching/fits.html", kind=kind, page=page, rows=rows, marks=marks)
