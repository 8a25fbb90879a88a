"""What the index of this instance consists of, for operators: read only, nothing is built or mended."""

from typing import Any

import numpy as np
from sqlalchemy import func, select

from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.matching import corpus, epochs, settings
from marketplace.matching.engine import deltas, kernels, segments
from marketplace.matching.models import Corpus, MatchRun


def take(*, verify: bool = False) -> dict[str, Any]:
    """Epoch, segments, deltas and sizes in bytes; `damaged` names files, with `verify` by every byte."""
    found = corpus.read_state()
    known: dict[str, Any] = {
        "epoch": None,
        "change": db.session.scalar(select(Corpus.change)) or 0,
        "compiled": kernels.is_compiled(),
        "damaged": [],
        "segments": [],
    }
    if found is None:
        return known
    state, epoch = found
    folder = epochs.folder_of(epoch)
    if verify:
        known["damaged"] = _damaged(folder)
        if known["damaged"]:
            # Opening would mend them.
            return {**known, **_of_epoch(epoch), **_of_rows(epoch)}
    _, ranker = epochs.open_corpus()
    index = ranker.index_
    return {
        **known,
        **_of_epoch(epoch),
        **_of_rows(epoch),
        "documents": len(index),
        "terms": int(index.statistics_.keys.size),
        "segments": [
            {
                "base": number < index.base_,
                "documents": len(piece.segment),
                "dead": int(np.count_nonzero(piece.alive == 0)),
                "postings": piece.segment.postings,
                "dense": int(piece.segment.dense.shape[0]),
                "bytes": piece.segment.nbytes,
            }
            for number, piece in enumerate(index.pieces_)
        ],
        "deltas": len(deltas.chain(folder, epoch.corpus_change, state.change)),
        "weighed": sum(1 for _ in (folder / "seekers").glob("*/*.json")),
        "disk": deltas.size_in_bytes(folder),
    }


def _of_epoch(epoch: Any) -> dict[str, Any]:
    weights, dictionary = settings.get_of_epoch(epoch)
    return {
        "epoch": {
            "id": epoch.id,
            "built_at": epoch.built_at.isoformat(timespec="seconds"),
            "documents": epoch.documents,
            "change": epoch.corpus_change,
            "engine": epoch.engine_version,
            "sha256": epoch.sha256,
        },
        "weights": weights.version,
        "dictionary": dictionary.version,
    }


def _of_rows(epoch: Any) -> dict[str, Any]:
    current = select(func.count()).where(MatchRun.superseded_at.is_(None), MatchRun.epoch_id == epoch.id)
    return {
        "documents": epoch.documents,
        "terms": 0,
        "shortlists": db.session.scalar(current) or 0,
        "due": corpus.epoch_is_due(now=clock.now()),
        "deltas": 0,
        "weighed": 0,
        "disk": deltas.size_in_bytes(epochs.folder_of(epoch)),
    }


def _damaged(folder: Any) -> list[str]:
    manifests = sorted({folder / "manifest.json", *folder.rglob("manifest.json")})
    return [
        str((manifest.parent / name).relative_to(folder))
        for manifest in manifests
        for name in segments.verify(manifest.parent)
    ]
