"""In what capacity somebody turns a lifecycle. Plain Python, so that lifecycles stay so."""

from enum import StrEnum


class Party(StrEnum):
    """One person may be several at once."""

    EDITOR = "editor"
    MANAGER = "manager"
    OPERATOR = "operator"
    SYSTEM = "system"
    # Of what goes from one organisation to another: an editor of the one, and of the other.
    SENDER = "sender"
    RECIPIENT = "recipient"
