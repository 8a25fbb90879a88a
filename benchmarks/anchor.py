"""The yardstick: a plain posting-list scorer, as short as it can be written with numba.

Exact: every posting of every word asked is added up in float32, then the best places are kept in a heap.
"""

from __future__ import annotations

import heapq

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def best(indptr, rows, values, columns, weights, scores, places):  # type: ignore[no-untyped-def]
    """Rows of the highest scores, best first, ties by row; `scores` is all zeros, one for each document."""
    for place in range(len(columns)):
        weight = weights[place]
        for posting in range(indptr[columns[place]], indptr[columns[place] + 1]):
            scores[rows[posting]] += weight * values[posting]
    heap = [(scores[0], 0)]
    for row in range(1, len(scores)):
        if len(heap) < places:
            heapq.heappush(heap, (scores[row], -row))
        elif scores[row] > heap[0][0]:
            heapq.heapreplace(heap, (scores[row], -row))
    heap.sort()
    return np.array([-row for _, row in heap[::-1]])


@numba.njit(parallel=True, cache=True)
def best_of_all(indptr, rows, values, starts, columns, weights, documents, places, threads):  # type: ignore[no-untyped-def]
    """The same for many queries in CSR form, in so many threads: queries × places."""
    found = np.zeros((len(starts) - 1, places), np.int64)
    for thread in numba.prange(threads):
        scores = np.zeros(documents, np.float32)
        for query in range(thread, len(starts) - 1, threads):
            scores[:] = 0.0
            own = slice(starts[query], starts[query + 1])
            answer = best(indptr, rows, values, columns[own], weights[own], scores, places)
            found[query, : len(answer)] = answer
    return found


@numba.njit(nogil=True, cache=True, fastmath=True)
def read_through(rows, values):  # type: ignore[no-untyped-def]
    """Read two arrays from one end to the other, doing next to nothing: the bound of the memory."""
    total = np.float32(0.0)
    for place in range(len(rows)):
        total += values[place] + np.float32(rows[place])
    return total
