"""`flask match assemble`: a consortium for a challenge, with what each member brings."""

import json
from typing import TYPE_CHECKING, Any

import click

from marketplace.matching.cli.group import match_cli, resolve
from marketplace.matching.models import PostingKind

if TYPE_CHECKING:
    from marketplace.matching.consortium import Pool

_SECONDS = 60.0
_MOST_CANDIDATES = 500
_SIGNS = {"met": "●", "partial": "◐", "text": "○", "none": "✕"}
_MARKS = {"must": "★", "key": "▲", "plain": "·", "": " "}


@match_cli.command("assemble")
@click.option(
    "--challenge", required=True, metavar="X", help="An id, a number, a source id or part of a title."
)
@click.option(
    "--partners", type=click.IntRange(0, 9), help="Members beside the lead; at most the challenge's."
)
@click.option("--pin", "pinned", multiple=True, metavar="ORG", help="Must be in: an id or part of a name.")
@click.option("--exclude", "excluded", multiple=True, metavar="ORG", help="May not be in.")
@click.option(
    "--require", "required", multiple=True, metavar="KIND", help="At least one member of this kind."
)
@click.option(
    "--candidates",
    type=click.IntRange(1, _MOST_CANDIDATES),
    help="Rank now and choose from so many places, instead of the stored shortlist's fifty.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def assemble(
    challenge: str,
    partners: int | None,
    pinned: tuple[str, ...],
    excluded: tuple[str, ...],
    required: tuple[str, ...],
    candidates: int | None,
    form: str,
) -> None:
    """Propose a consortium: advice, not an invitation. Nothing is stored."""
    from marketplace.challenges.models import Challenge
    from marketplace.kernel.db import db
    from marketplace.matching import assembly_presenters, consortium, queries
    from marketplace.matching.engine.ranking import SHORTLIST_SIZE

    named = resolve(PostingKind.CHALLENGE, challenge)
    posted = db.session.get_one(Challenge, named.id)
    run = queries.find_run(PostingKind.CHALLENGE, named.id) if candidates is None else None
    pool = consortium.read_pool(run) if run else consortium.rank_pool(posted, candidates or SHORTLIST_SIZE)
    wishes = consortium.Wishes(
        partners,
        tuple(_find(pool, name) for name in pinned),
        tuple(_find(pool, name) for name in excluded),
        required,
    )
    if wrong := consortium.obstacles(posted, wishes):
        raise click.UsageError("；".join(one.message % one.params for one in wrong))
    found = consortium.propose(posted, pool, wishes, seconds=_SECONDS)
    data = {
        "challenge": {
            "id": named.id,
            "public_no": named.public_no,
            "source_id": named.source_id,
            "title": named.title,
        },
        **assembly_presenters.data_of(found),
    }
    if form == "json":
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        _print(data)


def _find(pool: "Pool", name: str) -> int:
    """The one organisation on the list that is meant; ends with an error where there is none or several."""
    by_id = {str(id): id for id in pool.organisations}
    if name in by_id:
        return by_id[name]
    names = {id: organisation.name for id, organisation in pool.organisations.items()}
    found = [id for id, full in names.items() if full == name] or [
        id for id, full in names.items() if name and name in full
    ]
    if not found:
        raise click.ClickException(f"名单上没有这个单位：{name}")
    if len(found) > 1:
        listed = "、".join(f"{id} {names[id]}" for id in sorted(found)[:10])
        raise click.ClickException(f"“{name}”不止一个单位，请用编号指明：{listed}")
    return found[0]


def _print(data: dict[str, Any]) -> None:
    challenge, asked = data["challenge"], {one["key"]: one for one in data["asked"]}
    click.echo(f"{challenge['public_no']}  {challenge['title']}")
    source = f"作业 {data['run']}" if data["run"] else "现算名单"
    click.echo(
        f"{source}：{data['candidates']} 家单位的 {data['capabilities']} 项能力；"
        f"牵头单位之外最多 {data['rules']['partners']} 家成员"
    )
    click.echo(data["said"])
    for one in data["clash"]:
        click.echo(f"  相冲突：{one['text']}{'（放宽此条即可）' if one['enough'] else ''}")
    for number, proposal in enumerate(data["proposals"]):
        click.echo("")
        click.echo("建议组合" if number == 0 else f"备选 {number}")
        _print_proposal(proposal, asked, whole=number == 0)
    if data["binding"]:
        click.echo("")
        for one in data["binding"]:
            click.echo(f"起约束作用：{one['text']}")
    if data["proposals"]:
        click.echo("")
        click.echo("● 满足  ◐ 部分满足  ○ 文本提及，未证实  ✕ 写明但不满足。建议仅供参考，不是邀请。")


def _print_proposal(proposal: dict[str, Any], asked: dict[str, Any], *, whole: bool) -> None:
    for number, member in enumerate(proposal["members"], start=1):
        role = "牵头" if member["leads"] else "成员"
        only = "、".join(member["only_said"] + member["keeps_said"]) or "无独有的覆盖"
        click.echo(
            f"  {number} {role} {member['id']} {member['name']}（{member['kind']}，第 {member['place']} 名）"
        )
        if whole:
            click.echo(f"      只有它带来：{only}")
    if whole:
        for row in proposal["rows"]:
            one = asked[row["key"]]
            signs = " ".join(_SIGNS[cell["grade"]] if cell else "－" for cell in row["cells"])
            click.echo(f"    {signs}  {_MARKS[one['mark']]} {one['name']} {one['requirement']}".rstrip())
    for label, keys in (
        ("未覆盖", proposal["uncovered"]),
        ("仅文本提及", proposal["mentioned"]),
        ("部分满足", proposal["partly"]),
    ):
        if keys:
            names = "、".join(f"{_MARKS[asked[key]['mark']].strip(' ·')}{asked[key]['name']}" for key in keys)
            click.echo(f"  {label}：{names}")
