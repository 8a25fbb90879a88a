"""Questions about files. Who may read one is asked of its owner's rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from marketplace.attachments import owners, store
from marketplace.attachments.models import Attachment
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, for_change
from marketplace.kernel.errors import NotFound

MOST_LISTED = 200


def list_for(owner_kind: str, owner_id: int, purpose: str) -> list[Attachment]:
    """The files of one owner for one purpose, the first uploaded first. Whoever asks has seen the owner."""
    statement = (
        select(Attachment)
        .where(
            Attachment.owner_kind == owner_kind,
            Attachment.owner_id == owner_id,
            Attachment.purpose == purpose,
        )
        .order_by(Attachment.id)
        .limit(MOST_LISTED)
    )
    return list(db.session.scalars(statement))


def count_for(owner_kind: str, owner_id: int, purpose: str) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Attachment)
            .where(
                Attachment.owner_kind == owner_kind,
                Attachment.owner_id == owner_id,
                Attachment.purpose == purpose,
            )
        )
        or 0
    )


def bytes_used(organisation_id: int) -> int:
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(Attachment.size), 0)).where(
                Attachment.organisation_id == organisation_id
            )
        )
        or 0
    )


def get_readable(key: str, *, viewer: Actor) -> Attachment:
    """Raises NotFound for a file that does not exist or that the viewer may not know of."""
    found = _find(key)
    if found is None or not owners.rule_for(found.owner_kind).may_read(found.owner_id, found.purpose, viewer):
        raise NotFound(key)
    return found


def get_writable(key: str, *, actor: Actor) -> Attachment:
    """One that the actor may take away; raises NotFound for all others."""
    found = _find(key)
    if found is None or not owners.rule_for(found.owner_kind).may_write(found.owner_id, found.purpose, actor):
        raise NotFound(key)
    return found


def _find(key: str) -> Attachment | None:
    if len(key) != 32:
        return None
    return db.session.scalar(for_change(select(Attachment).where(Attachment.key == key), Attachment))


def known_keys(keys: Iterable[str]) -> set[str]:
    return set(db.session.scalars(select(Attachment.key).where(Attachment.key.in_(list(keys)))))


@dataclass(frozen=True, slots=True)
class Fault:
    """A row whose file is not what it was. `problem`: missing, size or hash."""

    key: str
    problem: str


def list_faults(*, whole: bool, after: int = 0, most: int | None = None) -> list[Fault]:
    """Rows whose file is missing or damaged; `whole` reads every byte and compares the hash."""
    faults: list[Fault] = []
    last, seen = after, 0
    while rows := _next_rows(last, 500 if most is None else min(500, most - seen)):
        for row in rows:
            size = store.size_of(row.key)
            if size is None:
                faults.append(Fault(row.key, "missing"))
            elif size != row.size:
                faults.append(Fault(row.key, "size"))
            elif whole and store.sha256_of(row.key) != row.sha256:
                faults.append(Fault(row.key, "hash"))
        last, seen = rows[-1].id, seen + len(rows)
    return faults


def _next_rows(after: int, count: int) -> Sequence[Attachment]:
    if count <= 0:
        return []
    statement = select(Attachment).where(Attachment.id > after).order_by(Attachment.id).limit(count)
    return list(db.session.scalars(statement))
