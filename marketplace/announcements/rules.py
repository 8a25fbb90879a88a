"""What an announcement must say to be published. Plain Python."""

from collections.abc import Iterator
from dataclasses import dataclass

from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_

SHORTEST_TITLE, LONGEST_TITLE = 4, 120
SHORTEST_BODY, LONGEST_BODY = 10, 20_000
MOST_PINNED = 3


@dataclass(frozen=True, slots=True)
class AnnouncementDraft:
    title: str = ""
    category: str = "notice"
    body: str = ""


def gaps(draft: AnnouncementDraft) -> Iterator[Obstacle]:
    """What keeps it from being published, all at once."""
    if len(draft.title.strip()) < SHORTEST_TITLE:
        yield Obstacle("title", N_("标题至少 %(limit)s 个字"), {"limit": SHORTEST_TITLE})
    if len(draft.body.strip()) < SHORTEST_BODY:
        yield Obstacle("body", N_("正文至少 %(limit)s 个字"), {"limit": SHORTEST_BODY})
