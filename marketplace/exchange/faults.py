"""What is wrong with a file, or with one cell of it, in words that name the limit. Plain Python."""

from collections.abc import Mapping
from typing import Any


class Unreadable(Exception):
    """The file as a whole cannot be read; `message` is a gettext source with `params` for its places."""

    def __init__(self, message: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.params = message, dict(params or {})


class WrongCell(ValueError):
    """One cell cannot be taken as what its column holds."""

    def __init__(self, message: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.params = message, dict(params or {})
