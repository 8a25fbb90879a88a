"""Two people may edit one posting; the second is told, and loses nothing."""

from typing import Protocol

from marketplace.kernel.errors import StaleVersion


class Versioned(Protocol):
    version: int


def check_version(thing: Versioned, expected: int) -> None:
    """Raise StaleVersion unless the editor worked from the current version."""
    if thing.version != expected:
        raise StaleVersion(current_version=thing.version)
