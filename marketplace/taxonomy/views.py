"""Pages of the reference data: trees, nodes, versions and their differences; and its import and export."""

from http import HTTPStatus

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.audit.kept_pages import kept_until_something_happens
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import acting
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.texts import N_
from marketplace.taxonomy import presenters, queries, rules, services, sheets, uses
from marketplace.taxonomy.forms import ImportForm
from marketplace.taxonomy.models import Scheme, TaxonomyVersion
from marketplace.taxonomy.presenters import scheme_name

bp = Blueprint("taxonomy", __name__)

# More of one kind than this are counted on the page, not listed.
MOST_SHOWN = 500
# Children whose things are counted one by one; a province with more districts lists them without.
MOST_CHILDREN_COUNTED = 12


def _scheme(name: str) -> Scheme:
    try:
        return Scheme(name)
    except ValueError as error:
        raise NotFound(name) from error


def _version(scheme: Scheme, name: str) -> TaxonomyVersion | None:
    number = request.args.get(name, "")
    return queries.get_version(scheme, number) if number else None


# --- reading ------------------------------------------------------------------------------------------------


@bp.get("/taxonomy")
@policy("taxonomy", "list")
@kept_until_something_happens
def overview() -> ResponseReturnValue:
    versions = queries.list_newest_versions()
    rows = [
        (scheme, versions.get(scheme), len(queries.list_nodes(scheme)), presenters.SCHEME_NOTES[scheme])
        for scheme in presenters.SCHEME_NAMES
    ]
    return render_template("taxonomy/overview.html", rows=rows, scheme_name=scheme_name)


@bp.get("/taxonomy/<scheme>")
@policy("taxonomy", "read")
@kept_until_something_happens
def show(scheme: str) -> ResponseReturnValue:
    """The tree of a scheme, now or as a version had it."""
    named = _scheme(scheme)
    newest = queries.find_newest_version(named)
    version = _version(named, "version") or newest
    is_newest = version is not None and newest is not None and version.id == newest.id
    # What is posted is posted now: an old version shows no counts.
    counted = uses.uses_of(named) if is_newest else []
    counts = {use.kind: use.count_seen(named, acting()) for use in counted}
    return render_template(
        "taxonomy/tree.html",
        scheme=named,
        scheme_name=scheme_name,
        note=presenters.SCHEME_NOTES[named],
        version=version,
        is_newest=is_newest,
        uses=counted,
        branches=presenters.tree(queries.rows_at(version) if version else [], counts),
        editable=named.value in rules.EDITABLE,
        stage_of=presenters.stage_of,
    )


@bp.get("/taxonomy/<scheme>/nodes/<path:code>")
@policy("taxonomy", "read")
@kept_until_something_happens
def show_node(scheme: str, code: str) -> ResponseReturnValue:
    named = _scheme(scheme)
    history = queries.list_history(named, code)
    if not history:
        raise NotFound(code)
    parents: list[queries.Node] = []
    at = queries.find_node(named, history[0].parent_code)
    while at is not None and len(parents) < rules.MOST_HOPS:
        parents.insert(0, at)
        at = queries.find_node(named, at.parent_code)
    children = queries.list_nodes(named, parent=code)
    counted = len(children) <= MOST_CHILDREN_COUNTED
    return render_template(
        "taxonomy/node.html",
        scheme=named,
        scheme_name=scheme_name,
        node=history[0],
        history=history,
        parents=parents,
        children=[
            (
                child,
                queries.stage_name(child.stage),
                presenters.posted_under(named, child.code, acting()) if counted else [],
            )
            for child in children
        ],
        posted=presenters.posted_under(named, code, acting()),
        successor=queries.find_node(named, queries.current_code(named, code)),
        predecessors=queries.list_predecessors(named, code),
        stage_of=presenters.stage_of,
    )


@bp.get("/taxonomy/<scheme>/versions")
@policy("taxonomy", "read")
def versions(scheme: str) -> ResponseReturnValue:
    named = _scheme(scheme)
    return render_template(
        "taxonomy/versions.html",
        scheme=named,
        scheme_name=scheme_name,
        versions=queries.list_versions(named),
        editable=named.value in rules.EDITABLE,
    )


@bp.get("/taxonomy/<scheme>/compare")
@policy("taxonomy", "read")
def compare(scheme: str) -> ResponseReturnValue:
    """What changed between two versions; without any named, between the last two."""
    named = _scheme(scheme)
    known = queries.list_versions(named)
    if not known:
        raise NotFound(scheme)
    after = _version(named, "to") or known[0]
    before = _version(named, "from") or next((one for one in known if one.id < after.id), after)
    found = rules.difference(
        queries.state_at(before),
        list(queries.state_at(after).values()),
        successors=queries.successors_between(before, after),
    )
    return render_template(
        "taxonomy/compare.html",
        scheme=named,
        scheme_name=scheme_name,
        versions=known,
        before=before,
        after=after,
        found=found,
        field_changes=presenters.field_changes,
        stage_of=presenters.stage_of,
    )


