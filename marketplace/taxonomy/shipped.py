"""The reference data that comes with the marketplace, read from `data/*.csv`. No database here.

`data/schemes.csv` names the file and the version of each scheme; a new edition is a new version there, and
the old nodes stay in the database with the day until which they held.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class ShippedNode:
    code: str
    parent_code: str | None
    name: str
    confirmed: bool
    source: str
    position: int
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class ShippedScheme:
    scheme: str
    version: str
    valid_from: date
    nodes: tuple[ShippedNode, ...]


def read_schemes(folder: Path = DATA) -> Iterator[ShippedScheme]:
    for row in _rows(folder / "schemes.csv"):
        yield ShippedScheme(
            row["scheme"],
            row["version"],
            date.fromisoformat(row["valid_from"]),
            tuple(_read_nodes(folder / row["file"])),
        )


def _read_nodes(path: Path) -> Iterator[ShippedNode]:
    for position, row in enumerate(_rows(path)):
        yield ShippedNode(
            row["code"],
            row["parent"] or None,
            row["name"],
            row["confirmed"] == "1",
            row["source"],
            position,
            row.get("stage") or None,
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
