"""Quantities in free Chinese and English text: number, unit and comparator, with their place.

Here: finding "额定负载200公斤", "≥180 kg", "±0.02 mm", "−40～125℃", "120万次以上", "IP67", and leaving alone
what only looks like a quantity: model and standard numbers, dates, telephone and patent numbers, list marks,
versions, ratios and dimensions. Not here: which indicator a quantity belongs to (`compare`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from marketplace.indicators.model import Comparator
from marketplace.indicators.units import convert, parse_unit, same_dimension, unit_names
from marketplace.language import Normalised, normalise, normalise_with_offsets

_MAY_MEASURE = re.compile("[0-9一二两三四五六七八九十百千]")
_COVER = "\ufffc"
_LOOK_BACK = 24
_EXPONENT_AT_MOST = 18


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity as read from a text; `start` and `end` are places in the text as written.

    Values are in `unit`, which stands as written ("120万次" is 120 and "万次"), as in `Indicator`. A plain
    statement ("200公斤", "可达200公斤") is EQ.
    """

    comparator: Comparator
    value: Decimal | None  # None only with text_value
    value_to: Decimal | None
    nominal: Decimal | None
    text_value: str  # a grade: "IP67", "ASIL D"
    unit: str
    approximate: bool  # 约, 左右, ~
    start: int
    end: int
    better: bool = False  # 优于: at least as good; its comparator is the one that its name suggests


