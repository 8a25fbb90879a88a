"""Questions about runs and shortlists. Who may ask is decided here too: `may_read` and `own_lines_of`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import joinedload

from marketplace.capabilities.models import Capability
from marketplace.challenges.models import Challenge
from marketplace.challenges.queries import taken_up_at
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.kernel.outbox import OutboxRow
from marketplace.kernel.pagination import Page, paginate
from marketplace.matching.diff import Diff
from marketplace.matching.models import (
    CorpusEpoch,
    DictionaryVersion,
    MatchChange,
    MatchDocument,
    MatchEntry,
    MatchRun,
    PostingKind,
    WeightSet,
)
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need
from marketplace.needs.queries import open_at
from marketplace.organisations.models import Organisation

RECENT = timedelta(days=7)
MOST_CHANGES = 8
#: How many places a list keeps: the engine's SHORTLIST_SIZE, which the web process does not load.
PLACES = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One place on a shortlist with the capability and the organisation behind it."""

    entry: MatchEntry
    capability: Capability
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class Fit:
    """One place of the reader's own organisation, with the challenge or need it is for."""

    line: Line
    run: MatchRun
    seeker: Any


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody who came, left or moved since the shortlist before."""

    change: MatchChange
    title: str


def may_read(seeker: Any, actor: Actor) -> bool:
    """A shortlist is seen by the owner's members, the operator and the auditor."""
    return actor.belongs_to(seeker.organisation_id) or actor.is_operator or actor.is_auditor


def find_run(kind: PostingKind, seeker_id: int) -> MatchRun | None:
    """The newest run of a seeker, in force or not."""
    return db.session.scalar(
        select(MatchRun)
        .where(MatchRun.seeker_kind == kind, MatchRun.seeker_id == seeker_id)
        .order_by(MatchRun.id.desc())
        .limit(1)
    )


def get_run(public_no: str) -> MatchRun:
    """Raises NotFound."""
    found = db.session.scalar(select(MatchRun).where(MatchRun.public_no == public_no))
    if found is None:
        raise NotFound(public_no)
    return found


def find_run_before(run: MatchRun) -> MatchRun | None:
    """The run of the same seeker that `run` took the place of."""
    return db.session.scalar(
        select(MatchRun)
        .where(
            MatchRun.seeker_kind == run.seeker_kind,
            MatchRun.seeker_id == run.seeker_id,
            MatchRun.id < run.id,
        )
        .order_by(MatchRun.id.desc())
        .limit(1)
    )


def ids_of(found: Diff) -> set[int]:
    """Every capability that a comparison of two runs names."""
    named = {line.capability_id for line in found.lines}
    for line in found.lines:
        for cause in line.causes:
            named.update(cause.facts.get("capabilities", ()))
    return named


def read_capabilities(ids: Iterable[int]) -> dict[int, Capability]:
    """Capabilities by id; a deleted one is left out."""
    rows = db.session.scalars(select(Capability).where(Capability.id.in_(list(ids))))
    return {row.id: row for row in rows}


def count_entries(run_id: int) -> int:
    return db.session.scalar(select(func.count()).where(MatchEntry.run_id == run_id)) or 0


def _lines() -> Select[MatchEntry, Capability, Organisation]:
    return (
        select(MatchEntry, Capability, Organisation)
        .join(Capability, Capability.id == MatchEntry.capability_id)
        .join(Organisation, Organisation.id == Capability.organisation_id)
    )


def list_lines(run_id: int, *, first: int = 1, size: int = 50) -> list[Line]:
    """The places from `first` on, in their order."""
    rows = db.session.execute(
        _lines()
        .where(MatchEntry.run_id == run_id, MatchEntry.place >= first, MatchEntry.place < first + size)
        .order_by(MatchEntry.place)
    )
    return [Line(*row) for row in rows]


def list_scores(run_id: int) -> list[tuple[int, int, int]]:
    """(place, score in millionths, capability id) of every entry, by place."""
    rows = db.session.execute(
        select(MatchEntry.place, MatchEntry.score, MatchEntry.capability_id)
        .where(MatchEntry.run_id == run_id)
        .order_by(MatchEntry.place)
    )
    return [(row.place, round(row.score * 1_000_000), row.capability_id) for row in rows]


