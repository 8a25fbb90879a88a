"""Who may stand on a seeker's shortlist at all, asked before anything is scored.

An unknown fact never satisfies a condition. Not here: how well somebody answers (`parts`).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from marketplace.matching.engine.documents import Matchable, Standing


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
    conditions = seeker.conditions
    admitted = {Standing.VERIFIED} if conditions.verified_only else {Standing.VERIFIED, Standing.COLLECTED}
    if capability.standing not in admitted:
        return Exclusion.UNVERIFIED
    if conditions.kinds and capability.organisation_kind not in conditions.kinds:
        return Exclusion.KIND
    if conditions.sizes and capability.organisation_size not in conditions.sizes:
        return Exclusion.SIZE
    if conditions.designations and not set(conditions.designations) & set(capability.designations):
        return Exclusion.DESIGNATION
    if conditions.regions and not any(_lies_in(capability.region, region) for region in conditions.regions):
        return Exclusion.REGION
    return None


def _lies_in(region: str, wider: str) -> bool:
    """Whether a GB/T 2260 code lies in a wider one, whose trailing 00 pairs stand for everything below."""
    prefix = wider
    while len(prefix) > 2 and prefix.endswith("00"):
        prefix = prefix[:-2]
    return bool(region) and region.startswith(prefix)
