"""Business dates: days in Asia/Shanghai, whatever the machine's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def business_date(moment: datetime) -> date:
    """The Shanghai day on which an aware `moment` falls."""
    return moment.astimezone(SHANGHAI).date()


def end_of_business_day(day: date) -> datetime:
    """The first instant after `day` in Shanghai, as aware UTC: a deadline "on" that day is before it."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI).astimezone(UTC)


def last_business_day(moment: datetime) -> date:
    """The day that `end_of_business_day` turned into `moment`."""
    return business_date(moment - timedelta(microseconds=1))


def days_left(deadline: datetime, *, now: datetime) -> int:
    """Whole Shanghai days until the last day of `deadline`; 0 on the last day, negative after it."""
    return (last_business_day(deadline) - business_date(now)).days
