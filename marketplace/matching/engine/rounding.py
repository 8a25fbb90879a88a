"""Whole numbers that add up: cutting and rounding by largest remainder, in whole numbers throughout.

Not here: what is cut (`reasons`) and how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence


def in_units(
    values: Sequence[int],
    unit: int,
    total: int,
    *,
    least: Sequence[int] | None = None,
    most: Sequence[int | None] | None = None,
) -> list[int]:
    """`values` in whole `unit`s that add up to `total`, each as near to its value as can be.

    Rounded down first, then up where most is lacking; equal ones from the front. No piece goes below its
    `least` (0) or above its `most` (None: no bound). Raises ValueError where the bounds leave no room.
    """
    floors = list(least) if least is not None else [0] * len(values)
    ceilings = list(most) if most is not None else [None] * len(values)
    pieces = []
    for value, low, high in zip(values, floors, ceilings, strict=True):
        piece = max(value // unit, low)
        pieces.append(piece if high is None else min(piece, high))
    missing = total - sum(pieces)
    while missing:
        step = 1 if missing > 0 else -1
        open_ = [
            i
            for i, (piece, low, high) in enumerate(zip(pieces, floors, ceilings, strict=True))
            if (high is None or piece < high if step > 0 else piece > low)
        ]
        if not open_:
            raise ValueError(f"{total} cannot be made of {len(values)} pieces within their bounds")
        open_.sort(key=lambda i: (step * (pieces[i] * unit - values[i]), i))
        for i in open_[: abs(missing)]:
            pieces[i] += step
            missing -= step
    return pieces


def spread(points: int, shares: Sequence[int]) -> list[int]:
    """Cut whole `points` in proportion to whole `shares` so that the pieces add up exactly.

    Largest remainder; equal remainders go to the earlier one. Without any share all pieces are 0.
    """
    total = sum(shares)
    if total <= 0:
        return [0] * len(shares)
    return in_units([points * share for share in shares], total, points)
