"""`flask import FILE`: collected entries of a JSONL file, or with `--as` any file that a page would take."""

from pathlib import Path

import click
from flask.cli import with_appcontext
from flask_babel import force_locale
from sqlalchemy import select

from marketplace.exchange import applying, exports, imports, lists, presenters, services, staging
from marketplace.exchange.faults import Unreadable
from marketplace.exchange.models import ImportStatus, StagedImport, Verdict
from marketplace.exchange.readers import LARGEST_FILE, Reading, read_jsonl
from marketplace.exchange.targets import all_targets
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, PlatformRole
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Obstructed
from marketplace.organisations.models import Organisation
from marketplace.organisations.rules import name_key

MOST_ERRORS_SHOWN = 200
COMMAND_LINE = Actor(name=imports.COMMAND_LINE, platform_role=PlatformRole.OPERATOR)
FENCE = "command line"


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option("--as", "kind", help="What the rows are: need, capability, challenge, organisation, collected.")
@click.option("--organisation", help="Whose rows they are: number or name of an organisation.")
@click.option("--list", "list_no", help="The need list that they belong to, such as QD-2026-0001.")
@click.option("--sheet", default="", help="Which sheet of a workbook; else the one most like a template.")
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write all errors here (CSV)."
)
@with_appcontext
def import_file(
    file: Path,
    dry_run: bool,
    kind: str | None,
    organisation: str | None,
    list_no: str | None,
    sheet: str,
    errors: Path | None,
) -> None:
    """Take the entries of a JSONL FILE in as collected (收录), or rows as what --as says: all, or none."""
    if kind is not None:
        _import_staged(file, kind, organisation, list_no, sheet=sheet, dry_run=dry_run, errors=errors)
        return
    size = file.stat().st_size
    if size > LARGEST_FILE:
        raise click.ClickException(f"文件超过 {LARGEST_FILE // 1024 // 1024} MB")
    with click.progressbar(length=size, label=f"读取 {file.name}") as bar:
        reading = read_jsonl(file, tick=bar.update)
    if services.find_batch(reading.sha256) is not None:
        click.echo(f"{file.name} 已经收录过，未作改动")
        return
    reading.errors += services.find_conflicts(reading)
    if reading.errors:
        _report(reading)
        raise SystemExit(1)
    if dry_run:
        _print(services.summarise(reading.entries), "校验通过（未写入）")
        return
    with transaction():
        summary = services.import_collected(reading, by=COMMAND_LINE, now=clock.now())
    _print(summary, "已收录")


def _report(reading: Reading) -> None:
    for error in reading.errors[:MOST_ERRORS_SHOWN]:
        click.echo(str(error), err=True)
    click.echo(f"{reading.file_name}：{len(reading.errors)} 处错误，未写入任何一行", err=True)


def _print(summary: services.ImportSummary, verdict: str) -> None:
    named = {"challenge": "榜单", "supply_need": "需求", "capability": "能力成果"}
    counts = "，".join(f"{named[kind]} {count}" for kind, count in summary.counts.items())
    rest = f"仅有标题 {summary.title_only} 条；单位 {summary.organisations} 家"
    click.echo(f"{verdict} {summary.rows} 条：{counts}；{rest}")


# --- what the pages do, in one go -------------------------------------------------------------------------


def _import_staged(
    file: Path,
    kind: str,
    organisation: str | None,
    list_no: str | None,
    *,
    sheet: str,
    dry_run: bool,
    errors: Path | None,
) -> None:
    if kind not in all_targets():
        raise click.ClickException(f"--as 须为：{', '.join(sorted(all_targets()))}")
    actor = imports.command_line(_organisation_id(organisation) if organisation else None)
    target = all_targets()[kind]
    if not target.may_start(actor):
        raise click.ClickException("这类内容属于某个单位，请用 --organisation 指明")
    scope = next((id for id, name in target.scopes(actor) if list_no and list_no in name), None)
    try:
        with file.open("rb") as stream:
            stored = imports.store_file(stream)
        now = clock.now()
        with transaction():
            staged = imports.receive(
                target, file_name=file.name, stored=stored, scope_id=scope, by=actor, now=now, deferred=False
            )
            staged.sheet, staged.fence = sheet, FENCE
        import_id = staged.id
        try:
            _check(import_id)
            _finish(import_id, actor, dry_run=dry_run, errors=errors)
        finally:
            _clear(import_id, stored[0])
    except Unreadable as error:
        raise click.ClickException(_said(error.message, dict(error.params))) from error
    except Obstructed as error:
        raise click.ClickException(
            "；".join(_said(o.message, dict(o.params)) for o in error.obstacles)
        ) from error


