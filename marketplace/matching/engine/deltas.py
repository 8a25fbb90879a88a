"""What came and went since an epoch, kept as small segments in files, so that nobody reads those texts again.

A delta covers the changes of the corpus after `first` up to `last`: a segment of what came or changed, and
the ids of what left. Deltas that follow on each other are opened one after the other; of many, one
that covers them all takes the place. Files are written aside and renamed: a crash leaves what was there,
and whoever loses a race to write the same delta finds it done. A damaged one is removed and computed again.
Not here: which changes there were (the feature around) and how an index takes a delta in (`index`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.matching.engine import segments
from marketplace.matching.engine.segments import ForeignIndexError, Segment

_NAME = re.compile(r"delta-(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Delta:
    """`segment` is None where nothing came."""

    first: int
    last: int
    segment: Segment | None
    removed: tuple[int, ...]


def chain(folder: Path, first: int, last: int) -> list[tuple[int, int]]:
    """The deltas in `folder` that lead from `first` as far towards `last` as they go, the widest first."""
    known: dict[int, list[int]] = {}
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if match := _NAME.fullmatch(path.name):
                known.setdefault(int(match[1]), []).append(int(match[2]))
    found = []
    while ends := [end for end in known.get(first, ()) if first < end <= last]:
        found.append((first, max(ends)))
        first = max(ends)
    return found


def write(folder: Path, delta: Delta, made_by: Mapping[str, Any]) -> None:
    """Keep a delta; one that is there already is left as it is."""
    target = _path(folder, delta.first, delta.last)
    aside = Path(tempfile.mkdtemp(prefix=".delta-", dir=folder))
    try:
        if delta.segment is not None:
            delta.segment.save(aside / "segment", made_by)
        segments.write_json(
            aside / "changes.json", {"removed": list(delta.removed), "empty": delta.segment is None}
        )
        segments.write_manifest(aside, ["changes.json"], made_by)
        segments.sync_folder(aside)
        # A folder that is not empty cannot be renamed onto: somebody else has written the same.
        with contextlib.suppress(OSError):
            aside.rename(target)
        segments.sync_folder(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read(folder: Path, first: int, last: int, made_by: Mapping[str, Any]) -> Delta:
    """Open a delta; one that is damaged, gone or foreign is removed, and ForeignIndexError raised."""
    path = _path(folder, first, last)
    try:
        segments.check_manifest(path, made_by)
        known = json.loads((path / "changes.json").read_text(encoding="utf-8"))
        segment = None if known["empty"] else Segment.load(path / "segment", made_by)
        return Delta(first, last, segment, tuple(known["removed"]))
    except (ForeignIndexError, OSError, KeyError, ValueError) as error:
        shutil.rmtree(path, ignore_errors=True)
        raise ForeignIndexError(f"{path.name}: {error}") from error


def remove_covered(folder: Path, first: int, last: int) -> None:
    """Forget the deltas that the one from `first` to `last` covers; who has them open keeps them open."""
    for path in list(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match and first <= int(match[1]) and int(match[2]) <= last and path != _path(folder, first, last):
            shutil.rmtree(path, ignore_errors=True)


def _path(folder: Path, first: int, last: int) -> Path:
    return folder / f"delta-{first}-{last}"


def size_in_bytes(folder: Path) -> int:
    """How much room everything below a folder takes."""
    return sum((Path(root) / name).stat().st_size for root, _, names in os.walk(folder) for name in names)
