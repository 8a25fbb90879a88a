"""Halls as files: the rows of a public list with its filters, whole and not by pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import selectinload

from marketplace.exchange.exports import ExportColumn, Rows, in_chunks
from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.texts import N_
from marketplace.postings.importing import Indicators
from marketplace.postings.listing import Facet, ListQuery, Order
from marketplace.search import queries as search
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme


def hall_rows(
    entity: Any,
    args: Mapping[str, str],
    *,
    visible: Select[Any],
    facets: Sequence[Facet],
    orders: Sequence[Order],
    loads: Sequence[str] = (),
) -> Rows:
    """What the hall shows for these filters, in its order. Only what the hall's own statement selects."""
    query = ListQuery.from_args(args, [facet.name for facet in facets])
    conditions = [facet.condition(query.value(facet.name)) for facet in facets if query.value(facet.name)]
    order = next((o for o in orders if o.value == query.sort), orders[0])
    statement = (
        visible.options(*(selectinload(getattr(entity, name)) for name in loads))
        .where(*search.holds(entity.__tablename__, entity.id, query.q), *conditions)
        .order_by(*order.whole(), entity.id.desc())
    )
    return in_chunks(statement, entity)


def opening_columns(lifecycle: Lifecycle, title: str) -> list[ExportColumn]:
    """What every public list begins with."""
    return [
        ExportColumn(N_("编号"), lambda p: p.public_no),
        ExportColumn(title, lambda p: p.title),
        ExportColumn(N_("单位"), lambda p: p.organisation.name),
        ExportColumn(N_("状态"), lambda p: lifecycle.label(p.status)),
        ExportColumn(
            N_("所属产业集群"), lambda p: "、".join(taxonomy.cluster_names(c.code for c in p.clusters))
        ),
        ExportColumn(N_("国民经济行业"), lambda p: taxonomy.name_of(Scheme.INDUSTRY, p.industry)),
        ExportColumn(N_("地区"), lambda p: taxonomy.region_name(p.region)),
        ExportColumn(N_("关键词"), lambda p: "、".join(p.keywords)),
    ]


def closing_columns() -> list[ExportColumn]:
    """What every public list ends with."""
    return [
        ExportColumn(N_("发布时间"), lambda p: p.published_at),
        ExportColumn(N_("来源"), lambda p: p.source_title),
        ExportColumn(N_("来源网址"), lambda p: p.source_url),
    ]


def indicators_cell(rows: Sequence[Any]) -> str:
    """Indicators as the import reads them."""
    return str(Indicators().write([row.as_indicator() for row in rows]))