def _said(message: str, params: dict[str, object]) -> str:
    with force_locale("zh_Hans"):
        return presenters.saying(message, params)


def _organisation_id(named: str) -> int:
    found = None
    if named.isascii() and named.isdigit():
        found = db.session.scalar(select(Organisation.id).where(Organisation.id == int(named)))
    found = found or db.session.scalar(
        select(Organisation.id)
        .where(Organisation.name_key == name_key(named)[:240])
        .order_by(Organisation.id)
    )
    if found is None:
        raise click.ClickException(f"没有名为“{named}”的单位")
    return found


def _check(import_id: int) -> None:
    staged = db.session.get_one(StagedImport, import_id)
    staging.inspect(staged, FENCE)
    staged = db.session.get_one(StagedImport, import_id, populate_existing=True)
    named = {name.partition(":")[0] for name in staged.mapping}
    target = all_targets()[staged.kind]
    if missing := [column.label for column in target.columns if column.required and column.name not in named]:
        raise click.ClickException(f"没有找到必填的列：{'、'.join(missing)}")
    total = staged.rows
    checker = staging.Checker(staged, FENCE, now=clock.now())
    with click.progressbar(length=total, label=f"核对 {staged.file_name}") as bar:
        checker.run(lambda: bar.update(min(staging.CHUNK, total)))
    with transaction():
        staging.hold(
            import_id,
            FENCE,
            status=ImportStatus.FAULTY if checker.error_count else ImportStatus.CHECKED,
            counts={**checker.counts, "public": checker.public_changes},
            rows=checker.done,
            error_count=checker.error_count,
            manifest=checker.manifest.hexdigest(),
        )


def _finish(import_id: int, actor: Actor, *, dry_run: bool, errors: Path | None) -> None:
    staged = db.session.get_one(StagedImport, import_id, populate_existing=True)
    if staged.status is ImportStatus.FAULTY:
        _show_errors(staged, errors)
        raise SystemExit(1)
    counts = {Verdict(name): n for name, n in staged.counts.items() if name in set(Verdict)}
    said = "，".join(f"{presenters.VERDICTS[verdict][0]} {n}" for verdict, n in counts.items() if n)
    if not (counts[Verdict.NEW] or counts[Verdict.CHANGED]):
        click.echo(f"与现有数据完全相同，未作改动（{said}）")
    elif dry_run:
        click.echo(f"校验通过（未写入）：{said}")
    else:
        with transaction():
            fresh = db.session.get_one(StagedImport, import_id, populate_existing=True)
            applying.apply(fresh, FENCE, by=actor, now=clock.now())
        click.echo(f"已导入：{said}")


def _show_errors(staged: StagedImport, errors: Path | None) -> None:
    for error in presenters.list_errors(staged, limit=MOST_ERRORS_SHOWN):
        cause = _said(error.cause, error.params)
        click.echo(f"第 {error.line} 行 {error.column}：{cause}（{error.value}）", err=True)
    if errors is not None:
        found = presenters.list_errors(staged, limit=staging.MOST_ERRORS * 2)
        with errors.open("wb") as out, force_locale("zh_Hans"):
            rows = ([column.value(error) for column in lists.ERROR_COLUMNS] for error in found)
            exports.write("csv", out, "errors", [column.label for column in lists.ERROR_COLUMNS], rows)
    click.echo(f"{staged.file_name}：{staged.error_count} 处错误，未写入任何一行", err=True)


def _clear(import_id: int, stored_name: str) -> None:
    db.session.rollback()
    imports.remove_file(stored_name)
    staging.forget_rows(import_id)
    with transaction():
        staged = db.session.get_one(StagedImport, import_id, populate_existing=True)
        if staged.status is not ImportStatus.APPLIED:
            staged.status, staged.fence = ImportStatus.CANCELLED, ""
