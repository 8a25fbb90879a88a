"""A lifecycle drawn as a picture of boxes and arrows, from its table, so that no guide can go stale.

Places alone: what is drawn with them is the template's. Not here: what the guides say beside it.
"""

from dataclasses import dataclass

from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_

BOX_WIDTH, BOX_HEIGHT, GAP, ROW = 132, 44, 118, 124
PARTY_LABELS = {
    Party.EDITOR: N_("经办"),
    Party.MANAGER: N_("单位管理员"),
    Party.OPERATOR: N_("平台"),
    Party.SYSTEM: N_("系统"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """A status at its place; `good` stands on the path of a good life."""

    label: str
    x: int
    y: int
    good: bool


@dataclass(frozen=True, slots=True)
class Arrow:
    """A move from box to box; `labels` are the buttons, `by` who presses them (gettext sources)."""

    source: Box
    target: Box
    label: str
    by: str

    @property
    def along(self) -> bool:
        return self.source.y == self.target.y

    @property
    def line(self) -> tuple[int, int, int, int]:
        half = BOX_WIDTH // 2
        if self.along:
            forward = self.source.x < self.target.x
            start = self.source.x + (BOX_WIDTH if forward else 0)
            middle = self.source.y + BOX_HEIGHT // 2
            return (start, middle, self.target.x + (0 if forward else BOX_WIDTH), middle)
        down = self.source.y < self.target.y
        # Two ways between the same boxes stand side by side.
        aside = -18 if down else 18
        return (
            self.source.x + half + aside,
            self.source.y + (BOX_HEIGHT if down else 0),
            self.target.x + half + aside,
            self.target.y + (0 if down else BOX_HEIGHT),
        )


@dataclass(frozen=True, slots=True)
class Diagram:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def draw(life: Lifecycle) -> Diagram:
    """The path in a row, and below each step what may become of it instead."""
    columns = {status: column for column, status in enumerate(life.path)}
    boxes: dict[str, Box] = {}
    depth = dict.fromkeys(life.path, 0)
    for status, column in columns.items():
        boxes[status] = Box(life.labels[status], column * (BOX_WIDTH + GAP), 0, good=True)
    for status, hangs_on in life.detours.items():
        depth[hangs_on] += 1
        boxes[status] = Box(
            life.labels[status],
            columns[hangs_on] * (BOX_WIDTH + GAP),
            depth[hangs_on] * ROW,
            good=False,
        )
    arrows = []
    for move in life.transitions:
        for source in move.sources:
            if source in boxes and move.target in boxes and source != move.target:
                by = PARTY_LABELS[sorted(move.by)[0]]
                arrows.append(Arrow(boxes[source], boxes[move.target], move.label, by))
    width = len(life.path) * (BOX_WIDTH + GAP) - GAP
    height = max(depth.values()) * ROW + BOX_HEIGHT
    return Diagram(tuple(boxes.values()), tuple(arrows), width, height)
