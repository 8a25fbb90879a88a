"""What the views of every posting share: list pages, and the page for two people who changed one thing."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from marketplace.kernel.filters import listed
from marketplace.kernel.forms import Choice, Choices, Flag
from marketplace.postings.listing import Listing


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


def gone_page(posting: Any, *, label: str, back_url: str) -> ResponseReturnValue:
    """The 410 page of what was public and is taken down: that it was there, and why it is gone."""
    page = render_template("postings/gone.html", posting=posting, label=label, back_url=back_url)
    return make_response(page, HTTPStatus.GONE)


def fields_besides(
    rows: Iterable[tuple[str, str | None, object, object]], posted: MultiDict[str, str]
) -> list[tuple[str, str]]:
    """What a form sent besides the fields that its conflict page lets edit, to be sent along unseen."""
    seen = {name for _label, name, _yours, _theirs in rows if name} | {"version", "csrf_token", "act"}
    return [(name, value) for name, value in posted.items(multi=True) if name not in seen]


def expected_version(form: Mapping[str, str]) -> int:
    """The version that a form says it was made from; a form without one is treated as outdated."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def conflict_rows(
    mine: Any, theirs: Any
) -> tuple[list[tuple[str, str | None, object, object]], list[tuple[str, object]]]:
    """The fields of one form as two people left it, for `conflict_page`: its rows and hidden values.

    What is typed can be typed again; what is chosen is shown by its label and sent along as chosen.
    """
    rows: list[tuple[str, str | None, object, object]] = []
    hidden: list[tuple[str, object]] = []
    for field in mine:
        if field.name in ("csrf_token", "version"):
            continue
        label, other = str(field.label.text), theirs[field.name]
        if isinstance(field, Choice):
            rows.append((label, None, _labels(field), _labels(other)))
            hidden.append((field.name, "" if field.data is None else field.data))
        elif isinstance(field, Choices):
            rows.append((label, None, _labels(field), _labels(other)))
            hidden += [(field.name, value) for value in field.data]
        elif isinstance(field, Flag):
            yes, no = gettext("是"), gettext("否")
            rows.append((label, None, yes if field.data else no, yes if other.data else no))
            hidden += [(field.name, "y")] if field.data else []
        else:
            rows.append((label, field.name, field._value(), other._value()))
    return rows, hidden


def _labels(field: Any) -> str:
    chosen = field.data if isinstance(field.data, list) else [field.data]
    wanted = {str(value) for value in chosen if value is not None}
    return listed(str(c.label) for c in field.choices if c.value and str(c.value) in wanted)


def facet_rows(listing: Listing) -> list[dict[str, object]]:
    """The facets as `ui.facets` draws them."""
    return [
        {
            "name": facet.name,
            "label": gettext(facet.label),
            "options": [
                {"value": o.value, "label": gettext(o.label), "count": o.count} for o in facet.options
            ],
        }
        for facet in listing.facets
        if facet.options
    ]


def order_rows(listing: Listing) -> list[tuple[str, str]]:
    """The orders as `ui.sort_bar` draws them."""
    return [(value, gettext(label)) for value, label in listing.orders]
