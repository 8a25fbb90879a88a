"""One place on a shortlist in words: where its points come from and what was lost.

Everything is read from what the run stored; no score is computed here. What is shown adds up as it is
shown. Not here: what would bring a place further (`prospects`), rows and lists (`presenters`), who may see
them (`queries`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from marketplace.kernel.dates import business_date
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.excerpts import excerpt
from marketplace.matching.engine.rounding import in_units
from marketplace.matching.engine.weights import DEFAULT_WEIGHTS, MICRO, PART_NAMES
from marketplace.matching.prospects import (
    Board,
    Change,
    Goal,
    band_of,
    list_changes,
    list_complements,
    list_goals,
    list_warnings,
)
from marketplace.matching.queries import Line
from marketplace.matching.shown import MARKS, TENTH, counts, known_name, millionths, tenths_of, title_name
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

_LOSSES_SHOWN = 6
_TERMS_MARKED = 12
_TERMS_NAMED = 3
_MISSING_NAMED = 5

PART_LABELS = {
    "text": N_("文本术语"),
    "title": N_("标题与型号"),
    "indicators": N_("指标满足"),
    "taxonomy": N_("产业集群"),
    "trl": N_("技术成熟度"),
    "region": N_("地区"),
    "cooperation": N_("合作方式"),
    "designations": N_("资质称号"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One part of the score: what it rests on, its points and what it could give."""

    name: str
    text: str
    points: float
    maximum: int


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
    text_points: float
    steps: list[Step]
    indicators: list[dict[str, Any]]
    indicator_points: float
    losses: list[Loss]
    other_losses: float
    lost: float
    score: float
    changes: list[Change]
    goals: list[Goal]
    band: int  # a supplier's: all changes together lead among the first so many; 0 for no further up
    complements: list[str]
    warnings: list[str]
    support: int  # percent


def _(message: str, **values: Any) -> str:
    return str(gettext(message, **values))