def find_line(run_id: int, place: int) -> Line | None:
    lines = list_lines(run_id, first=place, size=1)
    return lines[0] if lines else None


def list_own_lines(run_id: int, actor: Actor) -> list[Line]:
    """A supplier's own places on a shortlist; nobody else's."""
    if actor.organisation_id is None or actor.organisation_role is None:
        return []
    rows = db.session.execute(
        _lines()
        .where(MatchEntry.run_id == run_id, MatchEntry.organisation_id == actor.organisation_id)
        .order_by(MatchEntry.place)
    )
    return [Line(*row) for row in rows]


def list_places_by_capability(run_id: int, ids: Iterable[int]) -> dict[int, int]:
    """Capability id → place, of those that stand on the list."""
    rows = db.session.execute(
        select(MatchEntry.capability_id, MatchEntry.place).where(
            MatchEntry.run_id == run_id, MatchEntry.capability_id.in_(list(ids))
        )
    )
    return {row.capability_id: row.place for row in rows}


def list_versions_in_force(ids: Iterable[int]) -> dict[int, int]:
    """Capability id → the version of its document that is ranked now."""
    rows = db.session.execute(
        select(MatchDocument.posting_id, MatchDocument.version).where(
            MatchDocument.kind == PostingKind.CAPABILITY,
            MatchDocument.posting_id.in_(list(ids)),
            MatchDocument.left_change.is_(None),
        )
    )
    return {row.posting_id: row.version for row in rows}


def get_document(document_id: int) -> dict[str, Any]:
    """What the engine saw of the seeker of a run."""
    return db.session.get_one(MatchDocument, document_id).content


def get_seeker(kind: PostingKind, seeker_id: int) -> Any:
    """The challenge or need behind a run, with its organisation; raises NotFound."""
    entity = Challenge if kind is PostingKind.CHALLENGE else Need
    found = db.session.scalar(
        select(entity).options(joinedload(entity.organisation)).where(entity.id == seeker_id)
    )
    if found is None:
        raise NotFound(f"{kind} {seeker_id}")
    return found


def read_texts(run: MatchRun, entries: Iterable[MatchEntry]) -> dict[int, dict[str, Any]]:
    """What the engine saw of the capabilities in these versions, by capability id; of the seeker under 0."""
    wanted = {(entry.capability_id, entry.capability_version) for entry in entries}
    rows = db.session.execute(
        select(MatchDocument.posting_id, MatchDocument.version, MatchDocument.content)
        .where(
            MatchDocument.kind == PostingKind.CAPABILITY,
            MatchDocument.posting_id.in_([capability_id for capability_id, _ in wanted]),
            MatchDocument.entered_change <= run.corpus_change,
        )
        .order_by(MatchDocument.id)
    )
    texts = {id: content for id, version, content in rows if (id, version) in wanted}
    seeker = db.session.scalar(select(MatchDocument.content).where(MatchDocument.id == run.document_id))
    return {0: seeker or {}, **texts}


def get_epoch(epoch_id: int) -> CorpusEpoch:
    return db.session.get_one(CorpusEpoch, epoch_id)


def get_weights_version(weight_set_id: int) -> str:
    return db.session.get_one(WeightSet, weight_set_id).version


def get_dictionary_version(epoch_id: int) -> str:
    """The dictionary that an epoch's texts were read by; empty where that is not known."""
    return (
        db.session.scalar(
            select(DictionaryVersion.version)
            .join(CorpusEpoch, CorpusEpoch.dictionary_id == DictionaryVersion.id)
            .where(CorpusEpoch.id == epoch_id)
        )
        or ""
    )


def list_changes(run_id: int, *, limit: int = MOST_CHANGES) -> list[Change]:
    """Who came, left or moved, the latest and the highest places first."""
    rows = db.session.execute(
        select(MatchChange, Capability.title)
        .join(Capability, Capability.id == MatchChange.capability_id)
        .where(MatchChange.run_id == run_id)
        .order_by(
            MatchChange.at.desc(),
            func.coalesce(MatchChange.place_after, MatchChange.place_before),
            MatchChange.id,
        )
        .limit(limit)
    )
    return [Change(*row) for row in rows]


