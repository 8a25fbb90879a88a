"""Whose value a quantity is: the one that stands with a name in a clause, if it surely belongs to it.

Nothing is guessed: a quantity behind other words, one that is only a condition, a goal, a lack or somebody
else's is nobody's here. Not here: whether it is enough (`verdicts`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace

from marketplace.indicators.model import Comparator
from marketplace.indicators.offers import Statement
from marketplace.indicators.reader import Quantity, read_spelled
from marketplace.indicators.units import parse_unit, same_dimension

# Said of others or denied, anywhere in the clause: not a statement about what is offered.
_NOT_THEIRS = re.compile(
    "国外|进口(?![压温流直管口])|竞品|竞争对手|传统|相比|对比|同类|市售|市面|现有(?:产品|技术|方法|方案|设备|系统|工艺|水平)"
    "|行业平均|国际先进|友商|一般产品|普通产品|理论|极限(?!压力|真空|强度|转速)"
    "|不能|无法|未能|尚未|未达|达不到|难以|没有|不支持|不具备|不再|并非|并未|从未|不足以"
    "|可定制|选配|可选配|待验证|急需|文献"
    "|cannot|does not|not yet|fails to|conventional|competitor"
)
# The same, but only in front of the value: "效率95%,为业界最高" is theirs, "业界效率95%" is not.
_NOT_THEIRS_BEFORE = re.compile(
    "业界|业内|一般(?!情况)|普通|常规|常见|厂家|大厂|同行|合作单位|合作方|供应商|其他(?:厂|公司|企业|产品|单位)"
    "|用于(?!.{0,8}(?:温度|湿度|环境|海拔|电压|频率))|面向|针对|德国|日本|美国|欧美|韩国|瑞士|法国|英国|意大利"
    "|(?<!满足)(?<!符合)(?<!达到)(?<!满足客户)(?<!满足用户)(?<!技术)(?<!性能)要求|需求|需要"
)
# Of the future: it holds for the rest of the sentence ("目标:额定负载20kg,臂展1.7m").
_GOAL = re.compile(
    "目标(?!检测|识别|跟踪|追踪|物|定位|分割)|(?<!本)计划|预计|力争|争取|有望|可望|期望|希望|寻求|预期|预估|规划|(?<![虚模])拟(?![合态人真])"
    "|将达|将会|将可|未来|正在(?:研发|开发|研制|攻关)|在研|待开发|若|如果|假如|倘若|如需|一旦|设想|开工|动工|奠基|在建|拟建|筹建"
    "|到20[0-9]{2}年|20[0-9]{2}年(?:底|末)?前"
    "|target|expected|planned|will be"
)
# A clause about others that states values is followed by more of theirs, until the text turns to its own.
_TURNS_TO_OWN = re.compile("本|我|而|该|公司|自主|团队|所开发|所研|打破|替代|取代|优于|our|this")
_CONDITION_AFTER = re.compile(
    r"\s?(?:时(?![间延])|下(?![降限])|条件|的?(?:条件|情况|工况|环境|载荷|负载|负荷|试验|温度|压力)下"
    "|即(?![可是为])|则|会|便|就|后(?![置端处理备续])|前(?![端置])|报警|失效|停机)"
)
# "高于380V的电网" bounds the grid, "误差小于1%的特点" does not bound a thing of its own.
_BOUNDS_ANOTHER = re.compile(
    "[的之](?!特点|优点|优势|性能|特性|能力|水平|效果|精度|要求|指标|范围|条件)[\u4e00-\u9fff]"
)
# "从80%提升到95%": what was, and what is
_WAS = re.compile("(?:从|由)(?:原来|原先|原有|以往|此前|现有|传统)?的?$")
_CHANGES_TO = re.compile(
    r"\s?,?\s?(?:大幅|显著|逐步)?(?:提升|提高|升高|上升|增加|增长|增|升|延长|改善|降低|下降|降|缩短|减少|减小|压缩|减|扩大)"
    r"(?:到|至|为)(?:了|约)?\s?"
)
# Words that may stand between a name and its value; anything else makes it doubtful whose value it is.
_WORDS_BETWEEN = re.compile(
    "只有|仅有|介于|覆盖|涵盖|处于|低至|高至|长达|多达|可低至|人民币|约合|仅需|只需|只要|延长至|延长到|升至|升到|增至|扩大到|扩大至|压缩到|压缩至|减少到|减少至|下降到|下降至|改善到|改善至|降为|缩短为|提升为|提高为|提升至|提升到|提高至|提高到|降低至|降低到|降至|降到|缩短至|缩短到|增加到|增加至|达到|高达|可以|能够|经测试"
    "|最高|最大|最低|最小|稳定|保持|控制|维持|指标|参数|范围|一般|通常|典型|实测|测试|结果|满足|优于|表面|水平|能力|区间"
    "|等级|为|是|可|能|均|都|也|已|仅|达|到|至|在|从|由|的|值|[:：=|\\s]"
    r"|\b(?:ra|rz|hrc|hv|hb|is|are|of|up|to|capacity|value|level|rating|reaches|rated|at|was|be|can|the|a|from)\b"
    r"|\b(?:dc|ac|d[159]0|tg|tm|rm|re|rel|reh|rp|mtbf|pn|dn|cpk)\b|[λησφδρθ]b?"
)
_WORDS_AFTER_VALUE = re.compile(
    r"级别|额定|最大|最高|超高|有效|整机|系统|平均|的|级|高|\s|\b(?:of|in|rated|maximum)\b"
)
_UNIT_IN_BRACKETS = re.compile(
    r"\s?[(（]\s?(?P<unit>[^()（）\s]{1,12}(?:\([^()]{1,8}\))?)\s?[)）]\s?[:：|为]?\s?"
    r"(?P<number>[≥≤<>]?=?\s?[-±]?[0-9][0-9.]{0,15}(?:\s?[~±-]\s?[0-9][0-9.]{0,15})?)(?![0-9])"
)
_BRACKETED = re.compile(r"\([^()]{0,60}\)|（[^（）]{0,60}）")
# "12年使用寿命评估经验" is about something else than "具有12年的使用寿命"
_NAME_ENDS = re.compile(
    r"(?:能力|指标|水平|等级|级别|性能|值|等)?(?:[^\u4e00-\u9fffA-Za-z0-9]|[的和与及且并以之为是,]|\Z)"
)
_NOT_REACHED = re.compile(r"(?:(?<!不)低于|(?<!不)小于|不足|不到|不及|未达|未到|非|没)\s?\Z")
_SERVICE_AFTER = re.compile(
    r"\s?(?:等级|级别|级)?的?(?:防护|防水)?(?:测试|检测|试验|认证|开发|设计)?(?:设备|服务|咨询|培训|仪器|供应商|实验室|试验箱)"
)
_NEAR = 4
# Longer than any row of such words with a bracket among them.
_FAR_AFTER = 100
_FAR_BEFORE = 30


def quantity_of(statement: Statement, start: int, end: int, unit: str) -> Quantity | None:
    """The quantity, comparable with `unit`, said of the name at `start`..`end`.

    It stands right after the name, else right before it, in the same clause.
    """
    plain = statement.plain
    if not statement.quantities and not _UNIT_IN_BRACKETS.match(plain, end):
        return None
    found = (
        _in_table(statement, end, unit)
        or _after(statement, start, end, unit)
        or _before(statement, start, end, unit)
    )
    if found is None or _CONDITION_AFTER.match(plain, end) or _CONDITION_AFTER.match(plain, found.end):
        return None
    if is_not_theirs(statement, start, end):
        return None
    is_bound = found.comparator in (Comparator.GE, Comparator.LE)
    return None if found.start >= end and is_bound and _BOUNDS_ANOTHER.match(plain, found.end) else found


def is_only_named(statement: Statement, start: int, end: int) -> bool:
    """Whether the grade there is not reached (低于IP67), or what a service is about (IP67测试设备)."""
    plain = statement.plain
    return bool(_NOT_REACHED.search(plain, max(0, start - _NEAR), start) or _SERVICE_AFTER.match(plain, end))


def is_not_theirs(statement: Statement, start: int, end: int) -> bool:
    """Whether the words around the name or quantity at start..end speak of others, a goal or a lack."""
    if statement.is_goal:
        return True
    first, last = statement.clause(start, end)
    if any(goal < start or end <= goal < last for goal, _ in statement.marks(_GOAL)):
        return True
    if any(first <= mark and its_end <= start for mark, its_end in statement.marks(_NOT_THEIRS_BEFORE)):
        return True
    if any(
        first <= mark < last and not (start <= mark and its_end <= end)
        for mark, its_end in statement.marks(_NOT_THEIRS)
    ):
        return True
    return _follows_theirs(statement, first, start)


def _follows_theirs(statement: Statement, first: int, start: int) -> bool:
    """Whether the clause before the one from `first` states values of others, and this goes on with them."""
    if first == 0 or _TURNS_TO_OWN.search(statement.plain, first, start):
        return False
    begin, end = statement.clause(max(first - 2, 0), first - 1)
    of_others = (*statement.marks(_NOT_THEIRS), *statement.marks(_NOT_THEIRS_BEFORE))
    if not any(begin <= mark < end for mark, _ in of_others):
        return False
    place = bisect_left(statement.quantity_starts, begin)
    return place < len(statement.quantities) and statement.quantities[place].end <= end


def _in_table(statement: Statement, end: int, unit: str) -> Quantity | None:
    """The bare number of "额定负载(kg): 20", in the unit of the brackets."""
    match = _UNIT_IN_BRACKETS.match(statement.plain, end)
    if match is None or parse_unit(match["unit"]) is None or not same_dimension(match["unit"], unit):
        return None
    if not match["unit"] or re.match(r"\s?[A-Za-z\u4e00-\u9fff%°/]", statement.plain[match.end() :][:2]):
        return None
    read = read_spelled(f"{match['number']}{match['unit']}")
    if len(read) != 1 or read[0].value is None:
        return None
    return replace(read[0], start=match.start("number"), end=match.end("number"))


def _after(statement: Statement, start: int, end: int, unit: str) -> Quantity | None:
    plain, (_, last) = statement.plain, statement.clause(start, end)
    earlier: Quantity | None = None  # what it was before it changed
    for quantity in statement.quantities[bisect_left(statement.quantity_starts, end) :]:
        if quantity.start - end > _FAR_AFTER or quantity.end > last:
            return None
        if not _may_be(quantity, unit):
            continue
        if earlier is not None:
            return quantity if _CHANGES_TO.fullmatch(plain, earlier.end, quantity.start) else None
        between = _BRACKETED.sub("", plain[end : quantity.start]).lower()
        was = _WAS.search(between)
        if not _WORDS_BETWEEN.sub("", between[: was.start()] if was else between):
            if was is None and not _CHANGES_TO.match(plain, quantity.end):
                return quantity
            earlier = quantity
    return None


def _before(statement: Statement, start: int, end: int, unit: str) -> Quantity | None:
    plain, (first, _) = statement.plain, statement.clause(start, end)
    if not _NAME_ENDS.match(plain, end):
        return None
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
