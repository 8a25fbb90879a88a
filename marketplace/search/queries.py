"""Finding: the hits of a question in order, the counts beside them, and what a person has kept.

A fixed number of statements for any question and any number of documents. The index of the database says
which documents hold a word and in which part; scores are sums of whole numbers over that, so that both
databases give the same hits in the same order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log1p
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.kernel.pagination import Page
from marketplace.organisations.models import Organisation
from marketplace.search import backends
from marketplace.search.asked import DAYS, FILTERS, MONEY, TRLS, Asked, money_bounds, since
from marketplace.search.models import Favourite, Frequency, SavedSearch, SearchBody, SearchDocument
from marketplace.search.question import LONGEST_QUERY, Question, read_question
from marketplace.search.sources import Standing, dictionary_in_force
from marketplace.search.tokens import KEYWORD, OFTEN, TITLE
from marketplace.taxonomy.regions import region_prefix

# How much a word counts by where it stands; all of it times how rare the word is.
WEIGHTS = ((TITLE, 8), (KEYWORD, 4), (OFTEN, 2))
WEIGHT_ANYWHERE = 1
# What can still be answered counts twice.
STILL_OPEN = 2
PER_PAGE = 10
ORGANISATIONS_SHOWN = 8


def ask(asked: str) -> Question:
    """What was typed, read by the dictionary in force."""
    _read_by, dictionary = dictionary_in_force()
    return read_question(asked[:LONGEST_QUERY], dictionary)


def holds(kind: str, identity: InstrumentedAttribute[int], asked: str) -> list[ColumnElement[bool]]:
    """For the lists of a feature: the condition that a thing is found; none for an empty question."""
    if not asked:
        return []
    question = ask(asked)
    if question.empty:
        return []
    if not question.askable:
        return [false()]
    found = select(SearchDocument.subject_id).where(
        SearchDocument.kind == kind, SearchDocument.id.in_(backends.hits(question))
    )
    return [identity.in_(found)]


# --- hits -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hit:
    document: SearchDocument
    text: str
    keywords: str
    organisation_name: str


def find(asked: Asked, question: Question, *, now: datetime, per_page: int = PER_PAGE) -> Page[Hit]:
    """One page of hits, best first; three statements, four for several words."""
    if not question.empty and not question.askable:
        return Page([], 1, per_page, 0)
    conditions = conditions_of(asked, question, now=now)
    total = db.session.scalar(select(func.count()).select_from(SearchDocument).where(*conditions)) or 0
    page = min(asked.page, max(1, -(-total // per_page)))
    ids = db.session.scalars(
        _ordered(asked, question, now=now).where(*conditions).limit(per_page).offset((page - 1) * per_page)
    ).all()
    return Page(_load(ids), page, per_page, total)


def find_entered(
    asked: Asked, question: Question, *, after: datetime, now: datetime, limit: int
) -> list[Hit]:
    """Hits that could not be found before an instant, the newest first."""
    if not question.empty and not question.askable:
        return []
    ids = db.session.scalars(
        select(SearchDocument.id)
        .where(*conditions_of(asked, question, now=now), SearchDocument.entered_at > after)
        .order_by(SearchDocument.entered_at.desc(), SearchDocument.id.desc())
        .limit(limit)
    ).all()
    return _load(ids)


def conditions_of(asked: Asked, question: Question, *, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if question.askable:
        conditions.append(SearchDocument.id.in_(backends.hits(question)))
    if asked.scope:
        conditions.append(SearchDocument.kind == asked.scope)
    conditions += [_condition(name, value, now=now) for name, value in asked.chosen]
    return conditions


def _condition(name: str, value: str, *, now: datetime) -> ColumnElement[bool]:
    """A choice that does not exist has no hits."""
    found: ColumnElement[bool] = false()
    if name == "standing":
        found = _standing(now) == value
    elif name == "region" and value.isascii() and value.isdigit():
        found = SearchDocument.region.startswith(region_prefix(value), autoescape=True)
    elif name == "cluster":
        found = SearchDocument.clusters.contains(f" {value} ", autoescape=True)
    elif name == "trl" and value in TRLS:
        found = SearchDocument.trl.between(*TRLS[value])
    elif name == "money" and (bounds := money_bounds(value)) is not None:
        found = _within(bounds)
    elif name == "since" and (start := since(value, now=now)) is not None:
        found = SearchDocument.published_at >= start
    elif name == "org" and value.isascii() and value.isdigit() and len(value) <= 18:
        found = SearchDocument.organisation_id == int(value)
    return found


def _within(bounds: tuple[int, int | None]) -> ColumnElement[bool]:
    low, high = bounds
    found = SearchDocument.money_fen >= low
    return found if high is None else and_(found, SearchDocument.money_fen < high)


def _over(now: datetime) -> ColumnElement[bool]:
    return and_(SearchDocument.closes_at.is_not(None), SearchDocument.closes_at <= now)


def _standing(now: datetime) -> ColumnElement[str]:
    closed = and_(SearchDocument.standing == Standing.OPEN, _over(now))
    return case((closed, "closed"), else_=SearchDocument.standing)


def _ordered(asked: Asked, question: Question, *, now: datetime) -> Select[Any]:
    """Every order ends with the id, so that pages neither repeat nor lose."""
    newest = (SearchDocument.published_at.desc(), SearchDocument.id.desc())
    statement = select(SearchDocument.id)
    if asked.sort == "closing":
        over = or_(SearchDocument.closes_at.is_(None), _over(now))
        far = func.coalesce(SearchDocument.closes_at, SearchDocument.published_at)
        return statement.order_by(case((over, 1), else_=0), far, SearchDocument.id.desc())
    if asked.sort == "money":
        return statement.order_by(func.coalesce(SearchDocument.money_fen, -1).desc(), *newest)
    if asked.sort == "new" or not question.askable:
        return statement.order_by(*newest)
    scores = _scores(question)
    answerable = and_(SearchDocument.standing != Standing.WITHDRAWN, ~_over(now))
    score = func.coalesce(scores.c.score, 0) * case((answerable, STILL_OPEN), else_=1)
    return statement.outerjoin(scores, scores.c.id == SearchDocument.id).order_by(score.desc(), *newest)


def _scores(question: Question) -> Any:
    """(id, score): for each word and each part of a document in which it stands, weight times rarity."""
    parts: list[Select[Any]] = []
    units = question.units
    for (unit, sure), rarity in zip(units, _rarities(question), strict=True):
        for prefix, weight in (*WEIGHTS, *(() if sure else (("", WEIGHT_ANYWHERE),))):
            found = backends.holding(backends.unit_expression(unit, prefix)).subquery()
            parts.append(select(found.c.id, literal(weight * rarity, Integer).label("points")))
    points = union_all(*parts).subquery()
    total = cast(func.sum(points.c.points), Integer).label("score")
    return select(points.c.id, total).group_by(points.c.id).subquery()


def _rarities(question: Question) -> list[int]:
    """A whole number for each word: the rarer, the larger. One word alone needs no comparison."""
    units = question.units
    if len(units) == 1:
        return [1]
    counts = [
        select(func.count())
        .select_from(backends.holding(backends.unit_expression(unit)).subquery())
        .scalar_subquery()
        for unit, _sure in units
    ]
    everything = select(func.count()).select_from(SearchDocument).scalar_subquery()
    total, *found = db.session.execute(select(everything, *counts)).one()
    return [max(1, round(10 * log1p(total / (1 + count)))) for count in found]


def _load(ids: Sequence[int]) -> list[Hit]:
    rows = db.session.execute(
        select(SearchDocument, SearchBody.text, SearchBody.keywords, Organisation.name)
        .join(SearchBody, SearchBody.document_id == SearchDocument.id)
        .join(Organisation, Organisation.id == SearchDocument.organisation_id)
        .where(SearchDocument.id.in_(ids))
    )
    found = {row[0].id: Hit(*row) for row in rows}
    return [found[document_id] for document_id in ids if document_id in found]


# --- counts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counts:
    """For each choice the stored values among the hits that all other choices leave, with their numbers."""

    numbers: Mapping[str, Mapping[str, int]]
    organisations: Sequence[tuple[int, str, int]]
    counted_at: datetime


def count_facts(asked: Asked, question: Question, *, now: datetime) -> Counts:
    """What stands beside the choices; two statements. The facts of the hits are gathered once for all."""
    numbers: dict[str, dict[str, int]] = {"scope": {}, **{name: {} for name in FILTERS}}
    if not question.empty and not question.askable:
        return Counts(numbers, (), now)
    facts = (
        select(
            SearchDocument.kind.label("scope"),
            _standing(now).label("standing"),
            SearchDocument.region.label("region"),
            SearchDocument.clusters.label("cluster"),
            SearchDocument.trl.label("trl"),
            _money_band().label("money"),
            _freshness(now).label("since"),
            SearchDocument.organisation_id.label("org"),
        )
        .where(*conditions_of(Asked(q=asked.q), question, now=now))
        .cte("facts")
        .prefix_with("MATERIALIZED")
    )
    chosen = {"scope": asked.scope, **dict(asked.chosen)}
    conditions = {name: _fact_condition(facts, name, value) for name, value in chosen.items() if value}
    counted = []
    for name in numbers:
        others = [condition for other, condition in conditions.items() if other != name]
        column = facts.c[name]
        statement = select(literal(name, String), cast(column, String), func.count()).select_from(facts)
        counted.append(statement.where(*others).group_by(column))
    for name, value, number in db.session.execute(union_all(*counted)):
        if value:
            numbers[name][value] = number
    return Counts(numbers, _name_organisations(numbers["org"], asked.value("org")), now)


def _fact_condition(facts: CTE, name: str, value: str) -> ColumnElement[bool]:
    column: ColumnElement[Any] = facts.c[name]
    found: ColumnElement[bool] = false()
    if name in ("scope", "standing") or (name == "money" and value in MONEY):
        found = column == value
    elif name == "region" and value.isascii() and value.isdigit():
        found = column.startswith(region_prefix(value), autoescape=True)
    elif name == "cluster":
        found = column.contains(f" {value} ", autoescape=True)
    elif name == "trl" and value in TRLS:
        found = column.between(*TRLS[value])
    elif name == "since" and value in DAYS:
        found = column.between(1, DAYS[value])
    elif name == "org" and value.isascii() and value.isdigit() and len(value) <= 18:
        found = column == int(value)
    return found


def _name_organisations(numbers: Mapping[str, int], chosen: str) -> list[tuple[int, str, int]]:
    """Those with most hits, and the chosen one; one statement."""
    most = sorted(numbers.items(), key=lambda pair: (-pair[1], int(pair[0])))[:ORGANISATIONS_SHOWN]
    if chosen in numbers and chosen not in dict(most):
        most.append((chosen, numbers[chosen]))
    ids = [int(organisation_id) for organisation_id, _number in most]
    rows = db.session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    return [(int(key), names[int(key)], number) for key, number in most if int(key) in names]


def _money_band() -> ColumnElement[str]:
    bands = [(_within(bounds), band) for band in MONEY if (bounds := money_bounds(band)) is not None]
    return case(*bands, else_="")


def _freshness(now: datetime) -> ColumnElement[int]:
    """Within how many days it was published, by the steps that can be chosen; 0 for longer ago."""
    steps = [
        (SearchDocument.published_at >= start, int(days))
        for days in DAYS
        if (start := since(days, now=now)) is not None
    ]
    return case(*steps, else_=0)


def find_organisation_name(organisation_id: int) -> str:
    """The name of an organisation that something public belongs to; "" for any other."""
    statement = (
        select(Organisation.name)
        .join(SearchDocument, SearchDocument.organisation_id == Organisation.id)
        .where(Organisation.id == organisation_id)
        .limit(1)
    )
    return db.session.scalar(statement) or ""


# --- what a person has kept -----------------------------------------------------------------------------


def find_document(kind: str, subject_id: int) -> SearchDocument | None:
    return db.session.scalar(
        select(SearchDocument).where(SearchDocument.kind == kind, SearchDocument.subject_id == subject_id)
    )


def list_kept(user_id: int, things: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    """Which of these things a person has among the favourites; one statement."""
    ids = {subject_id for _kind, subject_id in things}
    rows = db.session.execute(
        select(Favourite.kind, Favourite.subject_id).where(
            Favourite.user_id == user_id, Favourite.subject_id.in_(ids)
        )
    )
    return {(row.kind, row.subject_id) for row in rows}


def is_kept(user_id: int, kind: str, subject_id: int) -> bool:
    return db.session.get(Favourite, (user_id, kind, subject_id)) is not None


def count_favourites(user_id: int) -> dict[str, int]:
    """kind → how many are still to be seen; "" → how many are gone."""
    rows = db.session.execute(
        select(case((SearchDocument.id.is_(None), ""), else_=Favourite.kind).label("state"), func.count())
        .select_from(Favourite)
        .outerjoin(
            SearchDocument,
            and_(SearchDocument.kind == Favourite.kind, SearchDocument.subject_id == Favourite.subject_id),
        )
        .where(Favourite.user_id == user_id)
        .group_by("state")
    )
    return {row[0]: row[1] for row in rows}


def page_favourites(user_id: int, *, kind: str, page: int, total: int, per_page: int = PER_PAGE) -> Page[Hit]:
    """A person's favourites that are still public, the last kept first; `total` was counted before."""
    page = min(page, max(1, -(-total // per_page)))
    statement = (
        select(SearchDocument.id)
        .join(
            Favourite,
            and_(SearchDocument.kind == Favourite.kind, SearchDocument.subject_id == Favourite.subject_id),
        )
        .where(Favourite.user_id == user_id)
        .order_by(Favourite.created_at.desc(), SearchDocument.id.desc())
    )
    if kind:
        statement = statement.where(Favourite.kind == kind)
    ids = db.session.scalars(statement.limit(per_page).offset((page - 1) * per_page)).all()
    return Page(_load(ids), page, per_page, total)


def list_saved(user_id: int) -> list[SavedSearch]:
    return list(
        db.session.scalars(
            select(SavedSearch).where(SavedSearch.user_id == user_id).order_by(SavedSearch.id.desc())
        )
    )


def get_saved(saved_id: int, *, user_id: int) -> SavedSearch:
    """A person's own; raises NotFound for any other."""
    found = db.session.scalar(
        select(SavedSearch).where(SavedSearch.id == saved_id, SavedSearch.user_id == user_id)
    )
    if found is None:
        raise NotFound(f"saved search {saved_id}")
    return found


def list_due(*, now: datetime, limit: int) -> list[int]:
    """Saved searches whose time has come; those at once only where something entered since."""
    newest = select(func.max(SearchDocument.entered_at)).scalar_subquery()
    due = or_(
        and_(SavedSearch.frequency == Frequency.AT_ONCE, SavedSearch.seen_until < newest),
        and_(SavedSearch.frequency.in_((Frequency.DAILY, Frequency.WEEKLY)), SavedSearch.next_at <= now),
    )
    return list(db.session.scalars(select(SavedSearch.id).where(due).order_by(SavedSearch.id).limit(limit)))
