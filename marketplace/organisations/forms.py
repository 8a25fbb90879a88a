"""The forms of organisations, and how what was typed becomes the draft that the rules judge."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l

from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.forms import (
    Choice,
    Choices,
    Date,
    Email,
    Flag,
    Form,
    Integer,
    LongText,
    Money,
    Phone,
    RowForm,
    Rows,
    Text,
)
from marketplace.kernel.texts import N_
from marketplace.organisations.kinds import (
    DESIGNATION_NAMES,
    KIND_NAMES,
    SIZE_NAMES,
    DesignationKind,
    OrganisationKind,
    OrganisationSize,
)
from marketplace.organisations.rules import MOST_CLUSTERS, STEP_FIELDS, DesignationDraft, OrganisationDraft
from marketplace.taxonomy import queries as taxonomy

ROLE_NAMES = {
    OrganisationRole.MANAGER: _l("管理员"),
    OrganisationRole.EDITOR: _l("经办"),
    OrganisationRole.READER: _l("只读"),
}


class CodeForm(Form):
    """First question of a registration: is the organisation here already?"""

    uscc = Text(
        _l("统一社会信用代码"),
        limit=40,
        required=True,
        description=_l("营业执照或法人证书上的 18 位代码，例如 91110000600037341L"),
    )
    name = Text(_l("单位名称"), limit=120, required=True, description=_l("与营业执照一致的全称"))


class JoinForm(Form):
    role = Choice(
        _l("希望担任的角色"),
        pairs=[(role.value, ROLE_NAMES[role]) for role in (OrganisationRole.EDITOR, OrganisationRole.READER)],
        kind=OrganisationRole,
        default=OrganisationRole.EDITOR,
        required=True,
        radio=True,
    )


class ReasonForm(Form):
    reason = LongText(_l("理由"), limit=1000, required=True)


class DesignationRow(RowForm):
    kind = Choice(
        _l("称号"),
        pairs=[(kind.value, _l(name)) for kind, name in DESIGNATION_NAMES.items()],
        kind=DesignationKind,
        required=True,
    )
    number = Text(_l("文号或证书编号"), limit=60)
    issuer = Text(_l("认定机关"), limit=120)
    issued_on = Date(_l("认定日期"))
    valid_to = Date(_l("有效期至"))


class StepForm(Form):
    """One step of a registration. `FIELDS` are those of the draft that it writes."""

    FIELDS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def values_of(cls, draft: OrganisationDraft) -> dict[str, Any]:
        return {name: getattr(draft, name) for name in cls.FIELDS}

    def applied_to(self, draft: OrganisationDraft) -> OrganisationDraft:
        return replace(draft, **{name: self[name].data for name in self.FIELDS})

    def placed(self, obstacles: Iterable[Obstacle]) -> list[Obstacle]:
        """Obstacles at the fields of this form."""
        return list(obstacles)


class BasicsForm(StepForm):
    FIELDS = STEP_FIELDS["basics"]

    name = Text(_l("单位名称"), limit=120, description=_l("与营业执照一致的全称"))
    uscc = Text(_l("统一社会信用代码"), limit=40)
    short_name = Text(_l("简称"), limit=40)
    kind = Choice(
        _l("单位类型"),
        pairs=[(kind.value, _l(name)) for kind, name in KIND_NAMES.items()],
        kind=OrganisationKind,
    )
    employees = Integer(
        _l("从业人员"), most=10_000_000, description=_l("上年末人数；只供平台核对规模，不公开")
    )
    revenue_fen = Money(_l("营业收入"), description=_l("上年全年；只供平台核对规模，不公开"))
    size = Choice(
        _l("规模"),
        pairs=[(size.value, _l(name)) for size, name in SIZE_NAMES.items()],
        kind=OrganisationSize,
        description=_l("企业必填，按《中小企业划型标准规定》（工信部联企业〔2011〕300号）"),
    )
    clusters = Choices(
        _l("所属产业集群"),
        pairs=taxonomy.cluster_pairs,
        most=MOST_CLUSTERS,
        description=_l("最多 5 个，用于筛选和匹配"),
    )
    website = Text(_l("网址"), limit=200)
    summary = LongText(
        _l("单位简介"), limit=2000, rows=6, description=_l("做什么、规模、装备和主要客户，20–2000 字")
    )

    def applied_to(self, draft: OrganisationDraft) -> OrganisationDraft:
        return replace(
            super().applied_to(draft), uscc=self.uscc.data or None, clusters=tuple(self.clusters.data)
        )


class ContactForm(StepForm):
    FIELDS = STEP_FIELDS["contact"]

    region = Choice(_l("所在地区"), pairs=taxonomy.region_pairs)
    address = Text(_l("地址"), limit=200)
    contact_name = Text(_l("联系人"), limit=60)
    contact_phone = Phone(_l("联系电话"))
    contact_email = Email(_l("联系邮箱"))


class DesignationsForm(StepForm):
    FIELDS = STEP_FIELDS["designations"]

    designations = Rows(DesignationRow, _l("资质称号"), most=len(DesignationKind), offered=1)

    @classmethod
    def values_of(cls, draft: OrganisationDraft) -> dict[str, Any]:
        return {
            "designations": [
                {name: getattr(designation, name) for name in DesignationDraft.__slots__}
                for designation in draft.designations
            ]
        }

    def applied_to(self, draft: OrganisationDraft) -> OrganisationDraft:
        rows = tuple(DesignationDraft(**row) for row in self.designations.filled)
        return replace(draft, designations=rows)

    def placed(self, obstacles: Iterable[Obstacle]) -> list[Obstacle]:
        """Obstacles count the designations; the page counts its rows, of which some were left empty."""
        rows = [n for n, entry in enumerate(self.designations.entries) if not entry.form.is_blank]
        placed = []
        for obstacle in obstacles:
            part, _, rest = obstacle.field.partition(".")
            number, _, name = rest.partition(".")
            if part == "designations" and number.isdigit() and int(number) < len(rows):
                obstacle = replace(obstacle, field=f"designations.{rows[int(number)]}.{name}")
            placed.append(obstacle)
        return placed


FORMS: dict[str, type[StepForm]] = {
    "basics": BasicsForm,
    "contact": ContactForm,
    "designations": DesignationsForm,
}
STEPS = {
    "basics": N_("基本信息"),
    "contact": N_("联系与地区"),
    "designations": N_("资质称号"),
    "files": N_("证照附件"),
    "confirm": N_("确认提交"),
}


def form_showing(step: str, draft: OrganisationDraft) -> StepForm:
    """A step's form, filled with what is stored."""
    kind = FORMS[step]
    return kind(formdata=None, data=kind.values_of(draft))


def next_step(step: str) -> str:
    names = list(STEPS)
    return names[min(names.index(step) + 1, len(names) - 1)]


def is_blank(step: str, draft: OrganisationDraft) -> bool:
    """Whether nobody has written anything into a step yet; what the code form asked does not count."""
    empty = OrganisationDraft(name=draft.name, uscc=draft.uscc, kind=draft.kind)
    return all(getattr(draft, name) == getattr(empty, name) for name in FORMS[step].FIELDS)


class ConfirmForm(Form):
    truthful = Flag(
        _l("以上信息和附件真实、准确，与营业执照一致"), required=True, must=_l("请勾选“信息真实”后再提交")
    )


class SuspendForm(Form):
    reason = LongText(_l("理由"), limit=1000, required=True, rows=3)
    until = Date(_l("暂停至"), description=_l("当日 24 时后自动恢复；不填则由平台管理员恢复"))
