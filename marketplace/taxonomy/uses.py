"""Where codes are used: what higher features tell this one, so that no code in use is ever lost.

Each registers itself in its `wiring.py`. Not here: any table of theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.taxonomy.models import Scheme


@dataclass(frozen=True, slots=True)
class Use:
    """One kind of thing that carries codes of some schemes; `label` is a gettext source.

    `count_all` counts by code whatever there is, to keep it from losing its code; `count_seen` by code what
    the actor's lists show; `count_under` the same for several codes, each thing once; `url` leads to that
    list, or is "" where the list has no such filter.
    """

    kind: str
    label: str
    schemes: frozenset[Scheme]
    count_all: Callable[[Scheme], Mapping[str, int]]
    count_seen: Callable[[Scheme, Actor], Mapping[str, int]]
    count_under: Callable[[Scheme, Sequence[str], Actor], int]
    url: Callable[[Scheme, str], str]


_uses: dict[str, Use] = {}


def register(use: Use) -> None:
    _uses[use.kind] = use


def uses_of(scheme: Scheme) -> list[Use]:
    return [use for use in _uses.values() if scheme in use.schemes]


def count_used(scheme: Scheme) -> dict[str, int]:
    """Every code of a scheme that anything carries, with how many do."""
    total: dict[str, int] = {}
    for use in uses_of(scheme):
        for code, count in use.count_all(scheme).items():
            total[code] = total.get(code, 0) + count
    return total


def by_columns(
    kind: str,
    label: str,
    columns: Mapping[Scheme, tuple[Any, Any]],
    *,
    seen: Callable[[Actor], Select[Any]],
    url: Callable[[Scheme, str], str],
) -> Use:
    """A use that is read from columns: scheme → (column of codes, column of the thing's id).

    `seen` selects the ids of the things that an actor's lists show.
    """

    def counted(scheme: Scheme, *where: ColumnElement[bool]) -> Mapping[str, int]:
        code, identity = columns[scheme]
        statement = select(code, func.count(identity.distinct())).where(code.is_not(None), *where)
        return {row[0]: row[1] for row in db.session.execute(statement.group_by(code))}

    def count_seen(scheme: Scheme, actor: Actor) -> Mapping[str, int]:
        return counted(scheme, columns[scheme][1].in_(seen(actor)))

    def count_under(scheme: Scheme, codes: Sequence[str], actor: Actor) -> int:
        code, identity = columns[scheme]
        statement = select(func.count(identity.distinct())).where(code.in_(codes), identity.in_(seen(actor)))
        return db.session.scalar(statement) or 0

    return Use(kind, label, frozenset(columns), counted, count_seen, count_under, url)
