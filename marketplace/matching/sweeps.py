"""What the supervisor asks every half minute: is there ranking to be done that nobody has asked for?

Light: the supervisor needs no engine to ask. Not here: the work (`jobs`).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow, defer
from marketplace.matching import corpus, sources
from marketplace.matching.models import Corpus, MatchRun, PostingKind, Ranking
from marketplace.matching.sources import Subject

#: More than this many missing at once are a bulk of their own.
MOST_AT_ONCE = 50


def sweep() -> None:
    """Ask for work that should be there and is not, and for an epoch when the old one has grown stale.

    What died is left to the operator: it would only die again.
    """
    now = clock.now()
    work = read_work()
    if work.bulk:
        return
    missing = [
        (subject, version) for subject, version in list_missing(now=now) if subject not in work.subjects
    ]
    open_versions = sources.list_open_versions(now)
    stale = bool(open_versions) and (corpus.epoch_is_due(now=now) or _stand_on_another_epoch())
    if not (missing or stale):
        return
    with transaction():
        if stale or len(missing) > MOST_AT_ONCE:
            defer("matching.rerank_batch", subject_id=0, bulk=True)
            return
        for subject, version in missing:
            payload = {"kind": subject.kind.value}
            defer(kind_for(subject), subject_id=subject.id, version=version, payload=payload)


def _stand_on_another_epoch() -> bool:
    """Whether a shortlist was left behind when an epoch took over, such as by two processes at once."""
    current = select(Corpus.epoch_id).scalar_subquery()
    behind = select(MatchRun.id).where(MatchRun.superseded_at.is_(None), MatchRun.epoch_id != current)
    return db.session.scalar(behind.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class UnfinishedWork:
    """What of matching is open or died: the postings it is about, and whether a bulk is open."""

    subjects: frozenset[Subject]
    open_subjects: frozenset[Subject]
    bulk: bool


def read_work() -> UnfinishedWork:
    rows = db.session.execute(
        select(OutboxRow.subject_id, OutboxRow.payload, OutboxRow.bulk, OutboxRow.dead_at).where(
            OutboxRow.kind.startswith("matching."), OutboxRow.done_at.is_(None)
        )
    ).all()
    named = [
        (Subject(PostingKind(r.payload["kind"]), r.subject_id), r.dead_at)
        for r in rows
        if "kind" in r.payload
    ]
    return UnfinishedWork(
        subjects=frozenset(subject for subject, _dead_at in named),
        open_subjects=frozenset(subject for subject, dead_at in named if dead_at is None),
        bulk=any(row.bulk and row.dead_at is None for row in rows),
    )


def list_forgotten(now: datetime) -> list[str]:
    """Public versions that are neither ranked nor about to be."""
    work = read_work()
    if work.bulk:
        return []
    return [
        f"{subject.kind} #{subject.id} version {version} is not ranked, and no work for it is open"
        for subject, version in list_missing(now=now)
        if subject not in work.open_subjects
    ]


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
