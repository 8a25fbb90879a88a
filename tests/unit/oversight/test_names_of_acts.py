"""Auditors read words: whatever the code records has a name."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marketplace.audit.models import AuditEvent
from marketplace.oversight.presenters import LIFECYCLES, MEMBERSHIP_STATUSES, SUBJECTS, event_line

ROOT = Path(__file__).resolve().parents[3]
RECORDED = re.compile(r"""\brecord\(\s*"([a-z_]+\.[a-z_]+)",\s*"([a-z_]+)\"""")
CODE = "\n".join(f.read_text(encoding="utf-8") for f in sorted((ROOT / "marketplace").rglob("*.py")))
LITERAL = sorted(set(RECORDED.findall(CODE)))
LIVES = sorted(
    (f"{life.thing}.{action}", life.thing) for life in LIFECYCLES.values() for action in life.actions
)


def event(act: str, kind: str, **values: str) -> AuditEvent:
    known = {"actor_name": "某人", "actor_role": "person", "reason": ""} | values
    return AuditEvent(type=act, subject_kind=kind, at=datetime.now(UTC), **known)


@pytest.mark.parametrize(("act", "kind"), [*LITERAL, *LIVES])
def test_whatever_is_recorded_has_a_name(act: str, kind: str) -> None:
    line = event_line(event(act, kind))
    assert line.act != act
    assert kind in SUBJECTS
    assert line.subject == SUBJECTS[kind]


def test_the_search_for_recorded_acts_finds_some() -> None:
    assert ("user.sign_in", "user") in LITERAL
    assert len(LITERAL) > 8


def test_an_unknown_act_is_shown_as_it_is_and_not_hidden() -> None:
    assert event_line(event("thing.never_heard_of", "thing")).act == "thing.never_heard_of"


def test_statuses_are_named_in_the_words_of_their_life() -> None:
    line = event_line(event("challenge.approve", "challenge", from_status="submitted", to_status="published"))
    assert (line.act, line.from_label, line.to_label) == ("审核通过并发榜", "待审核", "揭榜中")
    assert (
        event_line(event("membership.request", "membership", to_status="requested")).to_label
        == (MEMBERSHIP_STATUSES["requested"])
    )


def test_the_code_that_an_answer_begins_with_is_named() -> None:
    declined = event_line(event("invitation.decline", "invitation", reason="capacity 样件线已排满"))
    assert (declined.reason_label, declined.reason) == ("产能或人手不足", "样件线已排满")
    dismissed = event_line(event("dismissal.make", "dismissal", reason="known"))
    assert (dismissed.reason_label, dismissed.reason) == ("已有合适的供方", "")
    written = event_line(event("organisation.suspend", "organisation", reason="capacity 一词是人写的"))
    assert (written.reason_label, written.reason) == ("", "capacity 一词是人写的")


def test_the_platform_itself_has_no_name_beside_its_role() -> None:
    line = event_line(event("user.register", "user", actor_name="system", actor_role="system"))
    assert (line.who, line.role) == ("", "系统")
