"""The audit trail as a file, for the auditor."""

import json
from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.exchange.exports import ExportColumn, ExportedList, Rows, in_chunks
from marketplace.kernel.access import AUDITOR
from marketplace.kernel.actor import Actor
from marketplace.kernel.texts import N_
from marketplace.oversight import presenters


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


def lists() -> list[ExportedList]:
    return [ExportedList("oversight.trail", N_("操作日志"), AUDITOR, _columns, _rows)]
