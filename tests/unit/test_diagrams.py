"""Pictures of lives: every move is drawn, and none runs through a box."""

import pytest

from marketplace.kernel.lifecycle import Lifecycle
from marketplace.lifecycles import all_lifecycles
from marketplace.portal.diagrams import BOX_HEIGHT, BOX_WIDTH, ROW, draw

SHOWN = [life for life in all_lifecycles() if life.thing in ("challenge", "need", "capability")]


@pytest.mark.parametrize("life", SHOWN, ids=lambda life: life.thing)
def test_every_move_between_two_statuses_is_drawn_once(life: Lifecycle) -> None:
    diagram = draw(life)
    moves = [
        (life.label(source), life.label(move.target), move.label)
        for move in life.transitions
        for source in move.sources
        if source != move.target
    ]
    assert sorted((a.source.label, a.target.label, a.label) for a in diagram.arrows) == sorted(moves)


@pytest.mark.parametrize("life", SHOWN, ids=lambda life: life.thing)
def test_boxes_have_places_of_their_own_inside_the_picture(life: Lifecycle) -> None:
    diagram = draw(life)
    assert len({(box.x, box.y) for box in diagram.boxes}) == len(diagram.boxes)
    assert all(b.x + BOX_WIDTH <= diagram.width and b.y + BOX_HEIGHT <= diagram.height for b in diagram.boxes)
    for arrow in diagram.arrows:
        x1, y1, x2, y2 = arrow.line
        between = [b for b in diagram.boxes if b not in (arrow.source, arrow.target)]
        if arrow.along:
            low, high = sorted((x1, x2))
            assert not [b for b in between if b.y == arrow.source.y and low < b.x < high]
        else:
            # From the foot of one row to the head of the next there is nothing to run through.
            assert abs(y2 - y1) == ROW - BOX_HEIGHT
