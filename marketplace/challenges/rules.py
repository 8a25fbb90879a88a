"""What a challenge must say before it may be submitted, and how good it is. Plain Python.

A draft may be unfinished; only limits hold for it. Submitting and publishing ask for everything that a
solver needs to judge the challenge and that a machine needs to match it. Each check has a weight; the
weights of all checks are the full score of 100.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.challenges.kinds import Activity, Board, IpTerms, Publicity
from marketplace.indicators.model import Indicator
from marketplace.kernel.dates import business_date
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.postings import rules as shared

SHORTEST_CALL_DAYS, LONGEST_CALL_DAYS = 7, 365
SHORTEST_TITLE, LONGEST_TITLE = 8, 100
SHORTEST_PROBLEM, SHORTEST_TEXT, TELLING_TEXT = 40, 120, 300
SHORTEST_ACCEPTANCE = 10
LONGEST_TEXT = 4000
LONGEST_ANNEX = 20_000
MOST_BUDGET_FEN = 10**13
MOST_EXTENSIONS = 3
# Days of notice before a call may end early: more where somebody is known to prepare an answer.
NOTICE_DAYS, NOTICE_DAYS_FOR_PREPARING = 3, 7


@dataclass(frozen=True, slots=True)
class ChallengeDraft:
    """The public part of a challenge as forms, the demonstration and rules speak of it."""

    title: str = ""
    board: Board = Board.ENTERPRISE
    activity: Activity | None = None
    industry: str | None = None
    region: str | None = None
    clusters: tuple[str, ...] = ()
    chain_links: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    background: str = ""
    problem: str = ""
    existing_basis: str = ""
    effect_goals: str = ""
    trl_current: int | None = None
    trl_target: int | None = None
    indicators: tuple[Indicator, ...] = ()
    requirements: str = ""
    acceptance: str = ""
    cooperation: tuple[str, ...] = ()
    budget_fen: int | None = None
    negotiable: bool = False
    duration_months: int | None = None
    closes_on: date | None = None  # the last Shanghai day on which it may be taken up
    ip_terms: IpTerms | None = None
    ip_note: str = ""
    sme_only: bool = False
    consortium_allowed: bool = True
    max_members: int = 4
    takers_wanted: int = 1
    publicity: Publicity = Publicity.PUBLIC
    contact_name: str = ""
    contact_phone: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """The days of a call that is open; all are Shanghai days, the last one still counts."""

    today: date
    published_on: date
    closes_on: date


@dataclass(frozen=True, slots=True)
class Check:
    """One named part of the quality score. `share` is how much of its weight is earned, from 0 to 1."""

    name: str
    weight: int
    share: float
    fixes: tuple[Obstacle, ...]
    required: bool

    @property
    def met(self) -> bool:
        return self.share >= 1


@dataclass(frozen=True, slots=True)
class Quality:
    checks: tuple[Check, ...]

    @property
    def score(self) -> int:
        """Out of 100; rounded down, so that only a challenge without a gap has all of it."""
        return int(sum(check.weight * check.share for check in self.checks) + 1e-9)

    @property
    def obstacles(self) -> list[Obstacle]:
        """What must be mended before submitting."""
        return [fix for check in self.checks if check.required for fix in check.fixes]

    @property
    def advice(self) -> list[Obstacle]:
        """What would make it better still."""
        return [fix for check in self.checks if not check.required for fix in check.fixes]


def limits(draft: ChallengeDraft) -> Iterator[Obstacle]:
    """What even a draft must keep to."""
    texts = {"title": (draft.title, LONGEST_TITLE), "contact_name": (draft.contact_name, 60)}
    for name in ("background", "problem", "existing_basis", "effect_goals", "requirements", "acceptance"):
        texts[name] = (getattr(draft, name), LONGEST_TEXT)
    texts["ip_note"] = (draft.ip_note, 1000)
    texts["contact_phone"] = (draft.contact_phone, 20)
    yield from shared.text_limits(texts)
    yield from shared.list_limits(draft.keywords, draft.clusters, draft.chain_links)
    yield from shared.indicator_limits(draft.indicators)
    if draft.budget_fen is not None and not 0 < draft.budget_fen <= MOST_BUDGET_FEN:
        yield Obstacle("budget_fen", N_("榜额应大于 0；金额未定请选“面议”"))
    if draft.budget_fen is not None and draft.negotiable:
        yield Obstacle("budget_fen", N_("已填榜额，请取消“面议”；或清空榜额"))
    if not 1 <= draft.takers_wanted <= 3:
        yield Obstacle("takers_wanted", N_("拟取家数为 1 至 3 家"))
    if not 0 <= draft.max_members <= 9:
        yield Obstacle("max_members", N_("联合体成员不超过 9 家"))
    if draft.duration_months is not None and not 1 <= draft.duration_months <= 60:
        yield Obstacle("duration_months", N_("攻关周期为 1 至 60 个月"))
    for name in ("trl_current", "trl_target"):
        level = getattr(draft, name)
        if level is not None and not 1 <= level <= 9:
            yield Obstacle(name, N_("技术成熟度为 1 至 9 级"))


def quality(draft: ChallengeDraft, *, now: datetime) -> Quality:
    """Every check with what is missing; in the order of the form's steps."""
    rows = draft.indicators
    return Quality(
        (
            _check(N_("题目能说明要解决什么"), 6, _title_gaps(draft)),
            _check(N_("所属产业集群"), 4, _cluster_gaps(draft)),
            _check(N_("正文足以匹配"), 10, _text_gaps(draft)),
            _check(N_("有可考核的指标"), 8, _indicator_gaps(draft)),
            _each(N_("指标有比较符和数值"), 9, shared.value_gaps(rows), rows),
            _each(N_("指标有单位"), 8, shared.unit_gaps(rows), rows),
            _each(N_("指标有试验方法"), 8, shared.method_gaps(rows), rows),
            _each(N_("指标有验证方"), 7, shared.verifier_gaps(rows), rows),
            _check(N_("指标权重合计 100%%"), 5, shared.weight_gaps(rows), unless=not rows),
            _check(N_("揭榜截止日期"), 5, _deadline_gaps(draft, now=now)),
            _check(N_("榜额或面议"), 5, _budget_gaps(draft)),
            _check(N_("知识产权归属"), 5, _ip_gaps(draft)),
            _check(N_("验收方式"), 5, _acceptance_gaps(draft)),
            _check(N_("正文详实"), 4, _telling_gaps(draft), required=False),
            _check(N_("关键词不少于 3 个"), 3, _keyword_gaps(draft), required=False),
            _check(N_("技术成熟度起止"), 3, _trl_gaps(draft), required=False),
            _each(N_("指标有试验条件"), 3, _condition_gaps(rows), rows, required=False),
            _check(N_("揭榜方要求"), 2, _requirement_gaps(draft), required=False),
        )
    )


