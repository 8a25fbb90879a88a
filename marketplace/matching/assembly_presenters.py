"""A proposed consortium as plain data, for page, command and JSON alike, and its rules in words.

Not here: what is proposed (`consortium`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext

from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.matching.consortium import Pool, Proposed
from marketplace.matching.engine.consortia import (
    Assembly,
    Binding,
    Clashing,
    Gain,
    Grade,
    Member,
    Proposal,
    Rule,
    Status,
)
from marketplace.matching.engine.weights import MICRO
from marketplace.organisations.kinds import KIND_NAMES

REQUIRED_NAMES = {
    "research": N_("高校或科研院所"),
    "university": N_("高校"),
    "institute": N_("科研院所"),
    "service": N_("检测与服务机构"),
    "enterprise": N_("企业"),
}
GRADE_NAMES = {
    Grade.MET: N_("满足"),
    Grade.PARTIAL: N_("部分满足"),
    Grade.TEXT: N_("文本提及，未证实"),
    Grade.NONE: N_("未覆盖"),
}
_MARKS = {"must": "★", "key": "▲"}
_LEVELS = {
    "musts": N_("满足的 ★ 指标"),
    "lesser": N_("★ 指标的其他证据"),
    "coverage": N_("加权覆盖"),
    "members": N_("成员数"),
    "hundredths": N_("匹配得分"),
    "order": N_("同分者的次序"),
}


def _(message: str, **values: Any) -> str:
    return str(gettext(message, **values))


def data_of(proposed: Proposed) -> dict[str, Any]:
    """Everything about a proposal in JSON's types; `proposals` has the best first, then the next best."""
    pool, rules, found = proposed.pool, proposed.rules, proposed.assembly
    return {
        "status": found.status.value,
        "said": said_of(found),
        "run": pool.run.public_no if pool.run else None,
        "candidates": len(pool.organisations),
        "capabilities": pool.capabilities,
        "rules": {
            "partners": rules.partners,
            "limit": proposed.limit,
            "lead_is_sme": bool(rules.lead),
            "required": [requirement.name for requirement in rules.required],
            "required_said": [_(REQUIRED_NAMES[one.name]) for one in rules.required],
            "pinned": _named(pool, rules.pinned),
            "excluded": _named(pool, rules.excluded),
            "strangers": list(proposed.strangers),
        },
        "asked": [
            {
                "key": one.key,
                "name": one.name,
                "requirement": one.requirement,
                "mark": one.mark,
                "weight": one.weight,
                "is_topic": one.is_topic,
            }
            for one in pool.asked
        ],
        "proposals": [_proposal(pool, one) for one in (found.best, *found.alternatives) if one is not None],
        "binding": [
            {
                "rule": one.rule.value,
                "name": one.name,
                "text": _binding_text(proposed, one),
                "joining": _named(pool, one.joining),
                "leaving": _named(pool, one.leaving),
                "gains": [{"key": gain.item, **_grades(gain.grade, gain.instead_of)} for gain in one.gains],
            }
            for one in found.binding
        ],
        "examined": found.examined,
        "clash": [
            {
                "rule": one.rule.value,
                "subject": one.subject,
                "text": _rule_text(proposed, one),
                "enough": one.enough,
            }
            for one in found.clash
        ],
    }


def said_of(found: Assembly) -> str:
    """In a sentence what became of the search."""
    if found.status is Status.FEASIBLE and found.gap is not None:
        if found.gap.level == "order":
            return _("在限定时间内没有排完同分组合的次序。")
        return _(
            "限定时间内未证明最优：%(level)s现为 %(reached)s，至多还能到 %(bound)s。",
            level=_(_LEVELS[found.gap.level]),
            reached=found.gap.reached,
            bound=found.gap.bound,
        )
    return {
        Status.OPTIMAL: _("已证明在这些规则下没有更优的组合。"),
        Status.UNCOVERED: _("名单上没有单位能以证据覆盖任何一项，因此不作建议。"),
        Status.INFEASIBLE: _("没有组合能同时满足全部规则。"),
        Status.UNFINISHED: _("限定时间内没有算出结果，请减少条件或用命令行计算。"),
    }[found.status]


def _named(pool: Pool, ids: Iterable[int]) -> list[dict[str, Any]]:
    return [{"id": id, "name": pool.organisations[id].name} for id in sorted(ids) if id in pool.organisations]


def _grades(grade: Grade, instead_of: Grade) -> dict[str, str]:
    return {"grade": grade.name.lower(), "without": instead_of.name.lower()}


def _proposal(pool: Pool, proposal: Proposal) -> dict[str, Any]:
    value = proposal.value
    met = sum(proposal.grades[one.key] is Grade.MET for one in pool.asked)
    return {
        "members": [_member(pool, proposal, member) for member in proposal.members],
        "rows": [
            {
                "key": one.key,
                "grade": proposal.grades[one.key].name.lower(),
                "cells": [_cell(pool, member.id, one.key) for member in proposal.members],
            }
            for one in pool.asked
        ],
        "met": met,
        "musts_met": value.musts,
        "uncovered": _keys(pool, proposal, Grade.NONE),
        "mentioned": _keys(pool, proposal, Grade.TEXT),
        "partly": _keys(pool, proposal, Grade.PARTIAL),
        "coverage": value.coverage,
        "most_coverage": sum(one.weight for one in pool.asked) * Grade.MET,
        "points": value.hundredths / 100,
    }


def _keys(pool: Pool, proposal: Proposal, grade: Grade) -> list[str]:
    return [one.key for one in pool.asked if proposal.grades[one.key] is grade]


