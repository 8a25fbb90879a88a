"""Where a freshly registered person goes on: a page of a feature above, which names it here."""

_next_page: list[str] = []


def continue_at(endpoint: str) -> None:
    """Name the endpoint of the page that follows the personal part of the registration."""
    _next_page[:] = [endpoint]


def next_endpoint(default: str) -> str:
    return _next_page[0] if _next_page else default
