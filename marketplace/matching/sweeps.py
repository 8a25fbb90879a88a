"""What the supervisor asks every half minute: is there ranking to be done that nobody has asked for?

Light: the supervisor needs no engine to ask. Not here: the work (`jobs`).
"""

from datetime import datetime

from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import defer, is_pending
from marketplace.matching import corpus, sources
from marketplace.matching.models import PostingKind, Ranking
from marketplace.matching.sources import Subject

#: More than this many missing at once are a bulk of their own.
MOST_AT_ONCE = 50


def sweep() -> None:
    """Ask for work that should be there and is not, and for an epoch when the old one has grown stale."""
    now = clock.now()
    missing = [
        (subject, version)
        for subject, version in list_missing(now=now)
        if not is_pending(kind_for(subject), subject.id)
    ]
    bulk = any(is_pending(kind, 0) for kind in ("matching.build_epoch", "matching.rerank_batch"))
    stale = corpus.epoch_is_due(now=now) and bool(sources.list_open_versions(now))
    if bulk or not (missing or stale):
        return
    with transaction():
        if stale or len(missing) > MOST_AT_ONCE:
            defer("matching.build_epoch", subject_id=0, bulk=True)
            return
        for subject, version in missing:
            payload = {"kind": subject.kind.value}
            defer(kind_for(subject), subject_id=subject.id, version=version, payload=payload)


def list_missing(*, now: datetime) -> list[tuple[Subject, int]]:
    """Public postings, with their versions, that were not ranked or placed in that version."""
    ranked = {
        Subject(kind, posting_id): version
        for kind, posting_id, version in db.session.execute(
            select(Ranking.kind, Ranking.posting_id, Ranking.ranked_version)
        )
    }
    return [
        (subject, version)
        for subject, version in sources.list_open_versions(now).items()
        if ranked.get(subject, 0) < version
    ]


def kind_for(subject: Subject) -> str:
    """The kind of work that ranks or places a posting."""
    if subject.kind is PostingKind.CAPABILITY:
        return "matching.place_capability"
    return "matching.rank_seeker"
