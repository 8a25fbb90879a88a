"""Capabilities: lax drafts, strict publishing, versions, completeness, and what looks like a repeat."""

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.audit.models import AuditEvent
from marketplace.capabilities import queries, rules, services
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.capabilities.rules import CapabilityDraft, CertificateDraft
from marketplace.indicators.model import Comparator, Indicator
from marketplace.kernel import clock
from marketplace.kernel.actor import ANONYMOUS, Actor, OrganisationRole
from marketplace.kernel.db import db, transaction
from marketplace.kernel.errors import Forbidden, InvalidTransition, NotFound, Obstructed, StaleVersion
from tests.integration.support import (
    RUNOUT,
    a_capability,
    a_capability_draft,
    an_editor,
    an_operator,
    an_organisation,
    an_unverified_editor,
    audit_types,
    somebody,
    work_for,
)


def reread(capability: Capability, viewer: Actor) -> Capability:
    db.session.rollback()
    db.session.expire_all()
    return queries.get_capability(capability.public_no, viewer=viewer)


def test_an_empty_draft_is_kept_and_placed_nowhere(app: Flask) -> None:
    editor = an_editor()
    with transaction():
        capability = services.start_draft(CapabilityDraft(title="锻"), by=editor, now=clock.now())
    assert reread(capability, editor).status is CapabilityStatus.DRAFT
    assert work_for(capability.id) == []
    assert audit_types("capability", capability.id) == ["capability.create"]


def test_publishing_names_all_obstacles_at_once_and_changes_nothing(app: Flask) -> None:
    editor = an_editor()
    gaps = CapabilityDraft(title="锻", parameters=(Indicator(name="", comparator=Comparator.GE),))
    with transaction():
        capability = services.start_draft(gaps, by=editor, now=clock.now())
    with pytest.raises(Obstructed) as refused, transaction():
        services.publish(queries.get_own(capability.public_no, actor=editor), by=editor, now=clock.now())
    assert {o.field.replace("-", ".") for o in refused.value.obstacles} == {
        "title",
        "summary",
        "clusters",
        "parameters.0.name",
        "parameters.0.value",
    }
    assert reread(capability, editor).status is CapabilityStatus.DRAFT
    assert work_for(capability.id) == []


def test_what_is_published_is_asked_to_be_placed_in_its_version(app: Flask) -> None:
    capability = a_capability(an_editor())
    assert capability.status is CapabilityStatus.PUBLISHED
    assert work_for(capability.id) == [("matching.place_capability", 1)]
    assert audit_types("capability", capability.id) == ["capability.create", "capability.publish"]


def test_an_unverified_organisation_may_draft_but_not_publish(app: Flask) -> None:
    editor = an_unverified_editor()
    capability = a_capability(editor, published=False)
    with pytest.raises(Obstructed) as refused, transaction():
        services.publish(queries.get_own(capability.public_no, actor=editor), by=editor, now=clock.now())
    assert [o.field for o in refused.value.obstacles] == ["organisation"]


def test_a_revision_counts_up_the_version_and_is_placed_anew(app: Flask) -> None:
    editor = an_editor()
    capability = a_capability(editor)
    changed = a_capability_draft(trl=8, parameters=(RUNOUT, replace(RUNOUT, name="圆度")))
    with transaction():
        again = queries.get_own(capability.public_no, actor=editor)
        services.revise(again, changed, version=1, by=editor, now=clock.now())
    found = reread(capability, editor)
    assert (found.version, found.trl) == (2, 8)
    assert services.draft_of(found) == changed
    assert work_for(capability.id)[-1] == ("matching.place_capability", 2)


@pytest.mark.parametrize("published", [False, True])
def test_an_edit_from_an_outdated_version_is_refused(app: Flask, published: bool) -> None:
    editor = an_editor()
    capability = a_capability(editor, published=published)
    change = services.revise if published else services.edit_draft
    now = clock.now()
    with transaction():
        again = queries.get_own(capability.public_no, actor=editor)
        change(again, a_capability_draft(title="第一个人写的名称"), version=1, by=editor, now=now)
    with pytest.raises(StaleVersion) as stale, transaction():
        again = queries.get_own(capability.public_no, actor=editor)
        change(again, a_capability_draft(title="第二个人写的名称"), version=1, by=editor, now=now)
    assert stale.value.current_version == 2
    assert reread(capability, editor).title == "第一个人写的名称"


