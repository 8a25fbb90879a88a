"""Whether what somebody offers meets an indicator: met, unmet, partial, or not stated.

Structured parameters come first, then quantities in text beside the indicator's name. Nothing is guessed:
another name, another dimension, a goal, somebody else's product or a bound on the wrong side is 未说明.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from marketplace.indicators.model import Comparator, Indicator
from marketplace.indicators.names import Name, places, understand
from marketplace.indicators.reader import Quantity, grade_text, read_quantities
from marketplace.indicators.units import conversion_text, convert, same_dimension
from marketplace.language import Normalised, normalise_with_offsets, sentences

_ABOUT = Decimal("0.1")  # 约200 may be 180 as well as 220: met only if both are
_QUOTE_AT_MOST = 200
_STATEMENTS_AT_MOST = 40
_SENTENCE_AT_MOST = 600  # a text without any stop is read in pieces, so that the work stays linear


class Verdict(StrEnum):
    """How an offer stands to a requirement; PARTIAL if only a part of what is stated meets it."""

    MET = "met"
    UNMET = "unmet"
    PARTIAL = "partial"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its evidence; all texts are empty when nothing comparable is stated."""

    verdict: Verdict
    quote: str  # the sentence as written, or the parameter's name and value
    conversion: str  # "3.2 tf × 9.80665 = 31.4 kN"; empty if the units are the same
    offered_text: str  # the offered value as written: "200公斤"


NOTHING = Finding(Verdict.UNSTATED, "", "", "")

# Names whose range has to be covered (a machine for −40～125 ℃); for the others a value inside is enough.
_TO_BE_COVERED = re.compile("温度|范围|区间|量程|频段|频率|波段|行程|适应|适用|湿度|电压")
# Names for which a bare ±x is a bound on the deviation.
_DEVIATION = re.compile(
    "精度|误差|偏差|公差|跳动|同轴度|平面度|平行度|垂直度|圆度|重复性|一致性|波动|accuracy|error|deviation"
)
_LETTERS = "ABCD"

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
_CLAUSE_END = re.compile(r"[,，;；、。!！?？]")
_BRACKETED = re.compile(r"\([^()]{0,60}\)|（[^（）]{0,60}）")


def compare(required: Indicator, *, offered: Sequence[Indicator], text: str) -> Finding:
    """How an offer stands to `required`: its structured parameters first, then its text.

    `text` is as written; the quote is a piece of it. A draft requirement without value gives UNSTATED.
    Never raises; linear in the length of the text.
    """
    if required.value is None and not required.text_value:
        return NOTHING
    name = understand(required.name)
    for parameter in offered:
        if name.same_as(understand(parameter.name)):
            finding = _structured(required, parameter)
            if finding.verdict is not Verdict.UNSTATED:
                return finding
    if required.text_value:
        return _grade_in_text(required, name, text)
    return _together(_in_text(required, name, text))


def _structured(required: Indicator, parameter: Indicator) -> Finding:
    stated = parameter.requirement_text()
    quote = f"{parameter.name} {stated}"
    if required.text_value:
        verdict = _decide_grade(required.text_value, parameter.text_value)
        return Finding(verdict, quote, "", stated) if verdict is not Verdict.UNSTATED else NOTHING
    quantity = Quantity(
        parameter.comparator,
        parameter.value,
        parameter.value_to,
        parameter.nominal,
        "",
        parameter.unit,
        False,
        0,
        0,
    )
    return _judged(required, quantity, quote, stated)


def _judged(required: Indicator, quantity: Quantity, quote: str, stated: str) -> Finding:
    if quantity.value is None or not same_dimension(quantity.unit, required.unit):
        return NOTHING
    unit, is_difference = quantity.unit, quantity.comparator is Comparator.PM
    conversions: list[str] = []

    def converted(value: Decimal | None, *, difference: bool) -> Decimal | None:
        if value is None:
            return None
        conversions.append(conversion_text(value, unit, required.unit, difference=difference))
        return convert(value, unit, required.unit, difference=difference)

    in_unit = replace(
        quantity,
        nominal=converted(quantity.nominal, difference=False),
        value=converted(quantity.value, difference=is_difference),
        value_to=converted(quantity.value_to, difference=False),
        unit=required.unit,
    )
    verdict = _decide_about(required, in_unit)
    if verdict is Verdict.UNSTATED:
        return NOTHING
    return Finding(verdict, quote, "; ".join(filter(None, conversions)), stated)