def rounded_parts(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    """Parts in tenths that add up to the score in tenths, by largest remainder."""
    values = [millionths(parts[name]) for name in PART_NAMES]
    pieces = in_units(values, TENTH, tenths_of(sum(values) / MICRO))
    return [(name, piece / 10) for name, piece in zip(PART_NAMES, pieces, strict=True)]


def maxima(reasons: Mapping[str, Any]) -> Mapping[str, int]:
    """What each part could give by the weights of the run; of an older run by those of the program."""
    stored: Mapping[str, int] = reasons.get("maxima") or DEFAULT_WEIGHTS.parts
    return stored


def explain(
    line: Line,
    texts: Mapping[int, Mapping[str, Any]],
    board: Board,
    *,
    now: datetime,
    own: bool = False,
) -> Explanation:
    """The whole explanation of a place; with `own` nothing in it tells of anybody else on the list."""
    entry, reasons = line.entry, line.entry.reasons
    parts = dict(rounded_parts(entry.parts))
    score = tenths_of(entry.score)
    indicators = _indicators(reasons, parts["indicators"], maxima(reasons)["indicators"])
    losses = _losses(reasons, parts, indicators)
    *term_points, other_terms = _terms(reasons, parts["text"])
    marked = [one["term"] for one in reasons["terms"][:_TERMS_MARKED]]
    seeker = texts.get(0) or {}
    changes = list_changes(line, indicators, now=now, own=own)
    return Explanation(
        seeker_pieces=_pieces(seeker, marked),
        capability_pieces=_pieces(texts.get(entry.capability_id), marked),
        terms=list(zip(marked[:_TERMS_NAMED], term_points, strict=True)),
        other_terms=other_terms,
        text_points=parts["text"],
        steps=_steps(line, parts, texts.get(entry.capability_id) or {}, now=now),
        indicators=indicators,
        indicator_points=parts["indicators"],
        losses=losses[:_LOSSES_SHOWN],
        other_losses=round(sum(loss.points for loss in losses[_LOSSES_SHOWN:]), 1),
        lost=(1000 - score) / 10,
        score=score / 10,
        changes=changes,
        goals=[] if own else list(list_goals(entry, changes, board)),
        band=band_of(entry, changes, board) if own else 0,
        complements=[] if own else list_complements(entry, board.lines),
        warnings=list_warnings(line, reasons, seeker),
        support=round(reasons.get("support", 1) * 100),
    )


# --- what the points rest on --------------------------------------------------------------------------------


def _terms(reasons: Mapping[str, Any], shown: float) -> list[float]:
    """Tenths of the words that are named, and last of all others; together the text's points as shown."""
    stored = [millionths(one["points"]) for one in reasons["terms"]]
    rest = sum(stored[_TERMS_NAMED:]) + millionths(reasons["other_terms"])
    return [piece / 10 for piece in in_units([*stored[:_TERMS_NAMED], rest], TENTH, round(shown * 10))]


def _indicators(reasons: Mapping[str, Any], points: float, maximum: int) -> list[dict[str, Any]]:
    """The lines with points and maxima in tenths: both add up, and what is not lost in full shows no loss."""
    lines = reasons["indicators"]
    if not lines:
        return []
    earned = in_units([millionths(one["points"]) for one in lines], TENTH, round(points * 10))
    possible = in_units(
        [millionths(one["maximum"]) for one in lines],
        TENTH,
        maximum * 10,
        least=earned,
        most=[
            piece if one["points"] == one["maximum"] and one["points"] else None
            for one, piece in zip(lines, earned, strict=True)
        ],
    )
    return [
        {**one, "points": piece / 10, "maximum": most / 10}
        for one, piece, most in zip(lines, earned, possible, strict=True)
    ]


def _pieces(content: Mapping[str, Any] | None, terms: Sequence[str]) -> list[tuple[str, int | None]]:
    if not content:
        return []
    body = Matchable.from_dict(content).body()
    return [(piece.text, piece.number or None) for piece in excerpt(body, terms)]


def _steps(
    line: Line, parts: Mapping[str, float], capability: Mapping[str, Any], *, now: datetime
) -> list[Step]:
    reasons = line.entry.reasons
    return [
        Step(_(PART_LABELS[name]), _step_text(name, line, capability, now=now), points, maxima(reasons)[name])
        for name, points in parts.items()
    ]


def _step_text(name: str, line: Line, capability: Mapping[str, Any], *, now: datetime) -> str:
    reasons = line.entry.reasons
    facts = reasons.get("facts", {}).get(name, {})
    if name == "text":
        return _coverage_text(reasons)
    if name == "indicators" and reasons["indicators"]:
        met = sum(one["verdict"] == "met" for one in reasons["indicators"])
        return _("满足 %(met)s 项，共 %(asked)s 项", met=met, asked=len(reasons["indicators"]))
    if name == "region":
        text = _region_text(facts, str(capability.get("region", "")))
    elif name == "designations":
        text = _designations_text(facts, line, now=now)
    else:
        say = _SAY.get(name)
        text = say(facts) if say else ""
    return text or _unearned(name, reasons)


def _coverage_text(reasons: Mapping[str, Any]) -> str:
    coverage = reasons.get("coverage")
    if not coverage or not coverage["asked"]:
        return ""
    return _("最能说明需求的 %(asked)s 个词，写到 %(said)s 个", **coverage)


def _title_text(facts: Mapping[str, Any]) -> str:
    if "models" in facts:
        return _("都写到型号 %(models)s", models=listed(one.upper() for one in facts["models"]))
    if "likeness" in facts:
        return _("标题相似度 %(share)s%%", share=round(facts["likeness"] * 100))
    return ""


def _taxonomy_text(facts: Mapping[str, Any]) -> str:
    if "clusters" in facts:
        return _("同一集群：%(names)s", names=listed(taxonomy.cluster_names(facts["clusters"])))
    if "industry" in facts:
        code = facts["industry"]
        return _("同一行业大类：%(code)s %(name)s", code=code, name=known_name(Scheme.INDUSTRY, code))
    if "tiers" in facts:
        names = listed(known_name(Scheme.CLUSTER, code) for code in facts["tiers"])
        return _("同属%(names)s，具体集群不同", names=names)
    return ""


def _trl_text(facts: Mapping[str, Any]) -> str:
    if "reached" not in facts:
        return ""
    if facts["reached"] >= facts["asked"]:
        return _("已达 TRL %(reached)s，目标 TRL %(asked)s", **_two(facts))
    short = facts["asked"] - facts["reached"]
    return _("已达 TRL %(reached)s，目标 TRL %(asked)s，差 %(short)s 级", **_two(facts), short=short)


def _two(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in ("reached", "asked")}


def _region_text(facts: Mapping[str, Any], code: str) -> str:
    level = facts.get("same")
    if not level:
        return ""
    province = taxonomy.region_name(f"{code[:2]}0000") if code else ""
    if level == "province":
        return _("同省（市）：%(name)s", name=province)
    city = known_name(Scheme.REGION, f"{code[:4]}00") or province
    if level == "city" or code.endswith("00"):
        return _("同市：%(name)s", name=city)
    return _("同区县：%(name)s", name=taxonomy.region_name(code))


def _cooperation_text(facts: Mapping[str, Any]) -> str:
    if "forms" not in facts:
        return ""
    return _("双方都接受：%(names)s", names=listed(map(taxonomy.cooperation_name, facts["forms"])))


def _designations_text(facts: Mapping[str, Any], line: Line, *, now: datetime) -> str:
    if facts.get("verified"):
        return _("单位已核验，没有生效的资质称号")
    rows = {row.kind.value: row for row in line.organisation.designations}
    said = []
    for code in facts.get("held", ()):
        row = rows.get(code)
        number = row.number if row else ""
        until = row.valid_to if row else None
        known = [_("编号 %(number)s", number=number)] if number else []
        known += [_("有效期至 %(day)s", day=until.isoformat())] if until else []
        if row is None or not counts(row, business_date(now)):
            known.append(_("现已失效，名单待更新"))
        said.append(title_name(code) + (_("（") + _("，").join(known) + _("）") if known else ""))
    return listed(said)


_SAY: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "title": _title_text,
    "taxonomy": _taxonomy_text,
    "trl": _trl_text,
    "cooperation": _cooperation_text,
}