# --- a supplier's side ------------------------------------------------------------------------------------


def page_fits(kind: PostingKind, actor: Actor, *, now: datetime, page: int, per_page: int = 10) -> Page[Fit]:
    """Open challenges or needs on whose shortlist the actor's organisation stands, best score first.

    Of several capabilities on one shortlist the best counts.
    """
    entity, opened = _open_seekers(kind, now)
    best = (
        select(
            MatchEntry.id.label("entry_id"),
            func.row_number()
            .over(partition_by=MatchEntry.run_id, order_by=(MatchEntry.place, MatchEntry.id))
            .label("rank"),
        )
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(
            MatchEntry.organisation_id == actor.organisation_id,
            MatchRun.seeker_kind == kind,
            MatchRun.superseded_at.is_(None),
        )
        .subquery()
    )
    statement = (
        select(MatchEntry.id)
        .join(best, and_(best.c.entry_id == MatchEntry.id, best.c.rank == 1))
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .join(entity, entity.id == MatchRun.seeker_id)
        .where(opened, entity.organisation_id != actor.organisation_id)
        .order_by(MatchEntry.score.desc(), MatchEntry.id)
    )
    ids = paginate(statement, page=page, per_page=per_page)
    rows = db.session.execute(
        _lines()
        .add_columns(MatchRun, entity)
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .join(entity, entity.id == MatchRun.seeker_id)
        .options(joinedload(entity.organisation))
        .where(MatchEntry.id.in_(ids.items))
        .order_by(MatchEntry.score.desc(), MatchEntry.id)
    )
    fits = [
        Fit(Line(entry, capability, organisation), run, seeker)
        for entry, capability, organisation, run, seeker in rows
    ]
    return Page(fits, ids.page, ids.per_page, ids.total)


def list_places(capability_id: int, *, limit: int = 50) -> list[tuple[MatchEntry, MatchRun, Any]]:
    """Where a capability stands on current shortlists, best score first, with the challenge or need."""
    rows = db.session.execute(
        select(MatchEntry, MatchRun)
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(MatchEntry.capability_id == capability_id, MatchRun.superseded_at.is_(None))
        .order_by(MatchEntry.score.desc(), MatchRun.id)
        .limit(limit)
    ).all()
    seekers = _seekers(run for _, run in rows)
    return [(entry, run, seekers[run.seeker_kind, run.seeker_id]) for entry, run in rows]


def _seekers(runs: Iterable[MatchRun]) -> dict[tuple[PostingKind, int], Any]:
    wanted: dict[PostingKind, set[int]] = {PostingKind.CHALLENGE: set(), PostingKind.NEED: set()}
    for run in runs:
        wanted[run.seeker_kind].add(run.seeker_id)
    found: dict[tuple[PostingKind, int], Any] = {}
    entities: dict[PostingKind, Any] = {PostingKind.CHALLENGE: Challenge, PostingKind.NEED: Need}
    for kind, entity in entities.items():
        for seeker in db.session.scalars(select(entity).where(entity.id.in_(wanted[kind]))):
            found[kind, seeker.id] = seeker
    return found


def _open_seekers(kind: PostingKind, now: datetime) -> tuple[Any, Any]:
    if kind is PostingKind.CHALLENGE:
        return Challenge, taken_up_at(now)
    return Need, and_(open_at(now), Need.status == NeedStatus.PUBLISHED)


