"""The parts of a score beside the text: each a share between 0 and 1 of what it can add.

A fact that is missing on either side gives 0 and never more than any stated fact would. Not here: the
points a full share is worth (`weights`) and the sum (`ranking`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz

from marketplace.indicators.compare import Finding, compare
from marketplace.indicators.model import Indicator
from marketplace.indicators.offers import Offer, Offered, read_offer
from marketplace.indicators.verdicts import Verdict
from marketplace.language import normalise
from marketplace.matching.engine.documents import Matchable, Standing

_SAME_CLUSTER, _SAME_TIER, _SAME_INDUSTRY = 1.0, 0.3, 0.6
_SAME_DISTRICT, _SAME_CITY, _SAME_PROVINCE = 1.0, 0.8, 0.5
_TRL_STEPS = 4  # so many levels short and nothing is left
_UNRELATED_TITLES = 0.4  # two titles of one trade look this much alike by chance
DESIGNATIONS = {
    "champion": 1.0,
    "little_giant": 1.0,
    "srdi": 0.8,
    "chain_master": 0.8,
    "leader": 0.7,
    "high_tech": 0.6,
}
_VERIFIED = 0.4
_MODEL = re.compile(r"(?<![a-z0-9])[a-z]{1,6}[-/]?\d{2,}[a-z0-9]*(?:-[a-z0-9]+)*(?![a-z0-9])")
_NO_MODEL = re.compile(
    r"(?:iso|iec|ieee|gbt?|gb/t|jb/t|qc/t|ip|asil|trl|co|pm|din|astm|en|ul|sae|rohs)[-/]?\d"
)
_VERDICT_SHARES = {Verdict.MET: 1.0, Verdict.PARTIAL: 0.5, Verdict.UNMET: 0.0, Verdict.UNSTATED: 0.0}


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a part is earned, and the facts that say why."""

    value: float
    facts: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Share(0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One indicator of the seeker, what it counts among the others, and what the capability says to it."""

    indicator: Indicator
    weight: float  # its share of all the seeker's indicators, between 0 and 1
    finding: Finding

    @property
    def share(self) -> float:
        """How much of the indicators' part this one earns: all, half or nothing of its weight."""
        return self.weight * _VERDICT_SHARES[self.finding.verdict]


def title_share(seeker: Matchable, capability: Matchable) -> Share:
    """Likeness of the titles beyond chance, or 1 if both name the same model number."""
    asked = models_of(seeker.body())
    models = sorted(asked & models_of(capability.body())) if asked else []
    if models:
        return Share(1.0, {"models": models})
    left, right = plain_title(seeker.title), plain_title(capability.title)
    if not left or not right:
        return NOTHING
    likeness = fuzz.ratio(left, right) / 100.0
    return Share(title_value(likeness), {"likeness": round(likeness, 4)})


def title_value(likeness: float) -> float:
    """The share that two titles' likeness earns, both between 0 and 1."""
    return max(0.0, (likeness - _UNRELATED_TITLES) / (1.0 - _UNRELATED_TITLES))


@lru_cache(maxsize=20_000)
def plain_title(title: str) -> str:
    """A title as it is compared."""
    return normalise(title).lower()


@lru_cache(maxsize=20_000)
def models_of(text: str) -> frozenset[str]:
    """The model numbers that a text names; standards, grades and units are none."""
    found = _MODEL.findall(normalise(text).lower())
    return frozenset(model for model in found if not _NO_MODEL.match(model))


def indicator_weights(seeker: Matchable, marks: Mapping[str, int]) -> tuple[float, ...]:
    """What each of the seeker's indicators counts among them; together 1, or nothing where none counts.

    The seeker's own percentages weigh them; without any, the marks ★ ▲ · do.
    """
    stated = [indicator.weight for indicator in seeker.indicators]
    counted = stated if sum(stated) > 0 else [marks[one.mark.value] for one in seeker.indicators]
    total = sum(counted)
    return tuple(one / total if total else 0.0 for one in counted)


def offer_of(capability: Matchable) -> Offer:
    """The capability's parameters and text, to be compared with any number of indicators."""
    return read_offer(capability.indicators, capability.body())


def compare_indicators(seeker: Matchable, offer: Offered, marks: Mapping[str, int]) -> tuple[Comparison, ...]:
    """Every indicator of the seeker against an offer's parameters and text."""
    weights = indicator_weights(seeker, marks)
    return tuple(
        Comparison(indicator, weight, compare(indicator, offer))
        for indicator, weight in zip(seeker.indicators, weights, strict=True)
    )


def taxonomy_share(seeker: Matchable, capability: Matchable) -> Share:
    """The same 33618 cluster counts in full, the same industry division less, the same tier least."""
    shared = sorted(set(seeker.clusters) & set(capability.clusters))
    if shared:
        return Share(_SAME_CLUSTER, {"clusters": shared})
    if seeker.industry and seeker.industry[:3] == capability.industry[:3]:
        return Share(_SAME_INDUSTRY, {"industry": seeker.industry[:3]})
    tiers = sorted({code[:1] for code in seeker.clusters} & {code[:1] for code in capability.clusters})
    return Share(_SAME_TIER, {"tiers": tiers}) if tiers else NOTHING


def trl_share(seeker: Matchable, capability: Matchable) -> Share:
    """Full when the capability has reached the level asked for, a quarter less for each level short."""
    if seeker.trl_target is None or capability.trl is None:
        return NOTHING
    short = max(0, seeker.trl_target - capability.trl)
    return Share(max(0.0, 1.0 - short / _TRL_STEPS), {"asked": seeker.trl_target, "reached": capability.trl})


def region_share(seeker: Matchable, capability: Matchable) -> Share:
    """Same district, same city or same province, by the digits of GB/T 2260."""
    mine, theirs = seeker.region, capability.region
    if not mine or not theirs:
        return NOTHING
    for digits, value, level in (
        (6, _SAME_DISTRICT, "district"),
        (4, _SAME_CITY, "city"),
        (2, _SAME_PROVINCE, "province"),
    ):
        if mine[:digits] == theirs[:digits]:
            return Share(value, {"same": level})
    return NOTHING


def cooperation_share(seeker: Matchable, capability: Matchable) -> Share:
    """Whether both want to work together in at least one same form."""
    shared = sorted(set(seeker.cooperation) & set(capability.cooperation))
    return Share(1.0, {"forms": shared}) if shared else NOTHING


def designations_share(capability: Matchable) -> Share:
    """The highest designation of the organisation; a verified organisation without one counts a little."""
    held = [code for code in capability.designations if code in DESIGNATIONS]
    if held:
        return Share(max(DESIGNATIONS[code] for code in held), {"held": sorted(held)})
    return Share(_VERIFIED, {"verified": True}) if capability.standing is Standing.VERIFIED else NOTHING
