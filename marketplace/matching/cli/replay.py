"""`flask match replay` and `flask match diff`: was it so, and why is it another one now."""

import json
from typing import Any

import click

from marketplace.kernel.errors import NotFound, Obstructed
from marketplace.matching import queries
from marketplace.matching.cli.group import match_cli
from marketplace.matching.models import MatchRun

#: What the process ends with, by the verdict.
EXIT_CODES = {"identical": 0, "different": 1, "input_gone": 2}
_GONE = {
    "engine": "引擎版本",
    "language": "语言处理版本",
    "weights": "参数",
    "dictionary": "词典",
    "epoch": "语料统计",
    "seeker": "需求方文本",
    "capability": "能力文本",
}
_DIFFERENCES = {
    "missing": "重算后不在名单",
    "extra": "重算后多出",
    "place": "名次不同",
    "version": "版本不同",
    "part": "分项不同",
    "reason": "理由不同",
}
_SHOWN = 20


def _get_run(number: str) -> MatchRun:
    try:
        return queries.get_run(number.strip().upper())
    except NotFound:
        raise click.ClickException(f"没有这次匹配作业：{number}") from None


def _format_option(command: Any) -> Any:
    choice = click.Choice(["text", "json"])
    return click.option("--format", "form", type=choice, default="text", show_default=True)(command)


@match_cli.command("replay")
@click.argument("run_no", metavar="RUN")
@_format_option
def replay(run_no: str, form: str) -> None:
    """Compute a run again from its stored input and compare: same bytes, or what of the input is gone.

    Ends with 0 if they are identical, 1 if they differ, 2 if something of the input is gone.
    """
    from marketplace.matching.replay import replay as compute

    found = compute(_get_run(run_no)).to_dict()
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found)
    raise SystemExit(EXIT_CODES[found["verdict"]])


@match_cli.command("diff")
@click.argument("before_no", metavar="A")
@click.argument("after_no", metavar="B")
@_format_option
def diff(before_no: str, after_no: str, form: str) -> None:
    """Explain each entry that came, left or moved from run A to run B of one challenge or need."""
    from marketplace.matching import diff_presenters
    from marketplace.matching.diff import diff as compare

    before, after = _get_run(before_no), _get_run(after_no)
    try:
        found = compare(before, after)
    except Obstructed as error:
        raise click.ClickException("；".join(one.message % one.params for one in error.obstacles)) from None
    if form == "json":
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
        return
    capabilities = queries.read_capabilities(queries.ids_of(found))
    click.echo(f"{found.before} → {found.after}")
    for told in diff_presenters.causes_in_words(found.causes, capabilities):
        click.echo(f"  {told}")
    for line in diff_presenters.lines_in_words(found, capabilities):
        places = f"{_place(line.line.place_before)} → {_place(line.line.place_after)}"
        click.echo(f"{places:>9}  {line.how}  {line.title}")
        for told in line.causes:
            click.echo(f"             {told}")
        changed = "，".join(f"{name} {then:.2f} → {now:.2f}" for name, then, now in line.parts)
        if changed:
            click.echo(f"             分项：{changed}")
        words = "，".join(f"{term} {then:.2f} → {now:.2f}" for term, then, now in line.line.terms)
        if words:
            click.echo(f"             术语：{words}")
    click.echo(f"名次未变 {found.unmoved} 项，其中得分有变 {found.rescored} 项")


def _place(place: int | None) -> str:
    return "-" if place is None else str(place)


def _print(found: dict[str, Any]) -> None:
    said = {
        "identical": "逐字节一致",
        "different": "不一致",
        "input_gone": "输入不全，无法重算出原结果",
    }
    click.echo(f"{found['run']}：{said[found['verdict']]}（{found['entries']} 条）")
    click.echo(f"  存档 {found['stored_sha256']}")
    click.echo(f"  重算 {found['computed_sha256'] or '-'}")
    for one in found["gone"]:
        facts = "，".join(f"{name}={value}" for name, value in one.items() if name != "what")
        click.echo(f"  缺失或已变：{_GONE[one['what']]}（{facts}）")
    for one in found["differences"][:_SHOWN]:
        name = f" {one['name']}" if one["name"] else ""
        click.echo(
            f"  第 {one['place']} 名 能力 {one['capability_id']}：{_DIFFERENCES[one['what']]}{name}"
            f"　{_short(one['before'])} → {_short(one['after'])}"
        )
    if len(found["differences"]) > _SHOWN:
        click.echo(f"  …… 共 {len(found['differences'])} 处（--format json 列出全部）")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}……"
