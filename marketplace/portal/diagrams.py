"""A lifecycle drawn as a picture of boxes and arrows, from its table, so that no guide can go stale.

Places alone: what is drawn with them is the template's. Not here: what the guides say beside it.
"""

from dataclasses import dataclass

from marketplace.kernel.lifecycle import Lifecycle
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_

BOX_WIDTH, BOX_HEIGHT, GAP, ROW, ASIDE = 120, 44, 104, 140, 16
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
    """A move from box to box; `label` is its button, `by` who presses it (gettext sources)."""

    source: Box
    target: Box
    label: str
    by: str

    @property
    def along(self) -> bool:
        """Whether both boxes stand in one row."""
        return self.source.y == self.target.y

    @property
    def forth(self) -> bool:
        """Away from the path, or onward along a row."""
        return self.source.x < self.target.x if self.along else self.source.y < self.target.y

    @property
    def line(self) -> tuple[int, int, int, int]:
        # There and back between two boxes run side by side.
        aside = -ASIDE if self.forth else ASIDE
        if self.along:
            row_aside = 0 if self.source.good and self.target.good else aside // 2
            middle = self.source.y + BOX_HEIGHT // 2 + row_aside
            start = self.source.x + (BOX_WIDTH if self.forth else 0)
            return start, middle, self.target.x + (0 if self.forth else BOX_WIDTH), middle
        centre = BOX_WIDTH // 2 + aside
        return (
            self.source.x + centre,
            self.source.y + (BOX_HEIGHT if self.forth else 0),
            self.target.x + centre,
            self.target.y + (0 if self.forth else BOX_HEIGHT),
        )

    @property
    def label_at(self) -> tuple[int, int, str]:
        """Where its name stands, and how it is anchored there: near the box off the path."""
        x1, y1, x2, y2 = self.line
        if self.along:
            return (x1 + x2) // 2, y1 + (-8 if self.forth else 18), "middle"
        (far_x, far_y), (near_x, near_y) = ((x2, y2), (x1, y1)) if self.forth else ((x1, y1), (x2, y2))
        # Ways there are named near the box below, ways back halfway, so that no name hides another.
        parts = 4 if self.forth else 2
        x, y = far_x + (near_x - far_x) // parts, far_y + (near_y - far_y) // parts
        return (x - 8, y, "end") if self.forth else (x + 8, y, "start")


@dataclass(frozen=True, slots=True)
class Diagram:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


def draw(life: Lifecycle) -> Diagram:
    """The path in a row, and in rows below it what may become of each step instead."""
    columns = {status: column for column, status in enumerate(life.path)}
    places: dict[str, tuple[int, int]] = {status: (column, 0) for status, column in columns.items()}
    taken: set[tuple[int, int]] = set()
    for status, hangs_on in life.detours.items():
        # Side by side, so that no arrow runs through a box.
        column = columns[hangs_on]
        while (column, 1) in taken:
            column += 1
        taken.add((column, 1))
        places[status] = (column, 1)
    boxes = {
        status: Box(life.label(status), column * (BOX_WIDTH + GAP), row * ROW, good=row == 0)
        for status, (column, row) in places.items()
    }
    arrows = [
        Arrow(boxes[source], boxes[move.target], move.label, PARTY_LABELS[sorted(move.by)[0]])
        for move in life.transitions
        for source in move.sources
        if source in boxes and move.target in boxes and source != move.target
    ]
    width = max(box.x for box in boxes.values()) + BOX_WIDTH
    height = max(box.y for box in boxes.values()) + BOX_HEIGHT
    return Diagram(tuple(boxes.values()), tuple(arrows), width, height)
