"""What is done with challenges: drafted, submitted, returned or published, withdrawn, copied.

Everything here runs inside `transaction()` and leaves its audit row. Collected challenges come in by
`collected`; ranking is asked for and done elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime

from marketplace.attachments.queries import count_for as count_files
from marketplace.audit.services import record
from marketplace.challenges.kinds import Publicity
from marketplace.challenges.lifecycle import LIFECYCLE, ChallengeStatus
from marketplace.challenges.models import (
    Challenge,
    ChallengeAnnex,
    ChallengeChainLink,
    ChallengeCluster,
    ChallengeIndicator,
    DeadlineAct,
    DeadlineChange,
)
from marketplace.challenges.queries import count_extensions
from marketplace.challenges.rules import (
    LONGEST_ANNEX,
    Call,
    ChallengeDraft,
    limits,
    obstacles_to_closing_early,
    obstacles_to_extending,
    obstacles_to_submitting,
)
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import business_date, end_of_business_day, last_business_day
from marketplace.kernel.db import db
from marketplace.kernel.errors import Forbidden, Obstacle, Obstructed
from marketplace.kernel.numbering import next_number
from marketplace.kernel.outbox import defer
from marketplace.kernel.texts import N_
from marketplace.kernel.typed import obstacles_in
from marketplace.notifications.services import send_letter
from marketplace.notifications.words import told
from marketplace.organisations.queries import may_post_challenges
from marketplace.postings import concerned, revisions
from marketplace.postings import queries as postings
from marketplace.postings.codes import ended_codes
from marketplace.postings.models import RevisionAudience
from marketplace.postings.rules import reason_gaps
from marketplace.postings.services import replace_codes, replace_indicators, tell_taken_down
from marketplace.postings.versions import check_version

# Written as they are; the rest of a draft is turned on its way into the row.
_PLAIN = tuple(
    f.name
    for f in fields(ChallengeDraft)
    if f.name not in ("keywords", "clusters", "chain_links", "cooperation", "indicators", "closes_on")
)
KIND = "challenge"
LONGEST_REASON = 1000


def start_draft(draft: ChallengeDraft, *, by: Actor, now: datetime) -> Challenge:
    """A new draft of the actor's own organisation, which must be one that may post challenges."""
    return _start(draft, by=by, now=now)


def copy_as_new(challenge: Challenge, *, by: Actor, now: datetime) -> Challenge:
    """A new draft with the public text of an own challenge; deadline and confidential annex stay behind."""
    if not by.edits_for(challenge.organisation_id):
        raise Forbidden("challenge.copy")
    draft = replace(draft_of(challenge), closes_on=None, publicity=Publicity.PUBLIC)
    return _start(draft, by=by, now=now, copied_from=challenge.public_no)


def edit_draft(
    challenge: Challenge, draft: ChallengeDraft, *, version: int, step: str = "", by: Actor, now: datetime
) -> None:
    """Change a draft. Raises StaleVersion if somebody else changed it first."""
    LIFECYCLE.advance(challenge.status, "edit", by=by.parties(challenge.organisation_id))
    check_version(challenge, version)
    if obstacles := list(limits(draft)):
        raise Obstructed(obstacles)
    _fill(challenge, draft)
    _note_edit(challenge, step or "all", by=by, now=now)


def write_annex(challenge: Challenge, text: str, *, version: int, by: Actor, now: datetime) -> None:
    """Write the confidential annex, or take it away with an empty text. It goes into no record."""
    LIFECYCLE.advance(challenge.status, "edit", by=by.parties(challenge.organisation_id))
    check_version(challenge, version)
    if len(text) > LONGEST_ANNEX:
        raise Obstructed([Obstacle("annex", N_("最多 %(limit)s 个字"), {"limit": LONGEST_ANNEX})])
    annex = db.session.get(ChallengeAnnex, challenge.id)
    if not text.strip():
        if annex is not None:
            db.session.delete(annex)
    elif annex is None:
        db.session.add(ChallengeAnnex(challenge_id=challenge.id, text=text))
    else:
        annex.text = text
    db.session.flush()
    challenge.publicity = Publicity.PARTIAL if _has_annex(challenge) else Publicity.PUBLIC
    _note_edit(challenge, "annex", by=by, now=now)


