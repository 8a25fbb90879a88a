"""Registers of organisations from a file, brought in by the operator as unclaimed.

An organisation that has been registered or claimed looks after its own entry: a row about it is left alone
and said to be. Here and not with the organisations, which stand below imports.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, or_, select, true

from marketplace.exchange.cells import Cell
from marketplace.exchange.columns import Choice, Code, Codes, Column, Day, Text, plain_text, spelled
from marketplace.exchange.faults import WrongCell
from marketplace.exchange.targets import Child, Scope, Standing, Stored, Target, Values
from marketplace.kernel import clock
from marketplace.kernel.access import OPERATOR, Audience
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.organisations.kinds import (
    DESIGNATION_NAMES,
    KIND_NAMES,
    SIZE_NAMES,
    DesignationKind,
    OrganisationKind,
    OrganisationSize,
)
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Designation, Organisation, OrganisationCluster
from marketplace.organisations.rules import (
    MOST_CLUSTERS,
    DesignationDraft,
    OrganisationDraft,
    code_from,
    name_key,
    obstacles_to_saving,
)
from marketplace.taxonomy import queries as taxonomy

S = OrganisationStatus
MOST_DESIGNATIONS = 10
# What a register does not meet: gone into another one, or not yet handed in.
UNSEEN = (S.MERGED, S.DRAFT)
LEFT_ALONE = N_("该单位已登记，由其自行维护，不作改动")


class UsccText:
    """统一社会信用代码 with its check digit."""

    blank = ""

    def read(self, text: str, unit: str = "") -> str:
        try:
            return code_from(text)
        except ValueError as error:
            raise WrongCell(str(error)) from error

    def write(self, value: str) -> Cell:
        return value


@dataclass(frozen=True, slots=True)
class Designations:
    """Titles in one cell, a line each: 专精特新中小企业|渝专 2026-017|市经济信息委|2029-12-31."""

    blank: tuple[DesignationDraft, ...] = ()

    def read(self, text: str, unit: str = "") -> tuple[DesignationDraft, ...]:
        lines = [line for line in plain_text(text, limit=4_000, multiline=True).split("\n") if line.strip()]
        if len(lines) > MOST_DESIGNATIONS:
            raise WrongCell(N_("称号最多 %(limit)s 项"), {"limit": MOST_DESIGNATIONS})
        read = tuple(self._read(line, number) for number, line in enumerate(lines, start=1))
        if len({one.kind for one in read}) < len(read):
            raise WrongCell(N_("同一称号只能填一次"))
        return read

    @staticmethod
    def _read(line: str, number: int) -> DesignationDraft:
        parts = [part.strip() for part in re.split(r"[|｜]", line)]
        kind = _designation(parts[0])
        if kind is None or len(parts) > 4:
            raise WrongCell(
                N_("第 %(n)s 项请写成“称号|文号|认定机关|有效期”，称号为：%(choices)s"),
                {"n": number, "choices": "、".join(DESIGNATION_NAMES.values())},
            )
        parts += [""] * (4 - len(parts))
        valid_to: date | None = Day().read(parts[3]) if parts[3] else None
        return DesignationDraft(
            kind,
            number=plain_text(parts[1], limit=60),
            issuer=plain_text(parts[2], limit=120),
            valid_to=valid_to,
        )

    def write(self, value: Sequence[DesignationDraft]) -> Cell:
        return "\n".join(
            "|".join(
                (
                    DESIGNATION_NAMES[one.kind],
                    one.number.replace("|", "／"),
                    one.issuer.replace("|", "／"),
                    one.valid_to.isoformat() if one.valid_to else "",
                )
            ).rstrip("|")
            for one in value
        )


def _designation(text: str) -> DesignationKind | None:
    wanted = spelled(text)
    for kind, name in DESIGNATION_NAMES.items():
        known = spelled(name)
        short = known.removesuffix("企业").removesuffix("中小")
        if wanted in (known, short, kind.value, known.removesuffix("企业")):
            return kind
    return None


def _clusters() -> list[tuple[str, str]]:
    return [(code, name) for code, name, _tier in taxonomy.cluster_pairs()]


def _regions() -> list[tuple[str, str]]:
    return [(code, taxonomy.region_name(code)) for code, _name, _province in taxonomy.region_pairs()]


class OrganisationTarget(Target):
    kind: ClassVar[str] = "organisation"
    label: ClassVar[str] = N_("单位名录")
    purpose: ClassVar[str] = N_("导入各类名录中的单位，以“未认领”收录，由单位凭统一社会信用代码认领。")
    audience: ClassVar[Audience] = OPERATOR
    order: ClassVar[int] = 40
    model: ClassVar[Any] = Organisation
    title: ClassVar[str] = "name"
    number: ClassVar[str] = "uscc"
    numbers_are_ours: ClassVar[bool] = False
    is_whole_list: ClassVar[bool] = False
    children: ClassVar[tuple[Child, ...]] = (
        Child("clusters", OrganisationCluster, "organisation_id", ("code",)),
        Child(
            "designations",
            Designation,
            "organisation_id",
            ("kind", "number", "issuer", "valid_to", "confirmed_at"),
        ),
    )
    PLAIN: ClassVar[tuple[str, ...]] = (
        "name", "short_name", "kind", "size", "region", "address", "website", "summary",
    )  # fmt: skip
    columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "uscc",
            N_("统一社会信用代码"),
            UsccText(),
            ("信用代码", "社会信用代码", "uscc"),
            N_("18 位，有则按它认出单位"),
        ),
        Column(
            "name",
            N_("单位名称"),
            Text(120),
            ("企业名称", "公司名称", "名称", "单位"),
            N_("与营业执照一致，最多 120 字"),
            "示例精工机械有限公司",
            required=True,
        ),
        Column("short_name", N_("简称"), Text(40), ("单位简称", "企业简称")),
        Column(
            "kind",
            N_("单位类型"),
            Choice(OrganisationKind, KIND_NAMES, blank=OrganisationKind.ENTERPRISE),
            ("类型", "单位性质"),
            N_("不填为“企业”"),
            "企业",
        ),
        Column("size", N_("规模"), Choice(OrganisationSize, SIZE_NAMES), ("企业规模",), "", "小型"),
        Column(
            "region",
            N_("所在地区"),
            Code(_regions, N_("行政区划")),
            ("地区", "区县", "所在区县"),
            N_("如“重庆市渝北区”"),
            "重庆市渝北区",
        ),
        Column("address", N_("地址"), Text(200), ("单位地址", "注册地址", "通讯地址")),
        Column("website", N_("网址"), Text(200), ("网站",), N_("以 http:// 或 https:// 开头")),
        Column("summary", N_("单位简介"), Text(4_000, multiline=True), ("简介", "主营业务", "主营产品")),
        Column(
            "clusters",
            N_("所属产业集群"),
            Codes(_clusters, N_("产业集群"), MOST_CLUSTERS),
            ("产业集群", "集群"),
            N_("名称或代码，用顿号分开，最多 5 个"),
            "智能网联新能源汽车",
        ),
        Column(
            "designations",
            N_("称号"),
            Designations(),
            ("资质称号", "荣誉称号"),
            N_("一行一项：称号|文号|认定机关|有效期"),
            "专精特新中小企业|渝专 2026-017|市经济信息委|2029-12-31",
        ),
    )

    def scope_of(self, scope: Scope) -> ColumnElement[bool]:
        return true()

    def blank(self) -> Values:
        return {column.name: column.codec.blank for column in self.columns}

    def title_key(self, title: str) -> str:
        return name_key(title)[:240]

    def same_title(self, key: Any) -> ColumnElement[bool]:
        return and_(Organisation.name_key == key, Organisation.status.not_in(UNSEEN))

    def same_number(self, number: Any) -> ColumnElement[bool]:
        return and_(Organisation.uscc == number, Organisation.status.not_in(UNSEEN))

    def still(self, *, public: bool) -> ColumnElement[bool]:
        return Organisation.status == S.UNCLAIMED

    def just_inserted(self, key: Any, number: Any) -> ColumnElement[bool]:
        return and_(Organisation.name_key == key, Organisation.status == S.UNCLAIMED)

    def find(
        self, scope: Scope, *, numbers: Sequence[str], ids: Sequence[int], titles: Sequence[str]
    ) -> list[Standing]:
        wanted = [
            condition
            for values, condition in (
                (numbers, Organisation.uscc.in_(numbers)),
                (ids, Organisation.id.in_(ids)),
                (titles, Organisation.name_key.in_(titles)),
            )
            if values
        ]
        if not wanted:
            return []
        # A registered one before a draft or a collected one of the same name: it is the one that counts.
        rows = db.session.scalars(
            select(Organisation)
            .where(or_(*wanted), Organisation.status.not_in(UNSEEN))
            .order_by(Organisation.status == S.UNCLAIMED, Organisation.id)
        )
        found: dict[str, Standing] = {}
        for row in rows:
            found.setdefault(row.uscc or row.name_key, self._standing(row))
        by_name: set[str] = set()
        kept = []
        for standing in found.values():
            key = self.title_key(standing.title)
            if key not in by_name or standing.public_no in numbers:
                kept.append(standing)
            by_name.add(key)
        return kept

    def _standing(self, row: Organisation) -> Standing:
        values = {
            **{name: getattr(row, name) for name in self.PLAIN},
            "uscc": row.uscc or "",
            "clusters": tuple(sorted(c.code for c in row.clusters)),
            "designations": tuple(
                DesignationDraft(d.kind, number=d.number, issuer=d.issuer, valid_to=d.valid_to)
                for d in row.designations
            ),
        }
        return Standing(
            id=row.id,
            version=row.version,
            public_no=row.uscc or "",
            title=row.name,
            values=values,
            left_alone="" if row.status is S.UNCLAIMED else LEFT_ALONE,
        )

    def obstacles(self, values: Values, *, published: bool, now: datetime) -> Iterator[Obstacle]:
        draft = OrganisationDraft(**{**values, "uscc": values["uscc"] or None})
        return obstacles_to_saving(draft)

    def stored(self, values: Values) -> Stored:
        now = clock.now()
        row = {name: values[name] for name in self.PLAIN}
        row["uscc"] = values["uscc"] or None
        row["name_key"] = self.title_key(values["name"])
        return Stored(
            row,
            {
                "clusters": [{"code": code} for code in values["clusters"]],
                # The operator's register is the confirmation.
                "designations": [
                    {
                        "kind": one.kind,
                        "number": one.number,
                        "issuer": one.issuer,
                        "valid_to": one.valid_to,
                        "confirmed_at": now,
                    }
                    for one in values["designations"]
                ],
            },
        )

    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        return {
            "status": S.UNCLAIMED,
            "version": 1,
            "created_at": now,
            "contact_name": "",
            "contact_phone": "",
            "contact_email": "",
            "status_reason": "",
        }
