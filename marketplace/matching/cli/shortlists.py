"""`flask match rank` and `flask match show`: without queue and workers."""

import json
from typing import Any

import click

from marketplace.kernel import clock
from marketplace.kernel.db import transaction
from marketplace.kernel.outbox import defer, is_pending, settle
from marketplace.matching import presenters, queries
from marketplace.matching.cli.group import match_cli, progress_bar, resolve
from marketplace.matching.lookup import Named
from marketplace.matching.models import MatchRun, PostingKind
from marketplace.matching.sources import Subject


def _with_subject(command: Any) -> Any:
    for kind in reversed(PostingKind):
        help_text = "An id, a public number, a source id or part of a title."
        command = click.option(f"--{kind.value}", kind.value, metavar="X", help=help_text)(command)
    return command


@match_cli.command("rank")
@_with_subject
@click.option("--all", "everything", is_flag=True, help="Every open challenge and need.")
def rank(challenge: str | None, need: str | None, capability: str | None, everything: bool) -> None:
    """Rank now, in this process: one challenge or need, one capability's places, or everything."""
    asked = _asked(challenge, need, capability)
    if everything == (asked is not None):
        raise click.UsageError("请指明一项：--challenge X、--need X、--capability X 或 --all")
    if asked is None:
        _rank_all()
    else:
        _rank_one(*asked)


@match_cli.command("show")
@_with_subject
@click.option("--top", type=click.IntRange(1, 50), default=10, show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def show(challenge: str | None, need: str | None, capability: str | None, top: int, form: str) -> None:
    """Show the shortlist of a challenge or need, or where a capability stands."""
    asked = _asked(challenge, need, capability)
    if asked is None:
        raise click.UsageError("请指明一项：--challenge X、--need X 或 --capability X")
    kind, name = asked
    named = resolve(kind, name)
    shown = _places_of(named, top) if kind is PostingKind.CAPABILITY else _shortlist_of(kind, named, top)
    if form == "json":
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    elif kind is PostingKind.CAPABILITY:
        _print_places(shown)
    else:
        _print_shortlist(shown)


def _asked(challenge: str | None, need: str | None, capability: str | None) -> tuple[PostingKind, str] | None:
    given = [
        (kind, name)
        for kind, name in zip(PostingKind, (challenge, need, capability), strict=True)
        if name is not None
    ]
    if len(given) > 1:
        raise click.UsageError("只能指明一项")
    return given[0] if given else None


def _take_over() -> bool:
    """Bring the corpus up to date; whether there is a new epoch, on which other lists do not rest yet."""
    from marketplace.matching import corpus, epochs, runs

    runs.take_over_capabilities()
    if not corpus.epoch_is_due(now=clock.now()):
        return False
    with progress_bar("读取文本") as report:
        epochs.build_epoch(progress=report)
    return True


def _rank_all() -> None:
    from marketplace.matching import jobs
    from marketplace.matching.engine.cluster import ClusterUnavailable

    asked_before = clock.now()
    _take_over()
    with progress_bar("匹配名单") as report:
        try:
            count = jobs.rank_everything(report)
        except ClusterUnavailable as error:
            raise click.ClickException(str(error)) from error
    with transaction():
        settle(jobs.COVERED_BY_RANKING_ALL, asked_before=asked_before)
    click.echo(f"已匹配 {count} 项榜单与需求")


def _rank_one(kind: PostingKind, name: str) -> None:
    from marketplace.matching import runs

    named = resolve(kind, name)
    if _take_over() and not is_pending("matching.rerank_batch", 0):
        with transaction():
            defer("matching.rerank_batch", subject_id=0, bulk=True)
    if kind is PostingKind.CAPABILITY:
        changed = runs.place_capability(named.id)
        click.echo(f"{named.public_no} {named.title}：{changed} 份名单有变动")
        return
    effect = runs.rank_seeker(Subject(kind, named.id), again=True)
    run = queries.find_run(kind, named.id)
    if run is None:
        raise click.ClickException(f"{named.public_no} 未公开或已截止，不参与匹配")
    verb = "已匹配" if effect else "名单未变"
    click.echo(
        f"{named.public_no} {named.title}：{verb}，作业 {run.public_no}，{queries.count_entries(run.id)} 条"
    )


def _shortlist_of(kind: PostingKind, named: Named, top: int) -> dict[str, Any]:
    run = queries.find_run(kind, named.id)
    if run is None:
        raise click.ClickException(f"{named.public_no} 尚未匹配：先运行 flask match rank")
    return {
        "kind": kind.value,
        **_named_data(named),
        "run": _run_data(run),
        "entries": [
            {
                **_line_data(line),
                "reasons": line.entry.reasons,
            }
            for line in queries.list_lines(run.id, size=top)
        ],
    }


def _places_of(named: Named, top: int) -> dict[str, Any]:
    return {
        "kind": PostingKind.CAPABILITY.value,
        **_named_data(named),
        "places": [
            {
                "seeker_kind": run.seeker_kind.value,
                "seeker": seeker.public_no,
                "seeker_source_id": seeker.source_id,
                "title": seeker.title,
                "run": run.public_no,
                "place": entry.place,
                "score": entry.score,
                "parts": presenters.in_order(entry.parts),
            }
            for entry, run, seeker in queries.list_places(named.id, limit=top)
        ],
    }


def _named_data(named: Named) -> dict[str, Any]:
    return {
        "id": named.id,
        "public_no": named.public_no,
        "source_id": named.source_id,
        "title": named.title,
    }


def _run_data(run: MatchRun) -> dict[str, Any]:
    return {
        "public_no": run.public_no,
        "version": run.seeker_version,
        "current": run.superseded_at is None,
        "candidates": run.candidates,
        "eligible": run.eligible,
        "excluded": run.excluded,
        "engine": run.engine_version,
        "finished_at": run.finished_at.isoformat(),
    }


def _line_data(line: queries.Line) -> dict[str, Any]:
    return {
        "place": line.entry.place,
        "score": line.entry.score,
        "parts": presenters.in_order(line.entry.parts),
        "capability": line.capability.public_no,
        "source_id": line.capability.source_id,
        "version": line.entry.capability_version,
        "title": line.capability.title,
        "organisation": line.organisation.name,
    }


def _print_shortlist(shown: dict[str, Any]) -> None:
    run = shown["run"]
    click.echo(f"{shown['public_no']} {shown['source_id'] or ''} {shown['title']}")
    click.echo(f"作业 {run['public_no']}  候选 {run['candidates']}  合格 {run['eligible']}")
    for entry in shown["entries"]:
        number = entry["source_id"] or entry["capability"]
        click.echo(
            f"{entry['place']:>3}  {entry['score']:5.1f}  {number}  {entry['title']}  {entry['organisation']}"
        )
        parts = presenters.rounded_parts(entry["parts"])
        click.echo(
            "            "
            + "  ".join(f"{presenters.part_name(name)} {points:.1f}" for name, points in parts if points)
        )
        terms = "、".join(one["term"] for one in entry["reasons"]["terms"][:6])
        if terms:
            click.echo(f"            术语：{terms}")


def _print_places(shown: dict[str, Any]) -> None:
    click.echo(f"{shown['public_no']} {shown['source_id'] or ''} {shown['title']}")
    if not shown["places"]:
        click.echo("不在任何名单上")
    for place in shown["places"]:
        number = place["seeker_source_id"] or place["seeker"]
        click.echo(f"  第 {place['place']:>2} 名  {place['score']:5.1f}  {number}  {place['title']}")
