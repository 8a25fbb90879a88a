"""Public list pages: keyword, facets with counts, orders and pages, all of it in the URL.

A feature names its facets and orders and gives the rows that everybody may see; the number of SQL
statements depends on the facets and never on the rows. Not here: what a facet of one feature means, and how
long numbers are kept (`kernel.kept`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CTE, ColumnElement, Select, String, case, cast, false, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.kernel.db import db
from marketplace.kernel.kept import kept
from marketplace.kernel.pagination import Page, page_number, paginate
from marketplace.search import queries as search
from marketplace.taxonomy.regions import region_prefix

LONGEST_QUERY = 100


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


@dataclass(frozen=True, slots=True)
class Option:
    """A choice. One with a `parent`, as a district has, is offered once that or a sibling is chosen."""

    value: str
    label: str
    count: int | None = None
    parent: str = ""


def itself(value: str) -> Iterable[str]:
    """The choice that stands for a counted value where none is wider than another."""
    return (value,)


@dataclass(frozen=True, slots=True)
class Facet:
    """One row of choices.

    `where` gives the condition of a choice. A facet is counted by the values of a `column` of the thing
    itself, or by a `group`, which turns the ids that remain into rows of (value, count), or else by testing
    the condition of each choice. `stands_for` names the choices that a counted value belongs to, such as a
    district's own and its province's.
    """

    name: str
    label: str
    options: Sequence[Option]
    where: Callable[[str], ColumnElement[bool]]
    _: KW_ONLY
    column: InstrumentedAttribute[Any] | None = None
    group: Callable[[Select[Any]], Any] | None = None
    stands_for: Callable[[str], Iterable[str]] = itself
    hide_empty: bool = True

    @property
    def is_tested(self) -> bool:
        return self.column is None and self.group is None

    def condition(self, value: str) -> ColumnElement[bool]:
        """A choice that does not exist has no rows."""
        return self.where(value) if any(o.value == value for o in self.options) else false()


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a list: all of them, and by facet and choice."""

    #: So few are counted each time: that is cheap, and what was published just now stands in the number.
    FEW: ClassVar[int] = 500

    total: int
    choices: Mapping[str, Mapping[str, int]]

    def are_many(self) -> bool:
        return self.total > self.FEW


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a list: by group, where there are groups, and within a group by `by`.

    The rows that meet the first condition of `groups` come first, then those that meet the second, and so on;
    those that meet none come last.
    """

    value: str
    label: str
    by: tuple[Any, ...]
    groups: tuple[ColumnElement[bool], ...] = ()

    def whole(self) -> tuple[Any, ...]:
        """What all rows are ordered by."""
        if not self.groups:
            return self.by
        ranked = [(condition, place) for place, condition in enumerate(self.groups)]
        return (case(*ranked, else_=len(self.groups)), *self.by)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list page shows."""

    query: ListQuery
    page: Page[Any]
    facets: tuple[Facet, ...]
    orders: tuple[tuple[str, str], ...]
    # When the numbers beside the choices were counted, where that was not just now.
    counted_at: datetime | None = None

    @property
    def total(self) -> int:
        return self.page.total


def group_by(column: InstrumentedAttribute[Any], identity: InstrumentedAttribute[int]) -> Any:
    """Count by a column of a table that refers to the thing by `identity`."""

    def statement(ids: Select[Any]) -> Select[Any]:
        return select(column, func.count()).where(identity.in_(ids)).group_by(column)

    return statement


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
    found = visible.where(*search.holds(entity.__tablename__, entity.id, query.q))
    chosen = found.where(*conditions.values())
    order = next((o for o in orders if o.value == query.sort), orders[0])

    counted = kept(
        (entity.__tablename__, query.q, query.chosen),
        lambda: _count(entity, found, facets, conditions),
        worth=Counts.are_many,
    )
    counts = counted.value
    ids = _page_of_ids(entity, chosen, order, page=query.page, per_page=per_page, total=counts.total)
    rows = {row.id: row for row in db.session.scalars(visible.where(entity.id.in_(ids.items))).unique()}
    page = replace(ids, items=[rows[number] for number in ids.items if number in rows])
    shown = tuple(_shown(facet, counts.choices[facet.name], query.value(facet.name)) for facet in facets)
    return Listing(query, page, shown, tuple((o.value, o.label) for o in orders), counted.since)


