"""Work of search behind the scenes: mending the index, counting words, writing letters. Safe to run twice."""

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import Lease
from marketplace.search import index, services, vocabulary


def catch_up(lease: Lease) -> None:
    """Mend whatever documents are missing, out of date or left over, in batches that nobody waits for."""
    for done in index.catch_up():
        lease.renew({"done": done})
    with transaction():
        lease.finish()


def count_words(lease: Lease) -> None:
    counts, documents = vocabulary.count_words(lambda done: lease.renew({"done": done}))
    db.session.rollback()
    with transaction():
        vocabulary.store(counts, documents=documents, now=clock.now())
        lease.finish()
    vocabulary.forget()


def write_letters(lease: Lease) -> None:
    """For each saved search: look, then write the letter, the mark and the finished work together."""
    for work in lease.work:
        looked_at = clock.now()
        news = services.look_for_news(work.subject_id or 0, now=looked_at)
        db.session.rollback()
        with transaction():
            if news is not None:
                services.tell(news, looked_at=looked_at, now=clock.now())
            lease.finish([work.id])