def _member(pool: Pool, proposal: Proposal, member: Member) -> dict[str, Any]:
    organisation, places = pool.organisations[member.id], pool.places[member.id]
    return {
        "id": member.id,
        "name": organisation.name,
        "kind": _(KIND_NAMES[organisation.kind]),
        "leads": member.leads,
        "score": places[0].score / MICRO,
        "place": places[0].place,
        "capabilities": [
            {"public_no": one.public_no, "title": one.title, "place": one.place} for one in places
        ],
        "covers": sum(bool(held.get(member.id)) for held in proposal.covered_by.values()),
        "only": [{"key": loss.item, **_grades(loss.grade, loss.without)} for loss in member.losses],
        "only_said": _listed(
            pool, ((loss.item, loss.grade, loss.without) for loss in member.losses), lost=True
        ),
        "keeps": list(member.keeps),
        "keeps_said": [
            _("牵头资格") if name == Rule.LEAD else _(REQUIRED_NAMES[name]) for name in member.keeps
        ],
    }


def _cell(pool: Pool, member: int, key: str) -> dict[str, Any] | None:
    shown = pool.proofs[member].get(key)
    if shown is None:
        return None
    return {
        "member": member,
        "verdict": shown.proof.verdict,
        "grade": shown.proof.grade.name.lower(),
        "quote": shown.proof.quote,
        "offered": shown.proof.offered,
        "conversion": shown.proof.conversion,
        "capability": shown.place.public_no,
        "capability_title": shown.place.title,
    }


def _listed(pool: Pool, several: Iterable[tuple[str, Grade, Grade]], *, lost: bool = False) -> list[str]:
    """Items with how well they are covered: "★夹紧力（满足）", or what would be left without a member."""
    asked = {one.key: one for one in pool.asked}
    said = []
    for key, grade, without in several:
        name = f"{_MARKS.get(asked[key].mark, '')}{asked[key].name}"
        if lost and without:
            how = _(
                "%(grade)s，缺少则%(without)s", grade=_(GRADE_NAMES[grade]), without=_(GRADE_NAMES[without])
            )
        else:
            how = _(GRADE_NAMES[grade])
        said.append(_("%(name)s（%(how)s）", name=name, how=how))
    return said


def _gains(pool: Pool, gains: Sequence[Gain]) -> str:
    return listed(_listed(pool, ((gain.item, gain.grade, gain.instead_of) for gain in gains)))


def _names(pool: Pool, ids: Iterable[int]) -> str:
    return listed(one["name"] for one in _named(pool, ids))


def _binding_text(proposed: Proposed, binding: Binding) -> str:
    pool = proposed.pool
    joining, leaving = _names(pool, binding.joining), _names(pool, binding.leaving)
    if binding.gains:
        effect = _("可多覆盖 %(gains)s", gains=_gains(pool, binding.gains))
    elif len(binding.joining) < len(binding.leaving):
        effect = _("同样的覆盖可少用 %(count)s 家", count=len(binding.leaving) - len(binding.joining))
    else:
        effect = _("覆盖的权重更高")
    moves = [_("加入 %(names)s", names=joining)] if joining else []
    moves += [_("换下 %(names)s", names=leaving)] if leaving else []
    free = {
        Rule.PARTNERS: N_("成员最多 %(partners)s 家，若再多一家"),
        Rule.REQUIRED: N_("要求至少一家%(kind)s，若不要求"),
        Rule.LEAD: N_("牵头单位须为中小企业，若不限"),
        Rule.PINNED: N_("指定了 %(pinned)s，若不指定"),
        Rule.EXCLUDED: N_("排除了 %(excluded)s，若不排除"),
    }[binding.rule]
    named = {
        "partners": proposed.rules.partners,
        "kind": _(REQUIRED_NAMES[binding.name]) if binding.rule is Rule.REQUIRED else "",
        "pinned": _names(pool, [int(binding.name)]) if binding.rule is Rule.PINNED else "",
        "excluded": _names(pool, proposed.rules.excluded),
    }
    return _(
        "%(rule)s（%(moves)s），%(effect)s。", rule=_(free, **named), moves="，".join(moves), effect=effect
    )


def _rule_text(proposed: Proposed, clashing: Clashing) -> str:
    rules, pool = proposed.rules, proposed.pool
    texts: Mapping[Rule, str] = {
        Rule.PARTNERS: N_("牵头单位之外最多 %(partners)s 家成员"),
        Rule.LEAD: N_("牵头单位须为中小企业"),
        Rule.REQUIRED: N_("至少一家%(kind)s"),
        Rule.PINNED: N_("必须有 %(pinned)s"),
        Rule.EXCLUDED: N_("不得有 %(excluded)s"),
        Rule.BARRED: N_("发榜单位本身及与其同一主体的单位不得加入"),
        Rule.RELATED: N_("同一主体的单位只能有一家"),
    }
    named = {
        "partners": rules.partners,
        "kind": _(REQUIRED_NAMES[clashing.subject]) if clashing.rule is Rule.REQUIRED else "",
        "pinned": _names(pool, [int(clashing.subject)]) if clashing.rule is Rule.PINNED else "",
        "excluded": _names(pool, rules.excluded),
    }
    return _(texts[clashing.rule], **named)


def grade_names() -> dict[str, str]:
    """How well something is covered, in words, by the names that `data_of` uses."""
    return {grade.name.lower(): _(name) for grade, name in GRADE_NAMES.items()}
