"""Computing a run again from what is kept of its input, and comparing it with what it said then.

The input is: the seeker's document, the documents of the capabilities as of the run's ranking with those
that were placed or taken off since, the epoch's statistics (its files, or learned anew from its
documents), weights, dictionary, and the instant. Nothing is written. Not here: how two runs differ (`diff`).
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from marketplace.kernel.db import db
from marketplace.language import LANGUAGE_VERSION, Dictionary
from marketplace.matching import corpus, epochs, runs, settings
from marketplace.matching.corpus import State
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.index import ForeignIndexError
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.weights import PART_NAMES, Weights
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

_DIFFERENCES_AT_MOST = 200


class Verdict(StrEnum):
    IDENTICAL = "identical"
    DIFFERENT = "different"
    INPUT_GONE = "input_gone"


@dataclass(frozen=True, slots=True)
class Gone:
    """Something of the input that is not what it was: `what` is engine, language, weights, dictionary,
    epoch, seeker or capability; the facts say which and how.
    """

    what: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the output is another one: `what` is missing, extra, place, version, part or reason."""

    what: str
    capability_id: int
    place: int
    name: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of computing a run again."""

    run: str
    verdict: Verdict
    stored_sha256: str
    computed_sha256: str | None = None
    entries: int = 0
    gone: tuple[Gone, ...] = ()
    differences: tuple[Difference, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "run": self.run,
            "verdict": self.verdict.value,
            "stored_sha256": self.stored_sha256,
            "computed_sha256": self.computed_sha256,
            "entries": self.entries,
            "gone": [{"what": one.what, **one.facts} for one in self.gone],
            "differences": [asdict(one) for one in self.differences],
        }


def replay(run: MatchRun) -> Replay:
    """Compute `run` again; it has to be at rest, which a run that was superseded always is."""
    stored = list(
        db.session.scalars(select(MatchEntry).where(MatchEntry.run_id == run.id).order_by(MatchEntry.place))
    )
    epoch = db.session.get_one(CorpusEpoch, run.epoch_id)
    gone = list(_lost_program(run, epoch)) or list(_lost_settings(epoch))
    if gone:
        return _without_input(run, stored, gone)
    weights, dictionary = settings.get_of_epoch(epoch)
    seeker, documents, lost = read_input(run)
    gone = [*lost, *_lost_entries(stored, documents)]
    if seeker is None or gone:
        return _without_input(run, stored, gone)
    learned, lost_epoch = _learn(epoch, weights, dictionary)
    ranker = learned.alone(*documents)
    state = State(run.corpus_change, run.epoch_id, run.weight_set_id)
    shortlist = runs.compute(seeker, ranker, state, now=run.ranked_at)
    computed = runs.entries_of(shortlist)
    digest = runs.output_digest(entry.sha256 for entry in computed)
    differences = tuple(_differences(stored, computed))
    if not differences and digest == run.output_sha256:
        return Replay(run.public_no, Verdict.IDENTICAL, run.output_sha256, digest, len(stored))
    verdict = Verdict.INPUT_GONE if lost_epoch else Verdict.DIFFERENT
    return Replay(
        run.public_no,
        verdict,
        run.output_sha256,
        digest,
        len(stored),
        tuple(lost_epoch),
        differences[:_DIFFERENCES_AT_MOST],
    )


def _without_input(run: MatchRun, stored: Sequence[MatchEntry], gone: Sequence[Gone]) -> Replay:
    return Replay(run.public_no, Verdict.INPUT_GONE, run.output_sha256, None, len(stored), gone=tuple(gone))


# --- the input --------------------------------------------------------------------------------------------


def _lost_program(run: MatchRun, epoch: CorpusEpoch) -> Iterator[Gone]:
    """Another program reads and scores otherwise; only the same one can say the same."""
    if run.engine_version != ENGINE_VERSION:
        yield Gone("engine", {"then": run.engine_version, "now": ENGINE_VERSION})
    if epoch.language_version != LANGUAGE_VERSION:
        yield Gone("language", {"then": epoch.language_version, "now": LANGUAGE_VERSION})


def _lost_settings(epoch: CorpusEpoch) -> Iterator[Gone]:
    if epoch.weight_set_id is None or epoch.dictionary_id is None:
        yield Gone("dictionary", {"id": None, "why": "the run is from before dictionaries had versions"})
        return
    weights = db.session.get_one(WeightSet, epoch.weight_set_id)
    dictionary = db.session.get_one(DictionaryVersion, epoch.dictionary_id)
    rows = (("weights", weights, Weights), ("dictionary", dictionary, Dictionary))
    for what, row, kind in rows:
        try:
            digest = kind.from_dict(row.content).digest()
        except ValueError as error:
            yield Gone(what, {"id": row.id, "version": row.version, "why": str(error)})
            continue
        if digest != row.digest:
            yield Gone(what, {"id": row.id, "version": row.version, "then": row.digest, "now": digest})


def read_input(run: MatchRun) -> tuple[Matchable | None, list[Matchable], list[Gone]]:
    """The seeker's document, the capabilities' documents, and whatever of them is not what it was."""
    gone: list[Gone] = []
    row = db.session.get(MatchDocument, run.document_id)
    seeker = _read(row, gone) if row is not None else None
    if row is None:
        gone.append(Gone("seeker", {"id": run.seeker_id, "version": run.seeker_version, "why": "deleted"}))
    placed: dict[int, str | None] = {
        one.capability_id: one.sha256
        for one in db.session.scalars(select(MatchPlacement).where(MatchPlacement.run_id == run.id))
    }
    rows = db.session.scalars(
        select(MatchDocument).where(corpus.as_of(run.ranked_change)).order_by(MatchDocument.posting_id)
    ).yield_per(1000)
    found = [_read(one, gone) for one in rows if one.posting_id not in placed]
    for capability_id, sha256 in sorted(placed.items()):
        if sha256 is None:
            continue
        document = db.session.scalar(
            select(MatchDocument)
            .where(
                MatchDocument.kind == PostingKind.CAPABILITY,
                MatchDocument.posting_id == capability_id,
                MatchDocument.sha256 == sha256,
            )
            .limit(1)
        )
        if document is None:
            gone.append(Gone("capability", {"id": capability_id, "sha256": sha256, "why": "deleted"}))
        else:
            found.append(_read(document, gone))
    return seeker, [document for document in found if document is not None], gone


def _read(row: MatchDocument, gone: list[Gone]) -> Matchable | None:
    """A document that is still what its hash says."""
    what = "capability" if row.kind is PostingKind.CAPABILITY else "seeker"
    facts = {"id": row.posting_id, "version": row.version, "document": row.id}
    try:
        document = Matchable.from_dict(row.content)
    except (KeyError, TypeError, ValueError) as error:
        gone.append(Gone(what, {**facts, "why": str(error)}))
        return None
    if document.digest() != row.sha256:
        gone.append(Gone(what, {**facts, "why": "changed"}))
        return None
    return document


def _lost_entries(stored: Sequence[MatchEntry], documents: Sequence[Matchable]) -> Iterator[Gone]:
    """Whoever is on the list and not among the documents."""
    there = {(document.id, document.version) for document in documents}
    for entry in stored:
        if (entry.capability_id, entry.capability_version) not in there:
            facts = {"id": entry.capability_id, "version": entry.capability_version, "why": "deleted"}
            yield Gone("capability", facts)


def _learn(epoch: CorpusEpoch, weights: Weights, dictionary: Dictionary) -> tuple[Ranker, list[Gone]]:
    """The epoch's statistics: from its files if they are still there whole, else from its documents."""
    folder = epochs.folder_of(epoch)
    if _manifest_digest(folder) == epoch.sha256:
        try:
            return Ranker(weights, dictionary=dictionary).load_statistics(folder), []
        except ForeignIndexError:
            pass  # damaged since: learned again below
    there = db.session.scalar(select(func.count()).where(corpus.as_of(epoch.corpus_change))) or 0
    ranker = Ranker(weights, dictionary=dictionary).fit(corpus.list_in_force(epoch.corpus_change))
    with tempfile.TemporaryDirectory() as aside:
        ranker.save(Path(aside) / "epoch")
        digest = _manifest_digest(Path(aside) / "epoch")
    if digest == epoch.sha256:
        return ranker, []
    facts = {"id": epoch.id, "documents": {"then": epoch.documents, "now": there}}
    return ranker, [Gone("epoch", {**facts, "then": epoch.sha256, "now": digest})]


