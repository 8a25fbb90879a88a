"""`flask match why`: the full explanation of any pair, eligible or not, on the list or not."""

import json
from dataclasses import replace
from typing import Any

import click

from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.matching import absences, explanations, queries, sources
from marketplace.matching.cli.group import match_cli, resolve
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.eligibility import exclusion
from marketplace.matching.engine.weights import MICRO
from marketplace.matching.lookup import Named
from marketplace.matching.models import MatchEntry, PostingKind
from marketplace.matching.prospects import Board
from marketplace.matching.queries import Line
from marketplace.matching.sources import Subject
from marketplace.organisations.models import Organisation


@match_cli.command("why")
@click.option("--challenge", metavar="X", help="An id, a public number, a source id or part of a title.")
@click.option("--need", metavar="X", help="The same for a need.")
@click.option("--capability", metavar="Y", required=True, help="The same for a capability.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def why(challenge: str | None, need: str | None, capability: str, form: str) -> None:
    """Say why a capability stands where it stands for a challenge or need, or why it does not stand there.

    The pair is scored anew on the corpus as it is; nothing is stored.
    """
    if (challenge is None) == (need is None):
        raise click.UsageError("请指明一项：--challenge X 或 --need X")
    kind = PostingKind.CHALLENGE if need is None else PostingKind.NEED
    told = _tell(kind, resolve(kind, challenge or need or ""), resolve(PostingKind.CAPABILITY, capability))
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if form == "json" else "\n".join(_said(told)))


def _tell(kind: PostingKind, seeker_named: Named, capability_named: Named) -> dict[str, Any]:
    from marketplace.matching import epochs
    from marketplace.matching.engine.reasons import explain, stored

    now = clock.now()
    seeker = _document(Subject(kind, seeker_named.id))
    document = _document(Subject(PostingKind.CAPABILITY, capability_named.id))
    row = db.session.get_one(Capability, capability_named.id)
    organisation = db.session.get_one(Organisation, row.organisation_id)
    _state, ranker = epochs.open_corpus()
    alone = ranker.alone(document)
    match = alone.score(seeker, document)
    reasons = stored(match, explain(match, alone.index_))

    run = queries.find_run(kind, seeker.id)
    others = [one for one in queries.list_scores(run.id) if one[2] != document.id] if run else []
    place = queries.list_places_by_capability(run.id, [document.id]).get(document.id) if run else None
    reason = exclusion(seeker, document, now=now)
    ahead = sum((-score, id) < (-match.score, document.id) for _place, score, id in others)
    entry = MatchEntry(
        place=place or ahead + 1,
        capability_id=document.id,
        capability_version=document.version,
        organisation_id=document.organisation_id,
        score=match.score / MICRO,
        parts={part.name: part.points / MICRO for part in match.parts},
        reasons=reasons,
    )
    texts = {0: seeker.to_dict(), document.id: document.to_dict()}
    words = explanations.explain(Line(entry, row, organisation), texts, Board(others), now=now)
    missing: list[str] = next(
        (one["facts"]["missing"] for one in reasons["losses"] if one["code"] == "text"), []
    )
    return {
        "seeker": {"public_no": seeker_named.public_no, "title": seeker_named.title},
        "capability": {"public_no": row.public_no, "title": row.title, "organisation": organisation.name},
        "eligible": reason is None,
        "excluded": reason.value if reason else None,
        "excluded_text": absences.reason_text(reason, seeker, document, organisation, now=now)
        if reason
        else "",
        "related": match.agreement >= ranker.weights.least_agreement,
        "run": run.public_no if run else None,
        "place": place,
        "behind": ahead,
        "score": match.score / MICRO,
        "parts": entry.parts,
        "steps": [[step.name, step.points, step.maximum, step.text] for step in words.steps],
        "losses": [[loss.text, loss.points] for loss in words.losses],
        "changes": [[change.text, change.points] for change in words.changes],
        "goals": [
            [goal.place, goal.gap, [[change.text, change.points] for change in goal.changes]]
            for goal in words.goals
        ],
        "missing_words": _words_gain(ranker, seeker, document, match.score, missing),
        "reasons": reasons,
    }


def _document(subject: Subject) -> Matchable:
    document = sources.read_one(subject, now=clock.now())
    if document is None:
        raise click.ClickException(f"{subject.kind.value} {subject.id} 从未公开，不参与匹配")
    return document


def _words_gain(
    ranker: Any, seeker: Matchable, document: Matchable, score: int, words: list[str]
) -> dict[str, Any]:
    """What writing the missing words among the keywords would add, by scoring the changed text."""
    written = replace(document, keywords=(*document.keywords, *words))
    return {"words": words, "gain": (ranker.score(seeker, written).score - score) / MICRO if words else 0.0}


def _said(told: dict[str, Any]) -> list[str]:
    seeker, capability = told["seeker"], told["capability"]
    lines = [
        f"{seeker['public_no']} {seeker['title']}",
        f"{capability['public_no']} {capability['title']}（{capability['organisation']}）",
        _standing(told),
        f"得分 {told['score']:.1f} / 100",
    ]
    lines += [f"  {points:4.1f} / {most:<3} {name}：{text}" for name, points, most, text in told["steps"]]
    terms = [f"{one['term']} {one['points']:.2f}" for one in told["reasons"]["terms"]]
    lines.append(f"共同词语：{'、'.join(terms) or '没有'}；其他 {told['reasons']['other_terms']:.2f}")
    for one in told["reasons"]["indicators"]:
        verdict = {"met": "满足", "unmet": "不满足", "partial": "部分满足"}.get(one["verdict"], "未说明")
        evidence = "".join(f"  {text}" for text in (one["quote"], one["conversion"]) if text)
        earned = f"{one['points']:.2f} / {one['maximum']:.2f}"
        lines.append(f"  {earned} {one['name']} {one['requirement']} {verdict}{evidence}")
    lines.append("为什么不是更高：")
    lines += [f"  −{points:.1f} {text}" for text, points in told["losses"]]
    lines.append("可以怎么补：")
    lines += [f"  +{points:.1f} {text}" for text, points in told["changes"]] or ["  没有缺少的事实"]
    if told["missing_words"]["words"]:
        words = "、".join(told["missing_words"]["words"])
        lines.append(f"  {told['missing_words']['gain']:+.1f} 在关键词中写出（如确有）{words}")
    for place, gap, changes in told["goals"]:
        how = "；".join(f"{text} +{points:.1f}" for text, points in changes) or "以上都做到也不够"
        lines.append(f"到第 {place} 名还差 {gap:.1f} 分：{how}")
    return lines


def _standing(told: dict[str, Any]) -> str:
    if told["place"] is not None:
        return f"名单 {told['run']}：第 {told['place']} 名"
    if not told["eligible"]:
        return f"不参与排名：{told['excluded_text']}"
    if told["run"] is None:
        return "还没有名单：先运行 flask match rank"
    if not told["related"]:
        return "不在名单上：文字与需求相符太少，未达到列入名单的门槛"
    if told["behind"] >= queries.PLACES:
        return f"不在名单上：得分低于第 {queries.PLACES} 名"
    return "不在名单上：发布或修订之后还没有匹配"
