"""Whose value a quantity is: the one that stands with a name in a clause, if it surely belongs to it.

Nothing is guessed: a quantity behind other words, one that is only a condition, a goal, a lack or somebody
else's is nobody's here. Not here: whether it is enough (`verdicts`).
"""

from __future__ import annotations

import re
from bisect import bisect_left

from marketplace.indicators.offers import Statement
from marketplace.indicators.reader import Quantity
from marketplace.indicators.units import same_dimension

# Said of others, of the future, or denied: not a statement about what is offered.
_NOT_THEIRS = re.compile(
    "国外|进口(?![压温流直管口])|竞品|竞争对手|传统|相比|对比|同类|市售|市面|现有产品|行业平均|国际先进|友商|一般产品|普通产品"
    "|目标(?!检测|识别|跟踪|追踪|物|定位)|计划|预计|力争|有望|期望|希望|寻求|预期|预估|(?<![虚模])拟(?![合态人真])|将达|未来|待验证|理论上|需要|急需"
    "|不能|无法|未能|尚未|未达|达不到|难以|没有|不支持|不具备"
    "|cannot|does not|not yet|fails to|conventional|competitor|target|expected|planned"
)
_CONDITION_AFTER = re.compile(
    r"\s?(?:时(?!间)|下(?![降限])|条件|的?(?:条件|情况|工况|环境|载荷|负载|负荷|试验|温度|压力)下)"
)
# Words that may stand between a name and its value; anything else makes it doubtful whose value it is.
_WORDS_BETWEEN = re.compile(
    "提升至|提升到|提高至|提高到|降低至|降低到|降至|降到|缩短至|缩短到|增加到|增加至|达到|高达|可以|能够|经测试"
    "|最高|最大|最低|最小|稳定|保持|控制|维持|指标|参数|要求|范围|一般|通常|典型|实测|测试|结果|满足|优于|表面|水平|能力|区间"
    "|等级|为|是|可|能|均|都|也|已|仅|达|到|至|在|从|由|的|值|[:：=\\s]"
    r"|\b(?:ra|rz|hrc|hv|hb|is|are|of|up|to|capacity|value|level|rating|reaches|rated|at|was|be|can|the|a|from)\b"
)
_WORDS_AFTER_VALUE = re.compile(
    r"级别|额定|最大|最高|超高|有效|整机|系统|平均|的|级|高|\s|\b(?:of|in|rated|maximum)\b"
)
_BRACKETED = re.compile(r"\([^()]{0,60}\)|（[^（）]{0,60}）")
# Longer than any row of such words with a bracket among them.
_FAR_AFTER = 100
_FAR_BEFORE = 30


def quantity_of(statement: Statement, start: int, end: int, unit: str) -> Quantity | None:
    """The quantity, comparable with `unit`, said of the name at `start`..`end`.

    It stands right after the name, else right before it, in the same clause.
    """
    plain = statement.plain
    if is_not_theirs(statement, start, end) or _CONDITION_AFTER.match(plain, end):
        return None
    nearest = _after(statement, start, end, unit) or _before(statement, start, end, unit)
    if nearest is None or _CONDITION_AFTER.match(plain, nearest.end):
        return None
    return nearest


def is_not_theirs(statement: Statement, start: int, end: int) -> bool:
    """Whether the clause around the name or quantity at start..end speaks of others, a goal or a lack."""
    first, last = statement.clause(start, end)
    return bool(
        _NOT_THEIRS.search(statement.plain, first, start) or _NOT_THEIRS.search(statement.plain, end, last)
    )


def _after(statement: Statement, start: int, end: int, unit: str) -> Quantity | None:
    plain, (_, last) = statement.plain, statement.clause(start, end)
    for quantity in statement.quantities[bisect_left(statement.quantity_starts, end) :]:
        if quantity.start - end > _FAR_AFTER or quantity.end > last:
            return None
        if not _may_be(quantity, unit):
            continue
        if not _WORDS_BETWEEN.sub("", _BRACKETED.sub("", plain[end : quantity.start]).lower()):
            return quantity
    return None


def _before(statement: Statement, start: int, end: int, unit: str) -> Quantity | None:
    plain, (first, _) = statement.plain, statement.clause(start, end)
    for quantity in reversed(statement.quantities[: bisect_left(statement.quantity_starts, start)]):
        if start - quantity.end > _FAR_BEFORE or quantity.start < first:
            return None
        if quantity.end > start or not _may_be(quantity, unit):
            continue
        if not _WORDS_AFTER_VALUE.sub("", plain[quantity.end : start].lower()):
            return quantity
    return None


def _may_be(quantity: Quantity, unit: str) -> bool:
    return quantity.value is not None and same_dimension(quantity.unit, unit)
