"""The forms of a need list and of one of its lines, as the frozen draft that rules and services take."""

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from marketplace.kernel.errors import Obstacle
from marketplace.kernel.forms import (
    Choice,
    Choices,
    Date,
    Flag,
    Form,
    LongText,
    Money,
    Number,
    Text,
    Version,
)
from marketplace.needs.rules import LONGEST_ITEM, LONGEST_SPECIFICATION, NeedDraft, limits
from marketplace.postings.forms import IndicatorRows
from marketplace.postings.rules import MOST_CHAIN_LINKS, MOST_CLUSTERS
from marketplace.postings.texts import split_words
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.queries import chain_link_pairs, cluster_pairs, flat_pairs, region_pairs

INDICATORS = "indicators"


class NeedListForm(Form):
    version = Version()
    title = Text(_l("清单名称"), limit=200, least=4, required=True)
    note = LongText(_l("说明"), limit=4000, rows=4)


class NeedForm(Form):
    version = Version()
    title = Text(_l("标的名称"), limit=LONGEST_ITEM, required=True)
    specification = LongText(_l("技术规格"), limit=LONGEST_SPECIFICATION, rows=7)
    quantity = Number(_l("数量"), least=0)
    unit = Text(_l("计量单位"), limit=20)
    region = Choice(_l("交货地点"), pairs=region_pairs)
    delivery_on = Date(_l("交货日期"))
    valid_until = Date(_l("有效期至"))
    qualification = Text(_l("资格要求"), limit=300)
    max_price = Money(_l("最高限价（单价，含税）"), unit="yuan")
    max_price_hidden = Flag(_l("最高限价不公开"))
    keywords = Text(_l("关键词"), limit=320)
    clusters = Choices(_l("所属产业集群"), pairs=cluster_pairs, most=MOST_CLUSTERS)
    chain_links = Choices(_l("所在产业链环节"), pairs=chain_link_pairs, most=MOST_CHAIN_LINKS, boxes=False)
    industry = Choice(_l("国民经济行业"), pairs=lambda: flat_pairs(Scheme.INDUSTRY))


def form_showing(draft: NeedDraft, *, version: int) -> tuple[NeedForm, IndicatorRows]:
    """The form filled from a draft."""
    form = NeedForm(
        formdata=None,
        data={
            "version": version,
            "title": draft.title,
            "specification": draft.specification,
            "quantity": draft.quantity,
            "unit": draft.unit,
            "region": draft.region,
            "delivery_on": draft.delivery_on,
            "valid_until": draft.valid_until,
            "qualification": draft.qualification,
            "max_price": draft.max_price_fen,
            "max_price_hidden": draft.max_price_hidden,
            "keywords": "、".join(draft.keywords),
            "clusters": list(draft.clusters),
            "chain_links": list(draft.chain_links),
            "industry": draft.industry,
        },
    )
    return form, IndicatorRows.showing(draft.indicators, INDICATORS)


def read_form(form: NeedForm, posted: MultiDict[str, str]) -> tuple[NeedDraft, IndicatorRows, list[Obstacle]]:
    """What was typed, with an obstacle for whatever could not be stored as it stands."""
    rows = IndicatorRows.from_form(posted, INDICATORS)
    indicators, obstacles = rows.read()
    keywords = split_words(form.keywords.data or "")
    draft = NeedDraft(
        title=form.title.data or "",
        specification=form.specification.data or "",
        quantity=form.quantity.data,
        unit=form.unit.data or "",
        region=form.region.data,
        delivery_on=form.delivery_on.data,
        valid_until=form.valid_until.data,
        qualification=form.qualification.data or "",
        max_price_fen=form.max_price.data,
        max_price_hidden=bool(form.max_price_hidden.data),
        keywords=tuple(keywords),
        clusters=tuple(form.clusters.data),
        chain_links=tuple(form.chain_links.data),
        industry=form.industry.data,
        indicators=tuple(indicators),
    )
    return draft, rows, [*obstacles, *limits(draft)]
