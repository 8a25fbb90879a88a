"""The steps of the form: what each asks for, and how it goes into and out of a draft.

A step checks only what must hold for the text to be stored; what a finished challenge needs is asked of
the rules when the draft is shown, and held against it when it is submitted.
"""

# Form classes come from a library without types.
# mypy: disable-error-code="misc"

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from marketplace.challenges.kinds import ACTIVITY_LABELS, BOARD_LABELS, IP_LABELS, Activity, Board, IpTerms
from marketplace.challenges.rules import (
    LONGEST_ANNEX,
    LONGEST_TEXT,
    LONGEST_TITLE,
    MOST_BUDGET_FEN,
    ChallengeDraft,
)
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.forms import (
    Choice,
    Choices,
    Date,
    Flag,
    Form,
    Integer,
    LongText,
    Money,
    Phone,
    Text,
)
from marketplace.kernel.texts import N_
from marketplace.postings.forms import IndicatorRows
from marketplace.postings.rules import MOST_CHAIN_LINKS, MOST_CLUSTERS
from marketplace.postings.texts import split_words
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme


def _named(labels: Mapping[Any, str]) -> list[tuple[str, str]]:
    return [(value.value, gettext(label)) for value, label in labels.items()]


def _industries() -> list[tuple[str, str]]:
    return [(code, f"{code} {name}") for code, name, _section in taxonomy.grouped_pairs(Scheme.INDUSTRY)]


class StepForm(Form):
    """One step. `FIELDS` are those of the draft that it writes."""

    FIELDS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def values_of(cls, draft: ChallengeDraft) -> dict[str, Any]:
        return {name: getattr(draft, name) for name in cls.FIELDS}

    def applied_to(self, draft: ChallengeDraft) -> ChallengeDraft:
        return replace(draft, **{name: self[name].data for name in self.FIELDS})


class BasicsForm(StepForm):
    FIELDS = (
        "title", "board", "activity", "clusters", "chain_links", "industry", "region", "keywords",
        "contact_name", "contact_phone",
    )  # fmt: skip

    title = Text(_l("榜单题目"), limit=LONGEST_TITLE, description=_l("写明对象和要突破的技术"))
    board = Choice(
        _l("榜单类型"), pairs=lambda: _named(BOARD_LABELS), kind=Board, radio=True, default=Board.ENTERPRISE
    )
    activity = Choice(_l("科技活动类型"), pairs=lambda: _named(ACTIVITY_LABELS), kind=Activity)
    clusters = Choices(
        _l("所属产业集群"),
        pairs=taxonomy.cluster_pairs,
        most=MOST_CLUSTERS,
        description=_l("“33618”现代制造业集群体系，最多选 5 个"),
    )
    chain_links = Choices(
        _l("所在产业链环节"),
        pairs=taxonomy.chain_link_pairs,
        most=MOST_CHAIN_LINKS,
        boxes=False,
    )
    industry = Choice(_l("国民经济行业"), pairs=_industries)
    region = Choice(_l("实施地区"), pairs=taxonomy.region_pairs)
    keywords = Text(_l("关键词"), limit=300, description=_l("3 至 10 个，用顿号或逗号分开"))
    contact_name = Text(_l("联系人"), limit=60)
    contact_phone = Phone(_l("联系电话"), description=_l("双方同意对接后才向对方开放"))

    @classmethod
    def values_of(cls, draft: ChallengeDraft) -> dict[str, Any]:
        return {**super().values_of(draft), "keywords": "、".join(draft.keywords)}

    def applied_to(self, draft: ChallengeDraft) -> ChallengeDraft:
        return replace(
            super().applied_to(draft),
            board=self.board.data or Board.ENTERPRISE,
            clusters=tuple(self.clusters.data),
            chain_links=tuple(self.chain_links.data),
            keywords=tuple(split_words(self.keywords.data or "")),
        )


class ProblemForm(StepForm):
    FIELDS = ("background", "problem", "existing_basis", "effect_goals", "trl_current", "trl_target")

    background = LongText(
        _l("背景"), limit=LONGEST_TEXT, rows=5, description=_l("用在哪里、何时要用、量有多大")
    )
    problem = LongText(
        _l("主要难点"), limit=LONGEST_TEXT, rows=8, description=_l("逐条写：现状数值、要达到什么、难在哪里")
    )
    existing_basis = LongText(
        _l("已有基础"), limit=LONGEST_TEXT, rows=4, description=_l("可向揭榜方开放的台架、样件和数据")
    )
    effect_goals = LongText(_l("预期效益"), limit=LONGEST_TEXT, rows=4)
    trl_current = Choice(_l("现有技术成熟度"), pairs=taxonomy.trl_pairs)
    trl_target = Choice(_l("目标技术成熟度"), pairs=taxonomy.trl_pairs)

    @classmethod
    def values_of(cls, draft: ChallengeDraft) -> dict[str, Any]:
        levels = {
            name: str(level) if (level := getattr(draft, name)) is not None else None
            for name in ("trl_current", "trl_target")
        }
        return {**super().values_of(draft), **levels}

    def applied_to(self, draft: ChallengeDraft) -> ChallengeDraft:
        current, target = self.trl_current.data, self.trl_target.data
        return replace(
            super().applied_to(draft),
            trl_current=int(current) if current else None,
            trl_target=int(target) if target else None,
        )


