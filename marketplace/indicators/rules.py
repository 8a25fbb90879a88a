"""What keeps an indicator from being published: whether it can be measured, compared and verified.

Plain rules on one indicator. What a whole challenge needs (how many indicators, weights that sum up) is a
rule of the challenge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.indicators.model import Comparator, Indicator
from marketplace.kernel.texts import N_

# (field of Indicator, message, its parameters)
IndicatorObstacle = tuple[str, str, Mapping[str, Any]]


def obstacles_in_indicator(indicator: Indicator) -> Iterator[IndicatorObstacle]:
    """Everything that keeps one indicator from being published, each at its field, all at once.

    Yields (field, message, params); the message is marked for gettext and has %(name)s places.
    """
    if not indicator.name.strip():
        yield "name", N_("写明指标名称"), {}
    yield from _obstacles_in_value(indicator)
    if not indicator.method.strip():
        yield "method", N_("写明试验方法或依据的标准"), {}
    if indicator.verifier is None:
        yield "verifier", N_("选择验证方式:自测、第三方检测或用户现场"), {}
    if not 0 <= indicator.weight <= 100:
        yield "weight", N_("权重应在 0 到 100 之间"), {}


def _obstacles_in_value(indicator: Indicator) -> Iterator[IndicatorObstacle]:
    comparator = indicator.comparator
    if comparator is Comparator.EQ and indicator.text_value.strip():
        if indicator.value is not None:
            yield "text_value", N_("等级和数值只填一项"), {}
        return
    if indicator.value is None:
        yield "value", N_("填写“%(comparator)s”的指标值"), {"comparator": comparator.symbol}
    if not indicator.unit.strip():
        yield "unit", N_("填写计量单位,计数和比例也要写明,如“个”“倍”“百分比”"), {}
    if comparator is Comparator.RANGE:
        yield from _obstacles_in_range(indicator)
    if comparator is Comparator.PM and indicator.value is not None and indicator.value <= 0:
        yield "value", N_("允差应大于 0"), {}


def _obstacles_in_range(indicator: Indicator) -> Iterator[IndicatorObstacle]:
    if indicator.value_to is None:
        yield "value_to", N_("填写区间的上限"), {}
    elif indicator.value is not None and indicator.value >= indicator.value_to:
        yield (
            "value_to",
            N_("区间上限应大于下限 %(low)s"),
            {"low": format(indicator.value, "f")},
        )
