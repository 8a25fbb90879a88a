"""Who may stand on a seeker's shortlist at all, asked before anything is scored.

An unknown fact never satisfies a condition. Not here: how well somebody answers (`parts`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from marketplace.matching.engine.documents import Conditions, Matchable, Standing


class Exclusion(StrEnum):
    """Why a capability is not on a seeker's shortlist, whatever its text says."""

    OWN = "own"
    INACTIVE = "inactive"
    EXPIRED = "expired"
    UNVERIFIED = "unverified"
    KIND = "kind"
    SIZE = "size"
    DESIGNATION = "designation"
    REGION = "region"


def is_open(document: Matchable, now: datetime) -> bool:
    """Whether the document stands at `now`: not withdrawn and not past its end."""
    return document.active and (document.valid_until is None or document.valid_until > now)


def exclusion(seeker: Matchable, capability: Matchable, *, now: datetime) -> Exclusion | None:
    """The first reason why `capability` may not stand on `seeker`'s shortlist, or None if it may."""
    if capability.organisation_id is not None and capability.organisation_id == seeker.organisation_id:
        return Exclusion.OWN
    if not capability.active:
        return Exclusion.INACTIVE
    if not is_open(capability, now):
        return Exclusion.EXPIRED
    return _unmet_condition(seeker, capability)


def _unmet_condition(seeker: Matchable, capability: Matchable) -> Exclusion | None:
    for condition in CONDITIONS:
        if not condition.is_met(seeker.conditions, capability):
            return condition.reason
    return None


def _lies_in(region: str, wider: str) -> bool:
    """Whether a GB/T 2260 code lies in a wider one, whose trailing 00 pairs stand for everything below."""
    prefix = wider
    while len(prefix) > 2 and prefix.endswith("00"):
        prefix = prefix[:-2]
    return bool(region) and region.startswith(prefix)


def _is_verified(conditions: Conditions, capability: Matchable) -> bool:
    admitted = {Standing.VERIFIED} if conditions.verified_only else {Standing.VERIFIED, Standing.COLLECTED}
    return capability.standing in admitted


class Condition(NamedTuple):
    """A reason to be left out, the column of facts that decides it, and how."""

    reason: Exclusion
    column: str
    is_met: Callable[[Conditions, Matchable], bool]


#: In the order in which a reason is named.
CONDITIONS = (
    Condition(Exclusion.UNVERIFIED, "designations", _is_verified),
    Condition(
        Exclusion.KIND, "kind", lambda asked, one: not asked.kinds or one.organisation_kind in asked.kinds
    ),
    Condition(
        Exclusion.SIZE, "size", lambda asked, one: not asked.sizes or one.organisation_size in asked.sizes
    ),
    Condition(
        Exclusion.DESIGNATION,
        "designations",
        lambda asked, one: not asked.designations or bool(set(asked.designations) & set(one.designations)),
    ),
    Condition(
        Exclusion.REGION,
        "region",
        lambda asked, one: not asked.regions or any(_lies_in(one.region, wider) for wider in asked.regions),
    ),
)
