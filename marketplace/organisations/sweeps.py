"""What ends by the clock: titles that lapse, and suspensions to a day. The supervisor asks every half minute.

Each reminder goes out once: the title remembers of how many days ahead its managers were told last. A title
that has lapsed counts no more from its last day on by itself; here that is noted, told, and told to matching.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select

from marketplace.audit.services import record
from marketplace.kernel import clock
from marketplace.kernel.actor import SYSTEM
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, for_change, transaction
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.organisations import queries, services
from marketplace.organisations.kinds import DESIGNATION_NAMES, LEADING
from marketplace.organisations.lifecycle import OrganisationStatus
from marketplace.organisations.models import Designation, Organisation
from marketplace.organisations.rules import REMINDERS

# One transaction each, so that a great many at once do not keep the writers waiting.
MOST_AT_ONCE = 100
TITLES_PAGE = "/workbench/organisation/edit/designations"


def sweep() -> None:
    now = clock.now()
    for designation_id in _list_due(business_date(now)):
        with transaction():
            _attend_to(designation_id, now=now)
    for organisation_id in _list_served(business_date(now)):
        with transaction():
            _let_return(organisation_id, now=now)


def _due(today: date) -> ColumnElement[bool]:
    reminders = [
        and_(
            Designation.valid_to <= today + timedelta(days),
            or_(Designation.reminded_days.is_(None), Designation.reminded_days > days),
        )
        for days in REMINDERS
    ]
    counts = and_(Designation.confirmed_at.is_not(None), Designation.lapsed_at.is_(None))
    return and_(counts, or_(Designation.valid_to < today, *reminders))


def _with_organisation() -> Select[Designation]:
    # Who left or was never verified hears nothing.
    return select(Designation).join(Organisation, Organisation.id == Designation.organisation_id)


def _list_due(today: date) -> list[int]:
    living = Organisation.status.in_((OrganisationStatus.VERIFIED, OrganisationStatus.SUSPENDED))
    statement = _with_organisation().where(living, _due(today)).order_by(Designation.id).limit(MOST_AT_ONCE)
    found = [designation.id for designation in db.session.scalars(statement)]
    db.session.rollback()
    return found


def _attend_to(designation_id: int, *, now: datetime) -> None:
    """Remind of one title or note its end; nothing where another sweep has just done it."""
    today = business_date(now)
    statement = _with_organisation().where(Designation.id == designation_id, _due(today))
    designation = db.session.scalar(for_change(statement, Designation))
    if designation is None or designation.valid_to is None:
        return
    organisation = db.session.get_one(Organisation, designation.organisation_id)
    left = (designation.valid_to - today).days
    title, day = told(DESIGNATION_NAMES[designation.kind]), designation.valid_to.isoformat()
    if left < 0:
        designation.lapsed_at = now
        subject = told(N_("“%(title)s”已过有效期"), title=title)
        body = told(
            N_("“%(title)s”的有效期至 %(day)s，已不再生效。请在“我的单位”更新文号和有效期并上传新证书。"),
            title=title,
            day=day,
        )
        action = "designation_lapse"
        defer("matching.organisation_changed", subject_id=organisation.id)
    else:
        designation.reminded_days = min(days for days in REMINDERS if left <= days)
        subject = told(N_("“%(title)s”还有 %(left)s 天到期"), title=title, left=left)
        body = told(
            N_("“%(title)s”的有效期至 %(day)s。到期后不再生效，请及时更新并上传新证书。"),
            title=title,
            day=day,
        )
        action = "designation_remind"
    if designation.kind in LEADING:
        body = body + N_("失效后不能再发榜。")
    record(
        f"organisation.{action}",
        "organisation",
        organisation.id,
        by=SYSTEM,
        at=now,
        label=organisation.name,
        organisation_id=organisation.id,
        detail={"designation": designation.kind.value, "left": left},
    )
    send_letter(
        queries.list_manager_ids(organisation.id),
        f"organisation.{action}",
        subject,
        body,
        TITLES_PAGE,
        at=now,
    )


def _list_served(today: date) -> list[int]:
    statement = select(Organisation.id).where(
        Organisation.status == OrganisationStatus.SUSPENDED, Organisation.suspended_until < today
    )
    found = list(db.session.scalars(statement.order_by(Organisation.id).limit(MOST_AT_ONCE)))
    db.session.rollback()
    return found


def _let_return(organisation_id: int, *, now: datetime) -> None:
    """End a suspension whose last day is over; nothing where an operator has just decided otherwise."""
    organisation = queries.get_for_change(organisation_id, viewer=SYSTEM)
    until = organisation.suspended_until
    if (
        organisation.status is not OrganisationStatus.SUSPENDED
        or until is None
        or until >= business_date(now)
    ):
        return
    services.reinstate_organisation(
        organisation, reason=N_("暂停期满"), version=organisation.version, by=SYSTEM, now=now
    )
