"""Capabilities from a file, and back into one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import select

from marketplace.capabilities import services
from marketplace.capabilities.collected import MATURITIES
from marketplace.capabilities.kinds import (
    IP_LABELS,
    KIND_LABELS,
    MATURITY_LABELS,
    CapabilityKind,
    IpStatus,
    Maturity,
)
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import (
    Capability,
    CapabilityChainLink,
    CapabilityCluster,
    CapabilityParameter,
    Certificate,
)
from marketplace.capabilities.rules import (
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    CapabilityDraft,
    CertificateDraft,
    obstacles_to_publishing,
)
from marketplace.exchange.cells import Cell
from marketplace.exchange.columns import Choice, Column, Day, Integer, Text, plain_text
from marketplace.exchange.faults import WrongCell
from marketplace.exchange.targets import EXTERNAL, NUMBER, Child, Scope, Stored, Values
from marketplace.kernel.access import EDITOR, Audience
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.postings.importing import (
    CHAIN_LINKS,
    CLUSTERS,
    EXTERNAL_NO,
    INDUSTRY,
    KEYWORDS,
    PUBLIC_NO,
    Indicators,
    PostingTarget,
    cooperation_codec,
    posting_children,
    region_column,
)
from marketplace.postings.rules import indicator_limits, list_limits

S = CapabilityStatus
MOST_CERTIFICATES = 20
RANKING = ("matching.place_capability",)
WITHDRAWN_WITH_LIST = "清单更新后不再提供"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates in one cell, a line each: IATF 16949|T-2024-117|2027-12-31."""

    blank: tuple[CertificateDraft, ...] = ()

    def read(self, text: str, unit: str = "") -> tuple[CertificateDraft, ...]:
        lines = [line for line in plain_text(text, limit=32_767, multiline=True).split("\n") if line.strip()]
        if len(lines) > MOST_CERTIFICATES:
            raise WrongCell(N_("证书最多 %(limit)s 项"), {"limit": MOST_CERTIFICATES})
        return tuple(self._read(line, number) for number, line in enumerate(lines, start=1))

    @staticmethod
    def _read(line: str, number: int) -> CertificateDraft:
        parts = [part.strip().replace("\\|", "|") for part in re.split(r"(?<!\\)[|｜]", line)]
        if len(parts) > 3 or not parts[0]:
            raise WrongCell(N_("第 %(n)s 项请写成“名称|编号|有效期”"), {"n": number})
        parts += [""] * (3 - len(parts))
        valid_to: date | None = Day().read(parts[2]) if parts[2] else None
        return CertificateDraft(plain_text(parts[0], limit=100), plain_text(parts[1], limit=60), valid_to)

    def write(self, value: Sequence[CertificateDraft]) -> Cell:
        return "\n".join(
            "|".join(
                part.replace("|", "\\|")
                for part in (c.name, c.number, c.valid_to.isoformat() if c.valid_to else "")
            ).rstrip("|")
            for c in value
        )


