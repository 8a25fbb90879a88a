"""Reading the trail: the history of one thing, and the whole chain for verification."""

from collections.abc import Iterator

from sqlalchemy import select

from marketplace.audit.models import AuditEvent, AuditHead
from marketplace.kernel.db import db
from marketplace.kernel.pagination import Page, paginate


def list_history(subject_kind: str, subject_id: int, *, limit: int = 200) -> list[AuditEvent]:
    """Everything that happened to one thing, newest first."""
    statement = (
        select(AuditEvent)
        .where(AuditEvent.subject_kind == subject_kind, AuditEvent.subject_id == subject_id)
        .order_by(AuditEvent.seq.desc())
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def page_events(
    *, page: int, type_prefix: str = "", subject_kind: str = "", per_page: int = 30
) -> Page[AuditEvent]:
    statement = select(AuditEvent).order_by(AuditEvent.seq.desc())
    if type_prefix:
        statement = statement.where(AuditEvent.type.startswith(type_prefix, autoescape=True))
    if subject_kind:
        statement = statement.where(AuditEvent.subject_kind == subject_kind)
    return paginate(statement, page=page, per_page=per_page)


def iterate_chain() -> Iterator[AuditEvent]:
    yield from db.session.scalars(
        select(AuditEvent).order_by(AuditEvent.seq).execution_options(yield_per=1000)
    )


def find_head() -> AuditHead | None:
    return db.session.scalar(select(AuditHead).where(AuditHead.id == 1))
