"""The corpus: which capabilities' documents are in force, and what a computation may rest on.

A document enters and leaves with a numbered change of the corpus; a reader that computed on change n may
write only while n is still the change, or has to look again. Light: the engine is not needed to ask. Not
here: the epochs' files (`epochs`) and rankings (`runs`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from marketplace.kernel.db import db
from marketplace.language import LANGUAGE_VERSION
from marketplace.matching import settings
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.models import Corpus, CorpusEpoch, MatchDocument, PostingKind

# An epoch is due when this share of its documents has changed, but not for a handful, or when it is old.
CHANGED_SHARE = 0.05
CHANGED_AT_LEAST = 10
OLD_AFTER = timedelta(days=1)

_CAPABILITY = PostingKind.CAPABILITY

#: The digest of no documents.
EMPTY = "0" * 64


@dataclass(frozen=True, slots=True)
class State:
    """The corpus at one moment: what a computation rests on."""

    change: int
    epoch_id: int
    weight_set_id: int
    digest: str = ""  # of everything but the seeker; set by whoever opens the corpus to rank


# --- documents in force -----------------------------------------------------------------------------------


def put_in_force(documents: Iterable[Matchable], *, now: datetime) -> int:
    """Take over capabilities' documents inside the current transaction; how many were new or changed.

    Inactive ones leave. All that changes does so in one change of the corpus.
    """
    corpus = locked_corpus()
    wanted = {document.id: document for document in documents}
    standing = {
        row.posting_id: row
        for row in db.session.scalars(_in_force().where(MatchDocument.posting_id.in_(wanted)))
    }
    leaving, entering = [], []
    for posting_id, document in sorted(wanted.items()):
        row = standing.get(posting_id)
        if row is not None and (not document.active or row.sha256 != document.digest()):
            leaving.append(row)
        if document.active and (row is None or row.sha256 != document.digest()):
            entering.append(document)
    if not leaving and not entering:
        return 0
    corpus.change += 1
    for row in leaving:
        row.left_change = corpus.change
    db.session.flush()
    rows = [new_row(document, change=corpus.change, now=now) for document in entering]
    db.session.add_all(rows)
    db.session.flush()
    corpus.digest = _shifted(
        corpus.digest, came=(row.sha256 for row in rows), went=(row.sha256 for row in leaving)
    )
    return len({row.posting_id for row in leaving} | {document.id for document in entering})


def take_out(posting_id: int) -> None:
    """End a capability's document inside the current transaction."""
    corpus = locked_corpus()
    row = db.session.scalar(_in_force().where(MatchDocument.posting_id == posting_id))
    if row is not None:
        corpus.change += 1
        row.left_change = corpus.change
        corpus.digest = _shifted(corpus.digest, went=[row.sha256])


def _shifted(digest: str, *, came: Iterable[str] = (), went: Iterable[str] = ()) -> str:
    """The digest of a set of documents after some came and some went: the sum of theirs, modulo 2²⁵⁶."""
    total = int(digest, 16) + sum(int(one, 16) for one in came) - sum(int(one, 16) for one in went)
    return f"{total % (1 << 256):064x}"


def still_in_force(digests: Mapping[int, str | None]) -> set[int]:
    """Which capabilities' documents are still those with these digests, None for out of force.

    The corpus is held, so that the answer stays true until the transaction ends.
    """
    db.session.execute(select(Corpus.id).where(Corpus.id == 1).with_for_update(read=True))
    rows = db.session.execute(
        select(MatchDocument.posting_id, MatchDocument.sha256).where(
            MatchDocument.kind == _CAPABILITY,
            MatchDocument.left_change.is_(None),
            MatchDocument.posting_id.in_(digests),
        )
    )
    standing = {row.posting_id: row.sha256 for row in rows}
    return {id for id, digest in digests.items() if standing.get(id) == digest}


def input_digest(seeker: Matchable, state: State) -> str:
    """A hash of all that a ranking rests on: seeker, capabilities, epoch, weights, engine, dictionary."""
    return hashlib.sha256(f"{state.digest} {seeker.digest()}".encode()).hexdigest()


