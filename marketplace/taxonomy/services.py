"""Bringing reference data in, version by version.

A version adds nodes and ends nodes; none is rewritten or deleted, so that codes stay readable for ever and
every version can be read again. What is in use ends only with a successor, by which matching then reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from marketplace.audit.services import record
from marketplace.kernel.actor import SYSTEM, Actor
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed, StaleVersion
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in
from marketplace.taxonomy import queries, rules, sheets, uses
from marketplace.taxonomy.models import ChainStage, Scheme, TaxonomyNode, TaxonomyVersion
from marketplace.taxonomy.rules import Difference, Fault, Line, NodeFacts
from marketplace.taxonomy.shipped import ShippedScheme, read_schemes

LONGEST_NUMBER, LONGEST_REASON, LONGEST_SOURCE = 20, 2000, 300
SHIPPED_REASON = "随平台提供"
# Schemes whose codes the matcher reads.
MATCHED = frozenset({Scheme.CLUSTER, Scheme.INDUSTRY, Scheme.REGION})


class VersionClash(RuntimeError):
    """A version that is in the database has other content than the shipped one of the same name."""


@dataclass(frozen=True, slots=True)
class LoadedScheme:
    scheme: str
    version: str
    nodes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would do to a scheme: the difference, and all that keeps it from being taken over."""

    scheme: Scheme
    base_id: int
    lines: tuple[Line, ...]
    difference: Difference
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """What a maintainer says of a new version."""

    number: str
    reason: str
    source: str
    valid_from: date


# --- what comes with the marketplace ------------------------------------------------------------------------


def load_shipped(*, now: datetime, by: Actor = SYSTEM) -> list[LoadedScheme]:
    """Add the shipped versions that are not there yet, inside `transaction()`; again, it does nothing.

    A scheme that somebody here has changed is theirs from then on: no newer shipped edition is put over it.
    """
    loaded = [_add_shipped(shipped, by=by, now=now) for shipped in read_schemes() if _is_wanted(shipped)]
    if loaded:
        record(
            "taxonomy.load",
            "taxonomy",
            None,
            by=by,
            at=now,
            label="、".join(f"{one.scheme} {one.version}" for one in loaded),
            detail={one.scheme: {"version": one.version, "nodes": one.nodes} for one in loaded},
            covers="*",
        )
        queries.forget_snapshot()
    return loaded


def _is_wanted(shipped: ShippedScheme) -> bool:
    scheme = Scheme(shipped.scheme)
    version = queries.find_version(scheme, shipped.version)
    if version is None:
        newest = queries.find_newest_version(scheme)
        return newest is None or newest.shipped
    if set(queries.state_at(version).values()) != set(_facts_of(shipped)):
        raise VersionClash(f"{shipped.scheme} {shipped.version}: give the new content a new version")
    return False


def _facts_of(shipped: ShippedScheme) -> list[NodeFacts]:
    return [
        NodeFacts(node.code, node.name, node.parent_code, node.stage, node.confirmed, node.source)
        for node in shipped.nodes
    ]


def _add_shipped(shipped: ShippedScheme, *, by: Actor, now: datetime) -> LoadedScheme:
    scheme, nodes = Scheme(shipped.scheme), _facts_of(shipped)
    before = queries.standing_facts(scheme)
    found = rules.difference(before, nodes, ordered=scheme is Scheme.CHAIN)
    edition = Edition(shipped.version, SHIPPED_REASON, nodes[0].source if nodes else "", shipped.valid_from)
    _store(scheme, edition, nodes, found, shipped=True, by=by, now=now)
    return LoadedScheme(shipped.scheme, shipped.version, len(nodes))


# --- what a maintainer brings in -----------------------------------------------------------------------


def plan_import(scheme: Scheme, text: str) -> Plan:
    """What a CSV would change, and everything that is wrong with it; changes nothing."""
    newest = queries.find_newest_version(scheme)
    sheet = sheets.read(text)
    faults = [*sheet.faults]
    nodes = [line.node for line in sheet.lines if not line.ended]
    if sheet.lines:
        faults += rules.faults(scheme.value, sheet.lines)
    successors = {line.node.code: line.successor for line in sheet.lines if line.successor}
    found = Difference()
    if not faults:
        found = rules.difference(
            queries.standing_facts(scheme),
            nodes,
            successors=successors,
            used=uses.count_used(scheme),
            ordered=scheme is Scheme.CHAIN,
        )
        faults += _unlike_successors(scheme, sheet.lines, found, nodes)
        faults += [_blocked(sheet.lines, ending) for ending in found.blocked]
    return Plan(scheme, newest.id if newest else 0, sheet.lines, found, tuple(faults))


def _blocked(lines: Sequence[Line], ending: rules.Ending) -> Fault:
    row = next((line.row for line in lines if line.node.code == ending.node.code), 0)
    return Fault(
        row,
        "successor",
        ending.node.code,
        N_("代码 %(code)s（%(name)s）仍有 %(count)s 处使用，停用须在该行填写继任代码"),
        {"code": ending.node.code, "name": ending.node.name, "count": ending.used},
    )


def _unlike_successors(
    scheme: Scheme, lines: Sequence[Line], found: Difference, nodes: Sequence[NodeFacts]
) -> list[Fault]:
    """A link is followed by a link and a district by a district, or what is posted there loses its place."""
    now, before = {node.code: node for node in nodes}, queries.standing_facts(scheme)
    rows = {line.node.code: line.row for line in lines}
    return [
        Fault(
            rows[ending.node.code],
            "successor",
            ending.successor,
            N_("继任代码须与停用的代码同级"),
        )
        for ending in found.ended
        if ending.successor
        and rules.level_of(ending.successor, now) != rules.level_of(ending.node.code, before)
    ]


