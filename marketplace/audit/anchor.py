"""Anchoring the head of the chain to a file outside the database.

Cutting the tail and mending the head is invisible inside the database; a line in a file that is kept
elsewhere (log shipping, another host) shows it.
"""

import os
from datetime import datetime
from pathlib import Path

from marketplace.audit import queries
from marketplace.audit.chain import Break, find_breaks


def anchor_file(instance_dir: str) -> Path:
    return Path(instance_dir) / "audit-anchor.log"


def write_anchor(path: Path, *, now: datetime) -> bool:
    """Append "instant seq hash" durably; False if there is nothing to anchor or it stands there already."""
    head = queries.find_head()
    if head is None or read_anchors(path).get(head.seq) == head.hash:
        return False
    with path.open("a") as file:
        file.write(f"{now.isoformat()} {head.seq} {head.hash}\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def read_anchors(path: Path) -> dict[int, str]:
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text().splitlines())
    return {int(parts[1]): parts[2] for parts in lines if len(parts) == 3}


def verify(path: Path) -> list[Break]:
    """Every place where the chain, its head or an anchor does not hold."""
    head = queries.find_head()
    return find_breaks(
        queries.iterate_chain(),
        head_seq=head.seq if head else 0,
        head_hash=head.hash if head else "0" * 64,
        anchors=read_anchors(path),
    )
