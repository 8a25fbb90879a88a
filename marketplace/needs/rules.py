"""What a supply need must say to be published. Plain Python."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from marketplace.indicators.model import Indicator
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.postings.rules import FINEST, LARGEST, indicator_limits, list_limits

SHORTEST_ITEM, LONGEST_ITEM = 2, 200
SHORTEST_SPECIFICATION, LONGEST_SPECIFICATION = 10, 8_000
LONGEST_VALIDITY = timedelta(days=365)
RENEWAL = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class NeedDraft:
    """Everything that a form or an import says of one line of a need list."""

    title: str = ""
    specification: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    region: str | None = None
    delivery_on: date | None = None
    valid_until: date | None = None
    qualification: str = ""
    max_price_fen: int | None = None
    max_price_hidden: bool = False
    keywords: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    chain_links: tuple[str, ...] = ()
    industry: str | None = None
    indicators: tuple[Indicator, ...] = ()


def limits(draft: NeedDraft) -> Iterator[Obstacle]:
    """What even a draft must keep to, so that it can be stored as it was meant."""
    if (quantity := draft.quantity) is not None:
        if quantity <= 0:
            yield Obstacle("quantity", N_("数量应大于 0"))
        elif quantity.adjusted() >= LARGEST or quantity != round(quantity, FINEST):
            yield Obstacle("quantity", N_("数值过大或过细（整数最多 14 位，小数最多 6 位），请换一个单位"))
    if draft.max_price_fen is not None and draft.max_price_fen <= 0:
        yield Obstacle("max_price", N_("最高限价应大于 0；没有限价请留空"))
    if draft.max_price_hidden and draft.max_price_fen is None:
        # A tick without a price has no place to be kept, and a price must not become public by its loss.
        yield Obstacle("max_price", N_("选择不公开最高限价时，请填写限价"))
    yield from indicator_limits(draft.indicators)
    yield from list_limits(draft.keywords, draft.clusters, draft.chain_links)


def obstacles_to_publishing(draft: NeedDraft, *, today: date) -> Iterator[Obstacle]:
    """Everything that keeps a line from being published, all at once. `today` is a Shanghai day."""
    yield from limits(draft)
    yield from _unstated(draft)
    yield from _wrong_days(draft, today=today)
    for position, indicator in enumerate(draft.indicators):
        if not indicator.name:
            yield Obstacle(f"indicators-{position}-name", N_("指标缺少名称"))
        if indicator.value is None and not indicator.text_value:
            yield Obstacle(f"indicators-{position}-value", N_("指标缺少数值"))


def _unstated(draft: NeedDraft) -> Iterator[Obstacle]:
    if len(draft.title) < SHORTEST_ITEM:
        yield Obstacle("title", N_("标的名称至少 %(limit)d 字"), {"limit": SHORTEST_ITEM})
    if len(draft.specification) < SHORTEST_SPECIFICATION:
        yield Obstacle("specification", N_("技术规格至少 %(limit)d 字"), {"limit": SHORTEST_SPECIFICATION})
    if draft.quantity is None:
        yield Obstacle("quantity", N_("请填写数量"))
    if not draft.unit:
        yield Obstacle("unit", N_("请填写计量单位"))
    if not draft.clusters:
        yield Obstacle("clusters", N_("至少选一个所属产业集群"))


def _wrong_days(draft: NeedDraft, *, today: date) -> Iterator[Obstacle]:
    if draft.valid_until is None:
        yield Obstacle("valid_until", N_("请填写有效期"))
    elif draft.valid_until < today:
        yield Obstacle("valid_until", N_("有效期不能早于今天"))
    elif draft.valid_until > today + LONGEST_VALIDITY:
        yield Obstacle("valid_until", N_("有效期最长 %(limit)d 天"), {"limit": LONGEST_VALIDITY.days})
    if draft.delivery_on is not None and draft.delivery_on < today:
        yield Obstacle("delivery_on", N_("交货日期不能早于今天"))
