"""Shortlists as rows and lists: who stands where, in brief, what was left out, what changed.

Everything is read from what the run stored. Not here: one place explained in full (`explanations`), who
may see it (`queries`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from marketplace.kernel import clock
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.matching.engine.weights import PART_NAMES
from marketplace.matching.explanations import (
    PART_LABELS,
    Explanation,
    explain,
    loss_text,
    maxima,
    rounded_parts,
)
from marketplace.matching.models import MatchEntry, MatchRun
from marketplace.matching.prospects import Board
from marketplace.matching.queries import Line
from marketplace.matching.shown import MARKS
from marketplace.taxonomy import queries as taxonomy

__all__ = ["rounded_parts"]

_TERMS_NAMED = 3
_IN_BRIEF = 2

_DESIGNATIONS = {
    "champion": N_("单项冠军"),
    "little_giant": N_("专精特新小巨人"),
    "srdi": N_("专精特新"),
    "chain_master": N_("链主"),
    "leader": N_("领军企业"),
    "high_tech": N_("高新技术企业"),
}
_ORGANISATION_KINDS = {"university": N_("高校"), "institute": N_("科研院所"), "service": N_("服务机构")}
EXCLUDED = {
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
    "matching.preview_settings": N_("预览参数或词典"),
    "matching.taxonomy_changed": N_("分类变更后重新匹配"),
    "notifications.mail": N_("发送邮件"),
    "notifications.digest": N_("发送通知汇总"),
    "exchange.inspect": N_("读取导入文件"),
    "exchange.check": N_("核对导入文件"),
    "exchange.apply": N_("写入导入内容"),
    "exchange.forget": N_("清理导入文件"),
    "search.catch_up": N_("补齐检索索引"),
    "search.count_words": N_("统计标题和关键词用词"),
    "search.write_letters": N_("发送检索提醒"),
}


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
    return _(PART_LABELS[name])


def in_order(parts: Mapping[str, float]) -> dict[str, float]:
    """Parts in the order in which they are shown; a database may have kept another one."""
    return {name: parts[name] for name in PART_NAMES}


def row(
    line: Line,
    *,
    texts: Mapping[int, Mapping[str, Any]] | None = None,
    board: Board | None = None,
    now: datetime | None = None,
    own: bool = False,
) -> Row:
    """One place; with `texts` also its explanation. `own` leaves out what tells of others on the list."""
    entry = line.entry
    indicators = entry.reasons.get("indicators", [])
    met = [one for one in indicators if one["verdict"] == "met"]
    unmet = [one for one in indicators if one["verdict"] != "met"]
    organisation = line.organisation
    explanation = None
    if texts is not None:
        explanation = explain(line, texts, board or Board(()), now=now or clock.now(), own=own)
    return Row(
        place=entry.place,
        score=round(entry.score, 1),
        parts=[
            (part_name(name), points, maxima(entry.reasons)[name])
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
        explanation=explanation,
    )


def _tags(organisation: Any) -> list[str]:
    held = {d.kind.value for d in organisation.designations if d.confirmed_at is not None}
    tags = [_(label) for code, label in _DESIGNATIONS.items() if code in held]
    if organisation.kind.value in _ORGANISATION_KINDS:
        tags.append(_(_ORGANISATION_KINDS[organisation.kind.value]))
    return tags[:_IN_BRIEF]


def _strong(entry: MatchEntry, met: Sequence[Mapping[str, Any]]) -> list[str]:
    strong = [_("%(name)s满足", name=_marked(one)) for one in _by_mark(met)[:_IN_BRIEF]]
    terms = listed(one["term"] for one in entry.reasons.get("terms", [])[:_TERMS_NAMED])
    if terms:
        strong.append(_("共同术语 %(terms)s", terms=terms))
    return strong


def _weak(entry: MatchEntry, unmet: Sequence[Mapping[str, Any]]) -> list[str]:
    said = {
        "unmet": N_("%(name)s不满足"),
        "partial": N_("%(name)s部分满足"),
        "unstated": N_("%(name)s未说明"),
    }
    named = [(said[one["verdict"]], _marked(one)) for one in _by_mark(unmet)[:_IN_BRIEF]]
    weak = [_(text, name=name) for text, name in named]
    if not weak:
        # By its part: the biggest loss that is no indicator's.
        codes = [loss["code"].partition(".")[0] for loss in entry.reasons.get("losses", [])]
        weak = [loss_text(code, entry.reasons) for code in codes if code in PART_LABELS][:1]
    return weak


def _marked(indicator: Mapping[str, Any]) -> str:
    return f"{MARKS[indicator['mark']]}{indicator['name']}"


def _by_mark(indicators: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    order = list(MARKS)
    return sorted(indicators, key=lambda one: order.index(one["mark"]))


def excluded(run: MatchRun) -> list[tuple[str, int]]:
    """Why capabilities are not on the list, the most frequent reason first."""
    counted = sorted(run.excluded.items(), key=lambda one: (-one[1], one[0]))
    return [(_(EXCLUDED[code]), count) for code, count in counted if count]


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
