"""The form of a capability: what was typed, as the frozen draft that rules and services take."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from marketplace.capabilities.kinds import (
    IP_LABELS,
    KIND_LABELS,
    MATURITY_LABELS,
    CapabilityKind,
    IpStatus,
    Maturity,
)
from marketplace.capabilities.rules import (
    LONGEST_SUMMARY,
    LONGEST_TITLE,
    CapabilityDraft,
    CertificateDraft,
)
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.forms import Choice, Choices, Date, Form, LongText, RowForm, Rows, Text, Version
from marketplace.kernel.texts import N_
from marketplace.postings.forms import IndicatorRows
from marketplace.postings.rules import MOST_CHAIN_LINKS, MOST_CLUSTERS, indicator_limits, list_limits
from marketplace.postings.texts import split_words
from marketplace.taxonomy.models import Scheme
from marketplace.taxonomy.queries import (
    chain_link_pairs,
    cluster_pairs,
    cooperation_pairs,
    flat_pairs,
    region_pairs,
    trl_pairs,
)

PARAMETERS = "parameters"


def labelled(labels: Mapping[Any, str]) -> list[tuple[str, str]]:
    return [(value.value, gettext(label)) for value, label in labels.items()]


class CertificateRow(RowForm):
    name = Text(_l("证书名称"), limit=100)
    number = Text(_l("编号"), limit=60)
    valid_to = Date(_l("有效期至"))


class CapabilityForm(Form):
    version = Version()
    kind = Choice(_l("类别"), pairs=lambda: labelled(KIND_LABELS), kind=CapabilityKind, required=True)
    title = Text(_l("名称"), limit=LONGEST_TITLE, required=True)
    summary = LongText(_l("简介"), limit=LONGEST_SUMMARY, rows=8)
    keywords = Text(_l("关键词"), limit=320)
    clusters = Choices(_l("所属产业集群"), pairs=cluster_pairs, most=MOST_CLUSTERS)
    chain_links = Choices(_l("所在产业链环节"), pairs=chain_link_pairs, most=MOST_CHAIN_LINKS, boxes=False)
    industry = Choice(_l("国民经济行业"), pairs=lambda: flat_pairs(Scheme.INDUSTRY))
    region = Choice(_l("所在地区"), pairs=region_pairs)
    trl = Choice(_l("技术成熟度（TRL）"), pairs=trl_pairs)
    maturity = Choice(_l("产业化程度"), pairs=lambda: labelled(MATURITY_LABELS), kind=Maturity)
    ip_status = Choice(_l("知识产权状态"), pairs=lambda: labelled(IP_LABELS), kind=IpStatus)
    cooperation = Choices(_l("可接受的合作方式"), pairs=cooperation_pairs)
    certificates = Rows(CertificateRow, _l("资质证书"), most=20)


def form_showing(draft: CapabilityDraft, *, version: int) -> tuple[CapabilityForm, IndicatorRows]:
    """The form filled from a draft."""
    form = CapabilityForm(
        formdata=None,
        data={
            "version": version,
            "kind": draft.kind,
            "title": draft.title,
            "summary": draft.summary,
            "keywords": "、".join(draft.keywords),
            "clusters": list(draft.clusters),
            "chain_links": list(draft.chain_links),
            "industry": draft.industry,
            "region": draft.region,
            "trl": str(draft.trl) if draft.trl else None,
            "maturity": draft.maturity,
            "ip_status": draft.ip_status,
            "cooperation": list(draft.cooperation),
            "certificates": [
                {"name": c.name, "number": c.number, "valid_to": c.valid_to} for c in draft.certificates
            ],
        },
    )
    return form, IndicatorRows.showing(draft.parameters, PARAMETERS)


def read_form(
    form: CapabilityForm, posted: MultiDict[str, str]
) -> tuple[CapabilityDraft, IndicatorRows, list[Obstacle]]:
    """What was typed, with an obstacle for whatever could not be stored as it stands."""
    rows = IndicatorRows.from_form(posted, PARAMETERS)
    parameters, obstacles = rows.read()
    keywords = split_words(form.keywords.data or "")
    draft = CapabilityDraft(
        title=form.title.data or "",
        kind=form.kind.data or CapabilityKind.CAPABILITY,
        summary=form.summary.data or "",
        trl=int(form.trl.data) if form.trl.data else None,
        maturity=form.maturity.data,
        ip_status=form.ip_status.data,
        cooperation=tuple(form.cooperation.data),
        keywords=tuple(keywords),
        clusters=tuple(form.clusters.data),
        chain_links=tuple(form.chain_links.data),
        industry=form.industry.data,
        region=form.region.data,
        parameters=tuple(parameters),
        certificates=tuple(
            CertificateDraft(row["name"], row["number"], row["valid_to"]) for row in form.certificates.filled
        ),
    )
    obstacles += [
        Obstacle(f"{entry.name}-name", N_("请填写证书名称；清空整行即删除此项"))
        for entry in form.certificates.entries
        if not entry.form.is_blank and not entry.form["name"].data
    ]
    obstacles += indicator_limits(parameters, PARAMETERS)
    obstacles += list_limits(keywords, form.clusters.data, form.chain_links.data)
    return draft, rows, obstacles
