"""What seekers' terms are worth in an epoch, remembered: in memory, and in files for the next process.

Weighing reads a text, which takes a millisecond or two; whoever places a capability needs it of every open
seeker. A file that is damaged is not believed and written anew. Not here: the weighing (`scoring`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np

from marketplace.language import LANGUAGE_VERSION
from marketplace.matching.engine import ENGINE_VERSION
from marketplace.matching.engine.documents import Matchable
from marketplace.matching.engine.scoring import Query

_REMEMBERED = 4000
# A file: its checksum, what counts as agreement 1 and how many terms; keys, worths, and the terms in lines.
_HEAD, _DIGEST = struct.Struct("<qI"), 32
_MADE_BY = f"{ENGINE_VERSION} {LANGUAGE_VERSION}".encode()


class WeighedFiles:
    """One file for each seeker, by the digest of what the engine sees of it; made at the first one kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: str) -> Query | None:
        """None where there is none that is whole and of this engine."""
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        if content[:_DIGEST] != _checksum(content[_DIGEST:]):
            return None
        try:
            full, held = _HEAD.unpack_from(content, _DIGEST)
            keys_from = _DIGEST + _HEAD.size
            worths_from = keys_from + 8 * held
            terms_from = worths_from + 4 * held
            terms = content[terms_from:].decode("utf-8", "surrogatepass").split("\n") if held else []
            if len(terms) != held:
                return None
            return Query(
                tuple(terms),
                np.frombuffer(content, "<u8", held, keys_from).astype(np.uint64),
                np.frombuffer(content, "<i4", held, worths_from).astype(np.int32),
                full,
            )
        except (struct.error, ValueError):
            return None

    def write(self, digest: str, query: Query) -> None:
        """Keep it; where that cannot be done it is weighed again the next time."""
        body = b"".join(
            [
                _HEAD.pack(query.full, len(query.terms)),
                query.keys.astype("<u8").tobytes(),
                query.worths.astype("<i4").tobytes(),
                "\n".join(query.terms).encode("utf-8", "surrogatepass"),
            ]
        )
        path = self._path(digest)
        with contextlib.suppress(OSError):
            if not self._folder.parent.is_dir():
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_name(f".{path.name}.{os.getpid()}")
            aside.write_bytes(_checksum(body) + body)
            aside.replace(path)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def _checksum(body: bytes) -> bytes:
    """Of the content and of who wrote it: what another engine weighed is read as damaged."""
    return hashlib.sha256(_MADE_BY + body).digest()


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
