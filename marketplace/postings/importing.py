"""What the imports of all postings share: their columns, the cell of indicators, and the rows they become.

Not here: the columns of one kind of posting, and what its rules say (each feature's `importing`).
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.exchange.cells import Cell
from marketplace.exchange.columns import Code, Codes, Column, Text, Words, plain_text
from marketplace.exchange.faults import WrongCell
from marketplace.exchange.targets import EXTERNAL, NUMBER, Child, Scope, Standing, Stored, Target, Values
from marketplace.indicators.model import Comparator, Indicator, Mark, Verifier
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.outbox import OutboxRow, defer
from marketplace.kernel.texts import N_
from marketplace.postings.codes import ended_codes
from marketplace.postings.forms import IndicatorRow, IndicatorRows
from marketplace.postings.models import IndicatorColumns
from marketplace.postings.rules import (
    LONGEST_KEYWORD,
    MOST_CHAIN_LINKS,
    MOST_CLUSTERS,
    MOST_INDICATORS,
    MOST_KEYWORDS,
)
from marketplace.postings.texts import searchable
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

# Above this the single pieces of ranking are one bulk.
MOST_RANKED_SINGLY = 50
VERIFIER_WORDS = {Verifier.SELF: "自测", Verifier.THIRD_PARTY: "第三方", Verifier.ON_SITE: "用户现场"}
_MARKS = {mark.symbol: mark for mark in Mark} | {"必达": Mark.MUST, "重要": Mark.KEY, "一般": Mark.PLAIN}
_COMPARATORS = {comparator.symbol: comparator for comparator in Comparator} | {
    ">=": Comparator.GE,
    "<=": Comparator.LE,
    "不小于": Comparator.GE,
    "不大于": Comparator.LE,
    "等于": Comparator.EQ,
    "+-": Comparator.PM,
}
_CUT = re.compile(r"(?<!\\)[|｜]")
_SHORT = re.compile(
    # The name begins with a letter or sign: or blanks could be divided between it and what is before it in
    # more ways than there is time for.
    r"([★▲·]?)\s*(\S.{0,99}?)\s*(≥|≤|>=|<=|=|±)\s*([+\-−]?[0-9][0-9,.]{0,20})\s*([^0-9\s|].{0,29})?"
)


@dataclass(frozen=True, slots=True)
class Indicators:
    """All indicators of a posting in one cell, a line each:

    ★|抗拉强度|≥|1200||MPa|室温|GB/T 228.1|第三方|40, or in short: ★抗拉强度≥1200 MPa.
    The parts: mark, name, comparator, value, second value, unit, condition, method, verifier, weight.
    """

    blank: tuple[Indicator, ...] = ()

    def read(self, text: str, unit: str = "") -> tuple[Indicator, ...]:
        lines = [line for line in plain_text(text, limit=32_767, multiline=True).split("\n") if line.strip()]
        if len(lines) > MOST_INDICATORS:
            raise WrongCell(N_("指标最多 %(limit)s 项"), {"limit": MOST_INDICATORS})
        rows = IndicatorRows(rows=[_row(line, number) for number, line in enumerate(lines, start=1)])
        indicators, obstacles = rows.read()
        for obstacle in obstacles:
            raise WrongCell(obstacle.message, obstacle.params)
        return tuple(indicators)

    def write(self, value: Sequence[Indicator]) -> Cell:
        return "\n".join(_line(indicator) for indicator in value)


def _row(line: str, number: int) -> IndicatorRow:
    parts = [part.strip().replace("\\|", "|") for part in _CUT.split(line.strip())]
    if len(parts) == 1:
        short = _SHORT.fullmatch(line.strip())
        if short is None:
            raise WrongCell(
                N_("第 %(n)s 项看不懂，请写成“★抗拉强度≥1200 MPa”或用“|”分开各部分"), {"n": number}
            )
        mark, name, comparator, value, unit = short.groups(default="")
        parts = [mark or "·", name, comparator, value, "", unit.strip()]
    if len(parts) > 10:
        raise WrongCell(
            N_("第 %(n)s 项最多 10 个部分，现有 %(count)s 个"), {"n": number, "count": len(parts)}
        )
    parts += [""] * (10 - len(parts))
    words = {word: verifier.value for verifier, word in VERIFIER_WORDS.items()}
    return IndicatorRow(
        mark=_MARKS[parts[0]].value if parts[0] in _MARKS else parts[0] or Mark.PLAIN.value,
        name=parts[1],
        comparator=_COMPARATORS[parts[2]].value if parts[2] in _COMPARATORS else parts[2],
        value=parts[3],
        second=parts[4],
        unit=parts[5],
        condition=parts[6],
        method=parts[7],
        verifier=words.get(parts[8], parts[8]),
        weight=parts[9],
    )


def _line(indicator: Indicator) -> str:
    row = IndicatorRow.showing(indicator)
    parts = [
        indicator.mark.symbol,
        row.name,
        indicator.comparator.symbol,
        row.value,
        row.second,
        row.unit,
        row.condition,
        row.method,
        VERIFIER_WORDS[indicator.verifier] if indicator.verifier else "",
        row.weight,
    ]
    while len(parts) > 6 and not parts[-1]:
        parts.pop()
    return "|".join(part.replace("|", "\\|") for part in parts)


def _clusters() -> list[tuple[str, str]]:
    return [(code, name) for code, name, _tier in taxonomy.cluster_pairs()]


def _regions() -> list[tuple[str, str]]:
    """Every region by its full name (重庆市渝北区)."""
    return [(code, taxonomy.region_name(code)) for code, _name, _province in taxonomy.region_pairs()]


def _links() -> list[tuple[str, str]]:
    return [(code, name) for code, name, _chain in taxonomy.chain_link_pairs()]


PUBLIC_NO = Column(
    NUMBER, N_("编号"), Text(20), ("平台编号",), N_("平台给的编号。修改已有条目时填写，新条目留空。")
)
EXTERNAL_NO = Column(
    EXTERNAL,
    N_("外部编号"),
    Text(60),
    ("本单位编号", "内部编号", "物料编码", "物料号", "图号", "项目编号"),
    N_("贵单位自己的编号，再次导入时凭它认出同一条。"),
    "A-2026-001",
)
KEYWORDS = Column(
    "keywords",
    N_("关键词"),
    Words(MOST_KEYWORDS, LONGEST_KEYWORD),
    ("标签",),
    N_("最多 10 个，用顿号分开"),
    "旋锻、主轴管",
)
CLUSTERS = Column(
    "clusters",
    N_("所属产业集群"),
    Codes(_clusters, N_("产业集群"), MOST_CLUSTERS),
    ("产业集群", "集群"),
    N_("名称或代码，用顿号分开，最多 5 个"),
    "智能网联新能源汽车",
)
CHAIN_LINKS = Column(
    "chain_links",
    N_("产业链环节"),
    Codes(_links, N_("产业链环节"), MOST_CHAIN_LINKS),
    ("所在产业链环节", "产业链"),
    N_("名称或代码，用顿号分开，最多 5 个"),
)
INDUSTRY = Column(
    "industry",
    N_("国民经济行业"),
    Code(lambda: taxonomy.flat_pairs(Scheme.INDUSTRY), N_("国民经济行业")),
    ("行业",),
    N_("GB/T 4754 大类，名称或代码"),
    "C36",
)


def region_column(label: str, *synonyms: str) -> Column:
    return Column(
        "region",
        label,
        Code(_regions, N_("行政区划")),
        ("地区", *synonyms),
        N_("如“重庆市渝北区”"),
        "重庆市渝北区",
    )


def cooperation_codec() -> Codes:
    return Codes(taxonomy.cooperation_pairs, N_("合作方式"), 9)


class PostingTarget(Target):
    """`PLAIN` are the columns of the thing that hold a value as it is read."""

    PLAIN: ClassVar[tuple[str, ...]]
    indicators: ClassVar[str] = "indicators"
    # Tables of its own that `values_of` reads.
    loads: ClassVar[tuple[str, ...]] = ("clusters", "chain_links")
    closed_statuses: ClassVar[frozenset[Any]]
    public_status: ClassVar[Any]

    def scope_of(self, scope: Scope) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = self.model.organisation_id == (scope.organisation_id or 0)
        return condition

    def still(self, *, public: bool) -> ColumnElement[bool]:
        told = {*self.closed_statuses, self.public_status} - {None}
        condition: ColumnElement[bool] = (
            self.model.status == self.public_status if public else self.model.status.not_in(told)
        )
        return condition

    def blank(self) -> Values:
        return {column.name: column.codec.blank for column in self.columns}

    def find(
        self, scope: Scope, *, numbers: Sequence[str], ids: Sequence[int], titles: Sequence[str]
    ) -> list[Standing]:
        model = self.model
        wanted = [
            condition
            for values, condition in (
                (numbers, model.public_no.in_(numbers)),
                (ids, model.id.in_(ids)),
                (titles, model.title.in_(titles)),
            )
            if values
        ]
        if not wanted:
            return []
        statement = (
            select(model)
            .options(*(selectinload(getattr(model, name)) for name in (self.indicators, *self.loads)))
            .where(self.scope_of(scope), or_(*wanted))
            .order_by(model.id)
        )
        rows = list(db.session.scalars(statement))
        private = self.private_values([row.id for row in rows])
        return [self._standing(row, private.get(row.id, {})) for row in rows]

    def _standing(self, row: Any, private: Values) -> Standing:
        values = {**self.blank(), **self.values_of(row), **private, NUMBER: row.public_no}
        return Standing(
            id=row.id,
            version=row.version,
            public_no=row.public_no,
            title=row.title,
            values=values,
            published=row.status == self.public_status,
            closed=self.reason_closed(row),
        )

    def reason_closed(self, row: Any) -> str:
        return N_("这条已不能修改（已提交、撤回、下架或收录）") if row.status in self.closed_statuses else ""

    def values_of(self, row: Any) -> Values:
        """What a row says, in the columns of the import."""
        return {
            **{name: getattr(row, name) for name in self.PLAIN},
            "keywords": tuple(row.keywords),
            "clusters": tuple(sorted(c.code for c in row.clusters)),
            "chain_links": tuple(sorted(link.code for link in row.chain_links)),
            self.indicators: tuple(i.as_indicator() for i in getattr(row, self.indicators)),
        }

    def private_values(self, ids: Sequence[int]) -> dict[int, Values]:
        """What only the owner may read, by the thing's id."""
        return {}

    @abstractmethod
    def draft(self, values: Values) -> Any:
        """The draft that the feature's rules and services take."""

    @abstractmethod
    def limits(self, draft: Any) -> Iterator[Obstacle]: ...

    @abstractmethod
    def gaps(self, draft: Any, *, now: datetime) -> Iterator[Obstacle]:
        """What keeps a published thing from staying so."""

    def obstacles(self, values: Values, *, published: bool, now: datetime) -> Iterator[Obstacle]:
        draft = self.draft(values)
        found = [*self.limits(draft), *(self.gaps(draft, now=now) if published else ()), *ended_codes(draft)]
        seen = set()
        for obstacle in found:
            mark = (obstacle.field, obstacle.message)
            if mark not in seen:
                seen.add(mark)
                yield obstacle

    def stored(self, values: Values) -> Stored:
        row = {name: values[name] for name in self.PLAIN}
        row["keywords"] = list(values["keywords"])
        row["search_text"] = searchable(
            values[NUMBER] or "",
            values["title"],
            *values["keywords"],
            *(values[name] or "" for name in self.model.SEARCHED),
        )
        children = {
            "clusters": [{"code": code} for code in values["clusters"]],
            "chain_links": [{"code": code} for code in values["chain_links"]],
            self.indicators: [
                {**IndicatorColumns.columns_of(indicator), "position": position}
                for position, indicator in enumerate(values[self.indicators])
            ],
        }
        return Stored(row, children)

    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        return {
            "organisation_id": scope.organisation_id,
            "version": 1,
            "created_at": now,
            "updated_at": now,
            "status_reason": "",
            "source_title": "",
            "source_url": "",
            "title_only": False,
            "withheld": [],
        }

    def read_back(self, thing_id: int, scope: Scope, changes: Sequence[Sequence[str]]) -> Values:
        """What a thing says once the changes of a preview are made in it."""
        standing = self.find(scope, numbers=(), ids=[thing_id], titles=())[0]
        by_label = {column.label: column for column in self.columns}
        given = {by_label[label].name: by_label[label].read(new) for label, _old, new in changes}
        return {**standing.values, **given}

    def revise(
        self, thing_id: int, scope: Scope, changes: Sequence[Sequence[str]], *, by: Actor, now: datetime
    ) -> None:
        """Change what is published, by the act that a person would use."""
        values = self.read_back(thing_id, scope, changes)
        model = self.model
        loads = (self.indicators, *self.loads)
        thing = db.session.scalars(
            select(model)
            .options(joinedload(model.organisation), *(selectinload(getattr(model, n)) for n in loads))
            .where(model.id == thing_id, self.scope_of(scope))
            .with_for_update(of=model)
            .execution_options(populate_existing=True)
        ).one()
        self.revise_thing(thing, self.draft(values), by=by, now=now)

    def revise_thing(self, thing: Any, draft: Any, *, by: Actor, now: datetime) -> None:
        raise NotImplementedError

    def rank_at_once(
        self, ids: Sequence[int], kinds: Sequence[str], *, import_id: int, now: datetime
    ) -> None:
        """Many single pieces of ranking that this transaction asked for become one bulk."""
        if len(ids) <= MOST_RANKED_SINGLY:
            return
        db.session.flush()
        db.session.execute(
            delete(OutboxRow).where(
                OutboxRow.kind.in_(kinds), OutboxRow.subject_id.in_(ids), OutboxRow.created_at >= now
            ),
            execution_options={"synchronize_session": False},
        )
        defer("matching.rank_import", subject_id=import_id, bulk=True)


def posting_children(indicators: tuple[str, Any], cluster: Any, link: Any, parent: str) -> tuple[Child, ...]:
    """The tables that hang on every posting."""
    return (
        Child("clusters", cluster, parent, ("code",)),
        Child("chain_links", link, parent, ("code",)),
        Child(indicators[0], indicators[1], parent, (*IndicatorColumns.FIELDS, "position")),
    )
