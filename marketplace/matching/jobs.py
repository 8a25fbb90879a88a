"""The kinds of work that matching takes from the outbox. Each is safe to run twice.

    matching.rank_seeker       subject: a challenge or need, payload kind
    matching.place_capability  subject: a capability
    matching.remove            subject: what was withdrawn, payload kind
    matching.organisation_changed  subject: an organisation whose standing or facts count in rankings
    matching.build_epoch       bulk: learn the corpus anew, then rank everything by it
    matching.rank_import       bulk: take over what an import brought, then rank everything
    matching.rerank_batch      bulk: the same without an import; whatever was missed is taken up
    matching.taxonomy_changed  bulk: subject: a version of the taxonomy by which postings are read otherwise
    matching.preview_settings  bulk: subject: a proposal, payload setting ("weights" or "dictionary")

Not here: what the work does (`runs`, `corpus`).
"""

import time
from collections.abc import Callable
from functools import partial

from marketplace.kernel import clock
from marketplace.kernel.db import transaction
from marketplace.kernel.outbox import Lease, Work
from marketplace.matching import corpus, engines, epochs, preview, runs, sources
from marketplace.matching.models import PostingKind
from marketplace.matching.sources import Subject
from marketplace.taxonomy import queries as taxonomy

#: A lease lasts half a minute; a long run says at least this often that it lives.
RENEW_EVERY_SECONDS = 5.0

#: Capabilities that are placed anew before the progress of a bulk is noted.
PLACED_AT_ONCE = 50

# Whatever of these was asked for before everything is ranked is done by it.
COVERED_BY_RANKING_ALL = (
    "matching.rank_seeker",
    "matching.place_capability",
    "matching.rank_import",
    "matching.rerank_batch",
)


def rank_seeker(lease: Lease) -> None:
    for work in lease.work:
        runs.rank_seeker(_subject(work), finish=_finisher(lease, work))


def place_capability(lease: Lease) -> None:
    rows: dict[int, list[int]] = {}
    for work in lease.work:
        if work.subject_id is not None:
            rows.setdefault(work.subject_id, []).append(work.id)
    runs.place_capabilities({id: partial(lease.finish, ids) for id, ids in rows.items()}, go_on=_beat(lease))


def remove(lease: Lease) -> None:
    for work in lease.work:
        subject = _subject(work)
        if subject.kind is PostingKind.CAPABILITY:
            runs.remove_capability(subject.id, finish=_finisher(lease, work))
        else:
            runs.close_seeker(subject, finish=_finisher(lease, work))


def organisation_changed(lease: Lease) -> None:
    """Place and rank anew whatever an organisation has made public, or take it off the lists."""
    for work in lease.work:
        if work.subject_id is None:
            raise ValueError(f"work {work.id} names no organisation")
        subjects = sources.list_public_of(work.subject_id)
        capabilities = [one.id for one in subjects if one.kind is PostingKind.CAPABILITY]
        runs.place_capabilities(dict.fromkeys(capabilities, runs.nothing_to_finish), go_on=_beat(lease))
        for subject in subjects:
            if subject.kind is not PostingKind.CAPABILITY:
                runs.close_seeker(subject)
                runs.rank_seeker(subject, again=True)
                lease.renew()
        with transaction():
            lease.finish([work.id])


def build_epoch(lease: Lease) -> None:
    """Learn the corpus anew and bring every shortlist onto it."""
    epochs.build_epoch(progress=_progress(lease, "texts"))
    rank_everything(_progress(lease, "lists"))
    with transaction():
        lease.finish()


def rank_import(lease: Lease) -> None:
    """Take over what came in at once: one change of the corpus, one epoch, one ranking of each seeker."""
    rerank_batch(lease)


def rerank_batch(lease: Lease) -> None:
    """Bring the corpus up to date with what is public, and every shortlist onto it."""
    runs.take_over_capabilities(go_on=_beat(lease))
    if corpus.epoch_is_due(now=clock.now()):
        epochs.build_epoch(progress=_progress(lease, "texts"))
    rank_everything(_progress(lease, "lists"))
    with transaction():
        lease.finish()


def taxonomy_changed(lease: Lease) -> None:
    """Place and rank anew, in batches, whatever carries a code that a version gave a new sense.

    What was done before a death is done again: placing twice has one effect.
    """
    work = lease.work[0]
    if work.subject_id is None:
        raise ValueError(f"work {work.id} names no version of the taxonomy")
    subjects = sources.list_carrying(*taxonomy.list_touched_codes(work.subject_id))
    report = _progress(lease, "lists")
    report(0, len(subjects))
    capabilities = [one.id for one in subjects if one.kind is PostingKind.CAPABILITY]
    seekers = [one for one in subjects if one.kind is not PostingKind.CAPABILITY]
    for start in range(0, len(capabilities), PLACED_AT_ONCE):
        batch = capabilities[start : start + PLACED_AT_ONCE]
        runs.place_capabilities(dict.fromkeys(batch, runs.nothing_to_finish), go_on=_beat(lease))
        report(start + len(batch), len(subjects))
    for done, subject in enumerate(seekers, start=len(capabilities) + 1):
        runs.rank_seeker(subject, again=True)
        report(done, len(subjects))
    with transaction():
        lease.finish()


def preview_settings(lease: Lease) -> None:
    """Compute how shortlists would move by proposed weights or a proposed dictionary."""
    work = lease.work[0]
    if work.subject_id is None:
        raise ValueError(f"work {work.id} names no proposal")
    preview.compute_preview(
        work.payload["setting"], work.subject_id, report=_progress(lease, "lists"), finish=lease.finish
    )


def rank_everything(report: Callable[[int, int], None]) -> int:
    """Rank every open seeker whose shortlist does not rest on what is in force now; how many there were.

    Taken up again after a death it goes on where it was: what is done is not done twice.
    """
    waiting = runs.list_unranked(now=clock.now())
    report(0, len(waiting))
    for done, (subject, compute) in enumerate(engines.each(waiting, report), start=1):
        runs.rank_seeker(subject, again=True, by=compute)
        report(done, len(waiting))
    runs.note_capabilities_placed(go_on=lambda: report(len(waiting), len(waiting)))
    return len(waiting)


def _subject(work: Work) -> Subject:
    if work.subject_id is None:
        raise ValueError(f"work {work.id} names no posting")
    return Subject(PostingKind(work.payload["kind"]), work.subject_id)


def _finisher(lease: Lease, work: Work) -> Callable[[], None]:
    return lambda: lease.finish([work.id])


def _beat(lease: Lease) -> Callable[[], None]:
    """Keep the lease alive, called as often as one likes."""
    renewed = time.monotonic()

    def beat() -> None:
        nonlocal renewed
        if time.monotonic() - renewed >= RENEW_EVERY_SECONDS:
            lease.renew()
            renewed = time.monotonic()

    return beat


def _progress(lease: Lease, stage: str) -> Callable[[int, int], None]:
    """Keep the lease alive and note in its row which stage is under way, and how far it has come."""
    renewed = 0.0

    def report(done: int, total: int) -> None:
        nonlocal renewed
        if time.monotonic() - renewed >= RENEW_EVERY_SECONDS or done == total:
            lease.renew({**lease.work[0].payload, "stage": stage, "done": done, "total": total})
            renewed = time.monotonic()

    return report
