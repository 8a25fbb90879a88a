"""Keeping the documents: each in the transaction of the change that it shows.

Features know nothing of it. A listener notes which watched things a flush touched, and just before the commit
their documents are written, or removed where they are public no more. What touches more than a few is left to
a job, and what went past the session (bulk statements) is found by the sweep, which compares stamps.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, event, func, inspect, or_, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, UOWTransaction

from marketplace.kernel import clock
from marketplace.kernel.db import before_commit, db, insert_into, transaction
from marketplace.kernel.outbox import OutboxRow, defer
from marketplace.language import Dictionary
from marketplace.organisations.models import Designation, Organisation, OrganisationCluster
from marketplace.search.models import SearchBody, SearchDocument
from marketplace.search.sources import Document, Source, dictionary_in_force, registered, source_of
from marketplace.search.tokens import index_tokens, spelled

TOUCHED, CREATED = "search.touched", "search.created"
CATCH_UP = "search.catch_up"
#: More than this many at once are left to the job, so that no commit waits for them.
MOST_AT_ONCE = 50
BATCH = 200
LONGEST_TEXT = 20_000
LONGEST_TITLE = 200


# --- what a transaction touched -------------------------------------------------------------------------


def _note_touched(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    watched = tuple(source.entity for source in registered())
    touched = session.info.setdefault(TOUCHED, [])
    session.info.setdefault(CREATED, []).extend(t for t in session.new if isinstance(t, watched))
    touched.extend(t for t in (*session.new, *session.deleted) if isinstance(t, watched))
    touched.extend(t for t in session.dirty if isinstance(t, watched) and session.is_modified(t))
    for part in (*session.new, *session.deleted):
        # A designation or a cluster that comes by itself changes what is said of the organisation.
        if isinstance(part, OrganisationCluster | Designation):
            touched.append(part)


def _write_touched(session: Session) -> None:
    created = {(type(thing), _id_of(thing)) for thing in session.info.pop(CREATED, [])}
    wanted: dict[str, set[int]] = {}
    organisations: set[int] = set()
    for thing in session.info.pop(TOUCHED, []):
        if isinstance(thing, OrganisationCluster | Designation):
            organisations.add(thing.organisation_id)
        elif isinstance(thing, Organisation):
            organisations.add(_id_of(thing))
        else:
            for source in registered():
                if isinstance(thing, source.entity):
                    wanted.setdefault(source.kind, set()).add(_id_of(thing))
    for source in registered():
        if organisations:
            ids = _ids_of_organisations(source, organisations, limit=MOST_AT_ONCE + 1)
            wanted.setdefault(source.kind, set()).update(ids)
    if sum(map(len, wanted.values())) > MOST_AT_ONCE:
        ask_for_catching_up()
        return
    for source in registered():
        if ids_of_kind := sorted(wanted.get(source.kind, ())):
            public = prepare(source, ids_of_kind)
            # What has only just been made and is not public, as a draft, has no document to be taken away.
            shown = {one.document.subject_id for one in public}
            made = {number for number in ids_of_kind if (source.entity, number) in created} - shown
            write_prepared(source, [number for number in ids_of_kind if number not in made], public)


def _id_of(thing: Any) -> int:
    identity = inspect(thing).identity
    return int(identity[0]) if identity else int(thing.id)


def _ids_of_organisations(source: Source, organisations: set[int], *, limit: int) -> list[int]:
    """What belongs to them: public now, or found until now."""
    public = source.public().subquery()
    now = select(public.c.id).where(public.c.organisation_id.in_(organisations))
    until_now = select(SearchDocument.subject_id).where(
        SearchDocument.kind == source.kind, SearchDocument.organisation_id.in_(organisations)
    )
    both = now.union(until_now).subquery()
    return list(db.session.scalars(select(both.c[0]).order_by(both.c[0]).limit(limit)))


def ask_for_catching_up() -> None:
    """Inside `transaction()`: have the job look for all that differs; once is enough for any number."""
    if not is_catching_up(untouched=True):
        defer("search.catch_up", subject_id=0, bulk=True)


def is_catching_up(*, untouched: bool = False) -> bool:
    """Whether the job is asked for; `untouched` leaves aside one that runs and may be past us already."""
    open_rows = select(OutboxRow.id).where(
        OutboxRow.kind == CATCH_UP, OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None)
    )
    if untouched:
        open_rows = open_rows.where(OutboxRow.lease_token.is_(None))
    return db.session.scalar(open_rows.limit(1)) is not None


def watch() -> None:
    """Called once the audit trail has its own hook, so that the documents come last."""
    before_commit(_write_touched)
    if not event.contains(db.session.session_factory, "before_flush", _note_touched):
        event.listen(db.session.session_factory, "before_flush", _note_touched)


# --- writing --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with its tokens, ready to be written without further computing."""

    document: Document
    stamp: str
    read_by: str
    columns: dict[str, Any]
    body: dict[str, str]


