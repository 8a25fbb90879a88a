"""The columns of an import: how each reads a cell, and how it writes one that reads back as the same.

A feature lists its columns; template, mapping, reading, differences and own exports all follow from them. A
codec raises WrongCell with what is wrong and what the limit is. Not here: what a whole row is held to, which
the feature's rules say, and where the values are stored.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from unicodedata import normalize

from marketplace.exchange.cells import LONGEST_CELL, Cell, day_from_serial, text_of, without_guard
from marketplace.exchange.faults import WrongCell
from marketplace.kernel import money, typed
from marketplace.kernel.texts import N_

YES = frozenset(("是", "有", "y", "yes", "true", "1", "√", "✓", "t", "允许"))
NO = frozenset(("否", "无", "n", "no", "false", "0", "×", "✗", "f", "不允许", "-", "—"))
# More choices than this are a list that nobody scrolls through in a cell.
MOST_CHOICES = 100
_SEPARATORS = re.compile(r"[、，,；;\n\r|/]+")


class Codec(Protocol):
    @property
    def blank(self) -> Any:
        """The value of a cell with nothing in it."""

    def read(self, text: str, unit: str = "") -> Any:
        """The value of a text that is not blank; raises WrongCell."""

    def write(self, value: Any) -> Cell:
        """A cell that reads back as `value`."""


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the value's name in the feature; `label` and `hint` are gettext sources."""

    name: str
    label: str
    codec: Codec
    synonyms: tuple[str, ...] = ()
    hint: str = ""
    example: str = ""
    required: bool = False
    # Fields of the feature's obstacles that are about this column, beside its name.
    fields: tuple[str, ...] = ()
    # For the owner alone: never in a preview, a letter or an export that somebody else reads.
    private: bool = False

    def read(self, cell: object, unit: str = "") -> Any:
        text = without_guard(text_of(cell))
        if len(text) > LONGEST_CELL:
            raise WrongCell(N_("最多 %(limit)s 个字"), {"limit": LONGEST_CELL})
        return self.codec.blank if typed.is_blank(text) else self.codec.read(text, unit)

    def write(self, value: Any) -> Cell:
        return None if value is None or value == "" or value == () else self.codec.write(value)

    def shown(self, value: Any) -> str:
        return text_of(self.write(value))

    @property
    def units(self) -> Mapping[str, str]:
        """Unit → its word, for a column that may be filled in in several units."""
        units: Mapping[str, str] = getattr(self.codec, "UNITS", {})
        return units

    @property
    def choices(self) -> list[str]:
        """What a drop-down list offers; none for a free cell."""
        found: Callable[[], list[str]] | None = getattr(self.codec, "choices", None)
        return found() if found else []


def plain_text(text: str, *, limit: int, multiline: bool = False) -> str:
    """`text` as a form would take it; raises WrongCell with the first thing against it."""
    text = typed.with_plain_newlines(text)
    for obstacle in typed.obstacles_in(text, field="", label="", limit=limit, multiline=multiline):
        raise WrongCell(_WITHOUT_LABEL.get(obstacle.message, obstacle.message), obstacle.params)
    return text


# The column stands beside the message already.
_WITHOUT_LABEL = {
    "“%(label)s”含有控制字符或不可见字符，请删除后重新输入": N_("含有控制字符或不可见字符"),
    "“%(label)s”只能是一行，不能含有换行或制表符": N_("只能是一行，不能含有换行或制表符"),
    "“%(label)s”含有乱码，请重新输入": N_("含有乱码"),
    "“%(label)s”最多 %(limit)s 个字，现有 %(count)s 个": N_("最多 %(limit)s 个字，现有 %(count)s 个"),
}


@dataclass(frozen=True, slots=True)
class Text:
    limit: int
    multiline: bool = False
    blank: str = ""

    def read(self, text: str, unit: str = "") -> str:
        if not self.multiline:
            # A line break in a single-line cell is how Excel wraps, and not part of the value.
            text = re.sub(r"[ \t]*[\r\n]+[ \t]*", " ", text).strip(" \u3000")
        return plain_text(text, limit=self.limit, multiline=self.multiline)

    def write(self, value: str) -> Cell:
        return value


