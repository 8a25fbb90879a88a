"""Drafts of challenges from a file, and back into one.

The confidential annex has a column of its own, for the owner alone. Only drafts come in and change: what
has been handed in or published goes its own way.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import select

from marketplace.challenges.kinds import (
    ACTIVITY_LABELS,
    BOARD_LABELS,
    IP_LABELS,
    Activity,
    Board,
    IpTerms,
    Publicity,
)
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import (
    Challenge,
    ChallengeAnnex,
    ChallengeChainLink,
    ChallengeCluster,
    ChallengeIndicator,
)
from marketplace.challenges.rules import (
    LONGEST_ANNEX,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_BUDGET_FEN,
    ChallengeDraft,
    limits,
)
from marketplace.exchange.cells import Cell
from marketplace.exchange.columns import Choice, Column, Day, Flag, Integer, Money, Text, plain_text
from marketplace.exchange.faults import WrongCell
from marketplace.exchange.targets import EXTERNAL, NUMBER, Child, Scope, Stored, Values
from marketplace.kernel import typed
from marketplace.kernel.access import Audience
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import end_of_business_day, last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.postings.importing import (
    CHAIN_LINKS,
    CLUSTERS,
    EXTERNAL_NO,
    INDUSTRY,
    KEYWORDS,
    PUBLIC_NO,
    Indicators,
    PostingTarget,
    cooperation_codec,
    posting_children,
    region_column,
)

S = ChallengeStatus
ANNEX = "annex"
SEEKER = Audience(
    "editor of an organisation that may post challenges",
    lambda actor: actor.is_editor and actor.may_post_challenges,
)


class PhoneText:
    """A mobile or landline number."""

    blank = ""

    def read(self, text: str, unit: str = "") -> str:
        try:
            return typed.phone_from(plain_text(text, limit=20))
        except WrongCell:
            raise
        except ValueError as error:
            raise WrongCell(N_("不是有效的电话号码，例如 13800000000 或 023-60000000")) from error

    def write(self, value: str) -> Cell:
        return value


def _long(name: str, label: str, *synonyms: str, hint: str = "", example: str = "") -> Column:
    return Column(name, label, Text(LONGEST_TEXT, multiline=True), synonyms, hint, example)


class ChallengeTarget(PostingTarget):
    kind: ClassVar[str] = "challenge"
    label: ClassVar[str] = N_("榜单草稿")
    purpose: ClassVar[str] = N_("一次建立多份榜单草稿，逐份核对后再提交审核。")
    audience: ClassVar[Audience] = SEEKER
    order: ClassVar[int] = 30
    model: ClassVar[Any] = Challenge
    prefix: ClassVar[str] = "JB"
    width: ClassVar[int] = 4
    PLAIN: ClassVar[tuple[str, ...]] = (
        "title", "board", "activity", "industry", "region", "background", "problem", "existing_basis",
        "effect_goals", "trl_current", "trl_target", "requirements", "acceptance", "budget_fen", "negotiable",
        "duration_months", "ip_terms", "ip_note", "sme_only", "consortium_allowed", "max_members",
        "takers_wanted", "contact_name", "contact_phone",
    )  # fmt: skip
    closed_statuses: ClassVar[frozenset[Any]] = frozenset(set(S) - {S.DRAFT, S.RETURNED})
    public_status: ClassVar[Any] = None
    children: ClassVar[tuple[Child, ...]] = (
        *posting_children(
            ("indicators", ChallengeIndicator), ChallengeCluster, ChallengeChainLink, "challenge_id"
        ),
        Child("annex", ChallengeAnnex, "challenge_id", ("text",)),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        PUBLIC_NO,
        EXTERNAL_NO,
        Column(
            "title",
            N_("榜单题目"),
            Text(LONGEST_TITLE),
            ("题目", "榜单名称", "项目名称", "需求名称", "标题"),
            N_("写明对象和要突破的技术，最多 100 字"),
            "800V 高速电驱轴承电腐蚀防护关键技术",
            required=True,
        ),
        Column(
            "board",
            N_("榜单类型"),
            Choice(Board, BOARD_LABELS, blank=Board.ENTERPRISE),
            ("类型",),
            N_("不填为“企业榜”"),
            "企业榜",
        ),
        Column(
            "activity", N_("科技活动类型"), Choice(Activity, ACTIVITY_LABELS), ("活动类型",), "", "试验发展"
        ),
        CLUSTERS,
        CHAIN_LINKS,
        INDUSTRY,
        region_column(N_("实施地区"), "实施地"),
        KEYWORDS,
        _long("background", N_("背景"), "需求背景", hint=N_("用在哪里、何时要用、量有多大")),
        _long(
            "problem",
            N_("主要难点"),
            "难点",
            "技术难题",
            "需求内容",
            hint=N_("现状数值、要达到什么、难在哪里"),
            example="现有轴承在 800V 平台上 300 小时出现搓板纹，要求 3000 小时无电蚀。",
        ),
        _long("existing_basis", N_("已有基础"), "现有基础"),
        _long("effect_goals", N_("预期效益"), "预期目标"),
        Column("trl_current", N_("现有技术成熟度"), Integer(1, 9), ("现有成熟度",), N_("1 至 9"), "4"),
        Column("trl_target", N_("目标技术成熟度"), Integer(1, 9), ("目标成熟度",), N_("1 至 9"), "8"),
        Column(
            "indicators",
            N_("考核指标"),
            Indicators(),
            ("指标", "技术指标"),
            N_("一行一项：★|名称|≥|数值|第二数值|单位|试验条件|试验方法|验证方|权重"),
            "★|轴电压|≤|0.5||V|额定转速|GB/T 25123.2|第三方|100",
        ),
        Column(
            "budget_fen",
            N_("榜额"),
            Money("wan", most_fen=MOST_BUDGET_FEN),
            ("预算", "榜单金额", "经费", "悬赏金额", "拟投入资金"),
            N_("含税；金额未定时“面议”填“是”"),
            "300",
        ),
        Column("negotiable", N_("面议"), Flag(), (), N_("是或否")),
        Column(
            "closes_on",
            N_("揭榜截止日期"),
            Day(),
            ("截止日期", "截止时间"),
            N_("如 2027-03-31"),
            "2027-03-31",
        ),
        Column("duration_months", N_("攻关周期"), Integer(1, 60), ("周期", "攻关周期月"), N_("月数"), "12"),
        Column("takers_wanted", N_("拟取家数"), Integer(1, 3, blank=1), ("取榜家数",), N_("1 至 3"), "1"),
        Column("sme_only", N_("仅限中小企业"), Flag(), (), N_("是或否")),
        Column(
            "consortium_allowed", N_("可组联合体"), Flag(blank=True), ("联合体",), N_("是或否，不填为“是”")
        ),
        Column("max_members", N_("联合体成员上限"), Integer(0, 9, blank=4), (), N_("0 至 9")),
        _long("requirements", N_("对揭榜方的要求"), "揭榜方要求", "揭榜条件"),
        Column("cooperation", N_("合作方式"), cooperation_codec(), (), N_("用顿号分开"), "合作研发"),
        Column(
            "ip_terms", N_("知识产权归属"), Choice(IpTerms, IP_LABELS), ("成果知识产权归属",), "", "双方共有"
        ),
        Column("ip_note", N_("知识产权约定说明"), Text(1000, multiline=True)),
        _long("acceptance", N_("验收方式"), "验收"),
        Column("contact_name", N_("联系人"), Text(60)),
        Column("contact_phone", N_("联系电话"), PhoneText(), ("电话",), N_("双方同意对接后才向对方开放")),
        Column(
            ANNEX,
            N_("保密附件"),
            Text(LONGEST_ANNEX, multiline=True),
            ("保密内容",),
            N_("只有本单位能看到，不参与检索、匹配和对外导出"),
            private=True,
        ),
    )

    def reason_closed(self, row: Any) -> str:
        return N_("榜单已提交或已发布，不能再由导入修改") if row.status in self.closed_statuses else ""

    def values_of(self, row: Any) -> Values:
        return {
            **super().values_of(row),
            "cooperation": tuple(sorted(row.cooperation)),
            "closes_on": last_business_day(row.closes_at) if row.closes_at else None,
        }

    def private_values(self, ids: Sequence[int]) -> dict[int, Values]:
        rows = db.session.execute(
            select(ChallengeAnnex.challenge_id, ChallengeAnnex.text).where(
                ChallengeAnnex.challenge_id.in_(ids)
            )
        )
        return {challenge_id: {ANNEX: text} for challenge_id, text in rows}

    def draft(self, values: Values) -> ChallengeDraft:
        taken = {name: value for name, value in values.items() if name not in (NUMBER, EXTERNAL, ANNEX)}
        return ChallengeDraft(**taken, publicity=self._publicity(values))

    @staticmethod
    def _publicity(values: Values) -> Publicity:
        return Publicity.PARTIAL if values[ANNEX] else Publicity.PUBLIC

    def limits(self, draft: ChallengeDraft) -> Iterator[Obstacle]:
        return limits(draft)

    def gaps(self, draft: ChallengeDraft, *, now: datetime) -> Iterator[Obstacle]:
        return iter(())

    def stored(self, values: Values) -> Stored:
        made = super().stored(values)
        closes_on = values["closes_on"]
        made.row["closes_at"] = None if closes_on is None else end_of_business_day(closes_on)
        made.row["cooperation"] = list(values["cooperation"])
        made.row["publicity"] = self._publicity(values)
        made.children["annex"] = [{"text": values[ANNEX]}] if values[ANNEX] else []
        return made

    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        return {**super().fresh(scope, now=now), "status": S.DRAFT, "return_reasons": {}}

    def withdraw(self, ids: Sequence[int], *, by: Actor, now: datetime) -> int:
        """Published challenges are taken back one by one, each with its own public reason."""
        return 0
