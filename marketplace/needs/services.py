"""What is done with need lists and their lines."""

from dataclasses import replace
from datetime import date, datetime

from marketplace.audit.services import record
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date, end_of_business_day, last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed
from marketplace.kernel.numbering import next_number
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.needs.lifecycle import LIFECYCLE, NeedStatus
from marketplace.needs.models import (
    Need,
    NeedChainLink,
    NeedCluster,
    NeedHiddenPrice,
    NeedIndicator,
    NeedList,
)
from marketplace.needs.rules import LONGEST_VALIDITY, RENEWAL, NeedDraft, obstacles_to_publishing
from marketplace.postings import revisions
from marketplace.postings.codes import ended_codes
from marketplace.postings.models import RevisionAudience
from marketplace.postings.queries import is_in_good_standing
from marketplace.postings.rules import reason_gaps
from marketplace.postings.services import (
    replace_codes,
    replace_indicators,
    tell_appeal,
    tell_decision,
    tell_taken_down,
)
from marketplace.postings.versions import check_version

KIND = "need"
SHORTEST_LIST_TITLE = 4


def open_list(*, title: str, note: str, by: Actor, now: datetime) -> NeedList:
    """A new, empty list of the actor's own organisation."""
    if not by.is_editor or by.organisation_id is None:
        raise Forbidden("need_list.create")
    _check_list_title(title)
    need_list = NeedList(
        public_no=next_number("QD", now=now),
        organisation_id=by.organisation_id,
        title=title.strip(),
        note=note.strip(),
        created_at=now,
    )
    db.session.add(need_list)
    db.session.flush()
    _note_list("create", need_list, by=by, now=now)
    return need_list


def rename_list(
    need_list: NeedList, *, title: str, note: str, version: int, by: Actor, now: datetime
) -> None:
    if not by.edits_for(need_list.organisation_id):
        raise Forbidden("need_list.edit")
    check_version(need_list, version)
    _check_list_title(title)
    need_list.title, need_list.note = title.strip(), note.strip()
    need_list.version += 1
    _note_list("edit", need_list, by=by, now=now)


def start_draft(need_list: NeedList, draft: NeedDraft, *, by: Actor, now: datetime) -> Need:
    """A new line in the actor's own list."""
    if not by.edits_for(need_list.organisation_id):
        raise Forbidden("need.create")
    need = Need(
        organisation_id=need_list.organisation_id,
        need_list_id=need_list.id,
        public_no=next_number("XQ", now=now, width=5),
        status=NeedStatus.DRAFT,
        created_at=now,
        updated_at=now,
        indicators=[],
        clusters=[],
        chain_links=[],
    )
    db.session.add(need)
    _fill(need, draft)
    _note("create", need, by=by, now=now)
    _keep("create", need, RevisionAudience.OWNER, by=by, now=now)
    return need


def edit_draft(need: Need, draft: NeedDraft, *, version: int, by: Actor, now: datetime) -> None:
    """Change a draft line. Raises StaleVersion if somebody else changed it first."""
    LIFECYCLE.advance(need.status, "edit", by=by.parties(need.organisation_id))
    check_version(need, version)
    _change(need, draft, now=now)
    _note("edit", need, by=by, now=now)
    _keep("edit", need, RevisionAudience.OWNER, by=by, now=now)