def note_annex_files(challenge: Challenge, *, by: Actor, now: datetime) -> None:
    """Files of the annex came or went: the page says whether there is an annex at all, and no more."""
    challenge.publicity = Publicity.PARTIAL if _has_annex(challenge) else Publicity.PUBLIC
    challenge.updated_at = now
    _note("edit", challenge, by=by, now=now, was=challenge.status, detail={"step": "annex_files"})


def submit(
    challenge: Challenge, *, version: int | None = None, appeal: str = "", by: Actor, now: datetime
) -> None:
    """Hand a finished draft to the operator, or what was taken down, with what is to be said for it."""
    was = challenge.status
    status = LIFECYCLE.advance(was, "submit", by=by.parties(challenge.organisation_id))
    _check_read(challenge, version)
    _require_right_to_post(by)
    label = N_("整改说明或申诉理由")
    if was is ChallengeStatus.TAKEN_DOWN and not appeal.strip():
        raise Obstructed([Obstacle("appeal", N_("请填写“%(label)s”"), {"label": label})])
    _refuse_unfit({"appeal": appeal}, label=label)
    draft = draft_of(challenge)
    if obstacles := [*obstacles_to_submitting(draft, now=now), *ended_codes(draft)]:
        raise Obstructed(obstacles)
    challenge.status, challenge.submitted_at = ChallengeStatus(status), now
    challenge.status_reason, challenge.return_reasons = "", {}
    challenge.appeal = appeal.strip()
    if was is ChallengeStatus.TAKEN_DOWN:
        # What is shown again is another version, even where not a word was changed: it is ranked anew.
        challenge.version += 1
    _note("submit", challenge, by=by, now=now, was=was, reason=challenge.appeal)
    _keep("submit", challenge, RevisionAudience.PLATFORM, by=by, now=now)
    send_letter(
        postings.list_operator_ids(),
        "challenge.submit",
        subject=told(N_("榜单待审核：%(title)s"), title=challenge.title),
        body=told(
            N_("%(name)s提交了榜单 %(number)s，请审核。"),
            name=challenge.organisation.name,
            number=challenge.public_no,
        ),
        link=f"/review/challenges/{challenge.public_no}",
        at=now,
    )


def approve(challenge: Challenge, *, version: int | None = None, by: Actor, now: datetime) -> None:
    """Publish what was submitted and, once that is committed, have its solvers ranked."""
    was = challenge.status
    status = LIFECYCLE.advance(was, "approve", by=by.parties(challenge.organisation_id))
    _check_read(challenge, version)
    obstacles = list(obstacles_to_submitting(draft_of(challenge), now=now))
    if not may_post_challenges(challenge.organisation, now=now):
        obstacles.append(Obstacle("organisation", N_("发榜单位现在没有发榜资格（未核验、已暂停或称号失效）")))
    if obstacles:
        raise Obstructed(obstacles)
    challenge.status, challenge.published_at = ChallengeStatus(status), now
    _note("approve", challenge, by=by, now=now, was=was)
    _keep("approve", challenge, RevisionAudience.PUBLIC, by=by, now=now)
    _ask_for_ranking(challenge)
    _tell_members(
        challenge,
        "challenge.approve",
        subject=told(N_("榜单已发布：%(title)s"), title=challenge.title),
        body=told(N_("榜单 %(number)s 已通过审核并发布，推荐名单稍后生成。"), number=challenge.public_no),
        link=f"/challenges/{challenge.public_no}",
        now=now,
    )


