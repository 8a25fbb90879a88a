"""GB/T 2260 codes as digits: what a code lies in and what lies below it.

Not here: which codes there are and their names (`queries`).
"""

from collections.abc import Iterable


def region_prefix(code: str) -> str:
    """The digits shared by every code below `code`: "500000" → "50"."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def province_of(code: str) -> str:
    """The code of the province that a code lies in."""
    return f"{code[:2]}0000"


def wider_regions(code: str) -> Iterable[str]:
    """A code with those of its city and province: "500112" → 500112, 500100, 500000."""
    return dict.fromkeys((code, f"{code[:4]}00", province_of(code)))