def _decide_about(required: Indicator, offered: Quantity) -> Verdict:
    if not offered.approximate or offered.value is None:
        return _decide(required, offered)
    verdicts = {
        _decide(required, _scaled(offered, factor)) for factor in (1 - _ABOUT, Decimal(1), 1 + _ABOUT)
    }
    return verdicts.pop() if len(verdicts) == 1 else Verdict.UNSTATED


def _scaled(quantity: Quantity, factor: Decimal) -> Quantity:
    value, value_to = quantity.value, quantity.value_to
    return replace(
        quantity,
        value=None if value is None else value * factor,
        value_to=None if value_to is None else value_to * factor,
    )


def _decide(required: Indicator, offered: Quantity) -> Verdict:
    """Both in the same unit."""
    low, high = _extent(offered)
    is_bare = offered.comparator is Comparator.PM and offered.nominal is None
    if required.comparator is Comparator.PM and required.nominal is None:
        return _decide_tolerance(required, offered)
    if is_bare:
        if required.comparator is Comparator.LE and _DEVIATION.search(required.name):
            return _met(
                offered.value is not None and required.value is not None and offered.value <= required.value
            )
        return Verdict.UNSTATED
    if required.comparator in (Comparator.GE, Comparator.LE):
        return _decide_bound(required, low, high)
    return _decide_interval(required, offered, low, high)


def _extent(offered: Quantity) -> tuple[Decimal | None, Decimal | None]:
    """What is stated as an interval; None is an open side."""
    value = offered.value
    assert value is not None
    match offered.comparator:
        case Comparator.GE:
            return value, None
        case Comparator.LE:
            return None, value
        case Comparator.RANGE:
            return value, offered.value_to
        case Comparator.PM if offered.nominal is not None:
            return offered.nominal - value, offered.nominal + value
    return value, value


def _met(is_met: bool) -> Verdict:
    return Verdict.MET if is_met else Verdict.UNMET


def _decide_bound(required: Indicator, low: Decimal | None, high: Decimal | None) -> Verdict:
    """Required ≥ bound (≤ is its mirror image).

    "≥150" offered for "≥180" promises too little: unmet. "≤200" says nothing on reaching 180, unless it
    lies below: then unmet.
    """
    bound = required.value
    assert bound is not None
    if required.comparator is Comparator.LE:
        bound, low, high = -bound, None if high is None else -high, None if low is None else -low
    if low is not None and low >= bound:
        return Verdict.MET
    if high is not None and high < bound:
        return Verdict.UNMET
    if low is None:
        return Verdict.UNSTATED
    return Verdict.UNMET if high is None else Verdict.PARTIAL


def _decide_interval(
    required: Indicator, offered: Quantity, low: Decimal | None, high: Decimal | None
) -> Verdict:
    """Required a range, a value with tolerance, or one exact value."""
    first, last = _required_extent(required)
    if (low is not None and low > last) or (high is not None and high < first):
        return Verdict.UNMET
    if low is None or high is None:
        return Verdict.UNSTATED
    inside, covers = first <= low and high <= last, low <= first and last <= high
    if inside and covers:
        return Verdict.MET
    if required.comparator is Comparator.RANGE:
        to_be_covered = _TO_BE_COVERED.search(required.name) is not None
        if to_be_covered:
            return Verdict.MET if covers else Verdict.PARTIAL
        # a single value inside is enough (60 HRC for 58～62); two ranges are compared by coverage
        return Verdict.MET if covers or (inside and low == high) else Verdict.PARTIAL
    if required.comparator is Comparator.PM:
        return Verdict.MET if inside else Verdict.PARTIAL
    if offered.comparator is Comparator.PM and offered.nominal == required.value:
        return Verdict.MET
    return Verdict.PARTIAL


