"""The loops that decide how fast a need is answered: over postings and over documents, in whole numbers.

Compiled by numba where it is installed; the same functions in numpy give the same numbers without it.
Whole numbers add up to the same in any order, so no layout, thread or machine changes a sum. Arrays are
C-contiguous and writable (files are opened with `mode="c"`), so that each loop is compiled once.
Not here: what the numbers mean (`scoring`, `ranking`) and where they lie (`segments`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])

#: Set to 1 to rank without compiled loops even where numba is installed.
PLAIN = os.environ.get("MATCH_ENGINE_PLAIN") == "1"

try:
    if PLAIN:
        raise ImportError
    import numba
except ImportError:  # pragma: no cover - one or the other, by installation
    numba = None  # type: ignore[assignment]


# Columns that are added in one pass over the sums: then reading them is what limits.
_TOGETHER = 4
# Rows whose sums stay in the nearest cache meanwhile.
_ROWS_AT_ONCE = 16_384


def is_compiled() -> bool:
    """Whether the loops run compiled."""
    return numba is not None


def _compiled(plain: Callable[..., Any]) -> Callable[[Function], Function]:
    """Compile a loop, or put `plain` in its place: the same numbers, slower."""

    def decide(loop: Function) -> Function:
        compiled = plain if numba is None else numba.njit(cache=True, nogil=True, error_model="numpy")(loop)
        return cast("Function", compiled)

    return decide


def _count_below_plain(ascending: Array, value: int) -> int:
    return int(np.searchsorted(ascending, value))


@_compiled(_count_below_plain)
def _count_below(ascending: Array, value: int) -> int:
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) >> 1
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


def _find_plain(keys: Array, wanted: Array, places: Array) -> None:
    found = np.searchsorted(keys, wanted)
    found[found == keys.size] = 0
    places[:] = np.where(keys[found] == wanted, found, -1) if keys.size else -1


@_compiled(_find_plain)
def find(keys: Array, wanted: Array, places: Array) -> None:
    """Where each of `wanted` stands in the ascending `keys`, −1 for those that do not."""
    size = keys.size
    for i in range(wanted.size):
        place = _count_below(keys, wanted[i])
        places[i] = place if place < size and keys[place] == wanted[i] else -1


def _accumulate_plain(
    places: Array,
    worths: Array,
    indptr: Array,
    rows: Array,
    impacts: Array,
    dense_of: Array,
    dense: Array,
    from_row: int,
    to_row: int,
    sums: Array,
) -> None:
    sums[:] = 0
    within = slice(from_row, to_row)
    for place, worth in zip(places.tolist(), worths.tolist(), strict=True):
        if place < 0:
            continue
        column = int(dense_of[place])
        if column >= 0:
            sums[within] += dense[column, within].astype(np.int32) * np.int32(worth)
        else:
            start, end = int(indptr[place]), int(indptr[place + 1])
            first, last = np.searchsorted(rows[start:end], (from_row, to_row))
            here = slice(start + int(first), start + int(last))
            sums[rows[here]] += impacts[here].astype(np.int32) * np.int32(worth)


def _add_columns_plain(
    columns: Array, worths: Array, dense: Array, from_row: int, to_row: int, sums: Array
) -> None:
    for column, worth in zip(columns.tolist(), worths.tolist(), strict=True):
        sums[from_row:to_row] += dense[column, from_row:to_row].astype(np.int32) * np.int32(worth)


@_compiled(_add_columns_plain)
def _add_columns(
    columns: Array, worths: Array, dense: Array, from_row: int, to_row: int, sums: Array
) -> None:
    """Several columns in a pass, over so many rows that their sums stay in the nearest cache."""
    held = columns.size
    together = held - held % _TOGETHER
    for start in range(from_row, to_row, _ROWS_AT_ONCE):
        end = min(to_row, start + _ROWS_AT_ONCE)
        here = sums[start:end]
        for h in range(0, together, _TOGETHER):
            first_column = dense[columns[h], start:end]
            second_column = dense[columns[h + 1], start:end]
            third_column = dense[columns[h + 2], start:end]
            fourth_column = dense[columns[h + 3], start:end]
            a, b, c, d = worths[h], worths[h + 1], worths[h + 2], worths[h + 3]
            for i in range(here.size):
                here[i] += (
                    a * np.int32(first_column[i])
                    + b * np.int32(second_column[i])
                    + c * np.int32(third_column[i])
                    + d * np.int32(fourth_column[i])
                )
        for h in range(together, held):
            column = dense[columns[h], start:end]
            worth = worths[h]
            for i in range(here.size):
                here[i] += worth * np.int32(column[i])


@_compiled(_accumulate_plain)
def accumulate(
    places: Array,
    worths: Array,
    indptr: Array,
    rows: Array,
    impacts: Array,
    dense_of: Array,
    dense: Array,
    from_row: int,
    to_row: int,
    sums: Array,
) -> None:
    """Into `sums` (int32, one for each document): Σ worth × impact over the terms at `places`.

    Only for the rows from `from_row` up to `to_row`; the others get 0.

    A term of few documents is a list of (row, impact); one of many is a column of impacts, which is read
    without any jumps and therefore some twenty times as fast for each document.
    """
    size = sums.size
    for i in range(size):
        sums[i] = 0
    columns = np.empty(places.size, dtype=np.int64)
    of_column = np.empty(places.size, dtype=np.int32)
    held = 0
    for t in range(places.size):
        place = places[t]
        if place < 0:
            continue
        if dense_of[place] >= 0:
            columns[held] = dense_of[place]
            of_column[held] = worths[t]
            held += 1
            continue
        first, last = indptr[place], indptr[place + 1]
        if from_row > 0:
            first += _count_below(rows[first:last], from_row)
        if to_row < size:
            last = first + _count_below(rows[first:last], to_row)
        these = rows[first:last]
        strengths = impacts[first:last]
        worth = np.int32(worths[t])
        for i in range(these.size):
            sums[np.uintp(these[i])] += worth * np.int32(strengths[i])
    _add_columns(columns[:held], of_column[:held], dense, from_row, to_row, sums)


def _count_plain(
    places: Array, indptr: Array, rows: Array, dense_of: Array, dense: Array, counted: Array
) -> None:
    counted[:] = 0
    for place in places.tolist():
        column = int(dense_of[place])
        if column >= 0:
            counted += (dense[column] > 0).astype(np.uint8)
        else:
            counted[rows[int(indptr[place]) : int(indptr[place + 1])]] += np.uint8(1)


def _mark_plain(
    places: Array,
    sizes: Array,
    bits: Array,
    indptr: Array,
    rows: Array,
    dense_of: Array,
    dense: Array,
    counted: Array,
    marks: Array,
) -> None:
    for members, bit, size in zip(
        np.split(places, np.cumsum(sizes.astype(np.int64))[:-1]), bits, sizes, strict=True
    ):
        if members.size and members.min() < 0:
            continue
        _count_plain(members, indptr, rows, dense_of, dense, counted)
        marks[counted == size] |= bit


@_compiled(_count_plain)
def _count(places: Array, indptr: Array, rows: Array, dense_of: Array, dense: Array, counted: Array) -> None:
    for i in range(counted.size):
        counted[i] = 0
    for t in range(places.size):
        column = dense_of[places[t]]
        if column >= 0:
            values = dense[column]
            for i in range(counted.size):
                if values[i] > 0:
                    counted[i] += np.uint8(1)
        else:
            for p in range(indptr[places[t]], indptr[places[t] + 1]):
                counted[np.uintp(rows[p])] += np.uint8(1)


@_compiled(_mark_plain)
def mark(
    places: Array,
    sizes: Array,
    bits: Array,
    indptr: Array,
    rows: Array,
    dense_of: Array,
    dense: Array,
    counted: Array,
    marks: Array,
) -> None:
    """Set `bits[g]` in `marks` (uint64) of every document that holds all terms of group g.

    `places` are those of all groups behind one another, `sizes` how many different terms each group has, at
    most 255; `counted` (uint8) is room to count in.
    """
    first = 0
    for group in range(sizes.size):
        last = first + int(sizes[group])
        members = places[first:last]
        first = last
        if members.size and members.min() < 0:
            continue
        _count(members, indptr, rows, dense_of, dense, counted)
        for i in range(marks.size):
            if counted[i] == sizes[group]:
                marks[i] |= bits[group]


def _impacts_plain(
    places: Array,
    indptr: Array,
    rows: Array,
    impacts: Array,
    dense_of: Array,
    dense: Array,
    row: int,
    out: Array,
) -> None:
    out[:] = 0
    for t, place in enumerate(places.tolist()):
        if place < 0:
            continue
        column = int(dense_of[place])
        if column >= 0:
            out[t] = dense[column, row]
            continue
        first, last = int(indptr[place]), int(indptr[place + 1])
        at = first + int(np.searchsorted(rows[first:last], row))
        if at < last and rows[at] == row:
            out[t] = impacts[at]


@_compiled(_impacts_plain)
def impacts_of(
    places: Array,
    indptr: Array,
    rows: Array,
    impacts: Array,
    dense_of: Array,
    dense: Array,
    row: int,
    out: Array,
) -> None:
    """Into `out`: the impact of each term at `places` in the document at `row`, 0 where it is not said."""
    for t in range(places.size):
        out[t] = 0
        place = places[t]
        if place < 0:
            continue
        column = dense_of[place]
        if column >= 0:
            out[t] = dense[column, row]
            continue
        first, last = indptr[place], indptr[place + 1]
        at = first + _count_below(rows[first:last], row)
        if at < last and rows[at] == row:
            out[t] = impacts[at]


def _gather_plain(
    sums: Array,
    least_sum: int,
    alive: Array,
    organisations: Array,
    own: int,
    until: Array,
    now: int,
    admitted: Array,
    columns: Array,
    codes: Array,
    found: Array,
) -> int:
    eligible = (sums >= least_sum) & (alive > 0) & (until > now)
    if own >= 0:
        eligible &= organisations != own
    for condition in range(columns.size):
        eligible &= admitted[condition][codes[columns[condition]]] > 0
    rows = np.flatnonzero(eligible)
    found[: rows.size] = rows
    return int(rows.size)


@_compiled(_gather_plain)
def gather(
    sums: Array,
    least_sum: int,
    alive: Array,
    organisations: Array,
    own: int,
    until: Array,
    now: int,
    admitted: Array,
    columns: Array,
    codes: Array,
    found: Array,
) -> int:
    """Into `found`: the rows whose sum reaches `least_sum` and that may stand on the list; how many.

    `admitted[c, v]` says whether value v of the c-th condition's column, `columns[c]`, is admitted; `codes`
    are the documents' values, one row for each column. Instants are microseconds; `own` is the seeker's
    organisation, −1 for none.
    """
    count = 0
    for i in range(sums.size):
        if sums[i] < least_sum or not alive[i] or until[i] <= now:
            continue
        if own >= 0 and organisations[i] == own:
            continue
        admits = True
        for condition in range(columns.size):
            if admitted[condition, codes[columns[condition], i]] == 0:
                admits = False
                break
        if admits:
            found[count] = i
            count += 1
    return count


def _bound_plain(
    rows: Array,
    sums: Array,
    full: int,
    text_maximum: int,
    full_support: float,
    shares: Array,
    maxima: Array,
    codes: Array,
    open_maxima: Array,
    lower: Array,
    upper: Array,
) -> None:
    agreement = np.minimum(sums[rows] / full, 1.0)
    support = np.minimum(1.0, agreement / full_support)
    total = np.rint(text_maximum * np.sqrt(agreement)).astype(np.int64)
    for part in range(maxima.size):
        total += np.rint(maxima[part] * shares[part][codes[part][rows]] * support).astype(np.int64)
    lower[: rows.size] = total
    upper[: rows.size] = total + np.ceil(open_maxima * support).astype(np.int64) + 1


@_compiled(_bound_plain)
def bound(
    rows: Array,
    sums: Array,
    full: int,
    text_maximum: int,
    full_support: float,
    shares: Array,
    maxima: Array,
    codes: Array,
    open_maxima: Array,
    lower: Array,
    upper: Array,
) -> None:
    """For the documents at `rows`: their points so far, and the most they can reach, in millionths.

    So far: the text and the parts that are looked up by a coded fact (`shares[p, v]` of `maxima[p]`). Open
    are the parts that have to be read: together at most `open_maxima[i]` at `rows[i]`.
    """
    for i in range(rows.size):
        row = rows[i]
        agreement = min(sums[row] / full, 1.0)
        support = min(1.0, agreement / full_support)
        total = np.int64(np.rint(text_maximum * np.sqrt(agreement)))
        for part in range(maxima.size):
            total += np.int64(np.rint(maxima[part] * shares[part, codes[part, row]] * support))
        lower[i] = total
        upper[i] = total + np.int64(np.ceil(open_maxima[i] * support)) + 1
