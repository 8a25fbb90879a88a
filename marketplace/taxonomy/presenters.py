"""How schemes, nodes, versions and differences are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext

from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.taxonomy import queries, uses
from marketplace.taxonomy.models import Scheme, TaxonomyNode
from marketplace.taxonomy.rules import STAGES, Change, NodeFacts

SCHEME_NAMES = {
    Scheme.CLUSTER: N_("产业集群"),
    Scheme.CHAIN: N_("产业链"),
    Scheme.INDUSTRY: N_("国民经济行业"),
    Scheme.REGION: N_("行政区划"),
    Scheme.UNIT: N_("计量单位"),
    Scheme.TRL: N_("技术成熟度"),
    Scheme.COOPERATION: N_("合作方式"),
}
SCHEME_NOTES = {
    Scheme.CLUSTER: N_("“33618”现代制造业集群体系；标“待核实”的尚未见到公开来源"),
    Scheme.CHAIN: N_("产业链由上游、中游、下游的环节依次组成，榜单、需求和能力可挂到环节上"),
    Scheme.INDUSTRY: N_("GB/T 4754 国民经济行业分类，到大类"),
    Scheme.REGION: N_("GB/T 2260 行政区划代码，到区县或地级市"),
    Scheme.UNIT: N_("指标里可以换算的单位"),
    Scheme.TRL: N_("GB/T 22900 技术成熟度等级"),
    Scheme.COOPERATION: N_("平台约定的合作方式"),
}
FIELD_NAMES = {
    "name": N_("名称"),
    "parent_code": N_("上级"),
    "stage": N_("环节位置"),
    "confirmed": N_("已确认"),
    "source": N_("来源"),
    "order": N_("次序"),
}
COLUMN_NAMES = {
    "code": N_("代码"),
    "parent": N_("上级代码"),
    "name": N_("名称"),
    "stage": N_("环节位置"),
    "confirmed": N_("已确认"),
    "source": N_("来源"),
    "successor": N_("继任代码"),
}


def scheme_name(scheme: Scheme) -> str:
    return str(gettext(SCHEME_NAMES[scheme]))


@dataclass(slots=True)
class Branch:
    """One node of a tree with what hangs on it; `counts` are those of things posted under it alone."""

    node: TaxonomyNode
    counts: dict[str, int] = field(default_factory=dict)
    children: list["Branch"] = field(default_factory=list)

    @property
    def stages(self) -> list[tuple[str, list["Branch"]]]:
        """The children by stage, upstream first; empty where they have none."""
        found = [
            (label, [child for child in self.children if child.node.stage == stage])
            for stage, label in STAGES.items()
        ]
        return [(label, branches) for label, branches in found if branches]


def tree(rows: Sequence[TaxonomyNode], counts: Mapping[str, Mapping[str, int]]) -> list[Branch]:
    """`counts`: kind of thing → code → how many."""
    branches = {
        row.code: Branch(row, {kind: by_code.get(row.code, 0) for kind, by_code in counts.items()})
        for row in rows
    }
    topmost: list[Branch] = []
    for branch in branches.values():
        parent = branches.get(branch.node.parent_code or "")
        (parent.children if parent else topmost).append(branch)
    return topmost


@dataclass(frozen=True, slots=True)
class Posted:
    """How many things of one kind stand under a node, and where they are listed."""

    label: str
    count: int
    url: str


def posted_under(scheme: Scheme, code: str, actor: Actor) -> list[Posted]:
    codes = queries.codes_under(scheme, code)
    return [
        Posted(gettext(use.label), use.count_under(scheme, codes, actor), use.url(scheme, code))
        for use in uses.uses_of(scheme)
    ]


def field_changes(change: Change) -> list[tuple[str, str, str]]:
    """(field, before, after) in words."""
    return [
        (gettext(FIELD_NAMES[name]), _value(name, before), _value(name, after))
        for name, before, after in change.fields
    ]


def _value(name: str, value: Any) -> str:
    if name == "order":
        return ""
    if name == "confirmed":
        return str(gettext("是") if value else gettext("否"))
    if name == "stage":
        return str(gettext(STAGES[value])) if value else ""
    return "" if value is None else str(value)


def stage_of(node: NodeFacts | TaxonomyNode) -> str:
    return str(gettext(STAGES[node.stage])) if node.stage else ""
