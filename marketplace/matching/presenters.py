"""Shortlists in words: points that add up as shown, texts with marks, losses and advice in sentences.

Everything is read from what the run stored; nothing is computed anew. Not here: who may see it (`queries`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from marketplace.kernel.texts import N_
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.excerpts import excerpt
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, PART_NAMES
from marketplace.matching.models import MatchEntry, MatchRun
from marketplace.matching.queries import Line
from marketplace.taxonomy import queries as taxonomy

_LOSSES_SHOWN = 7
_TERMS_MARKED = 8
_TERMS_NAMED = 3
_IN_BRIEF = 2

_PART_NAMES = {
    "text": N_("文本术语"),
    "title": N_("标题与型号"),
    "indicators": N_("指标满足"),
    "taxonomy": N_("产业集群"),
    "trl": N_("技术成熟度"),
    "region": N_("地区"),
    "cooperation": N_("合作方式"),
    "designations": N_("资质称号"),
}
_DESIGNATIONS = {
    "champion": N_("单项冠军"),
    "little_giant": N_("专精特新小巨人"),
    "srdi": N_("专精特新"),
    "chain_master": N_("链主"),
    "leader": N_("领军企业"),
    "high_tech": N_("高新技术企业"),
}
_ORGANISATION_KINDS = {"university": N_("高校"), "institute": N_("科研院所"), "service": N_("服务机构")}
_EXCLUDED = {
    "own": N_("本单位的能力"),
    "inactive": N_("已下架或单位停用"),
    "expired": N_("已过有效期"),
    "unverified": N_("单位未核验"),
    "kind": N_("单位类型不符"),
    "size": N_("非中小企业"),
    "designation": N_("无所需资质"),
    "region": N_("不在限定地区"),
    "unrelated": N_("文本相符未达门槛"),
}
CAUSES = {
    "placed": N_("能力新发布或修订"),
    "withdrawn": N_("能力撤回或下架"),
    "reranked": N_("重新匹配"),
}
WORK = {
    "matching.rank_seeker": N_("匹配榜单或需求"),
    "matching.place_capability": N_("能力入列"),
    "matching.remove": N_("移出名单"),
    "matching.organisation_changed": N_("单位情况变更后重新匹配"),
    "matching.build_epoch": N_("重建语料统计"),
    "matching.rank_import": N_("匹配导入条目"),
    "matching.rerank_batch": N_("全部重新匹配"),
    "notifications.mail": N_("发送邮件"),
}
_MARKS = {"must": "★ ", "key": "▲ ", "plain": ""}
_SAME_REGION = {"district": N_("同区县"), "city": N_("同市"), "province": N_("同省")}


@dataclass(frozen=True, slots=True)
class Loss:
    """Points that were not earned, and why."""

    text: str
    points: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind one place."""

    seeker_pieces: list[tuple[str, int | None]]
    capability_pieces: list[tuple[str, int | None]]
    terms: list[tuple[str, float]]
    other_terms: float
    indicators: list[dict[str, Any]]
    indicator_points: float
    losses: list[Loss]
    other_losses: float
    lost: float
    score: float
    advice: list[str]
    support: float


@dataclass(frozen=True, slots=True)
class Row:
    """One place as it is listed."""

    place: int
    score: float
    parts: list[tuple[str, float, int]]
    capability: Any
    organisation: Any
    region: str
    trl: int | None
    tags: list[str]
    met: int
    asked: int
    strong: list[str]
    weak: list[str]
    outdated: bool
    explanation: Explanation | None = None


def _(message: str, **values: Any) -> str:
    return str(gettext(message, **values))


def part_name(name: str) -> str:
    return _(_PART_NAMES[name])


def in_order(parts: Mapping[str, float]) -> dict[str, float]:
    """Parts in the order in which they are shown; a database may have kept another one."""
    return {name: parts[name] for name in PART_NAMES}


