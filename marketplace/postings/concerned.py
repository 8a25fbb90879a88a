"""Who is to hear of what becomes of a posting beside its owner: features above say whom it concerns.

concerned.register("engagement", lambda kind, posting_id: [user ids])
"""

from collections.abc import Callable, Iterable

Finder = Callable[[str, int], Iterable[int]]

_finders: dict[str, Finder] = {}


def register(name: str, finder: Finder) -> None:
    _finders[name] = finder


def list_user_ids(kind: str, posting_id: int) -> list[int]:
    """Each person once, in the order in which the features name them."""
    found = (user for name in sorted(_finders) for user in _finders[name](kind, posting_id))
    return list(dict.fromkeys(found))
