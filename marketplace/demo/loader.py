"""Loading the demonstration marketplace, once: lived through in one transaction, then ranked at once.

Not here: what is told (`content`) and how (`stories`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from marketplace.demo import approaches, helped, stories
from marketplace.demo.accounts import ACCOUNTS, DOMAIN, PASSWORD, Account
from marketplace.demo.cast import Cast
from marketplace.demo.content import Content, read_content
from marketplace.demo.stories import Calendar, Story
from marketplace.identity.queries import find_user_by_email
from marketplace.identity.services import prepare_password
from marketplace.kernel import clock
from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow, defer

# Somebody waits to be let in, so that a manager has something to decide.
NEWCOMER = Account(
    f"newcomer@{DOMAIN}",
    "贺小舟",
    "",
    organisation="tuoyun-brake",
    organisation_role=OrganisationRole.READER,
)
# A manager has invited this address, which nobody has taken up yet.
INVITED = f"planner@{DOMAIN}"
RANKING = "matching.rank_import"
# By then `rank` is through; should it have been killed, the workers do it.
RANKED_WITHIN = timedelta(minutes=3)

Report = Callable[[int, int], None]


def is_loaded() -> bool:
    return find_user_by_email(ACCOUNTS[0].email) is not None


def load(*, now: datetime, report: Report) -> None:
    """Live through everything up to `now`: all of it or nothing. `report` gets how far it has come."""
    first = ACCOUNTS[0]
    cast = Cast(prepare_password(PASSWORD, name=first.name, email=first.email))
    content = read_content(business_date(now))
    told = list(_stories(content, cast, Calendar(now)))
    with transaction():
        newest = db.session.scalar(select(func.max(OutboxRow.id))) or 0
        stories.tell(told, report=report)
        db.session.flush()
        # What came in at once is ranked at once, and nobody reads these people's mail.
        db.session.execute(delete(OutboxRow).where(OutboxRow.id > newest))
        defer(RANKING, subject_id=0, due_at=now + RANKED_WITHIN, bulk=True)


def rank(*, report: Report) -> None:
    """Rank what was loaded in this process, without queue and workers."""
    from marketplace.matching import epochs, jobs, runs

    runs.take_over_capabilities()
    epochs.build_epoch()
    jobs.rank_everything(report)
    with transaction():
        approaches.look_at_lists(clock.now())
        _take_back(RANKING)


def make_findable(*, report: Report) -> None:
    """Write the search index of what was loaded in this process, without queue and workers."""
    from marketplace.search import index, vocabulary

    total = sum(index.count_drift().values())
    for done in index.catch_up():
        report(done, total)
    counts, documents = vocabulary.count_words()
    db.session.rollback()
    with transaction():
        vocabulary.store(counts, documents=documents, now=clock.now())
        _take_back(index.CATCH_UP)


def _take_back(kind: str) -> None:
    """Inside `transaction()`: what was done here need not be done again by a worker."""
    db.session.execute(
        delete(OutboxRow).where(
            OutboxRow.kind == kind, OutboxRow.subject_id == 0, OutboxRow.lease_token.is_(None)
        )
    )


def _stories(content: Content, cast: Cast, calendar: Calendar) -> Iterator[Story]:
    for account in ACCOUNTS:
        if account.platform_role:
            yield stories.platform_account(account, cast, calendar)
        elif account.organisation_role is not OrganisationRole.MANAGER:
            yield stories.colleague(account, cast, calendar, days_ago=140, accepted=True)
    yield stories.colleague(NEWCOMER, cast, calendar, days_ago=1, accepted=False)
    yield stories.second_firm(cast, calendar, of="badu-auto", joins="tuoyun-brake", invited=INVITED)
    yield stories.reading(cast, calendar)
    yield stories.sample_chain(cast, calendar)
    for told in stories.ANNOUNCEMENTS:
        yield stories.announcement(*told, cast, calendar)
    for organisation in content.organisations:
        yield stories.organisation(organisation, cast, calendar)
    for capability in content.capabilities:
        yield stories.capability(capability, cast, calendar)
    for need_list in content.need_lists:
        yield stories.need_list(need_list, cast, calendar)
    for challenge in content.challenges:
        yield stories.challenge(challenge, cast, calendar)
    yield helped.entered_firm(cast, calendar)
    yield helped.waiting_claim(cast, calendar)
    for entry in approaches.read_approaches(content):
        yield approaches.approach(entry, cast, calendar)
