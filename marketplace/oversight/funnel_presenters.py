"""The funnel in words: names of stages and bands, the rows of its tables, and where each number leads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext

from marketplace.engagement.kinds import APPROACH_NAMES, ApproachKind
from marketplace.kernel.texts import N_
from marketplace.oversight import funnel
from marketplace.oversight.funnel import Behind, Exposure, Scope
from marketplace.taxonomy import queries as taxonomy

STAGE_NAMES = {
    "posted": N_("发布"),
    "ranked": N_("有推荐"),
    "shown": N_("已展示"),
    "opened": N_("已查看"),
    "invited": N_("已邀请"),
    "replied": N_("已答复"),
    "agreed": N_("已同意"),
}
KIND_NAMES = {"challenge": N_("榜单"), "need": N_("需求")}
DIMENSION_NAMES = {"month": N_("按月份"), "cluster": N_("按产业集群"), "region": N_("按地区")}
CAPABLE_NAMES = {"0": N_("0 家"), "1": N_("1 家"), "2": N_("2 家"), "3": N_("3 家以上")}


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, and the address of the rows that it counts."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    cells: list[Cell]
    note: str = ""


def _rows_url(scope: Scope, **what: Any) -> str:
    return url_for("oversight.funnel_rows", **query_of(scope), **what)


def query_of(scope: Scope) -> dict[str, Any]:
    """A scope as it stands in an address."""
    given = {
        "kind": scope.kind,
        "cluster": scope.cluster,
        "region": scope.region,
        "months": str(scope.months),
    }
    return {name: value for name, value in given.items() if value}


def stage_lines(stages: Sequence[int], scope: Scope) -> list[Line]:
    """One line for each stage with what part of the stage before came as far."""
    lines = []
    for place, (stage, count) in enumerate(zip(funnel.STAGES, stages, strict=True)):
        before = stages[place - 1] if place else 0
        share = f"{count / before * 100:.1f}%" if before else "—"
        cell = Cell(count, _rows_url(scope, what="stage", value=stage))
        lines.append(Line(gettext(STAGE_NAMES[stage]), [cell], share))
    return lines


def group_lines(dimension: str, groups: Mapping[str, Sequence[int]], scope: Scope) -> list[Line]:
    """One line for each month, cluster or region."""
    return [
        Line(
            _group_name(dimension, key),
            [
                Cell(count, _rows_url(scope, what="stage", value=stage, by=dimension, key=key))
                for stage, count in zip(funnel.STAGES, counts, strict=True)
            ],
        )
        for key, counts in groups.items()
    ]


def _group_name(dimension: str, key: str) -> str:
    if dimension == "cluster":
        return taxonomy.cluster_name(key) or key
    if dimension == "region":
        return taxonomy.region_name(key) or gettext("没有填写")
    return key


def capable_lines(counted: Mapping[tuple[str, str], int], scope: Scope) -> list[Line]:
    return [
        Line(
            gettext(CAPABLE_NAMES[band]),
            [
                Cell(
                    counted.get((kind, band), 0),
                    _rows_url(_only(scope, kind), what="capable", value=band),
                )
                for kind in KIND_NAMES
            ],
        )
        for band in funnel.CAPABLE_BANDS
    ]


def _only(scope: Scope, kind: str) -> Scope:
    return Scope(kind, scope.cluster, scope.region, scope.months)


def band_name(ends: Sequence[int], place: int) -> str:
    """Whole days that have passed, such as "3–6 天"; the last band is open."""
    if place == len(ends):
        return str(gettext("%(days)s 天以上", days=ends[-1]))
    least = ends[place - 1] if place else 0
    return str(gettext("%(least)s–%(most)s 天", least=least, most=ends[place] - 1))


def waiting_lines(counted: Mapping[tuple[str, int], int], scope: Scope) -> list[Line]:
    ends = funnel.WAITING_BANDS
    return [
        Line(
            band_name(ends, place),
            [
                Cell(
                    counted.get((kind.value, place), 0),
                    _rows_url(scope, what="waiting", value=place),
                )
                for kind in ApproachKind
            ],
        )
        for place in range(len(ends) + 1)
    ]


def silent_lines(counted: Mapping[tuple[str, int], int], scope: Scope) -> list[Line]:
    ends = funnel.SILENT_BANDS
    return [
        Line(
            band_name(ends, place),
            [
                Cell(counted.get((kind, place), 0), _rows_url(_only(scope, kind), what="silent", value=place))
                for kind in KIND_NAMES
            ],
        )
        for place in range(len(ends) + 1)
    ]


def firm_lines(exposure: Exposure, scope: Scope) -> list[Line]:
    return [
        Line(
            firm.name,
            [
                Cell(count, _rows_url(scope, what="firm", value=firm.organisation_id))
                for count in (firm.shown, firm.invited, firm.agreed)
            ],
        )
        for firm in exposure.firms
    ]


def facets(scope: Scope) -> list[dict[str, Any]]:
    """The filters, in the shape of `ui.facets`."""
    months = [
        {"value": str(count), "label": gettext("近 %(count)s 个月", count=count), "count": None}
        for count in funnel.MONTHS
        if count != 12
    ]
    kinds = [{"value": kind, "label": label, "count": None} for kind, label in KIND_NAMES.items()]
    clusters = [
        {"value": code, "label": name, "count": None} for code, name, _tier in taxonomy.cluster_pairs()
    ]
    rows: list[dict[str, Any]] = [
        {"name": "months", "label": N_("发布时间"), "options": months},
        {"name": "kind", "label": N_("对象"), "options": kinds},
        {"name": "cluster", "label": N_("产业集群"), "options": clusters},
    ]
    if scope.region:
        region = {
            "value": scope.region,
            "label": taxonomy.region_name(scope.region) or scope.region,
            "count": None,
        }
        rows.append({"name": "region", "label": N_("地区"), "options": [region]})
    return rows


def heading(behind: Behind) -> str:
    """What the rows behind a figure are."""
    if behind.what == "capable":
        band = gettext(CAPABLE_NAMES.get(behind.value, CAPABLE_NAMES["0"]))
        return str(gettext("合格供方 %(band)s的在榜榜单与有效需求", band=band))
    if behind.what == "silent":
        place = funnel.number_of(behind.value, most=len(funnel.SILENT_BANDS))
        return str(gettext("发布 %(band)s无人问津的", band=band_name(funnel.SILENT_BANDS, place)))
    if behind.what == "waiting":
        place = funnel.number_of(behind.value, most=len(funnel.WAITING_BANDS))
        return str(gettext("等待答复 %(band)s的邀请和意向", band=band_name(funnel.WAITING_BANDS, place)))
    if behind.what == "firm":
        return str(gettext("一家单位被展示和邀请的情况"))
    stage = gettext(STAGE_NAMES.get(behind.value, STAGE_NAMES["posted"]))
    if behind.dimension:
        group = _group_name(behind.dimension, behind.key)
        return str(gettext("到达“%(stage)s”的榜单与需求：%(group)s", stage=stage, group=group))
    return str(gettext("到达“%(stage)s”的榜单与需求", stage=stage))


def posting_url(kind: str, public_no: str) -> str:
    return url_for("challenges.show" if kind == "challenge" else "needs.show", public_no=public_no)


def shortlist_url(kind: str, public_no: str) -> str:
    path = "challenges" if kind == "challenge" else "needs"
    return url_for("matching.shortlist", kind=path, public_no=public_no)


def stage_name(reached: int) -> str:
    return str(gettext(STAGE_NAMES[funnel.STAGES[reached]]))


def approach_name(kind: ApproachKind) -> str:
    return str(gettext(APPROACH_NAMES[kind]))


def days_since(moment: datetime, now: datetime) -> int:
    return (now - moment).days
