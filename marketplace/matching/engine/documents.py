"""What the engine sees of a challenge, need or capability: a `Matchable`, and nothing else.

A confidential annex and a hidden maximum price have no field here, so they can reach neither the index
nor a score nor a reason. Not here: how a row becomes a Matchable (the feature around the engine does that).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from marketplace.indicators.model import Indicator

#: Sections that are lists of names and no sentences.
LISTS = ("keywords", "indicators", "certificates")


class Kind(StrEnum):
    """The three things that are matched; challenges and needs seek, capabilities answer."""

    CHALLENGE = "challenge"
    NEED = "need"
    CAPABILITY = "capability"

    @property
    def seeks(self) -> bool:
        """Whether things of this kind look for capabilities."""
        return self is not Kind.CAPABILITY


class Standing(StrEnum):
    """How far the organisation behind a document is known."""

    VERIFIED = "verified"
    COLLECTED = "collected"  # 收录: imported with its source, nobody has claimed it
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Whom a seeker admits. Empty means anybody; an unknown fact never satisfies a condition."""

    kinds: tuple[str, ...] = ()  # enterprise, university, institute, service
    sizes: tuple[str, ...] = ()  # such as medium, small, micro for "SMEs only"
    designations: tuple[str, ...] = ()  # any one of these
    regions: tuple[str, ...] = ()  # GB/T 2260 codes; a province code admits its districts
    verified_only: bool = False


@dataclass(frozen=True, slots=True)
class Matchable:
    """One version of a challenge, need or capability as text and facts; unknown facts stay empty."""

    kind: Kind
    id: int
    version: int = 1
    title: str = ""
    sections: tuple[tuple[str, str], ...] = ()  # (name, text), such as ("summary", "…")
    keywords: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()  # 33618 codes such as "A1"
    region: str = ""  # GB/T 2260, six digits
    industry: str = ""  # GB/T 4754 such as "C36"
    trl: int | None = None  # what a capability has reached
    trl_target: int | None = None  # what a seeker asks for
    indicators: tuple[Indicator, ...] = ()  # a seeker's requirements, a capability's parameters
    cooperation: tuple[str, ...] = ()
    organisation_id: int | None = None
    organisation_kind: str = ""
    organisation_size: str = ""
    designations: tuple[str, ...] = ()
    standing: Standing = Standing.UNVERIFIED
    active: bool = True  # False once withdrawn, taken down or its organisation suspended
    valid_until: datetime | None = None
    conditions: Conditions = Conditions()

    @property
    def key(self) -> tuple[str, int]:
        """What tells this thing from every other, whatever its version."""
        return (self.kind.value, self.id)

    def text_sections(self) -> tuple[tuple[str, str], ...]:
        """Everything that is read as text, by section, empty ones left out."""
        keywords = "\n".join(self.keywords)
        named = ("title", self.title), *self.sections, ("keywords", keywords)
        return tuple((name, text) for name, text in named if text.strip())

    def body(self) -> str:
        """The running text, for quotes and for reading quantities: the title's line first."""
        return "\n".join(text for name, text in self.text_sections() if name not in LISTS)

    def digest(self) -> str:
        """A hash of everything the engine sees: equal digests give equal scores."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """A JSON form that leaves out what is empty and reads back to an equal object."""
        data: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default and field.name not in ("kind", "id", "version"):
                continue
            data[field.name] = _ENCODERS.get(field.name, _as_is)(value)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read `to_dict` back; raises KeyError, TypeError or ValueError on anything else."""
        known = {name: _DECODERS[name](value) if name in _DECODERS else value for name, value in data.items()}
        return cls(**known)


def _as_is(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _conditions_data(conditions: Conditions) -> dict[str, Any]:
    return {
        field.name: _as_is(getattr(conditions, field.name))
        for field in fields(conditions)
        if getattr(conditions, field.name) != field.default
    }


def _read_conditions(data: Mapping[str, Any]) -> Conditions:
    read: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    return Conditions(**read)


_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "kind": str,
    "standing": str,
    "sections": lambda value: [list(section) for section in value],
    "indicators": lambda value: [indicator.to_dict() for indicator in value],
    "valid_until": lambda value: value.isoformat(),
    "conditions": _conditions_data,
}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "kind": Kind,
    "standing": Standing,
    "sections": lambda value: tuple((name, text) for name, text in value),
    "keywords": tuple,
    "clusters": tuple,
    "indicators": lambda value: tuple(Indicator.from_dict(item) for item in value),
    "cooperation": tuple,
    "designations": tuple,
    "valid_until": datetime.fromisoformat,
    "conditions": _read_conditions,
}
