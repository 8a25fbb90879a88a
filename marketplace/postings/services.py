"""Acts that every posting shares: replacing the rows that hang on it."""

from collections.abc import Iterable, Sequence
from typing import Any

from marketplace.indicators.model import Indicator
from marketplace.postings.models import IndicatorColumns


def replace_indicators(
    rows: list[Any], kind: type[IndicatorColumns], indicators: Sequence[Indicator]
) -> None:
    """Make `rows` say what `indicators` say, in their order, rewriting rows that are there."""
    del rows[len(indicators) :]
    for position, indicator in enumerate(indicators):
        columns = {**kind.columns_of(indicator), "position": position}
        if position < len(rows):
            for name, value in columns.items():
                setattr(rows[position], name, value)
        else:
            rows.append(kind(**columns))


def replace_codes(rows: list[Any], kind: Any, codes: Iterable[str]) -> None:
    """Make `rows` of (code) say what `codes` say, keeping rows that stay."""
    wanted = set(codes)
    rows[:] = [row for row in rows if row.code in wanted]
    rows.extend(kind(code=code) for code in sorted(wanted - {row.code for row in rows}))
