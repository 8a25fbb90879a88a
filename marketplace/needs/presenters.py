"""How need lists and their lines are shown. A hidden price is shown nowhere but in its owner's form."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from flask_babel import gettext
from sqlalchemy import or_

from marketplace.kernel.filters import listed
from marketplace.kernel.money import in_yuan
from marketplace.needs.models import Need, NeedChainLink, NeedCluster
from marketplace.needs.rules import NeedDraft
from marketplace.postings.codes import chain_facets
from marketplace.postings.forms import indicators_text
from marketplace.postings.listing import (
    Facet,
    Option,
    Order,
    group_by,
    in_region,
)
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.queries import (
    chain_link_names,
    cluster_names,
    cluster_pairs,
    list_nodes,
    name_of,
    region_name,
)
from marketplace.taxonomy.regions import wider_regions


def facets(*, now: datetime) -> list[Facet]:
    """The rows of choices on the public list."""
    validity = {
        "open": or_(Need.expires_at.is_(None), Need.expires_at > now),
        "expired": Need.expires_at <= now,
    }
    return [
        Facet(
            "cluster",
            gettext("产业集群"),
            [Option(code, name) for code, name, _group in cluster_pairs()],
            where=lambda code: Need.clusters.any(NeedCluster.code == code),
            group=group_by(NeedCluster.code, NeedCluster.need_id),
        ),
        *chain_facets(NeedChainLink, NeedChainLink.need_id, Need.id),
        Facet(
            "industry",
            gettext("行业"),
            [Option(node.code, node.name) for node in list_nodes(Scheme.INDUSTRY)],
            where=lambda code: Need.industry == code,
            column=Need.industry,
        ),
        Facet(
            "region",
            gettext("交货地点"),
            [Option(node.code, node.name) for node in list_nodes(Scheme.REGION, parent="")],
            where=in_region(Need.region),
            column=Need.region,
            stands_for=wider_regions,
        ),
        Facet(
            "validity",
            gettext("有效期"),
            [Option("open", gettext("有效")), Option("expired", gettext("已到期"))],
            where=lambda value: validity[value],
        ),
    ]


def orders() -> list[Order]:
    return [
        Order("new", gettext("最新发布"), (Need.published_at.desc(),)),
        Order("expiry", gettext("有效期"), (Need.expires_at.asc().nulls_last(),)),
    ]


def quantity_text(quantity: Decimal | None, unit: str) -> str:
    return "" if quantity is None else f"{quantity.normalize():,f} {unit}".strip()


def key_facts(need: Need) -> list[tuple[str, str]]:
    """Name and value of what is stated and public."""
    return [
        (gettext("数量"), quantity_text(need.quantity, need.unit)),
        (gettext("最高限价"), f"{in_yuan(need.max_price_fen)} {gettext('元')}" if need.max_price_fen else ""),
        (gettext("交货地点"), region_name(need.region)),
        (gettext("交货日期"), need.delivery_on.isoformat() if need.delivery_on else ""),
        (gettext("资格要求"), need.qualification),
        (gettext("产业集群"), listed(cluster_names(c.code for c in need.clusters))),
        (gettext("产业链环节"), listed(chain_link_names(link.code for link in need.chain_links))),
        (gettext("行业"), name_of(Scheme.INDUSTRY, need.industry)),
        (gettext("关键词"), listed(need.keywords)),
    ]


def draft_rows(draft: NeedDraft) -> list[tuple[str, str | None, str]]:
    """Every field in words: label, name of the field where its text can be typed again, text."""
    price = f"{in_yuan(draft.max_price_fen)} {gettext('元')}" if draft.max_price_fen else ""
    hidden = gettext("（不公开）") if draft.max_price_hidden else ""
    return [
        (gettext("标的名称"), "title", draft.title),
        (gettext("技术规格"), "specification", draft.specification),
        (gettext("资格要求"), "qualification", draft.qualification),
        (gettext("关键词"), "keywords", listed(draft.keywords)),
        (gettext("数量"), None, quantity_text(draft.quantity, draft.unit)),
        (gettext("最高限价"), None, price + hidden),
        (gettext("交货地点"), None, region_name(draft.region)),
        (gettext("交货日期"), None, str(draft.delivery_on or "")),
        (gettext("有效期至"), None, str(draft.valid_until or "")),
        (gettext("产业集群"), None, listed(cluster_names(draft.clusters))),
        (gettext("产业链环节"), None, listed(chain_link_names(draft.chain_links))),
        (gettext("行业"), None, name_of(Scheme.INDUSTRY, draft.industry)),
        (gettext("规格指标"), None, indicators_text(draft.indicators)),
    ]


def revision_rows(draft: NeedDraft) -> list[tuple[str, str]]:
    """The fields as two versions are compared by."""
    return [(label, text) for label, _name, text in draft_rows(draft)]


def conflict_rows(yours: NeedDraft, theirs: NeedDraft) -> Sequence[tuple[str, str | None, object, object]]:
    """Both texts of a line that two people changed, field by field."""
    pairs = zip(draft_rows(yours), draft_rows(theirs), strict=True)
    return [(label, name, mine, other) for (label, name, mine), (_label, _name, other) in pairs]
