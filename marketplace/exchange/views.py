"""Pages of imports, and the one address from which every list is exported."""

import io
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from itertools import chain
from typing import IO
from urllib.parse import quote

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.audit.services import record
from marketplace.exchange import blank_forms, exports, imports, presenters
from marketplace.exchange.faults import Unreadable
from marketplace.exchange.models import ImportStatus, StagedImport, Verdict
from marketplace.exchange.sheets import FIRST_ROWS, LARGEST_FILE, format_of
from marketplace.exchange.targets import Target, all_targets, target_for, targets_for
from marketplace.identity.throttling import Limit, count_attempts, refuse_excess
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed
from marketplace.kernel.pagination import page_number
from marketplace.kernel.security import large_body
from marketplace.kernel.texts import N_

bp = Blueprint("exchange", __name__)

EXPORTS = Limit("export", 30, timedelta(hours=1))
UPLOADS = Limit("import", 30, timedelta(hours=1))
# Filters kept in the record of an export, as they were asked for.
LONGEST_FILTER = 100


def _unprocessable(page: str) -> ResponseReturnValue:
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _target(kind: str) -> Target:
    target = all_targets().get(kind)
    if target is None or not target.may_start(acting()):
        raise NotFound(kind)
    return target


# --- imports ----------------------------------------------------------------------------------------------


@bp.get("/workbench/imports")
@policy("import", "use")
def index() -> ResponseReturnValue:
    actor = acting()
    return render_template(
        "exchange/index.html",
        targets=targets_for(actor),
        imports=imports.list_imports(actor),
        statuses=presenters.STATUSES,
        labels={kind: target.label for kind, target in all_targets().items()},
    )


@bp.get("/workbench/imports/new/<kind>")
@policy("import", "use")
def new(kind: str) -> ResponseReturnValue:
    return _new_page(_target(kind))


def _new_page(target: Target, obstacles: tuple[Obstacle, ...] = ()) -> str:
    scopes = list(target.scopes(acting()))
    chosen = request.values.get("scope", "")
    return render_template(
        "exchange/new.html",
        target=target,
        scopes=scopes,
        chosen=chosen,
        needs_scope=target.kind == "need",
        columns=[
            (blank_forms.heading_of(c), blank_forms.hint_of(c), c.example, c.required, c.private)
            for c in target.columns
        ],
        obstacles=obstacles,
        megabytes=LARGEST_FILE // 1024 // 1024,
        rows=f"{target.most_rows:,}",
    )


@bp.post("/workbench/imports/new/<kind>")
@policy("import", "use")
@large_body(LARGEST_FILE)
def upload(kind: str) -> ResponseReturnValue:
    target = _target(kind)
    file = request.files.get("file")
    if file is None or not file.filename:
        return _unprocessable(_new_page(target, (Obstacle("file", N_("请选择要导入的文件")),)))
    attempts = [(UPLOADS, str(acting().user_id))]
    with transaction():
        count_attempts(attempts, now=clock.now())
    refuse_excess(attempts, now=clock.now())
    stored = None
    try:
        format_of(file.filename)
        stored = imports.store_file(file.stream)
        with transaction():
            staged = imports.receive(
                target,
                file_name=file.filename,
                stored=stored,
                scope_id=_number(request.form.get("scope")),
                by=acting(),
                now=clock.now(),
            )
            import_id = staged.id
    except Unreadable as error:
        return _unprocessable(_new_page(target, (Obstacle("file", error.message, error.params),)))
    except Obstructed as error:
        if stored is not None:
            imports.remove_file(stored[0])
        return _unprocessable(_new_page(target, error.obstacles))
    return redirect(url_for("exchange.show", import_id=import_id))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