# What looks like a number but measures nothing. Each is covered before quantities are looked for.
_STANDARD_BODIES = (
    "GB|GJB|JB|QC|YB|HG|NB|SJ|YY|DB|JJG|JJF|QB|FZ|DL|YD|LY|NY|ISO|IEC|IEEE|ASTM|SAE|DIN|JIS|EN|UL|AEC|UN|ECE|"
    "MIL|IATF|VDA|USCAR|FMVSS|CNS"
)
_NUMBERED = (
    "专利号|申请号|公开号|证书号|编号|型号|批号|货号|电话|手机|传真|邮编|QQ|邮箱|版本号?|"
    "图|表|附件|附录|公式|步骤|方案|实施例|No\\.?|Fig\\.?|Table|[Vv]er\\.?|(?<![A-Za-z])[Vv]"
)
_SIDE = r"[0-9]{1,6}(?:\.[0-9]{1,4})?\s?[a-zμ]{0,2}"
_NOT_MEASURED = re.compile(
    r"https?://[^\s\u4e00-\u9fff]{1,300}"
    r"|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,64}"
    rf"|(?<![A-Za-z])(?:(?:{_STANDARD_BODIES})(?:/[A-Z]{{1,6}})?|[TQ]/[A-Z]{{1,8}})[ -]?[A-Z]?"
    r"[0-9]{1,6}(?:[.-][0-9]{1,5}){0,3}(?![0-9%])"
    # dates, clock times; two- and three-digit years of the Republic calendar
    r"|(?<![0-9])(?:19|20)[0-9]{2}\s?[-~至到]\s?(?:(?:19|20)[0-9]{2}|[0-9]{2})\s?年"
    r"|(?<![0-9])(?:19|20)[0-9]{2}\s?年(?:\s?[0-9]{1,2}\s?月(?:\s?[0-9]{1,2}\s?[日号])?)?"
    r"|(?<![0-9])(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}(?![0-9])"
    r"|(?<![0-9])(?:19|20)[0-9]{2}[-/](?:0[1-9]|1[0-2])(?![0-9])"
    r"|(?<![0-9])(?:9|10|11)[0-9]\s?年(?:[0-9]{1,2}月(?:[0-9]{1,2}[日号])?|(?=[度底初末]))"
    r"|(?<![0-9.])[0-9]{1,2}\s?月(?:\s?[0-9]{1,2}\s?[日号]|份|底|初|中旬|上旬|下旬)"
    r"|(?<![0-9])[0-9]{1,5}:[0-9]{1,5}(?::[0-9]{1,3})?(?![0-9])"
    # telephone numbers, patents, registered codes: long rows of digits
    r"|(?<![0-9])0[0-9]{2,3}-[0-9]{7,8}(?![0-9])|(?<![0-9])400-[0-9]{3,4}-[0-9]{3,4}(?![0-9])"
    r"|(?<![A-Za-z])(?:ZL|CN|US|EP|WO|TW|JP)\s?[0-9]{5,14}(?:\.[0-9Xx])?[A-Z]?[0-9]?"
    r"|(?<![0-9.,])[0-9]{9,20}(?:\.[0-9Xx])?[A-Z]?"
    rf"|(?:{_NUMBERED})[:： ]{{0,2}}[A-Za-z]{{0,6}}[0-9][0-9.,/-]{{0,30}}(?![0-9%])"
    r"|第\s?[0-9]{1,4}(?:[-~][0-9]{1,4})?"
    # dimensions: several numbers, none of them the measure
    rf"|(?<![0-9.]){_SIDE}(?:\s?[×xX*]\s?(?!10\^){_SIDE}(?![0-9])){{1,3}}"
    # list marks
    r"|(?:(?<=[\s;。:,，、])|\A)(?:[0-9]{1,2}[)、]|[0-9]{1,2}\.(?![0-9]))|\([0-9]{1,2}\)"
)
_UNIT_LIKE_NAMES = "Pa|Ah|Hz|Wh|Nm|Ns|Mpa|Kpa|Gpa|Kw|Kn|Kv|Mm|Km|Kg|Kwh|Mhz|Khz|Ghz|Ton|Gs"
# Latin names with digits (STM32F4, MR-J4-200, CO2, 6061-T6, 40Cr, 5G), unless they are a grade or a label
_LATIN_NAME = re.compile(
    r"(?<![A-Za-z0-9_])(?!(?:IP|IPX|TRL|ASIL|HRC|HRB|HB|HBW|HV|Ra|Rz|pH|PH)[ -]?[0-9XABCD])"
    r"(?!(?:[kcdmuμ]?m|in|ft)[23](?![0-9A-Za-z]))"
    r"[A-Za-z]{1,16}[-_./]?[0-9][A-Za-z0-9]{0,20}(?:[-_./][A-Za-z0-9]{1,20}){0,4}"
    r"|(?<![A-Za-z0-9_.])[0-9]{1,6}(?:-[A-Za-z]{1,4}[0-9]{1,4}"
    rf"|(?!(?:{_UNIT_LIKE_NAMES})(?![A-Za-z0-9]))[A-Z][a-z][A-Za-z0-9]{{0,10}})"
    r"(?![A-Za-z0-9/·])"
    r"|(?<![A-Za-z0-9_.])[0-9][DGKC](?![A-Za-z0-9/·])"
)
_NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,12})?|[0-9]{1,15}(?:\.[0-9]{1,12})?)(?![0-9])"
    r"(?:\s?[×xX*]\s?10\^[+-]?[0-9]{1,2}(?![0-9])|\^[+-]?[0-9]{1,2}(?![0-9])"
    r"|[eE][+-]?[0-9]{1,2}(?![0-9A-Za-z.]))?"
)
# 三年, 一百五十万次; not 数万次, 三百余万次, 第三年, 十五六次
_HAN_FIRST = "一二两三四五六七八九十百千"
_HAN_NUMBER = f"[{_HAN_FIRST}][{_HAN_FIRST}万亿零〇]{{0,12}}(?:点[零〇一二三四五六七八九]{{1,4}})?"
_NO_HAN_NUMBER_BEFORE = "(?<![一二两三四五六七八九十百千万亿零〇点数几多余第上近成每双半来0-9])"
_GRADE = re.compile(
    r"(?<![A-Za-z0-9])IP[ -]?[0-9X][0-9X]K?(?![A-Za-z0-9])"
    r"|(?<![A-Za-z])ASIL[ -]{0,2}[A-D](?:\([A-D]\))?(?![A-Za-z])"
)
_LABEL = r"(?:HRC|HRB|HBW|HB|HV|Ra|Rz|pH值?|TRL)"
_LABEL_UNITS = {"Ra": "μm", "Rz": "μm"}

