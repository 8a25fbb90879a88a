"""Blocks of a ranking on a Dask cluster: any number of workers, the same numbers as in one process.

A task ranks some seekers in one block and depends on nothing but files and its arguments, so whatever a dead
worker had in hand is ranked again by another one, with the same outcome. Workers see the files under the same
paths. Dask is optional and imported when somebody connects. Not here: what a block is (`blocks`), and who
asks for a ranking.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from marketplace.matching.engine import blocks
from marketplace.matching.engine.blocks import Asked, Tally

#: Seekers of one task: enough to make asking cheap, few enough to be ranked again without regret.
SEEKERS_AT_ONCE = 16
#: Tasks out for each thread of the cluster. More would only wait, and their results would be older.
TASKS_PER_THREAD = 3
#: How long a scheduler or the first worker may take to answer, and how long there may be no worker, seconds.
PATIENCE = 10.0
#: How often a task is tried again that raised an error; a worker's death is not counted here.
_RETRIES = 2
_SECONDS_BETWEEN_SIGNS = 1.0


class ClusterUnavailable(RuntimeError):
    """The ranking cannot be done on the cluster; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class _Batch:
    asked: Sequence[Asked]
    futures: Sequence[Any]  # one for each block: a list of tallies in the order of `asked`


def _dask() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ClusterUnavailable(
            "MATCH_ENGINE=dask needs dask: pip install -r requirements-dask.txt, or MATCH_ENGINE=inprocess"
        ) from error
    return distributed


async def _identity(distributed: Any, address: str) -> None:
    arguments = distributed.Security().get_connection_args("client")
    async with distributed.rpc(address, connection_args=arguments) as scheduler:
        await scheduler.identity()


@contextmanager
def connected(address: str, *, patience: float | None = None) -> Iterator[Cluster]:
    """The cluster of the scheduler at `address`, such as tcp://10.0.0.5:8786, with a worker at least.

    Raises ClusterUnavailable if dask is not installed, if nobody answers, or if there is no worker.
    """
    distributed = _dask()
    patience = PATIENCE if patience is None else patience
    try:
        # The client itself waits for ever where something else than a scheduler listens.
        asyncio.run(asyncio.wait_for(_identity(distributed, address), patience))
        client = distributed.Client(address, timeout=patience, set_as_default=False, name="matching")
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterUnavailable(f"no Dask scheduler answers at {address}") from error
    try:
        try:
            client.wait_for_workers(1, timeout=patience)
        except TimeoutError as error:
            raise ClusterUnavailable(f"the Dask scheduler at {address} has no worker") from error
        yield Cluster(client, address, patience)
    finally:
        client.close()


class Cluster:
    """A connection to a scheduler; see `connected`."""

    def __init__(self, client: Any, address: str, patience: float) -> None:
        self._client, self._address, self._patience = client, address, patience
        self._last_worker_seen = time.monotonic()

    def count_workers(self) -> int:
        """How many there are at the moment."""
        return len(self._workers())

    def rank_many(
        self,
        folder: Path,
        division: Sequence[Sequence[int]],
        asked: Iterable[Asked],
        *,
        size: int,
        wait: Callable[[], None] = lambda: None,
    ) -> Generator[tuple[Asked, Tally], None, None]:
        """Each of `asked` with its numbers, in order, over what `blocks.publish` wrote into `folder`.

        `division` is that of `blocks.divide`. `asked` is read as far as there is something to do for the
        cluster, so that memory is bounded by its threads. `wait` is called at least every few seconds while
        nothing comes back. Raises ClusterUnavailable if the scheduler or all workers are lost, and whatever
        a block raises.
        """
        out: deque[_Batch] = deque()
        coming = iter(asked)
        try:
            while True:
                while len(out) < self._batches_ahead(len(division)) and (
                    batch := list(islice(coming, SEEKERS_AT_ONCE))
                ):
                    out.append(self._submit(folder, division, batch, size))
                if not out:
                    return
                results = self._results(out[0], wait)
                done = out.popleft()
                for place, one in enumerate(done.asked):
                    yield one, blocks.merge([tallies[place] for tallies in results], size)
        finally:
            # Whoever stops early leaves nothing behind for the cluster to do.
            for left in out if self._client.status == "running" else ():
                self._client.cancel(list(left.futures))

    def _submit(
        self, folder: Path, division: Sequence[Sequence[int]], asked: Sequence[Asked], size: int
    ) -> _Batch:
        futures = [
            self._client.submit(
                blocks.rank_block,
                folder,
                tuple(numbers),
                asked,
                size=size,
                retries=_RETRIES,
                pure=False,
            )
            for numbers in division
        ]
        return _Batch(asked, futures)

    def _batches_ahead(self, blocks_each: int) -> int:
        threads = sum(int(worker["nthreads"]) for worker in self._workers().values())
        return max(2, -(-threads * TASKS_PER_THREAD // max(1, blocks_each)))

    def _results(self, batch: _Batch, wait: Callable[[], None]) -> list[list[Tally]]:
        distributed = _dask()
        futures = list(batch.futures)
        try:
            with self._client.as_current():
                while not all(future.done() for future in futures):
                    try:
                        distributed.wait(futures, timeout=_SECONDS_BETWEEN_SIGNS)
                    except TimeoutError:
                        wait()
                        self._look_for_workers()
            for future in futures:
                if future.status == "error":
                    raise future.exception()
            results: list[list[Tally]] = self._client.gather(futures)
        except distributed.KilledWorker as error:
            raise ClusterUnavailable(
                f"one block ended several workers, one after the other: {error}"
            ) from error
        except (OSError, CancelledError) as error:
            raise self._lost() from error
        return results

    def _look_for_workers(self) -> None:
        now = time.monotonic()
        if self._workers():
            self._last_worker_seen = now
        elif now - self._last_worker_seen > self._patience:
            raise ClusterUnavailable(f"the Dask scheduler at {self._address} has lost all its workers")

    def _workers(self) -> dict[str, Any]:
        try:
            workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, KeyError, CancelledError) as error:  # a closed client knows of nothing
            raise self._lost() from error
        return workers

    def _lost(self) -> ClusterUnavailable:
        return ClusterUnavailable(f"the Dask scheduler at {self._address} was lost")
