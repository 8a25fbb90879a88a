"""Reading reference data. The current nodes are few and change with releases, so each process keeps them.

Once a minute a process asks whether something was loaded since; in between, names cost no statement.
"""

import time
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import current_app
from flask_babel import gettext
from sqlalchemy import func, or_, select

from marketplace.kernel.db import db, in_transaction
from marketplace.kernel.errors import NotFound
from marketplace.taxonomy.models import Scheme, TaxonomyNode, TaxonomyVersion
from marketplace.taxonomy.rules import MOST_HOPS, STAGES, NodeFacts

SECONDS_BETWEEN_LOOKS = 60.0
_KEY = "taxonomy.snapshot"
_CHANGED = "taxonomy.changed"


@dataclass(frozen=True, slots=True)
class Node:
    code: str
    parent_code: str | None
    name: str
    confirmed: bool
    source: str
    version: str
    is_current: bool
    stage: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor_code: str | None = None
    position: int = 0


# Rows, not entities: several hundred are read at once.
_COLUMNS = (
    TaxonomyNode.scheme,
    TaxonomyNode.code,
    TaxonomyNode.valid_to,
    TaxonomyNode.stage,
    TaxonomyNode.parent_code,
    TaxonomyNode.name,
    TaxonomyNode.confirmed,
    TaxonomyNode.source,
    TaxonomyNode.version,
    TaxonomyNode.valid_from,
    TaxonomyNode.successor_code,
    TaxonomyNode.position,
)


@dataclass(slots=True)
class Snapshot:
    """All nodes by scheme and code, in their order; of a code with several versions the newest."""

    fingerprint: int
    looked_at: float
    nodes: dict[Scheme, dict[str, Node]] = field(default_factory=dict)
    children: dict[tuple[Scheme, str], list[str]] = field(default_factory=dict)
    # Choices by scheme, made when first asked for: every list page offers some.
    pairs: dict[tuple[Scheme, bool], list[tuple[str, str, str]]] = field(default_factory=dict)


def forget_snapshot() -> None:
    """Have nodes read anew; what the open transaction has changed it alone sees, for it may fail."""
    current_app.extensions.pop(_KEY, None)
    db.session.info.pop(_KEY, None)
    if in_transaction():
        db.session.info[_CHANGED] = True


def _memory() -> MutableMapping[str, Any]:
    changed = _CHANGED in db.session.info
    return db.session.info if changed else current_app.extensions


def _snapshot() -> Snapshot:
    memory = _memory()
    kept: Snapshot | None = memory.get(_KEY)
    now = time.monotonic()
    if kept and now - kept.looked_at < SECONDS_BETWEEN_LOOKS:
        return kept
    # Nothing changes but by a new version.
    fingerprint = db.session.scalar(select(func.max(TaxonomyVersion.id))) or 0
    if kept and kept.fingerprint == fingerprint:
        kept.looked_at = now
        return kept
    made = Snapshot(fingerprint, now)
    newest: dict[Scheme, dict[str, Node]] = {}
    statement = select(*_COLUMNS).order_by(TaxonomyNode.version_id, TaxonomyNode.id)
    for row in db.session.execute(statement):
        newest.setdefault(row.scheme, {})[row.code] = Node(
            row.code,
            row.parent_code,
            row.name,
            row.confirmed,
            row.source,
            row.version,
            row.valid_to is None,
            row.stage.value if row.stage else None,
            row.valid_from,
            row.valid_to,
            row.successor_code,
            row.position,
        )
    for scheme, found in newest.items():
        nodes = dict(sorted(found.items(), key=lambda item: (item[1].position, item[0])))
        made.nodes[scheme] = nodes
        for node in nodes.values():
            if node.is_current and node.parent_code:
                made.children.setdefault((scheme, node.parent_code), []).append(node.code)
    # An empty table is about to be filled.
    if fingerprint:
        memory[_KEY] = made
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
    return _pairs(Scheme(scheme), with_parents=False)


def _pairs(scheme: Scheme, *, with_parents: bool) -> list[tuple[str, str, str]]:
    """What lies below each topmost node, in order; `with_parents` each node comes before what is below it."""
    snapshot = _snapshot()
    key = (scheme, with_parents)
    if key not in snapshot.pairs:
        nodes, pairs = snapshot.nodes.get(scheme, {}), []
        for parent in list_nodes(scheme, parent=""):
            if with_parents:
                pairs.append((parent.code, parent.name, parent.name))
            below = [nodes[code] for code in snapshot.children.get((scheme, parent.code), [])]
            pairs += [(node.code, node.name, parent.name) for node in below]
        snapshot.pairs[key] = pairs
    return list(snapshot.pairs[key])


def cluster_pairs() -> list[tuple[str, str, str]]:
    return grouped_pairs(Scheme.CLUSTER)


