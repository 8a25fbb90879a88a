"""How capabilities are shown."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext

from marketplace.capabilities.kinds import IP_LABELS, KIND_LABELS, MATURITY_LABELS
from marketplace.capabilities.models import Capability, CapabilityChainLink, CapabilityCluster
from marketplace.capabilities.rules import CapabilityDraft, CertificateDraft
from marketplace.kernel.filters import listed
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
    cooperation_name,
    list_nodes,
    name_of,
    region_name,
    trl_name,
)
from marketplace.taxonomy.regions import wider_regions


def facets() -> list[Facet]:
    """The rows of choices on the public list."""
    return [
        Facet(
            "cluster",
            gettext("产业集群"),
            [Option(code, name) for code, name, _group in cluster_pairs()],
            where=lambda code: Capability.clusters.any(CapabilityCluster.code == code),
            group=group_by(CapabilityCluster.code, CapabilityCluster.capability_id),
        ),
        *chain_facets(CapabilityChainLink, CapabilityChainLink.capability_id, Capability.id),
        Facet(
            "kind",
            gettext("类别"),
            [Option(kind.value, gettext(label)) for kind, label in KIND_LABELS.items()],
            where=lambda kind: Capability.kind == kind,
            column=Capability.kind,
        ),
        Facet(
            "maturity",
            gettext("产业化程度"),
            [Option(level.value, gettext(label)) for level, label in MATURITY_LABELS.items()],
            where=lambda level: Capability.maturity == level,
            column=Capability.maturity,
        ),
        Facet(
            "region",
            gettext("地区"),
            [Option(node.code, node.name) for node in list_nodes(Scheme.REGION, parent="")],
            where=in_region(Capability.region),
            column=Capability.region,
            stands_for=wider_regions,
        ),
    ]


def orders() -> list[Order]:
    return [
        Order("new", gettext("最新发布"), (Capability.published_at.desc(),)),
        Order("trl", gettext("技术成熟度"), (Capability.trl.desc().nulls_last(),)),
    ]


def key_facts(capability: Capability) -> list[tuple[str, str]]:
    """Name and value of what is stated; what is not stated is left out by the template."""
    return [
        (gettext("类别"), gettext(KIND_LABELS[capability.kind])),
        (gettext("产业集群"), listed(cluster_names(c.code for c in capability.clusters))),
        (gettext("产业链环节"), listed(chain_link_names(link.code for link in capability.chain_links))),
        (gettext("行业"), name_of(Scheme.INDUSTRY, capability.industry)),
        (gettext("地区"), region_name(capability.region)),
        (gettext("技术成熟度"), trl_name(capability.trl) if capability.trl else ""),
        (
            gettext("产业化程度"),
            gettext(MATURITY_LABELS[capability.maturity]) if capability.maturity else "",
        ),
        (gettext("知识产权"), gettext(IP_LABELS[capability.ip_status]) if capability.ip_status else ""),
        (gettext("合作方式"), listed(cooperation_name(code) for code in capability.cooperation)),
        (gettext("关键词"), listed(capability.keywords)),
    ]


def certificates(capability: Capability, *, today: date) -> list[tuple[str, str, date | None, bool]]:
    """(name, number, valid to, whether it has run out)"""
    return [
        (c.name, c.number, c.valid_to, c.valid_to is not None and c.valid_to < today)
        for c in capability.certificates
    ]


def draft_rows(draft: CapabilityDraft) -> list[tuple[str, str | None, str]]:
    """Every field in words: label, name of the field where its text can be typed again, text."""
    return [
        (gettext("名称"), "title", draft.title),
        (gettext("简介"), "summary", draft.summary),
        (gettext("关键词"), "keywords", listed(draft.keywords)),
        (gettext("类别"), None, gettext(KIND_LABELS[draft.kind])),
        (gettext("产业集群"), None, listed(cluster_names(draft.clusters))),
        (gettext("产业链环节"), None, listed(chain_link_names(draft.chain_links))),
        (gettext("地区"), None, region_name(draft.region)),
        (gettext("行业"), None, name_of(Scheme.INDUSTRY, draft.industry)),
        (gettext("技术成熟度"), None, str(draft.trl or "")),
        (gettext("产业化程度"), None, gettext(MATURITY_LABELS[draft.maturity]) if draft.maturity else ""),
        (gettext("知识产权"), None, gettext(IP_LABELS[draft.ip_status]) if draft.ip_status else ""),
        (gettext("合作方式"), None, listed(cooperation_name(code) for code in draft.cooperation)),
        (gettext("参数"), None, indicators_text(draft.parameters)),
        (gettext("资质证书"), None, "\n".join(_certificate(c) for c in draft.certificates)),
    ]


def _certificate(certificate: CertificateDraft) -> str:
    parts = (certificate.name, certificate.number, certificate.valid_to)
    return " ".join(str(part) for part in parts if part)


def revision_rows(draft: CapabilityDraft) -> list[tuple[str, str]]:
    """The fields as two versions are compared by."""
    return [(label, text) for label, _name, text in draft_rows(draft)]


def conflict_rows(
    yours: CapabilityDraft, theirs: CapabilityDraft
) -> Sequence[tuple[str, str | None, object, object]]:
    """Both texts of a capability that two people changed, field by field."""
    pairs = zip(draft_rows(yours), draft_rows(theirs), strict=True)
    return [(label, name, mine, other) for (label, name, mine), (_label, _name, other) in pairs]
