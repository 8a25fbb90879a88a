"""Why one shortlist is another one than before: who came, left or moved, and by what.

Told from what both runs stored: documents, parts, words, weights, dictionary, epoch. Nothing is ranked
anew, so a page may ask. Not here: whether a run can be computed again (`replay`), and the sentences
(`diff_presenters`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select

from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.matching import corpus
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.eligibility import exclusion
from marketplace.matching.engine.weights import PART_NAMES
from marketplace.matching.models import (
    CorpusEpoch,
    DictionaryVersion,
    MatchDocument,
    MatchEntry,
    MatchPlacement,
    MatchRun,
    PostingKind,
    WeightSet,
)

_TERMS_SHOWN = 5
_OTHERS_SHOWN = 5


class How(StrEnum):
    CAME = "came"
    LEFT = "left"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a change: `code` is published, withdrawn, eligible, excluded, text, seeker, epoch,
    weights, dictionary, engine, overtaken, freed or threshold; the facts say how.
    """

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One capability that came, left or moved; parts and words that differ as (before, after) in points."""

    capability_id: int
    how: How
    place_before: int | None
    place_after: int | None
    score_before: float | None
    score_after: float | None
    causes: tuple[Cause, ...]
    parts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    terms: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """Two runs of one seeker: what they rest on differs by `causes`, what they say by `lines`."""

    before: str
    after: str
    seeker_kind: str
    seeker_id: int
    causes: tuple[Cause, ...]
    lines: tuple[Line, ...]
    unmoved: int
    rescored: int  # of the unmoved, how many have another score

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two runs, as far as it is asked."""

    run: MatchRun
    seeker: Matchable | None
    entries: Mapping[int, MatchEntry]
    documents: Mapping[int, Matchable]

    def excluded(self, capability_id: int) -> str | None:
        document = self.documents.get(capability_id)
        if document is None or self.seeker is None:
            return None
        reason = exclusion(self.seeker, document, now=self.now)
        return reason.value if reason is not None else None

    @property
    def now(self) -> datetime:
        return self.run.ranked_at


def diff(before: MatchRun, after: MatchRun) -> Diff:
    """What came, left or moved from `before` to `after`; raises Obstructed for runs of different seekers."""
    if (before.seeker_kind, before.seeker_id) != (after.seeker_kind, after.seeker_id):
        message = N_("%(before)s 和 %(after)s 不是同一个榜单或需求的作业，不能比较")
        raise Obstructed([Obstacle("", message, {"before": before.public_no, "after": after.public_no})])
    entries = [_entries(run) for run in (before, after)]
    ids = sorted({*entries[0], *entries[1]})
    old, new = (
        _Side(run, _seeker(run), kept, _documents(run, ids))
        for run, kept in zip((before, after), entries, strict=True)
    )
    shared = tuple(_shared_causes(old, new))
    lines = [line for id in ids if (line := _line(id, old, new, shared)) is not None]
    lines.sort(key=lambda line: (line.place_after or 10**6, line.place_before or 0))
    still = set(old.entries) & set(new.entries) - {line.capability_id for line in lines}
    return Diff(
        before.public_no,
        after.public_no,
        before.seeker_kind.value,
        before.seeker_id,
        shared,
        tuple(lines),
        len(still),
        sum(old.entries[id].score != new.entries[id].score for id in still),
    )


# --- what both rest on ------------------------------------------------------------------------------------


def _entries(run: MatchRun) -> dict[int, MatchEntry]:
    rows = db.session.scalars(
        select(MatchEntry).where(MatchEntry.run_id == run.id).order_by(MatchEntry.place)
    )
    return {row.capability_id: row for row in rows}


def _seeker(run: MatchRun) -> Matchable | None:
    row = db.session.get(MatchDocument, run.document_id)
    return Matchable.from_dict(row.content) if row is not None else None


def _documents(run: MatchRun, ids: Sequence[int]) -> dict[int, Matchable]:
    """The capabilities' documents that a run rests on; who was not in the corpus, or taken off, has none."""
    mine = (MatchDocument.kind == PostingKind.CAPABILITY, MatchDocument.posting_id.in_(ids))
    rows = db.session.scalars(select(MatchDocument).where(*mine, corpus.as_of(run.ranked_change)))
    found = {row.posting_id: row.content for row in rows}
    placed = db.session.scalars(
        select(MatchPlacement).where(MatchPlacement.run_id == run.id, MatchPlacement.capability_id.in_(ids))
    )
    for one in placed:
        found.pop(one.capability_id, None)
        if one.sha256 is not None:
            content = db.session.scalar(
                select(MatchDocument.content)
                .where(
                    MatchDocument.kind == PostingKind.CAPABILITY,
                    MatchDocument.posting_id == one.capability_id,
                    MatchDocument.sha256 == one.sha256,
                )
                .limit(1)
            )
            if content is not None:
                found[one.capability_id] = content
    return {id: Matchable.from_dict(content) for id, content in found.items()}


def _shared_causes(old: _Side, new: _Side) -> Iterable[Cause]:
    """What changed for everybody on the list."""
    if (
        old.seeker is not None
        and new.seeker is not None
        and (changed := changed_fields(old.seeker, new.seeker))
    ):
        versions = {"before": old.seeker.version, "after": new.seeker.version}
        yield Cause("seeker", {**versions, "fields": changed})
    if old.run.engine_version != new.run.engine_version:
        yield Cause("engine", {"before": old.run.engine_version, "after": new.run.engine_version})
    if old.run.weight_set_id != new.run.weight_set_id:
        rows = [db.session.get_one(WeightSet, one.run.weight_set_id) for one in (old, new)]
        facts = {"before": rows[0].version, "after": rows[1].version}
        if numbers := changed_numbers(rows[0].weights, rows[1].weights):
            yield Cause("weights", {**facts, "numbers": numbers})
    epochs = [db.session.get_one(CorpusEpoch, one.run.epoch_id) for one in (old, new)]
    if epochs[0].dictionary_id != epochs[1].dictionary_id:
        yield Cause("dictionary", {"before": _version(epochs[0]), "after": _version(epochs[1])})
    if _learned_otherwise(*epochs):
        sizes = {"before": epochs[0].documents, "after": epochs[1].documents}
        yield Cause("epoch", {"epochs": [one.id for one in epochs], "documents": sizes})


