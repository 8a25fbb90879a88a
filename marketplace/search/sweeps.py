"""What the supervisor asks every half minute: is somebody to be told, is the index what it should be?"""

import time
from datetime import datetime, timedelta

from sqlalchemy import func, select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow, defer
from marketplace.search import index
from marketplace.search.models import SearchDocument, SearchVocabulary
from marketplace.search.queries import list_due
from marketplace.search.sources import registered

#: Comparing all stamps reads every posting's row once; not with every sweep.
SECONDS_BETWEEN_COMPARISONS = 300.0
WORDS_AGE = timedelta(minutes=10)
MOST_LETTERS = 200

_compared_at: list[float] = []


def sweep() -> None:
    now = clock.now()
    letters = _letters_to_ask_for()
    drifted = _has_drifted()
    words = _words_are_due()
    if not (letters or drifted or words):
        return
    with transaction():
        for saved_id in letters:
            defer("search.write_letters", subject_id=saved_id, due_at=now)
        if drifted:
            index.ask_for_catching_up()
        if words:
            defer("search.count_words", subject_id=0)


def _open_work(kind: str) -> set[int]:
    """What is asked for and neither done nor dead; what died is not asked for again by itself."""
    rows = db.session.scalars(
        select(OutboxRow.subject_id).where(OutboxRow.kind == kind, OutboxRow.done_at.is_(None))
    )
    return {subject_id or 0 for subject_id in rows}


def _letters_to_ask_for() -> list[int]:
    due = list_due(now=clock.now(), limit=MOST_LETTERS)
    asked_for = _open_work("search.write_letters") if due else set()
    return [saved_id for saved_id in due if saved_id not in asked_for]


def _has_drifted() -> bool:
    now = time.monotonic()
    if _compared_at and now - _compared_at[0] < SECONDS_BETWEEN_COMPARISONS:
        return False
    _compared_at[:] = [now]
    if _open_work(index.CATCH_UP):
        return False
    return any(index.find_drift(source, limit=1) for source in registered())


def _words_are_due() -> bool:
    """Where documents changed since they were counted, but not for each single one."""
    counted_at = db.session.scalar(select(SearchVocabulary.counted_at))
    newest = db.session.scalar(select(func.max(SearchDocument.entered_at)))
    if newest is None or (counted_at is not None and newest <= counted_at):
        return False
    if counted_at is not None and clock.now() - counted_at < WORDS_AGE:
        return False
    return not _open_work("search.count_words")


def list_unmended(_now: datetime) -> list[str]:
    """Documents that differ from what is public while nobody is about to mend them."""
    if index.is_catching_up():
        return []
    return [
        f"{kind}: {count} documents are missing, out of date or left over"
        for kind, count in index.count_drift().items()
        if count
    ]