@bp.get("/workbench/imports/templates/<kind>.<any(xlsx, csv):format>")
@policy("import", "use")
def template(kind: str, format: str) -> ResponseReturnValue:
    target = _target(kind)
    file = io.BytesIO()
    {"xlsx": blank_forms.write_xlsx, "csv": blank_forms.write_csv}[format](target, file)
    file.seek(0)
    return send_file(
        file,
        mimetype=exports.FORMATS[format],
        as_attachment=True,
        download_name=f"{gettext(target.label)}-{gettext('导入模板')}.{format}",
    )


@bp.get("/workbench/imports/<int:import_id>")
@policy("import", "use")
def show(import_id: int) -> ResponseReturnValue:
    return _show_page(imports.get_import(import_id, actor=acting()))


def _show_page(staged: StagedImport, obstacles: tuple[Obstacle, ...] = ()) -> ResponseReturnValue:
    asked = request.args.get("show", "")
    verdict = Verdict(asked) if asked in set(Verdict) else _first_verdict(staged)
    checked = staged.status in (ImportStatus.CHECKED, ImportStatus.FAULTY)
    page = render_template(
        "exchange/show.html",
        staged=staged,
        target=target_for(staged.kind),
        steps=presenters.steps(staged),
        status=presenters.STATUSES[staged.status],
        working=presenters.working(staged),
        percent=presenters.percent(staged),
        message=presenters.saying(staged.message, staged.message_params) if staged.message else "",
        verdicts=presenters.VERDICTS,
        verdict=verdict,
        rows=presenters.page_rows(staged, verdict, page=page_number(request.args.get("page")))
        if checked and verdict is not Verdict.WRONG
        else None,
        errors=presenters.list_errors(staged) if staged.status is ImportStatus.FAULTY else [],
        saying=presenters.saying,
        says=presenters.what_it_says,
        may_cancel=staged.status in (*imports.OPEN, ImportStatus.FAILED),
        obstacles=obstacles,
    )
    return page, (HTTPStatus.UNPROCESSABLE_ENTITY if obstacles else HTTPStatus.OK)


def _first_verdict(staged: StagedImport) -> Verdict:
    order = (Verdict.CHANGED, Verdict.NEW, Verdict.MISSING, Verdict.SAME)
    return next((v for v in order if staged.counts.get(v.value)), Verdict.NEW)


@bp.get("/workbench/imports/<int:import_id>/progress")
@policy("import", "use")
def progress(import_id: int) -> ResponseReturnValue:
    """The progress alone, for a page that asks every other second; when it is over, the whole page anew."""
    staged = imports.get_import(import_id, actor=acting())
    if not request.headers.get("HX-Request"):
        return redirect(url_for("exchange.show", import_id=import_id))
    if not presenters.working(staged):
        response = make_response("", HTTPStatus.OK)
        response.headers["HX-Refresh"] = "true"
        return response
    return render_template(
        "exchange/progress.html",
        staged=staged,
        status=presenters.STATUSES[staged.status],
        percent=presenters.percent(staged),
    )


@bp.get("/workbench/imports/<int:import_id>/columns")
@policy("import", "use")
def columns(import_id: int) -> ResponseReturnValue:
    staged = imports.get_import(import_id, actor=acting())
    if staged.status not in (ImportStatus.UPLOADED, ImportStatus.CHECKED, ImportStatus.FAULTY):
        return redirect(url_for("exchange.show", import_id=import_id))
    return _columns_page(staged, staged.mapping)


def _columns_page(
    staged: StagedImport, mapping: list[str], obstacles: tuple[Obstacle, ...] = ()
) -> ResponseReturnValue:
    page = render_template(
        "exchange/columns.html",
        staged=staged,
        target=target_for(staged.kind),
        steps=presenters.steps(staged),
        mapping=mapping,
        choices=presenters.column_choices(staged),
        header_rows=range(1 if staged.format != "jsonl" else 0, FIRST_ROWS + 1),
        obstacles=obstacles,
    )
    return page, (HTTPStatus.UNPROCESSABLE_ENTITY if obstacles else HTTPStatus.OK)


