"""What a capability must say to be published, and how complete it is. Plain Python."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from marketplace.capabilities.kinds import CapabilityKind, IpStatus, Maturity
from marketplace.indicators.model import Indicator
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

SHORTEST_TITLE, LONGEST_TITLE = 4, 200
SHORTEST_SUMMARY, LONGEST_SUMMARY = 20, 8_000
# Below this many characters a summary gives the matcher too little to go by.
TELLING_SUMMARY = 120
# Published, revised or renewed, a capability counts for this long.
VALIDITY = timedelta(days=365)
MOST_PARAMETERS, MOST_KEYWORDS, MOST_CLUSTERS = 40, 10, 5


@dataclass(frozen=True, slots=True)
class CertificateDraft:
    name: str
    number: str = ""
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class CapabilityDraft:
    """Everything that a form or an import says of one capability."""

    title: str = ""
    kind: CapabilityKind = CapabilityKind.CAPABILITY
    summary: str = ""
    trl: int | None = None
    maturity: Maturity | None = None
    ip_status: IpStatus | None = None
    cooperation: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    chain_links: tuple[str, ...] = ()
    industry: str | None = None
    region: str | None = None
    parameters: tuple[Indicator, ...] = ()
    certificates: tuple[CertificateDraft, ...] = field(default=())


def obstacles_to_publishing(draft: CapabilityDraft) -> Iterator[Obstacle]:
    """Everything that keeps a draft from being published, all at once."""
    if len(draft.title) < SHORTEST_TITLE:
        yield Obstacle("title", N_("名称至少 %(limit)d 字"), {"limit": SHORTEST_TITLE})
    if len(draft.summary) < SHORTEST_SUMMARY:
        yield Obstacle(
            "summary", N_("简介至少 %(limit)d 字，写明能做什么、做到什么程度"), {"limit": SHORTEST_SUMMARY}
        )
    if not draft.clusters:
        yield Obstacle("clusters", N_("至少选一个所属产业集群"))
    for position, parameter in enumerate(draft.parameters):
        if not parameter.name:
            yield Obstacle(f"parameters-{position}-name", N_("参数缺少名称"))
        if parameter.value is None and not parameter.text_value:
            yield Obstacle(f"parameters-{position}-value", N_("参数缺少数值"))


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that makes a capability easier to find, with what to do where it is missing."""

    name: str
    met: bool
    fix: Obstacle


@dataclass(frozen=True, slots=True)
class Completeness:
    checks: tuple[Check, ...]

    @property
    def score(self) -> int:
        """Percent of the checks met."""
        return round(100 * sum(check.met for check in self.checks) / len(self.checks))

    @property
    def missing(self) -> list[Obstacle]:
        return [check.fix for check in self.checks if not check.met]


def completeness(draft: CapabilityDraft) -> Completeness:
    """How much of what the matcher and a buyer look for is stated."""

    def check(name: str, met: bool, where: str, fix: str, **params: int) -> Check:
        return Check(name, met, Obstacle(where, fix, params))

    return Completeness(
        (
            check(
                N_("简介够长"),
                len(draft.summary) >= TELLING_SUMMARY,
                "summary",
                N_("简介不足 %(limit)d 字，匹配时能依据的内容很少"),
                limit=TELLING_SUMMARY,
            ),
            check(
                N_("有参数"),
                any(p.value is not None for p in draft.parameters),
                "parameters",
                N_("写出带单位的参数，才能与指标逐项比对"),
            ),
            check(N_("有关键词"), bool(draft.keywords), "keywords", N_("补充 1–10 个关键词")),
            check(N_("有技术成熟度"), draft.trl is not None, "trl", N_("选择技术成熟度 TRL 1–9")),
            check(N_("有产业化程度"), draft.maturity is not None, "maturity", N_("选择产业化程度")),
            check(N_("有知识产权状态"), draft.ip_status is not None, "ip_status", N_("说明知识产权状态")),
            check(N_("有合作方式"), bool(draft.cooperation), "cooperation", N_("选择可接受的合作方式")),
            check(N_("有行业"), draft.industry is not None, "industry", N_("选择国民经济行业大类")),
            check(N_("有资质证书"), bool(draft.certificates), "certificates", N_("登记资质证书及有效期")),
        )
    )
