"""Why a place changed, in sentences: for the page and for the command alike.

Not here: what changed (`diff`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from marketplace.capabilities.models import Capability
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.matching.diff import Cause, Diff, How, Line
from marketplace.matching.explanations import PART_LABELS
from marketplace.matching.presenters import EXCLUDED
from marketplace.matching.setting_presenters import LIMITS, MARKS, TEXT_NUMBERS

_CAUSES = {
    "published": N_("新公开的能力"),
    "withdrawn": N_("能力已撤回、下架或不再列入语料"),
    "eligible": N_("之前不合格：%(reason)s；现在合格"),
    "excluded": N_("现在不合格：%(reason)s"),
    "text": N_("能力文本由版本 %(before)s 改为版本 %(after)s，改动：%(fields)s"),
    "seeker": N_("榜单（需求）由版本 %(before)s 改为版本 %(after)s，改动：%(fields)s"),
    "epoch": N_("语料统计更新：%(before)s 条能力变为 %(after)s 条，术语的稀有程度随之变化"),
    "weights": N_("参数由 %(before)s 改为 %(after)s：%(numbers)s"),
    "dictionary": N_("词典由 %(before)s 改为 %(after)s"),
    "engine": N_("程序由 %(before)s 改为 %(after)s"),
    "overtaken": N_("%(count)s 项能力排到了前面：%(names)s"),
    "freed": N_("原在前面的 %(count)s 项让出了名次：%(names)s"),
    "threshold": N_("与榜单（需求）的文本相符度已不足"),
}
_SHARED = {
    "seeker": N_("榜单（需求）文本"),
    "epoch": N_("语料统计"),
    "weights": N_("参数"),
    "dictionary": N_("词典"),
    "engine": N_("程序"),
}
_FIELDS = {
    "title": N_("标题"),
    "summary": N_("简介"),
    "specification": N_("规格要求"),
    "background": N_("背景"),
    "problem": N_("技术难题"),
    "existing_basis": N_("现有基础"),
    "effect_goals": N_("预期效果"),
    "keywords": N_("关键词"),
    "clusters": N_("产业集群"),
    "region": N_("地区"),
    "industry": N_("行业"),
    "trl": N_("技术成熟度"),
    "trl_target": N_("目标成熟度"),
    "indicators": N_("指标与参数"),
    "cooperation": N_("合作方式"),
    "organisation_kind": N_("单位类型"),
    "organisation_size": N_("单位规模"),
    "designations": N_("资质称号"),
    "standing": N_("核验情况"),
    "active": N_("公开状态"),
    "valid_until": N_("有效期"),
    "conditions": N_("参与条件"),
    "certificates": N_("证书"),
}
_HOWS = {How.CAME: N_("新列入"), How.LEFT: N_("移出"), How.MOVED: N_("名次变动")}


@dataclass(frozen=True, slots=True)
class LineInWords:
    """One capability that came, left or moved."""

    line: Line
    title: str
    capability: Any
    how: str
    causes: list[str]
    parts: list[tuple[str, float, float]]


def lines_in_words(found: Diff, capabilities: Mapping[int, Capability]) -> list[LineInWords]:
    """Every line with its sentences, in the order of the new places."""
    return [
        LineInWords(
            line,
            _title(line.capability_id, capabilities),
            capabilities.get(line.capability_id),
            str(gettext(_HOWS[line.how])),
            [
                *_shared_in_short(line.causes, found.causes),
                *causes_in_words([c for c in line.causes if c not in found.causes], capabilities),
            ],
            [(str(gettext(PART_LABELS[name])), *points) for name, points in line.parts.items()],
        )
        for line in found.lines
    ]


def _shared_in_short(causes: Sequence[Cause], shared: Sequence[Cause]) -> list[str]:
    """What changed for everybody is told in full once, and named at each line that it concerns."""
    names = [str(gettext(_SHARED[cause.code])) for cause in shared if cause in causes]
    return [str(gettext("随%(names)s的变化重新计分", names=listed(names)))] if names else []


def causes_in_words(causes: Iterable[Cause], capabilities: Mapping[int, Capability]) -> list[str]:
    """One sentence for each cause."""
    return [str(gettext(_CAUSES[cause.code], **_facts(cause, capabilities))) for cause in causes]


def _facts(cause: Cause, capabilities: Mapping[int, Capability]) -> dict[str, Any]:
    facts = dict(cause.facts)
    if "reason" in facts:
        facts["reason"] = gettext(EXCLUDED[facts["reason"]])
    if "fields" in facts:
        facts["fields"] = listed(str(gettext(_FIELDS.get(name, name))) for name in facts["fields"])
    if "documents" in facts:
        facts |= facts["documents"]
    if "numbers" in facts:
        told = (f"{_number(name)} {then} → {now}" for name, (then, now) in facts["numbers"].items())
        facts["numbers"] = gettext("，").join(told)
    if "capabilities" in facts:
        names = listed(f"“{_title(id, capabilities)}”" for id in facts["capabilities"])
        facts["names"] = names + ("……" if facts["count"] > len(facts["capabilities"]) else "")
    return facts


def _number(path: str) -> str:
    """The name of a number of the weights, from its path such as parts.text."""
    group, _dot, name = path.partition(".")
    labels: dict[str, Any] = {"parts": PART_LABELS, "marks": MARKS}
    if group in labels:
        return str(gettext(labels[group].get(name, name)))
    known = TEXT_NUMBERS.get(name) or LIMITS.get(group)
    return str(gettext(known[0])) if known else path


def _title(id: int, capabilities: Mapping[int, Capability]) -> str:
    known = capabilities.get(id)
    return known.title if known is not None else str(gettext("能力 %(id)s", id=id))