class CapabilityTarget(PostingTarget):
    kind: ClassVar[str] = "capability"
    label: ClassVar[str] = N_("能力成果")
    purpose: ClassVar[str] = N_("一次登记本单位的多项能力、成果或产品，新条目先存为草稿。")
    audience: ClassVar[Audience] = EDITOR
    order: ClassVar[int] = 20
    model: ClassVar[Any] = Capability
    prefix: ClassVar[str] = "NL"
    width: ClassVar[int] = 5
    indicators: ClassVar[str] = "parameters"
    loads: ClassVar[tuple[str, ...]] = ("clusters", "chain_links", "certificates")
    PLAIN: ClassVar[tuple[str, ...]] = (
        "title", "kind", "summary", "trl", "maturity", "ip_status", "industry", "region",
    )  # fmt: skip
    closed_statuses: ClassVar[frozenset[Any]] = frozenset(set(S) - {S.DRAFT, S.PUBLISHED})
    public_status: ClassVar[Any] = S.PUBLISHED
    children: ClassVar[tuple[Child, ...]] = (
        *posting_children(
            ("parameters", CapabilityParameter), CapabilityCluster, CapabilityChainLink, "capability_id"
        ),
        Child("certificates", Certificate, "capability_id", ("name", "number", "valid_to")),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        PUBLIC_NO,
        EXTERNAL_NO,
        Column(
            "kind",
            N_("类别"),
            Choice(CapabilityKind, KIND_LABELS, blank=CapabilityKind.CAPABILITY),
            ("类型",),
            N_("能力、成果或产品，不填为“能力”"),
            "能力",
        ),
        Column(
            "title",
            N_("名称"),
            Text(LONGEST_TITLE),
            ("能力名称", "成果名称", "产品名称", "项目名称", "标题"),
            N_("最多 200 字"),
            "旋转锻造空心电机轴",
            required=True,
        ),
        Column(
            "summary",
            N_("简介"),
            Text(LONGEST_SUMMARY, multiline=True),
            ("介绍", "说明", "描述", "成果简介", "能力简介", "摘要"),
            N_("能做什么、做到什么程度，写到 120 字以上匹配更准"),
            "用八模头旋锻机把无缝管近净成形为空心电机轴，材料利用率九成以上。",
        ),
        KEYWORDS,
        CLUSTERS,
        CHAIN_LINKS,
        INDUSTRY,
        region_column(N_("所在地区"), "所在地"),
        Column("trl", N_("技术成熟度"), Integer(1, 9), ("trl", "成熟度"), N_("1 至 9"), "7"),
        Column(
            "maturity",
            N_("产业化程度"),
            Choice(Maturity, MATURITY_LABELS, also=MATURITIES),
            ("产业化阶段",),
            "",
            "小批试制",
        ),
        Column("ip_status", N_("知识产权状态"), Choice(IpStatus, IP_LABELS), ("知识产权",), "", "已授权专利"),
        Column(
            "cooperation",
            N_("合作方式"),
            cooperation_codec(),
            ("可接受的合作方式",),
            N_("用顿号分开"),
            "产品供应、合作研发",
        ),
        Column(
            "parameters",
            N_("参数"),
            Indicators(),
            ("技术参数", "性能参数", "指标"),
            N_("一行一项，如：径向跳动≤0.02 mm"),
            "径向跳动≤0.02 mm",
        ),
        Column(
            "certificates",
            N_("资质证书"),
            Certificates(),
            ("证书", "资质"),
            N_("一行一项：名称|编号|有效期"),
            "IATF 16949|T-2024-117|2027-12-31",
        ),
    )

    def values_of(self, row: Any) -> Values:
        return {
            **super().values_of(row),
            "cooperation": tuple(sorted(row.cooperation)),
            "certificates": tuple(CertificateDraft(c.name, c.number, c.valid_to) for c in row.certificates),
        }

    def draft(self, values: Values) -> CapabilityDraft:
        return CapabilityDraft(
            **{name: value for name, value in values.items() if name not in (NUMBER, EXTERNAL)}
        )

    def limits(self, draft: CapabilityDraft) -> Iterator[Obstacle]:
        yield from indicator_limits(draft.parameters, "parameters")
        yield from list_limits(draft.keywords, draft.clusters, draft.chain_links)

    def gaps(self, draft: CapabilityDraft, *, now: datetime) -> Iterator[Obstacle]:
        return obstacles_to_publishing(draft)

    def stored(self, values: Values) -> Stored:
        made = super().stored(values)
        made.row["cooperation"] = list(values["cooperation"])
        made.children["certificates"] = [
            {"name": c.name, "number": c.number, "valid_to": c.valid_to} for c in values["certificates"]
        ]
        return made

    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        return {**super().fresh(scope, now=now), "status": S.DRAFT}

    def revise_thing(self, thing: Any, draft: Any, *, by: Actor, now: datetime) -> None:
        services.revise(thing, draft, version=thing.version, by=by, now=now)

    def withdraw(self, ids: Sequence[int], *, by: Actor, now: datetime) -> int:
        found = db.session.scalars(
            select(Capability)
            .where(Capability.id.in_(ids), Capability.status == S.PUBLISHED)
            .order_by(Capability.id)
        ).all()
        for capability in found:
            services.withdraw(capability, reason=WITHDRAWN_WITH_LIST, by=by, now=now)
        return len(found)

    def asked_for(self, ids: Sequence[int], *, import_id: int, now: datetime) -> None:
        self.rank_at_once(ids, RANKING, import_id=import_id, now=now)
