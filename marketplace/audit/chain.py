"""The hash chain, as plain functions over rows. No database here."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

GENESIS = "0" * 64


class Row(Protocol):
    seq: int
    at: datetime
    type: str
    subject_kind: str
    subject_id: int | None
    subject_label: str
    organisation_id: int | None
    actor_user_id: int | None
    actor_name: str
    actor_role: str
    from_status: str | None
    to_status: str | None
    reason: str
    detail: dict[str, Any]
    request_id: str
    previous_hash: str
    hash: str


HASHED = (
    "seq", "type", "subject_kind", "subject_id", "subject_label", "organisation_id", "actor_user_id",
    "actor_name", "actor_role", "from_status", "to_status", "reason", "detail", "request_id",
)  # fmt: skip


def row_hash(row: Row, previous_hash: str) -> str:
    """SHA-256 over the previous hash and the row's fields in canonical JSON."""
    content = {name: getattr(row, name) for name in HASHED}
    content["at"] = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous_hash}\n{text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and in what way."""

    seq: int
    problem: str


def find_breaks(
    rows: Iterable[Row], *, head_seq: int, head_hash: str, anchors: dict[int, str]
) -> list[Break]:
    """Walk rows ordered by seq; edits, deletions, swaps, a cut tail and a foreign anchor are all found."""
    breaks: list[Break] = []
    previous, expected = GENESIS, 1
    seen: dict[int, str] = {}
    for row in rows:
        if row.seq != expected:
            breaks.append(Break(expected, "missing"))
            expected = row.seq
            previous = row.previous_hash
        if row.previous_hash != previous or row.hash != row_hash(row, row.previous_hash):
            breaks.append(Break(row.seq, "altered"))
        if row.seq in anchors:
            seen[row.seq] = row.hash
        previous, expected = row.hash, expected + 1
    if expected - 1 != head_seq or previous != head_hash:
        breaks.append(Break(head_seq, "head"))
    breaks += [Break(seq, "anchor") for seq, digest in sorted(anchors.items()) if seen.get(seq) != digest]
    return breaks
