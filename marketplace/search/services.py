"""What people keep of what they found: favourites, saved searches and the letters about them.

These are nobody's business but the person's own, so they leave no audit row: others would read there what
somebody is looking for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update

from marketplace.identity.models import User
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import SHANGHAI, business_date
from marketplace.kernel.db import db, insert_into
from marketplace.kernel.errors import NotFound, Obstacle, Obstructed
from marketplace.kernel.texts import N_
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.search.asked import Asked
from marketplace.search.models import Favourite, Frequency, SavedSearch, SavedSearchHit, SearchDocument
from marketplace.search.queries import Hit, ask, find_document, find_entered, get_saved
from marketplace.search.sources import registered

MOST_SAVED = 20
MOST_FAVOURITES = 500
LONGEST_NAME = 60
# Documents are dated when they are written and seen when that is committed; so far back is looked again.
OVERLAP = timedelta(minutes=15)
MOST_LOOKED_AT = 200
MOST_LISTED = 10
LETTER = "search.saved"
WRITTEN_AT = time(8, 0)


# --- favourites -----------------------------------------------------------------------------------------


def keep(kind: str, subject_id: int, *, by: Actor, now: datetime) -> SearchDocument:
    """收藏 something public; doing so again changes nothing. Raises NotFound for all that is not public."""
    document = find_document(kind, subject_id)
    if document is None:
        raise NotFound(f"{kind} {subject_id}")
    _hold(by)
    kept = select(func.count()).select_from(Favourite).where(Favourite.user_id == by.user_id)
    if (db.session.scalar(kept) or 0) >= MOST_FAVOURITES:
        raise Obstructed(
            [Obstacle("", N_("最多收藏 %(limit)s 项，请先移除不再需要的。"), {"limit": MOST_FAVOURITES})]
        )
    values = {"user_id": by.user_id, "kind": kind, "subject_id": subject_id, "created_at": now}
    db.session.execute(insert_into(Favourite).values(**values).on_conflict_do_nothing())
    return document


def let_go(kind: str, subject_id: int, *, by: Actor) -> None:
    _delete(Favourite.user_id == by.user_id, Favourite.kind == kind, Favourite.subject_id == subject_id)


def forget_gone(*, by: Actor) -> int:
    """Remove the favourites that are public no more; how many."""
    still = (
        select(SearchDocument.id)
        .where(SearchDocument.kind == Favourite.kind, SearchDocument.subject_id == Favourite.subject_id)
        .exists()
    )
    return _delete(Favourite.user_id == by.user_id, ~still)


def _delete(*where: Any) -> int:
    result = db.session.execute(delete(Favourite).where(*where).execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount


def _hold(by: Actor) -> None:
    """One after the other for each person, so that limits and names hold."""
    db.session.execute(select(User.id).where(User.id == by.user_id).with_for_update(of=User))


# --- saved searches -------------------------------------------------------------------------------------


def save_search(name: str, asked: Asked, frequency: Frequency, *, by: Actor, now: datetime) -> SavedSearch:
    """Raises Obstructed with everything that stands in the way."""
    if by.user_id is None:
        raise NotFound("nobody saves nothing")
    _hold(by)
    name = name.strip()
    obstacles = list(_obstacles(name, asked, by.user_id))
    if obstacles:
        raise Obstructed(obstacles)
    saved = SavedSearch(
        user_id=by.user_id,
        name=name,
        asked=asked.args(),
        frequency=frequency,
        created_at=now,
        seen_until=now,
        next_at=next_letter(frequency, now=now),
    )
    db.session.add(saved)
    db.session.flush()
    return saved


def _obstacles(name: str, asked: Asked, user_id: int) -> Sequence[Obstacle]:
    found = []
    own = select(func.count()).select_from(SavedSearch).where(SavedSearch.user_id == user_id)
    if not name:
        found.append(Obstacle("name", N_("请填写名称")))
    elif len(name) > LONGEST_NAME:
        found.append(Obstacle("name", N_("名称最多 %(limit)s 个字符"), {"limit": LONGEST_NAME}))
    elif db.session.scalar(own.where(SavedSearch.name == name)):
        found.append(Obstacle("name", N_("已有同名的检索，请换一个名称")))
    if (db.session.scalar(own) or 0) >= MOST_SAVED:
        found.append(
            Obstacle("name", N_("最多保存 %(limit)s 个检索，请先删除不再需要的"), {"limit": MOST_SAVED})
        )
    if not asked.args():
        found.append(Obstacle("name", N_("请先填写关键词或选择条件，再保存检索")))
    return found


def set_frequency(saved_id: int, frequency: Frequency, *, by: Actor, now: datetime) -> SavedSearch:
    """Whoever begins to get letters hears of what comes from now on, not of what was missed meanwhile."""
    saved = get_saved(saved_id, user_id=by.user_id or 0)
    if saved.frequency is Frequency.NEVER and frequency is not Frequency.NEVER:
        saved.seen_until = now
    saved.frequency = frequency
    saved.next_at = next_letter(frequency, now=now)
    return saved


def delete_saved(saved_id: int, *, by: Actor) -> str:
    """Returns its name."""
    saved = get_saved(saved_id, user_id=by.user_id or 0)
    db.session.delete(saved)
    db.session.flush()
    return saved.name


def next_letter(frequency: Frequency, *, now: datetime) -> datetime | None:
    """Eight o'clock in Shanghai: tomorrow, or next Monday. At once has no hour, and never none at all."""
    today = business_date(now)
    days = {Frequency.DAILY: 1, Frequency.WEEKLY: 7 - today.weekday()}.get(frequency)
    if days is None:
        return None
    return datetime.combine(today + timedelta(days=days), WRITTEN_AT, tzinfo=SHANGHAI)


