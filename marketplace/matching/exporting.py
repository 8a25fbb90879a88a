"""A shortlist as a file, for whom the whole list is shown: its owner, the operator and the auditor."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from marketplace.challenges.queries import get_challenge
from marketplace.exchange.exports import ExportColumn, ExportedList, Rows
from marketplace.kernel.access import SIGNED_IN
from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import NotFound
from marketplace.kernel.texts import N_
from marketplace.matching import presenters, queries
from marketplace.matching.engine.weights import PART_NAMES
from marketplace.matching.explanations import PART_LABELS
from marketplace.matching.models import PostingKind
from marketplace.needs.queries import get_need


def _rows(args: Mapping[str, str], actor: Actor, _now: datetime) -> Rows:
    number = args.get("number", "")
    if args.get("kind") == "needs":
        kind, seeker = PostingKind.NEED, get_need(number, viewer=actor)
    else:
        kind, seeker = PostingKind.CHALLENGE, get_challenge(number, viewer=actor)  # type: ignore[assignment]
    run = queries.find_run(kind, seeker.id)
    if run is None or not queries.may_read(seeker, actor):
        raise NotFound(number)
    rows = [presenters.row(line) for line in queries.list_lines(run.id)]
    return Rows(len(rows), rows)


def _points(row: presenters.Row, *, place: int) -> float:
    return row.parts[place][1]


def _columns(_actor: Actor) -> list[ExportColumn]:
    parts = [
        ExportColumn(PART_LABELS[name], partial(_points, place=place))
        for place, name in enumerate(PART_NAMES)
    ]
    return [
        ExportColumn(N_("名次"), lambda row: row.place),
        ExportColumn(N_("得分"), lambda row: row.score),
        *parts,
        ExportColumn(N_("能力编号"), lambda row: row.capability.public_no),
        ExportColumn(N_("能力"), lambda row: row.capability.title),
        ExportColumn(N_("单位"), lambda row: row.organisation.name),
        ExportColumn(N_("地区"), lambda row: row.region),
        ExportColumn(N_("技术成熟度"), lambda row: row.trl),
        ExportColumn(N_("满足的指标"), lambda row: row.met),
        ExportColumn(N_("要求的指标"), lambda row: row.asked),
        ExportColumn(N_("优势"), lambda row: "；".join(row.strong)),
        ExportColumn(N_("不足"), lambda row: "；".join(row.weak)),
    ]


def lists() -> list[ExportedList]:
    return [ExportedList("matching.shortlist", N_("推荐名单"), SIGNED_IN, _columns, _rows)]
