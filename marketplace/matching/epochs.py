"""Epochs: the statistics that scores rest on, as files that every process opens memory-mapped.

Files are written aside, synced and renamed, so that a crash leaves the old ones serving; lost or damaged
ones are built again from the documents, the same to the bit. Not here: when an epoch is due (`corpus`).
"""

import hashlib
import logging
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from flask import current_app
from sqlalchemy import func, select

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.language import LANGUAGE_VERSION
from marketplace.matching import settings
from marketplace.matching.corpus import (
    State,
    as_of,
    corpus_digest,
    list_in_force,
    locked_corpus,
    read_state,
)
from marketplace.matching.engine import ENGINE_VERSION, deltas
from marketplace.matching.engine.deltas import Delta
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.index import MOST_DELTAS, ForeignIndexError, Index, Progress, untold
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.engine.segments import MOST_DOCUMENTS, sync_folder
from marketplace.matching.engine.weighed import WeighedFiles
from marketplace.matching.models import Corpus, CorpusEpoch, MatchDocument, PostingKind
from marketplace.matching.settings import InForce

log = logging.getLogger(__name__)

#: Changes from which on a delta is kept as files; fewer are read again faster than written.
KEPT_FROM = 16
#: The share of documents that came since an epoch above which all texts are read, telling how far it got.
NEW_AT_MOST = 0.1

_CAPABILITY = PostingKind.CAPABILITY


def open_corpus() -> tuple[State, Ranker]:
    """The corpus as it stands, ready to rank. Builds an epoch where there is none that this engine can use.

    Opens a transaction of its own if it has to build: not to be called inside one.
    """
    found = read_state()
    if found is None:
        build_epoch()
        found = read_state()
        if found is None:
            raise RuntimeError("an epoch was built and is not there")
    state, epoch = found
    ranker = _open_at(epoch, state)
    return replace(state, digest=_opened[str(_folder())].digest), ranker


def open_statistics() -> tuple[State, Ranker]:
    """The corpus as it stands, ready to score single capabilities: what was learned, without its documents.

    Much less to open than the whole. Builds an epoch as `open_corpus` does.
    """
    found = read_state()
    if found is None:
        return open_corpus()
    state, epoch = found
    opened = _opened.get(str(_folder()))
    known = _statistics.get(str(_folder()))
    if opened is not None and opened.epoch_id == epoch.id:
        ranker = opened.ranker
    elif known is not None and known[0] == epoch.id:
        ranker = known[1]
    else:
        weights, dictionary = settings.get_of_epoch(epoch)
        try:
            ranker = Ranker(weights, dictionary=dictionary).load_statistics(folder_of(epoch))
        except ForeignIndexError:
            return open_corpus()
        ranker.index_.weighed.files = WeighedFiles(folder_of(epoch) / "seekers")
        _statistics[str(_folder())] = epoch.id, ranker
    return replace(state, digest=corpus_digest(state)), ranker


def keep_up() -> None:
    """Open the whole corpus where it has moved so far that whoever needs it next would wait for long."""
    found = read_state()
    if found is None:
        return
    state, epoch = found
    kept = deltas.chain(folder_of(epoch), epoch.corpus_change, state.change)
    if state.change - (kept[-1][1] if kept else epoch.corpus_change) >= KEPT_FROM:
        open_corpus()


