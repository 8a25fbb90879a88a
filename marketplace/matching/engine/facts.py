"""The facts that parts and conditions look up, as coded columns: each different value is judged once a need.

A column's values are what the shares in `parts` and the conditions in `eligibility` read of a capability, so
that both stay the one place where a fact is judged, for one document and for a million.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from marketplace.matching.engine import parts as shares
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.eligibility import Condition
from marketplace.matching.engine.kernels import Array

#: The fields of a Matchable that each column holds.
COLUMNS: dict[str, tuple[str, ...]] = {
    "taxonomy": ("clusters", "industry"),
    "trl": ("trl",),
    "region": ("region",),
    "cooperation": ("cooperation",),
    "designations": ("designations", "standing"),
    "kind": ("organisation_kind",),
    "size": ("organisation_size",),
}
NAMES = tuple(COLUMNS)

#: Parts whose share is looked up by the code of the column of the same name.
CODED_PARTS = ("taxonomy", "trl", "region", "cooperation", "designations")
_SHARES: dict[str, Callable[[Matchable, Matchable], shares.Share]] = {
    "taxonomy": shares.taxonomy_share,
    "trl": shares.trl_share,
    "region": shares.region_share,
    "cooperation": shares.cooperation_share,
    "designations": lambda _seeker, capability: shares.designations_share(capability),
}
_ASKED_BY: dict[str, Callable[[Matchable], Hashable]] = {
    "taxonomy": lambda seeker: (seeker.clusters, seeker.industry),
    "trl": lambda seeker: seeker.trl_target,
    "region": lambda seeker: seeker.region,
    "cooperation": lambda seeker: seeker.cooperation,
    "designations": lambda seeker: None,
}

_REMEMBERED = 4096
_registering = Lock()
_MOST_VALUES = np.iinfo(np.uint16).max + 1


def encode(documents: Sequence[Matchable]) -> tuple[Array, dict[str, list[list[Any]]]]:
    """The coded columns of `documents` (uint16, columns × documents) and each column's values as JSON."""
    codes = np.zeros((len(NAMES), len(documents)), dtype=np.uint16)
    values: dict[str, list[list[Any]]] = {}
    for column, (name, fields) in enumerate(COLUMNS.items()):
        seen: dict[tuple[Any, ...], int] = {}
        for row, document in enumerate(documents):
            value = tuple(getattr(document, field) for field in fields)
            codes[column, row] = seen.setdefault(value, len(seen))
        if len(seen) > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} different values of {name} in one segment")
        values[name] = [[list(one) if isinstance(one, tuple) else one for one in value] for value in seen]
    return codes, values


def _bearer(column: str, value: Sequence[Any]) -> Matchable:
    """A capability that states this and nothing else."""
    facts: dict[str, Any] = {
        field: tuple(one) if isinstance(one, list) else one
        for field, one in zip(COLUMNS[column], value, strict=True)
    }
    if "standing" in facts:
        facts["standing"] = Standing(facts["standing"])
    return Matchable(Kind.CAPABILITY, 0, **facts)


class Facts:
    """All different values of the columns of several segments, and what seekers make of them."""

    def __init__(self) -> None:
        self._number: dict[str, dict[str, int]] = {name: {} for name in NAMES}
        self._bearers: dict[str, list[Matchable]] = {name: [] for name in NAMES}
        self._shares: dict[tuple[str, Hashable], Array] = {}
        self._admitted: dict[tuple[str, Hashable], Array] = {}

    def register(self, values: dict[str, list[list[Any]]]) -> dict[str, Array]:
        """The number of each value of a segment among those of all, by column."""
        numbers = {}
        for name in NAMES:
            known, bearers = self._number[name], self._bearers[name]
            here = []
            # Scoring a pair registers what its capability states, and pairs may be scored in several threads.
            with _registering:
                for value in values[name]:
                    place = known.setdefault(repr(value), len(known))
                    if place == len(bearers):
                        bearers.append(_bearer(name, value))
                    here.append(place)
            numbers[name] = np.array(here, dtype=np.int64)
        return numbers

    def shares(self, part: str, seeker: Matchable) -> Array:
        """The share of a coded part that each value earns from `seeker`: float64 in [0, 1]."""
        share = _SHARES[part]
        return self._table(
            self._shares,
            (part, _ASKED_BY[part](seeker)),
            self._bearers[part],
            lambda bearer: share(seeker, bearer).value,
        )

    def admitted(self, condition: Condition, seeker: Matchable) -> Array:
        """Whether each value of the condition's column meets it: 1.0 or 0.0."""
        return self._table(
            self._admitted,
            (condition.reason, seeker.conditions),
            self._bearers[condition.column],
            lambda bearer: float(condition.is_met(seeker.conditions, bearer)),
        )

    def _table(
        self,
        remembered: dict[tuple[str, Hashable], Array],
        key: tuple[str, Hashable],
        bearers: Sequence[Matchable],
        judge: Callable[[Matchable], float],
    ) -> Array:
        known = remembered.get(key)
        if known is None and len(remembered) >= _REMEMBERED:
            remembered.clear()
        before = 0 if known is None else known.size
        if known is None or before < len(bearers):
            fresh = np.array([judge(bearer) for bearer in bearers[before:]], dtype=np.float64)
            known = fresh if known is None else np.concatenate([known, fresh])
            remembered[key] = known
        return known
