"""What the supervisor asks every half minute: is there an import left undecided, or one whose work died?

And is there a file that no import waits for: of a request that was killed, or of a deletion that died.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from marketplace.exchange import imports, staging
from marketplace.exchange.models import ImportStatus, StagedImport
from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import is_pending
from marketplace.kernel.texts import N_

WORK = {
    ImportStatus.RECEIVED: "exchange.inspect",
    ImportStatus.CHECKING: "exchange.check",
    ImportStatus.APPLYING: "exchange.apply",
}
PATIENCE = timedelta(minutes=1)
# Longer than any request between storing a file and committing its row.
GRACE = timedelta(hours=1)
WAITING = (*imports.OPEN, ImportStatus.APPLYING, ImportStatus.FAILED)


def sweep() -> None:
    now = clock.now()
    open_ones = db.session.execute(
        select(
            StagedImport.id,
            StagedImport.status,
            StagedImport.updated_at,
            StagedImport.expires_at,
            StagedImport.stored_name,
        ).where(StagedImport.status.in_(WAITING))
    ).all()
    _remove_files(before=now - GRACE, but={one.stored_name for one in open_ones})
    overdue = any(one.expires_at <= now for one in open_ones if one.status is not ImportStatus.APPLYING)
    abandoned = [
        one.id
        for one in open_ones
        if one.status in WORK and one.updated_at < now - PATIENCE and not is_pending(WORK[one.status], one.id)
    ]
    if not overdue and not abandoned:
        return
    with transaction():
        imports.expire(now)
        if abandoned:
            db.session.execute(
                update(StagedImport)
                .where(StagedImport.id.in_(abandoned), StagedImport.status.in_(WORK))
                .values(
                    status=ImportStatus.FAILED,
                    fence="",
                    message=N_("处理没有完成，请取消后重新上传；仍不成功请联系平台"),
                    updated_at=now,
                ),
                execution_options={"synchronize_session": False},
            )


def _remove_files(*, before: datetime, but: Collection[str]) -> None:
    for path in staging.folder().iterdir():
        with suppress(FileNotFoundError):
            if path.name not in but and datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                path.unlink()