def build_epoch(*, again: bool = False, progress: Progress = untold) -> CorpusEpoch:
    """Learn the statistics of what is in force, keep them as files and rank by them from now on.

    Where another process has done so meanwhile its epoch stands, unless `again`. `progress` is told how many
    texts were read, of how many.
    """
    in_force = settings.find_in_force()
    if in_force is None:
        with transaction():
            locked_corpus()
            in_force = settings.take_over_shipped(now=clock.now())
    change = db.session.scalar(select(Corpus.change)) or 0
    ranker = _learned(change, in_force, progress)
    # What is read by other weights or another dictionary lies elsewhere, or one would replace the other.
    folder = _write_files(ranker, f"epoch-{change}-{in_force.weight_set_id}-{in_force.dictionary_id}")
    now = clock.now()
    with transaction():
        corpus = locked_corpus()
        built_meanwhile = read_state()
        if built_meanwhile is not None and built_meanwhile[1].corpus_change >= change and not again:
            return built_meanwhile[1]
        epoch = CorpusEpoch(
            built_at=now,
            corpus_change=change,
            documents=len(ranker.index_),
            engine_version=ENGINE_VERSION,
            language_version=LANGUAGE_VERSION,
            folder=folder.name,
            sha256=hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest(),
            weight_set_id=in_force.weight_set_id,
            dictionary_id=in_force.dictionary_id,
        )
        db.session.add(epoch)
        db.session.flush()
        corpus.epoch_id = epoch.id
        overtaken = settings.find_in_force() != in_force
    if overtaken:
        return build_epoch(again=again, progress=progress)
    _remove_old_files(keep=folder)
    return epoch


def _learned(change: int, in_force: InForce, progress: Progress) -> Ranker:
    """A ranker that learned what is in force at a change: from the counts of the epoch before where its texts
    were read in the same way and few came since, else from the texts.
    """
    found = read_state()
    if found is not None and found[0].change == change and _is_mostly_known(found[1], change):
        state, epoch = found
        return _open_at(epoch, state).refitted(progress=progress)
    weights = settings.get_weights(in_force.weight_set_id)
    ranker = Ranker(weights, dictionary=settings.get_dictionary(in_force.dictionary_id))
    return ranker.fit(list_in_force(change), progress=progress)


def _is_mostly_known(epoch: CorpusEpoch, change: int) -> bool:
    """Whether an epoch has counted most of what is in force at a change."""
    came = select(func.count()).where(as_of(change), MatchDocument.entered_change > epoch.corpus_change)
    return (db.session.scalar(came) or 0) <= max(KEPT_FROM, NEW_AT_MOST * epoch.documents)


@dataclass(slots=True)
class _Opened:
    """What this process has open: an epoch, and the corpus at the latest change seen."""

    epoch_id: int
    change: int
    ranker: Ranker
    digest: str = ""


_opened: dict[str, _Opened] = {}
# Of an epoch, by its id, what is learned alone.
_statistics: dict[str, tuple[int, Ranker]] = {}


def forget_opened() -> None:
    """Open everything anew at the next question."""
    _opened.clear()
    _statistics.clear()


def folder_of(epoch: CorpusEpoch) -> Path:
    """Where an epoch's files lie."""
    return _folder() / epoch.folder


def _open_at(epoch: CorpusEpoch, state: State) -> Ranker:
    """The corpus as of `state`: the epoch's segments, and behind them what came and went since."""
    # Several applications in one process (tests) must not share what belongs to one database.
    place = str(_folder())
    opened = _opened.get(place)
    if opened is None or opened.epoch_id != epoch.id or opened.change > state.change:
        opened = _opened[place] = _Opened(epoch.id, epoch.corpus_change, _load(epoch))
        opened.ranker.index_.weighed.files = WeighedFiles(folder_of(epoch) / "seekers")
    if opened.change != state.change or not opened.digest:
        index = _advanced(opened.ranker.index_, epoch, opened.change, state.change)
        opened.ranker = opened.ranker.over(index)
        opened.change, opened.digest = state.change, corpus_digest(state)
    return opened.ranker