# --- the monitor ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the operator's list."""

    run: MatchRun
    seeker: Any
    entries: int
    best: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The runs in numbers."""

    runs: int
    recent: int
    current: int
    without_entries: int
    newest_at: datetime | None
    capabilities: int


def get_figures(*, now: datetime) -> Figures:
    in_force = MatchRun.superseded_at.is_(None)
    empty = ~select(MatchEntry.id).where(MatchEntry.run_id == MatchRun.id).exists()
    runs = db.session.execute(
        select(
            func.count(),
            func.count().filter(MatchRun.finished_at > now - RECENT),
            func.count().filter(in_force),
            func.count().filter(in_force, empty),
            func.max(MatchRun.finished_at),
        ).select_from(MatchRun)
    ).one()
    documents = select(func.count()).where(
        MatchDocument.kind == PostingKind.CAPABILITY, MatchDocument.left_change.is_(None)
    )
    return Figures(*runs, db.session.scalar(documents) or 0)


def find_newest_epoch() -> CorpusEpoch | None:
    return db.session.scalar(select(CorpusEpoch).order_by(CorpusEpoch.id.desc()).limit(1))


def list_running_bulk() -> list[OutboxRow]:
    """Long work that is open, with its progress in its payload."""
    return list(
        db.session.scalars(
            select(OutboxRow)
            .where(OutboxRow.bulk, OutboxRow.done_at.is_(None), OutboxRow.dead_at.is_(None))
            .order_by(OutboxRow.due_at, OutboxRow.id)
            .limit(20)
        )
    )


def page_runs(*, page: int, per_page: int = 20) -> Page[RunRow]:
    """All runs, newest first."""
    runs = paginate(select(MatchRun).order_by(MatchRun.id.desc()), page=page, per_page=per_page)
    ids = [run.id for run in runs.items]
    counted = {
        row.run_id: (row.count, row.best)
        for row in db.session.execute(
            select(MatchEntry.run_id, func.count().label("count"), func.max(MatchEntry.score).label("best"))
            .where(MatchEntry.run_id.in_(ids))
            .group_by(MatchEntry.run_id)
        )
    }
    seekers = _seekers(runs.items)
    rows = [
        RunRow(run, seekers[run.seeker_kind, run.seeker_id], *counted.get(run.id, (0, None)))
        for run in runs.items
    ]
    return Page(rows, runs.page, runs.per_page, runs.total)


@dataclass(frozen=True, slots=True)
class PreviewNames:
    """What a preview's numbers stand for: capabilities by id, seekers by (kind, id)."""

    capabilities: dict[int, Capability]
    seekers: dict[tuple[str, int], Any]


def read_preview_names(preview: Mapping[str, Any]) -> PreviewNames:
    """The postings that a preview tells of; a deleted one has no name."""
    shown = preview["most_moved"]
    ids = {place["capability"] for one in shown for place in (*one["entering"], *one["leaving"])}
    seekers: dict[tuple[str, int], Any] = {}
    entities: dict[PostingKind, Any] = {PostingKind.CHALLENGE: Challenge, PostingKind.NEED: Need}
    for kind, entity in entities.items():
        wanted = [one["seeker_id"] for one in shown if one["seeker_kind"] == kind.value]
        for seeker in db.session.scalars(select(entity).where(entity.id.in_(wanted))):
            seekers[kind.value, seeker.id] = seeker
    return PreviewNames(read_capabilities(ids), seekers)


# --- what must hold ---------------------------------------------------------------------------------------


def list_wrong_sums() -> list[str]:
    """Entries whose parts do not add up to their score, or whose score is not between 0 and 100."""
    wrong = []
    rows = db.session.execute(
        select(MatchEntry.id, MatchEntry.score, MatchEntry.parts).order_by(MatchEntry.id)
    )
    for row in rows.yield_per(1000):
        in_millionths = sum(round(points * 1_000_000) for points in row.parts.values())
        if in_millionths != round(row.score * 1_000_000) or not 0 <= row.score <= 100:
            wrong.append(f"match_entry {row.id}: {row.parts} is not {row.score}")
    return wrong


def list_broken_places() -> list[str]:
    """Current shortlists whose places are not 1, 2, 3 … in the order of scores, ties by id."""
    broken = []
    rows = db.session.execute(
        select(MatchEntry.run_id, MatchEntry.place, MatchEntry.score, MatchEntry.capability_id)
        .join(MatchRun, MatchRun.id == MatchEntry.run_id)
        .where(MatchRun.superseded_at.is_(None))
        .order_by(MatchEntry.run_id, MatchEntry.place)
    )
    last: tuple[int, int, float, int] | None = None
    for row in rows:
        here = (row.run_id, row.place, -row.score, row.capability_id)
        expected = last[1] + 1 if last is not None and last[0] == row.run_id else 1
        ordered = last is None or last[0] != row.run_id or last[2:] < here[2:]
        if row.place != expected or not ordered:
            broken.append(f"match_run {row.run_id}: place {row.place} is out of order")
        last = here
    return broken
