"""What every posting's text and indicators are held to. Plain Python: facts come in, obstacles go out.

Limits hold for drafts too; gaps are what keeps a thing from being published. Not here: what only one kind
of posting asks for (that feature's `rules`).
"""

from collections.abc import Iterator, Mapping, Sequence

from marketplace.indicators.model import Comparator, Indicator, Mark
from marketplace.kernel import typed
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

LONGEST_REASON = 1000
MOST_INDICATORS = 40
MOST_KEYWORDS = 10
LONGEST_KEYWORD = 30
MOST_CLUSTERS = 5
MOST_CHAIN_LINKS = 5
LONGEST = {"name": 100, "text_value": 60, "unit": 30, "condition": 200, "method": 200}
# NUMERIC(20, 6) holds fourteen digits before the point and six after it.
LARGEST, FINEST = 14, 6


def text_limits(texts: Mapping[str, tuple[str, int]]) -> Iterator[Obstacle]:
    """`texts`: field → (what is written, how many characters it may have)."""
    for field, (text, longest) in texts.items():
        if len(text) > longest:
            yield Obstacle(
                field,
                N_("最多 %(limit)s 个字，现有 %(length)s 个字"),
                {"limit": longest, "length": len(text)},
            )


def reason_gaps(reason: str) -> Iterator[Obstacle]:
    """What a reason that everybody may read lacks, or holds too much of."""
    yield from typed.reason_gaps(reason, limit=LONGEST_REASON)


def list_limits(
    keywords: Sequence[str], clusters: Sequence[str], chain_links: Sequence[str] = ()
) -> Iterator[Obstacle]:
    if len(keywords) > MOST_KEYWORDS:
        yield Obstacle("keywords", N_("关键词最多 %(limit)s 个"), {"limit": MOST_KEYWORDS})
    if any(len(word) > LONGEST_KEYWORD for word in keywords):
        yield Obstacle("keywords", N_("每个关键词最多 %(limit)s 个字"), {"limit": LONGEST_KEYWORD})
    if len(clusters) > MOST_CLUSTERS:
        yield Obstacle("clusters", N_("产业集群最多选 %(limit)s 个"), {"limit": MOST_CLUSTERS})
    if len(chain_links) > MOST_CHAIN_LINKS:
        yield Obstacle("chain_links", N_("产业链环节最多选 %(limit)s 个"), {"limit": MOST_CHAIN_LINKS})


def indicator_limits(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    """What even a draft must keep to, so that it can be stored as it was written."""
    if len(indicators) > MOST_INDICATORS:
        yield Obstacle(field, N_("指标最多 %(limit)s 项"), {"limit": MOST_INDICATORS})
    for i, indicator in enumerate(indicators):
        for name, longest in LONGEST.items():
            if len(getattr(indicator, name)) > longest:
                place = "value" if name == "text_value" else name
                yield Obstacle(
                    f"{field}.{i}.{place}",
                    N_("第 %(n)s 项：最多 %(limit)s 个字"),
                    {"n": i + 1, "limit": longest},
                )
        for name, place in (("value", "value"), ("value_to", "second"), ("nominal", "second")):
            value = getattr(indicator, name)
            if value is None or not value:
                continue
            if value.adjusted() >= LARGEST or -int(value.normalize().as_tuple().exponent) > FINEST:
                yield Obstacle(
                    f"{field}.{i}.{place}",
                    N_("第 %(n)s 项：数值过大或过细（整数最多 14 位，小数最多 6 位），请换一个单位"),
                    {"n": i + 1},
                )
        if not 0 <= indicator.weight <= 100:
            yield Obstacle(f"{field}.{i}.weight", N_("第 %(n)s 项：权重应在 0 到 100 之间"), {"n": i + 1})


def name_gaps(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    for i, indicator in enumerate(indicators):
        if not indicator.name.strip():
            yield Obstacle(f"{field}.{i}.name", N_("第 %(n)s 项指标没有名称"), {"n": i + 1})


def value_gaps(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    """Indicators whose comparator and values do not yet say what is required."""
    for i, indicator in enumerate(indicators):
        place, message = _value_gap(indicator)
        if message:
            yield Obstacle(f"{field}.{i}.{place}", message, {"n": i + 1})


def _value_gap(indicator: Indicator) -> tuple[str, str]:
    match indicator.comparator:
        case Comparator.EQ if indicator.text_value:
            return "", ""
        case Comparator.RANGE:
            if indicator.value is None:
                return "value", N_("第 %(n)s 项指标缺少区间下限")
            if indicator.value_to is None:
                return "second", N_("第 %(n)s 项指标缺少区间上限")
            if indicator.value >= indicator.value_to:
                return "second", N_("第 %(n)s 项指标的上限应大于下限")
        case Comparator.PM if indicator.value is not None and indicator.value <= 0:
            return "value", N_("第 %(n)s 项指标的允差应大于 0")
        case _ if indicator.value is None:
            return "value", N_("第 %(n)s 项指标缺少数值")
    return "", ""


def unit_gaps(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    for i, indicator in enumerate(indicators):
        if not indicator.text_value and not indicator.unit.strip():
            yield Obstacle(f"{field}.{i}.unit", N_("第 %(n)s 项指标缺少单位（无量纲请填“1”）"), {"n": i + 1})


def method_gaps(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    for i, indicator in enumerate(indicators):
        if not indicator.method.strip():
            yield Obstacle(
                f"{field}.{i}.method", N_("第 %(n)s 项指标缺少试验方法：写明标准号或试验规范"), {"n": i + 1}
            )


def verifier_gaps(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    for i, indicator in enumerate(indicators):
        if indicator.verifier is None:
            yield Obstacle(
                f"{field}.{i}.verifier",
                N_("第 %(n)s 项指标没有选验证方：自测、第三方或用户现场"),
                {"n": i + 1},
            )


def weight_gaps(indicators: Sequence[Indicator], field: str = "indicators") -> Iterator[Obstacle]:
    total = sum(indicator.weight for indicator in indicators)
    if indicators and total != 100:
        yield Obstacle(field, N_("指标权重合计应为 100%%，现为 %(total)s%%"), {"total": total})


def has_must(indicators: Sequence[Indicator]) -> bool:
    return any(indicator.mark is Mark.MUST for indicator in indicators)
