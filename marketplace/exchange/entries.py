"""One line of an import file, parsed: what a collected posting (收录) brings with it."""

from enum import StrEnum
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints


class EntryKind(StrEnum):
    CHALLENGE = "challenge"
    SUPPLY_NEED = "supply_need"
    CAPABILITY = "capability"


def _plain_text(text: str) -> str:
    for character in text:
        if (character < " " and character not in "\n\t\r") or "\ud800" <= character <= "\udfff":
            raise ValueError("含有不能保存的控制字符")
    return text


def _plain_data(value: Any, depth: int = 0) -> Any:
    """What a JSON column takes: no control characters, nothing infinite, nothing nested without end."""
    match value:
        case str():
            _plain_text(value)
        case float() if not isfinite(value):
            raise ValueError("含有超出范围的数值")
        case dict() | list() if depth == DEEPEST:
            raise ValueError(f"嵌套超过 {DEEPEST} 层")
        case dict():
            for name, inner in value.items():
                _plain_text(name)
                _plain_data(inner, depth + 1)
        case list():
            for inner in value:
                _plain_data(inner, depth + 1)
    return value


def _limits(shortest: int, longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)


Plain = AfterValidator(_plain_text)
DEEPEST = 5


class CollectedEntry(BaseModel):
    """Unknown fields are refused, so that a misspelt one is not lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, _limits(1, 60), Plain]
    kind: Annotated[EntryKind, Field(strict=False)]
    title: Annotated[str, _limits(1, 200), Plain]
    text: Annotated[str, _limits(0, 20_000), Plain] = ""
    org: Annotated[str, _limits(1, 120), Plain]
    source_title: Annotated[str, _limits(0, 300), Plain] = ""
    source_url: Annotated[str, _limits(0, 500), Plain] = ""
    lang: Annotated[str, Field(max_length=20), Plain] = ""
    extra: Annotated[dict[str, Any], AfterValidator(_plain_data)] = Field(default_factory=dict)

    @property
    def title_only(self) -> bool:
        """Whether there is no body beyond the title to be matched."""
        return bool(self.extra.get("title_only")) or self.text in ("", self.title)

    @property
    def keywords(self) -> list[str]:
        """The entry's own keywords; bare numbers, as some lists carry, are none."""
        found = self.extra.get("keywords") or ""
        words = (
            found if isinstance(found, list) else str(found).replace("、", ",").replace("；", ",").split(",")
        )
        return [w for w in (str(word).strip()[:40] for word in words) if w and not w.isdigit()][:10]

    @property
    def trl(self) -> int | None:
        try:
            level = int(str(self.extra.get("trl", "")).strip())
        except ValueError:
            return None
        return level if 1 <= level <= 9 else None

    @property
    def seeker_name(self) -> str:
        """The organisation to show: what stands before a "/" or a "+", without remarks in brackets."""
        name = self.org.split(" / ")[0]
        for mark in ("(发榜)", "（发榜）", "(揭榜)", "（揭榜）", "(發榜)", "(揭榜方)"):
            name = name.replace(mark, "")
        return name.strip() or self.org
