"""Need lists and their lines: lax drafts, strict publishing, versions, ends with a reason."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.indicators.model import Comparator, Indicator
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.dates import end_of_business_day
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstructed, StaleVersion
from marketplace.needs import queries, services
from marketplace.needs.lifecycle import NeedStatus
from marketplace.needs.models import Need, NeedHiddenPrice
from marketplace.needs.rules import NeedDraft
from tests.integration.support import (
    RUNOUT,
    a_list,
    a_need,
    a_need_draft,
    an_editor,
    an_operator,
    an_organisation,
    an_unverified_editor,
    audit_types,
    somebody,
    today,
    work_for,
)


def reread(need: Need, viewer: Actor) -> Need:
    db.session.rollback()
    db.session.expire_all()
    return queries.get_need(need.public_no, viewer=viewer)


def test_an_empty_draft_is_kept_and_ranked_by_nobody(app: Flask) -> None:
    editor = an_editor()
    need_list = a_list(editor)
    with transaction():
        need = services.start_draft(need_list, NeedDraft(title="轴"), by=editor, now=clock.now())
    assert reread(need, editor).status is NeedStatus.DRAFT
    assert work_for(need.id) == []
    assert audit_types("need", need.id) == ["need.create"]


def test_publishing_names_all_obstacles_at_once_and_changes_nothing(app: Flask) -> None:
    editor = an_editor()
    gaps = NeedDraft(
        title="轴",
        valid_until=today() - timedelta(days=1),
        delivery_on=today() - timedelta(days=1),
        indicators=(Indicator(name="", comparator=Comparator.GE),),
    )
    with transaction():
        need = services.start_draft(a_list_in(editor), gaps, by=editor, now=clock.now())
    with pytest.raises(Obstructed) as refused, transaction():
        services.publish(queries.get_own(need.public_no, actor=editor), by=editor, now=clock.now())
    assert {o.field.replace("-", ".") for o in refused.value.obstacles} >= {
        "title",
        "specification",
        "quantity",
        "unit",
        "clusters",
        "valid_until",
        "delivery_on",
        "indicators.0.name",
        "indicators.0.value",
    }
    assert reread(need, editor).status is NeedStatus.DRAFT
    assert work_for(need.id) == []


def a_list_in(editor: Actor) -> services.NeedList:
    return services.open_list(title="年度寻源清单", note="", by=editor, now=clock.now())


def test_what_is_published_is_asked_to_be_ranked_in_its_version(app: Flask) -> None:
    need = a_need(an_editor())
    assert need.status is NeedStatus.PUBLISHED
    assert need.published_at is not None
    assert work_for(need.id) == [("matching.rank_seeker", 1)]
    assert audit_types("need", need.id) == ["need.create", "need.publish"]


def test_an_unverified_organisation_may_draft_but_not_publish(app: Flask) -> None:
    editor = an_unverified_editor()
    need = a_need(editor, published=False)
    with pytest.raises(Obstructed) as refused, transaction():
        services.publish(queries.get_own(need.public_no, actor=editor), by=editor, now=clock.now())
    assert [o.field for o in refused.value.obstacles] == ["organisation"]


def test_a_revision_counts_up_the_version_and_is_ranked_anew(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor)
    with transaction():
        again = queries.get_own(need.public_no, actor=editor)
        changed = replace(a_need_draft(), title="电机主轴管旋锻半成品", quantity=Decimal("15000.5"))
        services.revise(again, changed, version=1, by=editor, now=clock.now())
    found = reread(need, editor)
    assert (found.version, found.title, found.quantity) == (2, "电机主轴管旋锻半成品", Decimal("15000.5"))
    assert work_for(need.id) == [("matching.rank_seeker", 1), ("matching.rank_seeker", 2)]
    assert audit_types("need", need.id)[-1] == "need.revise"


def test_a_revision_is_held_to_the_rules_of_publishing(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor)
    with pytest.raises(Obstructed), transaction():
        again = queries.get_own(need.public_no, actor=editor)
        services.revise(again, a_need_draft(quantity=None), version=1, by=editor, now=clock.now())
    found = reread(need, editor)
    assert (found.version, found.quantity) == (1, Decimal(12000))


@pytest.mark.parametrize("published", [False, True])
def test_an_edit_from_an_outdated_version_is_refused(app: Flask, published: bool) -> None:
    editor = an_editor()
    need = a_need(editor, published=published)
    change = services.revise if published else services.edit_draft
    with transaction():
        again = queries.get_own(need.public_no, actor=editor)
        change(again, a_need_draft(title="第一个人的标题"), version=1, by=editor, now=clock.now())
    with pytest.raises(StaleVersion) as stale, transaction():
        again = queries.get_own(need.public_no, actor=editor)
        change(again, a_need_draft(title="第二个人的标题"), version=1, by=editor, now=clock.now())
    assert stale.value.current_version == 2
    assert reread(need, editor).title == "第一个人的标题"


def test_indicators_are_replaced_in_their_order(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor, published=False)
    rows = tuple(replace(RUNOUT, name=f"指标{n}", value=Decimal(n)) for n in (3, 1, 2))
    for wanted in (rows, rows[:1], rows[1:]):
        with transaction():
            again = queries.get_own(need.public_no, actor=editor)
            services.edit_draft(
                again, a_need_draft(indicators=wanted), version=again.version, by=editor, now=clock.now()
            )
        assert tuple(i.as_indicator() for i in reread(need, editor).indicators) == wanted


@pytest.mark.parametrize("action", ["withdraw", "take_down"])
def test_an_end_owes_a_public_reason(app: Flask, action: str) -> None:
    editor = an_editor()
    by = editor if action == "withdraw" else an_operator()
    need = a_need(editor)
    end = getattr(services, action)
    for reason in ("", " \n　"):
        with pytest.raises(Obstructed), transaction():
            end(queries.get_need(need.public_no, viewer=by), reason=reason, by=by, now=clock.now())
    with transaction():
        end(queries.get_need(need.public_no, viewer=by), reason=" 已另行采购 ", by=by, now=clock.now())
    found = reread(need, by)
    assert found.status.value == {"withdraw": "withdrawn", "take_down": "taken_down"}[action]
    assert found.status_reason == "已另行采购"
    assert found.withdrawn_at is not None
    assert ("matching.remove", 1) in work_for(need.id)
    row = db.session.scalar(select(AuditEvent).where(AuditEvent.type == f"need.{action}"))
    assert row is not None
    assert (row.from_status, row.to_status, row.reason) == ("published", found.status.value, "已另行采购")


def test_each_act_is_only_theirs_whose_it_is(app: Flask) -> None:
    editor, stranger, operator = an_editor(), an_editor(), an_operator()
    need = a_need(editor)
    now = clock.now()
    for act in (
        lambda n: services.withdraw(n, reason="不要了", by=stranger, now=now),
        lambda n: services.withdraw(n, reason="不要了", by=operator, now=now),
        lambda n: services.take_down(n, reason="违规", by=editor, now=now),
        lambda n: services.revise(n, a_need_draft(), version=1, by=operator, now=now),
    ):
        with pytest.raises(Forbidden), transaction():
            act(queries.get_need(need.public_no, viewer=operator))
    with pytest.raises(InvalidTransition), transaction():
        services.publish(queries.get_own(need.public_no, actor=editor), by=editor, now=now)


def test_a_line_goes_only_into_a_list_of_ones_own(app: Flask) -> None:
    editor, stranger = an_editor(), an_editor()
    need_list = a_list(editor)
    with pytest.raises(Forbidden), transaction():
        services.start_draft(need_list, a_need_draft(), by=stranger, now=clock.now())


def test_a_reader_of_the_organisation_writes_nothing(app: Flask) -> None:
    from marketplace.kernel.actor import OrganisationRole

    reader = somebody(an_organisation(), role=OrganisationRole.READER)
    with pytest.raises(Forbidden), transaction():
        services.open_list(title="年度寻源清单", note="", by=reader, now=clock.now())


def test_drafts_are_for_the_owners_members_alone(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor, published=False)
    colleague = somebody(editor.organisation_id)
    assert queries.get_need(need.public_no, viewer=colleague).id == need.id
    for other in (an_editor(), an_operator(), Actor()):
        with pytest.raises(NotFound):
            queries.get_need(need.public_no, viewer=other)
        with pytest.raises(NotFound):
            queries.get_list("QD-2026-0001", viewer=other)


def test_a_hidden_price_stands_in_its_own_table_and_nowhere_else(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor, max_price_fen=7_654_321, max_price_hidden=True)
    assert db.session.get_one(NeedHiddenPrice, need.id).max_price_fen == 7_654_321
    assert reread(need, editor).max_price_fen is None
    assert services.draft_of(queries.get_own(need.public_no, actor=editor)).max_price_fen == 7_654_321
    with transaction():
        again = queries.get_own(need.public_no, actor=editor)
        shown = a_need_draft(max_price_fen=7_654_321, max_price_hidden=False)
        services.revise(again, shown, version=1, by=editor, now=clock.now())
    assert db.session.get(NeedHiddenPrice, need.id) is None
    assert reread(need, editor).max_price_fen == 7_654_321


def test_validity_ends_with_its_last_day_in_shanghai(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor, valid_until=today())
    over = end_of_business_day(today())
    assert queries.list_open_ids(over - timedelta(seconds=1)) == [need.id]
    assert queries.list_open_ids(over) == []


def test_the_matcher_gets_no_price_no_name_and_no_contact(app: Flask) -> None:
    editor = an_editor(name="独一无二机械有限公司")
    need = a_need(editor, max_price_fen=7_654_321, max_price_hidden=True)
    [document] = queries.read_matchables([need.id], now=clock.now())
    assert document.title == "电机主轴管旋锻毛坯"
    assert document.indicators == (RUNOUT,)
    for secret in ("7654321", "76543.21", "独一无二"):
        assert secret not in repr(document)


def test_of_two_people_at_the_same_moment_only_one_is_first(app: Flask) -> None:
    editor = an_editor()
    need = a_need(editor)
    outcomes: list[str] = []
    first_has_read, second_has_read = Event(), Event()

    def edit(title: str, has_read: Event, wait_for: Event) -> None:
        with app.app_context():
            try:
                with transaction():
                    again = queries.get_own(need.public_no, actor=editor)
                    has_read.set()
                    # The second cannot read before the first is done; where it could, both would win.
                    wait_for.wait(1)
                    draft = a_need_draft(title=title)
                    services.revise(again, draft, version=1, by=editor, now=clock.now())
                outcomes.append(title)
            except StaleVersion:
                outcomes.append("outdated")

    first = Thread(target=edit, args=("第一个人的标题", first_has_read, second_has_read))
    first.start()
    assert first_has_read.wait(20)
    second = Thread(target=edit, args=("第二个人的标题", second_has_read, first_has_read))
    second.start()
    for thread in (first, second):
        thread.join(30)
    assert outcomes == ["第一个人的标题", "outdated"]
    assert reread(need, editor).version == 2
