"""Ranking as work: what is computed outside of any transaction, and the short fenced write of its effect.

Everything here may run twice, be overtaken or be killed at any point: a version has one effect, because a
write looks again at what the computation rested on. Not here: who asks for the work (`jobs`, `cli`).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

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
#: Shortlists that are changed in one transaction: the same few statements for all of them.
BOARDS_AT_ONCE = 16


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
        places_before = {line.capability_id: line.place for line in _lines([before.id]).get(before.id, [])}
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
    """A current shortlist as far as it decides who may enter, and the seeker exactly as its run saw it."""

    run_id: int
    seeker: Matchable
    last: tuple[float, int] | None  # the order of the last line of one that is full
    held: frozenset[int]  # who stands on it, of those that are asked about

    def admits(self, score: float, capability_id: int) -> bool:
        """Whether a capability with this score in points would stand on it, or stands there already."""
        return capability_id in self.held or self.last is None or (-score, capability_id) < self.last


#: What becomes of capabilities on one shortlist, None for off it.
_Moves = Mapping[int, "_Placed | None"]


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
    with transaction():
        # Read where it is taken over: what was withdrawn a moment before must not come back.
        read = sources.read_all_held(PostingKind.CAPABILITY, sorted(asked), now=now)
        documents = {document.id: document for document in read}
        standing = [one for one in read if is_open(one, now)]
        if standing:
            corpus.put_in_force(standing, now=now)
    changed = 0
    for capability_id in sorted(set(asked) - {document.id for document in standing}):
        changed += remove_capability(capability_id)
        _pass_over(documents.get(capability_id), finish=asked[capability_id])
    if standing:
        changed += _place(standing, now=now, go_on=go_on)
        with transaction():
            _note_placed(standing)
            for document in standing:
                asked[document.id]()
            _ask_for_epoch_if_due()
        epochs.keep_up()
    return changed


def _place(documents: Sequence[Matchable], *, now: datetime, go_on: Finish) -> int:
    state, ranker = epochs.open_statistics()
    alone = ranker.alone(*documents)
    digests: dict[int, str | None] = {document.id: document.digest() for document in documents}
    changed = 0
    waiting: list[tuple[_Board, _Moves]] = []
    for board in _current_boards(state, digests, size=ranker.size):
        moves = _moves(board, alone, now=now)
        if moves:
            waiting.append((board, moves))
        if len(waiting) == BOARDS_AT_ONCE:
            changed += _change_boards(waiting, state, ranker.size, digests=digests, cause="placed")
            waiting = []
        go_on()
    return changed + _change_boards(waiting, state, ranker.size, digests=digests, cause="placed")


def _moves(board: _Board, alone: Ranker, *, now: datetime) -> _Moves:
    """What placing the capabilities of which alone the ranker knows does to a shortlist."""
    places = alone.places(board.seeker, now=now, size=len(alone.index_)) if is_open(board.seeker, now) else []
    entering = sorted(place.id for place in places if board.admits(points(place.score), place.id))
    matches = [alone.match(board.seeker, id) for id in entering]
    moves: dict[int, _Placed | None] = dict.fromkeys(board.held)
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
    state, ranker = epochs.open_statistics()
    digests = {capability_id: None}
    leaving: list[tuple[_Board, _Moves]] = [
        (board, {capability_id: None})
        for board in _current_boards(state, digests, size=ranker.size)
        if board.held
    ]
    changed = 0
    for start in range(0, len(leaving), BOARDS_AT_ONCE):
        some = leaving[start : start + BOARDS_AT_ONCE]
        changed += _change_boards(some, state, ranker.size, digests=digests, cause="withdrawn")
    with transaction():
        _ask_for_epoch_if_due()
        finish()
    return changed


def _change_boards(
    changes: Sequence[tuple[_Board, _Moves]],
    state: State,
    size: int,
    *,
    digests: Mapping[int, str | None],
    cause: str,
) -> int:
    """Put capabilities where they now belong on several shortlists, or off them; how many changed.

    Done on the lines as they stand inside the transaction, so that two placed at once do not undo each
    other, and only while a capability's document is still the one that was scored (its digest, None for one
    that is out of force): a slower job must not bring back what a faster one has replaced. Where somebody
    from behind the last place has to move up, the seeker is ranked anew.
    """
    if not changes:
        return 0
    changed = 0
    refilled: list[tuple[_Board, set[int]]] = []
    with transaction():
        concerned = {id for _, moves in changes for id in moves}
        in_force = corpus.still_in_force({id: digests[id] for id in concerned})
        current = _lock_current([board.run_id for board, _ in changes], state)
        lines = _lines(current)
        put: list[_Put] = []
        for board, moves in changes:
            holding = {id: move for id, move in moves.items() if id in in_force}
            if not holding or board.run_id not in current:
                continue
            before = lines.get(board.run_id, [])
            after: list[_Line | _Placed] = [line for line in before if line.capability_id not in holding]
            after += [move for move in holding.values() if move is not None]
            after = sorted(after, key=lambda one: one.order)[:size]
            was_full = len(before) >= size
            if was_full and (len(after) < size or after[-1].order > before[-1].order):
                refilled.append((board, set(holding)))
            else:
                put.append(_Put(board, holding, before, after))
        if put:
            changed += _put_lines(put, state, digests=digests, cause=cause)
    for board, moved in refilled:
        changed += _refill(board, moved, cause=cause)
    return changed


@dataclass(frozen=True, slots=True)
class _Put:
    """What becomes of one shortlist: its lines before and after, and whose moves made the difference."""

    board: _Board
    holding: _Moves
    before: Sequence[_Line]
    after: Sequence[_Line | _Placed]


def _put_lines(put: Sequence[_Put], state: State, *, digests: Mapping[int, str | None], cause: str) -> int:
    """Write shortlists as they are to be, all in the same few statements; how many changed."""
    gone: list[int] = []
    shifted: list[dict[str, int]] = []
    entries: list[MatchEntry] = []
    for one in put:
        kept = {line.entry_id for line in one.after if isinstance(line, _Line)}
        gone += [line.entry_id for line in one.before if line.entry_id not in kept]
        for place, line in enumerate(one.after, start=1):
            if isinstance(line, _Placed):
                entries.append(_entry(one.board.run_id, place, line.match, line.reasons))
            elif line.place != place:
                shifted.append({"id": line.entry_id, "place": place})
    for start in range(0, len(gone), TAKEN_AT_ONCE):
        some = gone[start : start + TAKEN_AT_ONCE]
        db.session.execute(delete(MatchEntry).where(MatchEntry.id.in_(some)))
    db.session.add_all(entries)
    if shifted:
        db.session.execute(update(MatchEntry), shifted)
    db.session.flush()
    run_ids = [one.board.run_id for one in put]
    versions = _versions(run_ids)
    changed = sum(_note_put(one, versions.get(one.board.run_id, {}), state, cause=cause) for one in put)
    _note_placements(put, digests)
    _note_outputs({one.board.run_id: one.board.seeker for one in put}, state)
    return changed


def _note_put(one: _Put, versions: Mapping[int, int], state: State, *, cause: str) -> bool:
    before = {line.capability_id: line.place for line in one.before}
    after: dict[int, int] = {}
    scores: dict[int, float] = {}
    for place, line in enumerate(one.after, start=1):
        if isinstance(line, _Placed):
            after[line.match.capability.id] = place
            scores[line.match.capability.id] = points(line.match.score)
        else:
            after[line.capability_id] = place
    also = {
        line.capability_id
        for line in one.before
        if line.capability_id in scores and line.score != scores[line.capability_id]
    }
    return _note_changes(one.board.run_id, before, after, versions, state, cause=cause, also=also)


def _refill(board: _Board, moved: set[int], *, cause: str) -> bool:
    """Rank one seeker anew within its run, because a place at the end became free."""
    for _ in range(TRIES):
        state, ranker = epochs.open_corpus()
        shortlist = compute(board.seeker, ranker, state, now=clock.now())
        with transaction():
            if not corpus.still_holds(state):
                continue
            if not _lock_current([board.run_id], state):
                return False
            before = {line.capability_id: line.place for line in _lines([board.run_id]).get(board.run_id, [])}
            db.session.execute(delete(MatchEntry).where(MatchEntry.run_id == board.run_id))
            entries = _entries(board.run_id, shortlist)
            db.session.add_all(entries)
            db.session.flush()
            after = {entry.capability_id: entry.place for entry in entries}
            versions = {entry.capability_id: entry.capability_version for entry in entries}
            also = moved & set(after)
            _note_changes(board.run_id, before, after, versions, state, cause=cause, also=also)
            _note_ranked_anew(board.run_id, shortlist)
            _note_outputs({board.run_id: board.seeker}, state)
        return True
    raise CorpusRestless(f"run {board.run_id}")


def _lock_current(run_ids: Sequence[int], state: State) -> set[int]:
    """Hold runs against other writers, in the order of their ids; which of them no other one has replaced
    and no other epoch is due for.
    """
    return set(
        db.session.scalars(
            select(MatchRun.id)
            .where(
                MatchRun.id.in_(run_ids),
                MatchRun.superseded_at.is_(None),
                MatchRun.epoch_id == state.epoch_id,
            )
            .order_by(MatchRun.id)
            .with_for_update()
        )
    )


def _note_placements(put: Sequence[_Put], digests: Mapping[int, str | None]) -> None:
    """Who was put on lists or taken off since everybody was ranked: with that they can be computed again."""
    rows = db.session.scalars(
        select(MatchPlacement)
        .where(
            MatchPlacement.run_id.in_([one.board.run_id for one in put]),
            MatchPlacement.capability_id.in_({id for one in put for id in one.holding}),
        )
        .execution_options(populate_existing=True)
    )
    known = {(row.run_id, row.capability_id): row for row in rows}
    for one in put:
        for id, move in one.holding.items():
            digest = digests[id] if move else None
            row = known.get((one.board.run_id, id))
            if row is None:
                db.session.add(MatchPlacement(run_id=one.board.run_id, capability_id=id, sha256=digest))
            else:
                row.sha256 = digest


def _note_ranked_anew(run_id: int, shortlist: Shortlist) -> None:
    """From here on the run rests on this corpus and instant alone."""
    run = db.session.get_one(MatchRun, run_id, populate_existing=True)
    run.ranked_at, run.ranked_change = shortlist.started_at, shortlist.state.change
    db.session.execute(delete(MatchPlacement).where(MatchPlacement.run_id == run_id))


def _note_outputs(seekers: Mapping[int, Matchable], state: State) -> None:
    """What runs, by id with their seekers, now rest on and say."""
    db.session.flush()
    lines: dict[int, list[str]] = {}
    for run_id, line in db.session.execute(
        select(MatchEntry.run_id, MatchEntry.sha256)
        .where(MatchEntry.run_id.in_(seekers))
        .order_by(MatchEntry.run_id, MatchEntry.place)
    ):
        lines.setdefault(run_id, []).append(line)
    runs = db.session.scalars(
        select(MatchRun).where(MatchRun.id.in_(seekers)).execution_options(populate_existing=True)
    )
    for run in runs:
        run.output_sha256 = output_digest(lines.get(run.id, ()))
        if state.change > run.corpus_change:
            run.corpus_change = state.change
            run.input_sha256 = corpus.input_digest(seekers[run.id], state)


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


def _current_boards(state: State, asked: Collection[int], *, size: int) -> list[_Board]:
    """The shortlists made by the epoch in force, for placing the capabilities `asked`; those of another epoch
    are about to be made anew.
    """
    is_current = MatchRun.superseded_at.is_(None), MatchRun.epoch_id == state.epoch_id
    rows = db.session.execute(
        select(MatchRun.id, MatchDocument.content)
        .join(MatchDocument, MatchDocument.id == MatchRun.document_id)
        .where(*is_current)
        .order_by(MatchRun.id)
    ).all()
    current = MatchEntry.run_id.in_(select(MatchRun.id).where(*is_current))
    last = {
        run_id: (-score, capability_id)
        for run_id, score, capability_id in db.session.execute(
            select(MatchEntry.run_id, MatchEntry.score, MatchEntry.capability_id).where(
                current, MatchEntry.place == size
            )
        )
    }
    held: dict[int, set[int]] = {}
    for run_id, capability_id in db.session.execute(
        select(MatchEntry.run_id, MatchEntry.capability_id).where(
            current, MatchEntry.capability_id.in_(asked)
        )
    ):
        held.setdefault(run_id, set()).add(capability_id)
    return [
        _Board(id, Matchable.from_dict(content), last.get(id), frozenset(held.get(id, ())))
        for id, content in rows
    ]


def _lines(run_ids: Collection[int]) -> dict[int, list[_Line]]:
    """The lines of runs, in the order of their places."""
    lines: dict[int, list[_Line]] = {}
    for row in db.session.execute(
        select(MatchEntry.run_id, MatchEntry.id, MatchEntry.capability_id, MatchEntry.score, MatchEntry.place)
        .where(MatchEntry.run_id.in_(run_ids))
        .order_by(MatchEntry.run_id, MatchEntry.place)
    ):
        line = _Line(row.id, row.capability_id, row.score, row.place)
        lines.setdefault(row.run_id, []).append(line)
    return lines


def _versions(run_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """The version of each capability on runs' lists."""
    versions: dict[int, dict[int, int]] = {}
    for run_id, capability_id, version in db.session.execute(
        select(MatchEntry.run_id, MatchEntry.capability_id, MatchEntry.capability_version).where(
            MatchEntry.run_id.in_(run_ids)
        )
    ):
        versions.setdefault(run_id, {})[capability_id] = version
    return versions
