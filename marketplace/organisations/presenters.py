"""Organisations as pages show them: names of codes, facets, both sides of a conflict."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from marketplace.kernel import money
from marketplace.kernel.dates import business_date
from marketplace.kernel.filters import listed
from marketplace.kernel.texts import N_
from marketplace.organisations import queries
from marketplace.organisations.kinds import (
    DESIGNATION_NAMES,
    KIND_NAMES,
    SIZE_NAMES,
    DesignationKind,
    OrganisationKind,
    OrganisationSize,
)
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Designation, Organisation
from marketplace.organisations.queries import Wanted
from marketplace.organisations.rules import REMINDERS, OrganisationDraft
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

# Where an operator may say what is to be mended: field → its name.
REASON_FIELDS = {
    "name": N_("单位名称"),
    "uscc": N_("统一社会信用代码"),
    "kind": N_("单位类型"),
    "size": N_("规模"),
    "clusters": N_("所属产业集群"),
    "summary": N_("单位简介"),
    "region": N_("所在地区"),
    "contact_name": N_("联系人"),
    "contact_phone": N_("联系电话"),
    "designations": N_("资质称号"),
    "licence": N_("营业执照"),
}


def kind_name(kind: OrganisationKind | None) -> str:
    return "" if kind is None else str(_(KIND_NAMES[kind]))


def size_name(size: OrganisationSize | None) -> str:
    return "" if size is None else str(_(SIZE_NAMES[size]))


def designation_name(kind: DesignationKind) -> str:
    return str(_(DESIGNATION_NAMES[kind]))


def cluster_text(organisation: Organisation) -> str:
    return listed(taxonomy.cluster_names(cluster.code for cluster in organisation.clusters))


# --- the public list ------------------------------------------------------------------------------------


def wanted_from(args: Mapping[str, str]) -> Wanted:
    """What a URL asks for; what is not known there is left aside."""
    kind, designation = args.get("kind", ""), args.get("designation", "")
    cluster, region = args.get("cluster", "")[:20], args.get("region", "")[:20]
    return Wanted(
        q=args.get("q", "").strip()[:100],
        kind=next((known for known in KIND_NAMES if known == kind), None),
        clusters=tuple(taxonomy.codes_under(Scheme.CLUSTER, cluster)) if cluster else (),
        regions=tuple(taxonomy.codes_under(Scheme.REGION, region)) if region else (),
        designation=next((known for known in DESIGNATION_NAMES if known == designation), None),
        size=next((known for known in SIZE_NAMES if known == args.get("size", "")), None),
        standing=next((known for known in queries.LISTED if known == args.get("standing", "")), None),
        order=args.get("sort", ""),
    )


def facets() -> list[dict[str, Any]]:
    """The rows of choices above the public list."""
    provinces = taxonomy.list_nodes(Scheme.REGION, parent="")
    districts = taxonomy.list_nodes(Scheme.REGION, parent="500000")
    first = [node for node in provinces if node.code == "500000"]
    others = [node for node in provinces if node.code != "500000"]
    return [
        {
            "name": "designation",
            "label": _("称号"),
            "options": [{"value": k.value, "label": _(n)} for k, n in DESIGNATION_NAMES.items()],
        },
        {
            "name": "kind",
            "label": _("类型"),
            "options": [{"value": k.value, "label": _(n)} for k, n in KIND_NAMES.items()],
        },
        {
            "name": "size",
            "label": _("规模"),
            "options": [{"value": k.value, "label": _(n)} for k, n in SIZE_NAMES.items()],
        },
        {
            "name": "cluster",
            "label": _("集群"),
            "options": [
                {"value": node.code, "label": node.name}
                for node in taxonomy.list_nodes(Scheme.CLUSTER)
                if node.parent_code
            ],
        },
        {
            "name": "region",
            "label": _("地区"),
            "options": [{"value": n.code, "label": n.name} for n in [*first, *districts, *others]],
        },
        {
            "name": "standing",
            "label": _("状态"),
            "options": [
                {"value": OrganisationStatus.VERIFIED.value, "label": _("已核验")},
                {"value": OrganisationStatus.UNCLAIMED.value, "label": _("收录，未认领")},
            ],
        },
    ]


# --- both sides of a conflict ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """Values to be sent along, several under one name where need be."""

    pairs: tuple[tuple[str, str], ...]

    def items(self) -> tuple[tuple[str, str], ...]:
        return self.pairs


def conflict_rows(
    labels: Mapping[str, str], fields: Iterable[str], mine: OrganisationDraft, theirs: OrganisationDraft
) -> list[tuple[str, str | None, str, str]]:
    """(label, editable name or None, what this person wrote, what now stands) of each field of a step."""
    rows: list[tuple[str, str | None, str, str]] = []
    for name in fields:
        if name in _CODED:
            show = _CODED[name]
            rows.append((labels[name], None, show(mine), show(theirs)))
        else:
            rows.append((labels[name], name, _as_typed(mine, name), _as_typed(theirs, name)))
    return rows


def _as_typed(draft: OrganisationDraft, name: str) -> str:
    value = getattr(draft, name)
    if value is None:
        return ""
    return money.in_wan(value) if name == "revenue_fen" else str(value)


def _show_designations(draft: OrganisationDraft) -> str:
    return "\n".join(
        " ".join(
            filter(
                None,
                (
                    designation_name(d.kind),
                    d.number,
                    d.issuer,
                    d.valid_to.isoformat() if d.valid_to else "",
                ),
            )
        )
        for d in draft.designations
    )


_CODED = {
    "kind": lambda draft: kind_name(draft.kind),
    "size": lambda draft: size_name(draft.size),
    "region": lambda draft: taxonomy.region_name(draft.region),
    "clusters": lambda draft: listed(taxonomy.cluster_names(draft.clusters)),
    "designations": _show_designations,
}


def sent_along(fields: Iterable[str], mine: OrganisationDraft, *, version: int) -> Sent:
    """What this person chose in the fields that a conflict page only shows."""
    return Sent((("version", str(version)), *_hidden(fields, mine)))


def _hidden(fields: Iterable[str], draft: OrganisationDraft) -> Iterator[tuple[str, str]]:
    for name in fields:
        if name == "clusters":
            yield from (("clusters", code) for code in draft.clusters)
        elif name == "designations":
            yield from _hidden_designations(draft)
        elif name in _CODED:
            yield name, getattr(draft, name) or ""


def _hidden_designations(draft: OrganisationDraft) -> Iterator[tuple[str, str]]:
    for number, designation in enumerate(draft.designations):
        at = f"designations-{number}"
        yield f"{at}-kind", designation.kind.value
        yield f"{at}-number", designation.number
        yield f"{at}-issuer", designation.issuer
        yield f"{at}-issued_on", designation.issued_on.isoformat() if designation.issued_on else ""
        yield f"{at}-valid_to", designation.valid_to.isoformat() if designation.valid_to else ""


def designation_state(designation: Designation, *, now: datetime) -> str:
    """expired, ending (confirmed, and over within three months), confirmed or open."""
    today = business_date(now)
    if designation.valid_to is not None and designation.valid_to < today:
        return "expired"
    if designation.confirmed_at is None:
        return "open"
    ends_soon = designation.valid_to is not None and designation.valid_to <= today + timedelta(REMINDERS[0])
    return "ending" if ends_soon else "confirmed"
