"""What an organisation has to declare before an operator looks at it. Plain Python.

A draft is lax: only what could not be stored or is plainly wrong is refused. Submitting is strict, and all
that is missing is told at once.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from stdnum.cn import uscc as stdnum_uscc
from stdnum.exceptions import InvalidChecksum, ValidationError

from marketplace.kernel import typed
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.language import normalise
from marketplace.organisations.kinds import (
    DESIGNATION_NAMES,
    LEADING,
    DesignationKind,
    OrganisationKind,
    OrganisationSize,
)

SHORTEST_SUMMARY = 20
MOST_CLUSTERS = 5
# How many days before a title lapses its managers are told, each once.
REMINDERS = (90, 30, 7)
_NOT_IN_NAMES = re.compile(r"[\s()\[\]{}<>“”\"'·.,，。、\-_/&]+")


@dataclass(frozen=True, slots=True)
class DesignationDraft:
    kind: DesignationKind
    number: str = ""
    issuer: str = ""
    valid_to: date | None = None
    issued_on: date | None = None


@dataclass(frozen=True, slots=True)
class OrganisationDraft:
    """What a form, a command or the demonstration hands over."""

    name: str
    uscc: str | None = None
    short_name: str = ""
    kind: OrganisationKind | None = OrganisationKind.ENTERPRISE
    size: OrganisationSize | None = None
    employees: int | None = None
    revenue_fen: int | None = None
    region: str | None = None
    address: str = ""
    website: str = ""
    summary: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    clusters: tuple[str, ...] = ()
    designations: tuple[DesignationDraft, ...] = ()


# Which part of the declaration is asked for at which step.
STEP_FIELDS = {
    "basics": (
        "name", "uscc", "kind", "size", "employees", "revenue_fen", "short_name", "clusters", "website",
        "summary",
    ),
    "contact": ("region", "address", "contact_name", "contact_phone", "contact_email"),
    "designations": ("designations",),
    "files": ("licence",),
}  # fmt: skip


def step_of(field: str) -> str:
    """The step at which an obstacle's field stands."""
    part = field.partition(".")[0]
    return next((step for step, fields in STEP_FIELDS.items() if part in fields), "confirm")


def obstacles_at(step: str, obstacles: Iterable[Obstacle]) -> list[Obstacle]:
    return [obstacle for obstacle in obstacles if step_of(obstacle.field) == step]


def name_key(name: str) -> str:
    """A name in one spelling: scripts, widths, case, brackets and spaces do not tell two firms apart."""
    return _NOT_IN_NAMES.sub("", normalise(name)).casefold()


def code_from(text: str) -> str:
    """A 统一社会信用代码 as it is stored; raises ValueError with the reason for anything else."""
    code = re.sub(r"[\s-]", "", typed.plain(text)).upper()
    if len(code) != 18:
        raise ValueError(N_("统一社会信用代码须为 18 位"))
    try:
        return str(stdnum_uscc.validate(code))
    except InvalidChecksum as error:
        raise ValueError(N_("统一社会信用代码的校验位不符，请对照营业执照核对")) from error
    except ValidationError as error:
        raise ValueError(N_("统一社会信用代码的格式不符，请对照营业执照核对")) from error


def obstacles_to_saving(draft: OrganisationDraft) -> Iterator[Obstacle]:
    """What is plainly wrong, also in a draft."""
    if not draft.name:
        yield Obstacle("name", N_("请填写“单位名称”"))
    if draft.uscc:
        try:
            code_from(draft.uscc)
        except ValueError as error:
            yield Obstacle("uscc", str(error))
    if len(draft.clusters) > MOST_CLUSTERS:
        yield Obstacle("clusters", N_("“所属产业集群”最多选 %(most)s 个"), {"most": MOST_CLUSTERS})
    if draft.website and not is_web_address(draft.website):
        yield Obstacle("website", N_("“网址”须以 http:// 或 https:// 开头"))
    yield from _repeated_designations(draft)


def _repeated_designations(draft: OrganisationDraft) -> Iterator[Obstacle]:
    seen: set[DesignationKind] = set()
    for number, designation in enumerate(draft.designations):
        if designation.kind in seen:
            yield Obstacle(
                f"designations.{number}.kind",
                N_("“%(designation)s”只能填一次"),
                {"designation": DESIGNATION_NAMES[designation.kind]},
            )
        seen.add(designation.kind)


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text


def obstacles_to_submitting(draft: OrganisationDraft, *, today: date) -> Iterator[Obstacle]:
    """Everything that keeps an organisation from being verified, so that it can be mended in one go."""
    yield from obstacles_to_saving(draft)
    if not draft.uscc:
        yield Obstacle("uscc", N_("请填写“统一社会信用代码”"))
    if draft.kind is None:
        yield Obstacle("kind", N_("请选择“单位类型”"))
    if draft.kind is OrganisationKind.ENTERPRISE and draft.size is None:
        yield Obstacle("size", N_("企业请选择“规模”"))
    if not draft.region:
        yield Obstacle("region", N_("请选择“所在地区”"))
    if not draft.clusters:
        yield Obstacle("clusters", N_("请至少选择一个“所属产业集群”"))
    if not draft.contact_name:
        yield Obstacle("contact_name", N_("请填写“联系人”"))
    if not draft.contact_phone:
        yield Obstacle("contact_phone", N_("请填写“联系电话”"))
    if len(draft.summary) < SHORTEST_SUMMARY:
        yield Obstacle(
            "summary",
            N_("“单位简介”至少 %(least)s 个字，现有 %(count)s 个"),
            {"least": SHORTEST_SUMMARY, "count": len(draft.summary)},
        )
    for number, designation in enumerate(draft.designations):
        yield from _obstacles_to_designation(designation, f"designations.{number}", draft.kind, today)


def _obstacles_to_designation(
    designation: DesignationDraft, at: str, kind: OrganisationKind | None, today: date
) -> Iterator[Obstacle]:
    named = {"designation": DESIGNATION_NAMES[designation.kind]}
    if not designation.number:
        yield Obstacle(f"{at}.number", N_("请填写“%(designation)s”的文号或证书编号"), named)
    if not designation.issuer:
        yield Obstacle(f"{at}.issuer", N_("请填写“%(designation)s”的认定机关"), named)
    if designation.issued_on is not None and designation.issued_on > today:
        yield Obstacle(f"{at}.issued_on", N_("“%(designation)s”的认定日期不能晚于今天"), named)
    if designation.issued_on and designation.valid_to and designation.issued_on > designation.valid_to:
        yield Obstacle(f"{at}.valid_to", N_("“%(designation)s”的有效期不能早于认定日期"), named)
    if designation.valid_to is not None and designation.valid_to < today:
        yield Obstacle(f"{at}.valid_to", N_("“%(designation)s”已过有效期，请更新或删去"), named)
    if designation.kind in LEADING and kind is not OrganisationKind.ENTERPRISE:
        yield Obstacle(f"{at}.kind", N_("“%(designation)s”只授予企业"), named)
