"""The forms of organisations, and how what was typed becomes the draft that the rules judge."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from flask_babel import lazy_gettext as _l

from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.forms import (
    Choice,
    Choices,
    Date,
    Email,
    Form,
    LongText,
    Phone,
    RowForm,
    Rows,
    Text,
    Version,
)
from marketplace.organisations.kinds import (
    DESIGNATION_NAMES,
    KIND_NAMES,
    SIZE_NAMES,
    DesignationKind,
    OrganisationKind,
    OrganisationSize,
)
from marketplace.organisations.rules import MOST_CLUSTERS, DesignationDraft, OrganisationDraft
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
    valid_to = Date(_l("有效期至"))


class OrganisationForm(Form):
    version = Version()
    name = Text(_l("单位名称"), limit=120)
    uscc = Text(_l("统一社会信用代码"), limit=40)
    short_name = Text(_l("简称"), limit=40)
    kind = Choice(
        _l("单位类型"),
        pairs=[(kind.value, _l(name)) for kind, name in KIND_NAMES.items()],
        kind=OrganisationKind,
    )
    size = Choice(
        _l("规模"),
        pairs=[(size.value, _l(name)) for size, name in SIZE_NAMES.items()],
        kind=OrganisationSize,
        description=_l("企业必填，按《中小企业划型标准规定》"),
    )
    region = Choice(_l("所在地区"), pairs=taxonomy.region_pairs)
    address = Text(_l("地址"), limit=200)
    website = Text(_l("网址"), limit=200)
    clusters = Choices(_l("所属产业集群"), pairs=taxonomy.cluster_pairs, most=MOST_CLUSTERS)
    designations = Rows(
        DesignationRow,
        _l("资质称号"),
        most=len(DesignationKind),
        offered=1,
    )
    contact_name = Text(_l("联系人"), limit=60)
    contact_phone = Phone(_l("联系电话"))
    contact_email = Email(_l("联系邮箱"))
    summary = LongText(
        _l("单位简介"), limit=2000, rows=6, description=_l("做什么、规模、装备和主要客户，20–2000 字")
    )


def form_of(draft: OrganisationDraft, *, version: int) -> OrganisationForm:
    """The form filled with what is stored."""
    values: dict[str, Any] = {name: getattr(draft, name) for name in OrganisationDraft.__slots__}
    values["designations"] = [
        {"kind": d.kind, "number": d.number, "issuer": d.issuer, "valid_to": d.valid_to}
        for d in draft.designations
    ]
    return OrganisationForm(formdata=None, data={**values, "version": version})


def draft_from(form: OrganisationForm) -> OrganisationDraft:
    plain = {
        name: getattr(form, name).data
        for name in OrganisationDraft.__slots__
        if name not in ("clusters", "designations", "uscc")
    }
    return OrganisationDraft(
        **plain,
        uscc=form.uscc.data or None,
        clusters=tuple(form.clusters.data),
        designations=tuple(DesignationDraft(**row) for row in form.designations.filled),
    )


def at_rows(obstacles: Iterable[Obstacle], form: OrganisationForm) -> list[Obstacle]:
    """Obstacles count the designations; the page counts its rows, of which some were left empty."""
    rows = [n for n, entry in enumerate(form.designations.entries) if not entry.form.is_blank]
    placed = []
    for obstacle in obstacles:
        part, _, rest = obstacle.field.partition(".")
        number, _, name = rest.partition(".")
        if part == "designations" and number.isdigit() and int(number) < len(rows):
            obstacle = replace(obstacle, field=f"designations.{rows[int(number)]}.{name}")
        placed.append(obstacle)
    return placed
