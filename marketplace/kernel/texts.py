"""Marking texts in plain Python for gettext, without importing Flask."""


def N_(message: str) -> str:  # noqa: N802 - the conventional gettext name
    """Mark `message` for extraction; it is translated where it is shown."""
    return message
