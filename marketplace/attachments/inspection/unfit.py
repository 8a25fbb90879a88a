"""The one way in which a file is refused for what it holds."""

from collections.abc import Mapping
from typing import Any


class Unfit(ValueError):
    """`message` is a gettext source text that begins with the file's name, `%(file)s`, which the
    caller knows; `status` is the answer of HTTP that says it best.
    """

    def __init__(self, message: str, params: Mapping[str, Any] | None = None, *, status: int = 422) -> None:
        super().__init__(message)
        self.message, self.params, self.status = message, dict(params or {}), status
