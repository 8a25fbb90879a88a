"""Public list pages: keyword, facets with counts, orders and pages, all of it in the URL.

A feature names its facets and orders and gives the rows that the actor may see; the number of SQL
statements depends on the facets and never on the rows. Not here: what a facet of one feature means.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, case, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.kernel.db import db
from marketplace.kernel.pagination import Page, page_number, paginate
from marketplace.organisations.models import Organisation
from marketplace.postings.texts import searchable

LONGEST_QUERY = 100
MOST_TERMS = 6


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list was asked for. Made from a URL and written back to one without loss."""

    q: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    sort: str = ""
    page: int = 1

    @classmethod
    def from_args(cls, args: Mapping[str, str], facets: Iterable[str]) -> "ListQuery":
        """Read the query part of a URL; what is not known there is left aside."""
        return cls(
            q=args.get("q", "").strip()[:LONGEST_QUERY],
            chosen=tuple((name, args[name][:60]) for name in facets if args.get(name)),
            sort=args.get("sort", "")[:20],
            page=page_number(args.get("page")),
        )

    def value(self, facet: str) -> str:
        return dict(self.chosen).get(facet, "")

    def args(self) -> dict[str, str]:
        """The URL's query part again, shortest form."""
        named = {"q": self.q, **dict(self.chosen), "sort": self.sort}
        if self.page > 1:
            named["page"] = str(self.page)
        return {name: value for name, value in named.items() if value}

    @property
    def terms(self) -> list[str]:
        """The words to be found, as `search_text` spells them."""
        return list(dict.fromkeys(searchable(self.q).split()))[:MOST_TERMS]


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """One row of choices.

    `where` gives the condition of a choice. Counting takes one statement: by `group`, which turns the ids
    that remain into rows of (value, count), or else by the conditions themselves. `covers` tells whether
    a choice stands for a counted value, such as a province for its districts.
    """

    name: str
    label: str
    options: Sequence[Option]
    where: Callable[[str], ColumnElement[bool]]
    group: Callable[[Select[Any]], Select[Any]] | None = None
    covers: Callable[[str, str], bool] = str.__eq__
    hide_empty: bool = True

    def condition(self, value: str) -> ColumnElement[bool]:
        """A choice that does not exist has no rows."""
        return self.where(value) if any(o.value == value for o in self.options) else false()


@dataclass(frozen=True, slots=True)
class Order:
    value: str
    label: str
    by: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list page shows."""

    query: ListQuery
    page: Page[Any]
    facets: tuple[Facet, ...]
    orders: tuple[tuple[str, str], ...]

    @property
    def total(self) -> int:
        return self.page.total


def group_by(column: InstrumentedAttribute[Any], identity: InstrumentedAttribute[int]) -> Any:
    """Count by a column: of the thing itself, or of a table that refers to it by `identity`."""

    def statement(ids: Select[Any]) -> Select[Any]:
        return select(column, func.count()).where(identity.in_(ids), column.is_not(None)).group_by(column)

    return statement


def holds_terms(entity: Any, query: ListQuery) -> list[ColumnElement[bool]]:
    """Every word of the question stands somewhere in the public text or in the organisation's name."""
    named = select(Organisation.id).where
    return [
        or_(
            entity.search_text.contains(term, autoescape=True),
            entity.organisation_id.in_(named(func.lower(Organisation.name).contains(term, autoescape=True))),
        )
        for term in query.terms
    ]


def build_listing(
    entity: Any,
    *,
    query: ListQuery,
    visible: Select[Any],
    facets: Sequence[Facet],
    orders: Sequence[Order],
    per_page: int = 10,
) -> Listing:
    """Run a list. `visible` selects the entity's rows that the actor may see, with their loading options.

    The first order is the usual one. Every order ends with the id, so that pages neither repeat nor lose.
    """
    conditions = {f.name: f.condition(query.value(f.name)) for f in facets if query.value(f.name)}
    found = visible.where(*holds_terms(entity, query))
    order = next((o for o in orders if o.value == query.sort), orders[0])
    page = paginate(
        found.where(*conditions.values()).order_by(*order.by, entity.id.desc()),
        page=query.page,
        per_page=per_page,
    )
    counted = []
    for facet in facets:
        others = [c for name, c in conditions.items() if name != facet.name]
        ids = found.where(*others).with_only_columns(entity.id).order_by(None)
        counted.append(_count(entity, facet, ids, query.value(facet.name)))
    return Listing(query, page, tuple(counted), tuple((o.value, o.label) for o in orders))


def _count(entity: Any, facet: Facet, ids: Select[Any], chosen: str) -> Facet:
    if facet.group is not None:
        counts = db.session.execute(facet.group(ids)).all()
        totals = [
            sum(count for value, count in counts if facet.covers(option.value, value))
            for option in facet.options
        ]
    else:
        columns = [func.count(case((facet.where(option.value), 1))) for option in facet.options]
        totals = list(db.session.execute(select(*columns).where(entity.id.in_(ids))).one())
    options = [replace(o, count=n) for o, n in zip(facet.options, totals, strict=True)]
    if facet.hide_empty:
        options = [o for o in options if o.count or o.value == chosen]
    return replace(facet, options=tuple(options))


def region_prefix(code: str) -> str:
    """The digits shared by every GB/T 2260 code below `code`: "500000" → "50"."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code


def covers_region(wider: str, code: str) -> bool:
    return code.startswith(region_prefix(wider))


def in_region(column: InstrumentedAttribute[Any]) -> Callable[[str], ColumnElement[bool]]:
    return lambda code: column.startswith(region_prefix(code), autoescape=True)


def covers_industry(wider: str, code: str) -> bool:
    return code.startswith(wider)


def in_industry(column: InstrumentedAttribute[Any]) -> Callable[[str], ColumnElement[bool]]:
    return lambda code: column.startswith(code, autoescape=True)