def _manifest_digest(folder: Path) -> str | None:
    try:
        return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    except OSError:
        return None


# --- the output -------------------------------------------------------------------------------------------


def _differences(stored: Sequence[MatchEntry], computed: Sequence[MatchEntry]) -> Iterator[Difference]:
    before = {entry.capability_id: entry for entry in stored}
    after = {entry.capability_id: entry for entry in computed}
    for entry in stored:
        if entry.capability_id not in after:
            yield Difference("missing", entry.capability_id, entry.place, before=entry.score)
    for entry in computed:
        then = before.get(entry.capability_id)
        if then is None:
            yield Difference("extra", entry.capability_id, entry.place, after=entry.score)
        else:
            yield from _entry_differences(then, entry)


def _entry_differences(then: MatchEntry, now: MatchEntry) -> Iterator[Difference]:
    id, place = then.capability_id, then.place
    if then.place != now.place:
        yield Difference("place", id, place, before=then.place, after=now.place)
    if then.capability_version != now.capability_version:
        yield Difference("version", id, place, before=then.capability_version, after=now.capability_version)
    for name in PART_NAMES:
        if then.parts.get(name) != now.parts[name]:
            yield Difference("part", id, place, name, then.parts.get(name), now.parts[name])
    for path, was, is_now in _unlike("", then.reasons, now.reasons):
        yield Difference("reason", id, place, path, was, is_now)


def _unlike(path: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every leaf at which two JSON values differ."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in sorted({*then, *now}):
            yield from _unlike(f"{path}.{name}" if path else name, then.get(name), now.get(name))
    elif isinstance(then, list | tuple) and isinstance(now, list | tuple) and len(then) == len(now):
        for number, (was, is_now) in enumerate(zip(then, now, strict=True)):
            yield from _unlike(f"{path}[{number}]", was, is_now)
    elif then != now:
        yield path, then, now