def corpus_digest(state: State) -> str:
    """A hash of the corpus as of `state` and of what it is ranked by."""
    epoch = db.session.get_one(CorpusEpoch, state.epoch_id)
    weights, dictionary = settings.get_of_epoch(epoch)
    parts = (
        *(ENGINE_VERSION, LANGUAGE_VERSION, weights.digest(), dictionary.digest()),
        *(epoch.sha256, _documents_digest(state.change)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _documents_digest(change: int) -> str:
    """The digest of the documents in force as of a change: kept for the last one, else added up anew."""
    last = db.session.execute(select(Corpus.change, Corpus.digest)).one()
    if last.change == change:
        return str(last.digest)
    return _shifted(EMPTY, came=db.session.scalars(select(MatchDocument.sha256).where(as_of(change))))


def new_row(document: Matchable, *, change: int, now: datetime) -> MatchDocument:
    return MatchDocument(
        kind=PostingKind(document.kind),
        posting_id=document.id,
        version=document.version,
        content=document.to_dict(),
        sha256=document.digest(),
        entered_change=change,
        created_at=now,
    )


def list_in_force(change: int) -> list[Matchable]:
    """The capabilities' documents as of a change of the corpus."""
    rows = db.session.scalars(
        select(MatchDocument.content).where(as_of(change)).order_by(MatchDocument.posting_id)
    )
    return [Matchable.from_dict(content) for content in rows]


def _in_force() -> Select[MatchDocument]:
    return select(MatchDocument).where(MatchDocument.kind == _CAPABILITY, MatchDocument.left_change.is_(None))


def as_of(change: int) -> ColumnElement[bool]:
    """Which capabilities' documents are in force as of a change of the corpus."""
    return and_(
        MatchDocument.kind == _CAPABILITY,
        MatchDocument.entered_change <= change,
        or_(MatchDocument.left_change.is_(None), MatchDocument.left_change > change),
    )


def locked_corpus() -> Corpus:
    """The corpus' one row, held against other writers until the transaction ends."""
    corpus = db.session.scalar(
        select(Corpus).where(Corpus.id == 1).with_for_update().execution_options(populate_existing=True)
    )
    if corpus is None:
        corpus = Corpus(id=1, change=0, digest=EMPTY)
        db.session.add(corpus)
        db.session.flush()
    return corpus


# --- what a computation rests on --------------------------------------------------------------------------


def still_holds(state: State) -> bool:
    """Whether nothing came or went since `state`; inside a transaction, nothing will until it ends."""
    corpus = db.session.execute(
        select(Corpus.change, Corpus.epoch_id).where(Corpus.id == 1).with_for_update(read=True)
    ).one()
    return (corpus.change, corpus.epoch_id) == (state.change, state.epoch_id)


def read_state() -> tuple[State, CorpusEpoch] | None:
    """How the corpus stands, with its epoch.

    None where there is no epoch, or only one of another engine, or by other weights or another dictionary
    than those in force.
    """
    row = db.session.execute(
        select(Corpus.change, CorpusEpoch)
        .join(CorpusEpoch, CorpusEpoch.id == Corpus.epoch_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    in_force = settings.find_in_force()
    if row is None or in_force is None:
        return None
    change, epoch = row
    if (epoch.engine_version, epoch.language_version) != (ENGINE_VERSION, LANGUAGE_VERSION):
        return None
    if (epoch.weight_set_id, epoch.dictionary_id) != (in_force.weight_set_id, in_force.dictionary_id):
        return None
    return State(change, epoch.id, in_force.weight_set_id), epoch


def epoch_is_due(*, now: datetime) -> bool:
    """Whether the statistics have grown stale: too much has changed since, or too long ago."""
    found = read_state()
    if found is None:
        return True
    epoch = found[1]
    changed = db.session.scalar(
        select(func.count(func.distinct(MatchDocument.posting_id))).where(
            MatchDocument.kind == _CAPABILITY,
            or_(
                MatchDocument.entered_change > epoch.corpus_change,
                MatchDocument.left_change > epoch.corpus_change,
            ),
        )
    )
    if not changed:
        return False
    return (
        changed >= max(CHANGED_AT_LEAST, CHANGED_SHARE * epoch.documents) or now - epoch.built_at > OLD_AFTER
    )