# Comparators stand directly before a quantity (then read backwards from it) or directly after it.
_BEFORE = re.compile(
    "(?:(?P<most>小于或等于|小于等于|不大于|不超过|不高于|不多于|不长于|小于|低于|少于|短于|至多|不足|不到"
    "|控制在|≤|<=|<|(?<![A-Za-z])"
    "(?:no more than|not more than|not exceeding|less than|lower than|at most|below|under|within))"
    "|(?P<least>大于或等于|大于等于|不小于|不低于|不少于|不短于|不亚于|至少|超过|大于|高于|多于|长于|突破|逾|超"
    "|≥|>=|>|(?<![A-Za-z])"
    "(?:no less than|not less than|at least|more than|greater than|higher than|above|over|exceeding|exceeds))"
    "|(?P<better>优于|好于|(?<![A-Za-z])better than))?"
    r"[ :为]{0,2}(?:人民币|RMB)?(?P<about>约为|大约|约|将近|接近|大概|~|≈"
    r"|(?<![A-Za-z])(?:about|approximately|approx\.?|around))?"
    r"(?P<label>[ :]?HRC|HRB|HBW|HB|HV|Ra|Rz|pH值?|TRL)?[ :为]{0,2}\Z"
)
_AFTER = re.compile(
    r"\s?\(?(?:(?P<least>及以上|或以上|以上|or more|or above)"
    r"|(?P<most>及以下|或以下|以下|以内|之内|or less|or below|内(?![部外径饰存置燃孔壁衬]))"
    r"|(?P<about>左右|上下))"
)
_SMALLER_IS_BETTER = re.compile(
    "精度|误差|偏差|公差|粗糙度|跳动|同轴度|平面度|平行度|垂直度|圆度|噪声|能耗|损耗|泄漏|漏率|延迟|时延|响应|不良率|缺陷率"
)
# 1年半, 1cm+1ppm, 8人机, 3级联, 5人工
_GOES_ON = re.compile(r"半|\s?\+\s?[0-9]|(?<=人)(?:机|工|脸|形|体|员|才|次|力|类|民)|(?<=级)(?:联|别|配|数)")
_PER_TIME = re.compile(r"每\s?(年|月|天|日|周|小时|分钟|分|秒钟|秒)\Z")
_SCALES = {"摄氏": "℃", "华氏": "°F"}
_PERCENT = {"百": Decimal(1), "千": Decimal("0.1"), "万": Decimal("0.01")}
_HAN_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN_PLACES = {"十": 10, "百": 100, "千": 1000}
_HAN_GROUPS = {"万": 10**4, "亿": 10**8}
# Understood in a unit field, but too short or too common to be read as units in running text.
_NEVER_READ_NAMES = """
    a d ' " P B S F H l PS in c° St 方 里 时 分 点 名 位 种 类 层 路 例 款 份 批 项 家 头 根 组 颗
    粒 孔 轮 用户 通道 品种 样本 节点 日 月 周 百分之 角度 平方 立方 欧 卡 焦 赫 帕 牛 巴 埃 TRL pH pH值
    株 张 工位 自由度
"""
_NEVER_READ = frozenset(_NEVER_READ_NAMES.split())
# They are read where a stroke says that they are units: 转/分, 件/人
_BELOW_A_STROKE = ("分", "时", "日", "月", "周", "d", "a", "班")


@cache
def _quantity() -> re.Pattern[str]:
    names = sorted(unit_names() - _NEVER_READ, key=lambda name: (-len(name), name))
    power = r"(?:(?<=[A-Za-z])\^?-?[23](?![0-9.]))?"
    per_degree = r"/(?:K|℃|°C)(?![A-Za-z])"
    single = rf"(?:十万|百万|千万|[十百千万亿])?(?:{'|'.join(map(re.escape, names))}){power}"
    below = rf"(?:{single}|(?:{'|'.join(_BELOW_A_STROKE)})(?![\u4e00-\u9fff]))"
    units = rf"{single}(?:[/·*每]\(?{below}(?:[·*]{single})?\)?){{0,3}}(?![A-Za-z])|{per_degree}"
    signed = rf"(?:(?<![0-9A-Za-z%)°])[-+]\s?)?{_NUMBER}"
    return re.compile(
        rf"(?:±|\+/-|正负)\s?(?P<bare>{_NUMBER})\s?(?P<unit_bare>{units})?"
        rf"|(?P<parts>[百千万])分之(?P<share>{_NUMBER}|{_HAN_NUMBER})"
        rf"|(?P<scale>[摄华]氏)\s?(?P<degrees>[-+]?{_NUMBER})\s?度"
        rf"|{_NO_HAN_NUMBER_BEFORE}(?P<han>{_HAN_NUMBER})(?P<unit_han>{units})"
        rf"|(?<![0-9A-Za-z_.])(?<![0-9],)(?<![A-Za-z]-)(?P<first>{signed})(?P<more>余|多)?\s?(?P<unit_first>{units})?"
        rf"(?:\s?(?:±|\+/-|正负)\s?(?P<tolerance>{_NUMBER})\s?(?P<unit_tolerance>{units})?"
        rf"|\s?(?:~|-|至|到|\bto\b)\s?(?P<second>[-+]?{_NUMBER})\s?(?P<unit_second>{units})?)?"
        r"|(?<![A-Za-z])(?:HRC|HRB|HBW|HB|HV|Ra|Rz|pH|TRL)(?P<labelled>[0-9]+(?:\.[0-9]+)?)"
        rf"(?:[-~](?P<labelled_to>[0-9]+(?:\.[0-9]+)?))?\s?(?P<unit_labelled>{units})?"
    )