def _learned_otherwise(before: CorpusEpoch, after: CorpusEpoch) -> bool:
    """Whether two epochs were learned from different documents."""
    first, last = sorted((before.corpus_change, after.corpus_change))
    between = or_(
        MatchDocument.entered_change.between(first + 1, last),
        MatchDocument.left_change.between(first + 1, last),
    )
    statement = select(MatchDocument.id).where(MatchDocument.kind == PostingKind.CAPABILITY, between)
    return first != last and db.session.scalar(statement.limit(1)) is not None


def _version(epoch: CorpusEpoch) -> str:
    if epoch.dictionary_id is None:
        return ""
    return db.session.get_one(DictionaryVersion, epoch.dictionary_id).version


def changed_fields(before: Matchable, after: Matchable) -> list[str]:
    """Names of the sections and facts in which two documents differ."""
    then, now = before.to_dict(), after.to_dict()
    names = {name for name in {*then, *now} - {"version", "sections"} if then.get(name) != now.get(name)}
    sections = [dict(before.sections), dict(after.sections)]
    for name in {*sections[0], *sections[1]}:
        if sections[0].get(name) != sections[1].get(name):
            names.add(name)
    return sorted(names)


def changed_numbers(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Every number of two sets of weights that differs, such as {"parts.text": [40, 30]}."""
    found: dict[str, list[Any]] = {}
    for name in sorted({*before, *after} - {"version"}):
        then, now = before.get(name), after.get(name)
        if isinstance(then, Mapping) and isinstance(now, Mapping):
            inner = changed_numbers(then, now)
            found |= {f"{name}.{rest}": values for rest, values in inner.items()}
        elif then != now:
            found[name] = [then, now]
    return found


# --- one capability ---------------------------------------------------------------------------------------


def _line(id: int, old: _Side, new: _Side, shared: Sequence[Cause]) -> Line | None:
    then, now = old.entries.get(id), new.entries.get(id)
    if then is not None and now is not None and then.place == now.place:
        return None
    how = How.LEFT if now is None else How.CAME if then is None else How.MOVED
    return Line(
        id,
        how,
        then.place if then else None,
        now.place if now else None,
        then.score if then else None,
        now.score if now else None,
        tuple(_causes(id, how, old, new, shared)),
        _part_changes(then, now) if then and now else {},
        _term_changes(then, now) if then and now else (),
    )


def _causes(id: int, how: How, old: _Side, new: _Side, shared: Sequence[Cause]) -> Iterable[Cause]:
    before, after = old.documents.get(id), new.documents.get(id)
    if before is None and how is How.CAME:
        yield Cause("published")
        return
    if after is None and how is How.LEFT:
        yield Cause("withdrawn")
        return
    if how is How.CAME and (reason := old.excluded(id)):
        yield Cause("eligible", {"reason": reason})
    if how is How.LEFT and (reason := new.excluded(id)):
        yield Cause("excluded", {"reason": reason})
        return
    if before is not None and after is not None and (changed := changed_fields(before, after)):
        yield Cause("text", {"before": before.version, "after": after.version, "fields": changed})
    then, now = old.entries.get(id), new.entries.get(id)
    if then is None or now is None or then.score != now.score:
        yield from shared
    yield from _others(id, how, old, new)


def _others(id: int, how: How, old: _Side, new: _Side) -> Iterable[Cause]:
    """Whoever stands before it now and did not, and the other way round."""
    last = 10**6
    place_before = old.entries[id].place if id in old.entries else last
    place_after = new.entries[id].place if id in new.entries else last
    ahead_before = {one for one, entry in old.entries.items() if entry.place < place_before and one != id}
    ahead_after = {one for one, entry in new.entries.items() if entry.place < place_after and one != id}
    passing = sorted(ahead_after - ahead_before, key=lambda one: new.entries[one].place)
    passed = sorted(ahead_before - ahead_after, key=lambda one: old.entries[one].place)
    if how is not How.CAME and passing:
        yield Cause("overtaken", {"count": len(passing), "capabilities": passing[:_OTHERS_SHOWN]})
    if how is not How.LEFT and passed:
        yield Cause("freed", {"count": len(passed), "capabilities": passed[:_OTHERS_SHOWN]})
    if how is How.LEFT and not passing:
        yield Cause("threshold")


def _part_changes(then: MatchEntry, now: MatchEntry) -> dict[str, tuple[float, float]]:
    return {
        name: (then.parts[name], now.parts[name])
        for name in PART_NAMES
        if then.parts[name] != now.parts[name]
    }


def _term_changes(then: MatchEntry, now: MatchEntry) -> tuple[tuple[str, float, float], ...]:
    """The words whose points changed most."""
    points = [
        {term["term"]: float(term["points"]) for term in entry.reasons.get("terms", [])}
        for entry in (then, now)
    ]
    found = [(term, points[0].get(term, 0.0), points[1].get(term, 0.0)) for term in {*points[0], *points[1]}]
    changed = [one for one in found if one[1] != one[2]]
    return tuple(sorted(changed, key=lambda one: (-abs(one[2] - one[1]), one[0]))[:_TERMS_SHOWN])
