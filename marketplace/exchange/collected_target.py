"""Collected postings (收录) from a file, brought in by the operator, whatever their kind.

Read, checked and previewed like every import, and then taken in by the act that the command for JSONL files
uses, which hangs each posting on its organisation and finds out what the matcher must not see. That act reads
all entries at once, hence the smaller number of rows.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import ValidationError
from sqlalchemy import ColumnElement, select, true

from marketplace.exchange import services
from marketplace.exchange.applying import Outdated
from marketplace.exchange.cells import Cell
from marketplace.exchange.columns import Choice, Column, Text, Words, plain_text
from marketplace.exchange.entries import CollectedEntry, EntryKind
from marketplace.exchange.faults import WrongCell
from marketplace.exchange.importers import importer_for
from marketplace.exchange.models import ImportBatch, StagedImport, StagedRow, Verdict
from marketplace.exchange.readers import Reading, in_chinese
from marketplace.exchange.targets import Scope, Standing, Stored, Target, Values
from marketplace.kernel.access import OPERATOR, Audience
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

MOST_ENTRIES = 5_000
KINDS = {
    EntryKind.CHALLENGE: N_("榜单"),
    EntryKind.SUPPLY_NEED: N_("需求"),
    EntryKind.CAPABILITY: N_("能力成果"),
}
LEFT_ALONE = N_("这个编号已收录，不作改动")


class JsonText:
    """Further facts as a JSON object, kept as they came."""

    blank: dict[str, Any] = {}  # noqa: RUF012 - never written to

    def read(self, text: str, unit: str = "") -> dict[str, Any]:
        try:
            value = json.loads(plain_text(text, limit=32_767, multiline=True))
        except (ValueError, RecursionError) as error:
            if isinstance(error, WrongCell):
                raise
            raise WrongCell(N_("须为 JSON 对象")) from error
        if not isinstance(value, dict):
            raise WrongCell(N_("须为 JSON 对象"))
        return value

    def write(self, value: dict[str, Any]) -> Cell:
        return json.dumps(value, ensure_ascii=False) if value else None


class CollectedTarget(Target):
    kind: ClassVar[str] = "collected"
    label: ClassVar[str] = N_("收录条目")
    purpose: ClassVar[str] = N_(
        "收录公开来源的榜单、需求和能力成果：注明来源、参与匹配，不能揭榜。一次最多 5,000 行。"
    )
    audience: ClassVar[Audience] = OPERATOR
    order: ClassVar[int] = 50
    model: ClassVar[Any] = ImportBatch
    number: ClassVar[str] = "id"
    numbers_are_ours: ClassVar[bool] = False
    is_whole_list: ClassVar[bool] = False
    most_rows: ClassVar[int] = MOST_ENTRIES
    columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "id",
            N_("来源编号"),
            Text(60),
            ("编号",),
            N_("在来源中的编号，每条不同"),
            "CQ2026-001",
            required=True,
        ),
        Column(
            "kind",
            N_("类别"),
            Choice(EntryKind, KINDS),
            ("类型",),
            N_("榜单、需求或能力成果"),
            "榜单",
            required=True,
        ),
        Column("title", N_("标题"), Text(200), ("名称", "题目"), "", "薄壁壳体铣削颤振抑制", required=True),
        Column("text", N_("正文"), Text(20_000, multiline=True), ("内容", "描述", "简介")),
        Column(
            "org",
            N_("单位名称"),
            Text(120),
            ("单位", "企业名称", "发榜单位"),
            "",
            "示例仪表有限公司",
            required=True,
        ),
        Column("source_title", N_("来源"), Text(300), ("来源标题", "出处"), "", "某市 2026 年攻关榜单汇编"),
        Column("source_url", N_("来源网址"), Text(500), ("网址", "链接")),
        Column("lang", N_("语言"), Text(20)),
        Column("keywords", N_("关键词"), Words(10, 40), ("标签",), N_("用顿号分开")),
        Column("extra", N_("其他"), JsonText(), (), N_("JSON 对象，一般留空")),
    )

    def scope_of(self, scope: Scope) -> ColumnElement[bool]:
        return true()

    def blank(self) -> Values:
        return {column.name: column.codec.blank for column in self.columns}

    def find(
        self, scope: Scope, *, numbers: Sequence[str], ids: Sequence[int], titles: Sequence[str]
    ) -> list[Standing]:
        taken = (
            {number for kind in EntryKind for number in importer_for(kind).existing(numbers)}
            if numbers
            else ()
        )
        return [
            # Ids of three tables would meet: none of them is needed, each row is known by its number.
            Standing(-1 - place, 0, number, "", {"id": number}, left_alone=LEFT_ALONE)
            for place, number in enumerate(sorted(taken))
        ]

    def obstacles(self, values: Values, *, published: bool, now: datetime) -> Iterator[Obstacle]:
        try:
            entry_of(values)
        except ValidationError as error:
            for one in error.errors():
                yield Obstacle(str(one["loc"][0]) if one["loc"] else "", in_chinese(one))

    def stored(self, values: Values) -> Stored:
        return Stored(entry_of(values).model_dump(mode="json"))

    def fresh(self, scope: Scope, *, now: datetime) -> Values:
        return {}

    def take_over(self, staged: StagedImport, *, by: Actor, now: datetime) -> int:
        """Take all new entries in by the act of collected imports."""
        rows = db.session.execute(
            select(StagedRow.line, StagedRow.stored)
            .where(StagedRow.import_id == staged.id, StagedRow.verdict == Verdict.NEW)
            .order_by(StagedRow.line)
        )
        reading = Reading(file_name=staged.file_name, sha256=staged.sha256)
        for line, stored in rows:
            entry = CollectedEntry.model_validate(stored["row"])
            reading.entries.append(entry)
            reading.lines[entry.id] = line
        if services.find_conflicts(reading):
            raise Outdated
        return services.import_collected(reading, by=by, now=now).rows


def entry_of(values: Values) -> CollectedEntry:
    taken = {name: value for name, value in values.items() if name != "keywords"}
    extra = dict(values["extra"])
    if values["keywords"]:
        extra["keywords"] = "、".join(values["keywords"])
    return CollectedEntry.model_validate({**taken, "kind": values["kind"], "extra": extra})