def publish(need: Need, *, by: Actor, now: datetime) -> None:
    """Show a line to everybody and have its suppliers ranked."""
    was = need.status
    status = LIFECYCLE.advance(was, "publish", by=by.parties(need.organisation_id))
    _refuse(draft_of(need), by=by, now=now)
    need.status, need.published_at = NeedStatus(status), now
    _note("publish", need, by=by, now=now, was=was)
    _keep("publish", need, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_for_ranking(need)


def revise(need: Need, draft: NeedDraft, *, version: int, by: Actor, now: datetime) -> None:
    """Change a published line; held to the same rules, and ranked anew."""
    LIFECYCLE.advance(need.status, "revise", by=by.parties(need.organisation_id))
    check_version(need, version)
    _refuse(draft, by=by, now=now)
    revisions.keep_first(KIND, need, told_of(need))
    _change(need, draft, now=now)
    _note("revise", need, by=by, now=now)
    _keep("revise", need, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_for_ranking(need)


def withdraw(need: Need, *, reason: str, by: Actor, now: datetime) -> None:
    _end(need, "withdraw", reason=reason, by=by, now=now)


def renew(need: Need, *, by: Actor, now: datetime) -> None:
    """Let it count for longer, before or after it lapsed, with its text as it is; ranked anew.

    Ninety days more, counted from its end or from today, but never beyond the longest validity.
    """
    LIFECYCLE.advance(need.status, "renew", by=by.parties(need.organisation_id))
    renewed = replace(draft_of(need), valid_until=_renewed_until(need, now=now))
    _refuse(renewed, by=by, now=now)
    if renewed.valid_until == _last_day(need.expires_at):
        limit = {"limit": LONGEST_VALIDITY.days}
        raise Obstructed([Obstacle("valid_until", N_("有效期已是最长的 %(limit)d 天，暂不需要续期"), limit)])
    revisions.keep_first(KIND, need, told_of(need))
    need.expires_at = end_of_business_day(renewed.valid_until) if renewed.valid_until else None
    need.version += 1
    need.updated_at = now
    _note("renew", need, by=by, now=now)
    _keep("renew", need, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_for_ranking(need)


def take_down(need: Need, *, reason: str, by: Actor, now: datetime) -> None:
    """The operator removes what must not stand, and says why; the owner is told how to go on."""
    _end(need, "take_down", reason=reason, by=by, now=now)
    tell_taken_down(need, "need", path=_path(need), reason=reason.strip(), now=now)


def appeal(need: Need, *, reason: str, by: Actor, now: datetime) -> None:
    """Hand in again what was taken down, mended or with grounds against it."""
    was = need.status
    status = LIFECYCLE.advance(was, "appeal", by=by.parties(need.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    need.status, need.submitted_at, need.appeal = NeedStatus(status), now, reason.strip()
    _note("appeal", need, by=by, now=now, was=was, reason=reason.strip())
    _keep("appeal", need, RevisionAudience.PLATFORM, by=by, now=now)
    tell_appeal(need, "need", path=_path(need), now=now)


def restore(need: Need, *, by: Actor, now: datetime) -> None:
    """Show it again as it now stands, and have it ranked."""
    was = need.status
    status = LIFECYCLE.advance(was, "restore", by=by.parties(need.organisation_id))
    obstacles = list(obstacles_to_publishing(draft_of(need), today=business_date(now)))
    if not is_in_good_standing(need.organisation):
        obstacles.append(Obstacle("organisation", N_("单位已被暂停，恢复资格后才能发布")))
    if obstacles:
        raise Obstructed(obstacles)
    need.status, need.status_reason, need.appeal = NeedStatus(status), "", ""
    need.version += 1
    need.updated_at = now
    _note("restore", need, by=by, now=now, was=was)
    _keep("restore", need, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_for_ranking(need)
    tell_decision(need, "need", path=_path(need), restored=True, reason="", now=now)


def reject(need: Need, *, reason: str, by: Actor, now: datetime) -> None:
    """Leave it taken down, and say why once more."""
    was = need.status
    status = LIFECYCLE.advance(was, "reject", by=by.parties(need.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    need.status, need.status_reason = NeedStatus(status), reason.strip()
    _note("reject", need, by=by, now=now, was=was, reason=reason.strip())
    tell_decision(need, "need", path=_path(need), restored=False, reason=reason.strip(), now=now)


def told_of(need: Need) -> NeedDraft:
    """The line as its revisions keep it: a hidden price is in none of them."""
    draft = draft_of(need)
    return replace(draft, max_price_fen=None) if draft.max_price_hidden else draft


def draft_of(need: Need) -> NeedDraft:
    """The line in the form that rules and forms speak of; for the owner's eyes, hidden price included."""
    hidden = db.session.get(NeedHiddenPrice, need.id)
    return NeedDraft(
        title=need.title,
        specification=need.specification,
        quantity=need.quantity,
        unit=need.unit,
        region=need.region,
        delivery_on=need.delivery_on,
        valid_until=_last_day(need.expires_at),
        qualification=need.qualification,
        max_price_fen=hidden.max_price_fen if hidden else need.max_price_fen,
        max_price_hidden=hidden is not None,
        keywords=tuple(need.keywords),
        clusters=tuple(c.code for c in need.clusters),
        chain_links=tuple(link.code for link in need.chain_links),
        industry=need.industry,
        indicators=tuple(i.as_indicator() for i in need.indicators),
    )


def _renewed_until(need: Need, *, now: datetime) -> date:
    today = business_date(now)
    return min(max(today, _last_day(need.expires_at) or today) + RENEWAL, today + LONGEST_VALIDITY)


def _path(need: Need) -> str:
    return f"/needs/{need.public_no}"


def _keep(action: str, need: Need, audience: RevisionAudience, *, by: Actor, now: datetime) -> None:
    revisions.keep(KIND, need, told_of(need), act=action, audience=audience, by=by, now=now)


def _last_day(expires_at: datetime | None) -> date | None:
    return None if expires_at is None else last_business_day(expires_at)


def _check_list_title(title: str) -> None:
    if len(title.strip()) < SHORTEST_LIST_TITLE:
        raise Obstructed([Obstacle("title", N_("清单名称至少 %(limit)d 字"), {"limit": SHORTEST_LIST_TITLE})])


def _refuse(draft: NeedDraft, *, by: Actor, now: datetime) -> None:
    obstacles = [*obstacles_to_publishing(draft, today=business_date(now)), *ended_codes(draft)]
    if not by.organisation_verified:
        obstacles.append(Obstacle("organisation", N_("单位核验通过后才能发布")))
    if obstacles:
        raise Obstructed(obstacles)


def _end(need: Need, action: str, *, reason: str, by: Actor, now: datetime) -> None:
    was = need.status
    status = LIFECYCLE.advance(was, action, by=by.parties(need.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    need.status, need.withdrawn_at = NeedStatus(status), now
    need.status_reason = reason.strip()
    _note(action, need, by=by, now=now, was=was, reason=reason.strip())
    defer("matching.remove", subject_id=need.id, version=need.version, payload={"kind": "need"})


def _ask_for_ranking(need: Need) -> None:
    defer("matching.rank_seeker", subject_id=need.id, version=need.version, payload={"kind": "need"})


def _change(need: Need, draft: NeedDraft, *, now: datetime) -> None:
    _fill(need, draft)
    need.version += 1
    need.updated_at = now


def _fill(need: Need, draft: NeedDraft) -> None:
    need.title, need.specification, need.qualification = draft.title, draft.specification, draft.qualification
    need.quantity, need.unit, need.region = draft.quantity, draft.unit, draft.region
    need.delivery_on, need.industry = draft.delivery_on, draft.industry
    need.expires_at = None if draft.valid_until is None else end_of_business_day(draft.valid_until)
    need.keywords = list(draft.keywords)
    need.max_price_fen = None if draft.max_price_hidden else draft.max_price_fen
    replace_indicators(need.indicators, NeedIndicator, draft.indicators)
    replace_codes(need.clusters, NeedCluster, draft.clusters)
    replace_codes(need.chain_links, NeedChainLink, draft.chain_links)
    db.session.flush()
    _keep_hidden_price(need, draft.max_price_fen if draft.max_price_hidden else None)


def _keep_hidden_price(need: Need, fen: int | None) -> None:
    hidden = db.session.get(NeedHiddenPrice, need.id)
    if fen is None:
        if hidden is not None:
            db.session.delete(hidden)
    elif hidden is None:
        db.session.add(NeedHiddenPrice(need_id=need.id, max_price_fen=fen))
    else:
        hidden.max_price_fen = fen


def _note(
    action: str, need: Need, *, by: Actor, now: datetime, was: NeedStatus | None = None, reason: str = ""
) -> None:
    record(
        LIFECYCLE.audit_type(action),
        "need",
        need.id,
        by=by,
        at=now,
        # The trail is read by others: a title counts only once it has been published.
        label=need.public_no if need.published_at is None else need.title,
        organisation_id=need.organisation_id,
        from_status=was or (None if action == "create" else need.status),
        to_status=need.status,
        reason=reason,
        detail={"version": need.version},
    )


def _note_list(action: str, need_list: NeedList, *, by: Actor, now: datetime) -> None:
    record(
        f"need_list.{action}",
        "need_list",
        need_list.id,
        by=by,
        at=now,
        label=need_list.title,
        organisation_id=need_list.organisation_id,
    )