def take_over(
    scheme: Scheme, text: str, edition: Edition, *, base_id: int | None = None, by: Actor, now: datetime
) -> TaxonomyVersion:
    """Make a CSV the next version of a scheme, whole or not at all, and have matched anew what it touches.

    `base_id` is the version that the difference was read against. Raises StaleVersion if another came since.
    """
    if not (by.is_maintainer or by.is_system):
        raise Forbidden("taxonomy.import")
    if scheme.value not in rules.EDITABLE:
        raise Forbidden(f"{scheme.value} changes with the program")
    # Held to the end, so that two imports cannot both stand on it.
    newest = queries.find_newest_version(scheme, hold=True)
    if base_id is not None and newest is not None and newest.id != base_id:
        raise StaleVersion(current_version=newest.id)
    plan = plan_import(scheme, text)
    obstacles = [*_edition_gaps(scheme, edition, newest, now=now)]
    if plan.faults:
        obstacles.append(
            Obstacle("file", N_("文件有 %(count)s 处错误，没有导入"), {"count": len(plan.faults)})
        )
    elif plan.difference.is_empty:
        obstacles.append(Obstacle("file", N_("文件与现行版本没有差别")))
    if obstacles:
        raise Obstructed(obstacles)
    nodes = [line.node for line in plan.lines if not line.ended]
    version = _store(scheme, edition, nodes, plan.difference, shipped=False, by=by, now=now)
    record(
        "taxonomy.import",
        "taxonomy_version",
        version.id,
        by=by,
        at=now,
        label=f"{scheme.value} {version.number}",
        reason=edition.reason,
        detail={"scheme": scheme.value, "number": version.number, "source": edition.source, **version.counts},
    )
    queries.forget_snapshot()
    if scheme in MATCHED:
        defer("matching.taxonomy_changed", subject_id=version.id, bulk=True)
    return version


def _edition_gaps(
    scheme: Scheme, edition: Edition, newest: TaxonomyVersion | None, *, now: datetime
) -> list[Obstacle]:
    found: list[Obstacle] = []
    for name, label, limit in (
        ("number", "版本号", LONGEST_NUMBER),
        ("reason", "修改理由", LONGEST_REASON),
        ("source", "依据", LONGEST_SOURCE),
    ):
        text = getattr(edition, name)
        if not text.strip():
            found.append(Obstacle(name, N_("请填写“%(label)s”"), {"label": label}))
        found += obstacles_in(text, field=name, label=label, limit=limit, multiline=name == "reason")
    if queries.find_version(scheme, edition.number.strip()) is not None:
        found.append(Obstacle("number", N_("版本号 %(number)s 已经用过"), {"number": edition.number.strip()}))
    latest = max(business_date(now), newest.valid_from) if newest else business_date(now)
    if edition.valid_from > latest:
        found.append(Obstacle("valid_from", N_("生效日期不能晚于今天")))
    elif newest is not None and edition.valid_from < newest.valid_from:
        found.append(
            Obstacle(
                "valid_from",
                N_("生效日期不能早于上一版的 %(day)s"),
                {"day": newest.valid_from.isoformat()},
            )
        )
    return found


# --- storing -----------------------------------------------------------------------------------------------


def _store(
    scheme: Scheme,
    edition: Edition,
    nodes: Sequence[NodeFacts],
    found: Difference,
    *,
    shipped: bool,
    by: Actor,
    now: datetime,
) -> TaxonomyVersion:
    version = TaxonomyVersion(
        scheme=scheme,
        number=edition.number.strip(),
        valid_from=edition.valid_from,
        created_at=now,
        author_id=by.user_id,
        author_name=by.name or "system",
        reason=edition.reason.strip(),
        source=edition.source.strip(),
        shipped=shipped,
        counts=found.counts,
    )
    db.session.add(version)
    db.session.flush()
    changed = [change.node for change in (*found.changed, *found.moved)]
    for node in changed:
        _end(version, node.code, successor=None)
    for ending in found.ended:
        _end(version, ending.node.code, successor=ending.successor)
    places = {node.code: place for place, node in enumerate(nodes)}
    db.session.add_all(_row(version, node, places[node.code]) for node in (*found.added, *changed))
    db.session.flush()
    _renumber(scheme, places)
    return version


def _end(version: TaxonomyVersion, code: str, *, successor: str | None) -> None:
    db.session.execute(
        update(TaxonomyNode)
        .where(
            TaxonomyNode.scheme == version.scheme,
            TaxonomyNode.code == code,
            TaxonomyNode.ended_version_id.is_(None),
        )
        .values(valid_to=version.valid_from, ended_version_id=version.id, successor_code=successor),
        execution_options={"synchronize_session": False},
    )


def _row(version: TaxonomyVersion, node: NodeFacts, position: int) -> TaxonomyNode:
    return TaxonomyNode(
        scheme=version.scheme,
        code=node.code,
        parent_code=node.parent_code,
        name=node.name,
        stage=ChainStage(node.stage) if node.stage else None,
        version=version.number,
        version_id=version.id,
        source=node.source,
        confirmed=node.confirmed,
        position=position,
        valid_from=version.valid_from,
    )


def _renumber(scheme: Scheme, places: Mapping[str, int]) -> None:
    """The order on the page is the order of the newest file; it is no property of a version."""
    standing = db.session.execute(
        select(TaxonomyNode.id, TaxonomyNode.code, TaxonomyNode.position).where(
            TaxonomyNode.scheme == scheme, TaxonomyNode.ended_version_id.is_(None)
        )
    )
    moved: list[dict[str, Any]] = [
        {"id": row.id, "position": places[row.code]} for row in standing if row.position != places[row.code]
    ]
    if moved:
        db.session.execute(update(TaxonomyNode), moved)
