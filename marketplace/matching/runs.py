"""Ranking as work: what is computed outside of any transaction, and the short fenced write of its effect.

Everything here may run twice, be overtaken or be killed at any point: a version has one effect, because a
write looks again at what the computation rested on. Not here: who asks for the work (`jobs`, `cli`).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.numbering import next_number
from marketplace.kernel.outbox import defer, is_pending
from marketplace.matching import corpus, epochs, sources
from marketplace.matching.corpus import State
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.eligibility import is_open
from marketplace.matching.engine.ranking import Match, Ranker
from marketplace.matching.engine.ranking import Ranking as Ranked
from marketplace.matching.engine.reasons import Reasons, explain_all, stored
from marketplace.matching.engine.weights import MICRO, PART_NAMES
from marketplace.matching.models import (
    MatchChange,
    MatchDocument,
    MatchEntry,
    MatchPlacement,
    MatchRun,
    PostingKind,
    Ranking,
)
from marketplace.matching.sources import Subject

log = logging.getLogger(__name__)

#: How often a computation is done again because the corpus changed meanwhile, before it is put off.
TRIES = 8

Finish = Callable[[], None]
#: What `compute` does, by other means as well: (seeker, ranker, state, now=…) -> Shortlist.
Compute = Callable[..., "Shortlist"]


class CorpusRestless(RuntimeError):
    """The corpus changed during every try; the work is to be done later."""


@dataclass(frozen=True, slots=True)
class Shortlist:
    """A ranking as it is to be kept."""

    seeker: Matchable
    ranked: Ranked
    reasons: Sequence[Reasons]
    state: State
    started_at: datetime


# Capabilities whose documents are taken over in one transaction.
TAKEN_AT_ONCE = 1000


def nothing_to_finish() -> None:
    """For work that no outbox row stands for."""


# --- a seeker's shortlist ---------------------------------------------------------------------------------


def rank_seeker(
    subject: Subject,
    *,
    again: bool = False,
    finish: Finish = nothing_to_finish,
    by: Compute | None = None,
) -> bool:
    """Rank the capabilities for a challenge or need and keep the shortlist; whether there was an effect.

    One that is ranked already in its current version is left alone unless `again`, and then too if it
    would rest on the very same input; one that is not open is left without a shortlist.
    """
    for _ in range(TRIES):
        now = clock.now()
        seeker = sources.read_one(subject, now=now)
        if seeker is None or not is_open(seeker, now):
            _pass_over(seeker, finish=finish)
            return False
        state, ranker = epochs.open_corpus()
        shortlist = (by or compute)(seeker, ranker, state, now=now)
        with transaction():
            # Withdrawn or revised while it was being ranked: look again at what it is now.
            held = sources.read_held(subject, now=now)
            if held is None or held.digest() != seeker.digest() or not corpus.still_holds(state):
                continue
            effect = _keep(shortlist, again=again)
            finish()
        return effect
    raise CorpusRestless(f"{subject.kind} {subject.id}")


def _pass_over(document: Matchable | None, *, finish: Finish) -> None:
    """Note that a version was looked at and is not to be matched, so that nobody asks for it again."""
    state, _ranker = epochs.open_corpus()
    with transaction():
        if document is not None:
            fence = _locked_ranking(PostingKind(document.kind), document.id)
            if fence is None or fence.ranked_version < document.version:
                _note_ranked(fence, document, state, run_id=None, now=clock.now())
        finish()


def compute(
    seeker: Matchable, ranker: Ranker, state: State, *, now: datetime, ranked: Ranked | None = None
) -> Shortlist:
    """The shortlist of `seeker` with its reasons; touches no database. `ranked`: by `ranker`, already."""
    ranked = ranked or ranker.rank(seeker, now=now)
    reasons = explain_all(ranked.matches, ranker.index_)
    return Shortlist(seeker, ranked, reasons, state, now)


def _keep(shortlist: Shortlist, *, again: bool) -> bool:
    seeker, state = shortlist.seeker, shortlist.state
    fence = _locked_ranking(PostingKind(seeker.kind), seeker.id)
    if fence is not None and fence.ranked_version >= seeker.version and not again:
        return False
    if fence is not None and fence.ranked_version > seeker.version:
        return False
    now = clock.now()
    before = _current_run(PostingKind(seeker.kind), seeker.id)
    if (
        before is not None
        and before.input_sha256 == corpus.input_digest(seeker, state)
        and before.output_sha256 == output_of(shortlist)
    ):
        # The same input by an epoch that learned the same: nothing to say anew. The output is looked at
        # too: the input of a list that a capability was placed on does not tell whether all the others are.
        before.epoch_id, before.corpus_change = state.epoch_id, state.change
        db.session.flush()
        _note_ranked_anew(before.id, shortlist)
        _note_ranked(fence, seeker, state, run_id=before.id, now=now)
        return False
    run = _new_run(shortlist, now=now)
    places_before: dict[int, int] = {}
    if before is not None:
        places_before = {line.capability_id: line.place for line in _lines(before.id)}
        before.superseded_at = now
        db.session.flush()
    db.session.add(run)
    db.session.flush()
    entries = _entries(run.id, shortlist)
    db.session.add_all(entries)
    if before is not None:
        places = {entry.capability_id: entry.place for entry in entries}
        versions = {entry.capability_id: entry.capability_version for entry in entries}
        moved = {one for one in places if places_before.get(one, places[one]) != places[one]}
        _note_changes(run.id, places_before, places, versions, state, cause="reranked", also=moved)
    _note_ranked(fence, seeker, state, run_id=run.id, now=now)
    return True


def _new_run(shortlist: Shortlist, *, now: datetime) -> MatchRun:
    seeker, ranked, state = shortlist.seeker, shortlist.ranked, shortlist.state
    return MatchRun(
        public_no=next_number("MR", now=now, width=6),
        seeker_kind=PostingKind(seeker.kind),
        seeker_id=seeker.id,
        seeker_version=seeker.version,
        epoch_id=state.epoch_id,
        weight_set_id=state.weight_set_id,
        engine_version=ENGINE_VERSION,
        document_id=_document_in_force(seeker, state, now=now),
        corpus_change=state.change,
        ranked_at=shortlist.started_at,
        ranked_change=state.change,
        input_sha256=corpus.input_digest(seeker, state),
        output_sha256=output_of(shortlist),
        candidates=ranked.considered,
        eligible=ranked.considered - sum(ranked.excluded.values()),
        excluded={**ranked.excluded, "unrelated": ranked.unrelated},
        started_at=shortlist.started_at,
        finished_at=now,
    )


def output_of(shortlist: Shortlist) -> str:
    """The digest of a shortlist as it would be stored."""
    return output_digest(entry.sha256 for entry in entries_of(shortlist))


def entries_of(shortlist: Shortlist) -> list[MatchEntry]:
    """A shortlist's lines as they would be stored, which they are not."""
    return _entries(0, shortlist)