def region_pairs() -> list[tuple[str, str, str]]:
    """Provinces, each followed by its cities or districts, grouped by province."""
    return _pairs(Scheme.REGION, with_parents=True)


def flat_pairs(scheme: Scheme | str) -> list[tuple[str, str]]:
    return [(node.code, node.name) for node in list_nodes(scheme)]


def cooperation_pairs() -> list[tuple[str, str]]:
    return flat_pairs(Scheme.COOPERATION)


def trl_pairs() -> list[tuple[str, str]]:
    return flat_pairs(Scheme.TRL)


def unit_codes() -> list[str]:
    """Units as they are written, for the suggestions of an input."""
    return [node.code for node in list_nodes(Scheme.UNIT) if node.parent_code]


# --- chains -------------------------------------------------------------------------------------------------


def chain_link_pairs() -> list[tuple[str, str, str]]:
    """The links of all chains in their order, each with its place in the chain, grouped by chain."""
    return [
        (link.code, f"{stage_name(link.stage)} · {link.name}", chain.name)
        for chain in list_chains()
        for link in list_nodes(Scheme.CHAIN, parent=chain.code)
    ]


def list_chains() -> list[Node]:
    """The chains themselves: below a group such as the hallmark chains, above their links."""
    return [
        chain
        for group in list_nodes(Scheme.CHAIN, parent="")
        for chain in list_nodes(Scheme.CHAIN, parent=group.code)
    ]


def stage_name(stage: str | None) -> str:
    return str(gettext(STAGES[stage])) if stage else ""


def chain_link_name(code: str | None) -> str:
    """示例减速器链 · 上游 · 齿轮钢."""
    node = find_node(Scheme.CHAIN, code)
    if node is None:
        return code or ""
    chain = name_of(Scheme.CHAIN, node.parent_code) if node.parent_code else ""
    return " · ".join(part for part in (chain, stage_name(node.stage), node.name) if part)


def chain_link_names(codes: Iterable[str]) -> list[str]:
    return [chain_link_name(code) for code in codes]


# --- what has ended -----------------------------------------------------------------------------------------


def current_code(scheme: Scheme | str, code: str) -> str:
    """The code that stands for `code` now: itself, or its successor where it has ended and has one."""
    nodes = _snapshot().nodes.get(Scheme(scheme), {})
    for _ in range(MOST_HOPS):
        node = nodes.get(code)
        if node is None or node.is_current or not node.successor_code:
            break
        code = node.successor_code
    return code


def current_codes(scheme: Scheme | str, codes: Iterable[str]) -> tuple[str, ...]:
    """The same for several, each once, in their order."""
    return tuple(dict.fromkeys(current_code(scheme, code) for code in codes))


def look_again() -> None:
    """Have the next question ask whether something was loaded, for work that must not rest on old codes."""
    kept: Snapshot | None = _memory().get(_KEY)
    if kept is not None:
        kept.looked_at = float("-inf")


# --- versions -----------------------------------------------------------------------------------------------


def find_version(scheme: Scheme, number: str) -> TaxonomyVersion | None:
    return db.session.scalar(
        select(TaxonomyVersion).where(TaxonomyVersion.scheme == scheme, TaxonomyVersion.number == number)
    )


def get_version(scheme: Scheme, number: str) -> TaxonomyVersion:
    """Raises NotFound for one that there never was."""
    found = find_version(scheme, number)
    if found is None:
        raise NotFound(f"{scheme} {number}")
    return found


def find_newest_version(scheme: Scheme, *, hold: bool = False) -> TaxonomyVersion | None:
    """The version in force; `hold` keeps it to the end of the transaction."""
    statement = (
        select(TaxonomyVersion)
        .where(TaxonomyVersion.scheme == scheme)
        .order_by(TaxonomyVersion.id.desc())
        .limit(1)
    )
    return db.session.scalar(statement.with_for_update() if hold else statement)


def list_versions(scheme: Scheme, *, limit: int = 200) -> list[TaxonomyVersion]:
    """Newest first."""
    return list(
        db.session.scalars(
            select(TaxonomyVersion)
            .where(TaxonomyVersion.scheme == scheme)
            .order_by(TaxonomyVersion.id.desc())
            .limit(limit)
        )
    )


def list_newest_versions() -> dict[Scheme, TaxonomyVersion]:
    newest = select(func.max(TaxonomyVersion.id)).group_by(TaxonomyVersion.scheme)
    rows = db.session.scalars(select(TaxonomyVersion).where(TaxonomyVersion.id.in_(newest)))
    return {row.scheme: row for row in rows}


