"""Words that are said in each reader's language: a source text with its places, which is also a plain text.

    send_letter(people, "claim.accepted", told(N_("已认领 %(name)s"), name=name), …)

A place may hold words of its own, such as the name of a kind. The text itself is the one in the source
language, for searching and for whoever knows nothing of this.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext


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


def told(message: str, /, **places: object) -> Told:
    """`message` is a gettext source text with `%(name)s` places; one without any stands as it is."""
    return Told([(message, {name: _place(value) for name, value in places.items()})])


def _place(value: object) -> str:
    return value if isinstance(value, Told) else str(value)


def _filled(message: str, places: Mapping[str, str]) -> str:
    return message % places if places else message


def kept(text: str) -> list[list[Any]] | None:
    """As it is stored beside the text; None for a text that was only a text."""
    if not isinstance(text, Told):
        return None
    return [
        [message, {name: kept(value) or str(value) for name, value in places.items()}]
        for message, places in text.parts
    ]


def said(text: str, words: list[list[Any]] | None) -> str:
    """The text in the current language; whatever no catalogue knows stays as it was written."""
    if not words:
        # gettext("") would say what stands at the head of the catalogue.
        return str(gettext(text)) if text else ""
    return "".join(_said(message, places) for message, places in words)


def _said(message: str, places: Mapping[str, Any]) -> str:
    if not message:
        return ""
    values = {name: value if isinstance(value, str) else said("", value) for name, value in places.items()}
    return str(gettext(message, **values))
