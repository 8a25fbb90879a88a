"""What would raise a score: facts that could be stated, confirmed or reached, each with its exact gain.

A gain is what the score function gives to the same text with one fact changed, less what the pair has
now; gains of different parts add up exactly, those of several indicators to a millionth each. Stating a
fact adds words to a text too, and more text never lowers a score: so a gain is promised, not guessed.
What nobody can act on (moving to another city, changing the trade) is not here, nor is who stands above
(that is asked of the shortlist, where it is current).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from marketplace.indicators.model import Mark
from marketplace.matching.engine import parts as shares
from marketplace.matching.engine.documents import Kind, Matchable, Standing
from marketplace.matching.engine.parts import Share
from marketplace.matching.engine.ranking import Match, Part

#: Codes of what is true or false today and only has to be said, before what has to be worked for.
SAID = (
    "indicator.state",
    "trl.state",
    "cluster.state",
    "industry.state",
    "region.state",
    "cooperation.state",
)
ASKED_FOR = ("cooperation.widen", "verify")
WORKED_FOR = ("trl.raise", "indicator.reach")
_ORDER = (*SAID, *ASKED_FOR, *WORKED_FOR)


@dataclass(frozen=True, slots=True)
class Advice:
    """One change: its code, the facts for the sentence, and what it adds, in millionths of a point."""

    code: str
    gain: int
    facts: Mapping[str, Any] = field(default_factory=dict)


def statable(seeker: Matchable) -> tuple[bool, ...]:
    """For each indicator: whether stating exactly what is asked for would meet it (a draft's may not)."""
    if not seeker.indicators:
        return ()
    model = Matchable(Kind.CAPABILITY, 0, indicators=tuple(map(statement_of, seeker.indicators)))
    alike = {mark.value: 1 for mark in Mark}
    return tuple(
        comparison.finding.verdict == "met"
        for comparison in shares.compare_indicators(seeker, shares.offer_of(model), alike)
    )


def statement_of(indicator: Any) -> Any:
    """The parameter by which a capability would state that it meets `indicator` (both are Indicators)."""
    return replace(indicator, weight=0, mark=Mark.PLAIN)


def advise(match: Match, can_be_stated: Sequence[bool]) -> tuple[Advice, ...]:
    """What would raise the score of `match`, what is easiest first, then by gain."""
    found = [*_indicators(match, can_be_stated), *_facts(match)]
    return tuple(
        sorted(
            (one for one in found if one.gain > 0),
            key=lambda one: (_ORDER.index(one.code), -one.gain),
        )
    )


def titles(match: Match) -> dict[str, int]:
    """The points of the designations' part with each title as the only one; under "" with none.

    So a title that runs out, or that is confirmed, can be counted without the engine.
    """
    part = match.part("designations")
    return {
        code: _worth(match, part, share) for code, share in _title_shares(match.capability.standing).items()
    }


@cache
def _title_shares(standing: Standing) -> Mapping[str, Share]:
    bare = Matchable(Kind.CAPABILITY, 0, standing=standing)
    return {
        code: shares.designations_share(replace(bare, designations=(code,) if code else ()))
        for code in ("", *shares.DESIGNATIONS)
    }


def _worth(match: Match, part: Part, share: Share) -> int:
    """A share in points at the support that the pair's text gives."""
    return round(part.maximum * share.value * match.support)


def _gain(match: Match, name: str, share: Share) -> int:
    part = match.part(name)
    return _worth(match, part, share) - part.points


def _indicators(match: Match, can_be_stated: Sequence[bool]) -> Iterator[Advice]:
    earned = [comparison.share for comparison in match.comparisons]
    for place, comparison in enumerate(match.comparisons):
        verdict = comparison.finding.verdict.value
        if verdict == "met" or not can_be_stated[place]:
            continue
        reached = [*earned[:place], comparison.weight, *earned[place + 1 :]]
        yield Advice(
            "indicator.state" if verdict == "unstated" else "indicator.reach",
            _gain(match, "indicators", Share(sum(reached))),
            {
                "name": comparison.indicator.name,
                "mark": comparison.indicator.mark.value,
                "requirement": comparison.indicator.requirement_text(),
                "offered": comparison.finding.offered_text,
                "place": place,
            },
        )


def _facts(match: Match) -> Iterator[Advice]:
    seeker, capability = match.seeker, match.capability
    if seeker.trl_target is not None and (capability.trl is None or capability.trl < seeker.trl_target):
        stated = capability.trl is None
        level = seeker.trl_target if capability.trl is None else capability.trl + 1
        share = shares.trl_share(seeker, replace(capability, trl=level))
        facts: dict[str, Any] = {"from": capability.trl, "to": level, "asked": seeker.trl_target}
        yield Advice("trl.state" if stated else "trl.raise", _gain(match, "trl", share), facts)
    if seeker.clusters and not capability.clusters:
        share = shares.taxonomy_share(seeker, replace(capability, clusters=seeker.clusters[:1]))
        facts = {"clusters": list(seeker.clusters)}
        yield Advice("cluster.state", _gain(match, "taxonomy", share), facts)
    elif seeker.industry and not capability.industry and not match.part("taxonomy").points:
        share = shares.taxonomy_share(seeker, replace(capability, industry=seeker.industry))
        yield Advice("industry.state", _gain(match, "taxonomy", share), {"industry": seeker.industry})
    if seeker.region and not capability.region:
        # As little as helps: somewhere in the same province.
        province = f"{seeker.region[:2]}0000"
        share = shares.region_share(seeker, replace(capability, region=province))
        yield Advice("region.state", _gain(match, "region", share), {"region": province})
    if seeker.cooperation and not match.part("cooperation").points:
        widened = (*capability.cooperation, seeker.cooperation[0])
        share = shares.cooperation_share(seeker, replace(capability, cooperation=widened))
        code = "cooperation.widen" if capability.cooperation else "cooperation.state"
        yield Advice(code, _gain(match, "cooperation", share), {"forms": list(seeker.cooperation)})
    if capability.standing is not Standing.VERIFIED:
        share = shares.designations_share(replace(capability, standing=Standing.VERIFIED))
        yield Advice("verify", _gain(match, "designations", share))


def applied(match: Match, advice: Advice) -> Matchable:
    """The capability of `match` as it would be had `advice` been followed; its text stays as it is."""
    capability, facts = match.capability, advice.facts
    if advice.code.startswith("indicator."):
        stated = statement_of(match.comparisons[facts["place"]].indicator)
        return replace(capability, indicators=(stated, *capability.indicators))
    if advice.code.startswith("trl."):
        return replace(capability, trl=facts["to"])
    if advice.code == "cluster.state":
        return replace(capability, clusters=tuple(facts["clusters"][:1]))
    if advice.code == "industry.state":
        return replace(capability, industry=facts["industry"])
    if advice.code == "region.state":
        return replace(capability, region=facts["region"])
    if advice.code.startswith("cooperation."):
        return replace(capability, cooperation=(*capability.cooperation, facts["forms"][0]))
    return replace(capability, standing=Standing.VERIFIED)