def rounded_parts(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    """Parts in tenths that add up to the score in tenths, by largest remainder."""
    names = list(PART_NAMES)
    values = [parts[name] for name in names]
    return list(zip(names, in_tenths(values, round(sum(values), 1)), strict=True))


def in_tenths(values: Sequence[float], total: float) -> list[float]:
    """`values` to one decimal so that they add up to `total` as shown; none moves by a tenth or more."""
    tenths = [int(value * 10 + 1e-9) for value in values]
    missing = round(total * 10) - sum(tenths)
    by_remainder = sorted(range(len(values)), key=lambda i: (tenths[i] - values[i] * 10, i))
    for i in by_remainder[: max(0, missing)]:
        tenths[i] += 1
    return [tenth / 10 for tenth in tenths]


def row(line: Line, *, texts: Mapping[int, Mapping[str, Any]] | None = None, own: bool = False) -> Row:
    """One place; with `texts` also its explanation. `own` leaves out what tells of others on the list."""
    entry = line.entry
    indicators = entry.reasons.get("indicators", [])
    met = [one for one in indicators if one["verdict"] == "met"]
    unmet = [one for one in indicators if one["verdict"] != "met"]
    organisation = line.organisation
    return Row(
        place=entry.place,
        score=round(entry.score, 1),
        parts=[
            (part_name(name), points, DEFAULT_WEIGHTS.parts[name])
            for name, points in rounded_parts(entry.parts)
        ],
        capability=line.capability,
        organisation=organisation,
        region=taxonomy.region_name(line.capability.region or organisation.region),
        trl=line.capability.trl,
        tags=_tags(organisation),
        met=len(met),
        asked=len(indicators),
        strong=_strong(entry, met),
        weak=_weak(entry, unmet),
        outdated=line.capability.version != entry.capability_version,
        explanation=explanation(entry, texts, own=own) if texts is not None else None,
    )


def _tags(organisation: Any) -> list[str]:
    held = {d.kind.value for d in organisation.designations if d.confirmed_at is not None}
    tags = [_(label) for code, label in _DESIGNATIONS.items() if code in held]
    if organisation.kind.value in _ORGANISATION_KINDS:
        tags.append(_(_ORGANISATION_KINDS[organisation.kind.value]))
    return tags[:_IN_BRIEF]


def _strong(entry: MatchEntry, met: Sequence[Mapping[str, Any]]) -> list[str]:
    strong = [f"{_MARKS[one['mark']]}{one['name']}{_('满足')}" for one in _by_mark(met)[:_IN_BRIEF]]
    terms = "、".join(one["term"] for one in entry.reasons.get("terms", [])[:_TERMS_NAMED])
    if terms:
        strong.append(_("共同术语 %(terms)s", terms=terms))
    return strong


def _weak(entry: MatchEntry, unmet: Sequence[Mapping[str, Any]]) -> list[str]:
    said = {"unmet": N_("不满足"), "partial": N_("部分满足"), "unstated": N_("未说明")}
    weak = [
        f"{_MARKS[one['mark']]}{one['name']}{_(said[one['verdict']])}" for one in _by_mark(unmet)[:_IN_BRIEF]
    ]
    if not weak:
        weak = [_loss_text(loss) for loss in entry.reasons.get("losses", [])[:1]]
    return weak


def _by_mark(indicators: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    order = list(_MARKS)
    return sorted(indicators, key=lambda one: order.index(one["mark"]))


def explanation(
    entry: MatchEntry, texts: Mapping[int, Mapping[str, Any]], *, own: bool = False
) -> Explanation:
    """The whole explanation of a place from what was stored with it."""
    reasons = entry.reasons
    terms = [(one["term"], one["points"]) for one in reasons["terms"]]
    marked = [term for term, _points in terms[:_TERMS_MARKED]]
    score = round(entry.score, 1)
    losses = [Loss(_loss_text(loss), loss["points"]) for loss in reasons["losses"]]
    lost = round(100 - score, 1)
    shown = in_tenths([loss.points for loss in losses], lost)
    rounded = [Loss(loss.text, points) for loss, points in zip(losses, shown, strict=True)]
    indicator_points = dict(rounded_parts(entry.parts))["indicators"]
    earned = in_tenths([one["points"] for one in reasons["indicators"]], indicator_points)
    indicators = [
        {**one, "points": points} for one, points in zip(reasons["indicators"], earned, strict=True)
    ]
    return Explanation(
        seeker_pieces=_pieces(texts.get(0), marked),
        capability_pieces=_pieces(texts.get(entry.capability_id), marked),
        terms=[(term, round(points, 1)) for term, points in terms[:_TERMS_NAMED]],
        other_terms=sum(points for _term, points in terms[_TERMS_NAMED:]) + reasons["other_terms"],
        indicators=indicators,
        indicator_points=indicator_points,
        losses=rounded[:_LOSSES_SHOWN],
        other_losses=round(sum(loss.points for loss in rounded[_LOSSES_SHOWN:]), 1),
        lost=lost,
        score=score,
        advice=_advice(reasons["advice"], own=own),
        support=reasons["support"],
    )


def _pieces(content: Mapping[str, Any] | None, terms: Sequence[str]) -> list[tuple[str, int | None]]:
    if not content:
        return []
    body = Matchable.from_dict(content).body()
    return [(piece.text, piece.number or None) for piece in excerpt(body, terms)]


def _loss_text(loss: Mapping[str, Any]) -> str:
    code, facts = loss["code"], loss["facts"]
    part, _dot, how = code.partition(".")
    if part == "indicator":
        text = _indicator_loss(how, facts)
    elif part == "text":
        missing = "".join(f"“{term}”" for term in facts.get("missing", [])[:_TERMS_NAMED])
        text = _("%(missing)s等术语未写到", missing=missing) if missing else _("文本只有部分相符")
    elif how == "not_asked":
        text = _(_NOT_ASKED[part])
    elif how == "unstated":
        text = _(_UNSTATED[part])
    else:
        text = _short(part, facts)
    if facts.get("support", 1) < 1:
        text += _("（文本相符不足，其他分项按 %(share)s%% 计）", share=round(facts["support"] * 100))
    return text


def _indicator_loss(how: str, facts: Mapping[str, Any]) -> str:
    mark, name = _MARKS[facts["mark"]], facts["name"]
    if how == "unstated":
        return _("%(mark)s未说明%(name)s，无法判定", mark=mark, name=name)
    said = _("（对方为 %(offered)s）", offered=facts["offered"]) if facts.get("offered") else ""
    if how == "unmet":
        return _(
            "%(mark)s%(name)s不满足 %(asked)s%(said)s",
            mark=mark,
            name=name,
            asked=facts["requirement"],
            said=said,
        )
    if how == "partial":
        return _(
            "%(mark)s%(name)s只部分满足 %(asked)s%(said)s",
            mark=mark,
            name=name,
            asked=facts["requirement"],
            said=said,
        )
    return _("%(mark)s%(name)s满足，但文本相符不足，未计全分", mark=mark, name=name)


_NOT_ASKED = {
    "title": N_("需求方没有标题"),
    "indicators": N_("需求方没有列出指标"),
    "taxonomy": N_("需求方未注明产业集群和行业"),
    "trl": N_("需求方未注明目标成熟度"),
    "region": N_("需求方未注明地区"),
    "cooperation": N_("需求方未注明合作方式"),
    "designations": N_("没有经核验的资质称号"),
}
_UNSTATED = {
    "title": N_("能力没有标题"),
    "indicators": N_("没有可比对的参数"),
    "taxonomy": N_("未注明产业集群和行业"),
    "trl": N_("未注明技术成熟度"),
    "region": N_("未注明地区"),
    "cooperation": N_("未注明合作方式"),
    "designations": N_("没有经核验的资质称号"),
}


def _short(part: str, facts: Mapping[str, Any]) -> str:
    if part == "trl" and "reached" in facts and facts["reached"] < facts["asked"]:
        return _(
            "技术成熟度 TRL %(reached)s，目标 TRL %(asked)s", **{k: facts[k] for k in ("reached", "asked")}
        )
    if part == "region":
        return _(_SAME_REGION[facts["same"]]) if "same" in facts else _("不在同一省市")
    texts = {
        "title": N_("标题与型号不尽相同"),
        "taxonomy": N_("不在同一产业集群"),
        "trl": N_("技术成熟度"),
        "cooperation": N_("合作方式没有交集"),
        "designations": N_("资质称号未到最高一级"),
        "indicators": N_("指标"),
    }
    return _(texts[part])


def _advice(advice: Sequence[Mapping[str, Any]], *, own: bool) -> list[str]:
    said = []
    for one in advice:
        mark, name = _MARKS[one["facts"]["mark"]], one["facts"]["name"]
        if one["code"] == "ask" and own:
            said.append(_("在能力中写明%(mark)s%(name)s及数值、单位", mark=mark, name=name))
        elif one["code"] == "ask":
            said.append(_("向该单位询问%(mark)s%(name)s", mark=mark, name=name))
        elif one["code"] == "complement" and not own:
            said.append(
                _("“%(title)s”满足%(mark)s%(name)s，可补", title=one["facts"]["title"], mark=mark, name=name)
            )
    return said[:_LOSSES_SHOWN]


def excluded(run: MatchRun) -> list[tuple[str, int]]:
    """Why capabilities are not on the list, the most frequent reason first."""
    counted = sorted(run.excluded.items(), key=lambda one: (-one[1], one[0]))
    return [(_(_EXCLUDED[code]), count) for code, count in counted if count]


def summary(lines: Sequence[Line]) -> dict[str, Any]:
    """What the list covers: the best single one, all together, and what nobody states."""
    asked: dict[str, str] = {}
    met: set[str] = set()
    stated: set[str] = set()
    best = (0, 0)
    for line in lines:
        indicators = line.entry.reasons["indicators"]
        own = [one["name"] for one in indicators if one["verdict"] == "met"]
        musts = sum(one["mark"] == "must" for one in indicators if one["verdict"] == "met")
        best = max(best, (len(own), musts))
        met.update(own)
        asked.update({one["name"]: one["mark"] for one in indicators})
        stated.update(one["name"] for one in indicators if one["verdict"] != "unstated")
    musts_asked = [name for name, mark in asked.items() if mark == "must"]
    return {
        "asked": len(asked),
        "musts": len(musts_asked),
        "best": best,
        "together": (len(met), len([name for name in musts_asked if name in met])),
        "unstated": [name for name in asked if name not in stated],
    }
