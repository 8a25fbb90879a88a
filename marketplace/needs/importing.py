"""Lines of a need list from a file, and back into one.

A hidden maximum price has a column of its own, for the owner alone: a list with a column of ceilings does
not become public because somebody forgot a tick.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, select

from marketplace.exchange.columns import Column, Day, Money, Number, Text
from marketplace.exchange.targets import EXTERNAL, NUMBER, Child, Scope, Stored, Values
from marketplace.kernel.access import EDITOR, Audience
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date, end_of_business_day, last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.needs import services
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import (
    Need,
    NeedChainLink,
    NeedCluster,
    NeedHiddenPrice,
    NeedIndicator,
    NeedList,
)
from marketplace.needs.rules import (
    LONGEST_ITEM,
    LONGEST_SPECIFICATION,
    NeedDraft,
    limits,
    obstacles_to_publishing,
)
from marketplace.postings.importing import (
    CHAIN_LINKS,
    CLUSTERS,
    EXTERNAL_NO,
    INDUSTRY,
    KEYWORDS,
    PUBLIC_NO,
    Indicators,
    PostingTarget,
    posting_children,
    region_column,
)

S = NeedStatus
HIDDEN_PRICE = "hidden_price"
RANKING = ("matching.rank_seeker",)


class NeedTarget(PostingTarget):
    kind: ClassVar[str] = "need"
    label: ClassVar[str] = N_("需求（清单明细）")
    purpose: ClassVar[str] = N_("把采购或配套清单逐行导入一张供需清单，新条目先存为草稿。")
    audience: ClassVar[Audience] = EDITOR
    order: ClassVar[int] = 10
    model: ClassVar[Any] = Need
    prefix: ClassVar[str] = "XQ"
    width: ClassVar[int] = 5
    PLAIN: ClassVar[tuple[str, ...]] = (
        "title", "specification", "quantity", "unit", "region", "delivery_on", "qualification", "industry",
    )  # fmt: skip
    closed_statuses: ClassVar[frozenset[Any]] = frozenset(set(S) - {S.DRAFT, S.PUBLISHED})
    public_status: ClassVar[Any] = S.PUBLISHED
    children: ClassVar[tuple[Child, ...]] = (
        *posting_children(("indicators", NeedIndicator), NeedCluster, NeedChainLink, "need_id"),
        Child("hidden_price", NeedHiddenPrice, "need_id", ("max_price_fen",)),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        PUBLIC_NO,
        EXTERNAL_NO,
        Column(
            "title",
            N_("标的名称"),
            Text(LONGEST_ITEM),
            ("名称", "物料名称", "产品名称", "需求名称", "标的", "品名", "item"),
            N_("要采购或配套的东西，最多 200 字"),
            "电机主轴管旋锻毛坯",
            required=True,
        ),
        Column(
            "specification",
            N_("技术规格"),
            Text(LONGEST_SPECIFICATION, multiline=True),
            ("规格", "规格型号", "技术要求", "规格要求", "技术参数", "描述"),
            N_("材料、尺寸、性能和标准，最多 8,000 字"),
            "材料 20MnCr5，旋锻成形后正火，表面无折叠和裂纹。",
        ),
        Column("quantity", N_("数量"), Number(), ("采购数量", "需求数量", "qty"), N_("数字"), "12000"),
        Column("unit", N_("计量单位"), Text(20), ("单位",), "", "件"),
        region_column(N_("交货地点"), "交货地", "交付地点"),
        Column(
            "delivery_on",
            N_("交货日期"),
            Day(),
            ("交期", "交付日期", "交货期"),
            N_("如 2027-03-31"),
            "2027-03-31",
        ),
        Column(
            "valid_until", N_("有效期至"), Day(), ("有效期", "截止日期"), N_("如 2027-06-30"), "2027-06-30"
        ),
        Column("qualification", N_("资格要求"), Text(300), ("资质要求",), "", "IATF 16949"),
        Column(
            "max_price_fen",
            N_("最高限价"),
            Money("yuan"),
            ("最高限价公开", "限价", "单价上限", "最高单价"),
            N_("单价，含税，对外公开；不公开的限价写在“内部最高限价”一列"),
            "86.5",
            fields=("max_price",),
        ),
        Column(
            HIDDEN_PRICE,
            N_("内部最高限价"),
            Money("yuan"),
            ("不公开限价", "最高限价不公开", "内部限价", "目标价", "保密限价"),
            N_("单价，含税，只有本单位能看到，不参与检索、匹配和对外导出"),
            private=True,
        ),
        KEYWORDS,
        CLUSTERS,
        CHAIN_LINKS,
        INDUSTRY,
        Column(
            "indicators",
            N_("规格指标"),
            Indicators(),
            ("指标", "技术指标", "考核指标"),
            N_("一行一项，如：★径向跳动≤0.02 mm"),
            "★径向跳动≤0.02 mm",
        ),
    )

    def scopes(self, actor: Actor) -> Sequence[tuple[int, str]]:
        rows = db.session.execute(
            select(NeedList.id, NeedList.public_no, NeedList.title)
            .where(NeedList.organisation_id == (actor.organisation_id or 0))
            .order_by(NeedList.id.desc())
            .limit(200)
        )
        return [(id, f"{title}（{public_no}）") for id, public_no, title in rows]

    def scope_of(self, scope: Scope) -> ColumnElement[bool]:
        return and_(super().scope_of(scope), Need.need_list_id == (scope.scope_id or 0))

    def values_of(self, row: Any) -> Values:
        return {
            **super().values_of(row),
            "valid_until": last_business_day(row.expires_at) if row.expires_at else None,
            "max_price_fen": row.max_price_fen,
        }

    def private_values(self, ids: Sequence[int]) -> dict[int, Values]:
        rows = db.session.execute(
            select(NeedHiddenPrice.need_id, NeedHiddenPrice.max_price_fen).where(
                NeedHiddenPrice.need_id.in_(ids)
            )
        )
        return {need_id: {HIDDEN_PRICE: fen} for need_id, fen in rows}

    def draft(self, values: Values) -> NeedDraft:
        hidden = values[HIDDEN_PRICE]
        taken = {
            name: values[name]
            for name in self.blank()
            if name not in (NUMBER, EXTERNAL, HIDDEN_PRICE, "max_price_fen")
        }
        return NeedDraft(
            **taken,
            max_price_fen=values["max_price_fen"] if hidden is None else hidden,
            max_price_hidden=hidden is not None,
        )

    def limits(self, draft: NeedDraft) -> Iterator[Obstacle]:
        return limits(draft)

    def gaps(self, draft: NeedDraft, *, now: datetime) -> Iterator[Obstacle]:
        return obstacles_to_publishing(draft, today=business_date(now))

    def obstacles(self, values: Values, *, published: bool, now: datetime) -> Iterator[Obstacle]:
        yield from super().obstacles(values, published=published, now=now)
        if values[HIDDEN_PRICE] is not None and values["max_price_fen"] is not None:
            yield Obstacle(HIDDEN_PRICE, N_("公开的最高限价和内部最高限价只能填一个"))
        if values[HIDDEN_PRICE] is not None and values[HIDDEN_PRICE] <= 0:
            yield Obstacle(HIDDEN_PRICE, N_("最高限价应大于 0；没有限价请留空"))

    def stored(self, values: Values) -> Stored:
        made = super().stored(values)
        until = values["valid_until"]
        made.row["expires_at"] = None if until is None else end_of_business_day(until)
        hidden = values[HIDDEN_PRICE]
        made.row["max_price_fen"] = values["max_price_fen"] if hidden is None else None
        made.children["hidden_price"] = [] if hidden is None else [{"max_price_fen": hidden}]
        return made

    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        return {**super().fresh(scope, now=now), "need_list_id": scope.scope_id, "status": S.DRAFT}

    def revise_thing(self, thing: Any, draft: Any, *, by: Actor, now: datetime) -> None:
        services.revise(thing, draft, version=thing.version, by=by, now=now)

    def withdraw(self, ids: Sequence[int], *, by: Actor, now: datetime) -> int:
        needs = db.session.scalars(
            select(Need).where(Need.id.in_(ids), Need.status == S.PUBLISHED).order_by(Need.id)
        ).all()
        for need in needs:
            services.withdraw(need, reason=WITHDRAWN_WITH_LIST, by=by, now=now)
        return len(needs)

    def asked_for(self, ids: Sequence[int], *, import_id: int, now: datetime) -> None:
        self.rank_at_once(ids, RANKING, import_id=import_id, now=now)


WITHDRAWN_WITH_LIST = "清单更新后不再需要"