def _document_in_force(seeker: Matchable, state: State, *, now: datetime) -> int:
    """The id of the seeker's document, a new one in place of another text or other facts."""
    row = db.session.scalar(
        select(MatchDocument).where(
            MatchDocument.kind == PostingKind(seeker.kind),
            MatchDocument.posting_id == seeker.id,
            MatchDocument.left_change.is_(None),
        )
    )
    if row is not None and row.sha256 == seeker.digest():
        return row.id
    if row is not None:
        row.left_change = state.change
        db.session.flush()
    row = corpus.new_row(seeker, change=state.change, now=now)
    db.session.add(row)
    db.session.flush()
    return row.id


def _note_ranked(
    fence: Ranking | None, document: Matchable, state: State, *, run_id: int | None, now: datetime
) -> None:
    values = {
        "ranked_version": document.version,
        "epoch_id": state.epoch_id,
        "weight_set_id": state.weight_set_id,
        "run_id": run_id,
        "ranked_at": now,
    }
    if fence is None:
        db.session.add(Ranking(kind=PostingKind(document.kind), posting_id=document.id, **values))
        return
    for name, value in values.items():
        setattr(fence, name, value)


# --- entries ----------------------------------------------------------------------------------------------


def _entries(run_id: int, shortlist: Shortlist) -> list[MatchEntry]:
    return [
        _entry(run_id, place, match, reasons)
        for place, (match, reasons) in enumerate(
            zip(shortlist.ranked.matches, shortlist.reasons, strict=True), start=1
        )
    ]