@bp.post("/workbench/imports/<int:import_id>/columns")
@policy("import", "use")
def assign_columns(import_id: int) -> ResponseReturnValue:
    staged = imports.get_import(import_id, actor=acting())
    mapping = [request.form.get(f"column-{place}", "")[:80] for place in range(len(staged.headings))]
    header_row = _number(request.form.get("header_row"))
    try:
        with transaction():
            imports.assign_columns(
                imports.get_import(import_id, actor=acting()),
                sheet=request.form.get("sheet", "")[:120],
                header_row=staged.header_row if header_row is None else min(header_row, FIRST_ROWS),
                mapping=mapping,
                by=acting(),
                now=clock.now(),
            )
    except Obstructed as error:
        staged = imports.get_import(import_id, actor=acting())
        return _columns_page(staged, mapping, error.obstacles)
    return redirect(url_for("exchange.show", import_id=import_id))


@bp.post("/workbench/imports/<int:import_id>/accept")
@policy("import", "use")
def accept(import_id: int) -> ResponseReturnValue:
    try:
        with transaction():
            staged = imports.get_import(import_id, actor=acting())
            imports.accept(
                staged, withdraw_missing=bool(request.form.get("withdraw")), by=acting(), now=clock.now()
            )
    except Obstructed as error:
        return _show_page(imports.get_import(import_id, actor=acting()), error.obstacles)
    return redirect(url_for("exchange.show", import_id=import_id))


@bp.post("/workbench/imports/<int:import_id>/cancel")
@policy("import", "use")
def cancel(import_id: int) -> ResponseReturnValue:
    with transaction():
        imports.cancel(imports.get_import(import_id, actor=acting()), by=acting(), now=clock.now())
    flash(gettext("已取消，没有写入任何内容"), "success")
    return redirect(url_for("exchange.index"))


# --- exports ----------------------------------------------------------------------------------------------


@bp.post("/exports/<name>")
@policy("export", "run")
def export(name: str) -> ResponseReturnValue:
    """A list with the filters of its page, as a file. POST, because it is counted and recorded."""
    actor, now = acting(), clock.now()
    exported = exports.find_list(name, actor)
    format = request.form.get("format", "xlsx")
    if exported is None or format not in exports.FORMATS:
        raise NotFound(name)
    args = {key: value[:LONGEST_FILTER] for key, value in request.args.items() if value and key != "page"}
    attempts = [(EXPORTS, str(actor.user_id))]
    with transaction():
        count_attempts(attempts, now=now)
    refuse_excess(attempts, now=now)
    rows = exported.rows(args, actor, now)
    if rows.count > exports.MOST_ROWS:
        raise Obstructed(
            [
                Obstacle(
                    "",
                    N_("共超过 %(limit)s 条，一次导不完，请先缩小筛选范围"),
                    {"limit": f"{exports.MOST_ROWS:,}"},
                )
            ]
        )
    columns = exported.columns(actor)
    title = gettext(exported.title)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever has read it to the end
    cells = ([column.value(row) for column in columns] for row in rows.each)
    written = exports.write(format, file, title, [gettext(c.label) for c in columns], cells)
    with transaction():
        record(
            "exchange.export",
            "export",
            None,
            by=acting(),
            at=now,
            label=title,
            organisation_id=actor.organisation_id,
            detail={"list": name, "format": format, "rows": written, "filters": args},
        )
    ending = f"{business_date(now).isoformat()}.{format}"
    size = file.seek(0, io.SEEK_END)
    pieces = _pieces(file)
    # Begun here, so that the file is closed even if nobody reads the answer.
    response = Response(chain((next(pieces, b""),), pieces), mimetype=exports.FORMATS[format])
    response.content_length = size
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{name}-{ending}\"; filename*=UTF-8''{quote(f'{title}-{ending}')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(64 * 1024):
            yield piece
