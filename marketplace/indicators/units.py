"""What units mean: names as written in Chinese and English specifications, dimensions, conversions.

Pint does the physics in Decimals; the names are ours. Kinds of things that must not be mixed have their own
dimension (次, 台, 件, dB, dB(A), HRC, 元, turns, bits), so that 50 Hz never equals 3000 r/min and a share in
% is never a number of parts. A name that may mean two units (度, 丝 aside; MW written "mw"; T) is unknown
rather than guessed. Pint is loaded at first use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from marketplace.indicators.model import decimal_text
from marketplace.language import normalise

if TYPE_CHECKING:
    from pint import UnitRegistry

_LONGEST_NAME = 24
_SIGNIFICANT = 3
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

# Dimensions of our own, in pint's definition language; `x_` keeps them apart from pint's names.
_OWN_DEFINITIONS = (
    "x_turn = [x_turn]",
    "x_angle = [x_angle]",
    "x_bit = [x_bit]",
    "x_yuan = [x_money]",
    "x_dollar = [x_dollar]",
    "x_fold = [x_fold]",
    "x_time = [x_time]",
    "x_point = [x_point]",
)
_KINDS_APART = (
    "dB dB(A) dBm dBi HRC HRB HRA HB HBW HV HL HSD pH %RH "
    "vol% TRL px dpi ppi fps pH值 FLOPS OPS 台 套 件 个 支 只 条 片 块 "
    "辆 架 艘 株 头 人 家 项 种 名 位 轴 轮 类 份 批 张 路 层 级 款 例 组 根 台套 倍频程 颗 "
    "粒 孔 点 通道 用户 品种 样本 工位 节点 自由度 "
)
_PLAIN_NAMES = {
    # length, area, volume
    "公里": "kilometer",
    "公尺": "meter",
    "公分": "centimeter",
    "公厘": "millimeter",
    "海里": "nautical_mile",
    "里": "500 * meter",
    "寸": "meter / 30",
    "英寸": "inch",
    "英吋": "inch",
    "吋": "inch",
    "in": "inch",
    "inch": "inch",
    "英尺": "foot",
    "ft": "foot",
    "mil": "0.001 * inch",
    "丝": "10 * micrometer",
    "道": "10 * micrometer",
    "微米": "micrometer",
    "micron": "micrometer",
    "microns": "micrometer",
    "埃": "angstrom",
    "Å": "angstrom",
    "亩": "10000 * meter ** 2 / 15",
    "公顷": "hectare",
    "ha": "hectare",
    "平方": "meter ** 2",
    "立方": "meter ** 3",
    "方": "meter ** 3",
    "公升": "liter",
    "cc": "centimeter ** 3",
    # mass and force
    "公斤": "kilogram",
    "千克": "kilogram",
    "KG": "kilogram",
    "Kg": "kilogram",
    "kgs": "kilogram",
    "斤": "0.5 * kilogram",
    "公克": "gram",
    "吨": "metric_ton",
    "公吨": "metric_ton",
    "噸": "metric_ton",
    "t": "metric_ton",
    "ton": "metric_ton",
    "tons": "metric_ton",
    "kt": "1000 * metric_ton",
    "磅": "pound",
    "lb": "pound",
    "lbs": "pound",
    "lbf": "force_pound",
    "吨力": "metric_ton * standard_gravity",
    "tf": "metric_ton * standard_gravity",
    "公斤力": "kilogram * standard_gravity",
    "千克力": "kilogram * standard_gravity",
    "kgf": "kilogram * standard_gravity",
    "gf": "gram * standard_gravity",
    # pressure, energy, power
    "bar": "bar",
    "mbar": "millibar",
    "巴": "bar",
    "psi": "psi",
    "ksi": "1000 * psi",
    "大气压": "atmosphere",
    "atm": "atmosphere",
    "mmHg": "mmHg",
    "Torr": "torr",
    "torr": "torr",
    "度电": "kilowatt * hour",
    "cal": "calorie",
    "kcal": "1000 * calorie",
    "卡": "calorie",
    "千卡": "1000 * calorie",
    "大卡": "1000 * calorie",
    "马力": "metric_horsepower",
    "PS": "metric_horsepower",
    "VA": "volt_ampere",
    "kVA": "1000 * volt_ampere",
    "KVA": "1000 * volt_ampere",
    "MVA": "1000000 * volt_ampere",
    # time and turning
    "秒": "second",
    "sec": "second",
    "秒钟": "second",
    "分": "minute",
    "分钟": "minute",
    "min": "minute",
    "minute": "minute",
    "minutes": "minute",
    "小时": "hour",
    "时": "hour",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "hour": "hour",
    "hours": "hour",
    "天": "day",
    "日": "day",
    "d": "day",
    "day": "day",
    "days": "day",
    "工作日": "x_point * day",
    "周": "week",
    "星期": "week",
    "week": "week",
    "weeks": "week",
    "个月": "month",
    "月": "month",
    "month": "month",
    "months": "month",
    "季度": "3 * month",
    "年": "year",
    "a": "year",
    "year": "year",
    "years": "year",
    "转": "x_turn",
    "圈": "x_turn",
    "r": "x_turn",
    "rev": "x_turn",
    "rpm": "x_turn / minute",
    "RPM": "x_turn / minute",
    "rps": "x_turn / second",
    # temperature, angle
    "°C": "degC",
    "℃": "degC",
    "oC": "degC",
    "摄氏度": "degC",
    "°F": "degF",
    "华氏度": "degF",
    "K": "kelvin",
    "开尔文": "kelvin",
    "°": "x_angle",
    "deg": "x_angle",
    "角度": "x_angle",
    "'": "x_angle / 60",
    "′": "x_angle / 60",
    "角分": "x_angle / 60",
    "弧分": "x_angle / 60",
    "arcmin": "x_angle / 60",
    "″": "x_angle / 3600",
    '"': "x_angle / 3600",
    "角秒": "x_angle / 3600",
    "弧秒": "x_angle / 3600",
    "arcsec": "x_angle / 3600",
    "rad": "57.29577951308232087679815481 * x_angle",
    "mrad": "0.05729577951308232087679815481 * x_angle",
    # shares and counts
    "%": "percent",
    "百分之": "percent",
    "wt%": "percent",
    "%FS": "percent",
    "%F.S": "percent",
    "百分点": "x_point",
    "个百分点": "x_point",
    "‰": "0.001 * dimensionless",
    "ppm": "ppm",
    "PPM": "ppm",
    "ppb": "0.001 * ppm",
    "倍": "x_fold",
    "次": "x_time",
    "循环": "x_time",
    "个循环": "x_time",
    "次循环": "x_time",
    "周次": "x_time",
    "模次": "x_time",
    "人次": "x_time",
    "cycles": "x_time",
    "cycle": "x_time",
    "times": "x_time",
    # money
    "元": "x_yuan",
    "RMB": "x_yuan",
    "人民币": "x_yuan",
    "美元": "x_dollar",
    # others
    "P": "poise",
    "cP": "0.01 * poise",
    "cSt": "millimeter ** 2 / second",
    "St": "centimeter ** 2 / second",
    "lm": "lumen",
    "流明": "lumen",
    "lx": "lux",
    "勒克斯": "lux",
    "cd": "candela",
    "nit": "candela / meter ** 2",
    "nits": "candela / meter ** 2",
    "尼特": "candela / meter ** 2",
    "g/mol": "gram / mole",
    "Gs": "0.0001 * tesla",
    "mT": "0.001 * tesla",
    "特斯拉": "tesla",
    "tex": "gram / kilometer",
    "dtex": "0.1 * gram / kilometer",
    "bit": "x_bit",
    "bits": "x_bit",
    "比特": "x_bit",
    "字节": "8 * x_bit",
    "B": "8 * x_bit",
    "KB": "8000 * x_bit",
    "bps": "x_bit / second",
}
_PREFIXES = {
    "T": "1e12", "G": "1e9", "M": "1e6", "k": "1e3", "c": "1e-2", "d": "1e-1", "m": "1e-3", "μ": "1e-6",
    "u": "1e-6", "n": "1e-9", "p": "1e-12", "h": "1e2", "": "1",
}  # fmt: skip
# symbol → (pint name, prefixes in use)
_PREFIXED = {
    "m": ("meter", "kcdmμunp"),
    "g": ("gram", "kmμun"),
    "s": ("second", "mμunp"),
    "L": ("liter", "dmμu"),
    "l": ("liter", "mμu"),
    "N": ("newton", "kMmμu"),
    "Pa": ("pascal", "hkMGm"),
    "J": ("joule", "kMGm"),
    "W": ("watt", "kMGTmμun"),
    "Wh": ("watt * hour", "kMGm"),
    "A": ("ampere", "kmμunp"),
    "Ah": ("ampere * hour", "mk"),
    "V": ("volt", "kMmμun"),
    "Ω": ("ohm", "kMGmμ"),
    "ohm": ("ohm", ""),
    "S": ("siemens", "mμu"),
    "F": ("farad", "mμunp"),
    "H": ("henry", "mμun"),
    "Hz": ("hertz", "kMGT"),
    "eV": ("electron_volt", "kMGm"),
    "mol": ("mole", "mkμu"),
    "bps": ("x_bit / second", "kMGT"),
    "bit/s": ("x_bit / second", "kMG"),
    "B/s": ("8 * x_bit / second", "kMGT"),
    "B_": ("8 * x_bit", "MGT"),
}
_HAN_PREFIXES = {
    "": "1", "毫": "1e-3", "微": "1e-6", "纳": "1e-9", "皮": "1e-12", "千": "1e3", "兆": "1e6", "吉": "1e9",
    "厘": "1e-2", "分": "1e-1",
}  # fmt: skip
_HAN_PREFIXED = {
    "米": ("meter", "毫微纳千厘分"),
    "克": ("gram", "毫微纳千"),
    "秒": ("second", "毫微纳皮"),
    "升": ("liter", "毫微"),
    "牛": ("newton", "千兆毫"),
    "牛顿": ("newton", ""),
    "帕": ("pascal", "千兆吉"),
    "焦耳": ("joule", "千兆"),
    "焦": ("joule", "千兆"),
    "瓦": ("watt", "毫千兆吉"),
    "瓦特": ("watt", ""),
    "瓦时": ("watt * hour", "千兆吉"),
    "安": ("ampere", "毫微千"),
    "安培": ("ampere", ""),
    "安时": ("ampere * hour", "毫"),
    "伏": ("volt", "毫千"),
    "伏特": ("volt", ""),
    "欧姆": ("ohm", "千兆毫"),
    "欧": ("ohm", "千兆毫"),
    "赫兹": ("hertz", "千兆吉"),
    "赫": ("hertz", "千兆吉"),
    "流明": ("lumen", ""),
    "牛米": ("newton * meter", "千"),
}
_MYRIADS = {
    "十": "10",
    "百": "100",
    "千": "1000",
    "万": "10000",
    "十万": "1e5",
    "百万": "1e6",
    "千万": "1e7",
    "亿": "1e8",
}
# What careless typing makes of unit symbols; only where no other unit is meant by it.
_CARELESS_PAIRS = """
    mpa=MPa Mpa=MPa MPA=MPa gpa=GPa Gpa=GPa GPA=GPa kpa=kPa KPa=kPa Kpa=kPa kn=kN KN=kN Kn=kN
    kw=kW KW=kW Kw=kW kwh=kWh KWh=kWh KWH=kWh kv=kV KV=kV v=V w=W hz=Hz HZ=Hz khz=kHz KHz=kHz
    KHZ=kHz mhz=MHz Mhz=MHz MHZ=MHz ghz=GHz Ghz=GHz GHZ=GHz mah=mAh MM=mm Mm=mm CM=cm KM=km
    Km=km Nm=N·m N.m=N·m N.M=N·m n·m=N·m kNm=kN·m mPas=mPa·s mPa.s=mPa·s MPa.s=MPa·s db=dB
    DB=dB dBA=dB(A) dba=dB(A) db(a)=dB(A) 分贝=dB hrc=HRC ML=mL ug=μg kva=kVA Kbps=kbps
    Mb/s=Mbps Gb/s=Gbps 像素=px %rh=%RH RH%=%RH %vol=vol% Ton=t TON=t 个人=人 台/套=台套 台(套)=台套
    r.p.m=rpm MB=MB_ GB=GB_ TB=TB_ sqm=平方米 mAH=mAh AH=Ah PH=pH Ppm=ppm °c=°C c°=°C h⁻¹=/h 轮次=次
    万km=万公里 oc=°C W/mK=W/(m·K) W/m-K=W/(m·K) W/m.K=W/(m·K)
