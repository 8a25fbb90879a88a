"""The work behind an import, as the outbox hands it out. Each is safe to run twice.

exchange.inspect   find sheet, headings and columns of a file
exchange.check     read, judge and compare every row; what would be new, changed, the same, wrong
exchange.apply     take the rows over, in one act
exchange.forget    delete file and staged rows of an import that is over
"""

import time
from collections.abc import Callable

from marketplace.exchange import applying, imports, staging
from marketplace.exchange.faults import Unreadable
from marketplace.exchange.models import ImportStatus, StagedImport
from marketplace.exchange.staging import Overtaken
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, Obstructed
from marketplace.kernel.outbox import Lease, Work
from marketplace.kernel.texts import N_

RENEW_EVERY_SECONDS = 5.0
OUTDATED = N_("比对之后数据有了变动，已重新比对，请再次确认")


def inspect(lease: Lease) -> None:
    for work in lease.work:
        _each(lease, work, ImportStatus.RECEIVED, _inspect)


def check(lease: Lease) -> None:
    for work in lease.work:
        _each(lease, work, ImportStatus.CHECKING, _check)


def apply(lease: Lease) -> None:
    for work in lease.work:
        _each(lease, work, ImportStatus.APPLYING, _apply)


def forget(lease: Lease) -> None:
    for work in lease.work:
        staged = db.session.get(StagedImport, work.subject_id)
        if staged is not None and staged.status not in imports.OPEN:
            imports.remove_file(staged.stored_name)
            staging.forget_rows(staged.id)
        with transaction():
            lease.finish([work.id])


def _each(
    lease: Lease,
    work: Work,
    status: ImportStatus,
    do: Callable[[StagedImport, str, Work, Callable[[], None], Callable[[], None]], None],
) -> None:
    """Do one import's step under a fence; what the file or its owner is at fault for ends the import."""
    fence = f"{lease.token}:{work.id}"[:40]
    staged = staging.take_fence(work.subject_id or 0, status, fence)
    finished = False

    def finish() -> None:
        nonlocal finished
        lease.finish([work.id])
        finished = True

    if staged is not None:
        try:
            do(staged, fence, work, _beat(lease), finish)
        except Overtaken:
            db.session.rollback()
        except (Unreadable, Forbidden) as error:
            message = getattr(error, "message", N_("您已没有导入的权限"))
            _fail(staged.id, fence, message, getattr(error, "params", {}))
    if not finished:
        with transaction():
            lease.finish([work.id])


def _inspect(
    staged: StagedImport, fence: str, work: Work, beat: Callable[[], None], finish: Callable[[], None]
) -> None:
    ready = staging.inspect(staged, fence)
    beat()
    with transaction():
        now = clock.now()
        fresh = db.session.get_one(StagedImport, staged.id, populate_existing=True)
        if ready and not work.payload.get("ask") and fresh.status is ImportStatus.UPLOADED:
            imports.ask_for_check(fresh, mapping=fresh.mapping, now=now)
        finish()


def _check(
    staged: StagedImport, fence: str, work: Work, beat: Callable[[], None], finish: Callable[[], None]
) -> None:
    import_id = staged.id
    staging.forget_rows(import_id)
    checker = staging.Checker(staged, fence, now=clock.now())
    checker.run(beat)
    with transaction():
        staging.hold(
            import_id,
            fence,
            status=ImportStatus.FAULTY if checker.error_count else ImportStatus.CHECKED,
            counts={**checker.counts, "public": checker.public_changes},
            done=checker.done,
            rows=checker.done,
            error_count=checker.error_count,
            manifest=checker.manifest.hexdigest(),
            fence="",
        )
        finish()


def _apply(
    staged: StagedImport, fence: str, work: Work, beat: Callable[[], None], finish: Callable[[], None]
) -> None:
    import_id = staged.id
    try:
        with transaction():
            fresh = db.session.get_one(StagedImport, import_id, populate_existing=True)
            applying.apply(fresh, fence, by=imports.actor_of(fresh), now=clock.now())
            imports.ask_to_forget(import_id)
            finish()
    except applying.Outdated:
        with transaction():
            fresh = db.session.get_one(StagedImport, import_id, populate_existing=True)
            imports.ask_for_check(fresh, mapping=fresh.mapping, now=clock.now(), message=OUTDATED)
            finish()
    except Obstructed as error:
        first = error.obstacles[0]
        _fail(import_id, fence, first.message, dict(first.params))


def _fail(import_id: int, fence: str, message: str, params: dict[str, object]) -> None:
    db.session.rollback()
    shown = {name: v if isinstance(v, (int, float)) else str(v) for name, v in params.items()}
    with transaction():
        staging.hold(
            import_id,
            fence,
            status=ImportStatus.FAILED,
            message=message[:300],
            message_params=shown,
            fence="",
        )


def _beat(lease: Lease) -> Callable[[], None]:
    """Keep the lease alive, called as often as one likes."""
    renewed = time.monotonic()

    def beat() -> None:
        nonlocal renewed
        if time.monotonic() - renewed >= RENEW_EVERY_SECONDS:
            lease.renew()
            renewed = time.monotonic()

    return beat