def prepare(source: Source, ids: Sequence[int]) -> list[Prepared]:
    """Read and cut the texts of those that are public; needs no transaction that writes."""
    stamps = _stamps(source, ids)
    if not stamps:
        return []
    read_by, dictionary = dictionary_in_force()
    _read_organisations_anew()
    return [
        _prepared(document, stamp=stamps[document.subject_id], read_by=read_by, dictionary=dictionary)
        for document in source.read(list(stamps))
        if document.subject_id in stamps
    ]


def _read_organisations_anew() -> None:
    """They are not held by who changes their postings: read before another's commit, one would be older than
    its stamp, and nobody would ever notice.
    """
    columns = inspect(Organisation).column_attrs.keys()
    for thing in db.session.identity_map.values():
        if isinstance(thing, Organisation):
            db.session.expire(thing, columns)


def _prepared(document: Document, *, stamp: str, read_by: str, dictionary: Dictionary) -> Prepared:
    title = document.title[:LONGEST_TITLE]
    keywords = "、".join(document.keywords)
    text = document.text[:LONGEST_TEXT]
    others = "\n".join((text, *document.names))
    columns = {
        "stamp": stamp,
        "read_by": read_by,
        "public_no": document.public_no,
        "title": title,
        "organisation_id": document.organisation_id,
        "standing": document.standing,
        "region": document.region,
        "clusters": f" {' '.join(document.clusters)} " if document.clusters else "",
        "trl": document.trl,
        "money_fen": document.money_fen,
        "published_at": document.published_at,
        "closes_at": document.closes_at,
    }
    body = {
        "keywords": keywords.replace("\x00", " "),
        "text": text.replace("\x00", " "),
        # No phrase reaches from one part into the next.
        "plain": " ¦ ".join(spelled(part) for part in (title, keywords, others)),
        "tokens": index_tokens(title, document.keywords, others, dictionary),
    }
    return Prepared(document, stamp, read_by, columns, body)


def write_prepared(source: Source, ids: Sequence[int], prepared: Iterable[Prepared]) -> None:
    """Inside `transaction()`: write what still stands where it was read, remove what is public no more.

    What has changed in between is left: whoever changed it writes it. Nobody is waited for: what somebody
    holds is left to the job, for at its commit that transaction may be waiting for ours.
    """
    if not ids:
        return
    stamps = _stamps(source, ids, held=True)
    others = [subject_id for subject_id in ids if subject_id not in stamps]
    busy = _stamps(source, others)
    _remove(source, [subject_id for subject_id in others if subject_id not in busy])
    if busy:
        ask_for_catching_up()
    now = clock.now()
    for one in prepared:
        if stamps.get(one.document.subject_id) != one.stamp:
            continue
        document_id = db.session.scalar(
            _upsert(
                SearchDocument,
                {
                    "kind": source.kind,
                    "subject_id": one.document.subject_id,
                    "entered_at": now,
                    **one.columns,
                },
                keys=["kind", "subject_id"],
                changed=one.columns,
            ).returning(SearchDocument.id)
        )
        db.session.execute(
            _upsert(
                SearchBody, {"document_id": document_id, **one.body}, keys=["document_id"], changed=one.body
            )
        )


def _upsert(entity: Any, values: dict[str, Any], *, keys: list[str], changed: Iterable[str]) -> Any:
    statement: Any = insert_into(entity).values(**values)
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: values[name] for name in changed}
    ).execution_options(synchronize_session=False)


def _remove(source: Source, subject_ids: Sequence[int]) -> None:
    if not subject_ids:
        return
    gone = select(SearchDocument.id).where(
        SearchDocument.kind == source.kind, SearchDocument.subject_id.in_(subject_ids)
    )
    quietly = {"synchronize_session": False}
    db.session.execute(delete(SearchBody).where(SearchBody.document_id.in_(gone)), execution_options=quietly)
    db.session.execute(delete(SearchDocument).where(SearchDocument.id.in_(gone)), execution_options=quietly)