def return_to_seeker(
    challenge: Challenge,
    *,
    reason: str,
    field_reasons: Mapping[str, str],
    version: int | None = None,
    by: Actor,
    now: datetime,
) -> None:
    """Give it back with what is to be mended: in general, and beside single fields."""
    was = challenge.status
    status = LIFECYCLE.advance(was, "return", by=by.parties(challenge.organisation_id))
    _check_read(challenge, version)
    beside = {field: text.strip() for field, text in field_reasons.items() if text.strip()}
    if not reason.strip() and not beside:
        raise Obstructed([Obstacle("reason", N_("退回须写明理由，可在相应栏目旁逐条写"))])
    _refuse_unfit({"reason": reason, **{f"reason-{f}": text for f, text in beside.items()}})
    challenge.status = ChallengeStatus(status)
    challenge.status_reason, challenge.return_reasons = reason.strip(), beside
    _note("return", challenge, by=by, now=now, was=was, reason=reason.strip(), detail={"fields": beside})
    _tell_members(
        challenge,
        "challenge.return",
        subject=told(N_("榜单需修改：%(title)s"), title=challenge.title),
        body="\n".join(text for text in (reason.strip(), *beside.values()) if text),
        link=f"/workbench/challenges/{challenge.public_no}/basics",
        now=now,
    )


def withdraw(challenge: Challenge, *, reason: str, by: Actor, now: datetime) -> None:
    """Take a published challenge back; the reason is shown to everybody."""
    was = challenge.status
    status = LIFECYCLE.advance(was, "withdraw", by=by.parties(challenge.organisation_id))
    if not reason.strip():
        raise Obstructed([Obstacle("reason", N_("撤榜须写明理由，理由将对外公开"))])
    _refuse_unfit({"reason": reason})
    challenge.status, challenge.withdrawn_at = ChallengeStatus(status), now
    challenge.status_reason = reason.strip()
    _note("withdraw", challenge, by=by, now=now, was=was, reason=reason.strip())
    defer(
        "matching.remove",
        subject_id=challenge.id,
        version=challenge.version,
        payload={"kind": "challenge"},
    )
    _tell_members(
        challenge,
        "challenge.withdraw",
        subject=told(N_("榜单已撤回：%(title)s"), title=challenge.title),
        body=told(
            N_("榜单 %(number)s 已撤榜。公开理由：%(reason)s"),
            number=challenge.public_no,
            reason=reason.strip(),
        ),
        link=f"/challenges/{challenge.public_no}",
        now=now,
    )


def extend(challenge: Challenge, closes_on: date | None, *, reason: str, by: Actor, now: datetime) -> None:
    """Give solvers more time; everybody reads until when and why."""
    LIFECYCLE.advance(challenge.status, "extend", by=by.parties(challenge.organisation_id))
    changes = count_extensions(challenge.id)
    obstacles = obstacles_to_extending(call_of(challenge, now=now), closes_on, extensions=changes)
    _move_deadline(challenge, DeadlineAct.EXTEND, closes_on, obstacles, reason=reason, by=by, now=now)


def close_early(
    challenge: Challenge, closes_on: date | None, *, reason: str, by: Actor, now: datetime
) -> None:
    """End the call before its day, with notice enough for whoever is preparing an answer."""
    LIFECYCLE.advance(challenge.status, "close_early", by=by.parties(challenge.organisation_id))
    preparing = is_prepared_for(challenge)
    obstacles = obstacles_to_closing_early(call_of(challenge, now=now), closes_on, preparing=preparing)
    _move_deadline(challenge, DeadlineAct.CLOSE_EARLY, closes_on, obstacles, reason=reason, by=by, now=now)


def is_prepared_for(challenge: Challenge) -> bool:
    """Whether somebody beside its owner is known to have to do with it."""
    return bool(concerned.list_user_ids(KIND, challenge.id))


def call_of(challenge: Challenge, *, now: datetime) -> Call:
    if challenge.published_at is None or challenge.closes_at is None:
        raise ValueError(f"{challenge.public_no} is published and has no days")
    return Call(
        today=business_date(now),
        published_on=business_date(challenge.published_at),
        closes_on=last_business_day(challenge.closes_at),
    )


