"""An indicator as data: what is measured, how it compares, with which values, unit and proof.

Here: the type, its JSON form and its wording. Not here: whether an indicator is good enough to be
published (`rules`), what a unit means (`units`), whether an offer meets it (`compare`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Self

_DIGITS_AT_MOST = 40
_EXPONENT_AT_MOST = 30
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_PLAINER = str.maketrans("０１２３４５６７８９．，＋－−–—", "0123456789.,+----")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")


class Comparator(StrEnum):
    """How a measured value stands to the required one."""

    GE = "ge"
    LE = "le"
    EQ = "eq"
    RANGE = "range"
    PM = "pm"

    @property
    def symbol(self) -> str:
        """The sign a reader of specifications expects: ≥ ≤ = 区间 ±."""
        return _SYMBOLS[self]


_SYMBOLS = {
    Comparator.GE: "≥",
    Comparator.LE: "≤",
    Comparator.EQ: "=",
    Comparator.RANGE: "区间",
    Comparator.PM: "±",
}


class Mark(StrEnum):
    """How much an indicator binds: ★ must be met, ▲ weighs heavily, · is plain."""

    MUST = "must"
    KEY = "key"
    PLAIN = "plain"

    @property
    def symbol(self) -> str:
        """★, ▲ or ·, as in procurement specifications."""
        return {Mark.MUST: "★", Mark.KEY: "▲", Mark.PLAIN: "·"}[self]


class Verifier(StrEnum):
    """Who proves the value: the solver itself, a third party, or the user on site."""

    SELF = "self"
    THIRD_PARTY = "third_party"
    ON_SITE = "on_site"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One measurable requirement of a challenge or need, or one stated parameter of a capability.

    A draft may hold less than a publishable indicator needs, so nothing is refused here.
    """

    name: str
    comparator: Comparator
    value: Decimal | None = None  # the bound; the lower bound of RANGE; the tolerance of PM
    value_to: Decimal | None = None  # the upper bound, RANGE only
    nominal: Decimal | None = None  # the centre of PM; None is a bare accuracy such as ±0.02 mm
    text_value: str = ""  # EQ only, for grades such as "ASIL D"; then value is None and unit ""
    unit: str = ""  # as written: "kN", "℃", "万次", "%"
    condition: str = ""  # 试验条件
    method: str = ""  # 试验方法 / 标准
    verifier: Verifier | None = None
    weight: int = 0  # percent; 0 on needs and capability parameters
    mark: Mark = Mark.PLAIN

    def requirement_text(self) -> str:
        """The requirement in one short line: "≥ 28 kN", "−40 ～ 125 ℃", "50 ± 0.5 mm", "ASIL D".

        Empty when a draft has no value yet. The name, condition and method are not part of it.
        """
        if self.comparator is Comparator.EQ and self.text_value:
            return self.text_value
        quantity = self._quantity_text()
        return f"{quantity} {self.unit}".rstrip() if quantity else ""

    def _quantity_text(self) -> str:
        if self.comparator is Comparator.RANGE:
            if self.value is None or self.value_to is None:
                return ""
            return f"{decimal_text(self.value)} ～ {decimal_text(self.value_to)}"
        if self.value is None:
            return ""
        number = f"{self.comparator.symbol} {decimal_text(self.value)}"
        if self.comparator is Comparator.PM and self.nominal is not None:
            return f"{decimal_text(self.nominal)} {number}"
        return number

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: every field, Decimals as strings, enums as their values."""
        return {
            "name": self.name,
            "comparator": self.comparator.value,
            "value": _stored(self.value),
            "value_to": _stored(self.value_to),
            "nominal": _stored(self.nominal),
            "text_value": self.text_value,
            "unit": self.unit,
            "condition": self.condition,
            "method": self.method,
            "verifier": self.verifier.value if self.verifier else None,
            "weight": self.weight,
            "mark": self.mark.value,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the JSON form; only `name` and `comparator` must be there, unknown keys are ignored.

        Raises ValueError, naming the field, on a missing name or comparator, an unknown enum value,
        or a number that is not finite or is absurdly long.
        """
        for field in ("name", "comparator"):
            if not isinstance(data.get(field), str):
                raise ValueError(f"{field}: missing or not a text")
        return cls(
            name=data["name"],
            comparator=Comparator(data["comparator"]),
            value=_read_number(data, "value"),
            value_to=_read_number(data, "value_to"),
            nominal=_read_number(data, "nominal"),
            text_value=_read_text(data, "text_value"),
            unit=_read_text(data, "unit"),
            condition=_read_text(data, "condition"),
            method=_read_text(data, "method"),
            verifier=Verifier(data["verifier"]) if data.get("verifier") else None,
            weight=_read_weight(data),
            mark=Mark(data.get("mark") or Mark.PLAIN),
        )


def decimal_text(value: Decimal) -> str:
    """A number as a reader expects it: no exponent, digits as given, a true minus sign."""
    return format(value, "f").replace("-", "−")


def parse_decimal(text: str) -> Decimal:
    """Read a number as people type it: full width, "1,200.5", "1.2e6", "−40".

    Raises ValueError if it is not one finite number of reasonable size.
    """
    plain = text.strip().translate(_PLAINER)
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"not a number: {text[:40]!r}")
    try:
        value = Decimal(plain)
    except InvalidOperation as error:
        raise ValueError(f"not a number: {text[:40]!r}") from error
    if len(value.as_tuple().digits) > _DIGITS_AT_MOST or abs(value.adjusted()) > _EXPONENT_AT_MOST:
        raise ValueError("number out of reasonable size")
    return value


def _stored(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _read_number(data: Mapping[str, Any], field: str) -> Decimal | None:
    raw = data.get(field)
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise ValueError(f"{field}: not a number")
    try:
        return parse_decimal(str(raw))
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


def _read_text(data: Mapping[str, Any], field: str) -> str:
    raw = data.get(field)
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise ValueError(f"{field}: not a text")
    return raw


def _read_weight(data: Mapping[str, Any]) -> int:
    raw = data.get("weight") or 0
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError("weight: not a whole number")
    return raw