def _entry(run_id: int, place: int, match: Match, reasons: Reasons) -> MatchEntry:
    parts = {part.name: part.points for part in match.parts}
    if sum(parts.values()) != match.score:
        raise AssertionError(f"the parts of capability {match.capability.id} do not add up to its score")
    said = stored(match, reasons)
    shown = {name: points(value) for name, value in parts.items()}
    return MatchEntry(
        run_id=run_id,
        place=place,
        capability_id=match.capability.id,
        capability_version=match.capability.version,
        organisation_id=match.capability.organisation_id,
        score=points(match.score),
        parts=shown,
        reasons=said,
        sha256=entry_digest(match.capability.id, match.capability.version, shown, said),
    )


def points(millionths: int) -> float:
    """Millionths of a point as points; exact to the millionth."""
    return millionths / MICRO


def entry_digest(
    capability_id: int, version: int, parts: Mapping[str, float], reasons: Mapping[str, Any]
) -> str:
    """A hash of one line with its reasons, whatever order a database keeps names in."""
    line = [capability_id, version, [[name, parts[name]] for name in PART_NAMES], reasons]
    text = json.dumps(line, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def output_digest(lines: Iterable[str]) -> str:
    """A hash over the lines' digests in the order of places: equal for a faithful replay."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# --- a capability's places --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """A capability with the score and the reasons by which it goes onto a shortlist."""

    match: Match
    reasons: Reasons

    @property
    def order(self) -> tuple[float, int]:
        return -points(self.match.score), self.match.capability.id


@dataclass(frozen=True, slots=True)
class _Line:
    """As much of an entry as decides about places."""

    entry_id: int
    capability_id: int
    score: float
    place: int

    @property
    def order(self) -> tuple[float, int]:
        return -self.score, self.capability_id


@dataclass(frozen=True, slots=True)
class _Board:
    """A current shortlist and the seeker exactly as its run saw it."""

    run_id: int
    seeker: Matchable
    lines: tuple[_Line, ...]

    def holds(self, capability_id: int) -> bool:
        return any(line.capability_id == capability_id for line in self.lines)

    def admits(self, score: float, capability_id: int, size: int) -> bool:
        """Whether a capability with this score in points would stand on it."""
        return len(self.lines) < size or (-score, capability_id) < self.lines[-1].order


def place_capability(capability_id: int, *, finish: Finish = nothing_to_finish) -> int:
    """Take over a new or changed capability and change only the shortlists that it enters, leaves or is on.

    How many shortlists changed. A capability that is no longer public is taken out instead.
    """
    return place_capabilities({capability_id: finish})


def place_capabilities(asked: Mapping[int, Finish], *, go_on: Finish = nothing_to_finish) -> int:
    """`place_capability` of several at once: one change of the corpus, and each shortlist is changed once.

    `go_on` is called after each shortlist that was looked at.
    """
    now = clock.now()
    documents: dict[int, Matchable | None] = {}
    with transaction():
        for capability_id in sorted(asked):
            # Read where it is taken over: what was withdrawn a moment before must not come back.
            subject = Subject(PostingKind.CAPABILITY, capability_id)
            documents[capability_id] = sources.read_held(subject, now=now)
        standing = [one for one in documents.values() if one is not None and is_open(one, now)]
        if standing:
            corpus.put_in_force(standing, now=now)
    changed = 0
    for capability_id in sorted(set(asked) - {document.id for document in standing}):
        changed += remove_capability(capability_id)
        _pass_over(documents[capability_id], finish=asked[capability_id])
    if standing:
        changed += _place(standing, now=now, go_on=go_on)
        with transaction():
            _note_placed(standing)
            for document in standing:
                asked[document.id]()
            _ask_for_epoch_if_due()
    return changed


def _place(documents: Sequence[Matchable], *, now: datetime, go_on: Finish) -> int:
    state, ranker = epochs.open_corpus()
    alone = ranker.alone(*documents)
    digests: dict[int, str | None] = {document.id: document.digest() for document in documents}
    changed = 0
    for board in _current_boards(state):
        moves = _moves(board, alone, digests, now=now)
        if moves:
            changed += _change_board(board, moves, state, ranker.size, digests=digests, cause="placed")
        go_on()
    return changed


def _moves(board: _Board, alone: Ranker, ids: Iterable[int], *, now: datetime) -> dict[int, _Placed | None]:
    """What placing these capabilities, of which alone the ranker knows, does to a shortlist."""
    size = alone.size
    places = alone.places(board.seeker, now=now, size=len(alone.index_)) if is_open(board.seeker, now) else []
    entering = {
        place.id
        for place in places
        if board.holds(place.id) or board.admits(points(place.score), place.id, size)
    }
    matches = [alone.match(board.seeker, id) for id in sorted(entering)]
    moves: dict[int, _Placed | None] = {id: None for id in ids if board.holds(id)}
    for match, reasons in zip(matches, explain_all(matches, alone.index_), strict=True):
        moves[match.capability.id] = _Placed(match, reasons)
    return moves


def _note_placed(documents: Iterable[Matchable]) -> None:
    """Every version has been placed: nobody is to ask for it again."""
    found = corpus.read_state()
    if found is None:
        return
    now = clock.now()
    for document in documents:
        fence = _locked_ranking(PostingKind.CAPABILITY, document.id)
        if fence is None or fence.ranked_version <= document.version:
            _note_ranked(fence, document, found[0], run_id=None, now=now)


def remove_capability(capability_id: int, *, finish: Finish = nothing_to_finish) -> int:
    """Take a capability off every shortlist; whoever stood behind it moves up.

    One that is public again meanwhile, such as by an organisation that was suspended and is no more, stays.
    """
    now = clock.now()
    with transaction():
        document = sources.read_held(Subject(PostingKind.CAPABILITY, capability_id), now=now)
        if document is not None and is_open(document, now):
            finish()
            return 0
        corpus.take_out(capability_id)
    state, ranker = epochs.open_corpus()
    changed = 0
    for board in _current_boards(state):
        if board.holds(capability_id):
            changed += _change_board(
                board,
                {capability_id: None},
                state,
                ranker.size,
                digests={capability_id: None},
                cause="withdrawn",
            )
    with transaction():
        _ask_for_epoch_if_due()
        finish()
    return changed


def _change_board(
    board: _Board,
    moves: Mapping[int, _Placed | None],
    state: State,
    size: int,
    *,
    digests: Mapping[int, str | None],
    cause: str,
) -> bool:
    """Put capabilities where they now belong on one shortlist, or off it; whether anything changed.

    Done on the lines as they stand inside the transaction, so that two placed at once do not undo each
    other, and only while a capability's document is still the one that was scored (its digest, None for one
    that is out of force): a slower job must not bring back what a faster one has replaced. Where somebody
    from behind the last place has to move up, the seeker is ranked anew.
    """
    with transaction():
        holding = {id: move for id, move in moves.items() if corpus.is_in_force(id, digests[id])}
        if not holding or not _lock_current(board.run_id, state):
            return False
        lines = _lines(board.run_id)
        placed: list[_Line | _Placed] = [line for line in lines if line.capability_id not in holding]
        placed += [move for move in holding.values() if move is not None]
        placed = sorted(placed, key=lambda one: one.order)[:size]
        was_full = len(lines) >= size
        must_refill = was_full and (len(placed) < size or placed[-1].order > lines[-1].order)
        if not must_refill:
            changed = _put_lines(board.run_id, lines, placed, set(holding), state, cause=cause)
            for id, move in holding.items():
                _note_placement(board.run_id, id, digests[id] if move else None)
            _note_output(board.run_id, board.seeker, state)
            return changed
    return _refill(board, set(holding), cause=cause)


def _put_lines(
    run_id: int,
    lines: Sequence[_Line],
    placed: Sequence[_Line | _Placed],
    moved: set[int],
    state: State,
    *,
    cause: str,
) -> bool:
    """Make `placed` the shortlist whose lines were `lines`; what of `moved` stays comes with a new entry."""
    kept = {line.entry_id for line in placed if isinstance(line, _Line)}
    gone = [line.entry_id for line in lines if line.entry_id not in kept]
    if gone:
        db.session.execute(delete(MatchEntry).where(MatchEntry.id.in_(gone)))
    shifted = []
    after: dict[int, int] = {}
    scores: dict[int, float] = {}
    for place, line in enumerate(placed, start=1):
        if isinstance(line, _Placed):
            entry = _entry(run_id, place, line.match, line.reasons)
            db.session.add(entry)
            after[entry.capability_id], scores[entry.capability_id] = place, entry.score
        else:
            after[line.capability_id] = place
            if line.place != place:
                shifted.append({"id": line.entry_id, "place": place})
    if shifted:
        db.session.execute(update(MatchEntry), shifted)
    before = {line.capability_id: line.place for line in lines}
    also = {
        line.capability_id
        for line in lines
        if line.capability_id in moved & set(scores) and line.score != scores[line.capability_id]
    }
    return _note_changes(run_id, before, after, _versions(run_id), state, cause=cause, also=also)


def _refill(board: _Board, moved: set[int], *, cause: str) -> bool:
    """Rank one seeker anew within its run, because a place at the end became free."""
    for _ in range(TRIES):
        state, ranker = epochs.open_corpus()
        shortlist = compute(board.seeker, ranker, state, now=clock.now())
        with transaction():
            if not corpus.still_holds(state):
                continue
            if not _lock_current(board.run_id, state):
                return False
            before = {line.capability_id: line.place for line in _lines(board.run_id)}
            db.session.execute(delete(MatchEntry).where(MatchEntry.run_id == board.run_id))
            entries = _entries(board.run_id, shortlist)
            db.session.add_all(entries)
            db.session.flush()
            after = {entry.capability_id: entry.place for entry in entries}
            versions = _versions(board.run_id)
            also = moved & set(after)
            _note_changes(board.run_id, before, after, versions, state, cause=cause, also=also)
            _note_ranked_anew(board.run_id, shortlist)
            _note_output(board.run_id, board.seeker, state)
        return True
    raise CorpusRestless(f"run {board.run_id}")


def _lock_current(run_id: int, state: State) -> bool:
    """Hold a run against other writers; False if another one took its place or another epoch is due."""
    return (
        db.session.scalar(
            select(MatchRun.id)
            .where(
                MatchRun.id == run_id, MatchRun.superseded_at.is_(None), MatchRun.epoch_id == state.epoch_id
            )
            .with_for_update()
        )
        is not None
    )


def _note_placement(run_id: int, capability_id: int, digest: str | None) -> None:
    """Who was put on a list or taken off since everybody was ranked: with that it can be computed again."""
    row = db.session.get(MatchPlacement, (run_id, capability_id), populate_existing=True)
    if row is None:
        db.session.add(MatchPlacement(run_id=run_id, capability_id=capability_id, sha256=digest))
    else:
        row.sha256 = digest


def _note_ranked_anew(run_id: int, shortlist: Shortlist) -> None:
    """From here on the run rests on this corpus and instant alone."""
    run = db.session.get_one(MatchRun, run_id, populate_existing=True)
    run.ranked_at, run.ranked_change = shortlist.started_at, shortlist.state.change
    db.session.execute(delete(MatchPlacement).where(MatchPlacement.run_id == run_id))


def _note_output(run_id: int, seeker: Matchable, state: State) -> None:
    """What the run now rests on and says."""
    db.session.flush()
    digest = output_digest(
        db.session.scalars(
            select(MatchEntry.sha256).where(MatchEntry.run_id == run_id).order_by(MatchEntry.place)
        )
    )
    run = db.session.get_one(MatchRun, run_id, populate_existing=True)
    run.output_sha256 = digest
    if state.change > run.corpus_change:
        run.corpus_change = state.change
        run.input_sha256 = corpus.input_digest(seeker, state)


def _note_changes(
    run_id: int,
    before: Mapping[int, int],
    after: Mapping[int, int],
    versions: Mapping[int, int],
    state: State,
    *,
    cause: str,
    also: Iterable[int] = (),
) -> bool:
    """Keep who came, who left and whoever of `also` moved; whether there was anybody."""
    concerned = sorted(set(before) ^ set(after) | set(also))
    now = clock.now()
    db.session.add_all(
        MatchChange(
            run_id=run_id,
            capability_id=capability_id,
            capability_version=versions.get(capability_id, 0),
            corpus_change=state.change,
            place_before=before.get(capability_id),
            place_after=after.get(capability_id),
            cause=cause,
            at=now,
        )
        for capability_id in concerned
    )
    return bool(concerned)


# --- leaving ----------------------------------------------------------------------------------------------


def close_seeker(subject: Subject, *, finish: Finish = nothing_to_finish) -> None:
    """End the shortlist of a challenge or need that was withdrawn; what it was stays on record."""
    now = clock.now()
    with transaction():
        seeker = sources.read_held(subject, now=now)
        if seeker is None or not seeker.active:
            db.session.execute(
                update(MatchRun)
                .where(
                    MatchRun.seeker_kind == subject.kind,
                    MatchRun.seeker_id == subject.id,
                    MatchRun.superseded_at.is_(None),
                )
                .values(superseded_at=now)
            )
        finish()


# --- everything -------------------------------------------------------------------------------------------


def take_over_capabilities(*, go_on: Finish = nothing_to_finish) -> int:
    """Bring the documents of all public capabilities into force; how many were new or changed.

    `go_on` is called after each thousand that was looked at.
    """
    now = clock.now()
    public = [one.id for one in sources.list_open_versions(now) if one.kind is PostingKind.CAPABILITY]
    standing = db.session.scalars(
        select(MatchDocument.posting_id).where(
            MatchDocument.kind == PostingKind.CAPABILITY, MatchDocument.left_change.is_(None)
        )
    ).all()
    # A database takes so many values in one statement and no more.
    concerned = sorted({*public, *standing})
    chunks = [concerned[start : start + TAKEN_AT_ONCE] for start in range(0, len(concerned), TAKEN_AT_ONCE)]
    changed = 0
    for chunk in chunks:
        with transaction():
            # The corpus is held before the texts are read: what is withdrawn meanwhile leaves afterwards.
            corpus.locked_corpus()
            documents = sources.read(PostingKind.CAPABILITY, chunk, now=now)
            changed += corpus.put_in_force(documents, now=now)
        go_on()
    return changed


def list_unranked(*, now: datetime) -> list[Subject]:
    """Open challenges and needs whose shortlist does not rest on all that is in force now.

    That is: their version, the epoch, the weights and the last change of the corpus. A list on which
    capabilities were placed since it was ranked is among them: another one may still wait to be placed.
    """
    state, _ = epochs.open_corpus()
    versions = sources.list_open_versions(now)
    rows = db.session.execute(
        select(Ranking, MatchRun.ranked_change).outerjoin(MatchRun, MatchRun.id == Ranking.run_id)
    )
    ranked = {
        Subject(row.kind, row.posting_id): (row.ranked_version, row.epoch_id, row.weight_set_id, change)
        for row, change in rows
    }
    return [
        subject
        for subject in sources.list_open_seekers(now)
        if ranked.get(subject) != (versions.get(subject), state.epoch_id, state.weight_set_id, state.change)
    ]


def note_capabilities_placed(*, go_on: Finish = nothing_to_finish) -> None:
    """After a full ranking: every capability in force stands where it belongs.

    Noted a thousand at a time, so that nobody waits long for the database; `go_on` is called after each.
    """
    state, ranker = epochs.open_corpus()
    now = clock.now()
    documents = list(ranker.index_.documents())
    for start in range(0, len(documents), TAKEN_AT_ONCE):
        some = documents[start : start + TAKEN_AT_ONCE]
        with transaction():
            rows = db.session.scalars(
                select(Ranking)
                .where(
                    Ranking.kind == PostingKind.CAPABILITY,
                    Ranking.posting_id.in_([document.id for document in some]),
                )
                .with_for_update()
            )
            standing = {row.posting_id: row for row in rows}
            for document in some:
                fence = standing.get(document.id)
                if fence is None or fence.ranked_version <= document.version:
                    _note_ranked(fence, document, state, run_id=None, now=now)
        go_on()


def _ask_for_epoch_if_due() -> None:
    if corpus.epoch_is_due(now=clock.now()) and not is_pending("matching.build_epoch", 0):
        defer("matching.build_epoch", subject_id=0, bulk=True)


# --- rows -------------------------------------------------------------------------------------------------


def _locked_ranking(kind: PostingKind, posting_id: int) -> Ranking | None:
    return db.session.scalar(
        select(Ranking)
        .where(Ranking.kind == kind, Ranking.posting_id == posting_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _current_run(kind: PostingKind, seeker_id: int) -> MatchRun | None:
    return db.session.scalar(
        select(MatchRun).where(
            MatchRun.seeker_kind == kind, MatchRun.seeker_id == seeker_id, MatchRun.superseded_at.is_(None)
        )
    )


def _current_boards(state: State) -> list[_Board]:
    """The shortlists made by the epoch in force; those of another one are about to be made anew."""
    rows = db.session.execute(
        select(MatchRun.id, MatchDocument.content)
        .join(MatchDocument, MatchDocument.id == MatchRun.document_id)
        .where(MatchRun.superseded_at.is_(None), MatchRun.epoch_id == state.epoch_id)
        .order_by(MatchRun.id)
    ).all()
    lines: dict[int, list[_Line]] = {}
    current = select(MatchRun.id).where(MatchRun.superseded_at.is_(None), MatchRun.epoch_id == state.epoch_id)
    for run_id, line in _read_lines(MatchEntry.run_id.in_(current)):
        lines.setdefault(run_id, []).append(line)
    return [_Board(id, Matchable.from_dict(content), tuple(lines.get(id, ()))) for id, content in rows]


def _lines(run_id: int) -> list[_Line]:
    return [line for _, line in _read_lines(MatchEntry.run_id == run_id)]


def _read_lines(condition: ColumnElement[bool]) -> list[tuple[int, _Line]]:
    rows = db.session.execute(
        select(MatchEntry.run_id, MatchEntry.id, MatchEntry.capability_id, MatchEntry.score, MatchEntry.place)
        .where(condition)
        .order_by(MatchEntry.run_id, MatchEntry.place)
    )
    return [(row.run_id, _Line(row.id, row.capability_id, row.score, row.place)) for row in rows]


def _versions(run_id: int) -> dict[int, int]:
    db.session.flush()
    rows = db.session.execute(
        select(MatchEntry.capability_id, MatchEntry.capability_version).where(MatchEntry.run_id == run_id)
    )
    return {row.capability_id: row.capability_version for row in rows}
