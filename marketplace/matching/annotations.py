"""What a higher feature shows on the lines of a list, without the pages knowing what it is.

A page names its lines once; whoever is registered fills in what belongs to each, so that a list costs a
fixed number of statements. Nothing here moves a place: a folded line stays where it stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from marketplace.kernel.actor import Actor
from marketplace.matching.models import MatchRun, PostingKind

#: (posting id, capability id)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A capability as it is listed for a challenge or need."""

    seeker: Any
    run: MatchRun
    capability: Any
    organisation: Any
    place: int
    opened: bool = False

    @property
    def key(self) -> Key:
        return self.seeker.id, self.capability.id


@dataclass(slots=True)
class Lines:
    """The lines of one page. `own` says that a supplier reads of its own; the rest is filled in."""

    kind: PostingKind
    lines: Sequence[ListedLine]
    actor: Actor
    own: bool = False
    head: Markup = field(default_factory=Markup)
    # What tells the site that the page has been read; without anything to see.
    seen: Markup = field(default_factory=Markup)
    # Why a line is folded away, in words.
    folded: dict[Key, str] = field(default_factory=dict)
    below: dict[Key, Markup] = field(default_factory=dict)


_annotators: list[Callable[[Lines], None]] = []


def register(annotator: Callable[[Lines], None]) -> None:
    if annotator not in _annotators:
        _annotators.append(annotator)


def annotate(lines: Lines) -> Lines:
    for annotator in _annotators:
        annotator(lines)
    return lines