def _stamps(source: Source, ids: Sequence[int], *, held: bool = False) -> dict[int, str]:
    """id → stamp of those that are public; held, those that nobody changes until the transaction ends."""
    if not ids:
        return {}
    statement = source.public().where(source.entity.id.in_(ids))
    if held:
        statement = statement.with_for_update(read=True, skip_locked=True, of=source.entity)
    return {row.id: row.stamp for row in db.session.execute(statement)}


# --- drift ----------------------------------------------------------------------------------------------


def _documents_of(source: Source) -> ColumnElement[bool]:
    return SearchDocument.kind == source.kind


def select_outdated(source: Source, *, read_by: str) -> Select[Any]:
    """Public things whose document is missing or says something else."""
    public = source.public().subquery()
    return (
        select(public.c.id)
        .outerjoin(SearchDocument, _documents_of(source) & (SearchDocument.subject_id == public.c.id))
        .where(
            or_(
                SearchDocument.id.is_(None),
                SearchDocument.stamp != public.c.stamp,
                SearchDocument.read_by != read_by,
            )
        )
    )


def select_leftover(source: Source) -> Select[Any]:
    """Documents of things that are public no more."""
    public = source.public().subquery()
    return select(SearchDocument.subject_id).where(
        _documents_of(source), SearchDocument.subject_id.not_in(select(public.c.id))
    )


def find_drift(source: Source, *, limit: int) -> list[int]:
    """Some of the things whose documents are not what they should be, the ones to be removed first."""
    read_by, _dictionary = dictionary_in_force()
    leftover = list(db.session.scalars(select_leftover(source).limit(limit)))
    if len(leftover) >= limit:
        return leftover
    outdated = select_outdated(source, read_by=read_by).limit(limit - len(leftover))
    return [*leftover, *db.session.scalars(outdated)]


def count_drift() -> dict[str, int]:
    """kind → how many documents are missing, out of date or left over."""
    read_by, _dictionary = dictionary_in_force()
    counts = {}
    for source in registered():
        outdated = select_outdated(source, read_by=read_by).subquery()
        leftover = select_leftover(source).subquery()
        counts[source.kind] = sum(
            db.session.scalar(select(func.count()).select_from(found)) or 0 for found in (outdated, leftover)
        )
    return counts


def catch_up() -> Iterator[int]:
    """Mend all drift, batch by batch, each in a transaction of its own; yields how many were mended so far.

    What cannot be mended is passed over, so that it ends. Two at once do each other no harm: a document is
    only written where its thing stands as it was read.
    """
    done = 0
    for source in registered():
        tried: set[int] = set()
        while True:
            ids = [i for i in find_drift(source, limit=BATCH) if i not in tried]
            if not ids:
                break
            tried.update(ids)
            prepared = prepare(source, ids)
            db.session.rollback()
            done += len(ids)
            with transaction():
                write_prepared(source, ids, prepared)
            yield done


def renew_statistics() -> None:
    """Inside `transaction()`, after much was written: PostgreSQL plans by what it last counted.

    Until its own process comes by, a word is looked for among thousands of documents as if there were few.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(text(f"ANALYZE {SearchDocument.__tablename__}, {SearchBody.__tablename__}"))


def forget_all() -> None:
    """Inside `transaction()`: have every document read anew; none is missing meanwhile."""
    db.session.execute(
        SearchDocument.__table__.update().values(read_by="")  # type: ignore[attr-defined]
    )


def count_documents(kind: str | None = None) -> int:
    statement = select(func.count()).select_from(SearchDocument)
    if kind is not None and source_of(kind) is not None:
        statement = statement.where(SearchDocument.kind == kind)
    return db.session.scalar(statement) or 0


def find_index_fault() -> str:
    """What the database says is wrong with its own index of the tokens; "" if nothing.

    PostgreSQL keeps its index in the same log as the rows and offers no such question.
    """
    if db.session.get_bind().dialect.name != "sqlite":
        return ""
    try:
        with transaction():
            db.session.execute(
                text("INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)")
            )
    except DatabaseError as error:
        return str(error.orig)
    return ""