class IndicatorsForm(StepForm):
    """The rows themselves are an `IndicatorRows`, kept beside the form by `Step`."""


class TermsForm(StepForm):
    FIELDS = (
        "budget_fen", "negotiable", "closes_on", "duration_months", "takers_wanted", "sme_only",
        "consortium_allowed", "max_members", "requirements", "cooperation", "ip_terms", "ip_note",
        "acceptance",
    )  # fmt: skip

    budget_fen = Money(_l("榜额"), most_fen=MOST_BUDGET_FEN, description=_l("含税；金额未定请选“面议”"))
    negotiable = Flag(_l("面议"))
    closes_on = Date(_l("揭榜截止日期"), description=_l("当日 24 时截止；揭榜期 7 天至 365 天"))
    duration_months = Integer(_l("攻关周期"), least=1, most=60)
    takers_wanted = Integer(_l("拟取家数"), least=1, most=3, description=_l("1 至 3 家，多于 1 家即为赛马"))
    sme_only = Flag(_l("揭榜方（联合体为牵头单位）须为中小企业"))
    consortium_allowed = Flag(_l("可组联合体揭榜"))
    max_members = Integer(_l("联合体成员上限"), least=0, most=9, description=_l("不含牵头单位"))
    requirements = LongText(_l("对揭榜方的要求"), limit=LONGEST_TEXT, rows=4)
    cooperation = Choices(_l("合作方式"), pairs=taxonomy.cooperation_pairs)
    ip_terms = Choice(_l("成果知识产权归属"), pairs=lambda: _named(IP_LABELS), kind=IpTerms)
    ip_note = LongText(_l("知识产权约定说明"), limit=1000, rows=3)
    acceptance = LongText(
        _l("验收方式"), limit=LONGEST_TEXT, rows=4, description=_l("由谁、在哪里、按什么检测")
    )

    def applied_to(self, draft: ChallengeDraft) -> ChallengeDraft:
        return replace(
            super().applied_to(draft),
            cooperation=tuple(self.cooperation.data),
            takers_wanted=self.takers_wanted.data or 1,
            max_members=self.max_members.data or 0,
        )


class AnnexForm(Form):
    annex = LongText(_l("保密附件"), limit=LONGEST_ANNEX, rows=12)


class DeadlineForm(Form):
    closes_on = Date(_l("新的截止日期"), description=_l("当日 24 时截止"))
    reason = LongText(_l("理由"), limit=1000, rows=3, description=_l("将对外公开，并告知有关单位"))


class NewForm(Form):
    title = Text(_l("榜单题目"), limit=LONGEST_TITLE, required=True, description=_l("以后还可以修改"))


# Step → (name, form). The annex and the preview are steps of their own kind.
FORMS: dict[str, type[StepForm]] = {
    "basics": BasicsForm,
    "problem": ProblemForm,
    "indicators": IndicatorsForm,
    "terms": TermsForm,
}
STEPS = {
    "basics": N_("基本信息"),
    "problem": N_("需求与难点"),
    "indicators": N_("考核指标"),
    "terms": N_("揭榜要求与知识产权"),
    "annex": N_("保密附件"),
    "preview": N_("预览提交"),
}


def step_of(field: str) -> str:
    """The step at which an obstacle's field stands."""
    first = field.partition(".")[0]
    if first == "indicators":
        return "indicators"
    return next((step for step, form in FORMS.items() if first in form.FIELDS), "preview")


def next_step(step: str) -> str:
    names = list(STEPS)
    return names[min(names.index(step) + 1, len(names) - 1)]


class Step:
    """One step of the form as a page shows it: its fields, and the rows of indicators where it has them."""

    def __init__(self, name: str, form: StepForm, rows: IndicatorRows | None) -> None:
        self.name, self.form, self.rows = name, form, rows
        self.obstacles: list[Obstacle] = []

    @classmethod
    def showing(cls, name: str, draft: ChallengeDraft) -> "Step":
        kind = FORMS[name]
        form = kind(formdata=None, data=kind.values_of(draft))
        return cls(name, form, IndicatorRows.showing(draft.indicators) if name == "indicators" else None)

    @classmethod
    def from_request(cls, name: str, formdata: MultiDict[str, str]) -> "Step":
        rows = IndicatorRows.from_form(formdata) if name == "indicators" else None
        return cls(name, FORMS[name](formdata=formdata), rows)

    def read(self, draft: ChallengeDraft) -> ChallengeDraft | None:
        """The draft with what was typed here; None where something cannot be read, with the reasons noted."""
        fine = self.form.validate()
        if self.rows is None:
            return self.form.applied_to(draft) if fine else None
        indicators, self.obstacles = self.rows.read()
        return replace(draft, indicators=tuple(indicators)) if fine and not self.obstacles else None

    def is_blank(self, draft: ChallengeDraft) -> bool:
        return is_blank(self.name, draft)


def is_blank(step: str, draft: ChallengeDraft) -> bool:
    """Whether nobody has written anything into a step yet."""
    if step == "indicators":
        return not draft.indicators
    empty = ChallengeDraft(title=draft.title)
    return all(getattr(draft, name) == getattr(empty, name) for name in FORMS[step].FIELDS)


def obstacles_at(step: str, obstacles: Iterable[Obstacle]) -> list[Obstacle]:
    return [obstacle for obstacle in obstacles if step_of(obstacle.field) == step]