def _page_of_ids(
    entity: Any, chosen: Select[Any], order: Order, *, page: int, per_page: int, total: int
) -> Page[int]:
    """The ids come first: an index orders them alone; whole rows would be sorted with all their texts."""
    ids = chosen.with_only_columns(entity.id)
    if order.groups:
        # A page that the first group fills needs none of the others, and the index has that group in order.
        first = ids.where(order.groups[0]).order_by(*order.by, entity.id.desc())
        found: Page[int] = paginate(first, page=page, per_page=per_page, total=total)
        if len(found.items) == per_page:
            return found
    ordered = ids.order_by(*order.whole(), entity.id.desc())
    return paginate(ordered, page=page, per_page=per_page, total=total)


def _count(
    entity: Any,
    found: Select[Any],
    facets: Sequence[Facet],
    conditions: Mapping[str, ColumnElement[bool]],
) -> Counts:
    """All numbers beside a list in one statement: the words are looked up, and the rows read, once.

    `conditions` are those of the chosen facets by name; a facet counts what all others leave.
    """
    others = {facet.name: tuple(name for name in conditions if name != facet.name) for facet in facets}
    tested = [(facet, option.value) for facet in facets if facet.is_tested for option in facet.options]
    facts = (
        found.with_only_columns(
            entity.id.label("id"),
            *(case((condition, 1), else_=0).label(f"meets_{name}") for name, condition in conditions.items()),
            *(case((facet.where(value), 1)).label(f"test_{n}") for n, (facet, value) in enumerate(tested)),
            *(facet.column.label(f"value_{facet.name}") for facet in facets if facet.column is not None),
        )
        .order_by(None)
        .cte("facts")
        .prefix_with("MATERIALIZED")
    )
    parts = [_numbered("", literal(""), func.count()).select_from(facts).where(*_met(facts, conditions))]
    # Conditions of facets that leave the same rows are counted in one pass; each number is then a row.
    passes: dict[tuple[str, ...], list[int]] = {}
    for place, (facet, _) in enumerate(tested):
        passes.setdefault(others[facet.name], []).append(place)
    for number, (names, places) in enumerate(passes.items()):
        columns = [func.count(facts.c[f"test_{n}"]).label(f"test_{n}") for n in places]
        counted = select(*columns).where(*_met(facts, names)).cte(f"counted_{number}")
        for n in places:
            facet, value = tested[n]
            parts.append(_numbered(facet.name, literal(value), counted.c[f"test_{n}"]))
    for facet in facets:
        left = _met(facts, others[facet.name])
        if facet.column is not None:
            held = facts.c[f"value_{facet.name}"]
            parts.append(
                _numbered(facet.name, held, func.count()).where(held.is_not(None), *left).group_by(held)
            )
        elif facet.group is not None:
            value_and_number = facet.group(select(facts.c.id).where(*left)).subquery().c
            parts.append(_numbered(facet.name, *value_and_number))
    choices: dict[str, Counter[str]] = {facet.name: Counter() for facet in facets}
    stands_for = {facet.name: itself if facet.is_tested else facet.stands_for for facet in facets}
    total = 0
    for name, value, rows in db.session.execute(union_all(*parts)):
        if not name:
            total = rows
            continue
        for choice in stands_for[name](value):
            choices[name][choice] += rows
    return Counts(total, choices)


def _met(facts: CTE, names: Iterable[str]) -> list[ColumnElement[bool]]:
    return [facts.c[f"meets_{name}"] == 1 for name in names]


def _numbered(facet: str, value: ColumnElement[Any], number: ColumnElement[int]) -> Select[str, str, int]:
    return select(literal(facet, String), cast(value, String), number)


def _shown(facet: Facet, counts: Mapping[str, int], chosen: str) -> Facet:
    """The facet with its numbers, without choices that lead nowhere or lie inside one that is not chosen."""
    parent = next((o.parent for o in facet.options if o.value == chosen), "")
    opened = {"", chosen, parent}
    options = [
        replace(option, count=counts.get(option.value, 0))
        for option in facet.options
        if option.parent in opened
        and (counts.get(option.value) or option.value == chosen or not facet.hide_empty)
    ]
    return replace(facet, options=tuple(options))


def in_region(column: InstrumentedAttribute[Any]) -> Callable[[str], ColumnElement[bool]]:
    return lambda code: column.startswith(region_prefix(code), autoescape=True)


def wider_industries(code: str) -> Iterable[str]:
    """A GB/T 4754 code with the wider ones that it begins with: "C3484" → C, C3, C34, C348, C3484."""
    return (code[:length] for length in range(1, len(code) + 1))


def in_industry(column: InstrumentedAttribute[Any]) -> Callable[[str], ColumnElement[bool]]:
    return lambda code: column.startswith(code, autoescape=True)
