"""How imports are shown: where one stands, what its rows would do, and what is wrong with them."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from sqlalchemy import select

from marketplace.exchange import imports
from marketplace.exchange.columns import Choice, Code, Codes, Money
from marketplace.exchange.mapping import targets as mapping_targets
from marketplace.exchange.models import ImportStatus, StagedError, StagedImport, StagedRow, Verdict
from marketplace.exchange.targets import target_for
from marketplace.kernel.db import db
from marketplace.kernel.pagination import Page, paginate
from marketplace.kernel.texts import N_

S = ImportStatus
# (label, kind of tag)
STATUSES = {
    S.RECEIVED: (N_("正在读取"), "wait"),
    S.UPLOADED: (N_("待对应列"), "open"),
    S.CHECKING: (N_("正在核对"), "wait"),
    S.CHECKED: (N_("待确认"), "open"),
    S.FAULTY: (N_("有错误"), "bad"),
    S.APPLYING: (N_("正在导入"), "wait"),
    S.APPLIED: (N_("已导入"), "ok"),
    S.CANCELLED: (N_("已取消"), ""),
    S.EXPIRED: (N_("已过期"), ""),
    S.FAILED: (N_("未能处理"), "bad"),
}
VERDICTS = {
    Verdict.NEW: (N_("新增"), "ok"),
    Verdict.CHANGED: (N_("变更"), "open"),
    Verdict.SAME: (N_("相同"), ""),
    Verdict.MISSING: (N_("文件中没有"), "wait"),
    Verdict.WRONG: (N_("有错误"), "bad"),
}
STEPS = (
    (N_("上传文件"), {S.RECEIVED}),
    (N_("对应列"), {S.UPLOADED}),
    (N_("核对预览"), {S.CHECKING, S.CHECKED, S.FAULTY}),
    (N_("确认导入"), {S.APPLYING, S.APPLIED}),
)
MOST_ERRORS_SHOWN = 200
PER_PAGE = 20
LONGEST_ERROR_PARAMETER = 200


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    state: str


def steps(staged: StagedImport) -> list[Step]:
    """The way of a file: done, where it is, still to come."""
    at = next((place for place, (_label, inside) in enumerate(STEPS) if staged.status in inside), -1)
    made = []
    for place, (label, _inside) in enumerate(STEPS):
        if staged.status is S.APPLIED or (at >= 0 and place < at):
            state = "done"
        elif place == at:
            state = "bad" if staged.status is S.FAULTY else "current"
        else:
            state = "todo"
        made.append(Step(label, state))
    return made


def working(staged: StagedImport) -> bool:
    return staged.status in imports.WORKING


def percent(staged: StagedImport) -> int:
    """How far the reading has come; never quite all before it is."""
    if staged.status is not S.CHECKING or not staged.rows:
        return 0 if staged.status is S.RECEIVED else 100
    return min(99, 100 * staged.done // staged.rows)


def saying(message: str, params: dict[str, Any]) -> str:
    """A message with its values; values that are texts of ours are translated too."""
    return str(
        gettext(
            message, **{name: gettext(v) if isinstance(v, str) and v else v for name, v in params.items()}
        )
    )


def page_rows(staged: StagedImport, verdict: Verdict, *, page: int) -> Page[Any]:
    statement = (
        select(StagedRow)
        .where(StagedRow.import_id == staged.id, StagedRow.verdict == verdict)
        .order_by(StagedRow.line, StagedRow.id)
    )
    return paginate(statement, page=page, per_page=PER_PAGE)


def list_errors(staged: StagedImport, *, limit: int = MOST_ERRORS_SHOWN) -> list[StagedError]:
    return list(
        db.session.scalars(
            select(StagedError)
            .where(StagedError.import_id == staged.id)
            .order_by(StagedError.line, StagedError.id)
            .limit(limit)
        )
    )


def what_it_says(row: StagedRow, staged: StagedImport) -> list[tuple[str, str]]:
    """The first things that a new row says, for whoever looks whether the columns are right."""
    shown = []
    values = row.stored.get("row", {})
    for column in target_for(staged.kind).columns:
        value = values.get(column.name)
        if column.private or column.name == target_for(staged.kind).title or value in (None, "", [], False):
            continue
        if isinstance(column.codec, Choice | Code | Codes | Money):
            text = column.shown(value)
        else:
            text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
        shown.append((column.label, text))
    return shown[:4]


def column_choices(staged: StagedImport) -> list[tuple[str, str]]:
    """What a column of the file may be: (name, label with its unit)."""
    return [
        (
            name,
            f"{gettext(label)}{gettext('（')}{gettext(unit)}{gettext('）')}" if unit else str(gettext(label)),
        )
        for name, label, unit in mapping_targets(target_for(staged.kind).columns)
    ]