@dataclass(frozen=True, slots=True)
class Integer:
    least: int
    most: int
    blank: int | None = None

    def read(self, text: str, unit: str = "") -> int:
        try:
            number = typed.integer_from(text)
        except ValueError as error:
            raise WrongCell(N_("须为整数，例如 12")) from error
        if not self.least <= number <= self.most:
            raise WrongCell(N_("须在 %(least)s 与 %(most)s 之间"), {"least": self.least, "most": self.most})
        return number

    def write(self, value: int) -> Cell:
        return value


@dataclass(frozen=True, slots=True)
class Number:
    blank: Decimal | None = None

    def read(self, text: str, unit: str = "") -> Decimal:
        try:
            return typed.decimal_from(text)
        except ValueError as error:
            raise WrongCell(N_("须为数字，例如 28 或 0.02，最多 15 位整数和 9 位小数")) from error

    def write(self, value: Decimal) -> Cell:
        # A text where a spreadsheet's own fifteen digits would not do.
        return value if len(value.normalize().as_tuple().digits) <= 15 else f"{value.normalize():f}"


_AMOUNT = re.compile(
    r"([¥￥]|人民币|RMB|CNY)?\s*([0-9.,，]+)\s*(万元?|亿元?|元|圆)?(?:整|/.{1,4})?", re.IGNORECASE
)
_UNITS_FEN = {"万": money.FEN_PER_WAN, "亿": money.FEN_PER_WAN * 10_000, "元": money.FEN_PER_YUAN}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in 分. A unit in the cell goes before that of the heading, and that before the usual one."""

    usual: str
    most_fen: int = typed.LARGEST_FEN
    blank: int | None = None

    UNITS = {"wan": N_("万元"), "yuan": N_("元")}  # noqa: RUF012 - the same for all

    def read(self, text: str, unit: str = "") -> int:
        plain = typed.plain(text)
        found = _AMOUNT.fullmatch(plain)
        if found is None:
            raise WrongCell(N_("须为金额，例如 80 或 80.5，可写明“万元”或“元”"))
        usual = money.FEN_PER_WAN if (unit or self.usual) == "wan" else money.FEN_PER_YUAN
        written = (found[3] or "").replace("圆", "元")
        unit_fen = _UNITS_FEN[written[0]] if written else usual
        try:
            fen = money.fen_from(found[2].replace("，", ""), unit_fen=unit_fen)
        except ValueError as error:
            raise WrongCell(N_("须为不小于 0 的金额，精确到分，例如 80 或 80.5")) from error
        if fen > self.most_fen:
            raise WrongCell(N_("金额最多 %(most)s 万元"), {"most": money.in_wan(self.most_fen)})
        return fen

    def write(self, value: int) -> Cell:
        return Decimal(value) / (money.FEN_PER_WAN if self.usual == "wan" else money.FEN_PER_YUAN)


_WITH_TIME = re.compile(r"(.{8,11}?)[ T]+[0-9]{1,2}:[0-9]{2}(:[0-9.]{2,9})?")
_EIGHT_DIGITS = re.compile(r"([12][0-9]{3})([01][0-9])([0-3][0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Day:
    blank: date | None = None

    def read(self, text: str, unit: str = "") -> date:
        plain = typed.plain(text)
        if found := _WITH_TIME.fullmatch(plain):
            plain = found[1]
        if found := _EIGHT_DIGITS.fullmatch(plain):
            plain = "-".join(found.groups())
        elif (day := day_from_serial(plain)) is not None:
            plain = day.isoformat()
        try:
            return typed.date_from(plain)
        except ValueError as error:
            raise WrongCell(N_("须为日期，例如 2026-11-22")) from error

    def write(self, value: date) -> Cell:
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    blank: bool = False

    def read(self, text: str, unit: str = "") -> bool:
        word = typed.plain(text).casefold()
        if word in YES:
            return True
        if word in NO:
            return False
        raise WrongCell(N_("请填“是”或“否”"))

    def write(self, value: bool) -> Cell:
        return "是" if value else "否"

    def choices(self) -> list[str]:
        return ["是", "否"]


def spelled(text: str) -> str:
    """A choice in one spelling: widths, case, brackets and blanks do not tell two choices apart."""
    return re.sub(r"[\s()（）\[\]“”\"'·*＊]", "", normalize("NFKC", text)).casefold()


@dataclass(frozen=True, slots=True)
class Choice:
    """A member of an enum, written as its word; its code is read too, and `also` gives further words."""

    kind: type[StrEnum]
    labels: Mapping[Any, str]
    also: Mapping[str, StrEnum] | None = None
    blank: StrEnum | None = None

    def read(self, text: str, unit: str = "") -> StrEnum:
        wanted = spelled(text)
        for member in self.kind:
            if wanted in (spelled(self.labels[member]), member.value):
                return member
        for word, member in (self.also or {}).items():
            if wanted == spelled(word):
                return member
        raise WrongCell(N_("须为：%(choices)s"), {"choices": "、".join(self.choices())})

    def write(self, value: StrEnum) -> Cell:
        return self.labels[value]

    def choices(self) -> list[str]:
        return [self.labels[member] for member in self.kind]


Pairs = Callable[[], Sequence[tuple[str, str]]]
# Reference data changes with releases; a file of fifty thousand rows asks for the same names all the time.
SECONDS_KEPT = 5.0


class Vocabulary:
    """The codes of a taxonomy by all the spellings in which files name them."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.made_at = time.monotonic()
        self._codes: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}
        self.words: dict[str, str] = {}
        for code, name in pairs:
            self._codes.setdefault(spelled(code), code)
            self._codes.setdefault(spelled(code + name), code)
            self._named.setdefault(spelled(name), []).append(code)
        for code, name in pairs:
            # The name, or the code where the name alone would not be read back.
            readable = len(self._named[spelled(name)]) == 1 and not _SEPARATORS.search(name)
            self.words[code] = name if readable else code

    def code(self, text: str, label: str) -> str:
        wanted = spelled(text)
        if wanted in self._codes:
            return self._codes[wanted]
        named = self._named.get(wanted, [])
        if len(named) == 1:
            return named[0]
        if named:
            raise WrongCell(
                N_("“%(text)s”不止一个，请写代码：%(codes)s"),
                {"text": text[:40], "codes": "、".join(named[:10])},
            )
        raise WrongCell(N_("“%(text)s”不在%(label)s中，请填名称或代码"), {"text": text[:40], "label": label})


