"""The state of an invitation is asked of its dates."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.organisations.members.rules import INVITATION_LASTS, InvitationState, state_of

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("accepted_at", "withdrawn_at", "expires_at", "state"),
    [
        (None, None, NOW + INVITATION_LASTS, InvitationState.OPEN),
        (None, None, NOW + timedelta(microseconds=1), InvitationState.OPEN),
        (None, None, NOW, InvitationState.EXPIRED),
        (EARLIER, None, EARLIER, InvitationState.ACCEPTED),
        (None, EARLIER, EARLIER, InvitationState.WITHDRAWN),
    ],
)
def test_what_was_done_counts_before_what_the_clock_says(
    accepted_at: datetime | None,
    withdrawn_at: datetime | None,
    expires_at: datetime,
    state: InvitationState,
) -> None:
    found = state_of(accepted_at=accepted_at, withdrawn_at=withdrawn_at, expires_at=expires_at, now=NOW)
    assert found is state
