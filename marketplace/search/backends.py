"""One question, asked of either database's own index over the same tokens.

Both are asked for the documents that hold all, any or none of some tokens, and for nothing that they would
answer differently: order and scores are ours (`queries`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, column, func, literal, select, table
from sqlalchemy.dialects.postgresql import TSQUERY

from marketplace.kernel.db import db
from marketplace.search.models import SearchBody
from marketplace.search.question import Clause, Question, Unit
from marketplace.search.tokens import clean

_FTS5 = table("search_index", column("rowid"), column("search_index"))
# As the index spells it (migration 0009), or it is not used.
_VECTOR: ColumnElement[Any] = func.search_tokens(SearchBody.tokens)


class _Spelling:
    def __init__(self, *, quote: str, both: str, either: str, but_not: str) -> None:
        self.quote, self.both, self.either, self.but_not = quote, both, either, but_not

    def token(self, token: str) -> str:
        # Cleaned tokens hold no quotes or backslashes; this is the fence should one ever do.
        return self.quote + clean(token) + self.quote

    def all_of(self, parts: Iterable[str]) -> str:
        return _joined(self.both, parts)

    def any_of(self, parts: Iterable[str]) -> str:
        return _joined(self.either, parts)


def _joined(by: str, parts: Iterable[str]) -> str:
    found = list(parts)
    return found[0] if len(found) == 1 else f"({by.join(found)})"


_SQLITE = _Spelling(quote='"', both=" AND ", either=" OR ", but_not=" NOT ")
_POSTGRESQL = _Spelling(quote="'", both=" & ", either=" | ", but_not=" & !")


def _spelling() -> _Spelling:
    return _SQLITE if _on_sqlite() else _POSTGRESQL


def _on_sqlite() -> bool:
    return db.session.get_bind().dialect.name == "sqlite"


def holding(expression: str) -> Select[Any]:
    """The ids of the documents that an expression of the database at hand finds, as `id`."""
    if _on_sqlite():
        found = _FTS5.c.search_index.op("MATCH", is_comparison=True)(literal(expression))
        return select(_FTS5.c.rowid.label("id")).where(found)
    found = _VECTOR.op("@@", is_comparison=True)(cast(literal(expression, String), TSQUERY))
    # OFFSET keeps this question by itself, so that it is the index which is asked: folded into another one,
    # PostgreSQL reckons that the index would read every vector too, and reads those of all rows one by one.
    return select(select(SearchBody.document_id.label("id")).where(found).offset(0).subquery().c.id)


def hits(question: Question) -> Select[Any]:
    """The ids of the documents that a question finds; phrases are compared letter by letter."""
    spelling = _spelling()
    wanted = spelling.all_of(
        spelling.any_of(_clause(clause, spelling) for clause in group) for group in question.wanted
    )
    # A phrase that must not be there leaves its words alone, so the index cannot tell.
    banned = [_clause(clause, spelling) for clause in question.unwanted if not clause.phrase]
    expression = f"{wanted}{spelling.but_not}({spelling.either.join(banned)})" if banned else wanted
    conditions = list(_phrase_conditions(question.wanted))
    conditions += [~_holds_phrase(clause.phrase) for clause in question.unwanted if clause.phrase]
    found = holding(expression)
    if not conditions:
        return found
    return select(SearchBody.document_id.label("id")).where(SearchBody.document_id.in_(found), *conditions)


def _phrase_conditions(groups: Sequence[Sequence[Clause]]) -> Iterable[ColumnElement[bool]]:
    spelling = _spelling()
    for group in groups:
        if not any(clause.phrase for clause in group):
            continue
        either: ColumnElement[bool] | None = None
        for clause in group:
            holds: ColumnElement[bool] = (
                _holds_phrase(clause.phrase)
                if clause.phrase
                else SearchBody.document_id.in_(holding(_clause(clause, spelling)))
            )
            either = holds if either is None else either | holds
        if either is not None:
            yield either


def _holds_phrase(phrase: str) -> ColumnElement[bool]:
    find = func.instr if _on_sqlite() else func.strpos
    return find(SearchBody.plain, phrase) > 0


def unit_expression(unit: Unit, prefix: str = "") -> str:
    """Where a word stands; `prefix` says in which part (`tokens.TITLE` and its like)."""
    spelling = _spelling()
    return spelling.any_of(
        spelling.all_of(spelling.token(prefix + token) for token in alternative)
        for alternative in unit.alternatives
    )


def _clause(clause: Clause, spelling: _Spelling) -> str:
    return spelling.all_of(unit_expression(unit) for unit in clause.units)
