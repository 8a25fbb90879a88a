"""Which engine ranks everything: this process one seeker after the other, or a Dask cluster (MATCH_ENGINE).

The cluster computes numbers ahead; what is written, and that it still holds, is decided here as always, one
fenced write a seeker, and reasons are made here from the numbers. Where the corpus or a seeker has changed
meanwhile the numbers are worth nothing, and it is ranked in this process. Not here: the writing (`runs`), and
how a cluster is asked (`engine.cluster`).
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from flask import current_app

from marketplace.config import MatchEngine
from marketplace.kernel import clock
from marketplace.kernel.db import db
from marketplace.matching import corpus, epochs, runs, sources
from marketplace.matching.corpus import State
from marketplace.matching.engine import blocks, cluster
from marketplace.matching.engine.blocks import Asked, Tally
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.eligibility import is_open
from marketplace.matching.engine.ranking import Ranker
from marketplace.matching.models import CorpusEpoch, PostingKind
from marketplace.matching.runs import Compute, Shortlist
from marketplace.matching.sources import Subject

Report = Callable[[int, int], None]


def each(subjects: Sequence[Subject], report: Report) -> Iterator[tuple[Subject, Compute]]:
    """Each seeker, in order, with how its shortlist is computed: by the engine that is set.

    `report` is called with how many were given out while the engine keeps everybody waiting. Raises
    ClusterUnavailable if it cannot be asked: nothing is ranked in its place, and the work is tried again.
    """
    if current_app.config["MATCH_ENGINE"] == MatchEngine.DASK:
        return _on_cluster(subjects, report)
    return ((subject, runs.compute) for subject in subjects)


def _on_cluster(subjects: Sequence[Subject], report: Report) -> Iterator[tuple[Subject, Compute]]:
    left = dict.fromkeys(subjects)
    if not left:
        return

    def wait() -> None:
        report(len(subjects) - len(left), len(subjects))

    with cluster.connected(current_app.config["DASK_SCHEDULER"]) as client:
        while left:
            for subject, compute in _on_corpus_as_it_stands(client, list(left), wait):
                yield subject, compute
                del left[subject]


def _on_corpus_as_it_stands(
    client: cluster.Cluster, subjects: Sequence[Subject], wait: Callable[[], None]
) -> Iterator[tuple[Subject, Compute]]:
    """As many of them as are ranked before the corpus changes, one at least."""
    state, ranker = epochs.open_corpus()
    left = dict.fromkeys(subjects)
    with _published(ranker, state) as (folder, rows):
        ranked = client.rank_many(folder, blocks.divide(rows), _read(subjects), size=ranker.size, wait=wait)
        for asked, tally in ranked:
            subject = Subject(PostingKind(asked.seeker.kind), asked.seeker.id)
            del left[subject]
            yield subject, _from_numbers(asked, tally, state)
            if not _still_stands(state):
                ranked.close()
                return
    # Withdrawn or past its end since it was listed: whoever writes looks again and passes it over.
    yield from ((subject, runs.compute) for subject in left)


def _read(subjects: Sequence[Subject]) -> Iterator[Asked]:
    """What of them is open, read as it is asked for."""
    for start in range(0, len(subjects), cluster.SEEKERS_AT_ONCE):
        some = subjects[start : start + cluster.SEEKERS_AT_ONCE]
        now = clock.now()
        for kind in sources.SEEKERS:
            ids = [one.id for one in some if one.kind is kind]
            for document in sources.read(kind, ids, now=now) if ids else ():
                if is_open(document, now):
                    yield Asked(document, now)


def _from_numbers(asked: Asked, tally: Tally, state: State) -> Compute:
    def compute(seeker: Matchable, ranker: Ranker, now_in_force: State, *, now: datetime) -> Shortlist:
        if now_in_force != state or seeker.digest() != asked.seeker.digest():
            return runs.compute(seeker, ranker, now_in_force, now=now)
        return runs.compute(
            seeker, ranker, state, now=asked.now, ranked=blocks.in_full(ranker, seeker, tally)
        )

    return compute


def _still_stands(state: State) -> bool:
    found = corpus.read_state()
    return found is not None and replace(found[0], digest=state.digest) == state


@contextmanager
def _published(ranker: Ranker, state: State) -> Iterator[tuple[Path, list[int]]]:
    """What the cluster reads, beside the epoch's files, and the rows of each segment; removed afterwards."""
    epoch = epochs.folder_of(db.session.get_one(CorpusEpoch, state.epoch_id))
    folder = Path(tempfile.mkdtemp(prefix=".cluster-", dir=epoch.parent))
    try:
        yield folder, blocks.publish(ranker, epoch, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