def _required_extent(required: Indicator) -> tuple[Decimal, Decimal]:
    value = required.value
    assert value is not None
    if required.comparator is Comparator.RANGE and required.value_to is not None:
        return value, required.value_to
    if required.comparator is Comparator.PM and required.nominal is not None:
        return required.nominal - value, required.nominal + value
    return value, value


def _decide_tolerance(required: Indicator, offered: Quantity) -> Verdict:
    """Required a bare ±t. Between t and 2t a plain "0.08 mm" may mean ±0.04: not stated."""
    tolerance, value = required.value, offered.value
    assert tolerance is not None
    assert value is not None
    match offered.comparator:
        case Comparator.PM:
            return _met(value <= tolerance)
        case Comparator.EQ | Comparator.LE if value >= 0:
            if value <= tolerance:
                return Verdict.MET
            return (
                Verdict.UNMET
                if value > 2 * tolerance and offered.comparator is Comparator.EQ
                else Verdict.UNSTATED
            )
    return Verdict.UNSTATED


def _decide_grade(required: str, offered: str) -> Verdict:
    """Grades with a known order (IP, ASIL) are compared; of others only equality is certain."""
    wanted, stated = grade_text(required), grade_text(offered)
    if not stated:
        return Verdict.UNSTATED
    if wanted == stated:
        return Verdict.MET
    if wanted.startswith("ASIL ") and stated.startswith("ASIL "):
        if wanted[5:6] in _LETTERS and stated[5:6] in _LETTERS and "(" not in wanted + stated:
            return _met(stated[5:6] >= wanted[5:6])
        return Verdict.UNSTATED
    ip_wanted, ip_stated = re.fullmatch(r"IP(\d)(\d)", wanted), re.fullmatch(r"IP(\d)(\d)", stated)
    if ip_wanted and ip_stated:
        return _met(ip_stated[1] >= ip_wanted[1] and ip_stated[2] >= ip_wanted[2])
    return Verdict.UNSTATED


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence as written, and its one spelling in which names and quantities are looked for."""

    text: str
    normalised: Normalised
    plain: str  # the normalised text, with Chinese commas as they were: they end a clause, "1,200" has none
    lower: str

    def written(self, start: int, end: int) -> str:
        return self.text[slice(*self.normalised.original_span(start, end))].strip()


@lru_cache(maxsize=2048)
def _sentences(text: str) -> tuple[_Sentence, ...]:
    """The sentences that may state a quantity: those with a number or grade."""
    pieces = (
        sentence[start : start + _SENTENCE_AT_MOST]
        for sentence in sentences(text)
        for start in range(0, len(sentence), _SENTENCE_AT_MOST)
    )
    return tuple(
        _spelled(piece) for piece in pieces if any(map(str.isnumeric, piece)) or "ASIL" in piece.upper()
    )


def _spelled(text: str) -> _Sentence:
    normalised = normalise_with_offsets(text)
    plain = "".join(
        "，" if character == "," and text[start] == "，" else character
        for character, start in zip(normalised.text, normalised.starts, strict=True)
    )
    lower = "".join(one.lower() if len(one.lower()) == 1 else one for one in plain)
    return _Sentence(text, normalised, plain, lower)


@lru_cache(maxsize=4096)
def _quantities(plain: str) -> tuple[Quantity, ...]:
    return tuple(read_quantities(plain))


def _grade_in_text(required: Indicator, name: Name, text: str) -> Finding:
    """A grade of a known kind names itself (IP67); any other must stand beside the indicator's name."""
    wanted = grade_text(required.text_value)
    kind = next((prefix for prefix in ("IP", "ASIL") if wanted.startswith(prefix)), "")
    found = []
    for sentence in _sentences(text):
        if not kind:
            if places(name, sentence.lower) and _stands_in(wanted, sentence.plain.upper()):
                found.append(Finding(Verdict.MET, _quote(sentence.text), "", required.text_value))
            continue
        for quantity in _quantities(sentence.plain):
            if quantity.text_value.startswith(kind) and not _not_theirs(
                sentence.plain, quantity.start, quantity.end
            ):
                verdict = _decide_grade(wanted, quantity.text_value)
                stated = sentence.written(quantity.start, quantity.end)
                if verdict is not Verdict.UNSTATED:
                    found.append(Finding(verdict, _quote(sentence.text), "", stated))
    return _together(found)