"""
_CARELESS = dict(pair.split("=", 1) for pair in _CARELESS_PAIRS.split())
_SQUARES = {"平方": 2, "立方": 3}
_ATOM = re.compile(r"[·*/()^]|-?\d|[^·*/()^\d\s-]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """One understood unit: `dimension` says what it may be compared with."""

    name: str
    dimension: str
    expression: str

    @property
    def is_offset(self) -> bool:
        """Whether its zero is not the zero of nature (℃, ℉): a difference converts otherwise than a value."""
        return self.expression in ("degC", "degF")


@cache
def _registry() -> UnitRegistry[Any]:
    from pint import UnitRegistry

    registry: UnitRegistry[Any] = UnitRegistry(non_int_type=Decimal)
    for definition in _OWN_DEFINITIONS:
        registry.define(definition)
    for place, _ in enumerate(_KINDS_APART.split()):
        registry.define(f"x_kind{place} = [x_kind{place}]")
    return registry


@cache
def _names() -> dict[str, str]:
    """Every name of a single unit, as normalised, with its pint expression."""
    names = {name: f"x_kind{place}" for place, name in enumerate(_KINDS_APART.split())}
    for symbol, (base, prefixes) in _PREFIXED.items():
        for prefix in ("", *prefixes):
            names[prefix + symbol] = f"{_PREFIXES[prefix]} * {base}" if prefix else base
    for symbol, (base, prefixes) in _HAN_PREFIXED.items():
        for prefix in ("", *prefixes):
            names[prefix + symbol] = f"{_HAN_PREFIXES[prefix]} * {base}" if prefix else base
    for word, power in _SQUARES.items():
        for symbol in ("米", "厘米", "毫米", "微米", "公里", "千米", "分米", "公分", "公尺"):
            base = names.get(symbol) or _PLAIN_NAMES[symbol]
            names[word + symbol] = f"({base}) ** {power}"
    names.update(_PLAIN_NAMES)
    spelled = {normalise(name): expression for name, expression in names.items()}
    for careless, proper in _CARELESS.items():
        if proper in spelled:
            spelled.setdefault(normalise(careless), spelled[proper])
    return spelled


def unit_names() -> frozenset[str]:
    """Every name (as normalised) by which a single unit is understood, careless spellings included."""
    return frozenset(_names()) | frozenset(map(normalise, _CARELESS))


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit | None:
    """The unit that `text` names ("kN", "公斤/小时", "W/(m·K)", "万次"), or None if it is not understood.

    The empty text is the unit of a bare number. Never raises.
    """
    written = normalise(text).strip()
    if not written:
        return Unit("", "", "dimensionless")
    if len(written) > _LONGEST_NAME:
        return None
    expression = _single(written) or _composite(written.replace(" ", ""))
    if expression is None:
        return None
    try:
        if expression in ("degC", "degF"):
            return Unit(written, "[temperature]", expression)
        powers = _registry().parse_expression(expression).dimensionality
    except Exception:  # pint raises many kinds of errors; whatever it refuses is no unit
        return None
    # sorted, because pint orders them as the expression happens to
    dimension = " ".join(name if power == 1 else f"{name}**{power}" for name, power in sorted(powers.items()))
    return Unit(written, dimension or "share", expression)


def _single(name: str) -> str | None:
    names = _names()
    if name in names:
        return names[name]
    for length in (2, 1):
        myriad, rest = name[:length], name[length:]
        if myriad in _MYRIADS and rest in names and "deg" not in names[rest]:
            return f"{_MYRIADS[myriad]} * {names[rest]}"
    return None


def _composite(written: str) -> str | None:
    """A pint expression of a product, quotient or power of known names; any other text gives None."""
    written = _CARELESS.get(written, written).replace("每", "/")
    parts: list[str] = ["1 "] if written.startswith("/") else []
    previous = "name" if parts else "operator"
    is_below, depth = False, 0
    for atom in _ATOM.findall(written):
        kind = _kind(atom)
        depth += (kind == "open") - (kind == "close")
        # W/m·K is written for W/(m·K): behind a stroke everything is below it
        if depth == 0 and atom in ("·", "*") and is_below:
            atom = "/"
        is_below |= atom == "/"
        if (previous, kind) not in _MAY_FOLLOW:
            return None
        if kind == "name":
            expression = _single(atom)
            if expression is None:
                return None
            # in a product ℃ can only mean a difference
            parts.append(f"({expression.replace('degC', 'kelvin').replace('degF', 'delta_degF')})")
        else:
            parts.append(
                {"·": " * ", "*": " * ", "/": " / ", "^": ""}.get(
                    atom, f" ** {atom}" if kind == "power" else atom
                )
            )
        previous = {"close": "name", "open": "operator"}.get(kind, kind)
    joined = "".join(parts)
    return joined if previous in ("name", "power") and joined.count("(") == joined.count(")") else None


def _kind(atom: str) -> str:
    kinds = {"·": "operator", "*": "operator", "/": "operator", "(": "open", ")": "close", "^": "caret"}
    return kinds.get(atom) or ("power" if atom.lstrip("-").isdigit() else "name")


_MAY_FOLLOW = frozenset(
    [
        ("operator", "name"),
        ("operator", "open"),
        ("name", "operator"),
        ("name", "close"),
        ("name", "caret"),
        ("name", "power"),
        ("caret", "power"),
        ("power", "operator"),
        ("power", "close"),
    ]
)


def same_dimension(first: str, second: str) -> bool:
    """Whether quantities in these two units can be compared; unknown names only with their own spelling."""
    one, two = parse_unit(first), parse_unit(second)
    if one is None or two is None:
        return one is two is None and normalise(first).strip() == normalise(second).strip()
    return one.dimension == two.dimension


@lru_cache(maxsize=8192)
def convert(value: Decimal, from_unit: str, to_unit: str, *, difference: bool = False) -> Decimal:
    """`value` in `to_unit`. With `difference`, a tolerance or rise: ±2 ℃ is ±2 K, not 275 K.

    Raises ValueError if the units cannot be compared.
    """
    if normalise(from_unit).strip() == normalise(to_unit).strip():
        return value
    one, two = parse_unit(from_unit), parse_unit(to_unit)
    if one is None or two is None or one.dimension != two.dimension:
        raise ValueError(f"no conversion from {from_unit!r} to {to_unit!r}")
    registry = _registry()
    with localcontext() as context:
        context.prec = 34
        if one.dimension == "[temperature]":
            source = _temperature(one, difference=difference)
            target = _temperature(two, difference=difference)
            result = registry.Quantity(value, source).to(target).magnitude
        else:
            start = registry.parse_expression(one.expression)
            end = registry.parse_expression(two.expression)
            factor = (start / end).to("dimensionless").magnitude
            result = value * Decimal(factor)
    return _tidy(Decimal(result))


def _temperature(unit: Unit, *, difference: bool) -> str:
    names = {"degC": "delta_degC", "degF": "delta_degF"} if difference else {}
    return names.get(unit.expression, unit.expression)


def _tidy(value: Decimal) -> Decimal:
    """Without the last digits' noise and without an exponent: 0.999…9 (28 nines) is 1."""
    with localcontext() as context:
        context.prec = 24
        value = +value
    plain = format(value, "f")
    return Decimal(plain.rstrip("0").rstrip(".") if "." in plain else plain)