def read_quantities(text: str) -> list[Quantity]:
    """The quantities in `text`, in order, with their places in the text as written. Linear; never raises.

    A bare number is a quantity only with a comparator or a label (≥200, HRC 60, TRL 7); what cannot be
    read with certainty (a range upside down, a unit of two meanings) is left out.
    """
    normalised = normalise_with_offsets(text)
    return _read(spelled(normalised, text), normalised, text)


def read_spelled(plain: str) -> list[Quantity]:
    """`read_quantities` of a text that `spelled` gave already; the places and units are those in it."""
    return _read(plain, Normalised(plain, range(len(plain)), range(1, len(plain) + 1)), plain)


def _read(plain: str, normalised: Normalised, text: str) -> list[Quantity]:
    found = list(_grades(normalised))
    if _MAY_MEASURE.search(plain):
        covered = _covered(plain)
        for match in _quantity().finditer(covered):
            quantity = _Reading(covered, match, normalised, text).quantity()
            if quantity is not None:
                found.append(quantity)
    return sorted(found, key=lambda quantity: quantity.start)


def spelled(normalised: Normalised, text: str) -> str:
    """The normalised text with its Chinese commas: "10，200公斤" is two numbers, "10,200 kg" is one."""
    plain = normalised.text
    if "，" not in text:
        return plain
    places = [place for place, character in enumerate(plain) if character == ","]
    wide = {place for place in places if text[normalised.starts[place]] == "，"}
    return "".join("，" if place in wide else character for place, character in enumerate(plain))


def _covered(plain: str) -> str:
    for pattern in (_GRADE, _NOT_MEASURED, _LATIN_NAME):
        plain = pattern.sub(lambda match: _COVER * len(match[0]), plain)
    return plain


def _grades(normalised: Normalised) -> Iterator[Quantity]:
    for match in _GRADE.finditer(normalised.text):
        start, end = normalised.original_span(match.start(), match.end())
        grade = grade_text(match[0])
        yield Quantity(Comparator.EQ, None, None, None, grade, "", False, start, end)


def grade_text(text: str) -> str:
    """One spelling of a grade: "ip 67" is "IP67", "ASIL-D" is "ASIL D"."""
    spelled = re.sub(r"\s+", " ", normalise(text)).strip().upper()
    if match := re.fullmatch(r"IP[ -]?([0-9X]{2}K?)", spelled):
        return f"IP{match[1]}"
    if match := re.fullmatch(r"ASIL[ -]{0,2}([A-D])(\([A-D]\))?", spelled):
        return f"ASIL {match[1]}{match[2] or ''}"
    return spelled


def grade_kind(grade: str) -> str:
    """The kind of a grade as `grade_text` spells it: "IP", "ASIL", or "" if it does not name itself."""
    return next((kind for kind in ("IP", "ASIL") if re.match(rf"{kind}[ 0-9X]", grade)), "")


