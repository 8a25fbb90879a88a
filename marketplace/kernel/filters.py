"""How values are shown in templates: dates, money, scores, obstacles."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from urllib.parse import quote, urlencode

from flask import Flask, request
from flask_babel import gettext

from marketplace.kernel import money
from marketplace.kernel.dates import SHANGHAI, business_date, last_business_day
from marketplace.kernel.errors import Obstacle


def show_date(value: date | datetime | None) -> str:
    if value is None:
        return ""
    return (business_date(value) if isinstance(value, datetime) else value).isoformat()


def show_datetime(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def show_deadline(value: datetime | None) -> str:
    """A deadline is stored as the instant after its last day; people read the day."""
    return "" if value is None else last_business_day(value).isoformat()


def say(obstacle: Obstacle) -> str:
    params = dict(obstacle.params)
    if label := params.get("label"):
        # The name of a field is a source text too, or was said already and is known to no catalogue.
        params["label"] = gettext(str(label))
    return str(gettext(obstacle.message, **params))


def listed(texts: Iterable[object]) -> str:
    """Several things in one line, with what stands between them in the reader's language."""
    return str(gettext("、")).join(str(text) for text in texts)


def this_url(changes: Mapping[str, object]) -> str:
    """This page's address with values of its query changed; empty ones and the page number are left out."""
    pairs = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if value and name != "page" and name not in changes
    ]
    pairs += [(name, str(value)) for name, value in changes.items() if value is not None and value != ""]
    path = quote(request.script_root + request.path)
    return f"{path}?{urlencode(pairs)}" if pairs else path


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        date=show_date,
        datetime=show_datetime,
        deadline=show_deadline,
        wan=lambda fen: "" if fen is None else money.in_wan(fen),
        yuan=lambda fen: "" if fen is None else money.in_yuan(fen),
        say=say,
        score=lambda number: f"{number:.1f}",
    )
    app.jinja_env.globals["this_url"] = this_url
