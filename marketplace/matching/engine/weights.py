"""How much each part of a score can add, and how text is weighed: data with a version.

The parts' maxima add up to 100, so a score is "points out of 100". Change a number, change the version.
Not here: the arithmetic (`scoring`, `ranking`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

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

#: The marks of indicators, weightiest first.
MARK_NAMES = ("must", "key", "plain")
_MARK_AT_MOST = 100
_VERSION_AT_MOST = 40

#: Within which a number of `TextWeights` may lie where it is not only any number from 0 to 10.
TEXT_LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "k1": (0.01, 10.0),
        "b": (0.0, 1.0),
        "common": (0.0, 1.0),
        "background": (0, 100_000),
        "terms_asked": (1, 10_000),
    }
)


def text_limits(name: str) -> tuple[float, float]:
    """The least and the most that a number of `TextWeights` may be."""
    return TEXT_LIMITS.get(name, (0.0, 10.0))


@dataclass(frozen=True, slots=True)
class TextWeights:
    """BM25F over several kinds of terms (Robertson, Zaragoza and Taylor, CIKM 2004).

    `k1` is how fast repeating a term stops helping, `b` how much a long section is discounted.
    """

    words: float = 1.0
    bigrams: float = 0.5
    characters: float = 1.2
    pairs: float = 0.3
    concepts: float = 0.5  # things named by any of their names
    families: float = 0.8  # branches of industry of which a product is named
    k1: float = 1.2
    b: float = 0.8
    title: float = 2.0  # a term in a title counts as if said this often in the body
    keywords: float = 1.5
    body: float = 1.0
    asked_in_title: float = 3.0  # how much more a term counts that the seeker's title or keywords name
    background: int = 100  # documents beyond the corpus that a term's rarity is judged against
    terms_asked: int = 80  # so many of the seeker's weightiest terms said once are full agreement
    rarity: float = 1.0  # how much more a long seeker's rare terms count than its common ones
    common: float = 0.5  # single characters in more than this share of the corpus say nothing


DEFAULT_TEXT_WEIGHTS = TextWeights()


@dataclass(frozen=True, slots=True)
class Weights:
    """Points each part can add; raises ValueError unless they are non-negative and add up to 100."""

    version: str = "P-2026.2"
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
    text: TextWeights = DEFAULT_TEXT_WEIGHTS
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
        if tuple(self.marks) != MARK_NAMES or not all(0 <= m <= _MARK_AT_MOST for m in self.marks.values()):
            raise ValueError(f"the marks {', '.join(MARK_NAMES)} weigh from 0 to {_MARK_AT_MOST}")
        if max(self.marks.values()) == 0:
            raise ValueError("one mark at least must weigh something")
        if not 0 < self.least_agreement <= self.full_support <= 1:
            raise ValueError("least_agreement and full_support lie between 0 and 1, in this order")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Nothing in it changes; scikit-learn's `clone` copies what an estimator is made with."""
        return self

    def support(self, agreement: float) -> float:
        """How much of the parts beside the text counts at a text agreement, both between 0 and 1."""
        return min(1.0, agreement / self.full_support)

    def text_points(self, agreement: float) -> int:
        """The text's part, in millionths of a point."""
        return round(self.maximum("text") * math.sqrt(agreement))

    def worth(self, part: str, share: float, support: float) -> int:
        """A share of a part beside the text, in millionths: it counts as far as the text supports it."""
        return round(self.maximum(part) * share * support)

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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read `to_dict` back; raises ValueError on anything else.

        A number that a set does not have, because it was written before there was such a number, is taken
        as shipped; one that is not known is refused.
        """
        if not isinstance(data, Mapping) or not {"version", "parts", "marks", "text"} <= set(data):
            raise ValueError("weights have a version, parts, marks and text")
        version, marks, text = data["version"], data["marks"], data["text"]
        if not isinstance(version, str) or not 1 <= len(version) <= _VERSION_AT_MOST:
            raise ValueError(f"a version has 1 to {_VERSION_AT_MOST} characters")
        parts = _in_order(data["parts"], PART_NAMES, "parts")
        others = {name: data[name] for name in data if name not in ("version", "parts", "marks", "text")}
        rest = _numbers(cls, others)
        text = _numbers(TextWeights, text)
        for name, value in text.items():
            least, most = text_limits(name)
            if not least <= value <= most:
                raise ValueError(f"{name} lies between {least} and {most}")
        return cls(
            version=version,
            parts=MappingProxyType(parts),
            marks=MappingProxyType(_in_order(marks, MARK_NAMES, "marks")),
            text=TextWeights(**text),
            **rest,
        )

    def digest(self) -> str:
        """A hash of every number, so that a changed weight with an unchanged version is noticed."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def _in_order(data: Any, names: tuple[str, ...], what: str) -> dict[str, int]:
    """Whole numbers under exactly these names, in their order; a database may have kept another one."""
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise ValueError(f"the {what} must be {', '.join(names)}")
    if not all(type(value) is int for value in data.values()):
        raise ValueError(f"the {what} are whole numbers")
    return {name: data[name] for name in names}


def _numbers(owner: type, data: Any) -> dict[str, Any]:
    """`data` with each number in the type of its field of `owner`, so that equal weights hash alike.

    Raises ValueError for a name that is no number of `owner`, and for what is no finite number.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{owner.__name__} is a mapping")
    known = {one.name: one.type for one in fields(owner) if one.type in ("int", "float")}
    for name, value in data.items():
        if name not in known:
            raise ValueError(f"{owner.__name__} has no {name}")
        whole = type(value) is int
        if not whole and (known[name] == "int" or type(value) is not float or not math.isfinite(value)):
            raise ValueError(f"{name} is a number, {'whole' if known[name] == 'int' else 'finite'}")
    return {name: value if known[name] == "int" else float(value) for name, value in data.items()}


DEFAULT_WEIGHTS = Weights()