def obstacles_to_submitting(draft: ChallengeDraft, *, now: datetime) -> Iterator[Obstacle]:
    """Everything that keeps a draft from being checked and published, so that all can be mended in one go."""
    yield from limits(draft)
    yield from quality(draft, now=now).obstacles


def _check(
    name: str,
    weight: int,
    gaps: Iterator[Obstacle],
    *,
    required: bool = True,
    unless: bool = False,
) -> Check:
    fixes = tuple(gaps)
    return Check(name, weight, 0.0 if fixes or unless else 1.0, fixes, required)


def _each(
    name: str,
    weight: int,
    gaps: Iterator[Obstacle],
    rows: Sequence[Indicator],
    *,
    required: bool = True,
) -> Check:
    """A check of every indicator earns by the share of those that pass; no indicators earn nothing."""
    fixes = tuple(gaps)
    share = (len(rows) - len({fix.field.rpartition(".")[0] for fix in fixes})) / len(rows) if rows else 0.0
    return Check(name, weight, share, fixes, required)


def _title_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if len(draft.title) < SHORTEST_TITLE:
        yield Obstacle(
            "title",
            N_("题目至少 %(limit)s 个字：写明对象和要突破的技术，如“某某部件的某某关键技术”"),
            {"limit": SHORTEST_TITLE},
        )


def _cluster_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if not draft.clusters:
        yield Obstacle("clusters", N_("至少选一个所属产业集群"))


def _text_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if len(draft.problem.strip()) < SHORTEST_PROBLEM:
        yield Obstacle(
            "problem",
            N_("主要难点至少 %(limit)s 个字：写明现状数值、要达到什么、难在哪里"),
            {"limit": SHORTEST_PROBLEM},
        )
    elif (length := _length(draft)) < SHORTEST_TEXT:
        yield Obstacle(
            "background",
            N_("背景与难点合计至少 %(limit)s 个字才能匹配，现有 %(length)s 个字"),
            {"limit": SHORTEST_TEXT, "length": length},
        )


def _telling_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if (length := _length(draft)) < TELLING_TEXT:
        yield Obstacle(
            "background",
            N_("背景与难点现有 %(length)s 个字，写到 %(limit)s 个字以上匹配会更准"),
            {"limit": TELLING_TEXT, "length": length},
        )


def _length(draft: ChallengeDraft) -> int:
    return len(draft.background.strip()) + len(draft.problem.strip())


def _indicator_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if not draft.indicators:
        yield Obstacle("indicators", N_("至少写一项可测量的考核指标"))
        return
    yield from shared.name_gaps(draft.indicators)
    if not shared.has_must(draft.indicators):
        yield Obstacle("indicators", N_("至少有一项 ★ 必达指标，否则无法判定是否完成"))


