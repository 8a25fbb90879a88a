"""What lapses by the clock: its owner is told a week before and on the day, once each.

A kind of posting that has an end of validity registers itself; the supervisor asks every half minute. That
something lapsed is no status and needs nobody to be true: here are only the letters, and what else follows
from the lapse, such as leaving the shortlists.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from marketplace.kernel import clock
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.db import db, transaction
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.postings.models import LapseNotice, LapseStage
from marketplace.postings.queries import list_member_ids

SOON = timedelta(days=7)
# What lapsed longer ago, such as before there were letters, is left in peace.
RECENT = timedelta(days=30)
MOST_AT_ONCE = 100


def _nothing_follows(_posting: Any) -> None:
    """For kinds whose lapse changes nothing but what the clock says."""


@dataclass(frozen=True, slots=True)
class Lapsing:
    """`entity` has `expires_at`, `status` and `organisation`; `path(posting)` is its page."""

    kind: str
    label: str
    entity: Any
    published: Any
    path: Callable[[Any], str]
    follow: Callable[[Any], None] = _nothing_follows


_kinds: dict[str, Lapsing] = {}


def register(lapsing: Lapsing) -> None:
    _kinds[lapsing.kind] = lapsing


def sweep() -> None:
    """Tell of every lapse that is near or has come and was not told of; a job for the supervisor."""
    now = clock.now()
    for lapsing in _kinds.values():
        for stage in LapseStage:
            tell(lapsing, stage, now=now)


def tell(lapsing: Lapsing, stage: LapseStage, *, now: datetime) -> int:
    """The letters of one kind and stage; how many postings they were about."""
    if not db.session.scalars(_untold(lapsing, stage, now=now).limit(1)).first():
        return 0
    with transaction():
        due = list(db.session.scalars(_untold(lapsing, stage, now=now).limit(MOST_AT_ONCE).with_for_update()))
        for posting in due:
            db.session.add(
                LapseNotice(
                    kind=lapsing.kind,
                    posting_id=posting.id,
                    expires_at=posting.expires_at,
                    stage=stage,
                    sent_at=now,
                )
            )
            _write(lapsing, stage, posting, now=now)
            if stage is LapseStage.OVER:
                lapsing.follow(posting)
    return len(due)


def _untold(lapsing: Lapsing, stage: LapseStage, *, now: datetime) -> Any:
    entity = lapsing.entity
    told = (
        select(LapseNotice.id)
        .where(
            LapseNotice.kind == lapsing.kind,
            LapseNotice.posting_id == entity.id,
            LapseNotice.expires_at == entity.expires_at,
            LapseNotice.stage == stage,
        )
        .exists()
    )
    after, until = (now, now + SOON) if stage is LapseStage.SOON else (now - RECENT, now)
    return (
        select(entity)
        .where(
            entity.status == lapsing.published, entity.expires_at > after, entity.expires_at <= until, ~told
        )
        .order_by(entity.id)
    )


def _write(lapsing: Lapsing, stage: LapseStage, posting: Any, *, now: datetime) -> None:
    day = last_business_day(posting.expires_at).isoformat()
    soon = stage is LapseStage.SOON
    send_letter(
        list_member_ids(posting.organisation_id),
        f"{lapsing.kind}.lapse_{stage.value}",
        subject=told(
            N_("%(kind)s即将到期：%(title)s") if soon else N_("%(kind)s已到期：%(title)s"),
            kind=told(lapsing.label),
            title=posting.title,
        ),
        body=told(
            N_("%(number)s 的有效期至 %(day)s。到期后不再参与匹配；打开页面按“续期”即可延长。")
            if soon
            else N_("%(number)s 已于 %(day)s 到期，不再参与匹配。打开页面按“续期”即可恢复。"),
            number=posting.public_no,
            day=day,
        ),
        link=lapsing.path(posting),
        at=now,
    )