# --- what was lost ------------------------------------------------------------------------------------------


def _losses(
    reasons: Mapping[str, Any], parts: Mapping[str, float], indicators: Sequence[Mapping[str, Any]]
) -> list[Loss]:
    """What is missing to a hundred as it is shown, biggest first: each part's maximum less its points."""
    lost: list[tuple[int, str]] = []
    for name, points in parts.items():
        if name == "indicators" and indicators:
            lost += [
                (round(one["maximum"] * 10) - round(one["points"] * 10), _indicator_loss(one))
                for one in indicators
            ]
        else:
            lost.append((maxima(reasons)[name] * 10 - round(points * 10), loss_text(name, reasons)))
    lost.sort(key=lambda one: -one[0])
    return [Loss(text, tenths / 10) for tenths, text in lost if tenths]


def loss_text(name: str, reasons: Mapping[str, Any]) -> str:
    """Why a part did not give more."""
    if name == "text":
        missing: list[str] = []
        for loss in reasons["losses"]:
            if loss["code"] == "text":
                missing = loss["facts"].get("missing", [])[:_MISSING_NAMED]
        if not missing:
            return _("文本只有部分相符")
        return _("没有写到%(missing)s等", missing="".join(f"“{word}”" for word in missing))
    return _unearned(name, reasons)


def _unearned(name: str, reasons: Mapping[str, Any]) -> str:
    how, facts = "", reasons.get("facts", {}).get(name, {})
    for loss in reasons["losses"]:
        part, _dot, code = loss["code"].partition(".")
        if part == name:
            how = code
    if how == "not_asked":
        return _(_NOT_ASKED[name])
    if how == "unstated":
        return _(_UNSTATED[name])
    if _is_full(name, facts):
        return _(_FULL[name])
    if name == "trl" and "reached" in facts:
        return _trl_text(facts)
    if name == "region" and "same" in facts:
        return _(_REGION_SHORT[facts["same"]])
    if name == "taxonomy" and facts:
        return _("行业相近，但集群不同")
    return _(_SHORT[name])


def _is_full(name: str, facts: Mapping[str, Any]) -> bool:
    """Whether a part lost points only because the texts agree too little."""
    return (
        (name == "title" and "models" in facts)
        or (name == "taxonomy" and "clusters" in facts)
        or (name == "cooperation" and "forms" in facts)
        or (name == "trl" and facts.get("reached", 0) >= facts.get("asked", 10))
        or (name == "region" and facts.get("same") == "district")
    )


_NOT_ASKED = {
    "title": N_("需求没有标题"),
    "indicators": N_("需求没有列出指标"),
    "taxonomy": N_("需求没有注明产业集群和行业"),
    "trl": N_("需求没有注明目标成熟度"),
    "region": N_("需求没有注明地区"),
    "cooperation": N_("需求没有注明合作方式"),
    "designations": N_("没有经核对的资质称号"),
}
_UNSTATED = {
    "title": N_("能力没有标题"),
    "indicators": N_("没有可比对的参数"),
    "taxonomy": N_("没有注明产业集群和行业"),
    "trl": N_("没有注明技术成熟度"),
    "region": N_("没有注明所在地"),
    "cooperation": N_("没有注明合作方式"),
    "designations": N_("没有经核对的资质称号"),
}
_SHORT = {
    "title": N_("标题和型号不尽相同"),
    "indicators": N_("没有可比对的参数"),
    "taxonomy": N_("产业集群和行业都不同"),
    "trl": N_("技术成熟度不足"),
    "region": N_("不在同一省市"),
    "cooperation": N_("合作方式没有交集"),
    "designations": N_("资质称号不是最高一级"),
}
_REGION_SHORT = {
    "district": N_("同区县"),
    "city": N_("同市，但不在同一区县"),
    "province": N_("同省，但不在同一市"),
}
_FULL = {
    "title": N_("型号相同，因文本相符不足未计全分"),
    "taxonomy": N_("集群相同，因文本相符不足未计全分"),
    "trl": N_("成熟度达到，因文本相符不足未计全分"),
    "region": N_("同区县，因文本相符不足未计全分"),
    "cooperation": N_("合作方式相合，因文本相符不足未计全分"),
}


def _indicator_loss(one: Mapping[str, Any]) -> str:
    values = {"mark": MARKS[one["mark"]], "name": one["name"], "asked": one["requirement"]}
    if one["verdict"] == "unstated":
        return _("没有说明%(mark)s%(name)s", **values)
    if one["verdict"] == "met":
        return _("%(mark)s%(name)s满足，因文本相符不足未计全分", **values)
    said = _("，现为 %(offered)s", offered=one["offered"]) if one["offered"] else ""
    if one["verdict"] == "unmet":
        return _("%(mark)s%(name)s不满足 %(asked)s%(said)s", **values, said=said)
    return _("%(mark)s%(name)s只部分满足 %(asked)s%(said)s", **values, said=said)
