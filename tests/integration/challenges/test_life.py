"""A challenge from draft to withdrawn: who may do what, what is recorded, what follows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.audit.models import AuditEvent
from marketplace.audit.services import record
from marketplace.challenges import queries, services
from marketplace.challenges.lifecycle import ChallengeStatus
from marketplace.challenges.models import Challenge, ChallengeAnnex, ChallengeIndicator
from marketplace.challenges.rules import ChallengeDraft
from marketplace.kernel import clock
from marketplace.kernel.actor import ANONYMOUS
from marketplace.kernel.dates import business_date, end_of_business_day
from marketplace.kernel.db import Base, db, transaction
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstructed, StaleVersion
from marketplace.kernel.outbox import OutboxRow
from marketplace.notifications.models import Letter
from tests.integration.challenges.conftest import People, indicator, whole_draft

Make = Callable[..., Challenge]


def _work(kind: str) -> list[OutboxRow]:
    return list(db.session.scalars(select(OutboxRow).where(OutboxRow.kind == kind)))


def _events(challenge: Challenge) -> list[tuple[str, str | None, str | None]]:
    rows = db.session.scalars(
        select(AuditEvent)
        .where(AuditEvent.subject_kind == "challenge", AuditEvent.subject_id == challenge.id)
        .order_by(AuditEvent.seq)
    )
    return [(row.type, row.from_status, row.to_status) for row in rows]


def test_approval_publishes_and_asks_for_the_ranking_in_the_same_transaction(make_challenge: Make) -> None:
    challenge = make_challenge("published")

    (work,) = _work("matching.rank_seeker")
    assert (work.subject_id, work.version) == (challenge.id, challenge.version)
    assert work.payload == {"kind": "challenge"}
    assert challenge.published_at is not None
    assert _events(challenge) == [
        ("challenge.create", None, "draft"),
        ("challenge.submit", "draft", "submitted"),
        ("challenge.approve", "submitted", "published"),
    ]


def test_a_deadline_is_the_end_of_the_chosen_shanghai_day(make_challenge: Make) -> None:
    challenge = make_challenge("draft")

    day = business_date(clock.now()) + timedelta(days=30)
    assert challenge.closes_at == end_of_business_day(day)
    assert services.draft_of(challenge).closes_on == day


def test_a_return_keeps_its_reasons_until_the_next_submission(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("returned")
    assert challenge.status_reason == "请补充"
    assert challenge.return_reasons == {"problem": "现状数值不清"}

    with transaction():
        again = queries.get_own(challenge.public_no, viewer=people.editor)
        services.submit(again, by=people.editor, now=clock.now())

    assert again.status is ChallengeStatus.SUBMITTED
    assert (again.status_reason, again.return_reasons) == ("", {})


def test_a_return_owes_a_reason(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("submitted")

    with pytest.raises(Obstructed) as refused, transaction():
        services.return_to_seeker(
            challenge, reason=" ", field_reasons={"title": ""}, by=people.operator, now=clock.now()
        )

    assert [o.field for o in refused.value.obstacles] == ["reason"]


def test_a_withdrawal_shows_its_reason_and_takes_the_challenge_out_of_matching(
    make_challenge: Make, people: People
) -> None:
    challenge = make_challenge("withdrawn")

    (work,) = _work("matching.remove")
    assert (work.subject_id, work.payload) == (challenge.id, {"kind": "challenge"})
    seen = queries.get_challenge(challenge.public_no, viewer=ANONYMOUS)
    assert seen.status_reason == "技术路线已调整"
    assert challenge.id not in queries.list_open_ids(clock.now())
    assert [m.active for m in queries.read_matchables([challenge.id])] == [False]


def test_only_a_manager_withdraws(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("published")

    with pytest.raises(Forbidden), transaction():
        services.withdraw(challenge, reason="不再需要", by=people.editor, now=clock.now())


def test_an_unfinished_draft_is_kept_but_not_submitted(app: Flask, people: People) -> None:
    now = clock.now()
    with transaction():
        challenge = services.start_draft(ChallengeDraft(title="未写完"), by=people.editor, now=now)

    with pytest.raises(Obstructed) as refused, transaction():
        services.submit(queries.get_own(challenge.public_no, viewer=people.editor), by=people.editor, now=now)

    fields = {o.field for o in refused.value.obstacles}
    assert {"title", "clusters", "problem", "indicators", "closes_on", "budget_fen", "ip_terms"} <= fields
    assert queries.get_own(challenge.public_no, viewer=people.editor).status is ChallengeStatus.DRAFT


def test_a_firm_without_the_title_may_not_even_begin(app: Flask, people: People) -> None:
    from dataclasses import replace

    plain = replace(people.editor, may_post_challenges=False)
    with pytest.raises(Obstructed), transaction():
        services.start_draft(ChallengeDraft(title="某某部件关键技术"), by=plain, now=clock.now())
    assert db.session.scalar(select(func.count()).select_from(Challenge)) == 0


def test_the_second_of_two_editors_is_told(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("draft")
    read = challenge.version
    now = clock.now()
    with transaction():
        first = queries.get_own(challenge.public_no, viewer=people.manager)
        services.edit_draft(
            first, whole_draft(now, background="甲写的"), version=read, by=people.manager, now=now
        )

    with pytest.raises(StaleVersion), transaction():
        second = queries.get_own(challenge.public_no, viewer=people.editor)
        services.edit_draft(
            second, whole_draft(now, background="乙写的"), version=read, by=people.editor, now=now
        )

    assert queries.get_own(challenge.public_no, viewer=people.editor).background == "甲写的"


def test_indicators_keep_their_order_when_some_go_and_others_come(
    make_challenge: Make, people: People
) -> None:
    challenge = make_challenge("draft")
    now = clock.now()
    names = ["丙", "甲", "乙"]
    with transaction():
        mine = queries.get_own(challenge.public_no, viewer=people.editor)
        rows = tuple(indicator(name) for name in names)
        services.edit_draft(
            mine, whole_draft(now, indicators=rows), version=mine.version, by=people.editor, now=now
        )
    db.session.expire_all()

    again = queries.get_own(challenge.public_no, viewer=people.editor)
    assert [row.name for row in again.indicators] == names
    assert db.session.scalar(select(func.count()).select_from(ChallengeIndicator)) == 3


def test_a_copy_is_a_draft_without_deadline_and_without_the_annex(
    make_challenge: Make, people: People
) -> None:
    source = make_challenge("draft")
    with transaction():
        mine = queries.get_own(source.public_no, viewer=people.editor)
        services.write_annex(mine, "平台代号 K7P", version=mine.version, by=people.editor, now=clock.now())
        copy = services.copy_as_new(mine, by=people.editor, now=clock.now())

    assert (copy.status, copy.title, copy.closes_at) == (ChallengeStatus.DRAFT, source.title, None)
    assert copy.public_no != source.public_no
    assert [row.name for row in copy.indicators] == [row.name for row in source.indicators]
    assert db.session.get(ChallengeAnnex, copy.id) is None


def test_people_hear_of_what_happens_to_their_challenge(make_challenge: Make, people: People) -> None:
    make_challenge("returned")

    letters = {(row.user_id, row.kind) for row in db.session.scalars(select(Letter))}
    assert (people.operator.user_id, "challenge.submit") in letters
    for member in (people.editor, people.manager, people.reader):
        assert (member.user_id, "challenge.return") in letters
    assert not any(user_id == people.stranger.user_id for user_id, _ in letters)


def test_the_annex_is_read_by_the_owners_members_alone(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("draft")
    with transaction():
        mine = queries.get_own(challenge.public_no, viewer=people.editor)
        services.write_annex(mine, "平台代号 K7P", version=mine.version, by=people.editor, now=clock.now())

    assert queries.find_annex(mine, viewer=people.reader) == "平台代号 K7P"
    for viewer in (people.stranger, people.operator, people.auditor, ANONYMOUS):
        with pytest.raises(NotFound):
            queries.find_annex(mine, viewer=viewer)


def test_nothing_confidential_reaches_the_matcher(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("draft", contact_name="联系人金丝雀", contact_phone="023-60000000")
    with transaction():
        mine = queries.get_own(challenge.public_no, viewer=people.editor)
        services.write_annex(mine, "附件金丝雀", version=mine.version, by=people.editor, now=clock.now())
        services.submit(mine, by=people.editor, now=clock.now())
        services.approve(mine, by=people.operator, now=clock.now())

    (snapshot,) = queries.read_matchables([challenge.id])
    said = repr(snapshot)
    for secret in ("附件金丝雀", "联系人金丝雀", "023-60000000", "渝川智驾"):
        assert secret not in said
    assert "夹紧力由 28 kN" in said
    assert snapshot.indicators[0].requirement_text() == "≥ 28 kN"


def test_the_annex_stands_in_its_own_table_and_in_no_other(make_challenge: Make, people: People) -> None:
    challenge = make_challenge("draft")
    with transaction():
        mine = queries.get_own(challenge.public_no, viewer=people.editor)
        services.write_annex(mine, "附件金丝雀", version=mine.version, by=people.editor, now=clock.now())
        services.submit(mine, by=people.editor, now=clock.now())
        services.approve(mine, by=people.operator, now=clock.now())
        services.withdraw(mine, reason="需求取消", by=people.manager, now=clock.now())
        services.copy_as_new(mine, by=people.editor, now=clock.now())

    holding = {
        table.name
        for table in Base.metadata.sorted_tables
        if any("附件金丝雀" in str(row) for row in db.session.execute(table.select()))
    }
    assert holding == {"challenge_annex"}


def test_drafts_are_not_handed_to_the_matcher(make_challenge: Make) -> None:
    draft, published = make_challenge("draft"), make_challenge("published")

    assert queries.list_open_ids(clock.now()) == [published.id]
    assert [m.id for m in queries.read_matchables([draft.id, published.id])] == [published.id]


def test_closing_is_asked_of_the_clock(make_challenge: Make) -> None:
    challenge = make_challenge("published")
    assert challenge.closes_at is not None

    assert queries.list_open_ids(challenge.closes_at - timedelta(microseconds=1)) == [challenge.id]
    assert queries.list_open_ids(challenge.closes_at) == []


def test_too_late_an_approval_is_refused_because_the_call_has_become_too_short(
    make_challenge: Make, people: People
) -> None:
    number = make_challenge("submitted").public_no

    with pytest.raises(Obstructed) as refused, transaction():
        challenge = queries.get_challenge(number, viewer=people.operator)
        services.approve(challenge, by=people.operator, now=clock.now() + timedelta(days=25))

    assert [o.field for o in refused.value.obstacles] == ["closes_on"]


@pytest.mark.parametrize("status", ["submitted", "published", "withdrawn"])
def test_what_is_submitted_or_later_is_not_edited(make_challenge: Make, people: People, status: str) -> None:
    challenge = make_challenge(status)
    now = clock.now()

    with pytest.raises(InvalidTransition), transaction():
        services.edit_draft(
            challenge, whole_draft(now), version=challenge.version, by=people.manager, now=now
        )


def test_two_editors_at_the_same_moment_are_not_both_taken(
    app: Flask, make_challenge: Make, people: People
) -> None:
    challenge = make_challenge("draft")
    number, read = challenge.public_no, challenge.version
    together = Barrier(2)

    def edit(background: str) -> str:
        together.wait(timeout=20)
        with app.app_context():
            try:
                with transaction():
                    mine = queries.get_own(number, viewer=people.editor)
                    draft = whole_draft(clock.now(), background=background)
                    services.edit_draft(mine, draft, version=read, by=people.editor, now=clock.now())
            except StaleVersion:
                return "told"
            finally:
                db.session.remove()
        return "saved"

    db.session.rollback()
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(edit, ["甲", "乙"]))

    assert answers == ["saved", "told"]


def test_a_firm_that_lost_its_right_meanwhile_is_not_published(make_challenge: Make, people: People) -> None:
    number = make_challenge("submitted").public_no
    with transaction():
        challenge = queries.get_challenge(number, viewer=people.operator)
        challenge.organisation.designations[0].confirmed_at = None
        record(
            "organisation.edit", "organisation", challenge.organisation_id, by=people.operator, at=clock.now()
        )

    with pytest.raises(Obstructed) as refused, transaction():
        challenge = queries.get_challenge(number, viewer=people.operator)
        services.approve(challenge, by=people.operator, now=clock.now())

    assert [o.field for o in refused.value.obstacles] == ["organisation"]
