"""The audit trail as a file, for the auditor; the funnel and the rows behind it, for the operator as well."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.exchange.exports import MOST_ROWS, ExportColumn, ExportedList, Rows, in_chunks
from marketplace.kernel.access import AUDITOR, OPERATOR, one_of
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.texts import N_
from marketplace.oversight import funnel, funnel_presenters, presenters
from marketplace.taxonomy import queries as taxonomy


def _rows(args: Mapping[str, str], _actor: Actor, _now: datetime) -> Rows:
    statement = select(AuditEvent).order_by(AuditEvent.seq.desc())
    if (kind := args.get("kind", "")) in presenters.SUBJECTS:
        statement = statement.where(AuditEvent.subject_kind == kind)
    found = in_chunks(statement, AuditEvent)
    return Rows(found.count, map(presenters.event_line, found.each))


def _columns(_actor: Actor) -> list[ExportColumn]:
    return [
        ExportColumn(N_("序号"), lambda line: line.event.seq),
        ExportColumn(N_("时间"), lambda line: line.event.at),
        ExportColumn(N_("操作"), lambda line: gettext(line.act)),
        ExportColumn(N_("对象"), lambda line: gettext(line.subject)),
        ExportColumn(N_("名称"), lambda line: line.event.subject_label),
        ExportColumn(N_("操作者"), lambda line: line.event.actor_name),
        ExportColumn(N_("身份"), lambda line: gettext(line.role)),
        ExportColumn(N_("原状态"), lambda line: gettext(line.from_label) if line.from_label else None),
        ExportColumn(N_("新状态"), lambda line: gettext(line.to_label) if line.to_label else None),
        ExportColumn(N_("理由"), lambda line: line.event.reason),
        ExportColumn(
            N_("详情"), lambda line: json.dumps(line.event.detail, ensure_ascii=False, sort_keys=True)
        ),
        ExportColumn(N_("摘要"), lambda line: line.event.hash),
    ]


# --- the funnel -------------------------------------------------------------------------------------------


def _groups(args: Mapping[str, str], _actor: Actor, now: datetime) -> Rows:
    """One row for each month, cluster or region, with how many came how far."""
    scope = funnel.Scope.from_args(args)
    dimension = args.get("by", "")
    dimension = dimension if dimension in funnel.DIMENSIONS else funnel.DIMENSIONS[0]
    lines = funnel_presenters.group_lines(dimension, funnel.count_by(dimension, scope, now=now), scope)
    return Rows(len(lines), lines)


def _group_columns(_actor: Actor) -> list[ExportColumn]:
    stages = enumerate(funnel_presenters.STAGE_NAMES.values())
    return [
        ExportColumn(N_("分组"), lambda line: line.name),
        *(ExportColumn(label, lambda line, i=i: line.cells[i].number) for i, label in stages),  # type: ignore[misc]
    ]


def _behind(args: Mapping[str, str], _actor: Actor, now: datetime) -> Rows:
    """The rows behind a figure: postings, or approaches without what was written."""
    found = funnel.find_rows(funnel.Behind.from_args(args), funnel.Scope.from_args(args), now=now)
    rows = db.session.execute(found.limit(MOST_ROWS + 1)).mappings().all()
    return Rows(len(rows), rows[:MOST_ROWS])


def _behind_columns(_actor: Actor) -> list[ExportColumn]:
    def reached(row: Mapping[str, Any]) -> str | None:
        return funnel_presenters.stage_name(row["reached"]) if "reached" in row else None

    def region(row: Mapping[str, Any]) -> str | None:
        return taxonomy.region_name(row["region"]) if row.get("region") else None

    return [
        ExportColumn(N_("榜单或需求编号"), lambda row: row.get("posting_no") or row["public_no"]),
        ExportColumn(N_("榜单或需求"), lambda row: row["title"]),
        ExportColumn(N_("发布方"), lambda row: row["organisation"]),
        ExportColumn(N_("地区"), region),
        ExportColumn(N_("发布"), lambda row: row.get("published_at")),
        ExportColumn(N_("到达阶段"), reached),
        ExportColumn(N_("合格供方"), lambda row: row.get("capable")),
        ExportColumn(N_("展示"), lambda row: row.get("shown")),
        ExportColumn(N_("供方"), lambda row: row.get("supplier")),
        ExportColumn(N_("发出"), lambda row: row.get("sent_at")),
    ]


def lists() -> list[ExportedList]:
    administrators = one_of(OPERATOR, AUDITOR)
    return [
        ExportedList("oversight.trail", N_("操作日志"), AUDITOR, _columns, _rows),
        ExportedList("oversight.funnel", N_("撮合漏斗"), administrators, _group_columns, _groups),
        ExportedList("oversight.funnel_rows", N_("漏斗明细"), administrators, _behind_columns, _behind),
    ]
