"""What the supervisor asks every half minute: has the hour of the digests come?

The hour is one of Shanghai, set by LETTERS_DIGEST_HOUR; the weekly one is on Monday. A supervisor that was
away at that hour makes up for it when it is back, once.
"""

from datetime import date, datetime, time, timedelta

from flask import current_app

from marketplace.kernel import clock
from marketplace.kernel.dates import SHANGHAI
from marketplace.notifications import services
from marketplace.notifications.models import Mailing


def last_hour(now: datetime, period: Mailing, *, hour: int) -> datetime:
    """The last instant at which digests of a period were due."""
    here = now.astimezone(SHANGHAI)
    due = datetime.combine(here.date(), time(hour), SHANGHAI)
    if due > here:
        due -= timedelta(days=1)
    return due - timedelta(days=due.weekday()) if period is Mailing.WEEKLY else due


def day_of(due: datetime) -> date:
    return due.astimezone(SHANGHAI).date()


def sweep() -> None:
    now = clock.now()
    for period in (Mailing.DAILY, Mailing.WEEKLY):
        due = last_hour(now, period, hour=current_app.config["LETTERS_DIGEST_HOUR"])
        services.gather(period, due_on=day_of(due), before=due, now=now)
