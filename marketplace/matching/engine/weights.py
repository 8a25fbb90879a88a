"""How much each part of a score can add, and how text is weighed: data with a version.

The parts' maxima add up to 100, so a score is "points out of 100". Change a number, change the version.
Not here: the arithmetic (`scoring`, `ranking`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

#: Points are kept as whole millionths, so that sums are exact whatever order they are added in.
MICRO = 1_000_000

#: The order in which parts are shown and stored.
PART_NAMES = (
    "text",
    "title",
    "indicators",
    "taxonomy",
    "trl",
    "region",
    "cooperation",
    "designations",
)


@dataclass(frozen=True, slots=True)
class TextWeights:
    """BM25F over several kinds of terms (Robertson, Zaragoza and Taylor, CIKM 2004).

    `k1` is how fast repeating a term stops helping, `b` how much a long section is discounted.
    """

    words: float = 1.0
    bigrams: float = 0.5
    characters: float = 0.8
    pairs: float = 0.3
    k1: float = 1.2
    b: float = 0.75
    title: float = 2.0  # a term in a title counts as if said this often in the body
    keywords: float = 1.5
    body: float = 1.0
    asked_in_title: float = 3.0  # how much more a term counts that the seeker's title or keywords name
    background: int = 100  # documents beyond the corpus that a term's rarity is judged against
    terms_asked: int = 80  # so many of the seeker's weightiest terms said once are full agreement
    rarity: float = 0.75  # how much more a long seeker's rare terms count than its common ones


@dataclass(frozen=True, slots=True)
class Weights:
    """Points each part can add; raises ValueError unless they are non-negative and add up to 100."""

    version: str = "P-2026.1"
    parts: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType(
            {
                "text": 40,
                "title": 8,
                "indicators": 25,
                "taxonomy": 10,
                "trl": 6,
                "region": 4,
                "cooperation": 3,
                "designations": 4,
            }
        )
    )
    marks: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({"must": 5, "key": 3, "plain": 1})
    )
    text: TextWeights = TextWeights()
    #: Text agreement at which every other part counts in full; below it they count in proportion,
    #: because a firm next door that makes something else is still no answer.
    full_support: float = 0.25
    #: Text agreement below which nobody is listed: a few common characters are no answer.
    least_agreement: float = 0.05

    def __post_init__(self) -> None:
        if tuple(self.parts) != PART_NAMES:
            raise ValueError(f"the parts must be {', '.join(PART_NAMES)}")
        if min(self.parts.values()) < 0 or sum(self.parts.values()) != 100:
            raise ValueError("the parts' points must not be negative and must add up to 100")
        if not 0 < self.least_agreement <= self.full_support <= 1:
            raise ValueError("least_agreement and full_support lie between 0 and 1, in this order")

    def maximum(self, part: str) -> int:
        """The most a part can add, in millionths of a point."""
        return self.parts[part] * MICRO

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, for keeping beside a run."""
        return {
            "version": self.version,
            "parts": dict(self.parts),
            "marks": dict(self.marks),
            "text": asdict(self.text),
            "full_support": self.full_support,
            "least_agreement": self.least_agreement,
        }

    def digest(self) -> str:
        """A hash of every number, so that a changed weight with an unchanged version is noticed."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


DEFAULT_WEIGHTS = Weights()