def _move_deadline(
    challenge: Challenge,
    act: DeadlineAct,
    closes_on: date | None,
    obstacles: Iterable[Obstacle],
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> None:
    found = [*obstacles, *reason_gaps(reason)]
    if found or closes_on is None or challenge.closes_at is None:
        raise Obstructed(found)
    revisions.keep_first(KIND, challenge, draft_of(challenge))
    before, challenge.closes_at = challenge.closes_at, end_of_business_day(closes_on)
    db.session.add(
        DeadlineChange(
            challenge_id=challenge.id,
            act=act,
            at=now,
            from_at=before,
            to_at=challenge.closes_at,
            reason=reason.strip(),
        )
    )
    challenge.version += 1
    challenge.updated_at = now
    days = {"from": last_business_day(before).isoformat(), "to": closes_on.isoformat()}
    _note(act.value, challenge, by=by, now=now, was=challenge.status, reason=reason.strip(), detail=days)
    _keep(act.value, challenge, RevisionAudience.PUBLIC, by=by, now=now, note=reason.strip())
    _ask_for_ranking(challenge)
    send_letter(
        [
            *postings.list_member_ids(challenge.organisation_id),
            *concerned.list_user_ids(KIND, challenge.id),
        ],
        f"challenge.{act.value}",
        subject=told(
            N_("揭榜期已延长：%(title)s") if act is DeadlineAct.EXTEND else N_("揭榜将提前截止：%(title)s"),
            title=challenge.title,
        ),
        body=told(
            N_("榜单 %(number)s 的截止日期由 %(before)s 改为 %(after)s（当日 24 时）。公开理由：%(reason)s"),
            number=challenge.public_no,
            before=days["from"],
            after=days["to"],
            reason=reason.strip(),
        ),
        link=f"/challenges/{challenge.public_no}",
        at=now,
    )


def take_down(challenge: Challenge, *, reason: str, by: Actor, now: datetime) -> None:
    """The operator removes what must not stand, and says why; the owner is told how to go on."""
    was = challenge.status
    status = LIFECYCLE.advance(was, "take_down", by=by.parties(challenge.organisation_id))
    if gaps := list(reason_gaps(reason)):
        raise Obstructed(gaps)
    challenge.status, challenge.withdrawn_at = ChallengeStatus(status), now
    challenge.status_reason = reason.strip()
    _note("take_down", challenge, by=by, now=now, was=was, reason=reason.strip())
    defer(
        "matching.remove",
        subject_id=challenge.id,
        version=challenge.version,
        payload={"kind": "challenge"},
    )
    tell_taken_down(
        challenge,
        KIND,
        path=f"/challenges/{challenge.public_no}",
        reason=reason.strip(),
        now=now,
    )


def draft_of(challenge: Challenge) -> ChallengeDraft:
    """The challenge in the form that rules and forms speak of; needs its indicators and clusters loaded."""
    return ChallengeDraft(
        **{name: getattr(challenge, name) for name in _PLAIN},
        keywords=tuple(challenge.keywords),
        clusters=tuple(cluster.code for cluster in challenge.clusters),
        chain_links=tuple(link.code for link in challenge.chain_links),
        cooperation=tuple(challenge.cooperation),
        indicators=tuple(row.as_indicator() for row in challenge.indicators),
        closes_on=last_business_day(challenge.closes_at) if challenge.closes_at else None,
    )


def _has_annex(challenge: Challenge) -> bool:
    """Whether anything confidential goes with it, as text or as files."""
    if db.session.get(ChallengeAnnex, challenge.id) is not None:
        return True
    return count_files("challenge", challenge.id, "annex") > 0


def _start(draft: ChallengeDraft, *, by: Actor, now: datetime, copied_from: str = "") -> Challenge:
    if not by.is_editor or by.organisation_id is None:
        raise Forbidden("challenge.create")
    _require_right_to_post(by)
    if obstacles := list(limits(draft)):
        raise Obstructed(obstacles)
    challenge = Challenge(
        public_no=next_number("JB", now=now),
        organisation_id=by.organisation_id,
        status=ChallengeStatus.DRAFT,
        created_at=now,
        updated_at=now,
        indicators=[],
        clusters=[],
        chain_links=[],
    )
    _fill(challenge, draft)
    db.session.add(challenge)
    db.session.flush()
    detail = {"copied_from": copied_from} if copied_from else {}
    _note("create", challenge, by=by, now=now, detail=detail)
    _keep("create", challenge, RevisionAudience.OWNER, by=by, now=now)
    return challenge


def _fill(challenge: Challenge, draft: ChallengeDraft) -> None:
    for name in _PLAIN:
        setattr(challenge, name, getattr(draft, name))
    challenge.keywords, challenge.cooperation = list(draft.keywords), list(draft.cooperation)
    challenge.closes_at = end_of_business_day(draft.closes_on) if draft.closes_on else None
    replace_codes(challenge.clusters, ChallengeCluster, draft.clusters)
    replace_codes(challenge.chain_links, ChallengeChainLink, draft.chain_links)
    replace_indicators(challenge.indicators, ChallengeIndicator, draft.indicators)


def _ask_for_ranking(challenge: Challenge) -> None:
    defer(
        "matching.rank_seeker",
        subject_id=challenge.id,
        version=challenge.version,
        payload={"kind": "challenge"},
    )


def _keep(
    action: str,
    challenge: Challenge,
    audience: RevisionAudience,
    *,
    by: Actor,
    now: datetime,
    note: str = "",
) -> None:
    revisions.keep(
        KIND, challenge, draft_of(challenge), act=action, audience=audience, by=by, now=now, note=note
    )


def _require_right_to_post(by: Actor) -> None:
    if not by.may_post_challenges:
        raise Obstructed([Obstacle("organisation", N_("只有核验通过的领军企业或链主企业可以发榜"))])


def _check_read(challenge: Challenge, version: int | None) -> None:
    # Whoever decides from a page must have read what now stands; other callers read and decide in one go.
    if version is not None:
        check_version(challenge, version)


def _refuse_unfit(reasons: Mapping[str, str], *, label: str = N_("理由")) -> None:
    """Reasons are read by others: one that is too long or holds what no text should is not taken."""
    unfit = [
        obstacle
        for field, text in reasons.items()
        for obstacle in obstacles_in(text, field=field, label=label, limit=LONGEST_REASON, multiline=True)
    ]
    if unfit:
        raise Obstructed(unfit)


def _tell_members(
    challenge: Challenge, kind: str, *, subject: str, body: str, link: str, now: datetime
) -> None:
    members: Iterable[int] = postings.list_member_ids(challenge.organisation_id)
    send_letter(members, kind, subject=subject, body=body, link=link, at=now)


def _note_edit(challenge: Challenge, step: str, *, by: Actor, now: datetime) -> None:
    challenge.version += 1
    challenge.updated_at = now
    _note("edit", challenge, by=by, now=now, was=challenge.status, detail={"step": step})
    _keep("edit", challenge, RevisionAudience.OWNER, by=by, now=now, note=step)


def _note(
    action: str,
    challenge: Challenge,
    *,
    by: Actor,
    now: datetime,
    was: ChallengeStatus | None = None,
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    record(
        LIFECYCLE.audit_type(action),
        "challenge",
        challenge.id,
        by=by,
        at=now,
        # The trail is read by others: a title counts only once it has been handed in.
        label=challenge.public_no if challenge.submitted_at is None else challenge.title,
        organisation_id=challenge.organisation_id,
        from_status=was,
        to_status=challenge.status,
        reason=reason,
        detail={"version": challenge.version, **(detail or {})},
    )
