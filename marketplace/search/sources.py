"""What can be found: features register a source for each kind of thing that they make public.

Not here: how a document is written (`index`), and what any kind of posting means.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import g, has_request_context
from sqlalchemy import ColumnElement, Select, String, cast, literal

from marketplace.indicators.model import Indicator, decimal_text
from marketplace.language import DEFAULT_DICTIONARY, Dictionary
from marketplace.language.terms import LANGUAGE_VERSION
from marketplace.search.tokens import TOKENS_VERSION


class Standing:
    """Where a public thing stands; whether it is still open is asked of the clock."""

    OPEN = "open"
    VERIFIED = "verified"
    COLLECTED = "collected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Document:
    """The public version of one thing, and nothing that is not public: no annex, hidden price or contact."""

    subject_id: int
    public_no: str
    title: str
    text: str
    organisation_id: int
    standing: str
    published_at: datetime
    keywords: tuple[str, ...] = ()
    # Found by, but never the reason to rank: the organisation's names and the thing's number.
    names: tuple[str, ...] = ()
    region: str = ""
    clusters: tuple[str, ...] = ()
    trl: int | None = None
    money_fen: int | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of thing.

    `public` gives (id, stamp, organisation_id) of all that may be found; the stamp changes with everything
    that a document says. `read` gives the documents of some ids, in a fixed number of statements.
    """

    kind: str
    label: str
    order: int
    entity: type[Any]
    public: Callable[[], Select[int, str, int]]
    read: Callable[[Sequence[int]], list[Document]]
    # The route of its page, and how the page is named in an address.
    endpoint: str
    by_number: bool = True


def stamped(*columns: Any) -> ColumnElement[str]:
    """What a document depends on, as one text that the database compares."""
    parts = [cast(column, String) for column in columns]
    whole: ColumnElement[str] = parts[0]
    for part in parts[1:]:
        whole = whole.concat(literal(":")).concat(part)
    return whole.label("stamp")


def indicators_text(indicators: Iterable[Indicator]) -> str:
    """Indicators as a text to be searched, one a line."""
    return "\n".join(_indicator_text(indicator) for indicator in indicators)


def _indicator_text(one: Indicator) -> str:
    values = [decimal_text(v) for v in (one.value, one.value_to, one.nominal) if v is not None]
    parts = (one.name, *values, one.text_value, one.unit, one.condition, one.method)
    return " ".join(part for part in parts if part)


_sources: dict[str, Source] = {}
_dictionary: list[Callable[[], Dictionary]] = []


def register(source: Source) -> None:
    _sources[source.kind] = source


def registered() -> list[Source]:
    return sorted(_sources.values(), key=lambda source: source.order)


def source_of(kind: str) -> Source | None:
    return _sources.get(kind)


def read_with(loader: Callable[[], Dictionary]) -> None:
    """Name the function that gives the dictionary in force: the feature above that keeps its versions."""
    _dictionary[:] = [loader]


def dictionary_in_force() -> tuple[str, Dictionary]:
    """The dictionary that texts are read by, and the mark that documents read by it carry.

    Asked for once in a request, which reads many texts.
    """
    if not has_request_context():
        return _find_dictionary()
    if "search_dictionary" not in g:
        g.search_dictionary = _find_dictionary()
    found: tuple[str, Dictionary] = g.search_dictionary
    return found


def _find_dictionary() -> tuple[str, Dictionary]:
    dictionary = _dictionary[0]() if _dictionary else DEFAULT_DICTIONARY
    return _mark_of(dictionary), dictionary


@lru_cache(maxsize=4)
def _mark_of(dictionary: Dictionary) -> str:
    return f"{TOKENS_VERSION}.{LANGUAGE_VERSION}.{dictionary.digest()[:16]}"
