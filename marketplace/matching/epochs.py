"""Epochs: the statistics that scores rest on, as files that every process opens memory-mapped.

Files are written aside, synced and renamed, so that a crash leaves the old ones serving; lost or damaged
ones are built again from the documents, the same to the bit. Not here: when an epoch is due (`corpus`).
"""

import hashlib
import logging
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from flask import current_app
from sqlalchemy import select

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
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.index import ForeignIndexError
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.models import Corpus, CorpusEpoch, MatchDocument, PostingKind

log = logging.getLogger(__name__)

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
    opened = _open_at(epoch, state)
    return replace(state, digest=opened.digest), opened.current


def build_epoch(*, again: bool = False) -> CorpusEpoch:
    """Learn the statistics of what is in force, keep them as files and rank by them from now on.

    Where another process has done so meanwhile its epoch stands, unless `again`.
    """
    in_force = settings.find_in_force()
    if in_force is None:
        with transaction():
            locked_corpus()
            in_force = settings.take_over_shipped(now=clock.now())
    change = db.session.scalar(select(Corpus.change)) or 0
    documents = list_in_force(change)
    weights = settings.get_weights(in_force.weight_set_id)
    ranker = Ranker(weights, dictionary=settings.get_dictionary(in_force.dictionary_id)).fit(documents)
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
            documents=len(documents),
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
        return build_epoch(again=again)
    _remove_old_files(keep=folder)
    return epoch


@dataclass(slots=True)
class _Opened:
    """What this process has open: one epoch, and the corpus at its latest change seen."""

    epoch_id: int | None = None
    base: Ranker | None = None
    change: int | None = None
    current: Ranker = field(default_factory=Ranker)
    digest: str = ""


_opened: dict[str, _Opened] = {}


def forget_opened() -> None:
    """Open everything anew at the next question."""
    _opened.clear()


def folder_of(epoch: CorpusEpoch) -> Path:
    """Where an epoch's files lie."""
    return _folder() / epoch.folder


def _open_at(epoch: CorpusEpoch, state: State) -> _Opened:
    # Several applications in one process (tests) must not share what belongs to one database.
    opened = _opened.setdefault(str(_folder()), _Opened())
    if opened.epoch_id != epoch.id or opened.base is None:
        opened.base, opened.epoch_id, opened.change = _load(epoch), epoch.id, None
    if opened.change != state.change:
        changed, removed = _changes_between(epoch.corpus_change, state.change)
        opened.current = opened.base.with_changes(changed, removed) if changed or removed else opened.base
        opened.change, opened.digest = state.change, corpus_digest(state)
    return opened


def _changes_between(before: int, after: int) -> tuple[list[Matchable], list[tuple[str, int]]]:
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
    return changed, [(_CAPABILITY.value, id) for id in sorted(set(left) - present)]


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
    _sync_folder(aside)
    if target.exists():
        # A folder cannot be renamed onto another one; readers have the old files open.
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=_folder()))
        target.rename(old / "gone")
        shutil.rmtree(old, ignore_errors=True)
    aside.rename(target)
    _sync_folder(_folder())
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