def _condition_gaps(indicators: Sequence[Indicator]) -> Iterator[Obstacle]:
    for i, indicator in enumerate(indicators):
        if not indicator.condition.strip():
            yield Obstacle(f"indicators.{i}.condition", N_("第 %(n)s 项指标没有写试验条件"), {"n": i + 1})


def _deadline_gaps(draft: ChallengeDraft, *, now: datetime) -> Iterator[Obstacle]:
    if draft.closes_on is None:
        yield Obstacle("closes_on", N_("请选择揭榜截止日期"))
        return
    days = (draft.closes_on - business_date(now)).days
    if days < SHORTEST_CALL_DAYS:
        yield Obstacle(
            "closes_on", N_("揭榜期至少 %(limit)s 天，请推后截止日期"), {"limit": SHORTEST_CALL_DAYS}
        )
    elif days > LONGEST_CALL_DAYS:
        yield Obstacle(
            "closes_on", N_("揭榜期最长 %(limit)s 天，请提前截止日期"), {"limit": LONGEST_CALL_DAYS}
        )


def _budget_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if draft.budget_fen is None and not draft.negotiable:
        yield Obstacle("budget_fen", N_("请填写榜额，或选择“面议”"))


def _ip_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if draft.ip_terms is None:
        yield Obstacle("ip_terms", N_("请选择成果知识产权归属"))


def _acceptance_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if len(draft.acceptance.strip()) < SHORTEST_ACCEPTANCE:
        yield Obstacle(
            "acceptance",
            N_("验收方式至少 %(limit)s 个字：由谁、在哪里、按什么检测"),
            {"limit": SHORTEST_ACCEPTANCE},
        )


def _keyword_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if len(draft.keywords) < 3:
        yield Obstacle("keywords", N_("补充到 3 个以上关键词，便于同行检索"))


def _trl_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if draft.trl_current is None or draft.trl_target is None:
        yield Obstacle("trl_target", N_("注明技术成熟度从第几级做到第几级"))
    elif draft.trl_target <= draft.trl_current:
        yield Obstacle("trl_target", N_("目标成熟度应高于现有成熟度"))


def _requirement_gaps(draft: ChallengeDraft) -> Iterator[Obstacle]:
    if not draft.requirements.strip():
        yield Obstacle("requirements", N_("写明对揭榜方的条件，避免不合适的单位应榜"))


def obstacles_to_extending(call: Call, closes_on: date | None, *, extensions: int) -> Iterator[Obstacle]:
    """What keeps a call from being given more time."""
    latest = call.published_on + timedelta(days=LONGEST_CALL_DAYS)
    if call.today > call.closes_on:
        yield Obstacle("closes_on", N_("揭榜期已过，不能再延长"))
    elif extensions >= MOST_EXTENSIONS:
        yield Obstacle("closes_on", N_("揭榜期最多延长 %(limit)s 次"), {"limit": MOST_EXTENSIONS})
    elif closes_on is None:
        yield Obstacle("closes_on", N_("请填写新的截止日期，例如 2026-11-22"))
    elif closes_on <= call.closes_on:
        yield Obstacle(
            "closes_on", N_("新的截止日期须晚于原来的 %(day)s"), {"day": call.closes_on.isoformat()}
        )
    elif closes_on > latest:
        yield Obstacle(
            "closes_on",
            N_("揭榜期最长 %(limit)s 天，最晚可延至 %(day)s"),
            {"limit": LONGEST_CALL_DAYS, "day": latest.isoformat()},
        )


def earliest_close(call: Call, *, preparing: bool) -> date:
    """The first day on which a call may end early: it was open for long enough and announced in time."""
    notice = NOTICE_DAYS_FOR_PREPARING if preparing else NOTICE_DAYS
    return max(call.published_on + timedelta(days=SHORTEST_CALL_DAYS), call.today + timedelta(days=notice))


def obstacles_to_closing_early(call: Call, closes_on: date | None, *, preparing: bool) -> Iterator[Obstacle]:
    """What keeps a call from ending early: nobody who is preparing an answer may be cut off by surprise."""
    earliest = earliest_close(call, preparing=preparing)
    if call.today > call.closes_on:
        yield Obstacle("closes_on", N_("揭榜期已过，无须提前截止"))
    elif earliest >= call.closes_on:
        yield Obstacle(
            "closes_on",
            N_("距原截止日期 %(day)s 太近，按公告期要求已不能提前"),
            {"day": call.closes_on.isoformat()},
        )
    elif closes_on is None:
        yield Obstacle("closes_on", N_("请填写新的截止日期，例如 2026-11-22"))
    elif closes_on >= call.closes_on:
        yield Obstacle(
            "closes_on", N_("新的截止日期须早于原来的 %(day)s"), {"day": call.closes_on.isoformat()}
        )
    elif closes_on < earliest:
        yield Obstacle(
            "closes_on",
            N_("须给已着手准备的单位留出时间，最早可提前到 %(day)s"),
            {"day": earliest.isoformat()},
        )