class _Reading:
    """One match, read together with the words directly around it."""

    def __init__(self, covered: str, match: re.Match[str], normalised: Normalised, text: str) -> None:
        self.match, self.normalised, self.text, self.covered = match, normalised, text, covered
        before = _BEFORE.search(covered[max(0, match.start() - _LOOK_BACK) : match.start()])
        assert before is not None  # every part of it is optional
        self.before = before
        self.after = _AFTER.match(covered, match.end())
        self.start = match.start()
        self.label = (before["label"] or "").strip(" :")

    def quantity(self) -> Quantity | None:
        if _GOES_ON.match(self.covered, self.match.end()):
            return None
        if self.match["share"]:
            return self._share()
        if self.match["degrees"]:
            value = _number(self.match["degrees"])
            return None if value is None else self._bounded(value, _SCALES[self.match["scale"]])
        if self.match["han"]:
            unit = self._unit("unit_han")
            value = _han_number(self.match["han"])
            return self._bounded(value, unit) if value is not None and unit else None
        if self.match["bare"]:
            return self._accuracy()
        if self.match["labelled"]:
            return self._labelled()
        if self.match["tolerance"]:
            return self._nominal_with_tolerance()
        if self.match["second"]:
            return self._range()
        return self._single()

    def _share(self) -> Quantity | None:
        value = _number(self.match["share"]) or _han_number(self.match["share"])
        if value is None:
            return None
        return self._bounded(value * _PERCENT[self.match["parts"]], "%")

    def _accuracy(self) -> Quantity | None:
        value = _number(self.match["bare"])
        unit = self._unit("unit_bare")
        if value is None or unit is None or not unit:
            return None
        return self._made(Comparator.PM, value, unit)

    def _labelled(self) -> Quantity | None:
        label = re.match(_LABEL, self.match[0])
        name = label[0] if label else ""
        unit = self._unit("unit_labelled") or _LABEL_UNITS.get(name, name)
        low, high = _number(self.match["labelled"]), _number(self.match["labelled_to"] or "")
        if low is None or (high is not None and high < low):
            return None
        if high is not None:
            return self._made(Comparator.RANGE, low, unit, value_to=high)
        return self._bounded(low, unit)

    def _nominal_with_tolerance(self) -> Quantity | None:
        nominal, tolerance = _number(self.match["first"]), _number(self.match["tolerance"])
        own, unit = self._unit("unit_first"), self._unit("unit_tolerance")
        if nominal is None or tolerance is None or own is None or unit is None:
            return None
        if unit == "%" and own and own != "%":
            return self._made(Comparator.PM, abs(nominal) * tolerance / 100, own, nominal=nominal)
        if own and unit and normalise(own) != normalise(unit):
            return None
        if not (own or unit):
            return None
        return self._made(Comparator.PM, tolerance, unit or own, nominal=nominal)

    def _range(self) -> Quantity | None:
        low, high = _number(self.match["first"]), _number(self.match["second"])
        low_unit, unit = self._unit("unit_first"), self._unit("unit_second")
        if low is None or high is None or low_unit is None or unit is None:
            return None
        unit = unit or _LABEL_UNITS.get(self.label, self.label)
        if low_unit and normalise(low_unit) != normalise(unit):
            if not unit or not same_dimension(low_unit, unit):
                return None
            low = convert(low, low_unit, unit)
        is_bound = self.before["least"] or self.before["most"] not in (None, "控制在")
        if not unit or low > high or is_bound:
            return None
        return self._made(Comparator.RANGE, low, unit, value_to=high)

    def _single(self) -> Quantity | None:
        value, unit = _number(self.match["first"]), self._unit("unit_first")
        if value is None or unit is None:
            return None
        if self._sign_is_a_dash(value, unit):
            return None
        unit = unit or _LABEL_UNITS.get(self.label, self.label)
        if not unit and not self._stands_alone():
            return None
        return self._bounded(value, unit)

    def _bounded(self, value: Decimal, unit: str) -> Quantity | None:
        after, unit = self.after, self._per_time(unit)
        least = bool(self.before["least"] or (after and after["least"]) or self._more())
        most = bool(self.before["most"] or (after and after["most"]))
        if least and most:
            return None
        if self.before["better"]:
            first, last = self.match.span()
            ahead = re.split(r"[,，;。]", self.covered[max(0, first - _LOOK_BACK) : first])[-1]
            behind = re.split(r"[,，;。]", self.covered[last : last + _LOOK_BACK])[0]
            smaller = _SMALLER_IS_BETTER.search(ahead + behind) is not None
            made = self._made(Comparator.LE if smaller else Comparator.GE, value, unit)
            return replace(made, better=True)
        comparator = Comparator.GE if least else Comparator.LE if most else Comparator.EQ
        return self._made(comparator, value, unit)

    def _per_time(self, unit: str) -> str:
        """每小时120件 is 120 件/小时."""
        ahead = _PER_TIME.search(self.covered, max(0, self.match.start() - 5), self.match.start())
        rate = f"{unit}/{ahead[1]}" if ahead and unit and "/" not in unit else ""
        if ahead is None or not rate or parse_unit(rate) is None:
            return unit
        self.start = ahead.start()
        return rate

    def _more(self) -> bool:
        return bool(self.match["more"])

    def _stands_alone(self) -> bool:
        """Whether a number without a unit is surely one: compared, and not followed by an unread unit."""
        if not (self.before["most"] or self.before["least"]) or self.match["more"]:
            return False
        return (
            re.match(r"\s?[A-Za-z\u4e00-\u9fff°\"'/]", self.covered[self.match.end() : self.match.end() + 2])
            is None
        )

    def _sign_is_a_dash(self, value: Decimal, unit: str) -> bool:
        """In 长安-200公斤 the dash joins words; below zero are only temperatures, levels and the like."""
        understood = parse_unit(unit)
        below_zero = understood is not None and understood.dimension == "[temperature]"
        return value < 0 and not below_zero and not unit.startswith(("dB", "V", "kV", "mV", "°"))

    def _unit(self, group: str) -> str | None:
        """The unit as written, "" if none stands there, None if it stands there but is not understood."""
        if self.match[group] is None:
            return ""
        written = self.text[slice(*self.normalised.original_span(*self.match.span(group)))]
        return written if parse_unit(written) is not None else None

    def _made(
        self,
        comparator: Comparator,
        value: Decimal,
        unit: str,
        *,
        value_to: Decimal | None = None,
        nominal: Decimal | None = None,
    ) -> Quantity:
        about = self.before["about"] or (self.after and self.after["about"])
        end = self.after.end() if self.after else self.match.end()
        start = self.start
        if self.before["most"] or self.before["least"] or self.before["better"] or about or self.label:
            start -= len(self.before[0].lstrip(" :为"))
        start, end = self.normalised.original_span(start, end)
        return Quantity(comparator, value, value_to, nominal, "", unit, bool(about), start, end)


