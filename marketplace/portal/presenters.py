"""How the engine's weights and the home page's figures are put into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from marketplace.challenges.models import Challenge
from marketplace.kernel import money
from marketplace.kernel.dates import days_left
from marketplace.kernel.texts import N_
from marketplace.matching.engine.weights import Weights
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

# part → its name, and what earns it; gettext sources.
PARTS = {
    "text": (
        N_("文本术语"),
        N_("双方文本共有的词、字和词组；越少见的术语贡献越大，重复出现递减，长文不因长而占便宜"),
    ),
    "title": (N_("标题与型号"), N_("标题的相近程度；双方写明同一型号的计满分")),
    "indicators": (
        N_("指标满足"),
        N_(
            "逐项比对：满足计全分，部分满足计一半，不满足和未说明为零；"
            "各项占比按发榜方权重，未设权重时按 ★▲ 级别"
        ),
    ),
    "taxonomy": (
        N_("产业集群"),
        N_("同一“33618”集群计满分，同一行业大类计六成，同一集群层级计三成"),
    ),
    "trl": (N_("技术成熟度"), N_("达到目标等级计满分，每低一级减四分之一；未写明不计分")),
    "region": (N_("地区"), N_("同区县计满分，同市计八成，同省计五成")),
    "cooperation": (N_("合作方式"), N_("至少有一种合作方式相同")),
    "designations": (
        N_("资质称号"),
        N_("经核验且在有效期内的称号，取最高一项；无称号但已核验的单位计四成"),
    ),
}


@dataclass(frozen=True, slots=True)
class PartRule:
    """One addend of the score: the most it can add and what earns it."""

    label: str
    points: int
    text: str


def part_rules(weights: Weights) -> list[PartRule]:
    """Every part of the score in the order in which it is shown. Raises KeyError for a part without words."""
    return [PartRule(PARTS[name][0], points, PARTS[name][1]) for name, points in weights.parts.items()]


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
        (gettext("供需清单"), f"{figures.needs:,}", gettext("行")),
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
