"""Bringing reference data in. Nodes are added and closed, never rewritten: codes stay readable for ever."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from marketplace.audit.services import record
from marketplace.kernel.actor import SYSTEM, Actor
from marketplace.kernel.db import db
from marketplace.taxonomy import queries
from marketplace.taxonomy.models import Scheme, TaxonomyNode
from marketplace.taxonomy.shipped import ShippedScheme, read_schemes


class VersionClash(RuntimeError):
    """A version that is in the database has other content than the shipped one of the same name."""


@dataclass(frozen=True, slots=True)
class LoadedScheme:
    scheme: str
    version: str
    nodes: int


def load_shipped(*, now: datetime, by: Actor = SYSTEM) -> list[LoadedScheme]:
    """Add the shipped versions that are not there yet, inside `transaction()`; again, it does nothing."""
    loaded = [_add_version(shipped) for shipped in read_schemes() if not _is_there(shipped)]
    if loaded:
        record(
            "taxonomy.load",
            "taxonomy",
            None,
            by=by,
            at=now,
            label="、".join(f"{one.scheme} {one.version}" for one in loaded),
            detail={one.scheme: {"version": one.version, "nodes": one.nodes} for one in loaded},
        )
        queries.forget_snapshot()
    return loaded


def _is_there(shipped: ShippedScheme) -> bool:
    rows = db.session.execute(
        select(TaxonomyNode.code, TaxonomyNode.parent_code, TaxonomyNode.name, TaxonomyNode.confirmed).where(
            TaxonomyNode.scheme == Scheme(shipped.scheme), TaxonomyNode.version == shipped.version
        )
    ).all()
    if not rows:
        return False
    if {tuple(row) for row in rows} != {(n.code, n.parent_code, n.name, n.confirmed) for n in shipped.nodes}:
        raise VersionClash(f"{shipped.scheme} {shipped.version}: give the new content a new version")
    return True


def _add_version(shipped: ShippedScheme) -> LoadedScheme:
    scheme = Scheme(shipped.scheme)
    db.session.execute(
        update(TaxonomyNode)
        .where(TaxonomyNode.scheme == scheme, TaxonomyNode.valid_to.is_(None))
        .values(valid_to=shipped.valid_from),
        execution_options={"synchronize_session": False},
    )
    db.session.add_all(
        TaxonomyNode(
            scheme=scheme,
            code=node.code,
            parent_code=node.parent_code,
            name=node.name,
            version=shipped.version,
            source=node.source,
            confirmed=node.confirmed,
            position=node.position,
            valid_from=shipped.valid_from,
        )
        for node in shipped.nodes
    )
    db.session.flush()
    return LoadedScheme(shipped.scheme, shipped.version, len(shipped.nodes))
