"""How the engine's weights and the home page's figures are put into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from marketplace.challenges.models import Challenge
from marketplace.kernel import money
from marketplace.kernel.dates import days_left
from marketplace.kernel.texts import N_
from marketplace.portal.queries import Figures

DAYS_OF_A_WEEK = 7
# What the ranking keeps to, whatever its weights: name and explanation, gettext sources.
PRINCIPLES = (
    (N_("得分等于各分项之和"), N_("页面上显示的就是程序算出的数，分项相加不等于总分即为错误，可以投诉")),
    (N_("没有写明的不得分"), N_("缺少的资料只会少得分，不会因此多得分；不猜测、不按相似推断")),
    (N_("文本不相关则其他分项不单独得分"), N_("地区相近、称号响亮但做的不是一件事，不会排到前面")),
    (
        N_("先看资格，再算得分"),
        N_("本单位、已撤回、已过期、未核验或不符合发榜条件的，不进入名单，并记录原因"),
    ),
    (N_("每次运行都可重放"), N_("保留当时的文本版本、语料、词典、参数和程序版本，重放结果须逐位一致")),
    (N_("得分相同按编号先后"), N_("不设人工置顶，也不因付费改变次序")),
)
# The steps that the marketplace carries people through today.
FLOW = (
    (N_("入驻核验"), N_("信用代码校验，平台核验")),
    (N_("发榜"), N_("指标可量化，审核后公开")),
    (N_("登记能力"), N_("参数可比对，资料有完整度")),
    (N_("匹配推荐"), N_("得分可拆，理由可看")),
    (N_("揭榜对接"), N_("逐条对照指标，双方联系")),
    (N_("跟踪监测"), N_("运行、时效、历史可查")),
)


def budget_figure(fen: int) -> tuple[str, str]:
    """A sum of budgets with its unit: 亿元 from one 亿 on."""
    hundred_million = 100_000_000 * money.FEN_PER_YUAN
    if fen >= hundred_million:
        return f"{fen / hundred_million:,.2f}", N_("亿元")
    return money.in_wan(fen), N_("万元")


def home_figures(figures: Figures) -> list[tuple[str, str, str]]:
    """The strip of figures: label, number, unit."""
    amount, unit = budget_figure(figures.open_budget_fen)
    return [
        (gettext("在榜榜单"), f"{figures.open_challenges:,}", gettext("项")),
        (gettext("在榜榜额"), amount, gettext(unit)),
        (gettext("入库能力"), f"{figures.capabilities:,}", gettext("项")),
        (gettext("供需清单"), f"{figures.needs:,}", gettext("条")),
        (gettext("入驻单位"), f"{figures.organisations:,}", gettext("家")),
        (gettext("匹配运行"), f"{figures.runs:,}", gettext("次")),
    ]


@dataclass(frozen=True, slots=True)
class OpenChallenge:
    """A challenge that may be taken up, with the whole days until its last day."""

    challenge: Challenge
    days: int


def is_this_week(closing: Sequence[OpenChallenge]) -> bool:
    """Whether all that is listed closes within a week, so that it may be announced as such."""
    return bool(closing) and all(item.days <= DAYS_OF_A_WEEK for item in closing)


def with_days(challenge: Challenge, *, now: datetime) -> OpenChallenge:
    if challenge.closes_at is None:
        raise ValueError(f"{challenge.public_no} is open and has no deadline")
    return OpenChallenge(challenge, days_left(challenge.closes_at, now=now))
