"""Acts that every posting shares: guarding its version, replacing its rows, keeping its text searchable."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from marketplace.indicators.model import Indicator
from marketplace.kernel.errors import StaleVersion
from marketplace.postings.listing import searchable
from marketplace.postings.models import IndicatorColumns, Posting


class Versioned(Protocol):
    version: Any


def check_version(thing: Versioned, expected: int | None) -> None:
    """Raise StaleVersion where the text was changed since the person read it.

    None is for jobs, imports and the demonstration, which read and write in one transaction.
    """
    if expected is not None and thing.version != expected:
        raise StaleVersion(current_version=thing.version)


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


def keep_searchable(posting: Posting, organisation_name: str, texts: Iterable[str]) -> None:
    """Write down what the keyword search may find a posting by; public texts only are to be handed in."""
    posting.search_text = searchable(
        posting.public_no, posting.title, *posting.keywords, organisation_name, *texts
    )
