"""How points, codes and titles are shown wherever a match is explained.

Not here: what is explained (`explanations`, `prospects`).
"""

from datetime import date
from typing import Any

from flask_babel import gettext

from marketplace.matching.engine.weights import MICRO
from marketplace.organisations.kinds import DESIGNATION_NAMES, DesignationKind
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy.models import Scheme

TENTH = MICRO // 10
MARKS = {"must": "★", "key": "▲", "plain": ""}


def tenths(millionths: int) -> int:
    return (millionths + TENTH // 2) // TENTH


def millionths(points: float) -> int:
    """Stored points as the whole number they are."""
    return round(points * MICRO)


def tenths_of(points: float) -> int:
    """A score in whole tenths, as it is shown everywhere."""
    return round(round(points, 1) * 10)


def known_name(scheme: Scheme, code: str) -> str:
    node = taxonomy.find_node(scheme, code)
    return node.name if node else ""


def title_name(code: str) -> str:
    known = DESIGNATION_NAMES.get(DesignationKind(code)) if code in set(DesignationKind) else None
    return str(gettext(known)) if known else code


def counts(row: Any, day: date) -> bool:
    return row.confirmed_at is not None and (row.valid_to is None or row.valid_to >= day)