def conversion_text(value: Decimal, from_unit: str, to_unit: str, *, difference: bool = False) -> str:
    """The conversion written out.

    "3.2 tf × 9.80665 = 31.4 kN", "24 个月 ÷ 12 = 2 年", "25 ℃ + 273.15 = 298.15 K",
    "(250 °F − 32) ÷ 1.8 = 121 ℃".

    Empty if both are the same name. The result is rounded to be read; the comparison uses all digits.
    Raises ValueError if the units cannot be compared.
    """
    if normalise(from_unit).strip() == normalise(to_unit).strip():
        return ""
    result = convert(value, from_unit, to_unit, difference=difference)
    source, target = parse_unit(from_unit), parse_unit(to_unit)
    left = f"{decimal_text(value)} {_raised(from_unit)}".strip()
    right = f"{readable(result)} {_raised(to_unit)}".strip()
    if source and target and (source.is_offset or target.is_offset) and not difference:
        shift = result - value
        if {source.expression, target.expression} == {"degC", "kelvin"}:
            return f"{left} {'+' if shift >= 0 else '−'} {decimal_text(abs(shift))} = {right}"
        if (source.expression, target.expression) == ("degF", "degC"):
            return f"({left} − 32) ÷ 1.8 = {right}"
        return f"{left} = {right}"
    factor = convert(Decimal(1), from_unit, to_unit, difference=difference)
    if factor == 1:
        return f"{left} = {right}"
    inverse = convert(Decimal(1), to_unit, from_unit, difference=difference)
    if factor < 1 and inverse == inverse.to_integral_value():
        return f"{left} ÷ {decimal_text(inverse)} = {right}"
    return f"{left} × {readable(factor, significant=6)} = {right}"


def _raised(unit: str) -> str:
    """A unit as people write it: kgf/mm², not kgf/mm^2."""
    return re.sub(r"\^(-?[0-9]+)", lambda match: match[1].translate(_SUPERSCRIPTS), unit)


def readable(value: Decimal, significant: int = _SIGNIFICANT) -> str:
    """A converted number for people: exact if short, else rounded; its whole part is kept."""
    tidy = _tidy(value)
    if len(tidy.as_tuple().digits) <= max(significant, 5):
        return decimal_text(tidy)
    whole_digits = max(tidy.adjusted() + 1, 0)
    with localcontext() as context:
        context.prec = max(significant, whole_digits)
        return decimal_text(_tidy(+tidy))
