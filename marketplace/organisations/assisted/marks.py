"""由平台代录入, as any page says it: what was entered for a firm is never passed off as its own words."""

from typing import Any

from flask import render_template
from markupsafe import Markup

from marketplace.organisations.assisted import queries
from marketplace.organisations.lifecycle import ENTRY


def note_of(kind: str, subject_id: int) -> Markup:
    """The note for a page about what was entered for a firm, or nothing."""
    values = values_of(kind, subject_id)
    if values is None:
        return Markup("")
    # Rendered with autoescape on; nothing is added to it.
    return Markup(render_template("organisations/assisted/note.html", **values))  # noqa: S704


def values_of(kind: str, subject_id: int) -> dict[str, Any] | None:
    entry = queries.find_entry(kind, subject_id)
    return None if entry is None else {"entry": entry, "status": ENTRY.label(entry.status)}
