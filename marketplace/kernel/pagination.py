"""One page of an ordered statement, with the total, bounded on both ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select

from marketplace.kernel.db import db

T = TypeVar("T")
DEEPEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.per_page))

    @property
    def near(self) -> list[int]:
        """The pages that are offered: the first, the last and those around this one."""
        around = range(self.page - 2, self.page + 3)
        return sorted({1, self.pages, *(number for number in around if 1 <= number <= self.pages)})


def page_number(text: str | None) -> int:
    """The page asked for in a URL; anything that is no sensible number is the first."""
    if text and text.isascii() and text.isdigit() and len(text) <= 6:
        return min(max(int(text), 1), DEEPEST_PAGE)
    return 1


def count_rows(statement: Select[Any]) -> int:
    """How many rows a statement of one entity gives."""
    return db.session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0


def paginate(statement: Select[Any], *, page: int, per_page: int = 10, total: int | None = None) -> Page[Any]:
    """Run an ordered `statement` of one entity for one page: two SQL statements, however many rows.

    One statement where the caller knows the `total` already.
    """
    if total is None:
        total = count_rows(statement)
    page = min(page, max(1, -(-total // per_page)))
    items = db.session.scalars(statement.limit(per_page).offset((page - 1) * per_page)).unique().all()
    return Page(items, page, per_page, total)
