"""Money is integer 分. Reading what people type, showing what they read."""

import re
from decimal import Decimal

from marketplace.kernel import typed

FEN_PER_YUAN = 100
FEN_PER_WAN = 10_000 * FEN_PER_YUAN
# What a column of 64 bits holds, whichever unit the amount was typed in.
_ROOM_FEN = 10**18
_AMOUNT = re.compile(r"[0-9]{1,14}(\.[0-9]{1,6})?", re.ASCII)


def fen_from(text: str, *, unit_fen: int) -> int:
    """Read an amount typed in units of `unit_fen` 分 (万元 or 元) without rounding anything away.

    Raises ValueError for anything but a plain non-negative decimal that is a whole number of 分.
    """
    plain = typed.digits_of(text)
    if not _AMOUNT.fullmatch(plain):
        raise ValueError(text)
    fen = Decimal(plain) * unit_fen
    if fen != fen.to_integral_value() or fen >= _ROOM_FEN:
        raise ValueError(text)
    return int(fen)


def _shown(fen: int, unit_fen: int) -> str:
    amount = (Decimal(fen) / unit_fen).normalize()
    return f"{amount:,f}"


def in_wan(fen: int) -> str:
    """80000000 → "80" (万元), with thousands separators and no trailing zeros."""
    return _shown(fen, FEN_PER_WAN)


def in_yuan(fen: int) -> str:
    """123456 → "1,234.56" (元)."""
    return _shown(fen, FEN_PER_YUAN)
