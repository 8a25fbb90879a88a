"""How a challenge is shown: status, steps, facts, and what its owner may do next."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext

from marketplace.challenges.kinds import ACTIVITY_LABELS, BOARD_LABELS, IP_LABELS, PUBLICITY_LABELS
from marketplace.challenges.lifecycle import LIFECYCLE, ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.challenges.rules import LONGEST_CALL_DAYS, ChallengeDraft, Quality, earliest_close, quality
from marketplace.challenges.services import call_of, draft_of, is_prepared_for
from marketplace.indicators.model import Indicator, Mark
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date, last_business_day
from marketplace.kernel.filters import listed
from marketplace.kernel.lifecycle import StepState, Transition
from marketplace.kernel.money import in_wan
from marketplace.kernel.texts import N_
from marketplace.postings.forms import indicators_text
from marketplace.postings.presenters import (
    Countdown,
    SourceNote,
    StatusTag,
    countdown,
    source_note,
    status_tag,
)
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

S = ChallengeStatus


@dataclass(frozen=True, slots=True)
class DatedStep:
    label: str
    state: StepState
    date: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One challenge in a list."""

    challenge: Challenge
    tag: StatusTag
    left: Countdown | None
    cluster_names: list[str]
    trl: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything the detail page says about one challenge beside its own text."""

    challenge: Challenge
    tag: StatusTag
    steps: list[DatedStep]
    facts: list[tuple[str, str]]
    left: Countdown | None
    source: SourceNote | None
    indicators: list[Indicator]
    is_public: bool
    is_open: bool
    moves: list[Transition]

    @property
    def marks(self) -> dict[str, int]:
        return {mark.value: sum(i.mark is mark for i in self.indicators) for mark in Mark}

    @property
    def weight(self) -> int:
        return sum(i.weight for i in self.indicators)


def is_closed(challenge: Challenge, *, now: datetime) -> bool:
    return challenge.closes_at is not None and challenge.closes_at <= now


def tag_of(challenge: Challenge, *, now: datetime) -> StatusTag:
    return status_tag(LIFECYCLE, challenge.status, closed=is_closed(challenge, now=now))


def card(challenge: Challenge, *, now: datetime) -> Card:
    return Card(
        challenge,
        tag_of(challenge, now=now),
        countdown(challenge.closes_at, now=now) if challenge.status is S.PUBLISHED else None,
        taxonomy.cluster_names(cluster.code for cluster in challenge.clusters),
        _trl_text(challenge),
    )


def show(challenge: Challenge, *, viewer: Actor, now: datetime) -> Shown:
    parties = viewer.parties(challenge.organisation_id)
    closed = is_closed(challenge, now=now)
    return Shown(
        challenge=challenge,
        tag=tag_of(challenge, now=now),
        steps=_steps(challenge, now=now),
        facts=_facts(challenge),
        left=countdown(challenge.closes_at, now=now),
        source=source_note(challenge),
        indicators=[row.as_indicator() for row in challenge.indicators],
        is_public=challenge.status in (S.PUBLISHED, S.WITHDRAWN, S.COLLECTED),
        is_open=challenge.status is S.PUBLISHED and not closed,
        moves=LIFECYCLE.open_to(challenge.status, parties),
    )


def quality_of(challenge: Challenge, *, now: datetime) -> Quality:
    return quality(draft_of(challenge), now=now)


def _steps(challenge: Challenge, *, now: datetime) -> list[DatedStep]:
    """The 步骤条: the lifecycle's path with its dates, and the deadline, which is the clock's."""
    dates = {
        S.DRAFT: _day(challenge.created_at),
        S.SUBMITTED: _day(challenge.submitted_at),
        S.PUBLISHED: _day(challenge.published_at),
    }
    steps = [
        DatedStep(step.label, step.state, dates[S(status)] if step.state is not StepState.TODO else "")
        for status, step in zip(LIFECYCLE.path, LIFECYCLE.steps(challenge.status), strict=False)
    ]
    if not steps:
        return []
    last = last_business_day(challenge.closes_at) if challenge.closes_at else None
    if challenge.status is S.PUBLISHED and is_closed(challenge, now=now):
        steps[-1] = DatedStep(steps[-1].label, StepState.DONE, steps[-1].date)
        return [*steps, DatedStep(N_("揭榜截止"), StepState.CURRENT, _short(last))]
    return [*steps, DatedStep(N_("揭榜截止"), StepState.TODO, _short(last))]


def _day(moment: datetime | None) -> str:
    return business_date(moment).isoformat() if moment else ""


def _short(day: date | None) -> str:
    return day.isoformat() if day else ""


def _trl_text(challenge: Challenge) -> str:
    if challenge.trl_current and challenge.trl_target:
        return f"TRL {challenge.trl_current} → {challenge.trl_target}"
    level = challenge.trl_target or challenge.trl_current
    return f"TRL {level}" if level else ""


def _facts(challenge: Challenge) -> list[tuple[str, str]]:
    """Pairs for `ui.kv`, which leaves out those without a value. Only what the owner stated is said."""
    own = challenge.status is not S.COLLECTED
    months = challenge.duration_months
    return [
        (gettext("产业集群"), listed(taxonomy.cluster_names(c.code for c in challenge.clusters))),
        (
            gettext("产业链环节"),
            listed(taxonomy.chain_link_names(link.code for link in challenge.chain_links)),
        ),
        (gettext("行业"), _industry(challenge.industry)),
        (gettext("地区"), taxonomy.region_name(challenge.region)),
        (gettext("技术成熟度"), _trl_text(challenge)),
        (gettext("科技活动"), gettext(ACTIVITY_LABELS[challenge.activity]) if challenge.activity else ""),
        (gettext("攻关周期"), gettext("%(months)s 个月", months=months) if months else ""),
        (gettext("合作方式"), listed(taxonomy.cooperation_name(code) for code in challenge.cooperation)),
        (gettext("知识产权"), gettext(IP_LABELS[challenge.ip_terms]) if challenge.ip_terms else ""),
        (gettext("拟取家数"), gettext("%(n)s 家", n=challenge.takers_wanted) if own else ""),
        (gettext("公开程度"), gettext(PUBLICITY_LABELS[challenge.publicity]) if own else ""),
        (gettext("关键词"), listed(challenge.keywords)),
    ]


def _industry(code: str | None) -> str:
    return f"{code} {taxonomy.name_of(Scheme.INDUSTRY, code)}" if code else ""


def board_label(challenge: Challenge) -> str:
    return str(gettext(BOARD_LABELS[challenge.board]))


def revision_rows(draft: ChallengeDraft) -> list[tuple[str, str]]:
    """Every public field in words, as two versions are compared by."""
    yes, no = gettext("是"), gettext("否")
    budget = gettext("面议") if draft.negotiable else in_wan(draft.budget_fen) if draft.budget_fen else ""
    months = draft.duration_months
    return [
        (gettext("榜单题目"), draft.title),
        (gettext("榜单类型"), gettext(BOARD_LABELS[draft.board])),
        (gettext("科技活动类型"), gettext(ACTIVITY_LABELS[draft.activity]) if draft.activity else ""),
        (gettext("所属产业集群"), listed(taxonomy.cluster_names(draft.clusters))),
        (gettext("产业链环节"), listed(taxonomy.chain_link_names(draft.chain_links))),
        (gettext("国民经济行业"), _industry(draft.industry)),
        (gettext("实施地区"), taxonomy.region_name(draft.region)),
        (gettext("关键词"), listed(draft.keywords)),
        (gettext("背景"), draft.background),
        (gettext("主要难点"), draft.problem),
        (gettext("已有基础"), draft.existing_basis),
        (gettext("预期效益"), draft.effect_goals),
        (gettext("现有技术成熟度"), str(draft.trl_current or "")),
        (gettext("目标技术成熟度"), str(draft.trl_target or "")),
        (gettext("考核指标"), indicators_text(draft.indicators)),
        (gettext("榜额（万元）"), budget),
        (gettext("揭榜截止日期"), _short(draft.closes_on)),
        (gettext("攻关周期"), gettext("%(months)s 个月", months=months) if months else ""),
        (gettext("拟取家数"), str(draft.takers_wanted)),
        (gettext("仅限中小企业"), yes if draft.sme_only else no),
        (gettext("可组联合体揭榜"), yes if draft.consortium_allowed else no),
        (gettext("联合体成员上限"), str(draft.max_members)),
        (gettext("对揭榜方的要求"), draft.requirements),
        (gettext("合作方式"), listed(taxonomy.cooperation_name(code) for code in draft.cooperation)),
        (gettext("成果知识产权归属"), gettext(IP_LABELS[draft.ip_terms]) if draft.ip_terms else ""),
        (gettext("知识产权约定说明"), draft.ip_note),
        (gettext("验收方式"), draft.acceptance),
        (gettext("公开程度"), gettext(PUBLICITY_LABELS[draft.publicity])),
        (gettext("联系人"), draft.contact_name),
    ]


@dataclass(frozen=True, slots=True)
class CallDays:
    """The days between which a call may be moved; None where it may not."""

    closes_on: date
    latest: date | None
    earliest: date | None
    preparing: bool


def call(challenge: Challenge, *, now: datetime) -> CallDays | None:
    """The limits of moving the closing day, so that the form says them before they are met."""
    if challenge.closes_at is None or challenge.published_at is None:
        return None
    facts = call_of(challenge, now=now)
    preparing = is_prepared_for(challenge)
    latest = facts.published_on + timedelta(days=LONGEST_CALL_DAYS)
    earliest = earliest_close(facts, preparing=preparing)
    is_open = facts.today <= facts.closes_on
    return CallDays(
        closes_on=facts.closes_on,
        latest=latest if is_open and latest > facts.closes_on else None,
        earliest=earliest if is_open and earliest < facts.closes_on else None,
        preparing=preparing,
    )
