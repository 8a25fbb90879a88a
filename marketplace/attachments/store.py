"""Where files lie: INSTANCE_DIR/files/ab/abcdef…, outside of anything that is served, readable by us alone.

A file is written under a temporary name, flushed to the disk and then renamed, before the row that names it
is committed: a row never names half a file. What a killed process leaves is a file without a row, which the
sweep takes away.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from flask import current_app

FOLDER = "files"
CHUNK = 256 * 1024
_TEMPORARY = ".part"


@dataclass(frozen=True, slots=True)
class Stored:
    key: str
    size: int
    sha256: str


def folder() -> Path:
    return Path(current_app.config["INSTANCE_DIR"]) / FOLDER


def path_of(key: str) -> Path:
    return folder() / key[:2] / key


def write(stream: BinaryIO) -> Stored:
    """Keep what the stream holds under a new random key."""
    key = secrets.token_hex(16)
    path = path_of(key)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(_TEMPORARY)
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            stream.seek(0)
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)
    return Stored(key, size, digest.hexdigest())


def _flush_folder(path: Path) -> None:
    """A rename lasts once the folder is on the disk too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def delete(key: str) -> None:
    path_of(key).unlink(missing_ok=True)


def sha256_of(key: str) -> str | None:
    """The hash of what lies on the disk now; None where nothing does."""
    digest = hashlib.sha256()
    try:
        with path_of(key).open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def size_of(key: str) -> int | None:
    try:
        return path_of(key).stat().st_size
    except FileNotFoundError:
        return None


def list_older_than(moment: datetime) -> Iterator[Path]:
    """Files, finished or not, that were last written before `moment`."""
    root = folder()
    if not root.is_dir():
        return
    for shelf in sorted(root.iterdir()):
        if not shelf.is_dir():
            continue
        for path in shelf.iterdir():
            try:
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except FileNotFoundError:
                continue
            if written < moment:
                yield path