@pytest.mark.parametrize("action", ["withdraw", "take_down"])
def test_an_end_owes_a_public_reason(app: Flask, action: str) -> None:
    editor = an_editor()
    by = editor if action == "withdraw" else an_operator()
    capability = a_capability(editor)
    end = getattr(services, action)
    with pytest.raises(Obstructed), transaction():
        end(queries.get_capability(capability.public_no, viewer=by), reason=" ", by=by, now=clock.now())
    with transaction():
        found = queries.get_capability(capability.public_no, viewer=by)
        end(found, reason="产线已改作他用", by=by, now=clock.now())
    found = reread(capability, by)
    assert found.status.value == {"withdraw": "withdrawn", "take_down": "taken_down"}[action]
    assert found.status_reason == "产线已改作他用"
    assert ("matching.remove", 1) in work_for(capability.id)
    row = db.session.scalar(select(AuditEvent).where(AuditEvent.type == f"capability.{action}"))
    assert row is not None
    assert (row.from_status, row.reason) == ("published", "产线已改作他用")


def test_each_act_is_only_theirs_whose_it_is(app: Flask) -> None:
    editor, stranger, operator = an_editor(), an_editor(), an_operator()
    capability = a_capability(editor)
    now = clock.now()
    for act in (
        lambda c: services.withdraw(c, reason="不要了", by=stranger, now=now),
        lambda c: services.withdraw(c, reason="不要了", by=operator, now=now),
        lambda c: services.take_down(c, reason="违规", by=editor, now=now),
        lambda c: services.revise(c, a_capability_draft(), version=1, by=stranger, now=now),
    ):
        with pytest.raises(Forbidden), transaction():
            act(queries.get_capability(capability.public_no, viewer=operator))
    with pytest.raises(InvalidTransition), transaction():
        services.publish(queries.get_own(capability.public_no, actor=editor), by=editor, now=now)


def test_a_reader_of_the_organisation_writes_nothing(app: Flask) -> None:
    reader = somebody(an_organisation(), role=OrganisationRole.READER)
    with pytest.raises(Forbidden), transaction():
        services.start_draft(a_capability_draft(), by=reader, now=clock.now())


def test_drafts_are_for_the_owners_members_alone(app: Flask) -> None:
    editor = an_editor()
    capability = a_capability(editor, published=False)
    colleague = somebody(editor.organisation_id, role=OrganisationRole.READER)
    assert queries.get_capability(capability.public_no, viewer=colleague).id == capability.id
    for other in (an_editor(), an_operator(), ANONYMOUS):
        with pytest.raises(NotFound):
            queries.get_capability(capability.public_no, viewer=other)


def test_completeness_counts_what_is_stated_and_says_what_is_missing() -> None:
    assert rules.completeness(CapabilityDraft(title="旋锻")).score == 0
    whole = a_capability_draft_without_database()
    assert rules.completeness(whole).score == 100
    assert rules.completeness(whole).missing == []
    for change, field in (
        ({"summary": "短"}, "summary"),
        ({"parameters": ()}, "parameters"),
        ({"keywords": ()}, "keywords"),
        ({"trl": None}, "trl"),
        ({"certificates": ()}, "certificates"),
    ):
        found = rules.completeness(replace(whole, **change))
        assert found.score < 100
        assert [o.field for o in found.missing] == [field]


def a_capability_draft_without_database() -> CapabilityDraft:
    return CapabilityDraft(
        title="旋转锻造空心电机轴",
        summary="用八模头旋锻机把无缝管近净成形为空心电机轴。" * 6,
        trl=7,
        maturity=rules.Maturity.PILOT,
        ip_status=rules.IpStatus.GRANTED,
        cooperation=("supply",),
        keywords=("旋锻",),
        clusters=("A1",),
        industry="C34",
        parameters=(RUNOUT,),
        certificates=(CertificateDraft("IATF 16949"),),
    )


def test_what_looks_like_a_repeat_is_named_whichever_script_it_is_in(app: Flask) -> None:
    editor, stranger = an_editor(), an_editor()
    shown = a_capability(editor, title="旋转锻造空心电机轴")
    a_capability(editor, title="镁合金一体化压铸后地板")
    a_capability(stranger, published=False, title="旋转锻造空心电机轴（改进型）")
    for asked in ("旋转锻造空心电机轴", "旋轉鍛造空心電機軸", "空心电机轴 旋转锻造空心电机轴"):
        found = queries.list_similar(asked, viewer=editor)
        assert [similar.public_no for similar in found] == [shown.public_no], asked
    assert queries.list_similar("旋转锻造空心电机轴", viewer=editor, besides=shown.id) == []
    assert queries.list_similar("旋", viewer=editor) == []


def test_another_organisations_draft_is_never_named_as_similar(app: Flask) -> None:
    a_capability(an_editor(), published=False, title="绝不外露的新工艺名称")
    assert queries.list_similar("绝不外露的新工艺名称", viewer=an_editor()) == []


def test_the_matcher_gets_no_name_of_an_organisation_and_no_contact(app: Flask) -> None:
    editor = an_editor(name="独一无二机械有限公司")
    capability = a_capability(editor)
    [document] = queries.read_matchables([capability.id], now=clock.now())
    assert document.title == "旋转锻造空心电机轴"
    assert "独一无二" not in repr(document)
