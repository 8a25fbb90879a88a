"""What people type, judged before anything stores it: characters, length, digits, amounts.

Plain Python, shared by HTML forms, imports and commands, so that a text refused by one door is refused by
all. Here: what holds for any text or number. Not here: what a feature asks of its own fields (its rules).
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

LARGEST_INTEGER = 2**31 - 1
LARGEST_FEN = 10**15
LONGEST_REASON = 1000

# Characters that no column should hold: PostgreSQL refuses NUL and surrogates, terminals and logs obey
# the C0 and C1 controls, and the bidirectional overrides make a text read differently from what it is.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_LINE_CHARACTERS = re.compile("[\t\n\r]")
# What takes no room and no ink: alone it is nothing, between other characters it is part of the text.
_UNSEEN = re.compile(
    "[ \t\n\r\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180e"
    "\u2000-\u200f\u202f\u205f-\u2064\u3000\u3164\ufeff\uffa0]*"
)
# What a decoder leaves where bytes were no text.
_DAMAGED = "\ufffd"
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2212: 0x2D}
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})", re.ASCII)
# Commas only where thousands are: "1,5" is not fifteen.
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", re.ASCII)
_MOBILE = re.compile(r"(?:\+?86[- ]?)?1[3-9][0-9]{9}", re.ASCII)
_LANDLINE = re.compile(r"0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?", re.ASCII)


def with_plain_newlines(text: str) -> str:
    """Browsers send CRLF; one line end is one character."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_blank(text: str) -> bool:
    """Whether nobody could see anything in it."""
    return _UNSEEN.fullmatch(text) is not None


def obstacles_in(
    text: str, *, field: str, label: str, limit: int, multiline: bool = False
) -> Iterator[Obstacle]:
    """What keeps `text` from being stored as it stands in a column of `limit` characters."""
    if _REFUSED.search(text):
        yield Obstacle(field, N_("“%(label)s”含有控制字符或不可见字符，请删除后重新输入"), {"label": label})
    elif not multiline and _LINE_CHARACTERS.search(text):
        yield Obstacle(field, N_("“%(label)s”只能是一行，不能含有换行或制表符"), {"label": label})
    if _DAMAGED in text:
        yield Obstacle(field, N_("“%(label)s”含有乱码，请重新输入"), {"label": label})
    if len(text) > limit:
        yield Obstacle(
            field,
            N_("“%(label)s”最多 %(limit)s 个字，现有 %(count)s 个"),
            {"label": label, "limit": limit, "count": len(text)},
        )


def reason_gaps(reason: str, *, field: str = "reason", limit: int = LONGEST_REASON) -> Iterator[Obstacle]:
    """What a reason that is owed to others lacks, or holds too much of."""
    if not reason.strip():
        yield Obstacle(field, N_("请填写“理由”"))
    yield from obstacles_in(reason, field=field, label=N_("理由"), limit=limit, multiline=True)


def plain(text: str) -> str:
    """Full-width digits, letters and signs made ASCII, for numbers and codes; never for prose.

    Not NFKC, which would read "10²" as 102.
    """
    return text.translate(_HALF_WIDTH).strip()


def digits_of(text: str) -> str:
    """A number as typed, made ASCII, without the commas between thousands. Raises ValueError."""
    digits = plain(text)
    if "," in digits and not _GROUPED.fullmatch(digits):
        raise ValueError(text)
    return digits.replace(",", "")


def integer_from(text: str) -> int:
    """Raises ValueError for all but a plain whole number."""
    digits = digits_of(text)
    if not _INTEGER.fullmatch(digits):
        raise ValueError(text)
    return int(digits)


def decimal_from(text: str) -> Decimal:
    """Raises ValueError for all but a plain decimal: no exponent, no infinity, nothing that is rounded."""
    digits = digits_of(text)
    if not _DECIMAL.fullmatch(digits):
        raise ValueError(text)
    return Decimal(digits)


def date_from(text: str) -> date:
    """2026-11-22, 2026/11/22, 2026.11.22 or 2026年11月22日; raises ValueError for anything else."""
    found = _DATE.fullmatch(plain(text))
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) for part in found.groups())
    if not 1900 <= year <= 2200:
        raise ValueError(text)
    return date(year, month, day)


def phone_from(text: str) -> str:
    """A mobile or landline number of the mainland; raises ValueError for anything else."""
    number = plain(text)
    if not (_MOBILE.fullmatch(number) or _LANDLINE.fullmatch(number)):
        raise ValueError(text)
    return number
