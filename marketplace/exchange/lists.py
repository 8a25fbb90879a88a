"""Lists of what stands below exports: organisations, members, import errors. Others register their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext
from sqlalchemy import func, select

from marketplace.exchange import imports, presenters
from marketplace.exchange.exports import ExportColumn, ExportedList, Rows, in_chunks
from marketplace.exchange.models import StagedError
from marketplace.exchange.permissions import IMPORTER
from marketplace.kernel.access import AUDITOR, MANAGER, OPERATOR, SIGNED_IN, one_of
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.db import db
from marketplace.kernel.errors import NotFound
from marketplace.kernel.texts import N_
from marketplace.organisations import presenters as organisation_words
from marketplace.organisations import queries as organisations
from marketplace.organisations.kinds import DESIGNATION_NAMES, KIND_NAMES, SIZE_NAMES
from marketplace.organisations.lifecycle import LIFECYCLE
from marketplace.organisations.members import queries as members
from marketplace.organisations.models import MembershipStatus, Organisation
from marketplace.taxonomy import queries as taxonomy

Args = Mapping[str, str]

ROLE_NAMES = {
    OrganisationRole.MANAGER: N_("单位管理员"),
    OrganisationRole.EDITOR: N_("单位经办"),
    OrganisationRole.READER: N_("单位成员"),
}
MEMBERSHIP_NAMES = {
    MembershipStatus.REQUESTED: N_("待同意"),
    MembershipStatus.ACTIVE: N_("在职"),
    MembershipStatus.DISABLED: N_("已停用"),
    MembershipStatus.DECLINED: N_("已谢绝"),
    MembershipStatus.LEFT: N_("已退出"),
}


def _live_titles(organisation: Organisation, now: datetime) -> str:
    live = organisations.live_designations(organisation, now=now)
    return "、".join(gettext(DESIGNATION_NAMES[one.kind]) for one in live)


def _public_columns(now: datetime) -> list[ExportColumn]:
    return [
        ExportColumn(N_("单位名称"), lambda o: o.name),
        ExportColumn(N_("统一社会信用代码"), lambda o: o.uscc),
        ExportColumn(N_("单位类型"), lambda o: gettext(KIND_NAMES[o.kind])),
        ExportColumn(N_("规模"), lambda o: gettext(SIZE_NAMES[o.size]) if o.size else None),
        ExportColumn(N_("状态"), lambda o: gettext(LIFECYCLE.label(o.status))),
        ExportColumn(N_("所在地区"), lambda o: taxonomy.region_name(o.region)),
        ExportColumn(
            N_("所属产业集群"), lambda o: "、".join(taxonomy.cluster_names(c.code for c in o.clusters))
        ),
        ExportColumn(N_("称号"), lambda o: _live_titles(o, now)),
        ExportColumn(N_("网址"), lambda o: o.website),
        ExportColumn(N_("单位简介"), lambda o: o.summary),
    ]


def _hall(args: Args, _actor: Actor, now: datetime) -> Rows:
    wanted = organisation_words.wanted_from(args)
    return in_chunks(organisations.select_public(wanted, now=now), Organisation)


def _queue(args: Args, _actor: Actor, _now: datetime) -> Rows:
    return in_chunks(organisations.select_queue(args.get("status") or "pending"), Organisation)


def _queue_columns(now: datetime) -> list[ExportColumn]:
    return [
        *_public_columns(now),
        ExportColumn(N_("联系人"), lambda o: o.contact_name),
        ExportColumn(N_("联系电话"), lambda o: o.contact_phone),
        ExportColumn(N_("提交时间"), lambda o: o.submitted_at),
    ]


def _members(_args: Args, actor: Actor, _now: datetime) -> Rows:
    found = members.list_all(actor.organisation_id or 0)
    return Rows(len(found), found)


MEMBER_COLUMNS = (
    ExportColumn(N_("姓名"), lambda m: m.user.name),
    ExportColumn(N_("邮箱"), lambda m: m.user.email),
    ExportColumn(N_("角色"), lambda m: gettext(ROLE_NAMES[m.role])),
    ExportColumn(N_("状态"), lambda m: gettext(MEMBERSHIP_NAMES[m.status])),
    ExportColumn(N_("申请时间"), lambda m: m.requested_at),
    ExportColumn(N_("加入时间"), lambda m: m.decided_at),
)


def _errors(args: Args, actor: Actor, _now: datetime) -> Rows:
    asked = args.get("import", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
        raise NotFound(asked)
    staged = imports.get_import(int(asked), actor=actor)
    mine = StagedError.import_id == staged.id
    count = db.session.scalar(select(func.count()).select_from(StagedError).where(mine)) or 0
    each: Any = db.session.scalars(
        select(StagedError)
        .where(mine)
        .order_by(StagedError.line, StagedError.id)
        .execution_options(yield_per=500)
    )
    return Rows(count, each)


ERROR_COLUMNS = (
    ExportColumn(N_("行"), lambda e: e.line),
    ExportColumn(N_("列"), lambda e: gettext(e.column)),
    ExportColumn(N_("内容"), lambda e: e.value),
    ExportColumn(N_("原因"), lambda e: presenters.saying(e.cause, e.params)),
)


def lists(now: Any) -> list[ExportedList]:
    """`now` is asked when a list is written."""
    return [
        ExportedList(
            "organisations.hall", N_("单位名录"), SIGNED_IN, lambda _actor: _public_columns(now()), _hall
        ),
        ExportedList(
            "verification.queue",
            N_("单位核验"),
            one_of(OPERATOR, AUDITOR),
            lambda _actor: _queue_columns(now()),
            _queue,
        ),
        ExportedList("members", N_("成员"), MANAGER, lambda _actor: MEMBER_COLUMNS, _members),
        ExportedList("exchange.errors", N_("导入错误"), IMPORTER, lambda _actor: ERROR_COLUMNS, _errors),
    ]
