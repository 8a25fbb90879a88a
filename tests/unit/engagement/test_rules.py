"""What keeps somebody from being approached, and what a letter or a reason lacks: all of it at once."""

from datetime import date

import pytest

from marketplace.engagement import rules
from marketplace.engagement.kinds import REASONS, SEEKER_REASONS, ContactSource, Reason, Side
from marketplace.engagement.rules import Candidate, Draft, Limits, Sent

TODAY = date(2026, 11, 23)
FINE = Candidate("某厂", "verified", has_people=True, is_own=False, is_offered=True, has_agreed=False)
LIMITS = Limits(per_posting=5, per_day=3, interests_per_day=2, answer_days=14)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"standing": "unclaimed"}, "尚未入驻认领"),
        ({"standing": "suspended"}, "暂停资格"),
        ({"standing": "pending"}, "尚未通过核验"),
        ({"has_people": False}, "没有可以办理的人员"),
        ({"is_own": True}, "本单位"),
        ({"is_offered": False}, "已撤回或下架"),
        ({"has_agreed": True}, "已经对接"),
    ],
)
def test_each_reason_not_to_invite_is_said(changes: dict[str, object], said: str) -> None:
    values = {name: getattr(FINE, name) for name in FINE.__slots__} | changes
    found = rules.why_not_invited(Candidate(**values))  # type: ignore[arg-type]
    assert found is not None
    assert said in found.message


def test_a_verified_firm_with_people_may_be_invited() -> None:
    assert rules.why_not_invited(FINE) is None


def fields(draft: Draft, last_day: date | None = None) -> list[str]:
    return [obstacle.field for obstacle in rules.draft_gaps(draft, today=TODAY, last_day=last_day)]


def test_a_letter_is_judged_in_every_field_at_once() -> None:
    assert fields(Draft("短", None, None)) == ["message", "contact", "expires_on"]
    assert fields(Draft("请" * 1001, ContactSource.PERSON, date(2026, 12, 1))) == ["message"]


@pytest.mark.parametrize(
    ("day", "last_day", "fine"),
    [
        (date(2026, 11, 23), None, False),
        (date(2026, 11, 24), None, True),
        (date(2027, 1, 22), None, True),
        (date(2027, 1, 23), None, False),
        (date(2026, 12, 2), date(2026, 12, 1), False),
        (date(2026, 12, 1), date(2026, 12, 1), True),
        # On the posting's last day there is only that day left.
        (date(2026, 11, 23), date(2026, 11, 23), True),
    ],
)
def test_an_answer_is_due_after_today_and_before_the_posting_ends(
    day: date, last_day: date | None, fine: bool
) -> None:
    assert (fields(Draft("请就来料检验详谈一次", ContactSource.PERSON, day), last_day) == []) is fine


@pytest.mark.parametrize(
    ("wanted", "sent", "fine"),
    [(3, Sent(2, 0), True), (3, Sent(3, 0), False), (1, Sent(0, 3), False), (0, Sent(0, 0), False)],
)
def test_caps_hold_for_a_posting_and_for_a_day(wanted: int, sent: Sent, fine: bool) -> None:
    assert (list(rules.invitation_limits(wanted, sent, LIMITS)) == []) is fine


def test_a_reason_is_from_the_list_of_its_side_and_other_is_explained() -> None:
    assert [o.field for o in rules.reason_gaps("nonsense", "", SEEKER_REASONS)] == ["reason_code"]
    assert [o.field for o in rules.reason_gaps("price", "", REASONS[Side.SEEKER])] == ["reason_code"]
    assert [o.field for o in rules.reason_gaps("other", " ", REASONS[Side.SUPPLIER])] == ["reason"]
    assert list(rules.reason_gaps("price", "", REASONS[Side.SUPPLIER])) == []
    assert all(Reason.OTHER in known for known in REASONS.values())
