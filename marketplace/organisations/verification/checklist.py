"""What an operator looks at before an organisation counts as verified.

Some of it the machine can tell and shows beside the question; that somebody looked is always a person's tick.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import gettext as _

from marketplace.kernel.dates import business_date
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.organisations import licences, services
from marketplace.organisations.models import Organisation
from marketplace.organisations.presenters import size_name
from marketplace.organisations.rules import obstacles_to_submitting
from marketplace.organisations.sizes import size_by_figures


class Check(StrEnum):
    LICENCE = "licence"
    IDENTITY = "identity"
    SIZE = "size"
    CONTACT = "contact"


CHECK_NAMES = {
    Check.LICENCE: N_("营业执照清晰、完整、在有效期内"),
    Check.IDENTITY: N_("名称、统一社会信用代码和类型与营业执照一致"),
    Check.SIZE: N_("规模与申报的从业人员、营业收入相符"),
    Check.CONTACT: N_("联系人和联系电话可以联系到该单位"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """`state`: ok, bad or open, as far as the machine can tell."""

    check: Check
    label: str
    state: str
    note: str


def lines(organisation: Organisation, *, now: datetime) -> list[Line]:
    """The checklist with what is known of each point."""
    found = {
        Check.LICENCE: _licence(organisation),
        Check.IDENTITY: _identity(organisation, now=now),
        Check.SIZE: _size(organisation),
        Check.CONTACT: ("open", f"{organisation.contact_name} {organisation.contact_phone}".strip()),
    }
    return [Line(check, _(label), *found[check]) for check, label in CHECK_NAMES.items()]


def _licence(organisation: Organisation) -> tuple[str, str]:
    count = len(licences.list_licence(organisation.id))
    return ("open", _("已上传 %(n)s 个文件", n=count)) if count else ("bad", _("没有上传"))


def _identity(organisation: Organisation, *, now: datetime) -> tuple[str, str]:
    gaps = obstacles_to_submitting(services.draft_of(organisation), today=business_date(now))
    wrong = [gap for gap in gaps if gap.field in ("name", "uscc", "kind")]
    return ("bad", _(wrong[0].message, **wrong[0].params)) if wrong else ("ok", _("代码的校验位正确"))


def _size(organisation: Organisation) -> tuple[str, str]:
    draft = services.draft_of(organisation)
    hint = size_by_figures(draft.kind, draft.employees, draft.revenue_fen)
    if hint is None:
        return "open", _("没有申报完整的从业人员和营业收入")
    if hint is draft.size:
        return "ok", _("按申报数字为%(size)s，与所选一致", size=size_name(hint))
    return "bad", _("按申报数字为%(hint)s，所选为%(size)s", hint=size_name(hint), size=size_name(draft.size))


def missing(checked: set[str]) -> list[Obstacle]:
    """What nobody has ticked yet."""
    return [
        Obstacle(f"check-{check.value}", N_("请先核对：%(check)s"), {"check": _(label)})
        for check, label in CHECK_NAMES.items()
        if check.value not in checked
    ]
