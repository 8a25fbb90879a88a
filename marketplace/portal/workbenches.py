"""What the workbench shows to whom: figures, to-dos, recommendations and deadlines, each with where it leads.

Not here: the questions to the database (`work`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext

from marketplace.audit import queries as audit
from marketplace.capabilities import queries as capabilities
from marketplace.capabilities import rules as capability_rules
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.services import draft_of
from marketplace.challenges.lifecycle import LIFECYCLE as CHALLENGE
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date, days_left, last_business_day
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.filters import listed, show_date, show_datetime
from marketplace.kernel.texts import N_
from marketplace.kernel.todos import Todo
from marketplace.kernel.todos import list_todos as registered_todos
from marketplace.needs.lifecycle import NeedStatus
from marketplace.organisations.lifecycle import LIFECYCLE as ORGANISATION
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import DesignationKind, Organisation
from marketplace.organisations.presenters import designation_name
from marketplace.oversight.presenters import event_line
from marketplace.portal import work
from marketplace.postings.presenters import StatusTag, status_tag

# Label, number, unit, how it is counted, where it leads: what `ui.kpis` takes.
Kpi = tuple[str, object, str, str, str | None]

GAPS_SHOWN = 4
CAPABILITIES_JUDGED = 50
TRAIL_SHOWN = 8
DEADLINE_KINDS = {
    "challenge": N_("榜单揭榜截止"),
    "need": N_("需求有效期届满"),
    "certificate": N_("证书到期"),
    "designation": N_("资质称号到期"),
}


@dataclass(frozen=True, slots=True)
class DeadlineLine:
    title: str
    on: date
    days: int
    what: str
    url: str


@dataclass(frozen=True, slots=True)
class ChallengeLine:
    """An own challenge; `waiting` says that its shortlist is still being made."""

    title: str
    url: str
    tag: StatusTag
    closes_at: datetime | None
    ranked_at: datetime | None
    waiting: bool
    shortlisted: int
    best_score: float | None
    shortlist_url: str


@dataclass(frozen=True, slots=True)
class RecommendedLine:
    title: str
    url: str
    reasons_url: str
    organisation: str
    score: float
    why: str
    summary: str
    days: int | None
    last_day: date | None
    budget_fen: int | None = None
    quantity: str = ""
    delivery_on: date | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    title: str
    url: str
    fix: Obstacle


@dataclass(frozen=True, slots=True)
class ProfileCompleteness:
    """How complete the published capabilities are on average, and what to add first."""

    percent: int
    gaps: list[Gap]


# --- the workbench of an organisation's member ------------------------------------------------------------


def member_workbench(actor: Actor, *, now: datetime) -> dict[str, Any]:
    """Leader firms, SMEs and institutes alike: what shows depends on what they may do and have."""
    organisation_id = actor.organisation_id
    if organisation_id is None:
        raise ValueError("an actor without an organisation has no member's workbench")
    organisation = work.get_organisation(organisation_id)
    counts = work.get_own_counts(organisation_id)
    fitting_challenges, fitting_needs = work.count_recommended(organisation_id, now=now)
    todos = [*registered_todos(actor, now), *_todos(actor, organisation, counts)]
    kpis: list[Kpi] = [
        (gettext("待办"), len(todos), gettext("项"), "", None),
        (
            gettext("与我匹配的榜单"),
            fitting_challenges,
            gettext("项"),
            gettext("在榜且得分 %(least)d 以上", least=work.RECOMMENDED_FROM),
            url_for("matching.fits"),
        ),
        (
            gettext("与我匹配的需求"),
            fitting_needs,
            gettext("条"),
            gettext("有效且得分 %(least)d 以上", least=work.RECOMMENDED_FROM),
            url_for("matching.fits", kind="needs"),
        ),
        (
            gettext("能力成果"),
            counts.capabilities.get(CapabilityStatus.PUBLISHED, 0),
            gettext("项"),
            gettext("草稿 %(count)s 项", count=counts.capabilities.get(CapabilityStatus.DRAFT, 0)),
            url_for("capabilities.own"),
        ),
        (
            gettext("供需清单"),
            counts.needs.get(NeedStatus.PUBLISHED, 0),
            gettext("条"),
            gettext("草稿 %(count)s 条", count=counts.needs.get(NeedStatus.DRAFT, 0)),
            url_for("needs.own"),
        ),
    ]
    if actor.may_post_challenges:
        published = counts.challenges.get(ChallengeStatus.PUBLISHED, 0)
        submitted = counts.challenges.get(ChallengeStatus.SUBMITTED, 0)
        kpis.insert(
            1,
            (
                gettext("我的榜单"),
                published,
                gettext("项"),
                gettext("待审核 %(count)s 项", count=submitted),
                url_for("challenges.own"),
            ),
        )
    return {
        "organisation": organisation,
        "standing": gettext(ORGANISATION.label(organisation.status)),
        "kpis": kpis,
        "todos": todos,
        "own_challenges": _own_challenges(organisation_id, now),
        "recommended_challenges": _recommended_challenges(organisation_id, now),
        "recommended_needs": _recommended_needs(organisation_id, now),
        "deadlines": _deadlines(organisation_id, now),
        "completeness": _completeness(actor),
        "facts": _facts(organisation),
        "links": _member_links(),
    }


def _member_links() -> dict[str, str]:
    return {
        "new_challenge": url_for("challenges.new"),
        "new_need": url_for("needs.new_list"),
        "new_capability": url_for("capabilities.new"),
        "own_challenges": url_for("challenges.own"),
        "fitting_challenges": url_for("matching.fits"),
        "fitting_needs": url_for("matching.fits", kind="needs"),
        "organisation": url_for("own_organisation.own"),
    }


def _todos(actor: Actor, organisation: Organisation, counts: work.OwnCounts) -> Iterator[Todo]:
    profile = url_for("own_organisation.edit")
    if organisation.status is OrganisationStatus.RETURNED and actor.is_manager:
        yield Todo(
            None, gettext("按退回意见补正单位信息"), organisation.status_reason, profile, gettext("去补正")
        )
    if organisation.status is OrganisationStatus.DRAFT and actor.is_manager:
        text = gettext("核验通过后才能发布榜单、需求和能力")
        yield Todo(None, gettext("完善单位信息并提交核验"), text, profile, gettext("去填写"))
    if actor.is_manager and (requests := work.count_join_requests(organisation.id)):
        title = gettext("处理 %(count)s 份加入申请", count=requests)
        yield Todo(
            None,
            title,
            gettext("同意后须设定对方的角色"),
            url_for("own_organisation.own"),
            gettext("去处理"),
        )
    if not actor.is_editor:
        return
    for challenge in work.list_unfinished_challenges(organisation.id):
        returned = challenge.status is ChallengeStatus.RETURNED
        title = challenge.title or challenge.public_no
        yield Todo(
            None,
            gettext("按退回意见修改：%(title)s", title=title)
            if returned
            else gettext("继续填写榜单：%(title)s", title=title),
            challenge.status_reason if returned else "",
            url_for("challenges.edit", public_no=challenge.public_no, step="basics"),
            gettext("去修改") if returned else gettext("继续填写"),
        )
    drafts = counts.needs.get(NeedStatus.DRAFT, 0)
    if drafts:
        title = gettext("发布 %(count)s 条需求草稿", count=drafts)
        yield Todo(None, title, gettext("发布后系统开始推荐供方"), url_for("needs.own"), gettext("去发布"))
    drafts = counts.capabilities.get(CapabilityStatus.DRAFT, 0)
    if drafts:
        title = gettext("发布 %(count)s 项能力草稿", count=drafts)
        yield Todo(
            None,
            title,
            gettext("发布后参与全部在榜榜单的匹配"),
            url_for("capabilities.own"),
            gettext("去发布"),
        )
    if not counts.capabilities and not actor.may_post_challenges:
        yield Todo(
            None,
            gettext("登记第一项能力成果"),
            gettext("写明可量化的参数，系统才能逐项比对"),
            url_for("capabilities.new"),
            gettext("去登记"),
        )


def _own_challenges(organisation_id: int, now: datetime) -> list[ChallengeLine]:
    return [
        ChallengeLine(
            title=own.challenge.title or own.challenge.public_no,
            url=url_for("challenges.show", public_no=own.challenge.public_no),
            tag=status_tag(
                CHALLENGE,
                own.challenge.status,
                closed=own.challenge.closes_at is not None and own.challenge.closes_at <= now,
            ),
            closes_at=own.challenge.closes_at,
            ranked_at=own.ranked_at,
            waiting=own.ranked_at is None and own.challenge.status is ChallengeStatus.PUBLISHED,
            shortlisted=own.shortlisted,
            best_score=own.best_score,
            shortlist_url=url_for("matching.shortlist", kind="challenges", public_no=own.challenge.public_no),
        )
        for own in work.list_own_challenges(organisation_id)
    ]


def _recommended_challenges(organisation_id: int, now: datetime) -> list[RecommendedLine]:
    return [
        RecommendedLine(
            title=line.posting.title,
            url=url_for("challenges.show", public_no=line.posting.public_no),
            reasons_url=url_for("matching.shortlist", kind="challenges", public_no=line.posting.public_no),
            organisation=line.posting.organisation.name,
            score=line.entry.score,
            why=_by_capability(line),
            summary=_in_short(line.entry.reasons),
            days=days_left(line.posting.closes_at, now=now),
            last_day=last_business_day(line.posting.closes_at),
            budget_fen=line.posting.budget_fen,
        )
        for line in work.list_recommended_challenges(organisation_id, now=now)
    ]


def _recommended_needs(organisation_id: int, now: datetime) -> list[RecommendedLine]:
    lines = []
    for line in work.list_recommended_needs(organisation_id, now=now):
        need = line.posting
        quantity = "" if need.quantity is None else f"{need.quantity.normalize():,f} {need.unit}".strip()
        lines.append(
            RecommendedLine(
                title=need.title,
                url=url_for("needs.show", public_no=need.public_no),
                reasons_url=url_for("matching.shortlist", kind="needs", public_no=need.public_no),
                organisation=need.organisation.name,
                score=line.entry.score,
                why=_by_capability(line),
                summary=_in_short(line.entry.reasons),
                days=None if need.expires_at is None else days_left(need.expires_at, now=now),
                last_day=None if need.expires_at is None else last_business_day(need.expires_at),
                quantity=quantity,
                delivery_on=need.delivery_on,
            )
        )
    return lines


def _by_capability(line: work.Recommended) -> str:
    return str(gettext("凭“%(title)s”", title=line.capability_title))


def _in_short(reasons: dict[str, Any]) -> str:
    """How many indicators are met and which must-haves are not, in one line."""
    rows = reasons.get("indicators") or []
    if not rows:
        return ""
    met = sum(row.get("verdict") == "met" for row in rows)
    open_musts = [
        row.get("name", "") for row in rows if row.get("mark") == "must" and row.get("verdict") != "met"
    ]
    text = str(gettext("指标满足 %(met)s / %(total)s", met=met, total=len(rows)))
    if open_musts:
        text += str(gettext("；★ 尚缺 %(names)s", names=listed(open_musts[:2])))
    return text


def _deadlines(organisation_id: int, now: datetime) -> list[DeadlineLine]:
    today = business_date(now)
    lines = []
    for deadline in work.list_deadlines(organisation_id, now=now):
        on = last_business_day(deadline.on) if isinstance(deadline.on, datetime) else deadline.on
        title = deadline.title
        if deadline.kind == "designation":
            title = designation_name(DesignationKind(deadline.title))
        lines.append(
            DeadlineLine(title, on, (on - today).days, DEADLINE_KINDS[deadline.kind], _deadline_url(deadline))
        )
    return lines


def _deadline_url(deadline: work.Deadline) -> str:
    endpoints = {
        "challenge": "challenges.show",
        "need": "needs.show",
        "certificate": "capabilities.show",
    }
    endpoint = endpoints.get(deadline.kind)
    return url_for(endpoint, public_no=deadline.public_no) if endpoint else ""


def _completeness(actor: Actor) -> ProfileCompleteness | None:
    published = capabilities.list_own_published(actor, limit=CAPABILITIES_JUDGED)
    if not published:
        return None
    judged = [(capability, capability_rules.completeness(draft_of(capability))) for capability in published]
    judged.sort(key=lambda pair: (pair[1].score, pair[0].id))
    gaps = [
        Gap(capability.title, url_for("capabilities.edit", public_no=capability.public_no), score.missing[0])
        for capability, score in judged
        if score.missing
    ]
    percent = round(sum(score.score for _, score in judged) / len(judged))
    return ProfileCompleteness(percent, gaps[:GAPS_SHOWN])


def _facts(organisation: Organisation) -> list[tuple[str, str]]:
    titles = [
        designation_name(designation.kind)
        for designation in organisation.designations
        if designation.confirmed_at is not None
    ]
    return [
        (gettext("核验状态"), gettext(ORGANISATION.label(organisation.status))),
        (gettext("信用代码"), organisation.uscc or ""),
        (gettext("资质称号"), listed(titles)),
    ]


# --- the workbench of the platform's people ---------------------------------------------------------------


def platform_workbench(actor: Actor, *, now: datetime) -> dict[str, Any]:
    """Operator, auditor, maintainer: the operator's queues; the trail for the auditor; the work for all."""
    state = work.get_platform_work(now)
    links = {"monitor": url_for("matching.monitor")}
    kpis: list[Kpi] = [
        (gettext("匹配运行"), state.runs, gettext("次"), gettext("累计"), links["monitor"]),
        (gettext("近 7 日运行"), state.recent_runs, gettext("次"), show_date(state.last_run_at), None),
        (gettext("待处理作业"), state.queue.open, gettext("项"), gettext("已到时间尚未完成"), None),
        (gettext("失败作业"), state.queue.dead, gettext("项"), gettext("重试次数用尽"), links["monitor"]),
    ]
    submitted = pending = None
    row_links: dict[int, str] = {}
    organisation_links: dict[int, str] = {}
    if actor.is_operator:
        submitted, pending = work.list_submitted_challenges(), work.list_pending_organisations()
        links |= {"review": url_for("challenges.review_queue"), "verification": url_for("verification.queue")}
        row_links = {c.id: url_for("challenges.review", public_no=c.public_no) for c in submitted}
        organisation_links = {o.id: url_for("verification.review", organisation_id=o.id) for o in pending}
        kpis = [
            (
                gettext("待审核榜单"),
                state.submitted,
                gettext("项"),
                _since(state.oldest_submitted_at),
                links["review"],
            ),
            (
                gettext("待核验单位"),
                state.pending,
                gettext("家"),
                _since(state.oldest_pending_at),
                links["verification"],
            ),
            *kpis,
        ]
    return {
        "now": now,
        "kpis": kpis,
        "alarms": list(_alarms(state)),
        "submitted": submitted,
        "pending": pending,
        "links": links,
        "row_links": row_links,
        "organisation_links": organisation_links,
        "queue_facts": [
            (gettext("待处理"), state.queue.open),
            (gettext("处理中"), state.queue.running),
            (gettext("失败"), state.queue.dead),
            (gettext("最早到期"), show_datetime(state.queue.oldest_due_at) or "—"),
            (gettext("最近匹配"), show_datetime(state.last_run_at) or "—"),
        ],
        "trail": [event_line(event) for event in audit.page_events(page=1, per_page=TRAIL_SHOWN).items]
        if actor.is_auditor
        else None,
    }


def _since(moment: datetime | None) -> str:
    if moment is None:
        return str(gettext("没有等待的"))
    return str(gettext("最早 %(day)s 提交", day=show_date(moment)))


def _alarms(state: work.PlatformWork) -> Iterator[tuple[str, str]]:
    if state.queue.dead:
        yield (
            gettext("%(count)s 项后台作业重试用尽，须人工处理", count=state.queue.dead),
            url_for("matching.monitor"),
        )
