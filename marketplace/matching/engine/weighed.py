"""What seekers' terms are worth in an epoch, remembered: in memory, and in files for the next process.

Weighing reads a text, which takes a millisecond or two; whoever places a capability needs it of every open
seeker. A file that is damaged is not believed and written anew. Not here: the weighing (`scoring`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np

from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.scoring import Query

_REMEMBERED = 4000


class WeighedFiles:
    """One file for each seeker, by the digest of what the engine sees of it; made at the first one kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: str) -> Query | None:
        """None where there is none that is whole."""
        try:
            checksum, _, text = self._path(digest).read_text(encoding="utf-8").partition("\n")
            if checksum != _checksum(text):
                return None
            known = json.loads(text)
        except (OSError, ValueError):
            return None
        return Query(
            tuple(known["terms"]),
            np.array(known["keys"], dtype=np.uint64),
            np.array(known["worths"], dtype=np.int32),
            known["full"],
        )

    def write(self, digest: str, query: Query) -> None:
        """Keep it; where that cannot be done it is weighed again the next time."""
        known = {
            "terms": query.terms,
            "keys": query.keys.tolist(),
            "worths": query.worths.tolist(),
            "full": query.full,
        }
        text = json.dumps(known)
        path = self._path(digest)
        with contextlib.suppress(OSError):
            if not self._folder.parent.is_dir():
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.{os.getpid()}")
            aside.write_text(f"{_checksum(text)}\n{text}", encoding="utf-8")
            aside.replace(path)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.json"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Weighed:
    """Queries by seeker, the latest few thousand; with `files` also those of other processes."""

    def __init__(self) -> None:
        self.files: WeighedFiles | None = None
        self._known: OrderedDict[Matchable, Query] = OrderedDict()

    def get(self, seeker: Matchable) -> Query | None:
        """None if it has to be weighed."""
        known = self._known.get(seeker)
        if known is None and self.files is not None:
            known = self.files.read(seeker.digest())
            if known is not None:
                self._remember(seeker, known)
        return known

    def put(self, seeker: Matchable, query: Query) -> None:
        """Remember what was weighed."""
        self._remember(seeker, query)
        if self.files is not None:
            self.files.write(seeker.digest(), query)

    def _remember(self, seeker: Matchable, query: Query) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.popitem(last=False)
        self._known[seeker] = query
