"""What the views of every posting share: the page for two people who changed one thing."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from flask import make_response, render_template
from flask.typing import ResponseReturnValue


class HiddenFields:
    """Names and values to be sent along; a name may stand there more than once."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        self._pairs = tuple(pairs)

    def items(self) -> Iterator[tuple[str, object]]:
        return iter(self._pairs)


def conflict_page(
    *,
    subject: str,
    rows: Iterable[tuple[str, str | None, object, object]],
    url: str,
    version: int,
    hidden: Iterable[tuple[str, object]] = (),
    back_url: str,
) -> ResponseReturnValue:
    """The 409 page: both texts field by field.

    `rows` are (label, field name, what this person wrote, what now stands). A field without a name is
    only shown, and what this person wrote of it is to be in `hidden`, so that sending again loses nothing.
    `version` is the one that now counts.
    """
    page = render_template(
        "errors/409_conflict.html",
        subject=subject,
        rows=list(rows),
        url=url,
        fields=HiddenFields([("version", version), *hidden]),
        back_url=back_url,
    )
    return make_response(page, HTTPStatus.CONFLICT)


def expected_version(form: Mapping[str, str]) -> int:
    """The version that a form says it was made from; a form without one is treated as outdated."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0