def rows_at(version: TaxonomyVersion) -> list[TaxonomyNode]:
    """The nodes of a version in their order."""
    return list(
        db.session.scalars(
            select(TaxonomyNode)
            .where(
                TaxonomyNode.scheme == version.scheme,
                TaxonomyNode.version_id <= version.id,
                or_(TaxonomyNode.ended_version_id.is_(None), TaxonomyNode.ended_version_id > version.id),
            )
            .order_by(TaxonomyNode.position, TaxonomyNode.code)
        )
    )


def state_at(version: TaxonomyVersion) -> dict[str, NodeFacts]:
    return {row.code: _facts(row) for row in rows_at(version)}


def standing_facts(scheme: Scheme) -> dict[str, NodeFacts]:
    """What holds now, read from the table and not from what is remembered."""
    rows = db.session.scalars(
        select(TaxonomyNode)
        .where(TaxonomyNode.scheme == scheme, TaxonomyNode.ended_version_id.is_(None))
        .order_by(TaxonomyNode.position, TaxonomyNode.code)
    )
    return {row.code: _facts(row) for row in rows}


def _facts(row: TaxonomyNode) -> NodeFacts:
    return NodeFacts(
        row.code,
        row.name,
        row.parent_code,
        row.stage.value if row.stage else None,
        row.confirmed,
        row.source,
    )


def list_history(scheme: Scheme, code: str) -> list[TaxonomyNode]:
    """Every row of a code, newest first."""
    return list(
        db.session.scalars(
            select(TaxonomyNode)
            .where(TaxonomyNode.scheme == scheme, TaxonomyNode.code == code)
            .order_by(TaxonomyNode.version_id.desc())
        )
    )


def list_predecessors(scheme: Scheme, code: str) -> list[TaxonomyNode]:
    """The ended nodes in whose place this one stands."""
    return list(
        db.session.scalars(
            select(TaxonomyNode)
            .where(TaxonomyNode.scheme == scheme, TaxonomyNode.successor_code == code)
            .order_by(TaxonomyNode.code, TaxonomyNode.id)
        )
    )


def read_for_export(scheme: Scheme, version: TaxonomyVersion | None = None) -> list[tuple[Any, ...]]:
    """The rows of the CSV: a version as it was, or what holds now followed by what has ended for good."""
    if version is not None:
        return [_exported(row) for row in rows_at(version)]
    rows = db.session.scalars(
        select(TaxonomyNode)
        .where(TaxonomyNode.scheme == scheme)
        .order_by(TaxonomyNode.position, TaxonomyNode.code, TaxonomyNode.version_id.desc())
    ).all()
    standing = [row for row in rows if row.ended_version_id is None]
    gone = {row.code for row in rows} - {row.code for row in standing}
    last = {row.code: row for row in reversed(rows) if row.code in gone}
    return [_exported(row) for row in (*standing, *(last[code] for code in sorted(last)))]


def _exported(row: TaxonomyNode) -> tuple[Any, ...]:
    return (
        row.code, row.parent_code, row.name, row.stage.value if row.stage else "", int(row.confirmed),
        row.source, row.valid_from, row.valid_to, row.successor_code, row.version,
    )  # fmt: skip


def list_touched_codes(version_id: int) -> tuple[Scheme, tuple[str, ...]]:
    """The codes that a version made stand for something else: ended, begun, and all that leads there."""
    version = db.session.get(TaxonomyVersion, version_id)
    if version is None:
        raise NotFound(f"taxonomy version {version_id}")
    of_scheme = select(TaxonomyNode.code).where(TaxonomyNode.scheme == version.scheme)
    begun = set(db.session.scalars(of_scheme.where(TaxonomyNode.version_id == version_id)))
    ended = set(db.session.scalars(of_scheme.where(TaxonomyNode.ended_version_id == version_id)))
    # What ended and began in one version has another name or parent; nothing that is posted reads otherwise.
    touched = begun ^ ended
    followed = db.session.execute(
        select(TaxonomyNode.code, TaxonomyNode.successor_code).where(
            TaxonomyNode.scheme == version.scheme, TaxonomyNode.successor_code.is_not(None)
        )
    ).all()
    while more := {code for code, successor in followed if successor in touched} - touched:
        touched |= more
    return version.scheme, tuple(sorted(touched))


def successors_between(before: TaxonomyVersion, after: TaxonomyVersion) -> dict[str, str]:
    """What was to follow the nodes that ended after one version and up to another."""
    rows = db.session.execute(
        select(TaxonomyNode.code, TaxonomyNode.successor_code).where(
            TaxonomyNode.scheme == before.scheme,
            TaxonomyNode.ended_version_id > before.id,
            TaxonomyNode.ended_version_id <= after.id,
            TaxonomyNode.successor_code.is_not(None),
        )
    )
    return {row.code: row.successor_code for row in rows}