# --- letters about saved searches -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class News:
    """What a saved search has found since it was last looked at, and from where it was looked."""

    saved_id: int
    user_id: int
    name: str
    asked: Asked
    frequency: Frequency
    seen_until: datetime
    hits: tuple[Hit, ...]


def look_for_news(saved_id: int, *, now: datetime) -> News | None:
    """Reads only. None where nobody waits for a letter any more."""
    saved = db.session.get(SavedSearch, saved_id)
    if saved is None or saved.frequency is Frequency.NEVER:
        return None
    asked = Asked.from_args(saved.asked, {source.kind: source.label for source in registered()})
    after = max(saved.created_at, saved.seen_until - OVERLAP)
    hits = find_entered(asked, ask(asked.q), after=after, now=now, limit=MOST_LOOKED_AT)
    told_of = db.session.execute(
        select(SavedSearchHit.kind, SavedSearchHit.subject_id).where(
            SavedSearchHit.saved_search_id == saved_id,
            SavedSearchHit.subject_id.in_([hit.document.subject_id for hit in hits]),
        )
    )
    known = {(row.kind, row.subject_id) for row in told_of}
    fresh = tuple(hit for hit in hits if (hit.document.kind, hit.document.subject_id) not in known)
    return News(saved.id, saved.user_id, saved.name, asked, saved.frequency, saved.seen_until, fresh)


def tell(news: News, *, looked_at: datetime, now: datetime) -> bool:
    """Inside `transaction()`: write the letter and move the mark, unless somebody else has moved it since."""
    moved = cast(
        "CursorResult[Any]",
        db.session.execute(
            update(SavedSearch)
            .where(
                SavedSearch.id == news.saved_id,
                SavedSearch.seen_until == news.seen_until,
                SavedSearch.frequency == news.frequency,
            )
            .values(seen_until=looked_at, next_at=next_letter(news.frequency, now=now))
            .execution_options(synchronize_session=False)
        ),
    ).rowcount
    if not moved:
        return False
    if news.hits:
        rows = [(hit.document.kind, hit.document.subject_id) for hit in news.hits]
        db.session.add_all(
            SavedSearchHit(saved_search_id=news.saved_id, kind=kind, subject_id=subject_id)
            for kind, subject_id in rows
        )
        send_letter(
            [news.user_id],
            LETTER,
            told(N_("检索“%(name)s”有 %(count)s 条新结果"), name=news.name, count=len(news.hits)),
            _body(news),
            f"/workbench/searches/{news.saved_id}",
            at=now,
        )
    return True


def _body(news: News) -> str:
    text = told("")
    for hit in news.hits[:MOST_LISTED]:
        line = N_("%(title)s（%(organisation)s）")
        text += told(line, title=hit.document.title, organisation=hit.organisation_name) + "\n"
    if (more := len(news.hits) - MOST_LISTED) > 0:
        text += told(N_("……另有 %(count)s 条，打开检索查看全部。"), count=more) + "\n"
    text += "\n"
    return text + told(N_("不想再收到：在工作台“我的检索”中把“%(name)s”设为不提醒即可。"), name=news.name)
