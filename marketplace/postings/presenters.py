"""How postings are shown, whichever kind they are: status, deadline, source."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.kernel.dates import days_left, last_business_day
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.texts import N_
from marketplace.postings.models import Posting

_KINDS = {
    "draft": "wait",
    "submitted": "wait",
    "returned": "bad",
    "published": "open",
    "withdrawn": "bad",
    "taken_down": "bad",
    "collected": "info",
}


# What led to a revision, in words.
REVISION_ACTS = {
    "create": N_("新建"),
    "edit": N_("修改"),
    "submit": N_("提交审核"),
    "approve": N_("审核通过并发布"),
    "publish": N_("发布"),
    "revise": N_("修订"),
    "renew": N_("续期"),
    "extend": N_("延长揭榜期"),
    "close_early": N_("提前截止"),
    "appeal": N_("申请恢复"),
    "restore": N_("恢复发布"),
}


@dataclass(frozen=True, slots=True)
class StatusTag:
    """`label` is a gettext source; `kind` is that of `ui.tag`."""

    label: str
    kind: str


def status_tag(
    lifecycle: Lifecycle, status: str, *, closed: bool = False, closed_label: str = ""
) -> StatusTag:
    """The status as people read it; what the clock has closed is told apart from what is open."""
    if closed and status == "published":
        return StatusTag(closed_label or N_("已截止"), "")
    return StatusTag(lifecycle.label(status), _KINDS.get(status, ""))


@dataclass(frozen=True, slots=True)
class Countdown:
    """What is left until a deadline: Shanghai days until its last day; whole days and hours of real time."""

    last_day: date
    days_left: int
    days: int
    hours: int
    closed: bool


def countdown(deadline: datetime | None, *, now: datetime) -> Countdown | None:
    if deadline is None:
        return None
    left = max(deadline - now, timedelta(0))
    return Countdown(
        last_day=last_business_day(deadline),
        days_left=days_left(deadline, now=now),
        days=left.days,
        hours=left.seconds // 3600,
        closed=deadline <= now,
    )


@dataclass(frozen=True, slots=True)
class SourceNote:
    """Where a collected posting comes from."""

    id: str
    title: str
    url: str
    title_only: bool


def source_note(posting: Posting) -> SourceNote | None:
    if posting.source_id is None:
        return None
    # An import is somebody else's text: only an address that a browser may safely follow becomes a link.
    url = posting.source_url if posting.source_url.startswith(("https://", "http://")) else ""
    return SourceNote(posting.source_id, posting.source_title, url, posting.title_only)
