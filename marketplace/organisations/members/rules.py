"""What holds for members and invitations. Plain Python."""

from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.kernel.texts import N_

INVITATION_LASTS = timedelta(days=7)
# A firm's whole staff, but no mailing list.
MOST_OPEN_INVITATIONS = 50


class InvitationState(StrEnum):
    """Asked of the row and of the clock; nothing of it is stored."""

    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


INVITATION_STATES = {
    InvitationState.OPEN: N_("等待接受"),
    InvitationState.EXPIRED: N_("已过期"),
    InvitationState.ACCEPTED: N_("已接受"),
    InvitationState.WITHDRAWN: N_("已撤回"),
}


def state_of(
    *,
    accepted_at: datetime | None,
    withdrawn_at: datetime | None,
    expires_at: datetime,
    now: datetime,
) -> InvitationState:
    if accepted_at is not None:
        return InvitationState.ACCEPTED
    if withdrawn_at is not None:
        return InvitationState.WITHDRAWN
    return InvitationState.OPEN if expires_at > now else InvitationState.EXPIRED