def _stands_in(grade: str, sentence: str) -> bool:
    return re.search(rf"(?<![A-Z0-9]){re.escape(grade)}(?![A-Z0-9])", sentence) is not None


def _in_text(required: Indicator, name: Name, text: str) -> list[Finding]:
    found = []
    for sentence in _sentences(text):
        for place in places(name, sentence.lower):
            quantity = _beside(sentence.plain, place.start, place.end, required.unit)
            if quantity is not None:
                stated = sentence.written(quantity.start, quantity.end)
                finding = _judged(required, quantity, _quote(sentence.text), stated)
                if finding.verdict is not Verdict.UNSTATED:
                    found.append(finding)
        if len(found) >= _STATEMENTS_AT_MOST:
            break
    return found


def _beside(plain: str, start: int, end: int, unit: str) -> Quantity | None:
    """The quantity said of the name at `plain[start:end]`: right after it, else right before it."""
    first, last = _clause(plain, start, end)
    if _not_theirs(plain, start, end) or _CONDITION_AFTER.match(plain, end):
        return None
    inside = [
        quantity
        for quantity in _quantities(plain)
        if first <= quantity.start and quantity.end <= last and quantity.value is not None
        if same_dimension(quantity.unit, unit)
    ]
    after = (
        quantity
        for quantity in inside
        if quantity.start >= end
        and not _WORDS_BETWEEN.sub("", _BRACKETED.sub("", plain[end : quantity.start]).lower())
    )
    before = (
        quantity
        for quantity in reversed(inside)
        if quantity.end <= start and not _WORDS_AFTER_VALUE.sub("", plain[quantity.end : start].lower())
    )
    nearest = next(after, None) or next(before, None)
    if nearest is None or _CONDITION_AFTER.match(plain, nearest.end):
        return None
    return nearest


def _clause(plain: str, start: int, end: int) -> tuple[int, int]:
    """The clause around a place; a comma inside a quantity (1,200) ends none."""
    ends = _clause_ends(plain)
    first = ends[place - 1] + 1 if (place := bisect_left(ends, start)) else 0
    last = ends[place] if (place := bisect_left(ends, end)) < len(ends) else len(plain)
    return first, last


@lru_cache(maxsize=8192)
def _clause_ends(plain: str) -> tuple[int, ...]:
    within = {place for quantity in _quantities(plain) for place in range(quantity.start, quantity.end)}
    return tuple(match.start() for match in _CLAUSE_END.finditer(plain) if match.start() not in within)


def _not_theirs(plain: str, start: int, end: int) -> bool:
    """Whether the clause around the name or quantity at start..end speaks of others, a goal or a lack."""
    first, last = _clause(plain, start, end)
    return bool(_NOT_THEIRS.search(plain, first, start) or _NOT_THEIRS.search(plain, end, last))


def _quote(sentence: str) -> str:
    return sentence if len(sentence) <= _QUOTE_AT_MOST else sentence[: _QUOTE_AT_MOST - 1] + "…"


def _together(findings: Iterable[Finding]) -> Finding:
    """One finding of several statements: they agree, or only a part of them meets the requirement."""
    findings = list(findings)
    by_verdict = {finding.verdict: finding for finding in reversed(findings)}
    if len(by_verdict) == 1:
        return findings[0]
    if not by_verdict:
        return NOTHING
    best = by_verdict.get(Verdict.MET) or by_verdict[Verdict.PARTIAL]
    return replace(best, verdict=Verdict.PARTIAL)