@bp.get("/taxonomy/<scheme>/export.csv")
@policy("taxonomy", "export")
def export(scheme: str) -> ResponseReturnValue:
    """The scheme as CSV: what holds now and what has ended, or a version as it was."""
    named = _scheme(scheme)
    version = _version(named, "version")
    text = sheets.write(queries.read_for_export(named, version))
    newest = version or queries.find_newest_version(named)
    name = f"taxonomy-{named.value}-{_plain(newest.number) if newest else 'empty'}.csv"
    response = Response("\ufeff" + text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _plain(number: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in number)


# --- importing ----------------------------------------------------------------------------------------------


def _editable(name: str) -> Scheme:
    scheme = _scheme(name)
    if scheme.value not in rules.EDITABLE:
        raise NotFound(name)
    return scheme


@bp.get("/workbench/taxonomy")
@policy("taxonomy", "manage")
def manage() -> ResponseReturnValue:
    versions = queries.list_newest_versions()
    rows = [(scheme, versions.get(scheme)) for scheme in map(Scheme, rules.EDITABLE)]
    return render_template("taxonomy/manage.html", rows=rows, scheme_name=scheme_name)


@bp.get("/workbench/taxonomy/<scheme>/import")
@policy("taxonomy", "import")
def import_form(scheme: str) -> ResponseReturnValue:
    named = _editable(scheme)
    form = ImportForm(formdata=None, data={"valid_from": business_date(clock.now())})
    return _import_page(named, form)


@bp.post("/workbench/taxonomy/<scheme>/import")
@policy("taxonomy", "import")
def import_sheet(scheme: str) -> ResponseReturnValue:
    """First the difference, then, sent again from its page, the version itself."""
    named = _editable(scheme)
    form = ImportForm()
    file = request.files.get("file")
    obstacles: list[Obstacle] = []
    chosen = file is not None and bool(file.filename)
    if file is not None and chosen:
        form.content.data, obstacles = _read_file(file.read(sheets.MOST_BYTES + 1))
        form.content.raw_data = None
    elif not (form.content.data or "").strip():
        obstacles = [Obstacle("file", N_("请选择一个 CSV 文件"))]
    if not form.validate() or obstacles:
        return _import_page(named, form, obstacles=obstacles, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    text = form.content.data or ""
    # A file that was chosen a moment ago has not been seen yet.
    if chosen or request.form.get("act") != "accept":
        plan = services.plan_import(named, text)
        form.base_id.data, form.base_id.raw_data = plan.base_id, None
        status = HTTPStatus.UNPROCESSABLE_ENTITY if plan.faults else HTTPStatus.OK
        return _import_page(named, form, plan=plan, status=status)
    return _accept(named, form, text)


def _read_file(content: bytes) -> tuple[str, list[Obstacle]]:
    if len(content) > sheets.MOST_BYTES:
        return "", [Obstacle("file", N_("文件最大 %(limit)s KB"), {"limit": sheets.MOST_BYTES // 1024})]
    try:
        return sheets.decode(content), []
    except ValueError:
        return "", [Obstacle("file", N_("文件须为 UTF-8 或 GB18030 编码的 CSV"))]


def _accept(scheme: Scheme, form: ImportForm, text: str) -> ResponseReturnValue:
    try:
        with transaction():
            version = services.take_over(
                scheme, text, form.edition(), base_id=form.base_id.data or 0, by=acting(), now=clock.now()
            )
    except StaleVersion:
        obstacles = [Obstacle("file", N_("比较之后已有新的版本，请重新核对差异"))]
        return _import_page(
            scheme, form, plan=_again(scheme, form, text), obstacles=obstacles, status=HTTPStatus.CONFLICT
        )
    except Obstructed as error:
        return _import_page(
            scheme,
            form,
            plan=_again(scheme, form, text),
            obstacles=list(error.obstacles),
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    flash(gettext("已启用版本 %(number)s", number=version.number), "success")
    return redirect(url_for("taxonomy.versions", scheme=scheme.value))


def _again(scheme: Scheme, form: ImportForm, text: str) -> services.Plan:
    plan = services.plan_import(scheme, text)
    form.base_id.data, form.base_id.raw_data = plan.base_id, None
    return plan


def _import_page(
    scheme: Scheme,
    form: ImportForm,
    *,
    plan: services.Plan | None = None,
    obstacles: list[Obstacle] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    page = render_template(
        "taxonomy/import.html",
        scheme=scheme,
        scheme_name=scheme_name,
        form=form,
        plan=plan,
        newest=queries.find_newest_version(scheme),
        obstacles=obstacles or [],
        field_changes=presenters.field_changes,
        stage_of=presenters.stage_of,
        column_names=presenters.COLUMN_NAMES,
        most_shown=MOST_SHOWN,
    )
    return make_response(page, status)
