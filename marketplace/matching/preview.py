"""How the current shortlists would move by other weights or another dictionary, before they are in force.

Everything is read anew by the proposal, as it would be after its acceptance, and each open challenge or
need is ranked by it; beyond a number of them, a sample spread evenly. Nothing but the proposal's own row is
written. Not here: what is proposed and what is in force (`settings`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.matching import corpus, epochs, settings
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.eligibility import is_open
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.lifecycle import SettingStatus
from marketplace.matching.models import MatchDocument, MatchEntry, MatchRun

#: So many shortlists are ranked at most; of more, every second, third … is.
SHORTLISTS_AT_MOST = 500
#: So many of the most moved are told one by one.
SHOWN = 10
HEAD, TOP = 10, 5

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Board:
    """A current shortlist: its run, the seeker as the run saw it, capabilities by place."""

    run_id: int
    public_no: str
    seeker: Matchable
    order: tuple[int, ...]


def compute_preview(
    kind: settings.Kind, id: int, *, report: Report, finish: Callable[[], None]
) -> dict[str, Any] | None:
    """Compute and keep the preview of a proposal; None where it is proposed no more.

    `report` is told how much of how much is done; `finish` is called in the transaction of the write.
    """
    row = settings.get_setting(kind, id)
    if row.status is not SettingStatus.PROPOSED:
        with transaction():
            finish()
        return None
    digest = row.digest
    state, _ranker = epochs.open_corpus()
    basis = settings.basis()
    weights, dictionary = settings.weights_in_force()[1], settings.dictionary_in_force()[1]
    if kind == "weights":
        weights = settings.get_weights(id)
    else:
        dictionary = settings.get_dictionary(id)
    now = clock.now()
    current = [board for board in _list_boards() if is_open(board.seeker, now)]
    boards = sample(current, SHORTLISTS_AT_MOST)
    documents = corpus.list_in_force(state.change)
    total = len(documents) + len(boards)

    def learned(done: int, _of: int) -> None:
        report(done, total)

    ranker = Ranker(weights, dictionary=dictionary).fit(documents, progress=learned)
    moves = []
    for done, board in enumerate(boards, start=1):
        after = tuple(place.id for place in ranker.places(board.seeker, now=now))
        moves.append((board, Move.between(board.order, after)))
        report(len(documents) + done, total)
    found = {
        "basis": basis,
        "digest": digest,
        "computed_at": clock.now().isoformat(),
        "corpus_change": state.change,
        "shortlists": len(current),
        **summarise(moves),
    }
    with transaction():
        held = settings.get_setting(kind, id, held=True)
        if held.status is SettingStatus.PROPOSED:
            held.preview = found
        finish()
    return found


def sample(boards: Sequence[Board], most: int) -> list[Board]:
    """All of them, or `most` spread evenly over their order."""
    if len(boards) <= most:
        return list(boards)
    return [boards[number * len(boards) // most] for number in range(most)]


@dataclass(frozen=True, slots=True)
class Move:
    """How one order of capabilities differs from another.

    `tau` is Kendall's over those on both lists, 1 for the same order and −1 for the reverse (1 where fewer
    than two are on both); `overlap` the share of the first ten that stay among the first ten.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    tau: float
    overlap: float

    @classmethod
    def between(cls, before: Sequence[int], after: Sequence[int]) -> "Move":
        return cls(tuple(before), tuple(after), kendall_tau(before, after), overlap_at(before, after, HEAD))

    @property
    def moved(self) -> bool:
        return self.before != self.after

    @property
    def changes_head(self) -> bool:
        """Whether others stand among the first five."""
        return set(self.before[:TOP]) != set(self.after[:TOP])


def kendall_tau(before: Sequence[int], after: Sequence[int]) -> float:
    """(concordant − discordant) / all pairs of what is in both orders (Kendall 1938; there are no ties)."""
    place = {one: number for number, one in enumerate(after)}
    common = [place[one] for one in before if one in place]
    pairs = len(common) * (len(common) - 1) // 2
    if not pairs:
        return 1.0
    discordant = sum(
        later < earlier for number, earlier in enumerate(common) for later in common[number + 1 :]
    )
    return (pairs - 2 * discordant) / pairs


def overlap_at(before: Sequence[int], after: Sequence[int], depth: int) -> float:
    """The share of the first `depth` of the longer head that stands in both; 1 where both are empty."""
    first, second = set(before[:depth]), set(after[:depth])
    longer = max(len(first), len(second))
    return len(first & second) / longer if longer else 1.0


def summarise(moves: Sequence[tuple[Board, Move]]) -> dict[str, Any]:
    """The preview as it is kept: sums over all, and the most moved one by one."""
    ordered = sorted(
        ((board, move) for board, move in moves if move.moved),
        key=lambda one: (one[1].overlap, one[1].tau, one[0].run_id),
    )
    all_moves = [move for _board, move in moves]
    return {
        "looked_at": len(moves),
        "moved": len(ordered),
        "heads_changed": sum(move.changes_head for move in all_moves),
        "first_changed": sum(move.before[:1] != move.after[:1] for move in all_moves),
        "overlap": round(fmean([move.overlap for move in all_moves]), 6) if all_moves else 1.0,
        "tau": round(fmean([move.tau for move in all_moves]), 6) if all_moves else 1.0,
        "most_moved": [_told(board, move) for board, move in ordered[:SHOWN]],
    }


def _told(board: Board, move: Move) -> dict[str, Any]:
    before = {one: place for place, one in enumerate(move.before, start=1)}
    after = {one: place for place, one in enumerate(move.after, start=1)}
    entering = [one for one in move.after[:TOP] if before.get(one, TOP + 1) > TOP]
    leaving = [one for one in move.before[:TOP] if after.get(one, TOP + 1) > TOP]

    def places(several: Sequence[int]) -> list[Mapping[str, Any]]:
        return [{"capability": one, "before": before.get(one), "after": after.get(one)} for one in several]

    return {
        "run": board.public_no,
        "seeker_kind": board.seeker.kind.value,
        "seeker_id": board.seeker.id,
        "overlap": round(move.overlap, 6),
        "tau": round(move.tau, 6),
        "entering": places(entering),
        "leaving": places(leaving),
    }


def _list_boards() -> list[Board]:
    current = MatchRun.superseded_at.is_(None)
    orders: dict[int, list[int]] = {}
    rows = db.session.execute(
        select(MatchEntry.run_id, MatchEntry.capability_id)
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(current)
        .order_by(MatchEntry.run_id, MatchEntry.place)
    )
    for row in rows:
        orders.setdefault(row.run_id, []).append(row.capability_id)
    runs = db.session.execute(
        select(MatchRun.id, MatchRun.public_no, MatchDocument.content)
        .join(MatchDocument, MatchDocument.id == MatchRun.document_id)
        .where(current)
        .order_by(MatchRun.id)
    )
    return [
        Board(run.id, run.public_no, Matchable.from_dict(run.content), tuple(orders.get(run.id, ())))
        for run in runs
    ]
