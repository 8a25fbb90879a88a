"""How values are shown in templates: dates, money, scores, obstacles."""

from datetime import date, datetime

from flask import Flask
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
    return str(gettext(obstacle.message, **obstacle.params))


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