_kept: dict[Pairs, Vocabulary] = {}


def vocabulary(pairs: Pairs) -> Vocabulary:
    kept = _kept.get(pairs)
    if kept is None or time.monotonic() - kept.made_at > SECONDS_KEPT:
        kept = _kept[pairs] = Vocabulary(pairs())
    return kept


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a taxonomy, written as its name; code, name or both are read."""

    pairs: Pairs
    label: str
    blank: str | None = None

    def read(self, text: str, unit: str = "") -> str:
        return vocabulary(self.pairs).code(text, self.label)

    def write(self, value: str) -> Cell:
        return vocabulary(self.pairs).words.get(value, value)

    def choices(self) -> list[str]:
        names = list(vocabulary(self.pairs).words.values())
        return names if len(names) <= MOST_CHOICES else []


@dataclass(frozen=True, slots=True)
class Codes:
    """Several codes of a taxonomy in one cell."""

    pairs: Pairs
    label: str
    most: int
    blank: tuple[str, ...] = ()

    def read(self, text: str, unit: str = "") -> tuple[str, ...]:
        known = vocabulary(self.pairs)
        words = [word for word in _SEPARATORS.split(text) if word.strip()]
        codes = tuple(sorted({known.code(word, self.label) for word in words}))
        if len(codes) > self.most:
            raise WrongCell(
                N_("最多 %(limit)s 项，现有 %(count)s 项"), {"limit": self.most, "count": len(codes)}
            )
        return codes

    def write(self, value: Sequence[str]) -> Cell:
        words = vocabulary(self.pairs).words
        return "、".join(words.get(code, code) for code in sorted(value))


@dataclass(frozen=True, slots=True)
class Words:
    """Keywords in one cell."""

    most: int
    longest: int
    blank: tuple[str, ...] = ()

    def read(self, text: str, unit: str = "") -> tuple[str, ...]:
        parts = re.split(r"[，,；;、\n\r\t]+", text)
        words = tuple(dict.fromkeys(word.strip() for word in parts if word.strip()))
        if len(words) > self.most:
            raise WrongCell(
                N_("最多 %(limit)s 个，现有 %(count)s 个"), {"limit": self.most, "count": len(words)}
            )
        return tuple(plain_text(word, limit=self.longest) for word in words)

    def write(self, value: Sequence[str]) -> Cell:
        return "、".join(value)