def _advanced(index: Index, epoch: CorpusEpoch, before: int, after: int) -> Index:
    """Bring an open index from one change of the corpus to a later one, by kept deltas as far as they go."""
    folder = folder_of(epoch)
    for first, last in deltas.chain(folder, before, after):
        try:
            delta = deltas.read(folder, first, last, index.made_by)
        except ForeignIndexError as error:
            log.warning("a delta of epoch %s is computed again: %s", epoch.id, error)
            break
        index, before = _with(index, delta), last
    if before < after:
        changed, removed = _changes_between(before, after)
        if len(changed) > MOST_DOCUMENTS:
            # More than one delta holds, as while an import waits for its epoch: not kept.
            index = index.with_changes(changed, [(_CAPABILITY.value, id) for id in removed])
        else:
            delta = Delta(before, after, index.delta(changed), tuple(removed))
            index = _with(index, delta)
            if len(changed) + len(removed) >= KEPT_FROM:
                _keep(folder, delta, index)
    if len(index.pieces_) - index.base_ > MOST_DELTAS:
        index = index.compacted()
        in_one = len(index.pieces_) - index.base_ <= 1
        if in_one and len(deltas.chain(folder, epoch.corpus_change, after)) > MOST_DELTAS:
            _merge(folder, epoch, after, index)
    return index


def _with(index: Index, delta: Delta) -> Index:
    if delta.segment is None:
        return index.without(delta.removed)
    return index.with_delta(delta.segment, delta.removed)


def _keep(folder: Path, delta: Delta, index: Index) -> None:
    try:
        deltas.write(folder, delta, index.made_by)
    except OSError as error:
        # Whoever comes next reads the texts again; the ranking does not depend on it.
        log.warning("the delta of changes %s to %s is not kept: %s", delta.first, delta.last, error)


def _merge(folder: Path, epoch: CorpusEpoch, after: int, index: Index) -> None:
    """One delta in place of many."""
    first = epoch.corpus_change
    _, removed = _changes_between(first, after)
    _keep(folder, Delta(first, after, index.merged_delta(), tuple(removed)), index)
    if deltas.chain(folder, first, after) == [(first, after)]:
        deltas.remove_covered(folder, first, after)


def _changes_between(before: int, after: int) -> tuple[list[Matchable], list[int]]:
    """Capabilities that came or changed after one change up to another, and the ids of those that left."""
    entered = db.session.scalars(
        select(MatchDocument.content).where(as_of(after), MatchDocument.entered_change > before)
    )
    changed = [Matchable.from_dict(content) for content in entered]
    left = db.session.scalars(
        select(MatchDocument.posting_id).where(
            MatchDocument.kind == _CAPABILITY,
            MatchDocument.left_change > before,
            MatchDocument.left_change <= after,
        )
    )
    present = {document.id for document in changed}
    return changed, sorted(set(left) - present)


def _load(epoch: CorpusEpoch) -> Ranker:
    folder = folder_of(epoch)
    weights, dictionary = settings.get_of_epoch(epoch)
    try:
        return Ranker(weights, dictionary=dictionary).load(folder)
    except ForeignIndexError as error:
        log.warning("epoch %s is built again: %s", epoch.id, error)
    ranker = Ranker(weights, dictionary=dictionary).fit(list_in_force(epoch.corpus_change))
    _write_files(ranker, epoch.folder)
    return ranker


# --- files ------------------------------------------------------------------------------------------------


def _folder() -> Path:
    folder = Path(current_app.config["INSTANCE_DIR"]) / "matching"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_files(ranker: Ranker, name: str) -> Path:
    """Write aside and rename; what stood under the name before is replaced."""
    target = _folder() / name
    aside = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=_folder()))
    ranker.save(aside)
    sync_folder(aside)
    if target.exists():
        # A folder cannot be renamed onto another one; readers have the old files open.
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=_folder()))
        target.rename(old / "gone")
        shutil.rmtree(old, ignore_errors=True)
    aside.rename(target)
    sync_folder(_folder())
    return target


def _remove_old_files(*, keep: Path) -> None:
    """Forget the epochs before the last, and what a crash left half written an hour ago."""
    epochs = sorted(_folder().glob("epoch-*"), key=lambda path: path.stat().st_mtime)
    for path in epochs[:-2]:
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)
    hour_ago = time.time() - 3600
    for path in _folder().glob(".*"):
        if path.stat().st_mtime < hour_ago:
            shutil.rmtree(path, ignore_errors=True)
