"""The lists of challenges as files. A confidential annex stands in its owner's own list and nowhere else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from marketplace.challenges import queries
from marketplace.challenges.importing import ChallengeTarget
from marketplace.challenges.kinds import ACTIVITY_LABELS, BOARD_LABELS, IP_LABELS
from marketplace.challenges.lifecycle import LIFECYCLE, ChallengeStatus
from marketplace.challenges.models import Challenge
from marketplace.exchange.exports import ExportColumn, ExportedList, Rows, in_chunks, own_list
from marketplace.exchange.targets import Scope
from marketplace.kernel.access import AUDITOR, EDITOR, OPERATOR, SIGNED_IN, one_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import last_business_day
from marketplace.kernel.money import FEN_PER_WAN
from marketplace.kernel.texts import N_
from marketplace.postings.exporting import closing_columns, hall_rows, indicators_cell, opening_columns
from marketplace.taxonomy import queries as taxonomy


def _columns(_actor: Actor) -> list[ExportColumn]:
    def wan(challenge: Challenge) -> float | str | None:
        if challenge.budget_fen is None:
            return gettext("面议") if challenge.negotiable else None
        return challenge.budget_fen / FEN_PER_WAN

    def activity(challenge: Challenge) -> str | None:
        return gettext(ACTIVITY_LABELS[challenge.activity]) if challenge.activity else None

    return [
        *opening_columns(LIFECYCLE, N_("榜单题目")),
        ExportColumn(N_("榜单类型"), lambda c: gettext(BOARD_LABELS[c.board])),
        ExportColumn(N_("科技活动类型"), activity),
        ExportColumn(N_("榜额（万元）"), wan),
        ExportColumn(N_("揭榜截止日期"), lambda c: last_business_day(c.closes_at) if c.closes_at else None),
        ExportColumn(N_("攻关周期（月）"), lambda c: c.duration_months),
        ExportColumn(N_("拟取家数"), lambda c: c.takers_wanted),
        ExportColumn(N_("仅限中小企业"), lambda c: c.sme_only),
        ExportColumn(N_("可组联合体"), lambda c: c.consortium_allowed),
        ExportColumn(N_("现有技术成熟度"), lambda c: c.trl_current),
        ExportColumn(N_("目标技术成熟度"), lambda c: c.trl_target),
        ExportColumn(N_("背景"), lambda c: c.background),
        ExportColumn(N_("主要难点"), lambda c: c.problem),
        ExportColumn(N_("已有基础"), lambda c: c.existing_basis),
        ExportColumn(N_("预期效益"), lambda c: c.effect_goals),
        ExportColumn(N_("考核指标"), lambda c: indicators_cell(c.indicators)),
        ExportColumn(N_("对揭榜方的要求"), lambda c: c.requirements),
        ExportColumn(N_("合作方式"), lambda c: "、".join(map(taxonomy.cooperation_name, c.cooperation))),
        ExportColumn(N_("知识产权归属"), lambda c: gettext(IP_LABELS[c.ip_terms]) if c.ip_terms else None),
        ExportColumn(N_("验收方式"), lambda c: c.acceptance),
        *closing_columns(),
    ]


def _hall_rows(args: Mapping[str, str], _actor: Actor, now: datetime) -> Rows:
    visible, facets, orders = queries.hall_parts(now=now)
    return hall_rows(Challenge, args, visible=visible, facets=facets, orders=orders, loads=("indicators",))


def _queue_rows(_args: Mapping[str, str], actor: Actor, _now: datetime) -> Rows:
    statement = (
        select(Challenge)
        .options(
            joinedload(Challenge.organisation),
            selectinload(Challenge.clusters),
            selectinload(Challenge.indicators),
        )
        .where(Challenge.status == ChallengeStatus.SUBMITTED, queries.visible_to(actor))
        .order_by(Challenge.submitted_at, Challenge.id)
    )
    return in_chunks(statement, Challenge)


def lists() -> list[ExportedList]:
    own = own_list(
        ChallengeTarget(),
        name="challenges.own",
        title=N_("我的榜单"),
        scope=lambda _args, actor: Scope(actor.organisation_id or 0),
    )
    return [
        ExportedList("challenges.hall", N_("揭榜大厅"), SIGNED_IN, _columns, _hall_rows),
        ExportedList("challenges.review", N_("榜单审核"), one_of(OPERATOR, AUDITOR), _columns, _queue_rows),
        # Its drafts stay the owner's even when it may post no more.
        replace(own, audience=EDITOR),
    ]
