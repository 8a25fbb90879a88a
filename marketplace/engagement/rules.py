"""What keeps an approach from being sent, answered or passed over. Plain Python: facts in, obstacles out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from marketplace.engagement.kinds import ContactSource, Reason
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in

LONGEST_MESSAGE = 1000
SHORTEST_MESSAGE = 10
LONGEST_REASON = 500
LONGEST_NOTE = 1000
MOST_NOTES = 50
LONGEST_WAIT_DAYS = 60
#: One reminder, this long before the last day.
REMINDED_BEFORE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many may be sent, and how long an answer may take unless somebody chooses otherwise."""

    per_posting: int
    per_day: int
    interests_per_day: int
    answer_days: int


@dataclass(frozen=True, slots=True)
class Sent:
    """How many an organisation has sent: about one posting ever, and today."""

    about_posting: int
    today: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What the sender writes."""

    message: str
    contact: ContactSource | None
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A supplier as somebody to be invited. `standing` is the status of its organisation."""

    name: str
    standing: str
    has_people: bool
    is_own: bool
    is_offered: bool
    has_agreed: bool


def why_not_invited(candidate: Candidate) -> Obstacle | None:
    """Why nobody can be asked there; None where somebody can."""
    name = {"name": candidate.name}
    if candidate.is_own:
        return Obstacle("capability", N_("“%(name)s”是本单位，不需要邀请"), name)
    if candidate.standing == "unclaimed":
        return Obstacle("capability", N_("“%(name)s”由公开资料收录、尚未入驻认领，没有人能收到邀请"), name)
    if candidate.standing == "suspended":
        return Obstacle("capability", N_("“%(name)s”已被暂停资格，不能邀请"), name)
    if candidate.standing != "verified":
        return Obstacle("capability", N_("“%(name)s”尚未通过核验，不能邀请"), name)
    if not candidate.has_people:
        return Obstacle("capability", N_("“%(name)s”没有可以办理的人员，不能邀请"), name)
    if not candidate.is_offered:
        return Obstacle("capability", N_("“%(name)s”的这项能力已撤回或下架"), name)
    if candidate.has_agreed:
        return Obstacle("capability", N_("与“%(name)s”已经对接，联系方式已互相开放"), name)
    return None


def draft_gaps(draft: Draft, *, today: date, last_day: date | None) -> Iterator[Obstacle]:
    """What the written part lacks. `last_day` is the last day of the posting, where it has one."""
    message = draft.message.strip()
    yield from obstacles_in(
        draft.message, field="message", label=N_("留言"), limit=LONGEST_MESSAGE, multiline=True
    )
    if len(message) < SHORTEST_MESSAGE:
        yield Obstacle(
            "message",
            N_("留言至少 %(least)s 个字，写明希望对方做什么，现有 %(count)s 个"),
            {"least": SHORTEST_MESSAGE, "count": len(message)},
        )
    if draft.contact is None:
        yield Obstacle("contact", N_("请选择对方同意后向其开放的联系方式"))
    if draft.expires_on is None:
        yield Obstacle("expires_on", N_("请填写答复期限"))
        return
    latest = today + timedelta(days=LONGEST_WAIT_DAYS)
    if last_day is not None and last_day < latest:
        latest = last_day
    if not today < draft.expires_on <= latest and not (draft.expires_on == today == latest):
        yield Obstacle(
            "expires_on",
            N_("答复期限须在 %(first)s 与 %(last)s 之间"),
            {"first": min(today + timedelta(days=1), latest).isoformat(), "last": latest.isoformat()},
        )


def invitation_limits(wanted: int, sent: Sent, limits: Limits) -> Iterator[Obstacle]:
    if wanted == 0:
        yield Obstacle("capability", N_("请至少选择一家要邀请的单位"))
    if sent.about_posting + wanted > limits.per_posting:
        yield Obstacle(
            "capability",
            N_("每项最多邀请 %(limit)s 家，已邀请 %(sent)s 家，本次选了 %(wanted)s 家"),
            {"limit": limits.per_posting, "sent": sent.about_posting, "wanted": wanted},
        )
    if sent.today + wanted > limits.per_day:
        yield Obstacle(
            "capability",
            N_("本单位每天最多发出 %(limit)s 份邀请，今天已发 %(sent)s 份，本次选了 %(wanted)s 家"),
            {"limit": limits.per_day, "sent": sent.today, "wanted": wanted},
        )


def interest_limits(sent: Sent, limits: Limits) -> Iterator[Obstacle]:
    if sent.today >= limits.interests_per_day:
        yield Obstacle(
            "message",
            N_("本单位每天最多发出 %(limit)s 份意向，今天已发 %(sent)s 份，请明天再发"),
            {"limit": limits.interests_per_day, "sent": sent.today},
        )


def reason_gaps(code: str, text: str, known: Mapping[Reason, Any]) -> Iterator[Obstacle]:
    """A reason comes from the list; what is not in it has to be said."""
    if code not in set(known):
        yield Obstacle("reason_code", N_("请选择理由"))
    elif code == Reason.OTHER and not text.strip():
        yield Obstacle("reason", N_("选择“其他”时请写明理由"))
    yield from obstacles_in(text, field="reason", label=N_("补充说明"), limit=LONGEST_REASON, multiline=True)


def note_gaps(text: str) -> Iterator[Obstacle]:
    if not text.strip():
        yield Obstacle("text", N_("请填写备注内容"))
    yield from obstacles_in(text, field="text", label=N_("备注"), limit=LONGEST_NOTE, multiline=True)
