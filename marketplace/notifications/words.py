"""Words that are said in each reader's language: a source text with its places, which is also a plain text.

    send_letter(people, "claim.accepted", told(N_("已认领 %(name)s"), name=name), …)

The text itself is the one in the source language, for searching and for whoever knows nothing of this.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext

from marketplace.kernel.texts import N_

__all__ = ["N_", "Told", "kept", "said", "told"]


class Told(str):
    """A text that remembers what it was made of."""

    parts: tuple[tuple[str, Mapping[str, str]], ...]

    def __new__(cls, parts: Iterable[tuple[str, Mapping[str, str]]]) -> "Told":
        found = tuple(parts)
        text = super().__new__(cls, "".join(_filled(message, places) for message, places in found))
        text.parts = found
        return text

    def __add__(self, other: str) -> "Told":
        return Told((*self.parts, *(other.parts if isinstance(other, Told) else ((other, {}),))))


def told(message: str, **places: object) -> Told:
    """`message` is a gettext source text with `%(name)s` places; one without any stands as it is."""
    return Told([(message, {name: str(value) for name, value in places.items()})])


def _filled(message: str, places: Mapping[str, str]) -> str:
    return message % places if places else message


def kept(text: str) -> list[list[Any]] | None:
    """As it is stored beside the text; None for a text that was only a text."""
    return [[message, dict(places)] for message, places in text.parts] if isinstance(text, Told) else None


def said(text: str, words: list[list[Any]] | None) -> str:
    """The text in the current language; whatever no catalogue knows stays as it was written."""
    if not words:
        # gettext("") would say what stands at the head of the catalogue.
        return str(gettext(text)) if text else ""
    return "".join(str(gettext(message, **places)) if message else "" for message, places in words)