def _han_number(written: str) -> Decimal | None:
    """The number in 三, 二十, 一百五十万, 两千三百, 三点五; None where the characters make none (三五)."""
    whole, _, fraction = written.partition("点")
    total = group = 0
    digit: int | None = None
    last_place = 10**9
    for character in whole:
        if character in _HAN_GROUPS:
            total = (total + group + (digit or 0)) * _HAN_GROUPS[character]
            group, digit, last_place = 0, None, 10**9
        elif character in _HAN_PLACES:
            place = _HAN_PLACES[character]
            if place >= last_place or (digit is None and place != 10):
                return None
            group, digit, last_place = group + (1 if digit is None else digit) * place, None, place
        elif digit:
            return None
        else:
            digit = _HAN_DIGITS[character]
    number = Decimal(total + group + (digit or 0))
    if fraction:
        number += Decimal("0." + "".join(str(_HAN_DIGITS[one]) for one in fraction))
    return number


def _number(written: str) -> Decimal | None:
    """The number in "1,200", "-40", "1.2×10^6", "10^6"; None if there is none or it is out of all size."""
    match = re.fullmatch(
        r"([-+]?)\s?([0-9,]+(?:\.[0-9]+)?)"
        r"(?:(?:\s?[×xX*]\s?10\^|[eE])([+-]?[0-9]+)|\^([+-]?[0-9]+))?",
        written.strip(),
    )
    if match is None:
        return None
    value = Decimal(match[2].replace(",", ""))
    if match[4] and value != 10:
        return None
    exponent = int(match[3] or match[4] or 0)
    if abs(exponent) > _EXPONENT_AT_MOST:
        return None
    if match[4]:
        value = Decimal(1)
    value = value.scaleb(exponent) if exponent else value
    value = -value if match[1] == "-" else value
    return Decimal(format(value, "f"))
