"""Reading reference data. The current nodes are few and change with releases, so each process keeps them.

Once a minute a process asks whether something was loaded since; in between, names cost no statement.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy import func, select

from marketplace.kernel.db import db
from marketplace.taxonomy.models import Scheme, TaxonomyNode

SECONDS_BETWEEN_LOOKS = 60.0
_KEY = "taxonomy.snapshot"


@dataclass(frozen=True, slots=True)
class Node:
    code: str
    parent_code: str | None
    name: str
    confirmed: bool
    source: str
    version: str
    is_current: bool


@dataclass(slots=True)
class Snapshot:
    """All nodes by scheme and code, in their order; of a code with several versions the newest."""

    fingerprint: tuple[int, int]
    looked_at: float
    nodes: dict[Scheme, dict[str, Node]] = field(default_factory=dict)
    children: dict[tuple[Scheme, str], list[str]] = field(default_factory=dict)


def forget_snapshot() -> None:
    current_app.extensions.pop(_KEY, None)


def _snapshot() -> Snapshot:
    kept: Snapshot | None = current_app.extensions.get(_KEY)
    now = time.monotonic()
    if kept and now - kept.looked_at < SECONDS_BETWEEN_LOOKS:
        return kept
    count, newest = db.session.execute(select(func.count(), func.max(TaxonomyNode.id))).one()
    fingerprint = (count, newest or 0)
    if kept and kept.fingerprint == fingerprint:
        kept.looked_at = now
        return kept
    made = Snapshot(fingerprint, now)
    statement = select(TaxonomyNode).order_by(
        TaxonomyNode.scheme, TaxonomyNode.valid_from, TaxonomyNode.position, TaxonomyNode.id
    )
    for row in db.session.scalars(statement):
        made.nodes.setdefault(row.scheme, {})[row.code] = Node(
            row.code,
            row.parent_code,
            row.name,
            row.confirmed,
            row.source,
            row.version,
            row.valid_to is None,
        )
    for scheme, nodes in made.nodes.items():
        for node in nodes.values():
            if node.is_current and node.parent_code:
                made.children.setdefault((scheme, node.parent_code), []).append(node.code)
    # An empty table is about to be filled; it is not worth remembering.
    if count:
        current_app.extensions[_KEY] = made
    return made


def find_node(scheme: Scheme | str, code: str | None) -> Node | None:
    return _snapshot().nodes.get(Scheme(scheme), {}).get(code or "")


def name_of(scheme: Scheme | str, code: str | None) -> str:
    """The name of a code; of an unknown one the code itself, so that nothing disappears from a page."""
    node = find_node(scheme, code)
    return node.name if node else (code or "")


def cluster_name(code: str | None) -> str:
    return name_of(Scheme.CLUSTER, code)


def cluster_names(codes: Iterable[str]) -> list[str]:
    return [cluster_name(code) for code in codes]


def region_name(code: str | None, *, full: bool = True) -> str:
    """重庆市渝北区, or without `full` only 渝北区."""
    node = find_node(Scheme.REGION, code)
    if node is None:
        return code or ""
    parent = find_node(Scheme.REGION, node.parent_code) if full and node.parent_code else None
    return f"{parent.name}{node.name}" if parent else node.name


def cooperation_name(code: str | None) -> str:
    return name_of(Scheme.COOPERATION, code)


def trl_name(level: int | None) -> str:
    return "" if level is None else name_of(Scheme.TRL, str(level))


def list_nodes(scheme: Scheme | str, *, parent: str | None = None) -> list[Node]:
    """The current nodes in their order; with `parent` only its children, with "" only the topmost."""
    nodes = (node for node in _snapshot().nodes.get(Scheme(scheme), {}).values() if node.is_current)
    return [node for node in nodes if parent is None or (node.parent_code or "") == parent]


def is_current(scheme: Scheme | str, code: str | None) -> bool:
    node = find_node(scheme, code)
    return node is not None and node.is_current


def codes_under(scheme: Scheme | str, code: str) -> list[str]:
    """A code with everything below it: what a filter for 重庆市 or for a tier of clusters means."""
    scheme = Scheme(scheme)
    found, children = [code], _snapshot().children
    for one in found:
        found.extend(children.get((scheme, one), []))
    return found


def is_leaf_cluster(code: str) -> bool:
    """Whether a code is a cluster and not one of the five tiers."""
    node = find_node(Scheme.CLUSTER, code)
    return node is not None and node.is_current and node.parent_code is not None


def grouped_pairs(scheme: Scheme | str) -> list[tuple[str, str, str]]:
    """(code, name, name of the parent) of the lower nodes, for `Choice(pairs=…)`."""
    scheme = Scheme(scheme)
    return [
        (node.code, node.name, name_of(scheme, node.parent_code))
        for node in list_nodes(scheme)
        if node.parent_code
    ]


def cluster_pairs() -> list[tuple[str, str, str]]:
    return grouped_pairs(Scheme.CLUSTER)


def region_pairs() -> list[tuple[str, str, str]]:
    """Provinces, each followed by its cities or districts, grouped by province."""
    pairs = []
    for province in list_nodes(Scheme.REGION, parent=""):
        pairs.append((province.code, province.name, province.name))
        pairs += [
            (child.code, child.name, province.name)
            for child in list_nodes(Scheme.REGION, parent=province.code)
        ]
    return pairs


def flat_pairs(scheme: Scheme | str) -> list[tuple[str, str]]:
    return [(node.code, node.name) for node in list_nodes(scheme)]


def cooperation_pairs() -> list[tuple[str, str]]:
    return flat_pairs(Scheme.COOPERATION)


def trl_pairs() -> list[tuple[str, str]]:
    return flat_pairs(Scheme.TRL)


def unit_codes() -> list[str]:
    """Units as they are written, for the suggestions of an input."""
    return [node.code for node in list_nodes(Scheme.UNIT) if node.parent_code]
